"""What is worked out once for a whole course, within one organization, and only read by other metrics."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple

from annotated_types import Ge, Le

from analytics.arithmetic import day_of, mean, quality, quantile
from analytics.coursework import Work, coursework
from analytics.declare import DataQuality, Everyone, Family, Role, Scope, Withheld, WithheldReason, metric
from analytics.effects import FEWEST, Effect, Exposure, contrasts, shrunk_effects
from analytics.item_days import item_days
from analytics.privacy import K
from datasources.assessment import Assessments, Scores
from datasources.content import Interaction, Interactions
from datasources.course import Progress
from datasources.declare import Count, Id, Text, Unit

ItemDays = Annotated[float, Ge(0), Le(100_000), Unit("item-days in 30 days", digits=1)]
PEERS = K
WINDOW = timedelta(days=30)
EVERYBODY = {Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN}


@dataclass(frozen=True, slots=True)
class CoursePulse:
    """How busy a course is just now."""

    course: Id
    """The course."""
    item_days: ItemDays
    """The median, over its present learners, of item-days in the last 30 days."""
    learners: Count
    """How many learners that is."""
    quality: DataQuality
    """One observation for each of these learners."""


@metric(
    Scope.COURSE,
    key="course-pulse",
    family=Family.INTERNAL,
    roles=EVERYBODY,
    formula="median of item-days in the last 30 days over the learners enrolled now, 10 or more",
)
def course_pulse(
    interactions: Everyone[Interactions], progress: Everyone[Progress], *, course: str, at: datetime
) -> CoursePulse | Withheld:
    """How many item-days are usual in a course; an item-day is one item opened on one day."""
    today = day_of(at)
    busy = [
        len(item_days(fact, course, after=today - WINDOW, until=today))
        for learner, fact in interactions.by_learner.items()
        if learner in progress.by_learner and attends(progress.by_learner[learner], course, at)
    ]
    median = quantile(busy, 0.5)
    if median is None or len(busy) < PEERS:
        return Withheld(WithheldReason.TOO_FEW_PEERS, "Fewer than 10 learners take this course now.", needed=PEERS)
    return CoursePulse(course, median, len(busy), quality([today] * len(busy), enough=PEERS, span=1))


@dataclass(frozen=True, slots=True)
class ContentEffects:
    """Which content of a course goes with better scores, like learners compared with like."""

    course: Id
    """The course."""
    outcome: Text | None
    """The id of the assessment whose scores are compared; null while there is none with enough scores."""
    learners: Count
    """How many learners have a score in it."""
    closest: Count
    """The smaller of openers and others, of the item with most: 30 would do."""
    items: tuple[Effect, ...]
    """Items with at least 30 openers and 30 others, some of them alike; by id."""
    quality: DataQuality
    """One observation for each learner with a score."""


@metric(
    Scope.COURSE,
    key="course-content-effects",
    family=Family.INTERNAL,
    roles=EVERYBODY,
    formula="openers less others within activity fifth x half by earlier score, weight 1/(1/n1 + 1/n0); shrunk by "
    "tau^2/(tau^2 + se^2)",
    evidence="Openers pass 12 to 19 points more often; compared with like learners it is -0.7 to 4.6 (OULAD).",
)
def content_effects(  # noqa: PLR0913 - one parameter for each fact it stands on
    interactions: Everyone[Interactions],
    scores: Everyone[Scores],
    assessments: Everyone[Assessments],
    progress: Everyone[Progress],
    *,
    course: str,
    at: datetime,
) -> ContentEffects:
    """By how much those who opened an item before an assessment scored better in it than others like them.

    The assessment is the latest counted one due by now in which at least 60 learners have a score. A
    learner opened an item when that was on a day before the work was due and before it was handed in:
    what is opened afterwards cannot have helped. The earlier score is the mean over counted work due before.
    """
    types: dict[str, str] = {}

    def note(log: Interactions) -> None:
        types.update((i.content_id, i.type) for i in sorted(log.interactions, key=_type) if i.course_id == course)

    outcome, people = exposures(interactions, scores, assessments, progress, course=course, at=at, note=note)
    found = contrasts(list(people.values()))
    return ContentEffects(
        course=course,
        outcome=outcome,
        learners=len(people),
        closest=max((contrast.fewer for contrast in found.values()), default=0),
        items=shrunk_effects(found, types),
        quality=quality([person.day for person in people.values()], enough=2 * FEWEST, span=1),
    )


def exposures(  # noqa: PLR0913 - one parameter for each fact it stands on
    interactions: Everyone[Interactions],
    scores: Everyone[Scores],
    assessments: Everyone[Assessments],
    progress: Everyone[Progress],
    *,
    course: str,
    at: datetime,
    note: Callable[[Interactions], None] | None = None,
) -> tuple[str | None, dict[str, Exposure]]:
    """The assessment whose scores are compared, and by learner id what each with a score in it had opened before.

    `note` is told of every learner's interactions in passing: they are read anew each time they are asked for.
    """
    work = {
        learner: coursework(
            assessments.by_learner[learner].assessments, scores.by_learner[learner].scores, course=course, at=at
        )
        for learner in sorted(progress.by_learner)
        if any(stay.course_id == course and stay.enrolled_at <= at for stay in progress.by_learner[learner].courses)
        and all(learner in others.by_learner for others in (interactions, scores, assessments))
    }
    outcome = _outcome(work.values(), at)
    scored = {
        learner: settled
        for learner, pieces in work.items()
        for settled in _settled(pieces, at)
        if settled.id == outcome
    }
    found = {}
    for learner, log in interactions.by_learner.items():
        if note is not None:
            note(log)
        if learner in scored:
            found[learner] = _exposure(log, course, work[learner], scored[learner])
    return outcome, {learner: found[learner] for learner in scored}


def _type(opened: Interaction) -> str:
    return opened.type


def attends(progress: Progress, course: str, at: datetime) -> bool:
    """Whether a learner takes a course now: enrolled, not left, and it runs."""
    return any(
        stay.course_id == course
        and stay.enrolled_at <= at
        and (stay.left_at is None or stay.left_at > at)
        and stay.start_date <= at < stay.end_date
        for stay in progress.courses
    )


class _Settled(NamedTuple):
    """A piece of work that was due and has a score that was earned here."""

    due_at: datetime
    weight: float
    id: str
    handed_in: datetime
    score: float


def _settled(pieces: Iterable[Work], at: datetime) -> Iterable[_Settled]:
    for piece in pieces:
        if piece.due(at) and piece.due_at and piece.handed_in and piece.score is not None:
            yield _Settled(piece.due_at, piece.weight, piece.id, piece.handed_in, piece.score)


def _outcome(everyone: Iterable[Sequence[Work]], at: datetime) -> str | None:
    """The assessment that was due last and has enough scores; of several due together the heaviest, then by id."""
    settled = [piece for pieces in everyone for piece in _settled(pieces, at)]
    enough = {name for name, n in Counter(piece.id for piece in settled).items() if n >= 2 * FEWEST}
    return max((piece[:3] for piece in settled if piece.id in enough), default=(None,))[-1]


def _exposure(interactions: Interactions, course: str, pieces: Sequence[Work], outcome: _Settled) -> Exposure:
    """What one learner had opened before the outcome was settled, and what they had scored in work due before it."""
    day = day_of(min(outcome.handed_in, outcome.due_at))
    opened = {(item, when) for item, when in item_days(interactions, course, until=day) if when < day}
    earlier = [piece.score for piece in pieces if piece.due_at is not None and piece.due_at < outcome.due_at]
    return Exposure(
        items=frozenset(item for item, _ in opened),
        activity=len(opened),
        earlier=mean(score for score in earlier if score is not None),
        outcome=outcome.score,
        day=day,
    )
