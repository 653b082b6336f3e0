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
from gateway.fast.heads import again, media_of
from gateway.fast.kept import Kept
from gateway.http import HEADERS, PAID_KEY
from gateway.refusal import Refused
from gateway.telemetry import SANE, STARTED_KEY, Record, new_request_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from analytics.arriving import Arrivals
    from analytics.at_hand import AtHand, Finder
    from analytics.hearsay import Hearsay
    from analytics.world import World
    from gateway.auth import Authenticator, Session
    from gateway.budget import Budget
    from gateway.fast.kept import KeptResponses
    from gateway.fast.requests import Planned, Requests
    from gateway.http import Terms
    from resolvers.plan import Turn

PATH = "/graphql"
KINDS_AT_MOST = 200

LOG = structlog.get_logger(__name__)
ALIKE = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


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


class ShortWay:
    """Answers the requests that are plain in every respect."""

    def __init__(  # noqa: PLR0913  (the parts it is made of, each by name)
        self,
        *,
        world: World,
        requests: Requests,
        kept: KeptResponses,
        finder: Finder,
        hearsay: Hearsay,
        arrivals: Arrivals,
        authenticator: Authenticator,
        budget: Budget | None,
        terms: Terms,
        lines: Any = None,
        observe: Callable[[str, int, float], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._world = world
        self._requests = requests
        self._kept = kept
        self._finder = finder
        self._hearsay = hearsay
        self._arrivals = arrivals
        self._authenticator = authenticator
        self._budget = budget
        self._terms = terms
        self._lines = lines or structlog.get_logger("gateway.request")
        self._observe = observe
        self._clock = clock
        self._counts = WayStatistics()
        self._media: dict[tuple[bytes | None, bytes | None], str | None] = {}

    def statistics(self) -> WayStatistics:
        """Counts since the start."""
        return self._counts

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer a request; else what is left of it to read, for the ordinary way, and nothing was done."""
        scope[STARTED_KEY] = self._clock()
        heads = dict(scope["headers"])
        if len(heads) != len(scope["headers"]) or b"content-encoding" in heads:
            return receive
        session = await self._session(scope, heads)
        posted = scope["method"] == "POST"
        media = self._answers_in(heads.get(b"accept"), heads.get(b"content-type", b"") if posted else None)
        if session is None or media is None:
            return receive
        if posted:
            raw, receive = await self._body(receive)
            planned = None if raw is None else self._requests.of_body(raw)
        else:
            planned = self._asked(scope)
        if planned is None or not self._pays(session, scope):
            return receive
        said = await self._data(planned, session)
        if said is None:
            return receive
        data, found = said
        await self._send(scope, heads, send, planned, session, media, data)
        self._requests.used(planned)
        if found is not None:
            await self._afterwards(planned, session, *found)
        return None

    def _asked(self, scope: Scope) -> Planned | None:
        """The request in a URL."""
        if scope["method"] != "GET":
            return None
        return self._requests.of_query_string(scope["query_string"], self._terms.body_bytes)

    async def _session(self, scope: Scope, heads: dict[bytes, bytes]) -> Session | None:
        """Who asks; None where the ordinary way is to say so, or to refuse them."""
        shown = heads.get(b"authorization")
        if shown is None:
            return None
        known = self._authenticator.known(shown, heads.get(b"x-active-role"))
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

    def _pays(self, session: Session, scope: Scope) -> bool:
        """Take the request out of the viewer's budget, where there is one; False where the ordinary way refuses it."""
        if self._budget is None:
            return True
        try:
            self._budget.spend(session.viewer.user)
        except Refused:
            return False
        scope[PAID_KEY] = True
        return True

    async def _data(self, planned: Planned, session: Session) -> tuple[bytes, tuple[Turn, AtHand, int] | None] | None:
        """The data of the response, and how it was found unless it was kept; None: the ordinary way is to answer."""
        viewer = session.viewer
        here, key = viewer.organization, (planned.key, viewer)
        kept = self._kept.get(here, key)
        if kept is None:
            mark = self._kept.mark(here)
            try:
                turn = planned.plan.turn(planned.variables, viewer)
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
                return data, (turn, found, mark)
        else:
            self._counts.kept += 1
        if kept is None:
            return None
        self._hearsay.heard(kept.actor, kept.heard)
        return kept.data, None

    async def _send(  # noqa: PLR0913, PLR0917  (one response, said in one go)
        self,
        scope: Scope,
        heads: dict[bytes, bytes],
        send: Send,
        planned: Planned,
        session: Session,
        media: str,
        data: bytes,
    ) -> None:
        offered = heads.get(b"x-request-id", b"").decode("latin-1")
        request_id = offered if SANE.fullmatch(offered) else new_request_id()
        marked = request_id.encode()
        body = b"".join((b'{"data":', data, b',"extensions":{"requestId":"', marked, planned.tail))
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    *ALIKE,
                    (b"content-length", b"%d" % len(body)),
                    (b"content-type", media.encode() + b"; charset=utf-8"),
                    (b"x-request-id", marked),
                ],
            }
        )
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

    async def _afterwards(self, planned: Planned, session: Session, turn: Turn, found: AtHand, mark: int) -> None:
        """Keep what was said, as it is said from memory; note who heard what; look after who came in."""
        viewer = session.viewer
        actor = Actor(viewer.organization, viewer.user, viewer.role.value)
        self._hearsay.heard(actor, found.heard)
        try:
            if self._kept.wanted:
                data = turn.render(found.found, Tier.MEMORY)
                kept = Kept(data, found.until, found.at_worst, found.subjects, actor, found.heard)
                self._kept.put(viewer.organization, (planned.key, viewer), kept, mark)
            async with asyncio.timeout(self._terms.afterwards_seconds):
                if viewer.organization in self._world.unkept:
                    await self._world.keep(viewer.organization)
                await self._arrivals.arrived(viewer)
        except Exception:
            LOG.exception("work after the answer failed", operation=planned.operation.name)

    def _answers_in(self, accept: bytes | None, content_type: bytes | None) -> str | None:
        """The media type of the response; None where that is not for here to say."""
        key = accept, content_type
        if key not in self._media:
            if len(self._media) >= KINDS_AT_MOST:
                return None
            self._media[key] = media_of(accept, content_type)
        return self._media[key]
