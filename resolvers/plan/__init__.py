"""Documents that are compiled, not executed: which subjects, which answers, and then straight to bytes.

`compile_plan` makes a plan of an operation whose whole shape it knows. A plan turns variables and a viewer into a
`Turn`: what to look up (`Turn.ask`), and how what was found becomes the `data` of the response (`Turn.render`),
byte for byte as the ordinary executor and orjson would have it. Plans do no I/O and know no request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from analytics.planned import Ask, Found, Unplanned
from resolvers.plan.document import compile_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.policy import Viewer
    from analytics.record import Tier

__all__ = ["Ask", "Found", "Plan", "Turn", "Unplanned", "compile_plan"]


class Turn(Protocol):
    """One asking of a plan: what it wants to know, and what it makes of it."""

    @property
    def ask(self) -> Ask:
        """What is to be found."""

    @property
    def tells_tier(self) -> bool:
        """Whether the response depends on the tier in which answers were found."""

    def render(self, found: Found, tier: Tier) -> bytes:
        """The `data` of the response as JSON, for rows that were found in this tier.

        What this process remembers (`analytics.record.Answer`) says MEMORY whatever the tier.

        Raises:
            Unplanned: a kept answer is not what the schema declares.
        """


class Plan(Protocol):
    """A document compiled: as good for every viewer, and for every choice of variables."""

    def turn(self, variables: Mapping[str, Any] | None, viewer: Viewer) -> Turn:
        """What the document asks for with these variables, as the client sent them, asked by this viewer.

        Raises:
            Unplanned: the variables are not good, or they ask for something only the ordinary way knows.
        """
