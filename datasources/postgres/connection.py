"""How a connection is made: one place for addresses, time limits and what is said when it fails."""

from __future__ import annotations

import re
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import exc

CONNECT_WITHIN = 5.0
"""Seconds until a connection must be there."""

STATEMENT_WITHIN = 5.0
"""Seconds until a statement of the application must be done."""

NOT_SENT: type[Exception] = asyncpg.InternalClientError
"""What it looks like when the server has hung up and the driver is about to hear of it: nothing was sent."""

LOST: tuple[type[Exception], ...] = (
    OSError,
    NOT_SENT,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
)
"""What it looks like when a connection cannot be made, or is gone."""

REFUSED: tuple[type[Exception], ...] = (*LOST, asyncpg.PostgresError, ValueError)
"""What it looks like when there will be no connection with this address."""


class DatabaseError(RuntimeError):
    """The database cannot be used; the message says why and what to do, and holds no password."""


UNAVAILABLE: tuple[type[Exception], ...] = (
    *LOST,
    DatabaseError,
    TimeoutError,
    asyncpg.QueryCanceledError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    exc.TimeoutError,
    exc.DisconnectionError,
    # A server that shuts down is told by the base class, so its whole family is here; logs name the member.
    exc.DBAPIError,
)
"""What it looks like when the database cannot serve just now: what can be done without it is done without it."""


def address(url: str) -> str:
    """The address as the driver wants it: `postgresql+asyncpg://` and `postgres://` are `postgresql://`."""
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)


async def connect(url: str, **settings: str) -> Any:
    """A driver connection with these server settings.

    Raises:
        DatabaseError: nobody answers there, or not to us.
    """
    try:
        return await asyncpg.connect(address(url), timeout=CONNECT_WITHIN, server_settings=settings)
    except REFUSED as error:
        told = str(error) or type(error).__name__
        msg = f"No database at {masked(url)}: {told}. Check the address, the password, and that the server runs."
        raise DatabaseError(msg) from error


async def connect_application(url: str) -> Any:
    """A driver connection with the limits of the application."""
    limit = f"{int(STATEMENT_WITHIN * 1000)}ms"
    return await connect(
        url,
        application_name="learning-analytics-gateway",
        statement_timeout=limit,
        idle_in_transaction_session_timeout=limit,
        # Our statements are short and go by keys: what pays for long ones only slows them down.
        jit="off",
        max_parallel_workers_per_gather="0",
        random_page_cost="1.1",
    )


def masked(url: str) -> str:
    """The address without its password."""
    return re.sub(r"//([^:/@]*)(:[^@]*)?@", r"//\1@", url)
