"""The short way: requests that are plain in every respect, answered from what is kept or by a plan."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import structlog
from starlette.datastructures import Headers

from analytics.at_hand import Away
from analytics.planned import Unplanned
from analytics.record import Tier
from datasources.postgres.session import Actor
from gateway.budget import OwnTill, settled
from gateway.fast.kept import Kept
from gateway.refusal import Refused
from gateway.telemetry import SANE, new_request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from analytics.arriving import Arrivals
    from analytics.at_hand import AtHand, Finder
    from analytics.hearsay import Hearsay
    from analytics.world import World
    from gateway.auth import Authenticator, Session
    from gateway.budget import Till, Verdict
    from gateway.fast.heads import Head, Heads
    from gateway.fast.kept import KeptResponses
    from gateway.fast.lines import Lines
    from gateway.fast.requests import Planned, Requests
    from gateway.http import Terms
    from resolvers.plan import Turn

PATH = "/graphql"
"""What is answered here."""

LOG = structlog.get_logger(__name__)


@dataclass(slots=True)
class WayStatistics:
    """How many requests were answered from what is kept, by a plan, by what is kept for the worst, or passed on."""

    kept: int = 0
    planned: int = 0
    at_worst: int = 0
    passed_on: int = 0


@dataclass(slots=True, eq=False)
class Call:
    """One request as it came, and what was found out about it on the way.

    `raw` is the body of a POST, the query string of a GET; `started` is by the clock of the way. `paid` is what the
    ordinary way is told: that it was paid for, or that it is refused.
    """

    method: str
    heads: Mapping[bytes, bytes]
    raw: bytes
    address: str | None
    started: float
    paid: Verdict | Refused | None = None
    head: Head | None = None
    session: Session | None = None
    planned: Planned | None = None

    @classmethod
    def of(
        cls, method: str, headers: Collection[tuple[bytes, bytes]], raw: bytes, address: str | None, started: float
    ) -> Self | None:
        """A request with these headers; None where one of them stands there twice."""
        heads = dict(headers)
        return cls(method, heads, raw, address, started) if len(heads) == len(headers) else None


class Look(NamedTuple):
    """How data was looked up, before which mark."""

    turn: Turn
    found: AtHand
    mark: int
    data: bytes


class Reply(NamedTuple):
    """A response of status 200: its headers but for its length and its id, which are `request_id` and of `body`.

    `look` says how the data was looked up, unless it was kept.
    """

    head: Head
    request_id: bytes
    body: bytes
    look: Look | None = None


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

    def statistics(self) -> WayStatistics:
        """Counts since the start."""
        return self._counts

    def at_once(self, call: Call) -> Reply | None:
        """The reply to somebody who is known, asking for what is kept for them; None: `answer` may have one."""
        if self._own is not self._till:
            return None
        heads = call.heads
        session = self._authenticator.at_once(heads.get(b"authorization", b""), heads.get(b"x-active-role"))
        if session is None or not self._read(call):
            return None
        call.session = session
        planned: Planned = call.planned  # type: ignore[assignment]  # it was read
        kept = self._kept.get(session.viewer.organization, (planned.key, session.key))
        if kept is None:
            return None
        if self._own is not None:
            verdict = self._own.take_now(session.viewer.user, planned.price)
            if verdict.over is not None:
                self._refused(call, verdict)
                return None
            call.paid = verdict
        self._counts.kept += 1
        return self._reply(call, planned, session, kept.data, kept.told)

    async def answer(self, call: Call) -> Reply | None:
        """The reply to a request; None: the ordinary way is to answer, and nothing was done but `Call.paid`."""
        recognised = call.session is None
        if recognised:
            call.session = await self._session(call)
        if call.session is None or not self._read(call) or not await self._pay(call):
            return None
        planned: Planned = call.planned  # type: ignore[assignment]  # it was read
        if recognised:
            # Who was known before was looked for already.
            kept = self._kept.get(call.session.viewer.organization, (planned.key, call.session.key))
            if kept is not None:
                self._counts.kept += 1
                return self._reply(call, planned, call.session, kept.data, kept.told)
        return await self._looked_up(call, planned, call.session)

    async def _looked_up(self, call: Call, planned: Planned, session: Session) -> Reply | None:
        """The reply by the plan of a document; None where what it asks for is not as plain as that."""
        viewer = session.viewer
        mark = self._kept.mark(viewer.organization)
        try:
            turn = self._requests.plan(planned).turn(planned.variables, viewer)
            found = await self._finder.find(turn.ask, viewer)
            data = turn.render(found.found, found.tier)
        except Away:
            kept = self._kept.at_worst(viewer.organization, (planned.key, session.key))
            if kept is None:
                return None
            self._counts.at_worst += 1
            return self._reply(call, planned, session, kept.data, kept.told)
        except Unplanned:
            return None
        except Exception:
            # Two ways lead to an answer: a fault of this one is ours to know of, and nobody else's.
            LOG.exception("plan failed", operation=planned.operation.name)
            return None
        self._counts.planned += 1
        return self._reply(call, planned, session, data, found.told, Look(turn, found, mark, data))

    async def afterwards(self, call: Call, reply: Reply) -> None:
        """After a reply was sent: keep what was said, as it is said from memory; look after who came in."""
        look, session, planned = reply.look, call.session, call.planned
        if look is None or session is None or planned is None:
            return
        found, viewer = look.found, session.viewer
        try:
            if self._kept.wanted:
                data = look.turn.render(found.found, Tier.MEMORY) if look.turn.tells_tier else look.data
                kept = Kept(data, found.until, found.at_worst, found.subjects, found.told)
                self._kept.put(viewer.organization, (planned.key, session.key), kept, look.mark)
            if viewer.organization in self._world.unkept or not self._arrivals.seen(viewer):
                async with asyncio.timeout(self.terms.afterwards_seconds):
                    if viewer.organization in self._world.unkept:
                        await self._world.keep(viewer.organization)
                    await self._arrivals.arrived(viewer)
        except Exception:
            LOG.exception("work after the answer failed", operation=planned.operation.name)

    def _read(self, call: Call) -> bool:
        """Whether a request is one of those that a plan may answer; its head and document are known then."""
        if call.planned is None and b"content-encoding" not in call.heads:
            call.head = self._heads.of(call.method, call.heads)
            if call.head is None:
                return False
            if call.method == "POST":
                call.planned = self._requests.of_body(call.raw)
            else:
                call.planned = self._requests.of_query_string(call.raw, self.terms.body_bytes)
        return call.planned is not None

    async def _session(self, call: Call) -> Session | None:
        """Who asks; None where the ordinary way is to say so, or to refuse them."""
        shown = call.heads.get(b"authorization")
        if shown is None:
            return None
        known = await self._authenticator.known(shown, call.heads.get(b"x-active-role"))
        if known is not None:
            return known
        try:
            return await self._authenticator.session(Headers(raw=list(call.heads.items())))
        except Refused:
            return None

    async def _pay(self, call: Call) -> bool:
        """Take what it costs from what the viewer may take; False where the ordinary way refuses it."""
        if self._till is None or call.session is None or call.planned is None:
            return True
        if call.paid is None:
            verdict = await self._till.take(call.session.viewer.user, call.planned.price)
            if verdict.over is not None:
                self._refused(call, verdict)
            else:
                call.paid = verdict
        return not isinstance(call.paid, Refused)

    def _refused(self, call: Call, verdict: Verdict) -> None:
        """Have the ordinary way refuse what is too much, without taking it twice."""
        try:
            settled(verdict, call.planned.price if call.planned else 0)
        except Refused as no:
            call.paid = no

    def _reply(  # noqa: PLR0913, PLR0917  (one response, said in one go)
        self, call: Call, planned: Planned, session: Session, data: bytes, told: Mapping[str, int],
        look: Look | None = None,
    ) -> Reply:  # fmt: skip
        """The response, told of wherever responses are told of."""
        offered = call.heads.get(b"x-request-id")
        request_id = new_request_id() if offered is None else _taken_over(offered)
        viewer, operation = session.viewer, planned.operation
        if told:
            actor = Actor(viewer.organization, viewer.user, viewer.role.value)
            self._hearsay.heard(actor, told, call.address, request_id)
        if planned.digest is not None:
            self._requests.used(planned)
        seconds = self.clock() - call.started
        kind = operation.kind.value
        named = {"operation": operation.name[:100]} if operation.name else {}
        self._say(
            "request", method=call.method, path=PATH, status=200, ms=round(seconds * 1000, 2), request_id=request_id,
            **named, kind=kind, role=viewer.role.value, cost=operation.tally.cost,
        )  # fmt: skip
        self._observe(kind, 200, seconds)
        marked = request_id.encode()
        tail = planned.tail(None if isinstance(call.paid, Refused) else call.paid)
        body = b"".join((b'{"data":', data, b',"extensions":{"requestId":"', marked, tail))
        return Reply(call.head, marked, body, look)  # type: ignore[arg-type]  # its head was read


def _taken_over(offered: bytes) -> str:
    """The id that a request brought, if it is one; else a new one."""
    text = offered.decode("latin-1")
    return text if SANE.fullmatch(text) else new_request_id()
