"""Who may hear what: a pure table. Row-level security says the same again underneath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.declare import Metric, Role, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking, and in which of their roles; an `operator` of the platform sees no more for that."""

    user: str
    organization: str
    roles: frozenset[Role]
    role: Role
    name: str | None = None
    operator: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """What an answer is about. `trainers` are those who teach a learner, or run a course, now."""

    scope: Scope
    organization: str
    id: str
    trainers: frozenset[str] = frozenset()


def may_see(viewer: Viewer, subject: Subject) -> bool:
    """Whether this viewer, in the active role, may know that this subject exists.

    A learner: themselves. A trainer: themselves, their courses, and the learners in them. An
    organization admin: everyone and everything in their organization. Everybody in an organization may
    know the organization, and what the market asks of it. Nobody: anything of another organization.
    """
    if subject.organization != viewer.organization:
        return False
    if subject.scope in {Scope.ORGANIZATION, Scope.MARKET} or viewer.role is Role.ORG_ADMIN:
        return True
    if viewer.role is Role.TRAINER and viewer.user in subject.trainers:
        return True
    own = {Role.LEARNER: Scope.LEARNER, Role.TRAINER: Scope.TRAINER}[viewer.role]
    return subject.scope is own and subject.id == viewer.user


def may_hear(viewer: Viewer, metric: Metric, subject: Subject) -> bool:
    """Whether this viewer may hear this metric of this subject."""
    return may_hear_all(viewer, (metric,), subject)


def may_hear_all(viewer: Viewer, metrics: Iterable[Metric], subject: Subject) -> bool:
    """Whether this viewer may hear every one of these metrics of this subject."""
    return may_see(viewer, subject) and all(viewer.role in metric.roles for metric in metrics)


def may_refresh(viewer: Viewer, subject: Subject) -> bool:
    """Whether this viewer may have what is said of a subject worked out again: themselves and who is theirs.

    An organization, and the market beside it, is its admin's, though everybody in it may know it.
    """
    common = subject.scope in {Scope.ORGANIZATION, Scope.MARKET}
    return may_see(viewer, subject) and (not common or viewer.role is Role.ORG_ADMIN)


class NotFound(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """The subject is not there, or the viewer may not know that it is: a stranger cannot tell which."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """The viewer knows the subject is there, and may not do this with it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TooMany(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """The viewer did this too often lately; `retry_after` says when it may be done again."""

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class Unavailable(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """What was asked for cannot be looked up just now; asking again soon may help."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
