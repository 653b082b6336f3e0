"""The first who looks at a request: answers what is plain, and lets everything else go on as it came."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from starlette.datastructures import Headers

from analytics.at_hand import Away
from analytics.planned import Unplanned
from analytics.record import Tier
from datasources.postgres.session import Actor
from gateway.budget import PAID_KEY, spend
from gateway.fast.heads import again
from gateway.fast.kept import Kept
from gateway.refusal import Refused
from gateway.telemetry import SANE, STARTED_KEY, Record, new_request_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from analytics.arriving import Arrivals
    from analytics.at_hand import AtHand, Finder
    from analytics.hearsay import Hearsay
    from analytics.world import World
    from gateway.auth import Authenticator, Session
    from gateway.budget import Till
    from gateway.fast.heads import Head, Heads
    from gateway.fast.kept import KeptResponses
    from gateway.fast.requests import Planned, Requests
    from gateway.http import Terms
    from resolvers.plan import Turn

PATH = "/graphql"

LOG = structlog.get_logger(__name__)


@dataclass(slots=True)
class WayStatistics:
    """How many requests were answered from what is kept, by a plan, by what is kept for the worst, or passed on."""

    kept: int = 0
    planned: int = 0
    at_worst: int = 0
    passed_on: int = 0


class Front:
    """ASGI middleware around everything else; `door.way` is put in place once the process is open."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let pass."""
        way = self._door.way
        if way is not None and scope["type"] == "http" and scope["path"] == PATH:
            left = await way.serve(scope, receive, send)
            if left is None:
                return
            way.statistics().passed_on += 1
            receive = left
        await self._app(scope, receive, send)


class Door:
    """Where the short way is, while the process is open."""

    way: ShortWay | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """How data was looked up, before which mark."""

    turn: Turn
    found: AtHand
    mark: int


@dataclass(frozen=True, slots=True)
class _Said:
    """The data of a response, and whom it tells of, as `AtHand.told`; how it was looked up unless it was kept."""

    data: bytes
    told: Mapping[str, int]
    look: _Look | None = None


