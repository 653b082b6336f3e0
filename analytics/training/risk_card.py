"""The file of the risk model: coefficients, and the card that says what they were fitted to and how good they are."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from analytics.models.features import SIGNS, Factor
from analytics.training.fit import Fitted, Vector, logistic, unseen
from analytics.training.measures import brier, by_level, judged, judged_by
from analytics.training.rows import DAYS, FIRST_DAY, RiskRow, labels_of, matrix_of, risk_rows, usual
from analytics.training.said import ASSOCIATIONS, DATA, LATER, SEALED, features_table
from analytics.training.spread import spread_of
from analytics.training.tables import ABOUT, Presentation

VERSION = 2
"""Raised when the coefficients, or what is served of them, change."""

CHOICES = [
    "Rows: everybody still registered on day 34, 64, 94 or 124, from what was dated up to and including that day.",
    "failOrWithdraw: the final result is Fail or Withdrawn. withdraw30d: unregistered within 30 days after the day.",
    "item-days are click rows, one for each learner, resource and day, of the last 30 days.",
    "Formative work is left out. Banked work is never due, missed or late; its score counts in the mean.",
    "Work without a mark counts as handed in and not in the mean (20 submissions).",
    "lastMissed is 1 when nothing was handed in of all that fell due together last.",
    "No demographic attribute is read, in training or in serving; some serve to check the calibration by group.",
    (
        "The interval is that of groups, not of persons: for groups of the same presentation, day and level, at least "
        "30 learners, how far the observed log-odds of an unseen presentation lay from the predicted ones; from the "
        "10th to the 90th percentile, each learner counting once. The uncertainty of the coefficients is in it, and "
        "is small beside the differences between courses."
    ),
    (
        "Nothing is said before day 4, the first day there are visits for: it is the earliest cut-off that is known "
        "to beat the base rate. Between day 4 and day 34 nothing could be tested."
    ),
]

LIMITS = [
    SEALED,
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
    (
        "At day 4 the order is weak and not every unseen presentation is predicted better than by its base rate: the "
        "confidence is low until day 28."
    ),
    ASSOCIATIONS,
]

SAYS: dict[Factor, str] = {
    Factor.ACTIVITY: "ln(1 + item-days of the last 30 days) - ln(1 + the course's median), within -4 and 2",
    Factor.MISSED: "share of due work that was not handed in, 0 while none is due",
    Factor.LAST_MISSED: "1 when nothing was handed in of what was due last, else 0",
    Factor.SCORE: "(mean score - 70) / 100, 0 without a score",
    Factor.LATE: "share of handed-in due work that came late",
    Factor.REPEAT: "1 when the course is taken again, else 0",
    Factor.CREDITS: "log2(studied credits / 60), within -2 and 4",
    Factor.ELAPSED: "share of the course that is over",
}


def build(courses: Sequence[Presentation], on: date) -> dict[str, Any]:
    """Everything in the model file, in its order."""
    rows = list(risk_rows(courses))
    matrix = matrix_of(rows)
    risk, leave = labels_of(rows, "fail_or_withdraw"), labels_of(rows, "withdraw_30d")
    names, days = [row.course for row in rows], [row.day for row in rows]
    risk_unseen, leave_unseen = held_out(matrix, risk, names), held_out(matrix, leave, names)
    served, leaving = logistic(matrix, risk, SIGNS), logistic(matrix, leave, SIGNS)
    reference = {factor: round(float(x), 4) for factor, x in zip(Factor, matrix.mean(axis=0), strict=True)}
    spread, covered = spread_of(rows, risk_unseen, risk)
    return {
        "name": "drop-off-risk",
        "version": VERSION,
        "trained_on": on.isoformat(),
        "fail_or_withdraw": _coefficients(served),
        "withdraw_30d": _coefficients(leaving),
        "reference": reference,
        "usual": _usual(courses),
        "spread": spread,
        "floor": FIRST_DAY,
        "groups": by_level(risk_unseen, risk),
        "card": {
            "says": "The probability of not passing a course, and of withdrawing from it within 30 days.",
            "data": DATA,
            "method": "logistic regression, maximum likelihood (L-BFGS-B), coefficients bounded by sign, days pooled",
            "rows": len(rows),
            "presentations": sorted(set(names)),
            "features": features_table(served, reference, SAYS, SIGNS),
            "choices": CHOICES,
            "leaveOnePresentationOut": {
                "failOrWithdraw": judged_by(days, risk_unseen, risk),
                "withdraw30d": judged_by(days, leave_unseen, leave),
                "failOrWithdrawByPresentation": judged_by(names, risk_unseen, risk),
                "failOrWithdrawByLevel": by_level(risk_unseen, risk),
                **{f"failOrWithdrawByLevelOnDay{day}": _on(day, rows, risk_unseen, risk) for day in DAYS},
                "interval": covered,
                "earliestDay": _earliest(courses, rows),
            },
            "trainedOn2013TestedOn2014B": {
                "failOrWithdraw": _later(rows, matrix, risk),
                "withdraw30d": _later(rows, matrix, leave),
            },
            "calibrationByGroupNotInTheModel": {
                what: judged_by([row.about[what] for row in rows], risk_unseen, risk) for what in ABOUT
            },
            "limits": LIMITS,
        },
    }


def held_out(matrix: Vector, labels: Vector, groups: Sequence[str]) -> Vector:
    """Each row's probability by a risk model that saw no row of its group."""
    return unseen(groups, lambda seen, new: logistic(matrix[seen], labels[seen], SIGNS).probability(matrix[new]))


