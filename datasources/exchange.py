"""One call to one service over HTTP, and everything that can come of it.

An answer is bounded in time and in size, never followed elsewhere, and checked before anyone sees it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from datasources.report import Cause
from datasources.wire import Batch, NonsenseError, wire_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from datasources.declare import Endpoint

LARGEST = 32 * 2**20
"""Bytes of an answer, unpacked, beyond which it is nonsense."""

_THREAD_FROM = 2**20
_FAIR = 0.25
_AGAIN = frozenset({429, 502, 503, 504})
_NOT_FOUND = 404


class SourceError(Exception):
    """A service gave no fact."""

    def __init__(self, service: str, cause: Cause) -> None:
        super().__init__(f"{service}: {cause}")
        self.service = service
        self.cause = cause


class CallError(SourceError):
    """One call failed.

    `blame` says whether that speaks against the service (None: it says nothing about it), `again_in`
    how many seconds to wait at least before another try (None: do not try again), `status` what it answered,
    where that was an error of ours.
    """

    def __init__(
        self,
        service: str,
        cause: Cause,
        *,
        blame: bool | None = True,
        again_in: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(service, cause)
        self.blame = blame
        self.again_in = again_in
        self.status = status


@dataclass(frozen=True, slots=True)
class Query:
    """One read: what to send, how to understand the answer, and what a 404 says (None: that something is wrong)."""

    method: str
    path: str
    body: Mapping[str, Sequence[str]] | None
    parse: Callable[[bytes], Batch[Any]]
    absent: Batch[Any] | None = None


def query_of(endpoint: Endpoint, ids: Sequence[str]) -> Query:
    """The one call that asks an endpoint for these ids: its batch twin, or, for a single id, a plain read."""
    wire = wire_of(endpoint.fact)
    if endpoint.batched:
        return Query("POST", endpoint.batch_path, {"ids": ids}, lambda body: wire.many(body, ids))
    (key,) = ids
    path = endpoint.path.replace("{id}", quote(key, safe=""))
    # What is about everyone cannot be unknown: its 404 says that the address is wrong.
    absent: Batch[Any] | None = Batch(missing=frozenset(ids)) if path != endpoint.path else None
    return Query("GET", path, None, lambda body: Batch({key: wire.one(body)}, size=len(body)), absent)


def clients(
    token: str | None, transport: httpx.AsyncBaseTransport | None, at_once: int
) -> Callable[[str], httpx.AsyncClient]:
    """How to make a client for a URL; certificates are read once for all of them, which takes the longest."""
    context = httpx.create_ssl_context() if transport is None else True
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    limits = httpx.Limits(max_connections=at_once + 1, max_keepalive_connections=at_once)

    def client(url: str) -> httpx.AsyncClient:
        # Time limits are the caller's, over whole calls; httpx would only limit the pauses within one.
        return httpx.AsyncClient(
            base_url=url,
            headers=headers,
            limits=limits,
            transport=transport,
            verify=context,
            timeout=None,  # noqa: S113  # see above
            follow_redirects=False,
            trust_env=False,
        )

    return client


@dataclass(frozen=True, slots=True)
class Line:
    """The way to one service: `patience` is the longest that one call may take, in seconds."""

    service: str
    client: httpx.AsyncClient
    patience: float
    now: Callable[[], datetime]
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def exchange(self, query: Query, headers: Mapping[str, str], until: float) -> Batch[Any]:
        """What the service says, by the event loop's time `until` at the latest.

        Raises:
            CallError: it says nothing, or nothing of use.
        """
        content = await self._content(query, headers, until)
        if content is None:
            return query.absent or Batch()
        try:
            batch = query.parse(content) if len(content) <= _THREAD_FROM else await self._parsed(query, content)
        except NonsenseError as error:
            raise self._error(Cause.NONSENSE) from error
        if batch.spoiled and not batch.facts and not batch.missing:
            raise self._error(Cause.NONSENSE)
        return batch

    async def _parsed(self, query: Query, content: bytes) -> Batch[Any]:
        """A large body read beside what else is done; one at a time, since many at once take no less, and much room."""
        async with self.reading:
            return await asyncio.to_thread(query.parse, content)

    async def _content(self, query: Query, headers: Mapping[str, str], until: float) -> bytes | None:
        """The body of a success; None when there is no such thing."""
        began = asyncio.get_running_loop().time()
        limit = min(until, began + self.patience)
        request = self.client.build_request(query.method, query.path, json=query.body, headers=headers)
        try:
            async with asyncio.timeout_at(limit):
                response = await self.client.send(request, stream=True)
                try:
                    if query.absent is not None and response.status_code == _NOT_FOUND:
                        return None
                    self._insist(response)
                    return await self._read(response)
                finally:
                    await response.aclose()
        except httpx.TimeoutException as error:
            raise self._error(Cause.TIMEOUT, again_in=0.0) from error
        except TimeoutError as error:
            # A request that was about to end anyway gave the service no fair chance.
            blame = True if limit - began >= _FAIR else None
            raise self._error(Cause.TIMEOUT, blame=blame, again_in=0.0) from error
        except httpx.DecodingError as error:
            raise self._error(Cause.NONSENSE) from error
        except httpx.TransportError as error:
            raise self._error(Cause.REFUSED, again_in=0.0) from error

    def _insist(self, response: httpx.Response) -> None:
        """Go on with a success only. A redirect is nonsense: it might lead our token astray."""
        if response.is_success:
            return
        if response.status_code in _AGAIN:
            raise self._error(Cause.REFUSED, again_in=_retry_after(response.headers, self.now()))
        if response.is_client_error:
            raise CallError(self.service, Cause.REFUSED, blame=False, status=response.status_code)
        raise self._error(Cause.REFUSED if response.is_server_error else Cause.NONSENSE)

    async def _read(self, response: httpx.Response) -> bytes:
        content = bytearray()
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > LARGEST:
                raise self._error(Cause.NONSENSE)
        return bytes(content)

    def _error(self, cause: Cause, *, blame: bool | None = True, again_in: float | None = None) -> CallError:
        return CallError(self.service, cause, blame=blame, again_in=again_in)


def _retry_after(headers: httpx.Headers, now: datetime) -> float:
    """Seconds that a service asks to be left alone, from either form of the header; 0 when it does not say."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        moment = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
