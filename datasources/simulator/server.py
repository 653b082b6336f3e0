"""The nine services as one HTTP server, each mounted under its name: `http://HOST:PORT/course`, and so on."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, cast
from uuid import NAMESPACE_URL, uuid5

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount, Route

from datasources.simulator import wire
from datasources.simulator.accounts import Accounts, Issuer, account, key_set
from datasources.simulator.services import services
from datasources.simulator.switches import Mode, Switch, Switchboard
from datasources.simulator.wire import text_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from socket import socket

    from starlette.requests import Request

    from datasources.simulator.campus import Campus
    from datasources.simulator.reads import Payload, Read
    from datasources.simulator.wire import Answer

LONGEST_DELAY = 600.0
CANNED = (
    "This is a simulator. No assistant reads your message here, and no conversation is kept: "
    "connect a real RAG service to get an answer."
)


def create_simulator(  # noqa: PLR0913  # each is one fact about the world outside, all but two with a default
    campus: Campus,
    *,
    token: str,
    password: str = "demo",  # noqa: S107  # the password of made-up accounts
    issuer: Issuer = Issuer(),  # noqa: B008  # frozen
    key: Ed25519PrivateKey | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    hang_for: float = 60.0,
) -> Starlette:
    """All nine services over one campus.

    Reads: `GET path`, and `POST batch_path {"ids": [...]}` -> `{"items": {id: payload}, "missing": [ids]}` for
    at most 500 ids. Calls: login, validate-token and refresh-token of auth, send-message of rag. All want
    `Authorization: Bearer <token>`, except the published keys. Beside them: `GET /healthz`; `GET|POST /switches`
    (see `Switchboard`) and `GET|DELETE /calls` (how often each endpoint was called), which a caller on this
    machine may use without a token.

    Errors are `{"detail": text}`: 400 for a malformed body, 401 without the token, 404 for an unknown id, 413 for
    too many ids, 503 for a service that the campus has no data for or that is switched to failing.

    Run it in a `SimulatorServer`, or call `app.state.close()` before the server stops.
    """
    signing = key or Ed25519PrivateKey.generate()
    accounts = Accounts(campus.people, password=password, key=signing, issuer=issuer, now=now)
    desk = _Desk(campus, services(campus, key_set(signing)), accounts, token=token, hang_for=hang_for)
    app = Starlette(routes=desk.routes(), exception_handlers={HTTPException: _refused})
    app.state.close = desk.close
    return app


class SimulatorServer(uvicorn.Server):
    """A uvicorn server that first lets go of everyone whom a slow or hanging service keeps waiting."""

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Stop; what is being answered gets out."""
        cast("Starlette", self.config.app).state.close()
        await super().shutdown(sockets)


