"""The application's way into Postgres: never without an actor, never as somebody who owns anything."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from datasources.postgres.connection import (
    CONNECT_WITHIN,
    LOST,
    NOT_SENT,
    STATEMENT_WITHIN,
    DatabaseError,
    connect_application,
)
from datasources.postgres.lanes import Lanes
from datasources.postgres.listening import Callback, listening

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

_ACT = text("SELECT act_as(:organization, :user, :role)")


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf the database is asked; `role` is `learner`, `trainer`, `org-admin` or `system`.

    Any other role sees nothing.
    """

    organization: str
    user: str
    role: str

    @property
    def settings(self) -> tuple[str, str, str]:
        """The first three arguments of every function of the database that acts."""
        return self.organization, self.user, self.role


def system(organization: str) -> Actor:
    """The gateway itself, working for one organization: roster, facts, answers and cohorts."""
    return Actor(organization, "system", "system")


class Database:
    """A pool of connections as the application role, and the count of statements sent through it.

    `statements` counts every statement but the begin and end of transactions. `name` tells this pool
    from those of other processes.
    """

    def __init__(self, url: str, engine: AsyncEngine) -> None:
        self.name = uuid4().hex
        self._url = url
        self._engine = engine
        self.statements = 0
        event.listen(engine.sync_engine, "before_cursor_execute", self._count)
        event.listen(engine.sync_engine, "checkout", _refuse_closed)

    @classmethod
    async def open(cls, url: str, *, size: int = 10) -> Self:
        """A database with up to `size` connections, one of them tried.

        Raises:
            DatabaseError: nobody answers, or the role could step around row-level security.
        """
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: connect_application(url),
            pool_size=size,
            max_overflow=0,
            pool_timeout=CONNECT_WITHIN,
        )
        database = cls(url, engine)
        try:
            rows = await database.fetch(
                "SELECT rolname, rolsuper OR rolbypassrls AS bypasses, "
                "EXISTS (SELECT FROM pg_class WHERE relowner = r.oid AND relname = 'answers') AS owns "
                "FROM pg_roles r WHERE rolname = current_user"
            )
            if rows[0]["bypasses"] or rows[0]["owns"]:
                does = "steps around row-level security" if rows[0]["bypasses"] else "owns the tables"
                msg = (
                    f"The role {rows[0]['rolname']} {does}, and row-level security is what keeps tenants apart: let "
                    "GATEWAY_DATABASE_URL name gateway_app, and GATEWAY_OWNER_DATABASE_URL the role that migrates."
                )
                raise DatabaseError(msg)  # noqa: TRY301 - closes like any other failure here
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    def let_go(self) -> None:
        """Know none of the values any more that statements were first made with: SQLAlchemy keeps those with each."""
        self._engine.clear_compiled_cache()

    async def ping(self) -> None:
        """One round trip.

        Raises:
            Exception: the database does not answer; of the many kinds none is worth telling apart.
        """
        await self.fetch("SELECT 1")

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        """The rows of one statement with `$1`-style arguments: one round trip, a transaction of its own.

        The statement sets its actor itself, or sees nothing of any tenant.
        """
        try:
            return await self._fetch(sql, arguments)
        except NOT_SENT:
            return await self._fetch(sql, arguments)

    async def _fetch(self, sql: str, arguments: tuple[Any, ...]) -> list[Any]:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            self.statements += 1
            try:
                rows: list[Any] = await driver.fetch(sql, *arguments, timeout=STATEMENT_WITHIN + 1)
            except LOST:
                await connection.invalidate()
                raise
            return rows

    @asynccontextmanager
    async def session(self, actor: Actor) -> AsyncIterator[AsyncSession]:
        """A session in one transaction on behalf of the actor; committed at the end, rolled back on an error."""
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            organization, user, role = actor.settings
            connection = await session.connection()
            await connection.execute(_ACT, {"organization": organization, "user": user, "role": role})
            yield session

    def lanes(self, most: int = 2, *, giving_way: Callable[[], bool] = lambda: False) -> Lanes:
        """A few connections beside the pool, for statements that need no clearing afterwards; close them as well."""
        return Lanes(lambda: connect_application(self._url), most, self._count, giving_way=giving_way)

    def listen(self, channel: str, callback: Callback) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        """Hear a channel on a connection of its own while the context is open; see `listening`."""
        return self.hear({channel: callback})

    def hear(self, ears: Mapping[str, Callback]) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        """Hear several channels on one connection while the context is open; see `listening`."""
        return listening(lambda: connect_application(self._url), ears)

    def _count(self, *_: object) -> None:
        self.statements += 1


def _refuse_closed(connection: Any, *_: object) -> None:
    """Have the pool replace what the server has closed: the driver already knows, so it costs no round trip."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
