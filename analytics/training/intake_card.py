"""The file of the intake model: who was likely to pass by what was known on the first day, and how runs differ."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from analytics.models.intake import EDUCATION, UNKNOWN, attempts_of, load_of
from analytics.training.fit import Fitted, Vector, logistic, unseen
from analytics.training.measures import judged, judged_by
from analytics.training.said import ASSOCIATIONS, DATA, LATER, SEALED
from analytics.training.tables import Enrolled, Presentation

VERSION = 1
"""Raised when the coefficients, or what is served of them, change."""

TAUGHT = tuple(level for level in EDUCATION if level != UNKNOWN)
BASE = "a level or equivalent"
"""The education the others are compared with: the most frequent one."""
COLUMNS: dict[str, int] = {**{level: 0 for level in TAUGHT if level != BASE}, "attempts": 0, "credits": 0}
"""The features and the sign each coefficient may have: either."""

CHOICES = [
    "Rows: every registration, those who withdrew before the first day too.",
    "Target: Pass or Distinction. Who withdrew did not pass.",
    "Prior education as it was given; an education that is not known, or another one, counts as the training mean.",
    "Previous attempts up to 3; studied credits in doublings of 60.",
    (
        "between is the variance over presentations of the observed less the expected pass rate, each expected by a "
        "model that saw the other presentations, with the variance that comes from their number of learners taken out."
    ),
    "Prior education is the only attribute of a person in it: it is for comparing courses, never for one learner.",
]

LIMITS = [
    SEALED,
    "It is weak, as it must be: most of what decides about passing is not known on the first day.",
    "One university, distance learning, 2013 and 2014, educations as they are named in England.",
    (
        "Fifteen runs of seven courses, two of which make most of it: with other courses drawn, between may be from a "
        "fifth to two and a half times what is said (95 %). Most of it is the course and not its teaching (value added "
        "correlates .98 between runs of one course). No ranks."
    ),
    ASSOCIATIONS,
]


def build(courses: Sequence[Presentation], on: date) -> dict[str, Any]:
    """Everything in the model file, in its order."""
    people = [person for course in courses for person in course.people]
    names = [course.name for course in courses for _ in course.people]
    matrix, passed = matrix_of(people), np.array([person.passed for person in people], dtype=np.float64)
    told = unseen(names, lambda seen, new: logistic(matrix[seen], passed[seen], COLUMNS).probability(matrix[new]))
    fitted = logistic(matrix, passed, COLUMNS)
    runs = _runs(names, told, passed)
    return {
        "name": "intake",
        "version": VERSION,
        "trained_on": on.isoformat(),
        "intercept": fitted.intercept,
        "education": _educations(fitted, people),
        "attempts": fitted.weights["attempts"],
        "credits": fitted.weights["credits"],
        "between": _between(runs),
        "card": {
            "says": "The probability of passing a course by what was known on its first day, to compare runs fairly.",
            "data": DATA,
            "method": "logistic regression, maximum likelihood (L-BFGS-B)",
            "rows": len(people),
            "presentations": sorted(set(names)),
            "features": _features(fitted, people),
            "choices": CHOICES,
            "leaveOnePresentationOut": {
                "passed": {"all": judged(told, passed)},
                "passedByEducation": judged_by([person.about["education"] for person in people], told, passed),
                "valueAddedByPresentation": {
                    name: {key: round(value, 3) for key, value in run.items()} for name, run in runs.items()
                },
            },
            "trainedOn2013TestedOn2014B": {"passed": {"all": _later(names, matrix, passed)}},
            "limits": LIMITS,
        },
    }


def matrix_of(people: Sequence[Enrolled]) -> Vector:
    """The features of the registrations, in the order of `COLUMNS`."""
    levels = [level for level in TAUGHT if level != BASE]
    return np.array(
        [
            [
                *(float(person.about["education"].lower() == level) for level in levels),
                attempts_of(person.attempts),
                load_of(person.credits),
            ]
            for person in people
        ]
    )


def _educations(fitted: Fitted, people: Sequence[Enrolled]) -> dict[str, float]:
    """What each education adds to the log-odds; one that is not known adds the mean."""
    known = {BASE: 0.0, **{level: fitted.weights[level] for level in TAUGHT if level != BASE}}
    mean = np.mean([known[person.about["education"].lower()] for person in people])
    return {UNKNOWN: round(float(mean), 4), **{level: known[level] for level in TAUGHT}}


def _features(fitted: Fitted, people: Sequence[Enrolled]) -> list[dict[str, Any]]:
    had = [person.about["education"].lower() for person in people]
    educations = [
        {"feature": f"education: {level}", "says": f"learners: {had.count(level)}", "coefficient": weight}
        for level, weight in _educations(fitted, people).items()
    ]
    return [
        *educations,
        {"feature": "attempts", "says": "earlier attempts, 3 at most", "coefficient": fitted.weights["attempts"]},
        {
            "feature": "credits",
            "says": "log2(studied credits / 60), within -2 and 4",
            "coefficient": fitted.weights["credits"],
        },
    ]


def _runs(names: Sequence[str], told: Vector, passed: Vector) -> dict[str, dict[str, float]]:
    of, runs = np.array(names), {}
    for name in sorted(set(names)):
        here = of == name
        n, observed, expected = int(here.sum()), float(passed[here].mean()), float(told[here].mean())
        error = float(np.sqrt(np.sum(told[here] * (1 - told[here])))) / n
        runs[name] = {"n": n, "observed": observed, "expected": expected, "added": observed - expected, "error": error}
    return runs


def _between(runs: dict[str, dict[str, float]]) -> float:
    """The mean of the squared value added less the part that chance alone would give; 0 at least."""
    return round(max(0.0, float(np.mean([run["added"] ** 2 - run["error"] ** 2 for run in runs.values()]))), 5)


def _later(names: Sequence[str], matrix: Vector, passed: Vector) -> dict[str, float]:
    test = np.array([name.endswith(LATER) for name in names])
    return judged(logistic(matrix[~test], passed[~test], COLUMNS).probability(matrix[test]), passed[test])
