"""The edge of the process: which hosts it answers for, whose web pages may ask, what browsers do with answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from gateway.refusal import Refused, refuse
from gateway.telemetry import record_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gateway.settings import Settings

ANY = "*"
BROWSERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What browsers may do with an answer, unless it says so itself: nothing but read it."""
PROBES = frozenset({"/livez", "/readyz"})
"""Answered whatever host they name: they tell nobody anything."""
NUMBERS = "/metrics"
"""Answered by address as well: what collects them finds processes by it."""
ONLY_HTTPS = "max-age=31536000; includeSubDomains"
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": (
        "Accept, Authorization, Content-Type, GraphQL-Require-Preflight, X-Active-Role, X-Request-Id"
    ),
    "Access-Control-Max-Age": "600",
}
EXPOSED = "Retry-After, WWW-Authenticate, X-Request-Id"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Whom we answer: requests for these `hosts` (names without ports, or `*`), from pages of these `origins`.

    `addresses` also takes any IP address for a host, and `localhost`. Names are what matters: a page of another site
    can have its own name point at us, and then read our answers as its own; it cannot do that to an address.
    """

    hosts: frozenset[str] = frozenset({ANY})
    origins: frozenset[str] = frozenset()
    addresses: bool = False

    def check(self, headers: Headers) -> str | None:
        """The origin of a request that may come in, None where it has none.

        Raises:
            Refused: 400, 421 or 403, it names no host, one that is not ours, or an origin that may not ask.
        """
        named = headers.getlist("host")
        if len(named) != 1:
            raise refuse(400, "BAD_REQUEST", "A request names one host, in its header `Host`.")
        if not self._ours(named[0].lower()):
            message = "This is not the host you asked for: the ones it answers for are in GATEWAY_ALLOWED_HOSTS."
            raise refuse(421, "MISDIRECTED_REQUEST", message)
        origins = headers.getlist("origin")
        if not origins:
            return None
        origin, host = origins[0].lower(), named[0].lower()
        own = origin in {f"http://{host}", f"https://{host}"}
        if len(origins) > 1 or not (own or origin in self.origins):
            message = "Pages of this origin may not ask here: the ones that may are in GATEWAY_ALLOWED_ORIGINS."
            raise refuse(403, "ORIGIN_NOT_ALLOWED", message)
        return origin

    def _ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        if ANY in self.hosts or name in self.hosts:
            return True
        return self.addresses and (name == "localhost" or name.endswith(".localhost") or _is_address(name.strip("[]")))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Gate:
    """What the edge does with each request: whom it lets in, and how it marks an answer for browsers.

    `only_https` tells browsers to come back by https alone.
    """

    neighbours: Neighbours
    only_https: bool = False

    def enter(self, headers: Headers, *, by_address: bool = False) -> str | None:
        """The origin of a request that may come in, by any address where `by_address`; None where it has none.

        Raises:
            Refused: as `Neighbours.check`.
        """
        neighbours = replace(self.neighbours, addresses=True) if by_address else self.neighbours
        return neighbours.check(headers)

    def mark(self, headers: MutableHeaders, origin: str | None) -> None:
        """Mark the headers of an answer to a request of this origin."""
        for name, value in BROWSERS.items():
            headers.setdefault(name, value)
        if self.only_https:
            headers.setdefault("Strict-Transport-Security", ONLY_HTTPS)
        if self.neighbours.origins:
            headers.add_vary_header("Origin")
        if origin is not None:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = EXPOSED


def gate_of(settings: Settings) -> Gate:
    """The gate of a process with these settings."""
    hosts = frozenset(settings.allowed_hosts) or frozenset({settings.host})
    neighbours = Neighbours(hosts, frozenset(settings.allowed_origins), addresses=not settings.allowed_hosts)
    return Gate(neighbours, only_https=settings.production)


class Edge:
    """ASGI middleware: turns away whom we do not answer, answers preflights, and marks every answer for browsers.

    What watches over processes calls them by their address: `PROBES` and `NUMBERS` are answered for it.
    """

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one connection in, or turn it away."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = None
        app = self._app
        try:
            if scope["path"] not in PROBES:
                origin = self._gate.enter(headers, by_address=scope["path"] == NUMBERS)
                if scope.get("method") == "OPTIONS" and origin and "access-control-request-method" in headers:
                    app = Response(status_code=204, headers=PREFLIGHT)
        except Refused as no:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": no.code})
                return
            app = _turned_away(no, scope)
        await app(scope, receive, self._marking(send, origin) if scope["type"] == "http" else send)

    def _marking(self, send: Send, origin: str | None) -> Send:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._gate.mark(MutableHeaders(scope=message), origin)
            await send(message)

        return marked


def _turned_away(no: Refused, scope: Scope) -> Response:
    record = record_of(scope)
    record.code = no.code
    body = {"errors": no.errors, "extensions": {"requestId": record.request_id}}
    return Response(orjson.dumps(body), no.status, {"Cache-Control": "no-store"}, media_type="application/json")
