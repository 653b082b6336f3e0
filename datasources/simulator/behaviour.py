"""How a made-up learner behaves: a few hidden traits and one moment of letting go, from which all records follow.

A learner has ability, diligence, sociability and intensity. In a course they care until they let go, which
some never do; caring decides on which days they are active and whether work is handed in, and those who let go
fade and later leave, or stay registered in silence. Every constant is set so that `moments` of a generated
campus meet those of real learners (`moments.REAL`, with their source). Equal arguments give equal records.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import exp, log
from statistics import NormalDist
from typing import TYPE_CHECKING

from datasources.simulator.campus import Registration, Submission

if TYPE_CHECKING:
    from random import Random

    from datasources.simulator.campus import CourseRun, Task

PASS, STRONG = 40.0, 85.0
"""The final score from which a course is passed, and passed with distinction."""

FIRST_DAY = -14
"""The course site opens two weeks before the course."""

_SELF_CHECK = 12
_AFTERWARDS = range(1, 4)


def _lognormal(middle: float, spread: float) -> tuple[int, ...]:
    """256 equally likely whole numbers of at least 1; looking one up is several times quicker than drawing it."""
    normal = NormalDist(log(middle), spread)
    return tuple(max(1, round(exp(normal.inv_cdf((step + 0.5) / 256)))) for step in range(256))


_ITEMS_A_DAY = _lognormal(2.8, 0.8)
_CLICKS_AN_ITEM = _lognormal(3.0, 1.2)


@dataclass(frozen=True, slots=True)
class Nature:
    """The traits of one person, each standard normal over people; `loyal` people never let go."""

    ability: float
    diligence: float
    sociability: float
    intensity: float
    loyal: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """What of a course its learners respond to: how each day from `FIRST_DAY` on pulls, and where its items are.

    `useful` are the positions of the content that truly helps.
    """

    course: CourseRun
    pull: tuple[float, ...]
    content: tuple[int, ...]
    forum: tuple[int, ...]
    quiz: tuple[int, ...]
    useful: frozenset[int]
    appeal: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Seat:
    """How someone comes to a course: known by day `latest` at the latest, after `attempts` earlier tries."""

    person: str
    latest: int
    attempts: int = 0
    credits: float = 60.0


@dataclass(frozen=True, slots=True)
class _Stay:
    """A learner's days in a course: from enrolling to `stop`; they care until `cares_until`."""

    enrolled: int
    cares_until: int
    stop: int
    attempts: int


def nature(rng: Random, schooling: float) -> Nature:
    """A person; `schooling` (-2 to 2) helps ability a little, and ability goes with diligence."""
    ability = 0.25 * schooling + 0.95 * rng.gauss(0, 1)
    diligence = 0.45 * ability + 0.9 * rng.gauss(0, 1)
    return Nature(ability, diligence, rng.gauss(0, 1), rng.gauss(0, 1))


def outline(rng: Random, course: CourseRun) -> Outline:
    """Days pull more before a due day, less after it, and less as the course goes on; items differ in appeal."""
    due = _due_days(course)
    content, forum, quiz = (
        tuple(position for position, item in enumerate(course.items) if item.kind == kind)
        for kind in ("content", "forum", "quiz")
    )
    return Outline(
        course,
        tuple(_pull(day, due) for day in range(FIRST_DAY, course.length_days + 1)),
        content,
        forum,
        quiz,
        frozenset(position for place, position in enumerate(content) if helps(place)),
        tuple(rng.uniform(0.25, 1.0) for _ in course.items),
    )


def helps(place: int) -> bool:
    """Whether the content item at this place among the content truly helps: about one in eleven."""
    return (place - 4) % 11 == 0


def register(rng: Random, traits: Nature, course: Outline, seat: Seat) -> Registration:
    """One learner in one course, from enrolment to the end of the course or to leaving."""
    last = course.course.length_days
    enrolled = _enrols(rng, seat.latest)
    gives_up = None if traits.loyal else _lets_go(rng, traits, enrolled, course.course)
    left = None if gives_up is None else _leaves(rng, enrolled, gives_up, last)
    stay = _Stay(enrolled, last if gives_up is None else gives_up, last if left is None else left, seat.attempts)
    clicks = _clicks(rng, traits, course, stay)
    first_seen = {position: day for position, day, _ in reversed(clicks) if position in course.useful}
    submissions = _submissions(rng, traits, course, stay, sorted(first_seen.values()))
    result = None if left is not None else _result(course.course, submissions)
    return Registration(
        seat.person, course.course.id, enrolled, left, seat.credits, seat.attempts, submissions, clicks, result
    )


def _happens(rng: Random, share: float) -> bool:
    return rng.random() < share


def _due_days(course: CourseRun) -> list[int]:
    return [task.due_day for task in course.tasks if task.due_day is not None and task.weight]


def _pull(day: int, due: list[int]) -> float:
    rhythm = max((1.15 * exp(-abs(end - 1 - day) / 2.5) if day <= end else 0.0 for end in due), default=0.0)
    relief = 0.35 if any(day - end in _AFTERWARDS for end in due) else 0.0
    start = 0.55 * exp(-max(day, 0) / 14)
    return rhythm - relief + start - 0.0022 * max(day, 0)


def _enrols(rng: Random, latest: int) -> int:
    """Mostly weeks before the start, now and then after it."""
    day = round(rng.expovariate(0.2)) if _happens(rng, 0.02) else -3 - round(rng.lognormvariate(3.85, 0.75))
    return day if day <= latest else latest - rng.randrange(60)


