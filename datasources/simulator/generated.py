"""A campus of made-up learners who behave like real ones: nothing in it is anybody's data.

Everyone is named after a number, except the cast of the demo, who carry the surname Synthetic.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate, count
from math import exp
from random import Random
from typing import TYPE_CHECKING, TypeVar
from uuid import NAMESPACE_URL, uuid5

from datasources.simulator import behaviour, blueprint, tenants
from datasources.simulator.campus import (
    Campus,
    CourseRun,
    DemandCount,
    Item,
    Person,
    Practice,
    Registration,
    Session,
    Skill,
    Task,
)
from datasources.simulator.paths import laid_out
from datasources.simulator.practice import practise
from datasources.simulator.sessions import active_days, sessions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datasources.simulator.blueprint import CoursePlan

T = TypeVar("T")

FEWEST, MOST = 30, 10_000

_CAST = {"learner": "lena", "trainer": "tomas", "org-admin": "olga", "stranger": "sam"}
_LENA = behaviour.Nature(ability=0.6, diligence=0.9, sociability=0.3, intensity=0.2, loyal=True)
_LENAS_PATH = ("sql-summer-2025", "python-autumn-2025")
_PRACTISING = 0.45
_HOT = 0.35
_LONG = 200
_WEIGHTS = {False: (10.0, 26.0, 30.0, 32.0), True: (8.0, 20.0, 22.0, 24.0, 24.0)}
_CONTENT = ("page", "video", "reading", "page", "example")
_GOLDEN = (5**0.5 - 1) / 2
_PLANS = {one.id: one for one in blueprint.PLANS}


@dataclass(frozen=True, slots=True)
class _Learner:
    person: Person
    traits: behaviour.Nature
    path: tuple[str, ...]

    @property
    def is_lena(self) -> bool:
        return self.path is _LENAS_PATH


def generate(learners: int = 600, seed: int = 7) -> Campus:
    """A campus with exactly this many learners (30 to 10,000), the same for the same arguments.

    Courses are generated whole, beyond `as_of` too, so that a later clock finds what it needs.
    Raises ValueError outside those bounds.
    """
    if not FEWEST <= learners <= MOST:
        message = f"a generated campus has {FEWEST} to {MOST:,} learners, not {learners}"
        raise ValueError(message)
    courses = tuple(map(_course, blueprint.PLANS))
    runs = {course.id: course for course in courses}
    outlines = {course.id: behaviour.outline(Random(f"{seed}:{course.id}"), course) for course in courses}
    pupils = tuple(_learners(learners, seed))
    registrations: list[Registration] = []
    practice: list[Practice] = []
    sittings: list[Session] = []
    for pupil in pupils:
        rng = Random(f"{seed}:{pupil.person.id}:courses")
        practises = pupil.is_lena or rng.random() < _PRACTISING
        own = []
        for course in pupil.path:
            one = _registration(rng, pupil, outlines[course])
            own.append(one)
            if practises:
                practice += practise(rng, pupil.traits, outlines[course].course, one, _PLANS[course].skills)
        registrations += own
        sittings += sessions(Random(f"{seed}:{pupil.person.id}:sessions"), pupil.person, active_days(runs, own))
    return Campus(
        source=f"generated, seed {seed}, {learners} learners",
        as_of=blueprint.AS_OF,
        organizations=tuple(replace(one.organization, id=_id(key)) for key, one in tenants.TENANTS.items()),
        people=(*_staff(), *(pupil.person for pupil in pupils)),
        courses=courses,
        registrations=tuple(registrations),
        skills=tuple(Skill(key, name) for key, name in blueprint.SKILLS.items()),
        demand=tuple(_market(Random(f"{seed}:market"))),
        cast={role: _id(key) for role, key in _CAST.items()},
        practice=tuple(sorted(practice, key=lambda one: (one.started, one.person))),
        sessions=tuple(sorted(sittings, key=lambda one: (one.began, one.person))),
        paths=tuple(laid_out(runs, ((pupil.person.id, pupil.path) for pupil in pupils))),
    )


def _id(key: str) -> str:
    """The id of a person or an organization: the same in every generated campus, so that tokens outlive it."""
    return str(uuid5(NAMESPACE_URL, f"synthetic:{key}"))


def _staff() -> Iterator[Person]:
    for one in tenants.STAFF:
        organization = tenants.TENANTS[one.tenant].organization
        yield Person(_id(one.key), one.name, f"{one.key}@{organization.domain}", _id(one.tenant), one.roles)


def _learners(learners: int, seed: int) -> Iterator[_Learner]:
    """Nearly three quarters work in the first organization; the last has too few for any statistics."""
    few = min(8, learners // 10)
    many = round(0.72 * learners)
    number = 0
    for key, size in zip(tenants.TENANTS, (many, learners - many - few, few), strict=True):
        for place in range(size):
            number += 1
            yield _learner(Random(f"{seed}:learner:{number}"), key, number, place)


def _learner(rng: Random, tenant_key: str, number: int, place: int) -> _Learner:
    """One learner; the first of the first organization is Lena, the first of the second is Sam, who also runs it."""
    tenant = tenants.TENANTS[tenant_key]
    key = f"learner-{number:03d}"
    if place == 0:
        key = {"works": "lena", "clinics": "sam"}.get(tenant_key, key)
    schooling = _pick(rng.random(), blueprint.EDUCATION)
    department = _pick(rng.random(), _weighted(tenant.organization.departments, tenant.department_weights))
    region = _pick(rng.random(), _weighted(tenant.organization.branches, tenant.branch_weights))
    person = Person(
        id=_id(key),
        name=f"{key.title()} Synthetic" if key in _CAST.values() else key.replace("-", " ").title(),
        email=f"{key}@{tenant.organization.domain}",
        organization=_id(tenant_key),
        roles=("learner", "org-admin") if key == "sam" else ("learner",),
        department=department,
        region=region,
        age_band=_pick(rng.random(), blueprint.AGE_BANDS),
        education=schooling,
        time_zone=_zone(tenant, region),
        required=tenants.REQUIRED[department],
    )
    if key == "lena":
        department, region = tenant.organization.departments[0], tenant.organization.branches[0]
        usual = replace(
            person,
            department=department,
            region=region,
            time_zone=_zone(tenant, region),
            age_band=blueprint.AGE_BANDS[0][0],
            required=tenants.REQUIRED[department],
        )
        return _Learner(usual, _LENA, _LENAS_PATH)
    rank = [name for name, _ in blueprint.EDUCATION].index(schooling) - 1.7
    # Multiples of the golden ratio spread evenly, so that every course fills in proportion at any size.
    path = _pick(place * _GOLDEN % 1, tenant.paths)
    return _Learner(person, behaviour.nature(rng, rank), path)


def _zone(tenant: tenants.Tenant, branch: str) -> str:
    return dict(zip(tenant.organization.branches, tenant.zones, strict=True))[branch]


def _registration(rng: Random, pupil: _Learner, outline: behaviour.Outline) -> Registration:
    """One learner in one course, enrolled by now; Lena's is drawn again until it has something to show."""
    course = outline.course
    title = course.title
    earlier = [one for one in pupil.path if _PLANS[one].title == title and _PLANS[one].start < course.start]
    attempts = 1 if earlier else _pick(rng.random(), blueprint.PREVIOUS_ATTEMPTS)
    today = (blueprint.AS_OF - course.start).days
    seat = behaviour.Seat(pupil.person.id, today, attempts, _pick(rng.random(), blueprint.CREDITS))
    if not pupil.is_lena:
        return behaviour.register(rng, pupil.traits, outline, seat)
    seat = replace(seat, attempts=0, credits=blueprint.CREDITS[0][0])
    tries = (behaviour.register(rng, pupil.traits, outline, seat) for _ in count())
    return next(one for one in tries if _shows(one, course, today))


