"""Sign-constrained logistic regression by maximum likelihood, and the measures it is judged by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships no types

from analytics.models.features import SIGNS, Factor

Vector = NDArray[np.float64]
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Fitted:
    """One fitted model, its numbers rounded as they are served."""

    intercept: float
    weights: Mapping[Factor, float]

    def probability(self, matrix: Vector) -> Vector:
        """The probability of each row of features."""
        logit = self.intercept + matrix @ np.array([self.weights[factor] for factor in Factor])
        return np.asarray(np.exp(-np.logaddexp(0, -logit)))


def fit(matrix: Vector, labels: Vector) -> Fitted:
    """The maximum-likelihood coefficients under the signs of `SIGNS`, from the same start every time."""
    design = np.column_stack([np.ones(len(matrix)), matrix])

    def loss(beta: Vector) -> tuple[float, Vector]:
        logit = design @ beta
        error = np.exp(-np.logaddexp(0, -logit)) - labels
        return float(np.mean(np.logaddexp(0, logit) - labels * logit)), design.T @ error / len(labels)

    free = (None, None)
    bounds = [free, *({-1: (None, 0), 0: free, 1: (0, None)}[SIGNS[factor]] for factor in Factor)]
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000}
    found = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    # Adding 0.0 turns a rounded -0.0 into 0.0, which reads better in the file.
    intercept, *weights = (round(float(b), DIGITS) + 0.0 for b in found.x)
    return Fitted(intercept, dict(zip(Factor, weights, strict=True)))


def auc(probabilities: Vector, labels: Vector) -> float:
    """The chance that somebody it happened to was given the higher probability, ties counted half."""
    negative = np.sort(probabilities[labels == 0])
    positive = probabilities[labels == 1]
    below = np.searchsorted(negative, positive, "left")
    not_above = np.searchsorted(negative, positive, "right")
    return float(np.mean(below + not_above) / 2 / len(negative))


def brier(probabilities: Vector, labels: Vector) -> float:
    """The mean squared distance between what was said and what came."""
    return float(np.mean((probabilities - labels) ** 2))


def precision_at(probabilities: Vector, labels: Vector, share: float) -> float:
    """The share it really happened to among the `share` of people with the highest probabilities."""
    top = np.argsort(-probabilities, kind="stable")[: max(1, int(len(labels) * share))]
    return float(np.mean(labels[top]))


def measures(probabilities: Vector, labels: Vector) -> dict[str, float]:
    """What a set of predictions is worth."""
    return {
        "n": len(labels),
        "observed": round(float(np.mean(labels)), 3),
        "predicted": round(float(np.mean(probabilities)), 3),
        "auc": round(auc(probabilities, labels), 3),
        "brier": round(brier(probabilities, labels), 3),
        "precisionTop10Percent": round(precision_at(probabilities, labels, 0.1), 3),
    }


def held_out(matrix: Vector, labels: Vector, groups: Sequence[str]) -> Vector:
    """Each row's probability by a model that saw no row of its group."""
    names = np.array(groups)
    out = np.zeros(len(labels))
    for name in sorted(set(groups)):
        inside = names == name
        out[inside] = fit(matrix[~inside], labels[~inside]).probability(matrix[inside])
    return out
