"""Verdicts as answers of a mutation: the reason for a program, in a sentence, and when to ask again."""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from analytics.policy import NotAllowed, NotFound, TooMany, Unavailable
from resolvers.errors import SOON
from resolvers.scalars import Seconds

R = TypeVar("R")

Verdict = NotFound | NotAllowed | TooMany | Unavailable
Reasons = Mapping[type[Verdict], Any]
"""Which reason of a mutation each verdict is; verdicts that are not named are none of its refusals."""


def refusal(kind: Callable[..., R], reasons: Reasons, verdict: Verdict) -> R:
    """What a mutation answers to a verdict: a `kind` with the reason for it, its message, and when to ask again."""
    return kind(reason=reasons[type(verdict)], message=verdict.message, retry_after=_retry_after(verdict))


def _retry_after(verdict: Verdict) -> Seconds | None:
    """When asking again would help, and not a second before; None where it would not."""
    if isinstance(verdict, TooMany):
        return Seconds(max(1, math.ceil(verdict.retry_after.total_seconds())))
    return Seconds(SOON) if isinstance(verdict, Unavailable) else None
