"""How a made-up learner practises: exercises of their courses' skills, on days they were active anyway."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from datasources.simulator.campus import Practice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from datasources.simulator.behaviour import Nature
    from datasources.simulator.campus import CourseRun, Registration

EXERCISES = 8
"""Exercises for each skill."""

_GOOD_ENOUGH = 0.6
_DAYS_WITH_PRACTICE = 0.3
_LEFT_UNFINISHED = 0.1


def practise(
    rng: Random, traits: Nature, course: CourseRun, registration: Registration, skills: Sequence[str]
) -> tuple[Practice, ...]:
    """Sittings in time order: the next exercise of a skill after a good one, the same again after a poor one."""
    days = sorted({day for _, day, _ in registration.clicks if day >= 0})
    reached: Counter[str] = Counter()
    found = []
    for day in days:
        if rng.random() > _DAYS_WITH_PRACTICE:
            continue
        skill = rng.choice(skills)
        exercise = f"{skill}-exercise-{1 + reached[skill] % EXERCISES}"
        started = course.start + timedelta(days=day, minutes=rng.randrange(7 * 60, 21 * 60))
        if rng.random() < _LEFT_UNFINISHED:
            found.append(Practice(registration.person, exercise, (skill,), started, None, None, 1))
            continue
        raw = 0.55 + 0.12 * traits.ability + 0.03 * reached[skill] + rng.gauss(0, 0.18)
        score = round(min(1.0, max(0.0, raw)), 2)
        reached[skill] += score >= _GOOD_ENOUGH
        completed = started + timedelta(minutes=rng.randrange(6, 90))
        found.append(
            Practice(registration.person, exercise, (skill,), started, completed, score, 1 + int(rng.expovariate(1)))
        )
    return tuple(found)
