"""Made-up metrics, and a request context over the fixed cast: what the graph needs to be asked something."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum
from typing import Annotated, Any

from annotated_types import Ge, Le

from analytics.catalog import definition
from analytics.declare import DataQuality, Family, Metric, Role, Scope, metric
from analytics.policy import NotFound, Subject, Viewer, may_see
from analytics.rosters import Choice
from datasources.breaker import State
from datasources.course import EnrollmentStatus, Result
from datasources.declare import Count, Score, Share, Text, Unit
from datasources.postgres.lists import Course, Headcounts, Taken
from datasources.postgres.pages import Page, Window
from datasources.postgres.people import Organization, Person
from datasources.report import Cause, ErrorCount, ServiceReport
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS

EVERYBODY = {Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN}


class Mood(StrEnum):
    """How it goes."""

    VERY_GOOD = "very-good"
    """It goes very well."""
    BAD = "bad"
    """It goes badly."""


class Span(Enum):
    """How far back to look."""

    WEEK = 7
    """Seven days."""
    MONTH = 28
    """Four weeks."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way."""

    title: Text
    """What the step is called."""
    weight: Annotated[float, Ge(0), Le(10), Unit("weight", digits=2)]
    """How much it counts."""
    done_on: date | None
    """The day it was done."""
    moods: tuple[Mood, ...]
    """How it went, day by day."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far somebody is."""

    progress: Share
    """The part that is done."""
    overall_score: Score | None
    """How well it was done."""
    steps_done: Count
    """The steps that are done."""
    mood: Mood
    """How it goes."""
    best_step: Step | None
    """The step that went best."""
    steps: tuple[Step, ...]
    """All steps, in order."""
    grid: tuple[tuple[Share, ...], ...]
    """Shares by week and day."""
    gaps: tuple[Count | None, ...]
    """Days between steps; null where one is missing."""
    last_seen: datetime | None
    """When they were here last."""
    late: bool
    """Whether something is overdue."""
    quality: DataQuality
    """How much it stands on."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands among peers."""

    percentile: Score | None
    """The share of peers below, in points."""
    quality: DataQuality
    """How much it stands on."""


@dataclass(frozen=True, slots=True)
class Health:
    """How an organization is."""

    score: Score
    """The sum of it."""
    quality: DataQuality
    """How much it stands on."""


QUALITY = DataQuality(12, 30, "OK")  # type: ignore[arg-type]  # the formulas below are never run for it


@metric(Scope.LEARNER, key="made-up-progress", roles=EVERYBODY, formula="done / all")
def progress(*, at: datetime, span: Span = Span.MONTH, at_least: int = 3) -> Progress:
    """How far a learner is."""


@metric(Scope.LEARNER, key="made-up-standing", roles=EVERYBODY, family=Family.COMPARISON, formula="rank")
def standing(*, at: datetime) -> Standing:
    """Where a learner stands."""


@metric(Scope.ORGANIZATION, key="made-up-health", roles={Role.ORG_ADMIN}, formula="mean")
def health(*, at: datetime) -> Health:
    """How an organization is."""


METRICS: dict[str, Metric] = {
    f.__metric__.key: f.__metric__
    for f in (progress, standing, health)  # type: ignore[attr-defined]  # the record rides on the function
}

STEP = {"title": "Essay", "weight": 2.5, "doneOn": "2026-03-02", "moods": ["VERY_GOOD", "BAD"]}
PROGRESS: dict[str, Any] = {
    "progress": 0.25,
    "overallScore": 81.5,
    "stepsDone": 3,
    "mood": "VERY_GOOD",
    "bestStep": STEP,
    "steps": [STEP, {**STEP, "title": "Quiz", "doneOn": None, "moods": []}],
    "grid": [[0.1, 0.2], [], [1.0]],
    "gaps": [1, None, 3],
    "lastSeen": "2026-03-02T09:30:00Z",
    "late": False,
}
VALUES: dict[str, dict[str, Any]] = {
    "made-up-progress": PROGRESS,
    "made-up-standing": {"percentile": None},
    "made-up-health": {"score": 66.0},
}
WITHHELD = {"reason": "TOO_FEW_PEERS", "message": "Six more are needed.", "retryAfter": None, "needed": 10}


def answer(metric: Metric, *, withheld: dict[str, Any] | None = None) -> dict[str, Any]:
    """An answer in wire shape."""
    return {
        "value": None if withheld else VALUES[metric.key],
        "freshness": {
            "state": "FRESH",
            "origin": "LIVE",
            "tier": "MEMORY",
            "asOf": "2026-03-02T00:00:00Z",
            "calculatedAt": "2026-03-02T00:00:01Z",
            "expiresAt": None,
            "sources": [
                {"service": "course", "origin": "LIVE", "seenAt": "2026-03-02T00:00:00Z"},
                {"service": "content", "origin": None, "seenAt": None},
            ],
            "refreshJob": None,
        },
        "quality": {"observations": 12, "coverageDays": 30, "level": "OK"},
        "withheld": withheld,
        "definition": definition(metric),
    }


def someone(ident: str, name: str, role: str, *trainers: str) -> Person:
    """One of the cast, as the directory has them."""
    return Person(ACME, ident, name, None, (role,), "Sales", None, None, (), frozenset(trainers))


CAST = {
    one.id: one
    for one in (
        someone(LENA, "Lena", "learner", TOMAS),
        someone(LARS, "Lars", "learner"),
        someone(TOMAS, "Tomas", "trainer"),
        someone(TARA, "Tara", "trainer"),
        someone(OLGA, "Olga", "org-admin"),
    )
}
FIRM = Organization(ACME, "Acme", "acme.example", None, ("Here",), ("Research", "Sales"))
START = datetime.fromisoformat("2026-03-02T00:00:00+00:00")
COURSES = tuple(Course(key, key.title(), START, START + timedelta(days=90), None) for key in ("algebra", "botany"))
"""Two courses that begin at the same moment."""


