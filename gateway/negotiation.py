"""Which of the two GraphQL media types a response takes, and which bodies are read at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.refusal import refuse

if TYPE_CHECKING:
    from starlette.datastructures import Headers

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
OFFERED = (JSON, GRAPHQL)
EVENT_STREAM = "text/event-stream"
MULTIPART = "multipart/mixed"


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One member of an Accept header: type/subtype, its parameters without q, and q from 0 to 1."""

    name: str
    parameters: dict[str, str]
    quality: float

    def covers(self, media: str) -> bool:
        """Whether a response of this type, in UTF-8, is one of those meant."""
        if self.parameters.get("charset", "utf-8") not in {"utf-8", "utf8"}:
            return False
        return self.name in {media, "*/*", media.partition("/")[0] + "/*"}

    @property
    def precision(self) -> int:
        """How exactly the range names a type: the exact one decides over wildcards."""
        return 2 - self.name.count("*")


def parsed(header: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters, in lower case."""
    name, *rest = header.split(";")
    pairs = (part.partition("=") for part in rest)
    return name.strip().lower(), {
        key.strip().lower(): value.strip().strip('"').lower() for key, _, value in pairs if key.strip()
    }


def ranges(accept: str) -> list[MediaRange]:
    """The members of an Accept header; one whose q is no number counts as q=0."""
    found = []
    for part in accept.split(","):
        name, parameters = parsed(part)
        if not name:
            continue
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 0.0
        found.append(MediaRange(name, parameters, quality if 0 <= quality <= 1 else 0.0))
    return found


def takes_streams(accept: str | None) -> str | None:
    """The stream a client takes, the one it names first of `text/event-stream` and `multipart/mixed`; None: neither.

    Wildcards do not count: who takes anything does not expect a response that never ends.
    """
    for member in ranges(accept or ""):
        subscribes = member.name == MULTIPART and member.parameters.get("subscriptionspec") is not None
        if member.quality > 0 and (member.name == EVENT_STREAM or subscribes):
            return member.name
    return None


def takes_answers(accept: str | None) -> bool:
    """Whether a client takes an ordinary response at all."""
    return any(member.quality > 0 and member.covers(media) for member in ranges(accept or "*/*") for media in OFFERED)


def response_type(accept: str | None) -> str:
    """The media type to answer with: the highest q, then what was named most exactly, then first, then plain JSON.

    Raises:
        Refused: 406, the client takes none of what there is.
    """
    members = ranges(accept or "*/*")
    if not members:
        return JSON
    choices = []
    for preference, media in enumerate(OFFERED):
        covering = [(-member.precision, place) for place, member in enumerate(members) if member.covers(media)]
        if covering:
            vagueness, place = min(covering)
            choices.append((-members[place].quality, vagueness, place, preference, media))
    best = min(choices, default=None)
    if best is None or best[0] == 0:
        message = f"Answers come as {JSON} or {GRAPHQL}: name one of them in Accept."
        raise refuse(406, "NOT_ACCEPTABLE", message)
    return best[-1]


def require_json(content_type: str | None, content_encoding: str | None) -> None:
    """Refuse a body that is not plain JSON in UTF-8.

    A form or text body could be sent by any web page without asking first, so it is never read as JSON.

    Raises:
        Refused: 415, with what would be taken.
    """
    name, parameters = parsed(content_type or "")
    if name != JSON:
        message = f"A POST needs Content-Type: {JSON}."
        raise refuse(415, "UNSUPPORTED_MEDIA_TYPE", message, Accept_Post=JSON)
    if parameters.get("charset", "utf-8") not in {"utf-8", "utf8"}:
        raise refuse(415, "UNSUPPORTED_CHARSET", "The body must be in UTF-8.", Accept_Post=JSON)
    if (content_encoding or "identity").strip().lower() != "identity":
        message = "Compressed bodies are not read: send it without Content-Encoding."
        raise refuse(415, "UNSUPPORTED_ENCODING", message, Accept_Encoding="identity")


PREFLIGHTED = ("authorization", "x-active-role", "graphql-require-preflight", "apollo-require-preflight")
"""Headers that no page of another site may send before its browser has asked us."""


def require_preflight(headers: Headers) -> None:
    """Refuse to execute a GET that any web page could have a browser send, with a link or a picture.

    Raises:
        Refused: 403, with what would be taken.
    """
    if any(name in headers for name in PREFLIGHTED) or parsed(headers.get("content-type", ""))[0] == JSON:
        return
    message = (
        "A GET is executed if no link or picture could have sent it: send Authorization, "
        f"GraphQL-Require-Preflight: 1, or Content-Type: {JSON}; or use POST."
    )
    raise refuse(403, "PREFLIGHT_REQUIRED", message)