class _Desk:
    """Takes every request: counts it, checks the token, obeys the switch, and answers."""

    def __init__(
        self, campus: Campus, reads: Mapping[str, tuple[Read, ...]], accounts: Accounts, *, token: str, hang_for: float
    ) -> None:
        self._campus = campus
        self._reads = reads
        self._accounts = accounts
        self._token = token.encode()
        self._people = {person.id for person in campus.people}
        self._switches = Switchboard(reads, hang_for=hang_for)
        self._calls: dict[str, Counter[str]] = {name: Counter() for name in reads}

    def close(self) -> None:
        """Keep nobody waiting any longer."""
        self._switches.close()

    def routes(self) -> list[Route | Mount]:
        """One mount for each service, and the drill's own routes."""
        return [
            *(Mount(f"/{name}", routes=self._service(name, reads)) for name, reads in self._reads.items()),
            Route("/healthz", self._health),
            Route("/switches", self._see_switches, methods=["GET"]),
            Route("/switches", self._turn_switch, methods=["POST"]),
            Route("/calls", self._see_calls, methods=["GET"]),
            Route("/calls", self._forget_calls, methods=["DELETE"]),
        ]

    def _service(self, name: str, reads: tuple[Read, ...]) -> list[Route]:
        routes: list[Route] = []
        for read in reads:
            if read.batch_path:
                routes.append(self._route(name, "POST", read.batch_path, wire.batch(read)))
            routes.append(self._route(name, "GET", read.path, wire.single(read), public=name == "auth"))
        calls: dict[str, dict[str, Callable[[Payload], Payload]]] = {
            "rag": {"/api/v1/chat/send-message": self._send_message},
            "auth": {
                "/api/v1/auth/login": self._login,
                "/api/v1/auth/validate-token": lambda body: self._accounts.check(text_in(body, "token")),
                "/api/v1/auth/refresh-token": self._refresh,
            },
        }
        for path, call in calls.get(name, {}).items():
            routes.append(self._route(name, "POST", path, wire.call(call)))
        return routes

    def _route(self, service: str, method: str, path: str, answer: Answer, *, public: bool = False) -> Route:
        async def endpoint(request: Request) -> Response:
            self._calls[service][f"{method} {path}"] += 1
            if not public:
                self._check_token(request)
            if service in self._campus.unavailable:
                raise HTTPException(503, f"this campus ({self._campus.source}) has no data for {service}")
            if failure := await self._switches.failure(service, request.receive):
                raise HTTPException(*failure)
            return wire.said(self._switches.write(service, await answer(request)))

        return Route(path, endpoint, methods=[method])

    def _check_token(self, request: Request) -> None:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not compare_digest(shown.encode(), self._token):
            raise HTTPException(401, "send the service token as `Authorization: Bearer <token>`")

    def _check_near(self, request: Request) -> None:
        if not wire.is_near(request):
            self._check_token(request)

    def _send_message(self, body: Payload) -> Payload:
        person, message = text_in(body, "userId"), text_in(body, "message")
        if person not in self._people:
            raise HTTPException(404, f"nobody has the id {person}")
        return {
            "id": str(uuid5(NAMESPACE_URL, f"simulator:message:{person}:{message}")),
            "role": "assistant",
            "text": CANNED,
            "at": self._campus.as_of,
            "suggestions": [],
        }

    def _login(self, body: Payload) -> Payload:
        session = self._accounts.login(text_in(body, "email"), text_in(body, "password"))
        if session is None:
            raise HTTPException(401, "no such account, or a wrong password")
        return session

    def _refresh(self, body: Payload) -> Payload:
        session = self._accounts.renew(text_in(body, "refreshToken"))
        if session is None:
            raise HTTPException(401, "this refresh token does not hold")
        return session

    async def _health(self, _: Request) -> Response:
        people = {person.id: person for person in self._campus.people}
        cast = {name: account(people[person]) for name, person in self._campus.cast.items()}
        return wire.said({"status": "ok", "campus": self._campus.source, "asOf": self._campus.as_of, "cast": cast})

    async def _see_switches(self, request: Request) -> Response:
        self._check_near(request)
        return wire.said(self._switches.positions())

    async def _turn_switch(self, request: Request) -> Response:
        self._check_near(request)
        body = await wire.body_of(request)
        service, seconds = text_in(body, "service"), body.get("seconds", Switch().seconds)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_DELAY:
            raise HTTPException(400, f"`seconds` is a number from 0 to {LONGEST_DELAY:g}")
        if service not in self._reads:
            raise HTTPException(400, f"`service` is one of {', '.join(self._reads)}")
        mode = text_in(body, "mode")
        if mode not in set(Mode):
            raise HTTPException(400, f"`mode` is one of {', '.join(Mode)}")
        self._switches.turn(service, Switch(Mode(mode), float(seconds)))
        return await self._see_switches(request)

    async def _see_calls(self, request: Request) -> Response:
        self._check_near(request)
        return wire.said(self._calls)

    async def _forget_calls(self, request: Request) -> Response:
        self._check_near(request)
        for counter in self._calls.values():
            counter.clear()
        return Response(status_code=204)


async def _refused(_: Request, error: Exception) -> Response:
    refusal = cast("HTTPException", error)
    return wire.said({"detail": refusal.detail}, refusal.status_code)
