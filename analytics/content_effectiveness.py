"""What a learner's own use of the content goes with: own use, beside the effect each item has in the course."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from analytics.arithmetic import day_of, quality, weighted_mean
from analytics.course import ContentEffects
from analytics.declare import DataQuality, Points, Role, Scope, Withheld, WithheldReason, metric
from analytics.effects import FEWEST, Effect, Verdict
from analytics.item_days import item_days
from analytics.shelf import CourseShelf, ShelfItem
from datasources.content import Interactions
from datasources.declare import Count, Id, Share, Text

SUGGESTIONS = 3
METHOD = "association, not cause"


@dataclass(frozen=True, slots=True)
class EffectInterval:
    """Where the effect lies, with 95 % confidence."""

    low: Points
    """The lower end."""
    high: Points
    """The upper end."""


@dataclass(frozen=True, slots=True)
class ItemEffectiveness:
    """One item: how those who opened it fared beside others like them, and the learner's own use of it."""

    content_id: Id
    """The item."""
    course_id: Id
    """Its course."""
    title: Text | None
    """Its title; null when the content service does not say it."""
    type: Text
    """The platform's word for what it is."""
    effect: Points
    """How many points better those who opened it scored than others like them, pulled towards 0 where it is noisy."""
    ci95: EffectInterval
    """How sure that is."""
    n: Count
    """How many learners the effect stands on: those who have like learners on the other side."""
    verdict: Verdict
    """What can be said."""
    used: Count
    """On how many days the learner opened it."""


@dataclass(frozen=True, slots=True)
class TypeEffectiveness:
    """All items of one type together."""

    type: Text
    """The platform's word for it."""
    items: Count
    """How many such items there is an effect of."""
    effect: Points
    """The mean of their effects, the better known counting more."""
    completion_rate: Share
    """The share of these items that the learner has opened."""
    engagement: Share
    """The share of the learner's use that went to them."""


@dataclass(frozen=True, slots=True)
class CreationEffectiveness:
    """All items that were made in one way together."""

    creation: Text
    """The platform's word for how they were made."""
    items: Count
    """How many such items there is an effect of."""
    effect: Points
    """The mean of their effects, the better known counting more."""
    completion_rate: Share
    """The share of these items that the learner has opened."""
    engagement: Share
    """The share of the learner's use that went to them."""


@dataclass(frozen=True, slots=True)
class ContentSuggestion:
    """An item that helped others like the learner, and that the learner has not opened."""

    content_id: Id
    """The item."""
    course_id: Id
    """Its course."""
    title: Text | None
    """Its title; null when the content service does not say it."""
    type: Text
    """The platform's word for what it is."""
    reason: Text
    """Why it is suggested."""


@dataclass(frozen=True, slots=True)
class ContentEffectiveness:
    """What the learner's use of content goes with; an association, not a cause."""

    content_effectiveness: Points | None
    """The mean effect of the items used, each counting as often as it was used; null when none was used."""
    items: tuple[ItemEffectiveness, ...]
    """Every item with enough openers and others, the most helpful first."""
    by_type: tuple[TypeEffectiveness, ...]
    """The same by type, the most helpful first."""
    by_creation: tuple[CreationEffectiveness, ...]
    """The same by the way they were made, the most helpful first; only items of which the content service says it."""
    recommendations: tuple[ContentSuggestion, ...]
    """Up to three helpful items that the learner has not opened."""
    method: Text
    """What kind of statement this is."""
    quality: DataQuality
    """One observation for each day on which the learner opened one of the items."""


