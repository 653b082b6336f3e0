"""What an organization's learning goes into: item-days by goal, through the skills that courses assess."""

import math
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from analytics.arithmetic import day_of
from datasources.assessment import Scores
from datasources.content import Interactions


@dataclass(frozen=True, slots=True)
class Effort:
    """The effort that went into one goal, in item-days, and who made it."""

    item_days: float
    learners: frozenset[str]


def skills_by_course(scores: Mapping[str, Scores], at: datetime) -> dict[str, set[str]]:
    """The skills that each course's handed-in work names."""
    named: defaultdict[str, set[str]] = defaultdict(set)
    for fact in scores.values():
        for record in fact.scores:
            if record.submitted_at <= at:
                named[record.course_id].update(record.skill_ids)
    return dict(named)


def effort_by_goal(
    goals: Mapping[str, AbstractSet[str]],
    interactions: Mapping[str, Interactions],
    courses: Mapping[str, AbstractSet[str]],
    at: datetime,
) -> dict[str, Effort]:
    """The item-days of each goal.

    A course's are split evenly over those of its skills that a goal asks for, a skill's over these goals. An item-day
    is one item opened by one learner on one day. Courses without a skill of any goal are left out.
    """
    weight = {course: _weights(skills, goals) for course, skills in courses.items()}
    parts: defaultdict[str, list[float]] = defaultdict(list)
    who: defaultdict[str, set[str]] = defaultdict(set)
    for learner, fact in interactions.items():
        for course, days in _item_days(fact, at).items():
            for goal, share in weight.get(course, {}).items():
                parts[goal].append(days * share)
                who[goal].add(learner)
    return {goal: Effort(math.fsum(parts[goal]), frozenset(who[goal])) for goal in goals}


def _item_days(fact: Interactions, at: datetime) -> dict[str, int]:
    """The item-days of one learner in each course, up to the day of `at`."""
    today = day_of(at)
    opened = {(i.course_id, i.content_id, i.date) for i in fact.interactions if i.actions > 0 and i.date <= today}
    count: defaultdict[str, int] = defaultdict(int)
    for course, _, _ in opened:
        count[course] += 1
    return count


def _weights(skills: AbstractSet[str], goals: Mapping[str, AbstractSet[str]]) -> dict[str, float]:
    """How a course's effort is split over the goals; nothing where no goal asks for any of its skills."""
    askers = {skill: [goal for goal, asked in goals.items() if skill in asked] for skill in skills}
    wanted = {skill: names for skill, names in askers.items() if names}
    return {
        goal: math.fsum(1 / len(names) / len(wanted) for names in wanted.values() if goal in names)
        for goal in goals
        if any(goal in names for names in wanted.values())
    }
