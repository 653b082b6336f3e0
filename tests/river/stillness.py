"""A watch over the thread of an event loop: it notes whatever has the thread wait, and is no stopwatch.

The kernel counts how often a thread gave its processor up of its own accord: to sleep, to read from a disk, for a lock,
for a socket, for a child. Being made to give it up, which is what a busy machine does, is counted apart. So a wait is
seen however short it was, and none is seen where there was only little time. Calls that may wait are noted by their
name as well, though this time everything was there at once.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

P = ParamSpec("P")
T = TypeVar("T")

MAY_WAIT = frozenset(
    {
        *("time.sleep", "io.open", "io.open_code", "posix.open", "posix.listdir", "posix.scandir", "posix.fsync"),
        *("fcntl.flock", "fcntl.lockf", "posix.system", "posix.waitpid", "posixsubprocess.fork_exec"),
        *("socket.getaddrinfo", "socket.getnameinfo", "socket.gethostbyname", "socket.gethostbyaddr"),
    }
)
AT_ONCE = {"posix.urandom": "Since it was started the machine has chance enough, and gives it without waiting."}
EXCUSED = {
    ("asyncpg/connect_utils.py", None): "A new connection looks whether there are certificates at home.",
    ("_transports/asgi.py", None): "The services of a test look for a library of theirs with each request.",
    ("gamification/streaks.py", "zone_of"): "A time zone is a file, read once in the life of a process.",
}
"""Where waiting is known and let be: the end of a path, and a function there or any, with the reason."""

STEP = asyncio.Handle._run.__code__
"""What the loop calls for each step, and calls nothing else between two of them that is work."""


class InThisThread(ThreadPoolExecutor):
    """Does at once what is given to threads, with the watch looking away: others that run would have us wait for them.

    That is not for something outside: Python lets one thread run at a time.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """What it does, done."""
        done: Future[T] = Future()
        watching = sys.getprofile()
        sys.setprofile(None)
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who wait for it
            done.set_exception(error)
        finally:
            if watching is not None:
                watching.__self__.look()  # type: ignore[attr-defined]  # it is a method of a watch
                sys.setprofile(watching)
        return done


class Steps:
    """Counts the work of each step of the loop while the context is open, in calls: they are the same on any machine.

    `most` are those of the longest step so far: of everything that one callback or one task does until it waits.
    """

    def __init__(self) -> None:
        self.most = 0
        self._calls = 0

    def __enter__(self) -> Self:
        sys.setprofile(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _see(self, frame: FrameType, event: str, _: Any) -> None:
        if frame.f_code is STEP:
            self.most, self._calls = max(self.most, self._calls), 0
        elif event in {"call", "c_call"}:
            self._calls += 1


class Watch:
    """While the context is open, notes what has this thread wait, but for the loop that has nothing to do.

    `waits` are the waits by what was called and from where, `calls` the same of calls that may wait.
    """

    def __init__(self) -> None:
        self.waits: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._before = (0, 0)
        self._others = 0

    @property
    def noted(self) -> list[str]:
        """What may wait, and whatever waited again and again at the same place, once the context is closed.

        A first time may be chance. And another thread that wakes up, as that of a test runner does when it is told
        something, waits for its turn in Python and then has us wait for ours: so often a wait may be theirs.
        """
        return [*self.calls, *(one for one, times in self.waits.items() if times > 1 + self._others)]

    def look(self) -> None:
        """Begin anew to count."""
        self._before = _waits()

    def __enter__(self) -> Self:
        self._others = -_waits_of_others()
        self.look()
        sys.setprofile(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        self._others += _waits_of_others()

    def _see(self, frame: FrameType, event: str, given: Any) -> None:
        """One call of the interpreter, or its end."""
        now = _waits()
        if now != self._before:
            (waited, loaded), self._before = self._before, now
            # Whatever is read into memory when it is first touched is no call of ours.
            if now[0] > waited and now[1] == loaded:
                self._note(self.waits, frame, _name(given) if event.startswith("c_") else "something before", given)
        if event == "c_call" and _name(given) in MAY_WAIT:
            self._note(self.calls, frame, _name(given), given)

    def _note(self, notes: Counter[str], frame: FrameType, what: str, given: Any) -> None:
        own = getattr(given, "__self__", None)
        patient = not (isinstance(own, socket.socket) and own.gettimeout() == 0)
        stack = list(_stack(frame))
        if patient and what not in AT_ONCE and not _is_idle(stack) and not _is_excused(stack):
            notes[" < ".join([what, *(f"{path}:{line} {name}" for path, name, line in stack[:12])])] += 1


def _waits() -> tuple[int, int]:
    """How often this thread gave its processor up, and how often for a part of memory that was not there."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_nvcsw, used.ru_majflt


def _waits_of_others() -> int:
    """How often the other threads of this process gave their processor up."""
    ours = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - ours


def _name(function: Any) -> str:
    module = getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__qualname__
    return f"{module.removeprefix('_')}.{getattr(function, '__name__', '')}"


def _stack(frame: FrameType | None) -> Iterator[tuple[str, str, int]]:
    """Path, function and line of whoever is called, and of their callers, up to the loop."""
    while frame is not None:
        code = frame.f_code
        yield "/".join(Path(code.co_filename).parts[-2:]), code.co_name, frame.f_lineno
        frame = frame.f_back if code.co_name != "run_forever" else None


def _is_idle(stack: list[tuple[str, str, int]]) -> bool:
    """Whether it is the loop that waits, for whatever comes next."""
    return [name for _, name, _ in stack[:2]] == ["select", "_run_once"]


def _is_excused(stack: list[tuple[str, str, int]]) -> bool:
    return any((path, one) in EXCUSED for path, name, _ in stack for one in (name, None))
