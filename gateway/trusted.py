"""The list of trusted documents: written by `gateway operations`, read when the process starts."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gateway.documents import Documents


class TrustError(Exception):
    """Documents that cannot be listed, or a list that cannot be read. `problems` says all of them."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def collected(directories: Iterable[Path]) -> dict[Path, str]:
    """The text of every .graphql file in these directories and below, by its path, in order.

    Raises:
        TrustError: a directory is not there, a file cannot be read, or there is none at all.
    """
    found: dict[Path, str] = {}
    problems = []
    for directory in directories:
        if not directory.is_dir():
            problems.append(f"{directory} is not a directory. Name one that holds .graphql files.")
        for path in sorted(directory.rglob("*.graphql")):
            try:
                found[path] = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as problem:
                problems.append(f"{path} cannot be read ({type(problem).__name__}). It must be text in UTF-8.")
    if not found and not problems:
        problems.append("There is no .graphql file in there. Put one document in each.")
    if problems:
        raise TrustError(problems)
    return found


def listed(files: Mapping[Path, str], documents: Documents) -> bytes:
    """The list of these documents: JSON, the SHA-256 of each text's UTF-8 -> the text, in the order of the hashes.

    Raises:
        TrustError: with everything that keeps a document from being executed, and with those that introspect.
    """
    problems = []
    for path, text in files.items():
        document = documents.get(text)
        problems += [f"{path}: {error['message']}" for error in document.errors]
        if not document.errors and not document.operations:
            problems.append(f"{path}: It holds no operation. Put the fragments it needs into each document.")
        if any(operation.tally.introspects for operation in document.operations.values()):
            problems.append(f"{path}: It introspects, and with a list of documents nobody does. Leave it out.")
    if problems:
        raise TrustError(problems)
    texts = {digest(text): text for text in files.values()}
    return orjson.dumps(texts, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def read(path: Path) -> dict[str, str]:
    """The texts of a list, by their hashes.

    Raises:
        TrustError: it cannot be read, is no list, or holds a text under the hash of another.
    """
    try:
        held = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise TrustError(
            [f"{path} cannot be read ({type(problem).__name__}). Write it with `gateway operations`."]
        ) from None
    if not isinstance(held, dict) or not held or not all(isinstance(text, str) for text in held.values()):
        raise TrustError([f"{path} is no list of documents. Write it with `gateway operations`."])
    wrong = [
        f"{path}: {name[:80]} is not the hash of its text. Write it anew."
        for name in held
        if digest(held[name]) != name
    ]
    if wrong:
        raise TrustError(wrong)
    return held


def digest(text: str) -> str:
    """What a document is listed under."""
    return sha256(text.encode()).hexdigest()