@dataclass
class Found:
    """Finds the cast, as the policy lets this viewer see them."""

    viewer: Viewer
    crowd: Sequence[Person] = tuple(CAST.values())
    chosen: list[tuple[Choice, bool]] = field(default_factory=list)

    async def learner(self, id: str | None) -> Person:  # noqa: A002 - as in the protocol
        return self._one(id or self.viewer.user, "learner", Scope.LEARNER)

    async def trainer(self, id: str | None) -> Person:  # noqa: A002 - as in the protocol
        return self._one(id or self.viewer.user, "trainer", Scope.TRAINER)

    async def organization(self, id: str | None) -> Organization:  # noqa: A002 - as in the protocol
        if (id or self.viewer.organization) != ACME or self.viewer.organization != ACME:
            msg = "No such organization."
            raise NotFound(msg)
        return FIRM

    async def learners(self, of: Subject, choice: Choice, window: Window, *, counted: bool) -> Page:
        self.chosen.append((choice, counted))
        taught = [one for one in self.crowd if of.scope is Scope.ORGANIZATION or of.id in one.trainers]
        return self._page(taught, "learner", window, counted=counted)

    async def trainers(self, window: Window, *, counted: bool) -> Page:
        return self._page(self.crowd, "trainer", window, counted=counted)

    async def courses(self, of: Subject) -> Sequence[Course]:
        return COURSES if of.scope is Scope.ORGANIZATION else COURSES[:1]

    async def courses_taken(self, learner: Subject) -> Sequence[Taken]:
        left = Taken(COURSES[1], START, START + timedelta(days=2), EnrollmentStatus.WITHDRAWN, Result.FAILED)
        return [Taken(COURSES[0], START, None, EnrollmentStatus.ACTIVE, None), left] if learner.id == LENA else []

    async def headcounts(self) -> Headcounts | None:
        return Headcounts({"Sales": 2}, {}) if self.viewer.role is Role.ORG_ADMIN else None

    def _one(self, id: str, role: str, scope: Scope) -> Person:  # noqa: A002 - as in the protocol
        one = CAST.get(id)
        if one and role in one.roles and may_see(self.viewer, Subject(scope, one.organization, one.id, one.trainers)):
            return one
        msg = f"No such {scope.value}."
        raise NotFound(msg)

    @staticmethod
    def _page(rows: Sequence[Person], role: str, window: Window, *, counted: bool) -> Page:
        every = sorted(
            (((None, one.name, one.id), one) for one in rows if role in one.roles), key=lambda row: row[0][1:]
        )
        after, before = window.after, window.before
        kept = [
            row
            for row in every
            if (after is None or row[0][1:] > after[1:]) and (before is None or row[0][1:] < before[1:])
        ]
        part = kept[: window.first] if window.last is None else kept[-window.last :]
        return Page(
            tuple(part),
            len(every) if counted else None,
            has_next=bool(part) and part[-1] is not every[-1],
            has_previous=bool(part) and part[0] is not every[0],
            unknown=None,
        )


Ask = Callable[[Metric, Subject, Mapping[str, Any]], Awaitable[Mapping[str, Any]] | Mapping[str, Any]]


@dataclass
class Answering:
    """Answers everything the same way, and remembers what was asked."""

    how: Ask = lambda metric, _subject, _arguments: answer(metric)
    asked: list[tuple[str, Subject, Mapping[str, Any]]] = field(default_factory=list)

    def ask(
        self, metric: Metric, subject: Subject, arguments: Mapping[str, Any]
    ) -> Awaitable[Mapping[str, Any]] | Mapping[str, Any]:
        self.asked.append((metric.key, subject, arguments))
        return self.how(metric, subject, arguments)


REPORT = ServiceReport(
    name="course",
    configured=True,
    state=State.HALF_OPEN,
    failures_in_a_row=5,
    openings=1,
    probes_at=datetime.fromisoformat("2026-03-02T09:30:00+00:00"),
    calls=7,
    errors=(ErrorCount(Cause.TIMEOUT, 5),),
    last_known=2,
    mocks=1,
    last_known_failures=0,
    latency_p50=12.34,
    latency_p95=None,
    last_error=Cause.TIMEOUT,
    last_error_at=datetime.fromisoformat("2026-03-02T09:29:00+00:00") - timedelta(0),
)


@dataclass
class Asking:
    """A request of one viewer."""

    viewer: Viewer
    answers: Answering = field(default_factory=Answering)
    crowd: Sequence[Person] = tuple(CAST.values())
    chosen: list[tuple[Choice, bool]] = field(default_factory=list)

    @property
    def subjects(self) -> Found:
        return Found(self.viewer, self.crowd, self.chosen)

    def services(self) -> Sequence[ServiceReport]:
        return [REPORT]


def as_(user: str, role: Role, organization: str = ACME) -> Viewer:
    """Somebody of the cast, in one role."""
    name = CAST[user].name if user in CAST else None
    return Viewer(user, organization, frozenset({role}), role, name)


def lena(how: Ask | None = None) -> Asking:
    return Asking(as_(LENA, Role.LEARNER), Answering(how) if how else Answering())


def tomas() -> Asking:
    return Asking(as_(TOMAS, Role.TRAINER))


def olga(how: Ask | None = None) -> Asking:
    return Asking(as_(OLGA, Role.ORG_ADMIN), Answering(how) if how else Answering())


def stranger() -> Asking:
    return Asking(as_(SAM, Role.ORG_ADMIN, OTHER))
