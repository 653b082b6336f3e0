"""What a request brings to the graph: who asks, the way to answers, the way to subjects.

The gateway makes the real one, tests make their own; the graph knows only this.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import strawberry

from analytics.declare import Metric
from analytics.policy import Subject, Viewer
from datasources.postgres.people import Organization, Page, Person
from datasources.report import ServiceReport
from resolvers.pages import Key


class Asks(Protocol):
    """The way to answers."""

    def ask(
        self, metric: Metric, subject: Subject, arguments: Mapping[str, Any]
    ) -> Awaitable[Mapping[str, Any]] | Mapping[str, Any]:
        """The answer in wire shape; at once when it is at hand. It never raises."""


class Finds(Protocol):
    """The way to subjects. An id of None means the viewer's own.

    Each raises `NotFound` for what is not there or must not be known, `NotAllowed` for what is known
    and not theirs.
    """

    async def learner(self, id: str | None) -> Person:  # noqa: A002 - the word of the graph
        """The learner with this user id."""

    async def trainer(self, id: str | None) -> Person:  # noqa: A002 - the word of the graph
        """The trainer with this user id."""

    async def organization(self, id: str | None) -> Organization:  # noqa: A002 - the word of the graph
        """The organization with this id."""

    async def learners(
        self, of: Subject, *, first: int | None, after: Key | None, last: int | None, before: Key | None
    ) -> Page:
        """The learners of an organization or of a trainer, by name."""

    async def trainers(self, *, first: int | None, after: Key | None, last: int | None, before: Key | None) -> Page:
        """The trainers of the viewer's organization, by name."""


class Context(Protocol):
    """What one request brings."""

    @property
    def viewer(self) -> Viewer:
        """Who is asking."""

    @property
    def answers(self) -> Asks:
        """The way to answers, as this viewer."""

    @property
    def subjects(self) -> Finds:
        """The way to subjects, as this viewer."""

    def services(self) -> Sequence[ServiceReport]:
        """How each service is doing, as this process sees it."""


Info: TypeAlias = strawberry.Info[Context, None]
