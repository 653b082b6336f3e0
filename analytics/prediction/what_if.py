"""What the risk would be if somebody did something about it: pure arithmetic on the model's factors.

It says what the model would say of such a learner, and not what the change would cause.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from analytics.models.features import Factor
from analytics.models.risk import Coefficients, logistic


class RiskChange(StrEnum):
    """What somebody could do."""

    CATCH_UP = "catch-up"
    """Hand in all due work that is missing, late, with the mean score as it is."""
    BE_ACTIVE = "be-active"
    """Open as many items as is usual in the course."""
    BOTH = "both"
    """Do the one and the other."""


class Outcome(NamedTuple):
    """One change, and the probability (0 to 1) of not passing that the model gives to such a learner."""

    change: RiskChange
    probability: float


def what_if(values: Mapping[Factor, float], model: Coefficients, *, activity_known: bool = True) -> tuple[Outcome, ...]:
    """The changes that would lower the risk, in the order of `RiskChange`; never one that raises it.

    `BOTH` is among them only where each of the two lowers it. An activity that is not known is not compared
    with what is usual.
    """
    caught_up, active = _caught_up(values), _active(values) if activity_known else {}
    now = model.logit(values)
    lower = {
        change: logit
        for change, changed in (
            (RiskChange.CATCH_UP, {**values, **caught_up}),
            (RiskChange.BE_ACTIVE, {**values, **active}),
        )
        if (logit := model.logit(changed)) < now
    }
    if len(lower) > 1:
        lower[RiskChange.BOTH] = model.logit({**values, **caught_up, **active})
    return tuple(Outcome(change, logistic(logit)) for change, logit in lower.items())


def _caught_up(values: Mapping[Factor, float]) -> dict[Factor, float]:
    """Nothing is missed any more, and what was missed is late now, beside what was late of the rest."""
    missed = values[Factor.MISSED]
    late = values[Factor.LATE] * (1 - missed) + missed
    return {Factor.MISSED: 0.0, Factor.LAST_MISSED: 0.0, Factor.LATE: late}


def _active(values: Mapping[Factor, float]) -> dict[Factor, float]:
    """At least as active as is usual, which is 0."""
    return {Factor.ACTIVITY: max(0.0, values[Factor.ACTIVITY])}
