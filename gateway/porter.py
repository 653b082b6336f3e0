"""Who a connection is from, and who pays for what it asks: a viewer, or the address it comes from."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from gateway.budget import spend
from gateway.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.datastructures import Headers
    from starlette.requests import HTTPConnection

    from analytics.policy import Viewer
    from gateway.auth import Session
    from gateway.budget import Till

NEIGHBOURS = 64
"""Bits of an IPv6 address that a customer is given: within them they choose addresses as they like."""
TURNED_AWAY = 10
"""What it costs to show a token that is no good: a signature is checked, as much work as a small answer."""


class Porter:
    """Looks at the token of whoever comes in; one that is no good is paid for by the address it came from.

    `turned_away` hears of whoever is not let in though their token is good.
    """

    def __init__(
        self,
        authenticate: Callable[[Headers], Awaitable[Session | None]],
        till: Till | None,
        turned_away: Callable[[Viewer, HTTPConnection], Awaitable[None]] | None = None,
    ) -> None:
        self._authenticate = authenticate
        self._till = till
        self._turned_away = turned_away

    async def session(self, connection: HTTPConnection, headers: Headers) -> Session | None:
        """Who sent these headers over this connection; None without a token.

        Raises:
            Refused: as the authenticator says; 429, too many such tokens came from there.
        """
        try:
            return await self._authenticate(headers)
        except Refused as no:
            if self._till is not None and no.status < 500:  # noqa: PLR2004 - a fault that is not the caller's
                await spend(self._till, address_of(connection), TURNED_AWAY)
            if self._turned_away is not None and no.viewer is not None:
                await self._turned_away(no.viewer, connection)
            raise


def payer_of(connection: HTTPConnection, session: Session | None) -> str:
    """Who pays: the viewer, else the address."""
    return address_of(connection) if session is None else session.viewer.user


def address_of(connection: HTTPConnection) -> str:
    """Where a connection comes from, as far as nobody can choose it; empty where that is not known."""
    return network_of(connection.client.host if connection.client else None) or ""


def network_of(address: str | None) -> str | None:
    """Where somebody is, as far as they cannot choose it: the address, or the network of an IPv6 one."""
    if address is None:
        return None
    try:
        found = ip_address(address)
    except ValueError:
        return address
    mapped = getattr(found, "ipv4_mapped", None)
    if found.version == 4 or mapped is not None:  # noqa: PLR2004 - IPv4
        return str(mapped or found)
    return str(ip_network((int(found), NEIGHBOURS), strict=False))
