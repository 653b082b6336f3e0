"""The words a service is declared with: data only, nothing here performs IO.

A bound is said once, in an annotation, and heard everywhere: the boundary rejects by it, Hypothesis
generates by it, the mock stays believable by it, and the codec rounds by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Annotated, Any

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AwareDatetime


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts, for people, and how many decimals of it are worth saying."""

    says: str
    digits: int | None = None


Id = Annotated[str, MinLen(1), MaxLen(100)]
Text = Annotated[str, MaxLen(2000)]
Instant = AwareDatetime
MOST = 2**31 - 1
"""The highest count: the largest whole number that GraphQL can say."""
Count = Annotated[int, Ge(0), Le(MOST), Unit("count")]
Share = Annotated[float, Ge(0), Le(1), Unit("share of 1", digits=3)]
Score = Annotated[float, Ge(0), Le(100), Unit("points of 100", digits=1)]
Weight = Annotated[float, Ge(0), Le(1000), Unit("weight")]


class Origin(Enum):
    """What the facts behind a value are; an answer's origin is the worst of its inputs'."""

    LIVE = 0
    """The services said so now, or when the answer was worked out."""
    LAST_KNOWN = 1
    """A service is down; this is what it said last."""
    PARTIAL = 2
    """A service is down; the answer was worked out without it, and is poorer for it."""
    MOCK = 3
    """A service is down and nothing it said is known: this is made up, and no basis for a decision."""


class About(StrEnum):
    """Whose id an endpoint is asked with."""

    USER = "user"
    ORGANIZATION = "organization"
    COURSE = "course"
    CONTENT = "content"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One read of one service: a fact for each id, many ids in one call when the batch twin is there.

    `path` holds `{id}` once, or not at all when the fact is about the market. The batch twin of a
    path is the path up to the id, plus `/batch` and what follows the id (`batch_path`).
    """

    fact: type[Any]
    path: str
    about: About = About.USER
    at_most: int = 100
    batched: bool = True

    @property
    def batch_path(self) -> str:
        """`/users/{id}/logins` becomes `/users/logins/batch`."""
        return self.path.replace("/{id}", "") + "/batch"


@dataclass(frozen=True, slots=True)
class Call:
    """One action of one service: asked with a body, answered with a fact, never retried.

    `timeout` is how long it may take; None: as long as a read of the service.
    """

    ask: type[Any]
    answer: type[Any]
    path: str
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Breaker:
    """When to stop asking a service, and for how long."""

    failures_in_a_row: int = 5
    window: int = 20
    failed_share: float = 0.5
    rest: timedelta = timedelta(seconds=30)
    longest_rest: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Service:
    """One external service, declared whole.

    `timeout` is for the whole affair, retries included; `attempts` bounds the tries inside it.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    calls: tuple[Call, ...] = ()
    attempts: int = 3
    timeout: timedelta = timedelta(seconds=5)
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def variable(self) -> str:
        """The environment variable that says where the service is: `learner-ai` -> `LEARNER_AI_SERVICE_URL`."""
        return self.name.upper().replace("-", "_") + "_SERVICE_URL"
