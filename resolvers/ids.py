"""Global ids: opaque to clients, `Type:uuid` in url-safe base64 inside."""

import base64
import binascii
from dataclasses import dataclass
from uuid import UUID

from analytics.codec import global_id
from resolvers.errors import BadInput

LONGEST = 600


@dataclass(frozen=True, slots=True)
class GlobalId:
    """One thing of one type."""

    type: str
    uuid: str


def to_global(kind: str, uuid: str) -> str:
    """The id of a thing as clients hold it; of a course, whatever the course service calls it."""
    return global_id(kind, uuid)


def from_global(text: str) -> GlobalId:
    """The thing a client's id is of.

    Raises:
        BadInput: it is not an id of ours, to the letter.
    """
    try:
        kind, _, uuid = base64.b64decode(_padded(text), altchars=b"-_", validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise _malformed(text) from None
    if not kind or not _is_uuid(uuid) or to_global(kind, uuid) != text:
        raise _malformed(text)
    return GlobalId(kind, uuid)


def uuid_of(text: str, kind: str) -> str:
    """The UUID in a global id of this type, or the raw UUID itself.

    Raises:
        BadInput: it is neither, or the id of something else.
    """
    if _is_uuid(text.lower()):
        return text.lower()
    found = from_global(text)
    if found.type != kind:
        msg = f"This is the id of a {found.type}; the id of a {kind} is wanted."
        raise BadInput(msg)
    return found.uuid


def course_of(text: str) -> str:
    """The course in a global id, or the course's own id itself: the course service decides what those look like."""
    try:
        kind, _, course = base64.b64decode(_padded(text), altchars=b"-_", validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return text
    return course if kind == "Course" and to_global(kind, course) == text else text


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _padded(text: str) -> bytes:
    return text[:LONGEST].encode() + b"=" * (-len(text[:LONGEST]) % 4)


def _malformed(text: str) -> BadInput:
    return BadInput(f"{text[:LONGEST]!r} is not an id; use the `id` of an earlier answer, or a UUID.")
