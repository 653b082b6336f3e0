"""What a course has to offer, as its present learners use it; worked out once a course, read by recommendations.

An item is on the shelf from 10 learners who opened it: what fewer did is about persons.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

from analytics.arithmetic import day_of, quality
from analytics.course import EVERYBODY, PEERS, attends
from analytics.declare import DataQuality, Everyone, Family, Items, Scope, Withheld, WithheldReason, metric
from analytics.item_days import item_days
from analytics.privacy import blurred, head_count
from analytics.words import Seconds
from datasources.assessment import Scores
from datasources.content import Content, Interactions
from datasources.course import Progress
from datasources.declare import Count, Id, Share, Text
from datasources.devlab import PracticeSession, PracticeSessions
from datasources.packed import Chosen

RECENT = timedelta(days=14)
DIGITS = 3

F = TypeVar("F")
T = TypeVar("T", str, tuple[str, str])


@dataclass(frozen=True, slots=True)
class ShelfItem:
    """One content item that 10 or more of the course's learners have opened."""

    id: Id
    """The item."""
    title: Text | None
    """Its title; null when the content service does not say it."""
    type: Text
    """The platform's word for what it is."""
    duration: Seconds | None
    """How long it takes; null when the content service does not say it."""
    creation: Text | None
    """The platform's word for how it was made; null when the content service does not say it."""
    openers: Count
    """How many opened it at all; to the nearest 5 below 50."""
    recent_share: Share
    """The share of the course's learners who opened it in the last 14 days; to the nearest 5 % below 50 learners."""


@dataclass(frozen=True, slots=True)
class ShelfExercise:
    """One exercise that 10 or more of the course's learners have practised."""

    id: Id
    """The exercise."""
    skill_ids: tuple[Id, ...]
    """The skills it practises, by id."""
    recent_share: Share
    """The share of the course's learners who practised it in the last 14 days; to the nearest 5 % below 50."""


@dataclass(frozen=True, slots=True)
class AssessedSkills:
    """What an assessment shows, as the results of 10 or more of the course's learners name it."""

    assessment_id: Id
    """The assessment."""
    skill_ids: tuple[Id, ...]
    """The skills, by id."""


@dataclass(frozen=True, slots=True)
class CourseShelf:
    """What there is to open, to practise and to show in a course."""

    course: Id
    """The course."""
    learners: Count
    """How many take it now; to the nearest 5 below 50."""
    items: tuple[ShelfItem, ...]
    """Content, by id."""
    exercises: tuple[ShelfExercise, ...]
    """Practice, by id; empty without the devlab service."""
    assessed: tuple[AssessedSkills, ...]
    """Assessments that name skills, by id; empty without the assessment service."""
    quality: DataQuality
    """One observation for each learner and item opened."""


@metric(
    Scope.COURSE,
    key="course-shelf",
    family=Family.INTERNAL,
    roles=EVERYBODY,
    k=PEERS,
    formula="items that 10 or more present learners opened; recentShare = openers of the last 14 days / learners",
)
def course_shelf(  # noqa: PLR0913 - one parameter for each fact it stands on
    interactions: Everyone[Interactions],
    progress: Everyone[Progress],
    practice: Everyone[PracticeSessions] | None,
    scores: Everyone[Scores] | None,
    contents: Items[Content] | None,
    *,
    course: str,
    at: datetime,
) -> CourseShelf | Withheld:
    """What the learners of a course open and practise, and how many of them did so in the last 14 days.

    No service says what an item needs first, so nothing here is locked.
    """
    present = {learner for learner, stay in progress.by_learner.items() if attends(stay, course, at)}
    logs = _of(interactions, present)
    if len(logs) < PEERS:
        return Withheld(WithheldReason.TOO_FEW_PEERS, "Fewer than 10 learners take this course now.", needed=PEERS)
    today, people = day_of(at), len(logs)
    used: set[tuple[str, str]] = set()

    def opened_in(log: Interactions) -> Iterable[tuple[str, date]]:
        # While it is at hand: a log is long, and read anew whenever it is asked for.
        used.update(_words(log, course, today))
        return item_days(log, course, until=today)

    opened = _last_days(logs, opened_in)
    practised = _last_days(_of(practice, logs), lambda fact: _sittings(fact, at))
    sat_for = _last_days(_of(practice, logs), lambda fact: _skills_practised(fact, at))
    shown = _last_days(_of(scores, logs), lambda fact: _skills_shown(fact, course, at))
    # Of several words for one the first in the alphabet.
    words = dict(sorted(used, reverse=True))
    about = contents.by_item if contents else {}
    return CourseShelf(
        course=course,
        learners=head_count(people),
        items=tuple(
            _item(item, words[item], about.get(item), days, _recent_share(days, today, people))
            for item, days in opened.items()
        ),
        exercises=tuple(
            ShelfExercise(exercise, skills, _recent_share(practised[exercise], today, people))
            for exercise, skills in _by_first(sat_for).items()
        ),
        assessed=tuple(AssessedSkills(assessment, skills) for assessment, skills in _by_first(shown).items()),
        quality=quality([day for days in opened.values() for day in days], enough=PEERS, span=1),
    )


