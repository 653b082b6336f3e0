"""What a request brings to the graph: who asks, the way to answers, the way to subjects.

The gateway makes the real one, tests make their own; the graph knows only this.
"""

from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol, TypeAlias

import strawberry

from analytics.assisting import AssistantAnswer
from analytics.decisions import DecisionKind
from analytics.declare import Metric, Scope
from analytics.gamification.ranking import LeaderboardWindow
from analytics.history_values import Granularity, GroupComparison, Series
from analytics.leaderboard import Leaderboard
from analytics.policy import Subject, Viewer
from analytics.rosters import Choice
from analytics.sessions import SessionTokens
from datasources.postgres import audit_log
from datasources.postgres.job_lists import Jobs, Place
from datasources.postgres.jobs import Job, Kind, Status
from datasources.postgres.lists import Course, Headcounts, Taken
from datasources.postgres.pages import Page, Window
from datasources.postgres.people import Organization, Person
from datasources.postgres.reports import Report, ReportFormat
from datasources.report import ServiceReport


class Asks(Protocol):
    """The way to answers."""

    def ask(
        self, metric: Metric, subject: Subject, arguments: Mapping[str, Any]
    ) -> Awaitable[Mapping[str, Any]] | Mapping[str, Any]:
        """The answer in wire shape; at once when it is at hand. It never raises."""


class Finds(Protocol):
    """The way to subjects. An id of None means the viewer's own.

    Each raises `NotFound` for what is not there or must not be known, `NotAllowed` for what is known
    and not theirs.
    """

    async def learner(self, id: str | None) -> Person:  # noqa: A002 - the word of the graph
        """The learner with this user id."""

    async def trainer(self, id: str | None) -> Person:  # noqa: A002 - the word of the graph
        """The trainer with this user id."""

    async def organization(self, id: str | None) -> Organization:  # noqa: A002 - the word of the graph
        """The organization with this id."""

    async def learners(self, of: Subject, choice: Choice, window: Window, *, counted: bool) -> Page:
        """Some of the learners of an organization or of a trainer; with the length of the list if it is `counted`."""

    async def trainers(self, window: Window, *, counted: bool) -> Page:
        """Some of the trainers of the viewer's organization, by name."""

    async def courses(self, of: Subject) -> Sequence[Course]:
        """The courses of an organization or of a trainer, by start."""

    async def courses_taken(self, learner: Subject) -> Sequence[Taken]:
        """The courses a learner takes or took, by start."""

    async def headcounts(self) -> Headcounts | None:
        """How many learners belong where, for who may see all of them."""


class Ranks(Protocol):
    """The way to the leaderboard."""

    async def of(self, window: LeaderboardWindow, first: int) -> Leaderboard:
        """The first places, and the viewer's own; it never raises for want of data."""


class Chooses(Protocol):
    """The way to choose. Each raises `NotAllowed` for who is no learner, `Unavailable` where it cannot be written."""

    async def show(self, *, visible: bool) -> None:
        """Have others see, or not see, the viewer on the leaderboard."""

    async def decide(self, recommendation: str, kind: DecisionKind | None) -> None:
        """Say what the viewer made of a recommendation; None takes it back."""


class Assists(Protocol):
    """The way to the assistant."""

    async def ask(self, message: str) -> AssistantAnswer:
        """What it says to a message of the viewer's. Raises `NotAnswered`."""


class Operates(Protocol):
    """The way to operate the platform."""

    async def reset_breaker(self, service: str) -> None:
        """Have a service asked again. Raises `NotAllowed`, `NotFound`, or `Unavailable` where only one process did."""


class Recalls(Protocol):
    """The way to what was said over time. Each raises `NotAllowed` for who is no admin, `Unavailable` for now."""

    async def of(  # noqa: PLR0913 - which number, of whom, from when to when, how finely
        self,
        metric: Metric,
        first: date,
        last: date,
        granularity: Granularity,
        *,
        department: str | None,
        course: str | None,
    ) -> Series:
        """A metric of the organization, a department or a course, over the days from `first` to `last`."""

    async def compared(self, metric: Metric, scope: str) -> Sequence[GroupComparison]:
        """The departments, or courses, beside each other."""


