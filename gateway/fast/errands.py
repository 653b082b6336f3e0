"""What was looked up lately by a plan, and is looked up again without asking once more who may hear what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.at_hand import Away
from analytics.planned import Unplanned
from gateway.bounded import Bounded

if TYPE_CHECKING:
    from collections.abc import Hashable

    from analytics.at_hand import AtHand, Errand, Finder, Looking
    from gateway.fast.calls import Ticket
    from resolvers.plan import Turn

ERRANDS = 5_000


class Errands:
    """The last that were run, by the key of their requests."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._known: Bounded[Hashable, tuple[Turn, Errand]] = Bounded(ERRANDS, ERRANDS)

    def keep(self, ticket: Ticket, turn: Turn, errand: Errand) -> None:
        """Remember how a request was looked up."""
        self._known.keep(ticket.key, (turn, errand))

    async def again(self, ticket: Ticket) -> tuple[Turn, AtHand] | None:
        """What a request asks for, looked up as it was before; None: it has to be looked for.

        Raises:
            Away: the database does not answer.
        """
        known = self._known.get(ticket.key)
        found = None if known is None else await self._finder.again(known[1])
        return None if known is None or found is None else (known[0], found)

    def let_go(self) -> None:
        """Know no errand any more."""
        self._known.clear()

    def of(self, ticket: Ticket) -> tuple[Turn, Errand] | None:
        """How a request may be looked up again at once; None: it has to be looked for."""
        known = self._known.get(ticket.key)
        return known if known is not None and self._finder.holds(known[1]) else None

    def begin(self, errand: Errand) -> Looking:
        """Begin to look up what may be."""
        return self._finder.begin(errand)

    def ended(self, ticket: Ticket, turn: Turn, looking: Looking) -> bytes | None:
        """The `data` of a response, once there are rows or there is no hope of them; None: it has to be looked for."""
        try:
            found = self._finder.ended(looking)
            if found is not None:
                return turn.render(found.found, found.tier)
        except Away:
            return None
        except Unplanned:
            pass
        except Exception:
            self._known.forget(ticket.key)
            raise
        self._known.forget(ticket.key)
        return None
