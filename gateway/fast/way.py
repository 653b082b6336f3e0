"""The short way: requests that are plain in every respect, answered from what is kept or by a plan."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import structlog
from starlette.datastructures import Headers

from analytics.at_hand import Away
from analytics.planned import Unplanned
from analytics.record import Tier
from datasources.postgres.session import Actor
from gateway.budget import OwnTill, refusal_of
from gateway.fast.calls import Look, Reply, Ticket, Waiting, WayStatistics
from gateway.fast.errands import Errands
from gateway.fast.kept import Kept
from gateway.fast.tickets import Tickets
from gateway.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analytics.arriving import Arrivals
    from analytics.at_hand import AtHand, Finder
    from analytics.hearsay import Hearsay
    from analytics.world import World
    from gateway.auth import Authenticator, Remembered
    from gateway.budget import Till, Verdict
    from gateway.fast.calls import Call
    from gateway.fast.heads import Head, Heads
    from gateway.fast.kept import KeptResponses
    from gateway.fast.lines import Lines
    from gateway.fast.requests import Requests
    from gateway.http import Terms
    from resolvers.plan import Turn

LOG = structlog.get_logger(__name__)


class ShortWay:
    """Answers the requests that are plain in every respect. Belongs to one event loop."""

    def __init__(  # noqa: PLR0913  (the parts it is made of, each by name)
        self,
        *,
        world: World,
        heads: Heads,
        requests: Requests,
        kept: KeptResponses,
        finder: Finder,
        hearsay: Hearsay,
        arrivals: Arrivals,
        authenticator: Authenticator,
        till: Till | None,
        terms: Terms,
        lines: Lines | None = None,
        observe: Callable[[str, int, float], None] = lambda _kind, _status, _seconds: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.clock = clock
        self.terms = terms
        self._world = world
        self._heads = heads
        self._requests = requests
        self._kept = kept
        self._finder = finder
        self._hearsay = hearsay
        self._arrivals = arrivals
        self._authenticator = authenticator
        self._till = till
        self._own = till if isinstance(till, OwnTill) else None
        self._say: Callable[..., Any] = (lines or structlog.get_logger("gateway.request")).info
        self._observe = observe
        self._counts = WayStatistics()
        self._errands = Errands(finder)
        self.tickets = Tickets(wanted=self._own is till)

    def statistics(self) -> WayStatistics:
        """Counts since the start."""
        return self._counts

    def let_go(self) -> None:
        """Know nobody any more who asked, nor what was looked up for them; requests under way bring nothing back."""
        self.tickets.clear()
        self._errands.let_go()

    def head(self, call: Call) -> Head | None:
        """The head of the reply to a request; None where its own says already that the ordinary way is to answer."""
        return None if b"content-encoding" in call.heads else self._heads.of(call.method, call.heads)

    def at_once(self, call: Call) -> Reply | None:
        """The reply to somebody who is known, asking for what is kept for them; None: `answer` may have one."""
        who = self._authenticator.remembered(*_shown(call))
        if who is None or call.paid is not None:
            return None
        call.ticket = self._ticket(call, who)
        reply = None if call.ticket is None else self.hand_out(call.ticket, call.address, call.started)
        if isinstance(reply, Refused):
            call.paid = reply
            return None
        return reply

    def hand_out(self, ticket: Ticket, address: str | None, started: float) -> Reply | Refused | None:
        """The reply that is kept for somebody, who still holds their token and pays for it.

        None: nothing is, or something has to be waited for. Refused: it is too much, and was taken for that.
        """
        kept = self._kept.get(ticket.who[0].viewer.organization, ticket.key)
        if kept is None or not self._may_come(ticket):
            return None
        paid = self._taken(ticket)
        if isinstance(paid, Refused):
            return paid
        self._counts.kept += 1
        return self._reply(ticket, address, started, paid, kept.data, kept.told)

    def look_again(self, ticket: Ticket, address: str | None, started: float) -> Waiting | Refused | None:
        """Begin to look up what somebody asked for lately, as it was looked up then; `heard` has the reply.

        None: it has to be looked for, or something else has to be waited for. Refused: as `hand_out`.
        """
        before, viewer = self._errands.of(ticket), ticket.who[0].viewer
        if before is None or not self._may_come(ticket):
            return None
        if viewer.organization in self._world.unkept or not self._arrivals.seen(viewer):
            # There is something to do afterwards.
            return None
        paid = self._taken(ticket)
        if isinstance(paid, Refused):
            return paid
        turn, errand = before
        return Waiting(ticket, address, started, paid, turn, self._errands.begin(errand))

    def heard(self, asked: Waiting) -> Reply | None:
        """The reply, now that it was looked up; None: the ordinary way is to answer, and what it costs is paid."""
        ticket, address, started, paid, turn, looking = asked
        data = self._errands.ended(ticket, turn, looking)
        if data is None:
            return None
        self._counts.planned += 1
        self._counts.again += 1
        return self._reply(ticket, address, started, paid, data, looking.errand.told)

    async def answer(self, call: Call) -> Reply | None:
        """The reply to a request; None: the ordinary way is to answer, and nothing was done but `Call.paid`."""
        ticket = call.ticket
        looked = ticket is not None and self._may_come(ticket)
        if not looked:
            who = await self._who(call)
            ticket = call.ticket = None if who is None else self._ticket(call, who)
        if ticket is None or not await self._pay(call, ticket):
            return None
        paid = None if isinstance(call.paid, Refused) else call.paid
        if not looked:
            kept = self._kept.get(ticket.who[0].viewer.organization, ticket.key)
            if kept is not None:
                self._counts.kept += 1
                return self._reply(ticket, call.address, call.started, paid, kept.data, kept.told)
        return await self._looked_up(call, ticket, paid)

    async def _looked_up(self, call: Call, ticket: Ticket, paid: Verdict | None) -> Reply | None:
        """The reply by the plan of a document; None where what it asks for is not as plain as that."""
        planned, viewer = ticket.planned, ticket.who[0].viewer
        mark = self._kept.mark(viewer.organization)
        try:
            turn, found = await self._found(ticket)
            data = turn.render(found.found, found.tier)
        except Away:
            kept = self._kept.at_worst(viewer.organization, ticket.key)
            if kept is None:
                return None
            self._counts.at_worst += 1
            return self._reply(ticket, call.address, call.started, paid, kept.data, kept.told)
        except Unplanned:
            return None
        except Exception:
            # Two ways lead to an answer: a fault of this one is ours to know of, and nobody else's.
            LOG.exception("plan failed", operation=planned.operation.name)
            return None
        self._counts.planned += 1
        look = Look(turn, found, mark, data)
        return self._reply(ticket, call.address, call.started, paid, data, found.told, look)

    async def _found(self, ticket: Ticket) -> tuple[Turn, AtHand]:
        """What a request asks for: as it was looked up before, where that is known."""
        again = await self._errands.again(ticket)
        if again is not None:
            self._counts.again += 1
            return again
        planned, viewer = ticket.planned, ticket.who[0].viewer
        turn = self._requests.plan(planned).turn(planned.variables, viewer)
        found = await self._finder.find(turn.ask, viewer)
        # Whose response is kept need not be looked up again soon.
        if found.errand is not None and not self._kept.wanted and ticket.era == self.tickets.era:
            self._errands.keep(ticket, turn, found.errand)
        return turn, found

    async def afterwards(self, call: Call, reply: Reply) -> None:
        """After a reply was sent: keep what was said, as it is said from memory; look after who came in."""
        look, ticket = reply.look, call.ticket
        if look is None or ticket is None:
            return
        found, viewer = look.found, ticket.who[0].viewer
        try:
            if self._kept.wanted:
                data = look.turn.render(found.found, Tier.MEMORY) if look.turn.tells_tier else look.data
                kept = Kept(data, found.until, found.at_worst, found.subjects, found.told)
                self._kept.put(viewer.organization, ticket.key, kept, look.mark)
            if viewer.organization in self._world.unkept or not self._arrivals.seen(viewer):
                async with asyncio.timeout(self.terms.afterwards_seconds):
                    if viewer.organization in self._world.unkept:
                        await self._world.keep(viewer.organization)
                    await self._arrivals.arrived(viewer)
        except Exception:
            LOG.exception("work after the answer failed", operation=ticket.planned.operation.name)

    def _may_come(self, ticket: Ticket) -> bool:
        """Whether nothing has to be waited for to know that somebody may be heard, and what they have left."""
        return self._own is self._till and self._authenticator.holds_now(ticket.who)

    def _taken(self, ticket: Ticket) -> Verdict | Refused | None:
        """What is left to somebody, or why they are refused, after they paid at once; None: nobody pays here."""
        if self._own is None:
            return None
        price = ticket.planned.price
        verdict = self._own.take_now(ticket.who[0].viewer.user, price)
        return refusal_of(verdict, price) or verdict

    def _ticket(self, call: Call, who: Remembered) -> Ticket | None:
        """What a request says; None where it is none of those that a plan may answer."""
        head, heads = self.head(call), call.heads
        if head is None:
            return None
        if call.method == "POST":
            planned = self._requests.of_body(call.raw)
        else:
            planned = self._requests.of_query_string(call.raw, self.terms.body_bytes)
        if planned is None:
            return None
        key = planned.key, who[0].key
        return Ticket(
            who, head, planned, key, heads.get(b"x-request-id"), heads.get(b"x-forwarded-for"), self.tickets.era
        )

    async def _who(self, call: Call) -> Remembered | None:
        """Who asks; None where the ordinary way is to say so, or to refuse them."""
        shown = _shown(call)
        who = self._authenticator.remembered(*shown)
        if who is None or not await self._authenticator.holds(who):
            try:
                await self._authenticator.session(Headers(raw=list(call.heads.items())))
            except Refused:
                return None
            who = self._authenticator.remembered(*shown)
        return who

    async def _pay(self, call: Call, ticket: Ticket) -> bool:
        """Take what it costs from what the viewer may take; False where the ordinary way refuses it."""
        if self._till is not None and call.paid is None:
            price = ticket.planned.price
            verdict = await self._till.take(ticket.who[0].viewer.user, price)
            call.paid = refusal_of(verdict, price) or verdict
        return not isinstance(call.paid, Refused)

    def _reply(  # noqa: PLR0913, PLR0917  (one response, said in one go)
        self,
        ticket: Ticket,
        address: str | None,
        started: float,
        paid: Verdict | None,
        data: bytes,
        told: Mapping[str, int],
        look: Look | None = None,
    ) -> Reply:
        """The response, told of wherever responses are told of."""
        planned, viewer = ticket.planned, ticket.who[0].viewer
        request_id = ticket.request_id()
        if told:
            self._hearsay.heard(Actor(viewer.organization, viewer.user, viewer.role.value), told, address, request_id)
        if planned.digest is not None and ticket.era == self.tickets.era:
            self._requests.used(planned)
        seconds = self.clock() - started
        said = planned.said
        self._say("request", **said, ms=round(seconds * 1000, 2), request_id=request_id, role=viewer.role.value)
        self._observe(said["kind"], 200, seconds)
        marked = request_id.encode()
        body = b"".join((b'{"data":', data, b',"extensions":{"requestId":"', marked, planned.tail(paid)))
        return Reply(ticket.head, marked, body, look)


def _shown(call: Call) -> tuple[bytes, bytes | None]:
    """What a request shows of who asks."""
    return call.heads.get(b"authorization", b""), call.heads.get(b"x-active-role")