class Works(Protocol):
    """The way to jobs. Each raises `NotFound` for what is not there or must not be known, `Unavailable` for now."""

    async def find(self, job: str) -> Job:
        """The job with this id."""

    async def page(
        self, *, first: int, after: Place | None, kind: Kind | None, status: Status | None, counted: bool
    ) -> Jobs:
        """Some jobs, the newest first, older than the place; with the length of the list if it is `counted`."""

    async def refresh(self, subject: Subject, metrics: Iterable[Metric]) -> Job:
        """Have metrics worked out again. Raises `NotAllowed` or `TooMany`."""

    def heard(self, subject: Subject, metrics: Iterable[Metric]) -> list[Metric]:
        """Those of the metrics that the viewer may hear of this subject."""

    async def cancel(self, job: str) -> Job:
        """Cancel a job. Raises `NotAllowed` for another person's, or one that is over."""


class Exports(Protocol):
    """The way to reports. Each raises `Unavailable` for now."""

    async def export(self, form: ReportFormat) -> Job:
        """Have a report of one's own numbers made."""

    async def find(self, report: str) -> Report:
        """A report of one's own. Raises `NotFound`."""

    async def newest(self) -> Sequence[Report]:
        """One's own reports, the newest first."""


class Reviews(Protocol):
    """The way to the audit. Raises `NotAllowed` for who is no admin, `Unavailable` for now."""

    async def page(
        self, sought: audit_log.Sought, *, first: int, after: audit_log.Place | None, counted: bool
    ) -> audit_log.Log:
        """The newest of these events, older than the place; with how many there are if they are `counted`."""


class Enters(Protocol):
    """The way in and out."""

    async def sign_in(self, email: str, password: str) -> SessionTokens:
        """A new session. Raises `NotSignedIn`."""

    async def renew(self, refresh: str) -> SessionTokens:
        """The next tokens of a session. Raises `NotRenewed`."""

    async def sign_out(self) -> None:
        """End the session of the token that was shown. Raises `Unavailable`."""


class Watches(Protocol):
    """The way to be told. Each raises `NotFound` for what is not there or must not be known, `Unavailable` for now."""

    def job(self, job: str) -> AsyncGenerator[Job]:
        """The job as it stands, then at every change until it is over."""

    def answers(
        self, scope: Scope, subject: str, metrics: Sequence[Metric]
    ) -> AsyncGenerator[tuple[Metric, Mapping[str, Any]]]:
        """These answers about a subject in wire shape, then each newer one."""


class Context(Protocol):
    """What one request brings."""

    @property
    def viewer(self) -> Viewer:
        """Who is asking."""

    @property
    def sessions(self) -> Enters:
        """The way in and out; who has no token has nothing but this."""

    @property
    def answers(self) -> Asks:
        """The way to answers, as this viewer."""

    @property
    def subjects(self) -> Finds:
        """The way to subjects, as this viewer."""

    @property
    def leaderboards(self) -> Ranks:
        """The way to the leaderboard, as this viewer."""

    @property
    def choices(self) -> Chooses:
        """The way to choose, as this viewer."""

    @property
    def assistant(self) -> Assists:
        """The way to the assistant, as this viewer."""

    @property
    def operations(self) -> Operates:
        """The way to operate the platform, as this viewer."""

    @property
    def history(self) -> Recalls:
        """The way to what was said over time, as this viewer."""

    @property
    def jobs(self) -> Works:
        """The way to jobs, as this viewer."""

    @property
    def reports(self) -> Exports:
        """The way to the viewer's own reports."""

    @property
    def audit(self) -> Reviews:
        """The way to the audit, as this viewer."""

    @property
    def watching(self) -> Watches:
        """The way to be told, as this viewer."""

    def refused(self, what: str) -> None:
        """Note for the audit that the viewer asked for a field that is not theirs."""

    def services(self) -> Sequence[ServiceReport]:
        """How each service is doing, as this process sees it."""


Info: TypeAlias = strawberry.Info[Context, None]
