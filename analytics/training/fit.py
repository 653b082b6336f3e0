"""Sign-constrained regression, logistic by maximum likelihood and linear by least squares; predicting the unseen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear, minimize  # type: ignore[import-untyped]  # scipy ships no types

K = TypeVar("K", bound=str)

Vector = NDArray[np.float64]
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Fitted:
    """One fitted model, its numbers rounded as they are served; the weights are in the order of the columns."""

    intercept: float
    weights: Mapping[str, float]

    def linear(self, matrix: Vector) -> Vector:
        """Intercept and weighted features of each row."""
        return np.asarray(self.intercept + matrix @ np.array(list(self.weights.values())))

    def probability(self, matrix: Vector) -> Vector:
        """The probability of each row of features, where the model is logistic."""
        return np.asarray(np.exp(-np.logaddexp(0, -self.linear(matrix))))


def logistic(matrix: Vector, labels: Vector, signs: Mapping[K, int]) -> Fitted:
    """The maximum-likelihood coefficients, from the same start every time.

    `signs` has one entry for each column, in their order: 1 or -1 where the weight may have that sign only, else 0.
    """
    design = np.column_stack([np.ones(len(matrix)), matrix])

    def loss(beta: Vector) -> tuple[float, Vector]:
        logit = design @ beta
        error = np.exp(-np.logaddexp(0, -logit)) - labels
        return float(np.mean(np.logaddexp(0, logit) - labels * logit)), design.T @ error / len(labels)

    bounds = [(None, None), *({-1: (None, 0), 0: (None, None), 1: (0, None)}[sign] for sign in signs.values())]
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000}
    found = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return _rounded(found.x, signs)


def linear(matrix: Vector, targets: Vector, signs: Mapping[K, int]) -> Fitted:
    """The least-squares coefficients under the same kind of `signs`."""
    design = np.column_stack([np.ones(len(matrix)), matrix])
    low = [-np.inf, *(0.0 if sign > 0 else -np.inf for sign in signs.values())]
    high = [np.inf, *(0.0 if sign < 0 else np.inf for sign in signs.values())]
    # A few thousand times smaller than the tables, the normal equations have the same solution.
    root = np.linalg.cholesky(design.T @ design).T
    found = lsq_linear(root, np.linalg.solve(root.T, design.T @ targets), bounds=(low, high), method="bvls")
    return _rounded(found.x, signs)


def _rounded(beta: Vector, signs: Mapping[K, int]) -> Fitted:
    # Adding 0.0 turns a rounded -0.0 into 0.0, which reads better in the file.
    intercept, *weights = (round(float(b), DIGITS) + 0.0 for b in beta)
    return Fitted(intercept, dict(zip(signs, weights, strict=True)))


def unseen(groups: Sequence[str], predict: Callable[[NDArray[np.bool_], NDArray[np.bool_]], Vector]) -> Vector:
    """Each row's prediction by a model that saw no row of its group.

    `predict` is given which rows to learn from and which to say something about.
    """
    names = np.array(groups)
    out = np.zeros(len(names))
    for name in sorted(set(groups)):
        inside = names == name
        out[inside] = predict(~inside, inside)
    return out
