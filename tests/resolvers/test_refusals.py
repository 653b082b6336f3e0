"""A verdict as the answer of a mutation."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Any

import pytest

from analytics.policy import NotAllowed, TooMany, Unavailable
from resolvers.errors import SOON
from resolvers.refusals import Reasons, Verdict, refusal


class Reason(Enum):
    """Why not."""

    OFTEN = "often"
    AWAY = "away"
    OTHERS = "others"


REASONS: Reasons = {TooMany: Reason.OFTEN, Unavailable: Reason.AWAY, NotAllowed: Reason.OTHERS}


@pytest.mark.parametrize(
    ("verdict", "reason", "seconds"),
    [
        (TooMany("often", timedelta(seconds=59.2)), Reason.OFTEN, 60),
        (TooMany("often", timedelta(seconds=60)), Reason.OFTEN, 60),
        (TooMany("often", timedelta(seconds=-1)), Reason.OFTEN, 1),
        (Unavailable("away"), Reason.AWAY, SOON),
        (NotAllowed("others"), Reason.OTHERS, None),
    ],
)
def test_a_refusal_says_why_and_never_a_second_too_early_when_to_ask_again(
    verdict: Verdict, reason: Reason, seconds: int | None
) -> None:
    said: dict[str, Any] = refusal(dict, REASONS, verdict)
    assert said == {"reason": reason, "message": reason.value, "retry_after": seconds}
