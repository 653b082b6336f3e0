"""A campus: everything the nine services know, as plain data, generated or imported.

Days are whole days since a course's start, day 0 the first; negative is before it. Nothing here is
hidden yet: records after `as_of` are in the campus and the services leave them out of what they say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Skill:
    """One competence, and what the market and the role say of it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Kpi:
    """One key figure of an organization."""

    id: str
    name: str
    value: float | None
    target: float
    baseline: float
    weight: float
    unit: str


@dataclass(frozen=True, slots=True)
class Goal:
    """One strategic goal: its weight, and (skill id, target level, importance) for each skill."""

    id: str
    name: str
    weight: float
    skills: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Organization:
    """One tenant."""

    id: str
    name: str
    domain: str
    industry: str
    branches: tuple[str, ...]
    departments: tuple[str, ...]
    kpis: tuple[Kpi, ...] = ()
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """One account. `roles` are `learner`, `trainer`, `org-admin`; `required` is (skill id, level, importance)."""

    id: str
    name: str
    email: str
    organization: str
    roles: tuple[str, ...]
    department: str | None = None
    region: str | None = None
    age_band: str | None = None
    education: str | None = None
    time_zone: str | None = None
    required: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One content item; `kind` is `content`, `forum`, `quiz` or `other`, `type` the platform's own word."""

    id: str
    title: str
    type: str
    kind: str


@dataclass(frozen=True, slots=True)
class Task:
    """One assessment. `counts` is false for formative work; `skills` are skill ids."""

    id: str
    title: str
    type: str
    weight: float
    counts: bool
    due_day: int | None
    skills: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CourseRun:
    """One run of a course."""

    id: str
    title: str
    start: datetime
    length_days: int
    trainers: tuple[str, ...]
    tasks: tuple[Task, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Submission:
    """One piece of work handed in; the score is 0 to 100, None while unmarked."""

    task: str
    day: int
    score: float | None
    banked: bool = False


@dataclass(frozen=True, slots=True)
class Registration:
    """One learner in one course. `clicks` are (item position in the course, day, actions), in day order.

    `result` is `distinction`, `passed` or `failed`, None for who left; the services tell it once the course is over.
    """

    person: str
    course: str
    enrolled_day: int
    left_day: int | None
    credits: float
    previous_attempts: int
    submissions: tuple[Submission, ...]
    clicks: tuple[tuple[int, int, int], ...]
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Practice:
    """One sitting at one exercise; the score is a share, None when it was left unfinished."""

    person: str
    exercise: str
    skills: tuple[str, ...]
    started: datetime
    completed: datetime | None
    score: float | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting on the platform."""

    person: str
    began: datetime
    seconds: int


@dataclass(frozen=True, slots=True)
class LearningPath:
    """Courses in the order in which some people (ids) are to take them."""

    id: str
    title: str
    courses: tuple[str, ...]
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemandCount:
    """How often the market asks for a skill."""

    skill: str
    name: str
    count: int
    in_demand: int
    hot: bool
    period: str


@dataclass(frozen=True, slots=True)
class Campus:
    """Everything. `cast` names the demo accounts: learner, trainer, org-admin, stranger -> person id.

    `unavailable` names services that this campus has no data for and that therefore answer 503. A campus without
    `sessions` does not know when its people were on the platform, which is not the same as never.
    """

    source: str
    as_of: datetime
    organizations: tuple[Organization, ...]
    people: tuple[Person, ...]
    courses: tuple[CourseRun, ...]
    registrations: tuple[Registration, ...]
    skills: tuple[Skill, ...]
    demand: tuple[DemandCount, ...]
    cast: dict[str, str]
    practice: tuple[Practice, ...] = ()
    sessions: tuple[Session, ...] = ()
    paths: tuple[LearningPath, ...] = ()
    unavailable: frozenset[str] = field(default_factory=frozenset)

    def instant(self, course: CourseRun, day: int) -> datetime:
        """The start of a course day."""
        return course.start + timedelta(days=day)
