"""Persisted documents: a client names one by its hash, and sends the text only once, or never."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from gateway.bounded import Bounded
from gateway.refusal import refuse, refuse_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.wire import Asked

NOT_FOUND = "PersistedQueryNotFound"
"""Clients of the protocol look for this very message before they send the text."""
HASH = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
SCHEME = "sha256:"


class Texts(Protocol):
    """Where the texts of documents come from."""

    def text(self, asked: Asked) -> tuple[str, str | None]:
        """The text a request means, and the hash to keep it under once the document proved good.

        Raises:
            Refused: the hash is malformed, unknown, or not the hash of the text.
        """

    def keep(self, digest: str, text: str) -> None:
        """Remember a text that proved to be a good document."""

    def let_go(self) -> None:
        """Know nothing any more that clients sent: whoever is named in it may be forgotten."""


class Persisted:
    """Automatic persisted queries: texts by their hash, bounded by count and MiB; each process has its own."""

    def __init__(self, count: int = 1_000, mebibytes: int = 8) -> None:
        self._texts: Bounded[str, str] = Bounded(count, mebibytes * 2**20)

    def text(self, asked: Asked) -> tuple[str, str | None]:
        """The text a request means, and the hash to keep it under, if it comes with both.

        Raises:
            Refused: the hash is malformed, unknown, or not the hash of the text.
        """
        digest = digest_of(asked)
        if asked.query is not None:
            return asked.query, digest
        known = None if digest is None else self._texts.get(digest)
        if known is None:
            raise refuse_document(code="PERSISTED_QUERY_NOT_FOUND", message=NOT_FOUND)
        return known, None

    def keep(self, digest: str, text: str) -> None:
        """Remember a text that proved to be a good document."""
        self._texts.keep(digest, text, len(text.encode()))

    def let_go(self) -> None:
        """Know no text any more; clients of the protocol send it again."""
        self._texts.clear()


class Trusted:
    """Nothing but the documents of a list, by their hash; a text that is sent must be one of them, to the letter."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)

    def __len__(self) -> int:
        return len(self._texts)

    def text(self, asked: Asked) -> tuple[str, str | None]:
        """The listed text that a request means.

        Raises:
            Refused: the hash is malformed, or it is not listed.
        """
        digest = digest_of(asked) or sha256((asked.query or "").encode()).hexdigest()
        known = self._texts.get(digest)
        if known is None:
            message = (
                "Only listed documents are executed here, and this is none of them: "
                f"have its file listed by `gateway operations`, or name one by `documentId: {SCHEME}HASH`."
            )
            raise refuse_document(code="DOCUMENT_NOT_TRUSTED", message=message)
        return known, None

    def keep(self, digest: str, text: str) -> None:
        """Nothing is added to the list while it is used."""

    def let_go(self) -> None:
        """The list stays: it is the operator's."""


def digest_of(asked: Asked) -> str | None:
    """The hash that a request names its document by, as `documentId` or as automatic persisted queries do.

    Raises:
        Refused: it is malformed, or not the hash of the text beside it.
    """
    digest: object
    if asked.document is not None:
        if asked.query is not None or "persistedQuery" in (asked.extensions or {}):
            raise refuse(400, "BAD_REQUEST", "`documentId` names the document alone: send no `query` beside it.")
        digest = asked.document.removeprefix(SCHEME)
        if not HASH.fullmatch(digest):
            raise refuse(400, "BAD_REQUEST", f"`documentId` must be `{SCHEME}` and 64 hexadecimal digits.")
        return digest.lower()
    named = (asked.extensions or {}).get("persistedQuery")
    if named is None:
        return None
    if not isinstance(named, dict) or named.get("version") != 1:
        message = "`extensions.persistedQuery` must be {version: 1, sha256Hash}."
        raise refuse(400, "PERSISTED_QUERY_NOT_SUPPORTED", message)
    digest = named.get("sha256Hash")
    if not isinstance(digest, str) or not HASH.fullmatch(digest):
        raise refuse(400, "BAD_REQUEST", "`sha256Hash` must be 64 hexadecimal digits.")
    if asked.query is not None and sha256(asked.query.encode()).hexdigest() != digest.lower():
        raise refuse(400, "PERSISTED_QUERY_HASH_MISMATCH", "`sha256Hash` is not the hash of `query`.")
    return digest.lower()
