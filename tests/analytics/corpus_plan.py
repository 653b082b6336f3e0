"""Who and what the corpus is made of, before anybody does anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from datasources.course import Course

if TYPE_CHECKING:
    from analytics.decisions import Decisions

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MIDNIGHT = AT.replace(hour=0, minute=0)
ORGANIZATION = "org"
LEARNERS = tuple(f"learner-{number:02d}" for number in range(96))
TRAINERS = ("trainer-a", "trainer-b")
SKILLS = ("analysis", "building", "caring", "drawing")
DEPARTMENTS, REGIONS, AGES = ("Design", "Works"), ("East", "West"), ("0-35", "35-55")
KINDS = ("video", "page", "quiz", "forum")
NOBODY_KNOWS, TAKES_NOTHING = 95, 94
TASKS = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """One course: when it began, how long it lasts, who teaches it, and which learners took it."""

    id: str
    title: str
    began: int
    length: int
    trainer: str
    takers: range

    @property
    def start(self) -> datetime:
        return MIDNIGHT - timedelta(days=self.began)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.length)

    @property
    def days(self) -> int:
        """How many of its days have passed."""
        return min(self.began, self.length)


PLANS = (
    Plan("alpha-1", "Alpha", 700, 200, "trainer-a", range(40)),
    Plan("alpha-2", "Alpha", 330, 200, "trainer-a", range(34, 80)),
    Plan("beta", "Beta", 100, 200, "trainer-a", range(10, 94)),
    Plan("gamma", "Gamma", 40, 120, "trainer-b", range(8)),
)


@dataclass(slots=True)
class Corpus:
    """Every fact by its type and the id it is asked with, and what learners decided."""

    facts: dict[tuple[type[Any], str], Any] = field(default_factory=dict)
    decisions: dict[str, Decisions] = field(default_factory=dict)

    def put(self, key: str, *facts: Any) -> None:
        for fact in facts:
            self.facts[type(fact), key] = fact

    def fact(self, kind: type[Any], key: str) -> Any | None:
        return self.facts.get((kind, key))


def course_of(plan: Plan) -> Course:
    """A course as the course service tells of it."""
    return Course(plan.id, plan.title, plan.start, plan.end, (plan.trainer,))
