"""What is told to those who watch over the process, and to nobody else."""

from __future__ import annotations

from hmac import compare_digest
from ipaddress import ip_address
from typing import TYPE_CHECKING

import orjson
from starlette.requests import HTTPConnection
from starlette.responses import Response

from gateway.refusal import error
from gateway.telemetry import record_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

BY_PROXY = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


class Insiders:
    """Lets in who shows the `token`; without one, who calls from this machine or network, and not through a proxy.

    A proxy on our network lets strangers in by its own address: what it forwards says so in its headers.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        caller = HTTPConnection(scope)
        told = self._app if self._inside(caller) else self._refusal(scope)
        await told(scope, receive, send)

    def _inside(self, caller: HTTPConnection) -> bool:
        if self._token is not None:
            return compare_digest(caller.headers.get("authorization", "").encode(), f"Bearer {self._token}".encode())
        return not any(name in caller.headers for name in BY_PROXY) and _is_near(caller)

    def _refusal(self, scope: Scope) -> Response:
        where = "to who shows the token" if self._token is not None else "to callers of the own network, not by a proxy"
        record = record_of(scope)
        record.code = "FORBIDDEN"
        problem = error("FORBIDDEN", f"This is told {where}: see GATEWAY_METRICS_TOKEN.")
        body = {"errors": [problem], "extensions": {"requestId": record.request_id}}
        return Response(orjson.dumps(body), 403, {"Cache-Control": "no-store"}, media_type="application/json")


def _is_near(caller: HTTPConnection) -> bool:
    try:
        address = ip_address(caller.client.host if caller.client else "")
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_private