@metric(
    Scope.LEARNER,
    key="learner-content-effectiveness",
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    version=2,
    formula="own use x effect; effect = difference of means within like learners x tau^2/(tau^2 + se^2)",
    evidence="Openers pass 12 to 19 points more often; compared with like learners it is -0.7 to 4.6 (OULAD).",
)
def content_effectiveness(
    interactions: Interactions,
    effects: tuple[ContentEffects, ...],
    shelves: tuple[CourseShelf, ...] | None,
    *,
    at: datetime,
) -> ContentEffectiveness | Withheld:
    """Which content goes with better scores in the learner's courses, and how much of it the learner uses.

    Learners are compared only with others of the same organization and course who were about as active and
    scored about as well before. It is an association: opening an item is not shown to cause the score.
    """
    courses = sorted({course.course: course for course in effects}.values(), key=lambda course: course.course)
    if not any(course.items for course in courses):
        return _withheld(courses)
    used = {
        course.course: item_days(interactions, course.course, until=day_of(at)) for course in courses if course.items
    }
    counts = {course: Counter(item for item, _ in pairs) for course, pairs in used.items()}
    rated = sorted(
        ((course.course, effect) for course in courses for effect in course.items),
        key=lambda pair: (-pair[1].effect, pair[0], pair[1].content_id),
    )
    about = {(shelf.course, item.id): item for shelf in shelves or () for item in shelf.items}
    items = tuple(
        _item(course, effect, counts[course][effect.content_id], about.get((course, effect.content_id)))
        for course, effect in rated
    )
    known = {(course, effect.content_id) for course, effect in rated}
    days = [day for course, pairs in used.items() for item, day in sorted(pairs) if (course, item) in known]
    return ContentEffectiveness(
        content_effectiveness=weighted_mean((item.effect, item.used) for item in items if item.used),
        items=items,
        by_type=tuple(TypeEffectiveness(*group) for group in _groups((item.type, item) for item in items)),
        by_creation=tuple(CreationEffectiveness(*group) for group in _groups(_made(items, about))),
        recommendations=tuple(_suggestion(item) for item in items if _worth_opening(item))[:SUGGESTIONS],
        method=METHOD,
        quality=quality(days, enough=10, span=14),
    )


def _withheld(courses: Sequence[ContentEffects]) -> Withheld:
    if not courses:
        message = "There is no running course whose content could be compared."
    else:
        most = max(course.closest for course in courses)
        nearest = f"the nearest has {most if most >= FEWEST // 3 else 'fewer than 10'}"
        if most >= FEWEST:
            nearest = "some have that many, but too few of them who are alike"
        message = (
            f"No item can be compared yet: it takes {FEWEST} learners with a score who opened it before and {FEWEST} "
            f"who did not, {FEWEST} of them with learners like them on the other side; {nearest}."
        )
    return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=FEWEST)


def _item(course: str, effect: Effect, used: int, about: ShelfItem | None) -> ItemEffectiveness:
    return ItemEffectiveness(
        content_id=effect.content_id,
        course_id=course,
        title=about.title if about else None,
        type=effect.type,
        effect=effect.effect,
        ci95=EffectInterval(effect.low, effect.high),
        n=effect.compared,
        verdict=effect.verdict,
        used=used,
    )


def _worth_opening(item: ItemEffectiveness) -> bool:
    return item.verdict is Verdict.HELPFUL and item.used == 0


def _suggestion(item: ItemEffectiveness) -> ContentSuggestion:
    reason = f"Learners like you who opened it scored {item.effect:.1f} points more (association, not cause)."
    return ContentSuggestion(item.content_id, item.course_id, item.title, item.type, reason)


def _made(
    items: Iterable[ItemEffectiveness], about: Mapping[tuple[str, str], ShelfItem]
) -> Iterator[tuple[str, ItemEffectiveness]]:
    """The items of which it is known how they were made, with the word for it."""
    for item in items:
        known = about.get((item.course_id, item.content_id))
        if known and known.creation:
            yield known.creation, item


class _Group(NamedTuple):
    """Items that share a word, summed up."""

    word: str
    items: int
    effect: float
    completion_rate: float
    engagement: float


def _groups(items: Iterable[tuple[str, ItemEffectiveness]]) -> list[_Group]:
    """The items by their word, the most helpful word first."""
    groups: dict[str, list[ItemEffectiveness]] = {}
    for word, item in items:
        groups.setdefault(word, []).append(item)
    uses = sum(item.used for group in groups.values() for item in group)
    found = [
        _Group(
            word=word,
            items=len(group),
            # The learners compared stand for precision: an error of 0 would make its inverse infinite.
            effect=weighted_mean((item.effect, item.n) for item in group) or 0.0,
            completion_rate=sum(item.used > 0 for item in group) / len(group),
            engagement=sum(item.used for item in group) / uses if uses else 0.0,
        )
        for word, group in groups.items()
    ]
    return sorted(found, key=lambda group: (-group.effect, group.word))
