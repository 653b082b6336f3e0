"""A small campus for the cast, made by hand: two tenants, three courses, and something of everything.

Lena and twelve numbered learners take PYTHON (running) and SQL (over), which Tomas runs; Lars and twelve take
STATS (running), which Tara runs. Olga is the admin of ACME. Sam belongs to OTHER and takes PYTHON, too. The clock
stands at 2026-03-02: PYTHON and STATS are on day 56 of 112, and everything later is there, but hidden.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from datasources.simulator.campus import (
    Campus,
    CourseRun,
    DemandCount,
    Goal,
    Item,
    Kpi,
    Organization,
    Person,
    Practice,
    Registration,
    Skill,
    Submission,
    Task,
)
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS

AS_OF = datetime(2026, 3, 2, tzinfo=UTC)
START = AS_OF - timedelta(days=56)
PYTHON, SQL, STATS = "python-2026", "sql-2025", "stats-2026"
LEARNERS = tuple(f"77777777-7777-4777-8777-{number:012d}" for number in range(1, 15))
"""Learner 1 to 12 take all three courses; 13 never did anything, and 14 belongs to OTHER."""

SKILLS = (
    Skill("python", "Python"),
    Skill("sql", "SQL"),
    Skill("statistics", "Statistics"),
    Skill("testing", "Software testing"),
)
REQUIRED = (("python", 70.0, 1.0), ("sql", 60.0, 0.8), ("statistics", 60.0, 0.5), ("testing", 50.0, 0.4))
KINDS = (("page", "content"), ("video", "content"), ("forum", "forum"), ("quiz", "quiz"), ("home", "other"))


def small_campus() -> Campus:
    """The campus; every call makes an equal one."""
    return Campus(
        source="made by hand for the tests",
        as_of=AS_OF,
        organizations=(_acme(), Organization(OTHER, "Other", "other.example", "Retail", (), ())),
        people=_people(),
        courses=(
            _course(PYTHON, "Python for everyone", START, (TOMAS,), ("python", "testing")),
            _course(SQL, "Asking databases", START - timedelta(days=200), (TOMAS,), ("sql",)),
            _course(STATS, "Statistics without fear", START, (TARA,), ("statistics",)),
        ),
        registrations=_registrations(),
        skills=SKILLS,
        demand=(
            DemandCount("python", "Python", 900, 300, hot=True, period="2026-01"),
            DemandCount("python", "Python", 800, 250, hot=True, period="2025-12"),
            DemandCount("sql", "SQL", 700, 200, hot=True, period="2026-01"),
            DemandCount("sql", "SQL", 720, 210, hot=True, period="2025-12"),
            DemandCount("statistics", "Statistics", 90, 10, hot=False, period="2026-01"),
        ),
        cast={"learner": LENA, "trainer": TOMAS, "org-admin": OLGA, "stranger": SAM},
        practice=_practice(),
    )


def _acme() -> Organization:
    return Organization(
        id=ACME,
        name="Acme",
        domain="acme.example",
        industry="Manufacturing",
        branches=("North", "South"),
        departments=("Engineering", "Sales"),
        kpis=(
            Kpi("time-to-competency", "Time to competency", 40.0, 30.0, 60.0, 2.0, "days"),
            Kpi("completion", "Completion rate", None, 90.0, 70.0, 1.0, "%"),
        ),
        goals=(
            Goal("data", "Decide by data", 2.0, (("sql", 70.0, 1.0), ("statistics", 60.0, 0.5))),
            Goal("build", "Build our own tools", 1.0, (("python", 70.0, 1.0),)),
        ),
    )


def _people() -> tuple[Person, ...]:
    def learner(key: str, name: str, number: int, organization: str = ACME) -> Person:
        return Person(
            id=key,
            name=name,
            email=f"{name.lower().replace(' ', '-')}@{'acme' if organization == ACME else 'other'}.example",
            organization=organization,
            roles=("learner",),
            department=("Engineering", "Sales")[number % 2] if organization == ACME else None,
            region=("North", "South")[number % 2],
            age_band=("0-35", "35-55")[number % 2],
            education="A Level or Equivalent",
            time_zone=("Europe/Oslo", "Europe/Madrid")[number % 2] if organization == ACME else None,
            required=REQUIRED,
        )

    return (
        learner(LENA, "Lena", 0),
        learner(LARS, "Lars", 1),
        *(learner(key, f"Learner {number}", number) for number, key in enumerate(LEARNERS[:13], 1)),
        learner(LEARNERS[13], "Learner 14", 14, OTHER),
        learner(SAM, "Sam", 0, OTHER),
        Person(TOMAS, "Tomas", "tomas@acme.example", ACME, ("trainer",)),
        Person(TARA, "Tara", "tara@acme.example", ACME, ("trainer",)),
        Person(OLGA, "Olga", "olga@acme.example", ACME, ("org-admin",)),
    )


def _course(key: str, title: str, start: datetime, trainers: tuple[str, ...], skills: tuple[str, ...]) -> CourseRun:
    """Six tasks, one every 14 days; the first is formative and the last, the exam, has no date."""
    return CourseRun(
        id=key,
        title=title,
        start=start,
        length_days=112,
        trainers=trainers,
        tasks=(
            Task(f"{key}-t0", "Warming up", "quiz", 0.0, counts=False, due_day=7, skills=skills[:1]),
            *(
                Task(
                    id=f"{key}-t{number}",
                    title=f"Assignment {number}",
                    type="assignment",
                    weight=20.0,
                    counts=True,
                    due_day=14 * number,
                    skills=(skills[number % len(skills)],),
                )
                for number in range(1, 6)
            ),
            Task(f"{key}-exam", "Exam", "exam", 100.0, counts=False, due_day=None, skills=()),
        ),
        items=tuple(
            Item(f"{key}-i{number}", f"{KINDS[number % 5][0].title()} {number}", *KINDS[number % 5])
            for number in range(15)
        ),
    )


def _registrations() -> tuple[Registration, ...]:
    twelve = LEARNERS[:12]
    return (
        _registration(LENA, PYTHON, 5),
        _registration(LENA, SQL, 6),
        _registration(LARS, STATS, 4),
        *(_registration(key, PYTHON, number) for number, key in enumerate(twelve, 1)),
        *(_registration(key, SQL, number + 3) for number, key in enumerate(twelve, 1)),
        *(_registration(key, STATS, number + 7) for number, key in enumerate(twelve, 1)),
        Registration(LEARNERS[12], PYTHON, -10, None, 60.0, 0, (), ()),
        Registration(LEARNERS[12], STATS, 80, None, 60.0, 0, (), ()),
        _registration(LEARNERS[13], PYTHON, 7),
        _registration(SAM, PYTHON, 3),
    )


def _registration(person: str, course: str, number: int) -> Registration:
    """From number 1 on: 8 left on day 40, 9 will leave on day 90, 10 repeats with banked work, 11 is not marked yet."""
    late = number % 4
    clicks = tuple(
        ((number * 3 + day) % 15, day, 1 + (number * day) % 7)
        for day in range(-3, 40 if number == 8 else 112)
        if (day * (number % 3 + 1)) % 4 != 3
    )
    submissions = tuple(
        Submission(
            task=f"{course}-t{place}",
            day=14 * place - 3 + late if place else 6,
            score=None if number == 11 and place == 3 else float(45 + (7 * number + 9 * place) % 55),
        )
        for place in range(6)
        if (number + place) % 6 and not (number == 8 and place > 2) and not (number == 10 and place == 1)
    )
    if number == 10:
        submissions += (Submission(f"{course}-t1", -1, 71.0, banked=True),)
    return Registration(
        person=person,
        course=course,
        enrolled_day=-20 + number,
        left_day={8: 40, 9: 90}.get(number),
        credits=60.0 if number % 2 else 120.0,
        previous_attempts=int(number == 10),
        submissions=submissions,
        clicks=clicks,
        result=None if number in {8, 9} else ("passed", "failed", "distinction", "passed")[number % 4],
    )


def _practice() -> tuple[Practice, ...]:
    """Every third day an exercise, for Lena and the numbered learners; some lie after the clock."""
    return tuple(
        Practice(
            person=person,
            exercise=f"exercise-{(day // 3) % 6}",
            skills=("python",) if day % 2 else ("sql",),
            started=START + timedelta(days=day, hours=10),
            completed=None if day % 5 == 4 else START + timedelta(days=day, hours=11),
            score=None if day % 5 == 4 else round(0.5 + ((number + day) % 11) / 20, 2),
            attempts=1 + day % 3,
        )
        for number, person in enumerate((LENA, *LEARNERS[:12]), 5)
        for day in range(number % 4, 70, 3)
    )
