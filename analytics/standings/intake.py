"""How many of a finished course passed, beside how many its intake let expect."""

import math
from datetime import datetime

from analytics.arithmetic import clamp, day_of, mean, quality
from analytics.declare import Family, Role, Scope, Starters, Withheld, WithheldReason, metric
from analytics.models.intake import IntakeModel, intake_model
from analytics.rolls import Roll
from analytics.standings.places import UNKNOWN_AT_MOST, passed, places_at, stay_of
from analytics.standings.values import CourseIntake
from datasources.course import Progress
from datasources.directory import User


@metric(
    Scope.COURSE,
    key="course-intake",
    family=Family.INTERNAL,
    roles={Role.TRAINER, Role.ORG_ADMIN},
    formula="observed = passed / everyone enrolled; expected = mean probability by prior education, attempts, credits",
)
def course_intake(
    roll: Roll, people: Starters[User], progress: Starters[Progress], *, at: datetime
) -> CourseIntake | Withheld:
    """How many of those who ever enrolled in a finished course passed, and how many their intake let expect.

    Who left did not pass. A prior education that is not known counts as the mean one. Withheld until the course
    is over, and while more than a tenth of the outcomes, or of the enrolments' attempts and credits, are not known.
    """
    if at < roll.ends_at:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "The course is not over yet.")
    places = places_at(roll, at)
    model, found = intake_model(), []
    for place in places:
        outcome = passed(place)
        person, taken = people.by_learner.get(place.learner), progress.by_learner.get(place.learner)
        likely = None if taken is None else _likely(model, roll.course, person, taken, at)
        if outcome is not None and likely is not None:
            found.append((place, outcome, likely))
    observed, expected = mean(float(outcome) for _, outcome, _ in found), mean(likely for *_, likely in found)
    if observed is None or expected is None or len(places) - len(found) > UNKNOWN_AT_MOST * len(places):
        message = "How the course ended, or with which intake it began, is not known for enough of its learners."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message)
    spread = math.fsum(likely * (1 - likely) for *_, likely in found)
    return CourseIntake(
        course=roll.course,
        title=roll.title,
        starts=roll.starts_at,
        ends=roll.ends_at,
        learners=len(found),
        observed=observed,
        expected=expected,
        error=clamp(math.sqrt(spread) / len(found), 0.0, 1.0),
        quality=quality([day_of(place.enrolled_at) for place, *_ in found], enough=30, span=1),
    )


def _likely(model: IntakeModel, course: str, person: User | None, taken: Progress, at: datetime) -> float | None:
    """The probability of passing, from what was known on the first day; None without the place in the course."""
    stay = stay_of(course, taken, at)
    education = None if person is None else person.education
    return None if stay is None else model.probability(education, stay.previous_attempts, stay.credits)
