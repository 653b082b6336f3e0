"""What could be recommended: due work, content that is not opened, practice for skill gaps, others' suggestions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from analytics.arithmetic import day_of, known, unique
from analytics.course import ContentEffects
from analytics.coursework import counted, coursework
from analytics.learner.gaps import Gap, SkillGap
from analytics.prediction.recommendations_ranking import (
    LONGEST_TEXT,
    SOON,
    Basis,
    identity,
    priority_of,
    reason_of,
    score_of,
    terms_of,
)
from analytics.prediction.recommendations_values import Recommendation, RecommendationKind
from analytics.shelf import CourseShelf, ShelfExercise, ShelfItem
from datasources.assessment import Assessments, Scores
from datasources.content import Interactions
from datasources.devlab import PracticeSessions
from datasources.learner_ai import Suggestion, Suggestions

DIGITS = 1


@dataclass(frozen=True, slots=True)
class Own:
    """The learner's running courses, by id, what the learner did, and what another model suggests to them."""

    courses: tuple[str, ...]
    assessments: Assessments
    scores: Scores
    interactions: Interactions | None
    practice: PracticeSessions | None
    suggestions: Suggestions | None


@dataclass(frozen=True, slots=True)
class _About:
    """What is known beside the learner's own doings; `busiest` is the largest recent share of each course."""

    at: datetime
    shelves: Mapping[str, CourseShelf]
    effects: Mapping[tuple[str, str], float]
    gaps: Mapping[str, Gap]
    busiest: Mapping[str, float]

    def most_urgent(self, skills: Iterable[str]) -> Gap | None:
        """The most urgent gap among some skills."""
        return min(
            (self.gaps[skill] for skill in skills if skill in self.gaps),
            key=lambda gap: (-gap.priority, gap.skill_id),
            default=None,
        )


@dataclass(frozen=True, slots=True)
class _Thing:
    """What might be recommended."""

    kind: RecommendationKind
    item: str
    type: str
    title: str | None = None
    course: str | None = None
    duration: int | None = None
    skills: tuple[str, ...] = ()


def candidates(
    own: Own,
    shelves: Iterable[CourseShelf],
    effects: Iterable[ContentEffects],
    gap: SkillGap | None,
    *,
    at: datetime,
) -> list[Recommendation]:
    """Everything that something speaks for, and what the learner-AI service suggests; in no order.

    What a service would have to tell (opened content, completed practice) is left out while it is not known.
    """
    ours = {shelf.course: shelf for shelf in shelves if shelf.course in own.courses}
    about = _About(
        at=at,
        shelves=ours,
        effects={
            (course.course, item.content_id): round(item.effect, DIGITS) for course in effects for item in course.items
        },
        gaps={each.skill_id: each for each in gap.gaps} if gap else {},
        busiest={course: _busiest(shelf) for course, shelf in ours.items()},
    )
    opened, completed, handed_in = _opened(own, at), _completed(own, at), _handed_in(own, at)
    found = [one for course in own.courses for one in _assessments(own, about, course)]
    for course, shelf in about.shelves.items():
        if opened is not None:
            found += [_content(about, course, item) for item in shelf.items if item.id not in opened]
        if completed is not None:
            exercises = (each for each in shelf.exercises if each.id not in completed)
            found += [_exercise(about, course, each) for each in exercises if about.most_urgent(each.skill_ids)]
    found = [one for one in found if one.score > 0]
    met = {*(opened or ()), *(completed or ()), *handed_in, *(one.item_id for one in found)}
    others = unique(own.suggestions.suggestions if own.suggestions else (), lambda one: one.id)
    return found + [_suggestion(one, at) for one in others if one.id not in met]


def _busiest(shelf: CourseShelf) -> float:
    """The largest share of a course's learners that met one thing in the last 14 days."""
    shares = [*(item.recent_share for item in shelf.items), *(each.recent_share for each in shelf.exercises)]
    return max(shares, default=0.0)


def _opened(own: Own, at: datetime) -> frozenset[str] | None:
    """The items opened by now; None when that is not known."""
    if own.interactions is None:
        return None
    today = day_of(at)
    return frozenset(one.content_id for one in own.interactions.interactions if one.actions > 0 and one.date <= today)


def _completed(own: Own, at: datetime) -> frozenset[str] | None:
    """The exercises completed by now; None when that is not known."""
    if own.practice is None:
        return None
    return frozenset(
        one.exercise_id for one in own.practice.sessions if one.started_at <= at and known(one.completed_at, at)
    )


def _handed_in(own: Own, at: datetime) -> frozenset[str]:
    return frozenset(record.assessment_id for record in own.scores.scores if record.submitted_at <= at)


def _assessments(own: Own, about: _About, course: str) -> Iterator[Recommendation]:
    """The counted work of a course that is overdue or due within 14 days, and not handed in."""
    titles = {one.id: one for one in counted(own.assessments.assessments, course)}
    shelf = about.shelves.get(course)
    skills = {one.assessment_id: one.skill_ids for one in shelf.assessed} if shelf else {}
    for work in coursework(own.assessments.assessments, own.scores.scores, course=course, at=about.at):
        if work.handed_in is None and work.due_at is not None and work.due_at - about.at <= SOON:
            named = skills.get(work.id, ())
            thing = _Thing(
                kind=RecommendationKind.ASSESSMENT,
                item=work.id,
                type=titles[work.id].type,
                title=titles[work.id].title,
                course=course,
                skills=named,
            )
            yield _made(thing, Basis(due_at=work.due_at, gap=about.most_urgent(named)), about.at)


def _content(about: _About, course: str, item: ShelfItem) -> Recommendation:
    effect = about.effects.get((course, item.id), 0.0)
    thing = _Thing(RecommendationKind.CONTENT, item.id, item.type, item.title, course, item.duration)
    return _made(thing, Basis(recent=item.recent_share, busiest=about.busiest[course], effect=effect), about.at)


def _exercise(about: _About, course: str, exercise: ShelfExercise) -> Recommendation:
    kind = RecommendationKind.EXERCISE
    thing = _Thing(kind, exercise.id, kind.value, skills=exercise.skill_ids)
    gap, busiest = about.most_urgent(exercise.skill_ids), about.busiest[course]
    return _made(thing, Basis(gap=gap, recent=exercise.recent_share, busiest=busiest), about.at)


def _suggestion(made: Suggestion, at: datetime) -> Recommendation:
    """Another model's suggestion: nothing we know speaks for it, so it comes last, in that service's own words."""
    reason = "The learner-AI service suggests it" + (f": {made.reason}" if made.reason else ".")
    thing = _Thing(RecommendationKind.SUGGESTION, made.id, made.type, made.title)
    return replace(_made(thing, Basis(), at), reason=reason[:LONGEST_TEXT], confidence=made.confidence)


def _made(thing: _Thing, basis: Basis, at: datetime) -> Recommendation:
    terms = terms_of(basis, at)
    score = score_of(terms)
    return Recommendation(
        id=identity(thing.kind, thing.course if thing.kind is RecommendationKind.ASSESSMENT else None, thing.item),
        kind=thing.kind,
        type=thing.type,
        title=thing.title,
        item_id=thing.item,
        course_id=thing.course,
        score=score,
        terms=terms,
        priority=priority_of(score),
        reason=reason_of(terms, basis, at),
        due_at=basis.due_at,
        estimated_time=thing.duration,
        skill_ids=thing.skills,
        confidence=None,
        saved=False,
    )
