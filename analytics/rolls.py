"""Who is or was where, as formulas read it: the roll of a course, the members of an organization.

Both come from the roster, which is a copy of what the directory and course services say, and hold
nobody of another organization.
"""

from dataclasses import dataclass

from datasources.course import EnrollmentStatus, Result
from datasources.declare import Id, Instant, Text


@dataclass(frozen=True, slots=True)
class Place:
    """One learner's place in a course, past or present; `result` is None while it is not known."""

    learner: Id
    enrolled_at: Instant
    status: EnrollmentStatus
    left_at: Instant | None = None
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Roll:
    """Everyone of one organization who is or was enrolled in a course, each once."""

    course: Id
    title: Text
    starts_at: Instant
    ends_at: Instant
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One learner of an organization, and where they belong in it."""

    learner: Id
    department: Text | None = None
    region: Text | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """The active learners of an organization, and the rolls of its courses; who left a course is on its roll."""

    members: tuple[Member, ...]
    rolls: tuple[Roll, ...]
