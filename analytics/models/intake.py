"""The intake model as it is served: who was likely to pass, from what was known on the first day.

It is only for comparing a course with what its intake let expect (definition 10), never for telling
anybody something about one learner: prior education is in it, and it is weak for one person.
"""

import functools
import importlib.resources
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from annotated_types import Ge, Le
from pydantic import TypeAdapter

from analytics.arithmetic import clamp
from analytics.models.features import FEWEST_CREDITS, MOST_CREDITS, USUAL_CREDITS
from analytics.models.risk import Finite, ModelError, logistic

MOST_ATTEMPTS = 3
"""Previous attempts beyond this many count as this many: hardly anybody has more."""
UNKNOWN = "unknown"
"""Stands for a prior education that is not known, or that the model was not taught."""

EDUCATION = (
    UNKNOWN,
    "no formal quals",
    "lower than a level",
    "a level or equivalent",
    "he qualification",
    "post graduate qualification",
)
"""The prior educations the model knows, in lower case."""

Variance = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, slots=True)
class IntakeModel:
    """A logistic model of passing, and how far real runs lie from what it expects.

    `between` is tau^2: the variance, on the scale of a rate from 0 to 1, of (observed - expected pass rate)
    over runs, with the variance that comes from the number of learners alone taken out.
    """

    name: str
    version: int
    trained_on: date
    intercept: Finite
    education: Mapping[str, Finite]
    attempts: Finite
    credits: Finite
    between: Variance
    card: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.education.keys() != set(EDUCATION):
            msg = f"{self.name}: needs exactly the educations {', '.join(EDUCATION)}"
            raise ModelError(msg)

    def probability(self, education: str | None, previous_attempts: int, credits_: float) -> float:
        """The probability, strictly between 0 and 1, that somebody with this intake passes.

        An education that is None, or not one of `EDUCATION` in any case, counts as unknown: the training mean.
        """
        return logistic(
            math.fsum(
                (
                    self.intercept,
                    self.education.get((education or UNKNOWN).strip().lower(), self.education[UNKNOWN]),
                    self.attempts * attempts_of(previous_attempts),
                    self.credits * load_of(credits_),
                )
            )
        )


def attempts_of(previous: int) -> float:
    """The earlier attempts as the model counts them."""
    return clamp(float(previous), 0.0, float(MOST_ATTEMPTS))


def load_of(credits_: float) -> float:
    """The study load in doublings of 60 credits, -2 to 4; 0 when it is not known (not above 0)."""
    known = credits_ if credits_ > 0 else USUAL_CREDITS
    return math.log2(clamp(known, FEWEST_CREDITS, MOST_CREDITS) / USUAL_CREDITS)


def read(text: str | bytes) -> IntakeModel:
    """The model a JSON text holds.

    Raises:
        pydantic.ValidationError: a part is missing, of the wrong type or out of bounds, or the educations
            are not the model's (a `ModelError` inside).
    """
    return TypeAdapter(IntakeModel).validate_json(text)


@functools.cache
def intake_model() -> IntakeModel:
    """The committed model."""
    return read(importlib.resources.files("analytics.models").joinpath("intake.json").read_text("utf-8"))
