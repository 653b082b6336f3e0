"""The model file: coefficients, and the card that says what they were fitted to and how good they are."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from analytics.models.features import Factor
from analytics.models.risk import RISK_LEVELS
from analytics.training.fit import Fitted, Vector, fit, held_out, measures
from analytics.training.tables import DAYS, Row, Training

LATER = "2014B"
"""The presentations that came last in the tables: the test of a model that only saw earlier ones."""

DATA = {
    "name": "Open University Learning Analytics Dataset (OULAD), 15 presentations of 2013B, 2013J and 2014B",
    "source": "Kuzilek J., Hlosta M., Zdrahal Z. (2017), Scientific Data 4:170171, doi:10.1038/sdata.2017.171",
    "licence": "CC BY 4.0",
    "changes": "30-day cumulative tables derived from the click log; gender, disability and deprivation left out",
}

CHOICES = [
    "Rows: everybody still registered on day 34, 64, 94 or 124, from what was dated up to and including that day.",
    "failOrWithdraw: the final result is Fail or Withdrawn. withdraw30d: unregistered within 30 days after the day.",
    "item-days are click rows, one for each learner, resource and day, of the last 30 days.",
    "Formative work is left out. Banked work is never due, missed or late; its score counts in the mean.",
    "Work without a mark counts as handed in and not in the mean (20 submissions).",
    "lastMissed is 1 when nothing was handed in of all that fell due together last.",
    "No demographic attribute is read, in training or in serving.",
]

LIMITS = [
    (
        "The 2014J presentations are sealed and were not available: leave-one-presentation-out is the honest figure; "
        "it still shares courses, and persons who register twice, between training and test."
    ),
    (
        "One university, distance learning, 2013 and 2014. Elsewhere trust the order more than the percentage, and "
        "recalibrate the intercept once 200 outcomes of one's own are known."
    ),
    "Formal withdrawal within 30 days is rare (3 to 4 %) and hard to predict: read it beside the risk, not instead.",
    "An item may be counted on more days in another platform's log: activity is therefore relative to the course.",
    (
        "missed and lastMissed say nearly the same: how work due on the same day is treated moves weight between "
        "them (1.6 to 2.5 and 0.7 to 0.0) and hardly changes a prediction."
    ),
    "Associations, not causes: raising a factor is not shown to change the outcome.",
]


def matrix_of(rows: Sequence[Row]) -> Vector:
    """The features of the rows, in the order of `Factor`."""
    return np.array([[row.values[factor] for factor in Factor] for row in rows])


def labels_of(rows: Sequence[Row], label: str) -> Vector:
    """One of the two labels of the rows."""
    return np.array([getattr(row, label) for row in rows], dtype=np.float64)


def build(training: Training, *, on: date, version: int) -> dict[str, Any]:
    """Everything in the model file, in its order."""
    rows = training.rows
    matrix = matrix_of(rows)
    risk, leave = labels_of(rows, "fail_or_withdraw"), labels_of(rows, "withdraw_30d")
    unseen = [row.course for row in rows]
    risk_unseen = held_out(matrix, risk, unseen)
    return {
        "name": "drop-off-risk",
        "version": version,
        "trained_on": on.isoformat(),
        "fail_or_withdraw": _coefficients(fit(matrix, risk)),
        "withdraw_30d": _coefficients(fit(matrix, leave)),
        "reference": {factor: round(float(x), 4) for factor, x in zip(Factor, matrix.mean(axis=0), strict=True)},
        "usual": _usual(training),
        "groups": _groups(risk_unseen, risk),
        "card": {
            "data": DATA,
            "method": "logistic regression, maximum likelihood (L-BFGS-B), coefficients bounded by sign, days pooled",
            "rows": len(rows),
            "presentations": sorted(set(unseen)),
            "choices": CHOICES,
            "leaveOnePresentationOut": {
                "failOrWithdraw": _by_day(rows, risk_unseen, risk),
                "withdraw30d": _by_day(rows, held_out(matrix, leave, unseen), leave),
                "failOrWithdrawAucByPresentation": _by_presentation(rows, risk_unseen, risk),
                "failOrWithdrawByLevel": _levels_by_day(rows, risk_unseen, risk),
            },
            "trainedOn2013TestedOn2014B": {
                "failOrWithdraw": _later(rows, matrix, risk),
                "withdraw30d": _later(rows, matrix, leave),
            },
            "limits": LIMITS,
        },
    }


def _coefficients(fitted: Fitted) -> dict[str, Any]:
    return {"intercept": fitted.intercept, "weights": dict(fitted.weights)}


def _usual(training: Training) -> dict[str, Any]:
    by_course: dict[str, list[float]] = defaultdict(list)
    for (course, _), median in training.medians.items():
        by_course[course].append(median)
    return {
        "overall": round(statistics.fmean(training.medians.values()), 1),
        "by_course": {course: round(statistics.fmean(medians), 1) for course, medians in by_course.items()},
    }


def _days(rows: Sequence[Row]) -> Vector:
    return np.array([row.day for row in rows])


def _by_day(rows: Sequence[Row], probabilities: Vector, labels: Vector) -> dict[str, Any]:
    days = _days(rows)
    return {str(day): measures(probabilities[days == day], labels[days == day]) for day in DAYS}


def _by_presentation(rows: Sequence[Row], probabilities: Vector, labels: Vector) -> dict[str, Any]:
    names = np.array([row.course for row in rows])
    return {str(n): measures(probabilities[names == n], labels[names == n])["auc"] for n in sorted(set(names))}


def _groups(probabilities: Vector, labels: Vector) -> list[dict[str, Any]]:
    """How many rows a level has, and the share of them that failed or left."""
    groups = []
    for level, low, high in RISK_LEVELS:
        inside = (probabilities * 100 >= low) & (probabilities * 100 < high)
        groups.append({"level": level, "cases": int(inside.sum()), "observed": round(float(labels[inside].mean()), 3)})
    return groups


def _levels_by_day(rows: Sequence[Row], probabilities: Vector, labels: Vector) -> dict[str, Any]:
    days = _days(rows)
    return {str(day): _groups(probabilities[days == day], labels[days == day]) for day in DAYS}


def _later(rows: Sequence[Row], matrix: Vector, labels: Vector) -> dict[str, Any]:
    test = np.array([row.course.endswith(LATER) for row in rows])
    probabilities = fit(matrix[~test], labels[~test]).probability(matrix[test])
    return _by_day([row for row, later in zip(rows, test, strict=True) if later], probabilities, labels[test])
