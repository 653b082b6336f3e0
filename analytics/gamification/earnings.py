"""What a learner earned points by: one dated event for each thing, and nothing twice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo

from analytics.arithmetic import known, unique
from analytics.coursework import counted
from analytics.gamification.streaks import local_day
from analytics.gamification.values import EarningKind
from analytics.learner.marks import handed_in, success
from analytics.learner.schedule import planned
from datasources.assessment import Assessments, ScoreRecord, Scores
from datasources.course import Progress
from datasources.devlab import PracticeSession, PracticeSessions
from datasources.skills import SkillAcquisition

COURSE, SKILL, PRACTICE, STREAK_DAY = 100, 50, 10, 10


@dataclass(frozen=True, slots=True)
class Earning:
    """One event that earned points; an `id` may have several, where a better attempt earned the difference."""

    on: date
    kind: EarningKind
    id: str
    points: int
    title: str


def courses(progress: Progress, at: datetime, zone: tzinfo) -> Iterator[Earning]:
    """The courses with all their counted work done, on the day the last of it was.

    Passing is not asked for: what a learner's own facts tell of a course is its plan and what is done of it.
    """
    begun = (
        replace(course, left_at=None, modules=tuple(sorted(planned(course, at), key=repr)))
        for course in progress.courses
        if course.enrolled_at <= at
    )
    for course in unique(begun, lambda course: course.course_id):
        done = [module.completed_at for module in course.modules if module.completed_at is not None]
        if done and len(done) == len(course.modules) and max(done) <= at:
            on = local_day(max(done), zone)
            yield Earning(on, EarningKind.COURSE, course.course_id, COURSE, course.title)


def skills(acquired: SkillAcquisition, at: datetime, zone: tzinfo) -> Iterator[Earning]:
    """Each acquired skill, on the day it was acquired first."""
    first: dict[str, tuple[datetime, str]] = {}
    for skill in acquired.skills:
        if skill.acquired_at <= at:
            told = (skill.acquired_at, skill.name)
            first[skill.skill_id] = min(told, first.get(skill.skill_id, told))
    for skill_id, (acquired_at, name) in first.items():
        yield Earning(local_day(acquired_at, zone), EarningKind.SKILL, skill_id, SKILL, name)


def submissions(scores: Scores, at: datetime) -> list[ScoreRecord]:
    """What was handed in by `at`, without what was carried over from an earlier run."""
    return [record for record in handed_in(scores.scores, at) if not record.banked]


def assessments(told: Assessments, handed: Iterable[ScoreRecord], zone: tzinfo) -> Iterator[Earning]:
    """The score of each counted assessment, on the day it was known: the first, and what better ones added."""
    courses_ = {one.course_id for one in told.assessments}
    titles = {(one.course_id, one.id): one.title for course in courses_ for one in counted(told.assessments, course)}
    marked: dict[tuple[str, str], list[tuple[datetime, int]]] = {}
    for record in handed:
        share = success(record)
        if share is not None and (record.course_id, record.assessment_id) in titles:
            when = max(record.submitted_at, record.graded_at or record.submitted_at)
            marked.setdefault((record.course_id, record.assessment_id), []).append((when, int(100 * share + 0.5)))
    for (course, name), marks in marked.items():
        best = -1
        for when, points in sorted(marks):
            if points > best:
                gained = points - max(best, 0)
                title = titles[course, name]
                yield Earning(local_day(when, zone), EarningKind.ASSESSMENT, f"{course}/{name}", gained, title)
                best = points


def finished(practice: PracticeSessions, at: datetime) -> list[tuple[PracticeSession, datetime]]:
    """The practice sessions that were brought to their end by `at`, each once, and when."""
    over = (one for one in practice.sessions if one.started_at <= at and known(one.completed_at, at) is not None)
    once = unique(over, lambda one: one.id)
    return [(one, one.completed_at) for one in once if one.completed_at is not None]


def practised(over: Iterable[tuple[PracticeSession, datetime]], zone: tzinfo) -> Iterator[Earning]:
    """Each finished practice session, on the day it ended."""
    for one, ended in over:
        yield Earning(local_day(ended, zone), EarningKind.PRACTICE, one.id, PRACTICE, one.exercise_id)


def streak_days(days: Iterable[date]) -> Iterator[Earning]:
    """Each active day."""
    for day in days:
        yield Earning(day, EarningKind.STREAK, day.isoformat(), STREAK_DAY, "A day of a streak")