def _coefficients(fitted: Fitted) -> dict[str, Any]:
    return {"intercept": fitted.intercept, "weights": dict(fitted.weights)}


def _usual(courses: Sequence[Presentation]) -> dict[str, Any]:
    medians: dict[str, list[float]] = defaultdict(list)
    for course in courses:
        medians[course.name] = [usual(course, day) for day in DAYS]
    return {
        "overall": round(statistics.fmean(median for found in medians.values() for median in found), 1),
        "by_course": {course: round(statistics.fmean(found), 1) for course, found in medians.items()},
    }


def _on(day: int, rows: Sequence[RiskRow], probabilities: Vector, labels: Vector) -> list[dict[str, Any]]:
    then = np.array([row.day for row in rows]) == day
    return by_level(probabilities[then], labels[then])


def _later(rows: Sequence[RiskRow], matrix: Vector, labels: Vector) -> dict[str, Any]:
    test = np.array([row.course.endswith(LATER) for row in rows])
    probabilities = logistic(matrix[~test], labels[~test], SIGNS).probability(matrix[test])
    return judged_by([row.day for row, later in zip(rows, test, strict=True) if later], probabilities, labels[test])


def _earliest(courses: Sequence[Presentation], rows: Sequence[RiskRow]) -> dict[str, Any]:
    """On which day unseen presentations are predicted better than by the share of the others that did not pass."""
    every = [*risk_rows(courses, (FIRST_DAY,)), *rows]
    matrix, labels = matrix_of(every), labels_of(every, "fail_or_withdraw")
    of, on = np.array([row.course for row in every]), np.array([row.day for row in every])
    taught = on != FIRST_DAY
    names = [row.course for row in every]
    model = unseen(
        names,
        lambda seen, new: logistic(matrix[seen & taught], labels[seen & taught], SIGNS).probability(matrix[new]),
    )
    told = {}
    for day in (FIRST_DAY, *DAYS):
        then = on == day
        rates = {name: labels[then & (of != name)].mean() for name in set(names)}
        base = np.array([rates[name] for name in of[then]])
        told[str(day)] = _against(base, model[then], labels[then], of[then])
    return told


def _against(base: Vector, model: Vector, came: Vector, of: Vector) -> dict[str, Any]:
    """The errors of the model and of the base rate, and in how many presentations the model's is smaller."""
    found = judged(model, came)
    better = [
        brier(model[of == name], came[of == name]) < brier(base[of == name], came[of == name]) for name in set(of)
    ]
    return {
        "n": len(came),
        "auc": found["auc"],
        "brier": found["brier"],
        "brierOfBaseRate": round(brier(base, came), 3),
        "presentationsBetter": sum(better),
        "presentations": len(better),
    }
