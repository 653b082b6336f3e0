"""The words a simulated service is put together from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Payload = dict[str, Any]
"""One JSON object; dates and instants are still dates and instants, and become ISO text when written."""


class Subject(StrEnum):
    """Whose id a read is asked with."""

    LEARNER = "learner"
    TRAINER = "trainer"
    ORGANIZATION = "organization"
    COURSE = "course"
    CONTENT = "content"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class Read:
    """One read: `answer` gives the payload for an id, or None for an id that the service does not know.

    A path about the market holds no `{id}`, is asked with an empty id, and has no batch twin.
    """

    name: str
    path: str
    answer: Callable[[str], Payload | None]
    subject: Subject = Subject.LEARNER

    @property
    def batch_path(self) -> str | None:
        """`/users/{id}/logins` has the twin `/users/logins/batch`."""
        return self.path.replace("/{id}", "") + "/batch" if "{id}" in self.path else None


def about(known: Callable[[str], bool], answer: Callable[[str], Payload]) -> Callable[[str], Payload | None]:
    """An answer for known ids, None for all others."""
    return lambda key: answer(key) if known(key) else None
