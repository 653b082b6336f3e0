"""What one request leaves in the audit: whose answers it told, whom it named, what it was refused, what it changed.

It is noted as it happens, and written in one statement when the answer has been sent. Nothing is noted of what
somebody hears of themselves, and nothing holds a name, a number about a person, or a token.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from analytics.policy import NotAllowed, NotFound, TooMany
from datasources.postgres.audit import NOWHERE, Event, Whence, record
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.policy import Viewer
    from datasources.postgres.session import Database

LONGEST = 100
"""Characters of an id that are kept of what somebody asked for: an id of ours is shorter."""

WHY = {NotFound: "not-found", NotAllowed: "not-allowed", TooMany: "too-many"}

log = structlog.get_logger(__name__)


class Trail:
    """The notes of one request of one viewer."""

    def __init__(self, database: Database, viewer: Viewer, whence: Whence = NOWHERE) -> None:
        self._database = database
        self._viewer = viewer
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)
        self.whence = whence
        self._heard: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._refused: Counter[tuple[str, str | None, str]] = Counter()
        self._done: list[Event] = []

    def heard(self, learner: str, answers: int = 1) -> None:
        """The viewer was told answers about a person, who may be themselves."""
        if learner != self._viewer.user:
            self._heard[learner] += answers

    def seen(self, person: str) -> None:
        """The viewer was told who a person is, who may be themselves: their name, and where they belong."""
        if person != self._viewer.user:
            self._seen.add(person)

    def refused(self, what: str, subject: str | None, why: str) -> None:
        """The viewer asked for something that is not theirs; `subject` is the id they asked with."""
        self._refused[what, None if subject is None else subject[:LONGEST], why] += 1

    def did(self, event: Event) -> None:
        """The viewer changed something, or took something along."""
        self._done.append(event)

    @contextmanager
    def asking(self, what: str, subject: str | None = None) -> Iterator[None]:
        """Note what is refused inside."""
        try:
            yield
        except (NotFound, NotAllowed, TooMany) as verdict:
            self.refused(what, subject, WHY[type(verdict)])
            raise

    async def afterwards(self) -> None:
        """Write down what was noted since the last time; one statement, none for nothing.

        A database that does not answer costs a line of the log with the count, and not the viewer's answer.
        """
        events = self._take()
        try:
            await record(self._database, self._actor, events, self.whence)
        except UNAVAILABLE as error:
            log.warning("audit.not_recorded", error=type(error).__name__, events=len(events))

    def _take(self) -> list[Event]:
        heard, self._heard = self._heard, Counter()
        seen, self._seen = self._seen, set()
        refused, self._refused = self._refused, Counter()
        done, self._done = self._done, []
        return [
            *(Event("answers.heard", person, {"answers": count}) for person, count in sorted(heard.items())),
            *(Event("person.seen", person) for person in sorted(seen - heard.keys())),
            *(
                Event("refused", subject, {"what": what, "why": why, "times": times})
                for (what, subject, why), times in sorted(refused.items(), key=str)
            ),
            *done,
        ]
