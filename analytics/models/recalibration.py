"""Recalibration in the large: by how much a trained model's log-odds are off among somebody else's learners.

Only the intercept moves, so the order of learners, and what each factor adds, stay as they were trained. It is
shrunk towards the trained one (Steyerberg and others 2004, doi:10.1002/sim.1844): the shift is the likeliest under
a normal prior around 0, whose spread is how far courses that the model had not seen were off.
"""

import math
from collections.abc import Iterable
from typing import Annotated, NamedTuple

from annotated_types import Ge, Le

from analytics.arithmetic import clamp
from analytics.models.risk import Spread, logistic
from datasources.declare import Unit

MOST_SHIFT = 2.0
"""The furthest an intercept is moved, in log-odds: what is further off was not made for such learners."""

Shift = Annotated[float, Ge(-MOST_SHIFT), Le(MOST_SHIFT), Unit("log-odds", digits=2)]

SURE = 0.0005
"""How near to 0 or 1 a probability is taken to be at most: risks are kept to the tenth of a percent."""

STEPS = 60
NORMAL_80 = 1.2816
"""Eight of ten lie within this many standard deviations."""


class Told(NamedTuple):
    """How many learners were told about which risk (0 to 1) of not passing."""

    learners: float
    risk: float


def shift(told: Iterable[Told], failed: float, deviation: float) -> float:
    """The shift b of the log-odds: failed = sum of learners x sigmoid(logit(risk) + b), plus b / deviation^2.

    Between -2 and 2, and 0 where as many failed as were told to. The right side rises with b, so there is one such
    b, found by halving. It rises with `failed`, and is smaller the smaller the `deviation` of the prior.
    """
    known = [(one.learners, log_odds(one.risk)) for one in told]

    def lacking(by: float) -> float:
        expected = math.fsum(learners * logistic(logit + by) for learners, logit in known)
        return failed - expected - by / deviation**2

    low, high = -MOST_SHIFT, MOST_SHIFT
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if lacking(middle) > 0 else (low, middle)
    return (low + high) / 2


def log_odds(risk: float) -> float:
    """The log-odds of a probability, which is taken to be neither 0 nor 1."""
    sure = clamp(risk, SURE, 1 - SURE)
    return math.log(sure / (1 - sure))


def deviation_of(spread: Spread) -> float:
    """The standard deviation of the log-odds between courses, from the range that held 8 of 10 learners."""
    return (spread.high - spread.low) / (2 * NORMAL_80)