def _of(facts: Everyone[F] | None, present: Container[str]) -> Mapping[str, F]:
    """The facts about those who are present, read one at a time; none where they are not known."""
    return Chosen((one for one in facts.by_learner if one in present), facts.by_learner) if facts else {}


def _last_days(facts: Mapping[str, F], events: Callable[[F], Iterable[tuple[T, date]]]) -> dict[T, list[date]]:
    """Each thing that 10 or more learners met, in order, with the last day on which each of them did."""
    met: dict[T, list[date]] = {}
    same: dict[date, date] = {}
    for fact in facts.values():
        last: dict[T, date] = {}
        for thing, day in events(fact):
            last[thing] = max(day, last.get(thing, day))
        for thing, day in last.items():
            met.setdefault(thing, []).append(same.setdefault(day, day))
    return {thing: sorted(days) for thing, days in sorted(met.items()) if len(days) >= PEERS}


def _sat(fact: PracticeSessions, at: datetime) -> Iterator[PracticeSession]:
    return (sitting for sitting in fact.sessions if sitting.started_at <= at)


def _sittings(fact: PracticeSessions, at: datetime) -> Iterator[tuple[str, date]]:
    return ((sitting.exercise_id, day_of(sitting.started_at)) for sitting in _sat(fact, at))


def _skills_practised(fact: PracticeSessions, at: datetime) -> Iterator[tuple[tuple[str, str], date]]:
    for sitting in _sat(fact, at):
        for skill in sitting.skill_ids:
            yield (sitting.exercise_id, skill), day_of(sitting.started_at)


def _skills_shown(fact: Scores, course: str, at: datetime) -> Iterator[tuple[tuple[str, str], date]]:
    for record in fact.scores:
        if record.course_id == course and record.submitted_at <= at:
            for skill in record.skill_ids:
                yield (record.assessment_id, skill), day_of(record.submitted_at)


def _by_first(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Sorted pairs by their first part, with all second parts of each."""
    return {first: tuple(second for _, second in group) for first, group in groupby(pairs, itemgetter(0))}


def _words(log: Interactions, course: str, today: date) -> Iterator[tuple[str, str]]:
    """Each item that was opened, with the platform's word for it."""
    return ((one.content_id, one.type) for one in log.interactions if one.course_id == course and one.date <= today)


def _item(item: str, word: str, about: Content | None, days: Sequence[date], recent: float) -> ShelfItem:
    return ShelfItem(
        id=item,
        title=about.title if about else None,
        type=word,
        duration=about.duration_seconds if about else None,
        creation=about.creation if about else None,
        openers=head_count(len(days)),
        recent_share=recent,
    )


def _recent_share(days: Iterable[date], today: date, people: int) -> float:
    """The share of the people for whom it is 14 days ago at most."""
    recent = sum(day > today - RECENT for day in days)
    return round(blurred(100 * recent / people, people) / 100, DIGITS)
