"""The file of the forecast model: coefficients, residuals, and the card that says how good it is."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from analytics.models.forecast import FORECAST_SIGNS, ForecastFactor
from analytics.training.fit import Fitted, Vector, linear, unseen
from analytics.training.measures import off_by
from analytics.training.rows import DAYS, ForecastRow, forecast_rows
from analytics.training.said import ASSOCIATIONS, DATA, LATER, SEALED, features_table
from analytics.training.tables import Presentation

VERSION = 1
"""Raised when the coefficients, or what is served of them, change."""
TAIL = 0.1
RECENT = list(ForecastFactor).index(ForecastFactor.RECENT_SCORE)

CHOICES = [
    "Rows: everybody registered on day 34, 64, 94 or 124 who did not withdraw later; who leaves gets no final score.",
    "Target: the weighted coursework score of 100 at the end, work that was never handed in as 0.",
    (
        "Fitted is the mean that the open work comes to: (final - secured) / open share. Open is what is not yet due, "
        "or handed in and not marked. Overdue work counts as lost: by day 124 2 % of learners earned points by it."
    ),
    "Where all weights of a course are 0, all its counted work weighs the same.",
    (
        "Without a score the mean recent score of the training data stands in. Taking the mean result of the others "
        "instead is further off: see withoutAScore."
    ),
    "Residuals: the 10th and 90th percentile, by day, of what the open work came to less what was predicted.",
    "No demographic attribute is read.",
]

LIMITS = [
    SEALED,
    "One university, distance learning, 2013 and 2014; marks of other platforms may be spread otherwise.",
    "It is of coursework; an exam that does not count towards it is not foreseen.",
    "It is of learners who stay. Who leaves earns nothing more: read the risk beside it.",
    "The interval is that of single learners, by day since the start, whatever the course's length.",
    "For several courses the ends of the intervals are averaged: the interval of the mean is narrower, if anything.",
    ASSOCIATIONS,
]

SAYS: dict[ForecastFactor, str] = {
    ForecastFactor.RECENT_SCORE: "exponentially weighted mean of the scores, the newest counting 0.6",
    ForecastFactor.MISSED: "share of due work that was not handed in, 0 while none is due",
    ForecastFactor.LATE: "share of handed-in due work that came late",
    ForecastFactor.ACTIVITY: "ln(1 + item-days of the last 30 days) - ln(1 + the course's median), within -4 and 2",
    ForecastFactor.REPEAT: "1 when the course is taken again, else 0",
    ForecastFactor.CREDITS: "log2(studied credits / 60), within -2 and 4",
}


class Table:
    """The rows as columns of numbers."""

    def __init__(self, rows: Sequence[ForecastRow]) -> None:
        self.course = [row.course for row in rows]
        self.day = np.array([row.day for row in rows])
        self.values = np.array([[row.values[factor] for factor in ForecastFactor] for row in rows])
        self.scored = np.array([row.scored for row in rows])
        self.missed = np.array([row.values[ForecastFactor.MISSED] > 0 for row in rows])
        self.secured, self.open = (np.array([getattr(row, name) for row in rows]) for name in ("secured", "open"))
        self.own, self.last = (np.array([getattr(row, name) for row in rows]) for name in ("own_average", "last"))
        self.final = np.array([row.final for row in rows])
        self.rest = np.array([row.rest for row in rows])
        self.has_rest = self.open > 0

    def mean_score(self, seen: Any) -> float:
        """The mean recent score of the rows that have one."""
        return round(float(self.values[seen & self.scored, RECENT].mean()), 2)

    def matrix(self, mean_score: float) -> Vector:
        """The features, `mean_score` standing in where there is no score."""
        matrix = self.values.copy()
        matrix[~self.scored, RECENT] = mean_score
        return matrix

    def fit(self, seen: Any) -> tuple[Fitted, float]:
        """The model of these rows, and the mean score that stands in."""
        mean_score, used = self.mean_score(seen), seen & self.has_rest
        return linear(self.matrix(mean_score)[used], self.rest[used], FORECAST_SIGNS), mean_score

    def predict(self, seen: Any, new: Any) -> Vector:
        """The mean of the open work of some rows, as a model of other rows has it."""
        fitted, mean_score = self.fit(seen)
        return np.clip(fitted.linear(self.matrix(mean_score)[new]), 0, 100)


def build(courses: Sequence[Presentation], on: date) -> dict[str, Any]:
    """Everything in the model file, in its order."""
    table = Table(list(forecast_rows(courses)))
    every = np.ones(len(table.final), dtype=bool)
    fitted, mean_score = table.fit(every)
    means = table.matrix(mean_score).mean(axis=0)
    reference = {factor: round(float(x), 4) for factor, x in zip(ForecastFactor, means, strict=True)}
    rest = unseen(table.course, table.predict)
    constant = unseen(table.course, lambda seen, new: np.full(new.sum(), table.final[seen].mean()))
    return {
        "name": "performance-forecast",
        "version": VERSION,
        "trained_on": on.isoformat(),
        "intercept": fitted.intercept,
        "weights": dict(fitted.weights),
        "reference": reference,
        "mean_score": mean_score,
        "residuals": [{"day": day, **_residual(table, rest, every, day)} for day in DAYS],
        "card": {
            "says": "The coursework score a learner ends a course with: secured + open share x what the open comes to.",
            "data": DATA,
            "method": "linear regression, least squares, coefficients bounded by sign, days pooled",
            "rows": len(table.final),
            "presentations": sorted(set(table.course)),
            "features": features_table(fitted, reference, SAYS, FORECAST_SIGNS),
            "choices": CHOICES,
            "leaveOnePresentationOut": {
                "meanAbsoluteError": {str(day): _errors(table, rest, constant, table.day == day) for day in DAYS},
                "interval80": {str(day): _coverage(table, rest, day) for day in DAYS},
                "meanAbsoluteErrorByPresentation": _by_presentation(table, rest, constant),
                "withoutAScore": _without(table, rest, constant),
            },
            "trainedOn2013TestedOn2014B": {"meanAbsoluteError": _later(table, constant)},
            "limits": [*LIMITS, _where_it_loses(table, rest, constant)],
        },
    }


def _errors(table: Table, rest: Vector, constant: Vector, rows: Any) -> dict[str, float]:
    """The errors of every way to predict; where there is no score, the baselines take 0 for it."""
    recent = table.values[:, RECENT]
    ways = {
        "constant": constant,
        "lastScore": table.last,
        "ownAverage": table.own,
        "securedAndRecentScore": table.secured + table.open * recent,
        "model": table.secured + table.open * rest,
    }
    return {"n": int(rows.sum()), **off_by({way: told[rows] for way, told in ways.items()}, table.final[rows])}


def _by_presentation(table: Table, rest: Vector, constant: Vector) -> dict[str, dict[str, float]]:
    names = np.array(table.course)
    return {str(name): _errors(table, rest, constant, names == name) for name in sorted(set(table.course))}


def _where_it_loses(table: Table, rest: Vector, constant: Vector) -> str:
    """In which unseen presentations a learner's own average is nearer than the model."""
    errors = _by_presentation(table, rest, constant)
    lost = [name for name, ways in errors.items() if ways["ownAverage"] < ways["model"]]
    return f"The learner's own average is nearer than the model in {len(lost)} of {len(errors)} presentations: {lost}."