def _shows(one: Registration, course: CourseRun, today: int) -> bool:
    """Nearly all that was due is handed in and marked, and while the course runs, the last week saw work."""
    due = sum(task.due_day is not None and task.due_day <= today for task in course.tasks)
    marked = sum(piece.score is not None and piece.day <= today for piece in one.submissions)
    lately = any(today - 5 <= day <= today for _, day, _ in one.clicks)
    return marked >= due - 1 and (lately or today > course.length_days)


def _course(draft: CoursePlan) -> CourseRun:
    return CourseRun(
        draft.id,
        draft.title,
        draft.start,
        draft.length_days,
        tuple(map(_id, draft.trainers)),
        tuple(_tasks(draft)),
        tuple(_items(draft)),
    )


def _tasks(draft: CoursePlan) -> Iterator[Task]:
    """A formative self-check without a due day, an assignment every five to seven weeks, a small quiz between two."""
    yield Task(f"{draft.id}-check", "Self-check", "quiz", 0.0, counts=False, due_day=None, skills=draft.skills[:1])
    weights = _WEIGHTS[draft.length_days >= _LONG]
    step = (draft.length_days - 32) // (len(weights) - 1)
    for number, weight in enumerate(weights):
        skills = _cycle(draft.skills, 2 * number, 1 + number % 3)
        due = 19 + step * number
        name = f"Assignment {number + 1}"
        yield Task(f"{draft.id}-a{number + 1}", name, "assignment", weight, counts=True, due_day=due, skills=skills)
    skills = _cycle(draft.skills, 1, 2)
    due = 19 + step * 3 // 2
    yield Task(f"{draft.id}-quiz", "Quiz", "quiz", 2.0, counts=True, due_day=due, skills=skills)


def _items(draft: CoursePlan) -> Iterator[Item]:
    """The home page first, then content in the order of the course, then forums and quizzes."""
    yield Item(f"{draft.id}-home", "Home page", "homepage", "other")
    forums, quizzes = draft.items // 5, draft.items // 10
    content = draft.items - forums - quizzes - 1
    for place in range(content):
        word = _CONTENT[place % len(_CONTENT)]
        yield Item(f"{draft.id}-{place + 1:03d}", f"{word.title()} {place + 1}", word, "content")
    for kind, size in (("forum", forums), ("quiz", quizzes)):
        for place in range(size):
            yield Item(f"{draft.id}-{kind}-{place + 1:02d}", f"{kind.title()} {place + 1}", kind, kind)


def _market(rng: Random) -> Iterator[DemandCount]:
    """Made-up job postings of two years: some skills grow, some shrink, most hardly change."""
    for key, name in blueprint.SKILLS.items():
        before = 5 + int(rng.lognormvariate(4.3, 0.9))
        for period, total in (("2025", before), ("2026", int(before * exp(rng.gauss(0.05, 0.3))))):
            asked = int(total * rng.uniform(0.05, 0.5))
            yield DemandCount(key, name, total, asked, hot=asked > _HOT * total, period=period)


def _weighted(names: Sequence[T], weights: Sequence[int]) -> tuple[tuple[T, int], ...]:
    return tuple(zip(names, weights, strict=True))


def _pick(where: float, choices: Sequence[tuple[T, int]]) -> T:
    """The choice at this share (0 to 1) of the summed weights."""
    ends = tuple(accumulate(weight for _, weight in choices))
    return choices[bisect_right(ends, where * ends[-1])][0]


def _cycle(skills: Sequence[str], first: int, size: int) -> tuple[str, ...]:
    return tuple(skills[(first + step) % len(skills)] for step in range(size))
