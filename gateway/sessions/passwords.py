"""Passwords of local accounts: argon2, a few at a time, and the same work whether there is an account or not."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.sessions.provider import AwayError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
AT_ONCE = 2
"""Each takes 64 MiB and tens of milliseconds of a processor."""
MOST_WAITING = 50
SHORTEST = 15
"""Characters, where a password is all there is (NIST SP 800-63B-4, 3.1.1.2)."""
LONGEST = 1_000


class Hasher(Protocol):
    """What `argon2.PasswordHasher` does."""

    def hash(self, password: str) -> str:
        """A salted hash."""

    def verify(self, hash: str, password: str) -> bool:  # noqa: A002 - argon2's word
        """True, or an exception."""


class Passwords:
    """Hashes and compares in threads of their own. Belongs to one event loop."""

    def __init__(self, hasher: Hasher | None = None) -> None:
        self._hasher: Hasher = hasher or PasswordHasher()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Whether a password is the one that was hashed; without a hash it is not, and that takes as long.

        Raises:
            AwayError: too many wait for this already.
        """
        right = await self._in_thread(lambda: self._verify(hashed or self._nobodys, password[:LONGEST]))
        return right and hashed is not None and len(password) <= LONGEST

    async def hash(self, password: str) -> str:
        """The hash of a password.

        Raises:
            ValueError: it is too short or too long.
            AwayError: too many wait for this already.
        """
        if not SHORTEST <= len(password) <= LONGEST:
            message = f"a password has {SHORTEST} to {LONGEST} characters"
            raise ValueError(message)
        return await self._in_thread(lambda: self._hasher.hash(password))

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise AwayError
        # In a task of its own: a thread goes on when its caller has left, and so must keep its place.
        task = asyncio.create_task(self._placed(work))
        self._waiting += 1
        task.add_done_callback(self._left)
        await asyncio.wait((task,))
        return task.result()

    async def _placed(self, work: Callable[[], T]) -> T:
        async with self._places:
            return await asyncio.to_thread(work)

    def _left(self, _: object) -> None:
        self._waiting -= 1
