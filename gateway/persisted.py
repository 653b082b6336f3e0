"""Automatic persisted queries: a client sends the hash, and the text only once."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from gateway.bounded import Bounded
from gateway.refusal import refuse, refuse_document

NOT_FOUND = "PersistedQueryNotFound"
"""Clients of the protocol look for this very message before they send the text."""
HASH = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


class Persisted:
    """Document texts by the SHA-256 of their UTF-8, bounded by count and MiB; each process has its own."""

    def __init__(self, count: int = 1_000, mebibytes: int = 8) -> None:
        self._texts: Bounded[str, str] = Bounded(count, mebibytes * 2**20)

    def text(self, query: str | None, extensions: dict[str, Any] | None) -> tuple[str, str | None]:
        """The text a request means, and the hash to keep it under once the document proved good.

        Raises:
            Refused: the hash is malformed, unknown, or not the hash of the text.
        """
        asked = (extensions or {}).get("persistedQuery")
        if asked is None:
            if query is None:
                raise refuse(400, "BAD_REQUEST", "`query` is missing: send the document as a string.")
            return query, None
        if not isinstance(asked, dict) or asked.get("version") != 1:
            message = "`extensions.persistedQuery` must be {version: 1, sha256Hash}."
            raise refuse(400, "PERSISTED_QUERY_NOT_SUPPORTED", message)
        digest = asked.get("sha256Hash")
        if not isinstance(digest, str) or not HASH.fullmatch(digest):
            raise refuse(400, "BAD_REQUEST", "`sha256Hash` must be 64 hexadecimal digits.")
        digest = digest.lower()
        if query is None:
            known = self._texts.get(digest)
            if known is None:
                raise refuse_document(code="PERSISTED_QUERY_NOT_FOUND", message=NOT_FOUND)
            return known, None
        if sha256(query.encode()).hexdigest() != digest:
            raise refuse(400, "PERSISTED_QUERY_HASH_MISMATCH", "`sha256Hash` is not the hash of `query`.")
        return query, digest

    def keep(self, digest: str, text: str) -> None:
        """Remember a text that proved to be a good document."""
        self._texts.keep(digest, text, len(text.encode()))