def _residual(table: Table, rest: Vector, seen: Any, day: int) -> dict[str, float]:
    used = seen & table.has_rest & (table.day == day)
    low, high = np.quantile((table.rest - rest)[used], [TAIL, 1 - TAIL])
    return {"low": round(min(float(low), 0.0), 1), "high": round(max(float(high), 0.0), 1)}


def _coverage(table: Table, rest: Vector, day: int) -> dict[str, float]:
    """How often intervals from the residuals of the other presentations held the score, and how wide they were."""
    names, inside, widths = np.array(table.course), [], []
    for name in sorted(set(table.course)):
        here = (names == name) & (table.day == day)
        residual = _residual(table, rest, names != name, day)
        low, high = (
            table.secured[here] + table.open[here] * np.clip(rest[here] + residual[end], 0, 100)
            for end in ("low", "high")
        )
        # A millionth of a point for what is lost by adding up weights.
        inside.extend((low - 1e-6 <= table.final[here]) & (table.final[here] <= high + 1e-6))
        widths.extend(high - low)
    return {
        "n": len(inside),
        "coverage": round(float(np.mean(inside)), 3),
        "meanWidth": round(float(np.mean(widths)), 1),
    }


def _without(table: Table, rest: Vector, constant: Vector) -> dict[str, dict[str, float]]:
    """Learners without a score: the model, and the mean result of the others for all that is open."""
    ways = {"model": table.secured + table.open * rest, "meanResult": table.secured + table.open * constant}
    nothing_due = ~table.scored & ~table.missed
    due = ~table.scored & table.missed
    return {
        name: {"n": int(rows.sum()), **off_by({way: told[rows] for way, told in ways.items()}, table.final[rows])}
        for name, rows in (("nothing missed", nothing_due), ("due work missed", due))
    }


def _later(table: Table, constant: Vector) -> dict[str, dict[str, float]]:
    test = np.array([name.endswith(LATER) for name in table.course])
    rest = np.zeros(len(test))
    rest[test] = table.predict(~test, test)
    told = np.where(test, table.final[~test].mean(), constant)
    return {str(day): _errors(table, rest, told, test & (table.day == day)) for day in DAYS}
