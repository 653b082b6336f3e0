"""The forecast model as it is served: what the work that is still open may come to.

The coursework score a course ends with is what is secured plus the open share times the mean that the
open work comes to. Only that mean is predicted, so a forecast is never outside of what is still possible.
"""

import functools
import importlib.resources
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from annotated_types import Ge, Le
from pydantic import TypeAdapter

from analytics.arithmetic import clamp
from analytics.models.features import Factor, Standing, features, recent_score
from analytics.models.risk import Finite, ModelError


class ForecastFactor(StrEnum):
    """What the score of the open work is read from."""

    RECENT_SCORE = "recentScore"
    """The exponentially weighted mean of the scores: the newest counts 0.6, all before it share the rest likewise."""
    MISSED = "missed"
    """The share of due work that was not handed in."""
    LATE = "late"
    """The share of handed-in due work that came late."""
    ACTIVITY = "activity"
    """Item-days of the last 30 days beside the course's median, both as ln(1 + n); between -4 and 2."""
    REPEAT = "repeat"
    """1 when the learner takes the course again, else 0."""
    CREDITS = "credits"
    """The studied credits in doublings of 60; between -2 and 4."""


FORECAST_SIGNS: dict[ForecastFactor, int] = {
    ForecastFactor.RECENT_SCORE: 1,
    ForecastFactor.MISSED: -1,
    ForecastFactor.LATE: -1,
    ForecastFactor.ACTIVITY: 1,
    ForecastFactor.REPEAT: 0,
    ForecastFactor.CREDITS: 0,
}
"""The direction each coefficient may have (0: either), so that doing better never looks worse."""

SHARED = {
    ForecastFactor.MISSED: Factor.MISSED,
    ForecastFactor.LATE: Factor.LATE,
    ForecastFactor.ACTIVITY: Factor.ACTIVITY,
    ForecastFactor.REPEAT: Factor.REPEAT,
    ForecastFactor.CREDITS: Factor.CREDITS,
}
"""What the forecast reads as the risk model does."""


def forecast_features(standing: Standing, mean_score: float) -> dict[ForecastFactor, float]:
    """The six numbers; without a score of one's own `mean_score` stands in. `standing.scores` are oldest first."""
    same, recent = features(standing), recent_score(standing.scores)
    return {
        ForecastFactor.RECENT_SCORE: mean_score if recent is None else recent,
        **{ours: same[theirs] for ours, theirs in SHARED.items()},
    }


class Piece(NamedTuple):
    """One counted assessment: its score, None without one, and whether it can still earn points then."""

    weight: float
    score: float | None
    open: bool


class Outlook(NamedTuple):
    """The points of 100 that are earned for good, and the share (0 to 1) of the weight that is still open."""

    secured: float
    open: float


def outlook(pieces: Iterable[Piece]) -> Outlook:
    """What is secured and what is open of these pieces; weights that are all 0 count as equal. Over nothing both 0."""
    pieces = list(pieces)
    total = math.fsum(piece.weight for piece in pieces)
    if not pieces:
        return Outlook(0.0, 0.0)
    weights = [piece.weight / total if total > 0 else 1 / len(pieces) for piece in pieces]
    weighed = list(zip(weights, pieces, strict=True))
    secured = math.fsum(weight * piece.score for weight, piece in weighed if piece.score is not None)
    is_open = math.fsum(weight for weight, piece in weighed if piece.score is None and piece.open)
    return Outlook(clamp(secured, 0.0, 100.0), clamp(is_open, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Residual:
    """How far the mean of the open work fell below and rose above what was predicted on a day, in points.

    In 8 of 10 cases it lay between the two.
    """

    day: int
    low: Annotated[float, Ge(-100), Le(0)]
    high: Annotated[float, Ge(0), Le(100)]


@dataclass(frozen=True, slots=True)
class ForecastModel:
    """A linear model of the mean that the open work comes to, in points of 100.

    `reference` is the mean learner of the training data, `mean_score` the mean recent score of those who had
    one. `residuals` are by day, the earliest first.
    """

    name: str
    version: int
    trained_on: date
    intercept: Finite
    weights: Mapping[ForecastFactor, Finite]
    reference: Mapping[ForecastFactor, Finite]
    mean_score: Annotated[float, Ge(0), Le(100)]
    residuals: tuple[Residual, ...]
    card: Mapping[str, Any]

    def __post_init__(self) -> None:
        for what in (self.weights, self.reference):
            if what.keys() != set(ForecastFactor):
                msg = (
                    f"{self.name}: needs exactly the factors {', '.join(ForecastFactor)}, has {', '.join(sorted(what))}"
                )
                raise ModelError(msg)
        for factor, sign in FORECAST_SIGNS.items():
            if sign * self.weights[factor] < 0:
                msg = f"{self.name}: {factor} has the wrong sign: doing better would look worse"
                raise ModelError(msg)
        days = [residual.day for residual in self.residuals]
        if not days or days != sorted(set(days)):
            msg = f"{self.name}: needs residuals of at least one day, each day once, the earliest first"
            raise ModelError(msg)

    def rest(self, values: Mapping[ForecastFactor, float]) -> float:
        """The mean that the open work comes to, 0 to 100."""
        return clamp(self.line(values), 0.0, 100.0)

    def line(self, values: Mapping[ForecastFactor, float]) -> float:
        """The same before it is kept within 0 to 100: intercept and weighted factors."""
        return math.fsum((self.intercept, *(self.weights[factor] * values[factor] for factor in ForecastFactor)))

    def spread(self, day: int) -> Residual:
        """The residuals of a day, between two days by straight line; before the first and after the last, theirs."""
        before = max((r for r in self.residuals if r.day <= day), key=lambda r: r.day, default=self.residuals[0])
        after = min((r for r in self.residuals if r.day >= day), key=lambda r: r.day, default=self.residuals[-1])
        if before.day == after.day:
            return before
        share = (day - before.day) / (after.day - before.day)
        return Residual(
            day, before.low + share * (after.low - before.low), before.high + share * (after.high - before.high)
        )

    @property
    def widest(self) -> Residual:
        """The residuals of the day on which least is known."""
        return max(self.residuals, key=lambda residual: residual.high - residual.low)


def read(text: str | bytes) -> ForecastModel:
    """The model a JSON text holds.

    Raises:
        pydantic.ValidationError: a part is missing, of the wrong type or out of bounds, or the factors,
            their signs or the days are not the model's (a `ModelError` inside).
    """
    return TypeAdapter(ForecastModel).validate_json(text)


@functools.cache
def forecast_model() -> ForecastModel:
    """The committed model."""
    return read(importlib.resources.files("analytics.models").joinpath("forecast.json").read_text("utf-8"))
