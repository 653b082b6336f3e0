"""Training rows: one learner in one presentation on one day, from what was dated up to and including it."""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.models.features import Factor, features
from analytics.models.forecast import ForecastFactor, Piece, forecast_features, outlook
from analytics.training.fit import Vector
from analytics.training.tables import WINDOW, Enrolled, Presentation, Submission

DAYS = (34, 64, 94, 124)
"""The days a learner is looked at; the tables hold cumulative visits for them and for 30 days before each."""
FIRST_DAY = 4
"""The first day there are visits for."""


@dataclass(frozen=True, slots=True)
class RiskRow:
    """What was known of one learner in one course on one day, and what became of it."""

    course: str
    day: int
    values: Mapping[Factor, float]
    fail_or_withdraw: bool
    withdraw_30d: bool
    about: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """The work of one learner in one course as it stood on one day, and the coursework score it came to.

    The scores are of 100 and `open` is a share; without a score (`scored`) the recent score, the average and
    the last score are 0.
    """

    course: str
    day: int
    values: Mapping[ForecastFactor, float]
    scored: bool
    secured: float
    open: float
    own_average: float
    last: float
    final: float

    @property
    def rest(self) -> float:
        """The mean the open work came to, 0 when there was none; more than 100 when lost work came after all."""
        return (self.final - self.secured) / self.open if self.open else 0.0


def usual(course: Presentation, day: int) -> float:
    """The median item-days of the last 30 days over those registered on the day."""
    return statistics.median(person.item_days(day) for person in course.people if person.registered(day))


def risk_rows(courses: Iterable[Presentation], days: Sequence[int] = DAYS) -> Iterator[RiskRow]:
    """A row for everybody still registered on each of these days; only the two labels look further."""
    for course in courses:
        for day in days:
            median = usual(course, day)
            for person in course.people:
                if person.registered(day):
                    yield RiskRow(
                        course=course.name,
                        day=day,
                        values=features(course.standing(person, day, median)),
                        fail_or_withdraw=person.result in {"Fail", "Withdrawn"},
                        withdraw_30d=person.left_day is not None and person.left_day <= day + WINDOW,
                        about=person.about,
                    )


def forecast_rows(courses: Iterable[Presentation], days: Sequence[int] = DAYS) -> Iterator[ForecastRow]:
    """A row for everybody registered on each of these days who stayed to the end."""
    for course in courses:
        for day in days:
            median = usual(course, day)
            for person in course.people:
                if person.registered(day) and person.result != "Withdrawn":
                    yield _forecast_row(course, person, day, median)


def _forecast_row(course: Presentation, person: Enrolled, day: int, median: float) -> ForecastRow:
    standing = course.standing(person, day, median)
    known = person.known(course.work, day)
    now = outlook(
        Piece(task.weight, _score(known.get(name)), name in known or task.due is None or task.due > day)
        for name, task in course.work.items()
    )
    end = outlook(
        Piece(task.weight, _score(person.submissions.get(name)), open=False) for name, task in course.work.items()
    )
    weights = [course.work[name].weight for name, handed_in in known.items() if handed_in.score is not None]
    scores = standing.scores
    return ForecastRow(
        course=course.name,
        day=day,
        values=forecast_features(standing, 0.0),
        scored=bool(scores),
        secured=now.secured,
        open=now.open,
        own_average=float(np.average(scores, weights=weights if any(weights) else None)) if scores else 0.0,
        last=scores[-1] if scores else 0.0,
        final=end.secured,
    )


def _score(submission: Submission | None) -> float | None:
    return None if submission is None else submission.score


def matrix_of(rows: Sequence[RiskRow]) -> Vector:
    """The features of the rows, in the order of `Factor`."""
    return np.array([[row.values[factor] for factor in Factor] for row in rows])


def labels_of(rows: Sequence[RiskRow], label: str) -> Vector:
    """One of the two labels of the rows."""
    return np.array([getattr(row, label) for row in rows], dtype=np.float64)
