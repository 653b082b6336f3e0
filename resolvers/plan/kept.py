"""What is kept of an answer beside its value, as `analytics.keeping` spells it.

Decoding is strict: what is not spelled so is not understood, and is for the ordinary way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from analytics.declare import DataQualityLevel, WithheldReason
from datasources.declare import Origin

INT: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
"""What GraphQL takes for an Int."""

_Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=2**31 - 1)]
_Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
_Origin: TypeAlias = Literal[tuple(Origin.__members__)]  # type: ignore[valid-type]  # the names an enum has
_Level: TypeAlias = Literal[tuple(DataQualityLevel.__members__)]  # type: ignore[valid-type]  # likewise
_Reason: TypeAlias = Literal[tuple(WithheldReason.__members__)]  # type: ignore[valid-type]  # likewise


class Quality(msgspec.Struct, gc=False, rename="camel"):
    """How much an answer stands on."""

    observations: INT
    coverage_days: INT
    level: _Level


class Source(msgspec.Struct, gc=False, array_like=True, forbid_unknown_fields=True):
    """A service an answer stands on; `origin` is None where it gave nothing."""

    service: str
    origin: _Origin | None
    seen_at: _Moment | None


class About(msgspec.Struct, gc=False):
    """What an answer stands on."""

    quality: Quality
    sources: list[Source]


class Reason(msgspec.Struct, gc=False, array_like=True, forbid_unknown_fields=True):
    """Why there is no value; `retry_after` in seconds."""

    kind: _Reason
    message: str
    needed: INT | None
    retry_after: _Seconds | None


read_about = msgspec.json.Decoder(About).decode
read_reason = msgspec.json.Decoder(Reason).decode
