"""One learner whose recommendations are asked for, made by hand: what is known of them, piece by piece."""

from dataclasses import dataclass, field

from analytics.course import ContentEffects
from analytics.decisions import Decisions
from analytics.declare import DataQuality, DataQualityLevel, Withheld
from analytics.effects import Effect, Verdict
from analytics.learner.gaps import SkillGap, SkillNeed, by_priority
from analytics.prediction.recommendations import recommendations
from analytics.prediction.recommendations_values import Recommendation, Recommendations
from analytics.shelf import AssessedSkills, CourseShelf, ShelfExercise, ShelfItem
from datasources.assessment import Assessments, Scores
from datasources.content import Interactions
from datasources.course import Progress
from datasources.devlab import PracticeSessions
from datasources.learner_ai import Suggestions
from datasources.skills import RequiredSkill
from tests.analytics.made import COURSE, handed_in, log, on, takes, taking, tasks

TODAY = 60
QUALITY = DataQuality(50, 30, DataQualityLevel.OK)


def item(
    name: str, share: float, *, kind: str = "page", title: str | None = None, lasts: int | None = None
) -> ShelfItem:
    return ShelfItem(name, title, kind, lasts, None, 20, share)


def shelf(
    *items: ShelfItem, exercises: tuple[ShelfExercise, ...] = (), assessed: tuple[AssessedSkills, ...] = ()
) -> CourseShelf:
    return CourseShelf(COURSE, 50, items, exercises, assessed, QUALITY)


def effect(name: str, points: float) -> Effect:
    return Effect(name, "page", points, points, 1.0, points - 2, points + 2, 40, 40, 80, Verdict.UNCLEAR)


def effects(**points: float) -> ContentEffects:
    return ContentEffects(COURSE, "B", 80, 40, tuple(effect(name, each) for name, each in points.items()), QUALITY)


def gaps(**required: float) -> SkillGap:
    """No level known, all of the same importance, no demand: the priority is half the required level."""
    needs = [RequiredSkill(name, name.title(), level) for name, level in required.items()]
    missing = tuple(by_priority(needs, {}, {}))
    wanted = tuple(SkillNeed(need.skill_id, need.name, need.required_level, 1.0) for need in needs)
    return SkillGap(0.4, len(missing), 0, missing, (), (), wanted, QUALITY)


@dataclass
class Lena:
    """What is known of one learner on day 60 of a course of 200 days."""

    progress: Progress = field(default_factory=lambda: takes(taking()))
    assessments: Assessments = field(default_factory=tasks)
    scores: Scores = field(default_factory=handed_in)
    interactions: Interactions | None = field(default_factory=log)
    practice: PracticeSessions | None = field(default_factory=lambda: PracticeSessions(()))
    shelves: tuple[CourseShelf, ...] | None = ()
    effects: tuple[ContentEffects, ...] | None = ()
    gap: SkillGap | None = None
    suggestions: Suggestions | None = None
    decisions: Decisions | None = None

    def hears(self, day: float = TODAY) -> Recommendations:
        value = self.asks(day)
        assert isinstance(value, Recommendations)
        return value

    def asks(self, day: float = TODAY) -> Recommendations | Withheld:
        return recommendations(
            self.progress,
            self.assessments,
            self.scores,
            self.interactions,
            self.practice,
            self.shelves,
            self.effects,
            self.gap,
            self.suggestions,
            self.decisions,
            at=on(day),
        )


def every(value: Recommendations) -> list[Recommendation]:
    return [*value.recommendations, *value.further]


def named(value: Recommendations) -> list[str]:
    return [one.item_id for one in every(value)]
