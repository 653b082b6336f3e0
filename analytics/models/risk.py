"""The risk model as it is served: read once from `risk.json`, checked, typed."""

import functools
import importlib.resources
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any

from annotated_types import Ge, Le
from pydantic import TypeAdapter

from analytics.models.features import SIGNS, Factor

Finite = Annotated[float, Ge(-100), Le(100)]
Rate = Annotated[float, Ge(0), Le(1)]


RISK_LEVELS = (("low", 0.0, 25.0), ("moderate", 25.0, 50.0), ("high", 50.0, 75.0), ("critical", 75.0, 100.1))
"""The name of each level of risk, from which score on, and below which score."""


class ModelError(ValueError):
    """A model file cannot be served; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """One logistic model: the log-odds are the intercept and each feature times its weight."""

    intercept: Finite
    weights: Mapping[Factor, Finite]

    def logit(self, values: Mapping[Factor, float]) -> float:
        """The log-odds of these features."""
        return math.fsum((self.intercept, *(self.weights[factor] * values[factor] for factor in Factor)))

    def probability(self, values: Mapping[Factor, float]) -> float:
        """The probability of these features, strictly between 0 and 1 up to rounding."""
        return logistic(self.logit(values))

    def shifted(self, by: float) -> "Coefficients":
        """The same model with so much more in its intercept: everybody's log-odds move alike."""
        return replace(self, intercept=self.intercept + by)


@dataclass(frozen=True, slots=True)
class Group:
    """Unseen presentations at one risk level: the cases (learners on a day), the mean risk, who did not pass."""

    level: str
    cases: int
    predicted: Rate
    observed: Rate


@dataclass(frozen=True, slots=True)
class Spread:
    """How far off the log-odds were in presentations the model had not seen, for groups of equal level and day.

    For 8 of 10 learners the observed log-odds of their group lay between `low` below and `high` above.
    """

    low: Annotated[float, Ge(-10), Le(0)]
    high: Annotated[float, Ge(0), Le(10)]


@dataclass(frozen=True, slots=True)
class Usual:
    """The median item-days of 30 days, over all training courses and for each."""

    overall: float
    by_course: Mapping[str, float]

    def of(self, course: str) -> float:
        """The course's own median where it is known, else the one over all."""
        return self.by_course.get(course, self.overall)


@dataclass(frozen=True, slots=True)
class RiskModel:
    """Both models, and what is needed to explain them.

    `reference` is the mean learner of the training data; before day `floor` of a course nothing is said.
    """

    name: str
    version: int
    trained_on: date
    fail_or_withdraw: Coefficients
    withdraw_30d: Coefficients
    reference: Mapping[Factor, Finite]
    usual: Usual
    spread: Spread
    floor: Annotated[int, Ge(0), Le(365)]
    groups: tuple[Group, ...]
    card: Mapping[str, Any]

    def __post_init__(self) -> None:
        for what in (self.fail_or_withdraw.weights, self.withdraw_30d.weights, self.reference):
            if what.keys() != set(Factor):
                msg = f"{self.name}: needs exactly the factors {', '.join(Factor)}, has {', '.join(sorted(what))}"
                raise ModelError(msg)
        for model in (self.fail_or_withdraw, self.withdraw_30d):
            for factor, sign in SIGNS.items():
                if sign * model.weights[factor] < 0:
                    msg = f"{self.name}: {factor} has the wrong sign: more of the good would look worse"
                    raise ModelError(msg)


def logistic(logit: float) -> float:
    """The probability of these log-odds, for any finite log-odds."""
    if logit < 0:
        return math.exp(logit) / (1 + math.exp(logit))
    return 1 / (1 + math.exp(-logit))


def read(text: str | bytes) -> RiskModel:
    """The model a JSON text holds.

    Raises:
        pydantic.ValidationError: a part is missing, of the wrong type or out of bounds, or the factors
            or their signs are not the model's (a `ModelError` inside).
    """
    return TypeAdapter(RiskModel).validate_json(text)


@functools.cache
def risk_model() -> RiskModel:
    """The committed model."""
    return read(importlib.resources.files("analytics.models").joinpath("risk.json").read_text("utf-8"))