def _lets_go(rng: Random, traits: Nature, enrolled: int, course: CourseRun) -> int | None:
    """The day they stop caring: some before the start, more in the first weeks, many over work that comes due."""
    due = sorted(_due_days(course))
    if _happens(rng, 0.14):
        return min(-1, enrolled + rng.randrange(1, 60))
    patience = rng.expovariate(1.0) * exp(0.3 * traits.diligence + 0.25 * traits.ability)
    for week in range(course.length_days // 7):
        patience -= 0.0114 + 0.055 * exp(-week / 2)
        if patience < 0:
            day = 7 * week + rng.randrange(7)
            ahead = [end for end in due if end > day]
            return max(day, ahead[0] - rng.randrange(1, 7)) if ahead and _happens(rng, 0.85) else day
    return None


def _leaves(rng: Random, enrolled: int, gives_up: int, last: int) -> int | None:
    """Three in five of those who let go also sign off, most some weeks later; the others stay in silence."""
    if not _happens(rng, 0.62):
        return None
    day = max(enrolled, gives_up) + round(rng.lognormvariate(2.3, 1.0))
    return day if day < last else None


def _clicks(rng: Random, traits: Nature, course: Outline, stay: _Stay) -> tuple[tuple[int, int, int], ...]:
    """Active days: diligence, a mood that wanders from week to week, the day's pull, and fading after letting go."""
    found: list[tuple[int, int, int]] = []
    mood = rng.gauss(0, 0.7)
    for day in range(max(stay.enrolled, FIRST_DAY), stay.stop + 1):
        if day % 7 == 0:
            mood = 0.75 * mood + rng.gauss(0, 0.55)
        fade = (day - stay.cares_until) / 5 if day > stay.cares_until else 0.0
        drive = -1.4 + 0.9 * traits.diligence + mood + course.pull[day - FIRST_DAY] - fade
        if rng.random() * (1 + exp(-drive)) < 1:
            found.extend((position, day, count) for position, count in _visit(rng, traits, course, day, drive))
    return tuple(found)


def _visit(rng: Random, traits: Nature, course: Outline, day: int, drive: float) -> list[tuple[int, int]]:
    """What is opened on one active day, and how often: the home page, then mostly what is new, talk and quizzes."""
    draw = rng.random
    eager = exp(0.22 * traits.intensity + 0.16 * drive)
    picks = round(_ITEMS_A_DAY[int(draw() * 256)] * eager) or 1
    opened = {0} if _happens(rng, 0.8) else set()
    talk = 0.34 + 0.08 * traits.sociability
    front = len(course.content) * max(day, 1) / course.course.length_days + 1
    for _ in range(picks - len(opened)):
        kind = draw()
        if kind < talk:
            opened.add(course.forum[int(draw() ** 2 * len(course.forum))])
        elif kind < talk + 0.08:
            opened.add(course.quiz[int(draw() * len(course.quiz))])
        else:
            place = course.content[min(len(course.content) - 1, max(0, int(front - rng.expovariate(0.3))))]
            if draw() < course.appeal[place]:
                opened.add(place)
    zeal = exp(0.3 * traits.intensity + 0.15 * drive)
    return [(place, round(_CLICKS_AN_ITEM[int(draw() * 256)] * zeal) or 1) for place in sorted(opened or {0})]


def _submissions(
    rng: Random, traits: Nature, course: Outline, stay: _Stay, useful_days: list[int]
) -> tuple[Submission, ...]:
    """Work handed in while they cared, most of it just in time; a repeater may carry the first piece over."""
    fit = rng.gauss(0, 4)
    found = []
    for number, task in enumerate(course.course.tasks):
        due = _SELF_CHECK if task.due_day is None else task.due_day
        odds = exp(2.62 + 0.7 * traits.diligence + 0.3 * traits.ability) if due <= stay.cares_until else 0.05
        day = due + _lag(rng, traits)
        score = _score(rng, traits, task, number, fit + 1.5 * bisect_left(useful_days, day))
        if number == 0 and stay.attempts and stay.enrolled < 0 < stay.stop and _happens(rng, 0.15):
            found.append(Submission(task.id, -1, score, banked=True))
        elif rng.random() * (1 + odds) < odds and max(stay.enrolled, 0) <= day <= stay.stop:
            found.append(Submission(task.id, day, score))
    return tuple(sorted(found, key=lambda one: one.day))


def _result(course: CourseRun, submissions: tuple[Submission, ...]) -> str:
    """What the counted work comes to: missing work scores 0, and work that was never marked is left out."""
    handed = {one.task: one.score for one in submissions}
    scored = [(task.weight, handed.get(task.id, 0.0)) for task in course.tasks if task.counts]
    marked = [(weight, score) for weight, score in scored if score is not None]
    total = sum(weight for weight, _ in marked)
    final = sum(weight * score for weight, score in marked) / total if total else 0.0
    return "distinction" if final >= STRONG else "passed" if final >= PASS else "failed"


def _lag(rng: Random, traits: Nature) -> int:
    """Days after the due day: one in five is late, the careless more often, by about a week."""
    if rng.random() < 1 / (1 + exp(1.33 + 0.4 * traits.diligence)):
        return 1 + int(rng.expovariate(1 / 6))
    return -int(rng.expovariate(1 / 2.3))


def _score(rng: Random, traits: Nature, task: Task, number: int, extra: float) -> float | None:
    """Ability, the task's difficulty, chance, now and then a bad day; a quiz is easier. One in 500 stays unmarked."""
    level = 86.0 if task.type == "quiz" else 68.8 + 1.5 * ((7 * number) % 5 - 2)
    bad_day = 22.0 if _happens(rng, 0.04) else 0.0
    score = level + 6.2 * traits.ability + 4.8 * traits.diligence + extra - bad_day + rng.gauss(0, 9.5)
    return None if _happens(rng, 0.002) else float(min(100, max(0, round(score))))
