"""One small campus as plain facts, the same on every machine: what `spoken.json` is worked out from.

Ninety-six learners in one organization and four courses: two runs of Alpha that are over, with results; Beta,
which runs; Gamma, which runs with eight learners. Some left, some never did anything, of one nothing is known.
Only `Random.random` is drawn from, whose numbers are the same in every version of Python.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from corpus_around import around, item_of, skills, talk
from corpus_plan import (
    AGES,
    AT,
    DEPARTMENTS,
    KINDS,
    LEARNERS,
    NOBODY_KNOWS,
    ORGANIZATION,
    PLANS,
    REGIONS,
    SKILLS,
    TASKS,
    Corpus,
    Plan,
    course_of,
)

from analytics.decisions import Decision, DecisionKind, Decisions
from datasources.assessment import Assessment, Assessments, ScoreRecord, Scores
from datasources.content import Interaction, Interactions
from datasources.course import (
    ActionsByType,
    ActiveDay,
    Activity,
    CourseProgress,
    Courses,
    Enrollment,
    Enrollments,
    EnrollmentStatus,
    Module,
    Progress,
    Result,
)
from datasources.directory import User

if TYPE_CHECKING:
    from collections.abc import Iterable


HELPS, TOO_HARD = "-i05", 2
"""The item after which scores are higher, and the task that few hand in."""


def corpus(seed: int = 7) -> Corpus:
    """The campus; equal for equal seeds."""
    rng, made = Random(seed), Corpus()
    enrolled: defaultdict[str, list[Enrollment]] = defaultdict(list)
    for number, learner in enumerate(LEARNERS):
        ability = rng.random()
        taken = [plan for plan in PLANS if number in plan.takers]
        left = {
            plan.id: plan.start + timedelta(days=plan.days * 2 // 5) for plan in taken if rng.random() > 0.6 + ability
        }
        _person(made, number, learner)
        if number == NOBODY_KNOWS:
            continue
        opened = tuple(one for plan in taken for one in _opened(rng, plan, ability, left.get(plan.id)))
        helped = {one.course_id for one in opened if one.content_id.endswith(HELPS)}
        scores = tuple(
            one
            for plan in taken
            for one in _handed(rng, plan, ability, left.get(plan.id), 14 if plan.id in helped else 0)
        )
        made.put(
            learner,
            Progress(tuple(_progress(plan, number, scores, left.get(plan.id)) for plan in taken)),
            Courses(tuple(map(course_of, taken))),
            Scores(scores),
            Assessments(tuple(task for plan in taken for task in _tasks(plan))),
            Interactions(opened),
            Activity(_activity(opened)),
        )
        skills(made, rng, number, learner, ability)
        talk(made, number, learner)
        for plan in taken:
            enrolled[plan.id].append(_enrollment(plan, number, learner, scores, left.get(plan.id)))
    for plan in PLANS:
        made.put(plan.id, Enrollments(tuple(enrolled[plan.id])))
        for item in range(12):
            item_of(made, plan, item)
    around(made)
    return made


def _person(made: Corpus, number: int, learner: str) -> None:
    made.put(
        learner,
        User(
            learner,
            f"Learner {number:02d}",
            ORGANIZATION,
            ("learner",),
            department=DEPARTMENTS[number % 3 % 2],
            region=REGIONS[number % 2],
            age_band=AGES[number // 2 % 2],
            time_zone=("Europe/Oslo", None)[number % 2],
        ),
    )
    if number % 9 == 1:
        decided = Decision(f"{learner}-1", DecisionKind.SAVED, AT - timedelta(days=number))
        made.decisions[learner] = Decisions((decided,))


def _tasks(plan: Plan) -> Iterable[Assessment]:
    """Six, evenly spread; the first is formative."""
    for place in range(TASKS):
        due = plan.start + timedelta(days=plan.length * (place + 1) // (TASKS + 1))
        yield Assessment(
            f"{plan.id}-t{place}",
            plan.id,
            f"Task {place}",
            KINDS[place % 2],
            20.0 if place else 0.0,
            counts=place > 0,
            due_at=due,
        )


def _handed(rng: Random, plan: Plan, ability: float, left: datetime | None, bonus: int) -> Iterable[ScoreRecord]:
    """Most of what is due, by ability, somewhat late now and then; few hand in the one that is too hard."""
    for place, task in enumerate(_tasks(plan)):
        late, chance, luck = int(rng.random() * 12) - 9, rng.random(), int(rng.random() * 30)
        at = (task.due_at or plan.start) + timedelta(days=late, hours=7)
        if chance > (0.3 if place == TOO_HARD else 0.5) + 0.6 * ability or at > min(AT, left or AT):
            continue
        yield ScoreRecord(
            task.id,
            plan.id,
            at,
            None if luck == 3 and chance < 0.2 else float(15 + int(40 * ability) + luck + bonus),
            skill_ids=(SKILLS[place % 4], SKILLS[(place + 1) % 4])[: 1 + place % 2],
            graded_at=at + timedelta(days=1),
            banked=place == 1 and luck == 4,
        )


def _opened(rng: Random, plan: Plan, ability: float, left: datetime | None) -> Iterable[Interaction]:
    """One to three of the first dozen items on some days; everybody has some they never open."""
    shunned = {int(rng.random() * 12) for _ in range(7)}
    for day in range(-3, plan.days + 1, 3):
        when = plan.start + timedelta(days=day)
        draws = [rng.random() for _ in range(4)]
        if draws[0] > 0.2 + 0.7 * ability or when > min(AT, left or AT):
            continue
        for draw in sorted({int(12 * each) for each in draws[1:]} - shunned):
            kind = KINDS[draw % 4]
            yield Interaction(f"{plan.id}-i{draw:02d}", plan.id, kind, when.date(), 1 + int(8 * draws[1]))


def _activity(opened: Iterable[Interaction]) -> tuple[ActiveDay, ...]:
    days: defaultdict[date, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(("content", "forum", "quiz", "other"), 0)
    )
    for one in opened:
        days[one.date][one.type if one.type in {"forum", "quiz"} else "content"] += one.actions
    return tuple(ActiveDay(day, sum(by.values()), ActionsByType(**by)) for day, by in sorted(days.items()))


def _progress(plan: Plan, number: int, scores: Iterable[ScoreRecord], left: datetime | None) -> CourseProgress:
    done = {one.assessment_id: one.submitted_at for one in scores}
    return CourseProgress(
        course_id=plan.id,
        title=plan.title,
        start_date=plan.start,
        end_date=plan.end,
        enrolled_at=_enrolled_at(plan, number),
        modules=tuple(
            Module(task.id, task.title, task.weight, task.due_at, done.get(task.id))
            for task in _tasks(plan)
            if task.counts
        ),
        left_at=left,
        credits=(60.0, 120.0)[number % 2],
        previous_attempts=number % 7 // 5,
    )


def _enrolled_at(plan: Plan, number: int) -> datetime:
    return plan.start - timedelta(days=30 - number % 35)


def _enrollment(
    plan: Plan, number: int, learner: str, scores: Iterable[ScoreRecord], left: datetime | None
) -> Enrollment:
    """A result for who stayed to the end of what is over; of one in twenty it is not known."""
    earned = sum(
        (one.score or 0.0) for one in scores if one.course_id == plan.id and not one.assessment_id.endswith("t0")
    )
    final = earned / (TASKS - 1)
    result = Result.DISTINCTION if final >= 70 else Result.PASSED if final >= 40 else Result.FAILED
    over = plan.end <= AT
    status = EnrollmentStatus.COMPLETED if over else EnrollmentStatus.ACTIVE
    return Enrollment(
        learner,
        _enrolled_at(plan, number),
        EnrollmentStatus.WITHDRAWN if left else status,
        left,
        result if over and not left and number % 20 else None,
    )