class ShortWay:
    """Answers the requests that are plain in every respect."""

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
        lines: Any = None,
        observe: Callable[[str, int, float], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._world = world
        self._heads = heads
        self._requests = requests
        self._kept = kept
        self._finder = finder
        self._hearsay = hearsay
        self._arrivals = arrivals
        self._authenticator = authenticator
        self._till = till
        self._terms = terms
        self._lines = lines or structlog.get_logger("gateway.request")
        self._observe = observe
        self._clock = clock
        self._counts = WayStatistics()

    def statistics(self) -> WayStatistics:
        """Counts since the start."""
        return self._counts

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer a request; else what is left of it to read, for the ordinary way, and nothing was done."""
        scope[STARTED_KEY] = self._clock()
        heads = dict(scope["headers"])
        if len(heads) != len(scope["headers"]) or b"content-encoding" in heads or b"authorization" not in heads:
            return receive
        head = self._heads.of(scope["method"], heads)
        session = None if head is None else await self._session(scope, heads)
        if head is None or session is None:
            return receive
        if scope["method"] == "POST":
            raw, receive = await self._body(receive)
            planned = None if raw is None else self._requests.of_body(raw)
        else:
            planned = self._requests.of_query_string(scope["query_string"], self._terms.body_bytes)
        if planned is None or not await self._pay(planned, session, scope):
            return receive
        said = await self._data(planned, session)
        if said is None:
            return receive
        address, request_id = _whence(scope, heads)
        if said.told:
            self._hearsay.heard(_actor(session), said.told, address, request_id)
        await self._send(scope, send, planned, session, head, said.data, request_id)
        self._requests.used(planned)
        if said.look is not None:
            await self._afterwards(planned, session, said.data, said.look)
        return None

    async def _session(self, scope: Scope, heads: dict[bytes, bytes]) -> Session | None:
        """Who asks; None where the ordinary way is to say so, or to refuse them."""
        shown = heads.get(b"authorization")
        if shown is None:
            return None
        known = await self._authenticator.known(shown, heads.get(b"x-active-role"))
        if known is not None:
            return known
        try:
            return await self._authenticator.session(Headers(scope=scope))
        except Refused:
            return None

    async def _body(self, receive: Receive) -> tuple[bytes | None, Receive]:
        """The body, and all of the request to read it again; None where it is too large, too slow, or not there."""
        read: list[Message] = []
        size = 0
        try:
            async with asyncio.timeout(self._terms.body_seconds):
                while size <= self._terms.body_bytes:
                    message = await receive()
                    read.append(message)
                    size += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            return None, again(read, receive, late=True)
        whole = size <= self._terms.body_bytes and message["type"] == "http.request"
        return b"".join([one.get("body", b"") for one in read]) if whole else None, again(read, receive)

    async def _pay(self, planned: Planned, session: Session, scope: Scope) -> bool:
        """Take what it costs from what the viewer may take; False where the ordinary way refuses it."""
        if self._till is None:
            return True
        try:
            paid = await spend(self._till, session.viewer.user, max(1, planned.operation.tally.cost))
        except Refused as no:
            scope[PAID_KEY] = no
            return False
        scope[PAID_KEY] = paid
        return True

    async def _data(self, planned: Planned, session: Session) -> _Said | None:
        """The data of the response; None: the ordinary way is to answer."""
        viewer = session.viewer
        here, key = viewer.organization, (planned.key, viewer)
        kept = self._kept.get(here, key)
        if kept is None:
            mark = self._kept.mark(here)
            try:
                turn = self._requests.plan(planned).turn(planned.variables, viewer)
                found = await self._finder.find(turn.ask, viewer)
                data = turn.render(found.found, found.tier)
            except Away:
                kept = self._kept.at_worst(here, key)
                self._counts.at_worst += kept is not None
            except Unplanned:
                return None
            except Exception:
                # Two ways lead to an answer: a fault of this one is ours to know of, and nobody else's.
                LOG.exception("plan failed", operation=planned.operation.name)
                return None
            else:
                self._counts.planned += 1
                return _Said(data, found.told, _Look(turn, found, mark))
        else:
            self._counts.kept += 1
        return None if kept is None else _Said(kept.data, kept.told)

    async def _send(  # noqa: PLR0913, PLR0917  (one response, said in one go)
        self, scope: Scope, send: Send, planned: Planned, session: Session, head: Head, data: bytes, request_id: str
    ) -> None:
        marked = request_id.encode()
        tail = planned.tail(scope.get(PAID_KEY))
        body = b"".join((b'{"data":', data, b',"extensions":{"requestId":"', marked, tail))
        length = (b"content-length", b"%d" % len(body))
        headers = [*head, length, (b"x-request-id", marked)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        seconds = self._clock() - scope[STARTED_KEY]
        operation = planned.operation
        name = (operation.name or "")[:100] or None
        record = Record(request_id, name, operation.kind.value, session.viewer.role.value, operation.tally.cost)
        self._lines.info(
            "request", method=scope["method"], path=PATH, status=200, ms=round(seconds * 1000, 2), **record.said
        )
        if self._observe is not None:
            self._observe(operation.kind.value, 200, seconds)

    async def _afterwards(self, planned: Planned, session: Session, said: bytes, look: _Look) -> None:
        """Keep what was said, as it is said from memory; look after who came in."""
        viewer, found = session.viewer, look.found
        try:
            if self._kept.wanted:
                data = look.turn.render(found.found, Tier.MEMORY) if look.turn.tells_tier else said
                kept = Kept(data, found.until, found.at_worst, found.subjects, found.told)
                self._kept.put(viewer.organization, (planned.key, viewer), kept, look.mark)
            async with asyncio.timeout(self._terms.afterwards_seconds):
                if viewer.organization in self._world.unkept:
                    await self._world.keep(viewer.organization)
                await self._arrivals.arrived(viewer)
        except Exception:
            LOG.exception("work after the answer failed", operation=planned.operation.name)


def _actor(session: Session) -> Actor:
    viewer = session.viewer
    return Actor(viewer.organization, viewer.user, viewer.role.value)


def _whence(scope: Scope, heads: Mapping[bytes, bytes]) -> tuple[str | None, str]:
    """The address that a request comes from, and the id that it brought or gets."""
    client = scope.get("client")
    offered = heads.get(b"x-request-id", b"").decode("latin-1")
    return client[0] if client else None, offered if SANE.fullmatch(offered) else new_request_id()
