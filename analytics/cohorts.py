"""The day's snapshot of a group: who is in it, and each member's headline number.

Percentiles are read off a snapshot that is the same for everyone who asks on that day, so that two
questions asked a minute apart cannot be subtracted from each other to single out one person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from analytics.declare import Withheld, WithheldReason

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERYWHERE = "*"
"""The snapshot of the whole organization, where a course's id would stand."""


@dataclass(frozen=True, slots=True)
class Member:
    """One learner of a snapshot; the score is None where nothing can be said."""

    id: str
    region: str | None
    age_band: str | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One metric's headline numbers over a group, as they stood on one day: none more than a day old."""

    taken_on: date
    members: tuple[Member, ...]

    def text(self) -> str:
        """The snapshot as it is kept: JSON text."""
        members = [[m.id, m.region, m.age_band, m.score] for m in self.members]
        return orjson.dumps({"takenOn": self.taken_on.isoformat(), "members": members}).decode()

    @classmethod
    def of(cls, wire: Mapping[str, Any] | None) -> Snapshot:
        """The snapshot that was kept; nobody, on no day, where there is none."""
        if wire is None:
            return cls(date.min, ())
        return cls(date.fromisoformat(wire["takenOn"]), tuple(Member(*row) for row in wire["members"]))


def until_midnight(now: datetime) -> datetime:
    """When a snapshot taken now gives way to the next day's: the coming midnight, UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


def too_few(k: int) -> Withheld:
    """Why there is nobody to compare with."""
    return Withheld(
        WithheldReason.TOO_FEW_PEERS, f"Fewer than {k} peers have this number, so it is not compared.", needed=k
    )
