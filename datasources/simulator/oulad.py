"""A campus of real learners: the Open University Learning Analytics Dataset as the nine services would tell it.

People are OULAD's own anonymous ids. What OULAD does not have is made here and named for what it is: the
accounts of module teams and organization admins, the targets of key figures, and goals. Regions become
organizations, and each counted assessment becomes a competence ("BBB-TMA3"), which is derived, not measured.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from datasources.simulator.campus import (
    Campus,
    CourseRun,
    Item,
    Organization,
    Registration,
    Skill,
    Submission,
    Task,
)
from datasources.simulator.onet import demand_of
from datasources.simulator.oulad_demo import furnished
from datasources.simulator.oulad_people import admin, domain, learners, oulad_id, teams
from datasources.simulator.oulad_tables import read_tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from datasources.simulator.campus import Person
    from datasources.simulator.oulad_tables import Assessment, Course, Enrolment, Tables

AS_OF = datetime(2014, 2, 10, tzinfo=UTC)
"""The day on which BBB_2013B is over, and AAA_2013J and BBB_2013J are half-way."""

PRESENTATIONS = ("AAA_2013J", "BBB_2013B", "BBB_2013J")
KINDS = {
    **dict.fromkeys(("forumng", "oucollaborate", "ouelluminate", "ouwiki"), "forum"),
    **dict.fromkeys(("quiz", "externalquiz", "questionnaire", "repeatactivity"), "quiz"),
    "homepage": "other",
}
"""What the activity types of OULAD are for; all others are content."""


def import_oulad(directory: Path, presentations: Collection[str] = PRESENTATIONS) -> Campus:
    """The campus of a directory of OULAD files, as of 2014-02-10.

    Of the original files, these presentations are taken; of a sample, all that it holds.

    Raises:
        OuladError: a file or column is missing or unreadable; the message says which, and what would be right.
    """
    tables = read_tables(directory, presentations)
    tasks = {course.id: _tasks(tables, course) for course in tables.courses}
    registrations = _registrations(tables)
    people = learners(tables, registrations, tasks, AS_OF)
    regions = sorted({person.region for person in people if person.region})
    home = {person.id: person.organization for person in people}
    staff = teams(tables.courses, {(one.course, home[one.person]) for one in registrations}, regions)
    return furnished(
        Campus(
            source="OULAD (Kuzilek et al. 2017, CC BY 4.0); staff accounts, targets and goals are synthetic",
            as_of=AS_OF,
            organizations=tuple(_organization(region) for region in regions),
            people=(*people, *(person for team in staff.values() for person in team), *map(admin, regions)),
            courses=tuple(_course(tables, course, tasks[course.id], staff[course.id]) for course in tables.courses),
            registrations=registrations,
            skills=_skills(tables.courses, tasks),
            demand=demand_of(directory),
            cast={},
            unavailable=frozenset({"learner-ai"}),
        )
    )


def _tasks(tables: Tables, course: Course) -> tuple[Task, ...]:
    """The assessments of a course by date; only coursework counts, and where none has a weight all weigh the same."""
    mine = sorted(
        (one for one in tables.assessments if one.course == course.id),
        key=lambda one: (one.due is None, one.due, one.id),
    )
    weighted = any(one.weight > 0 for one in mine if one.type != "Exam")
    numbers: defaultdict[str, int] = defaultdict(int)
    tasks: list[Task] = []
    for one in mine:
        numbers[one.type] += 1
        tasks.append(_task(one, course, numbers[one.type], weighted=weighted))
    return tuple(tasks)


def _task(one: Assessment, course: Course, number: int, *, weighted: bool) -> Task:
    counts = one.type != "Exam" and (one.weight > 0 or not weighted)
    return Task(
        id=one.id,
        title=f"{course.module} {one.type} {number}",
        type=one.type,
        weight=one.weight if weighted or not counts else 1.0,
        counts=counts,
        due_day=one.due,
        skills=(f"{course.module}-{one.type}{number}",) if counts else (),
    )


def _registrations(tables: Tables) -> tuple[Registration, ...]:
    places: dict[str, int] = {}
    sizes: defaultdict[str, int] = defaultdict(int)
    for course, site, _ in tables.sites:
        places[site] = sizes[course]
        sizes[course] += 1
    return tuple(_registration(tables, one, places) for one in tables.enrolments)


def _registration(tables: Tables, one: Enrolment, places: dict[str, int]) -> Registration:
    """Where the day of registration is not known, the first thing that is known of the learner, at most day 0."""
    who = (one.course, one.student)
    clicks = tuple((places[site], day, count) for (day, site), count in sorted(tables.clicks.get(who, {}).items()))
    first = min((0, *(day for _, day, _ in clicks[:1]), *(() if one.left is None else (one.left,))))
    return Registration(
        person=oulad_id("student", one.student),
        course=one.course,
        enrolled_day=first if one.registered is None else one.registered,
        left_day=one.left,
        credits=one.credits,
        previous_attempts=one.attempts,
        submissions=tuple(
            Submission(task, day, score, banked) for task, day, score, banked in tables.submissions.get(who, ())
        ),
        clicks=clicks,
        result=one.result,
    )


def _organization(region: str) -> Organization:
    return Organization(oulad_id("region", region), region, domain(region), "Higher education", (), ())


def _course(tables: Tables, course: Course, tasks: tuple[Task, ...], trainers: tuple[Person, ...]) -> CourseRun:
    return CourseRun(
        id=course.id,
        title=f"Module {course.module}, presentation {course.presentation}",
        start=course.start,
        length_days=course.length_days,
        trainers=tuple(person.id for person in trainers),
        tasks=tasks,
        items=tuple(
            Item(site, f"{kind} {site}", kind, KINDS.get(kind, "content"))
            for run, site, kind in tables.sites
            if run == course.id
        ),
    )


def _skills(courses: Iterable[Course], tasks: dict[str, tuple[Task, ...]]) -> tuple[Skill, ...]:
    names = {skill: task.title for course in courses for task in tasks[course.id] for skill in task.skills}
    return tuple(Skill(skill, name) for skill, name in sorted(names.items()))
