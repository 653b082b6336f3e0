"""What a compiled document asks for all at once, and what is found for it: words only.

A document whose shape is known (`resolvers.plan`) says before anything is read whom it is about and which
answers it shows. Whoever looks that up finds all of it, plainly, or raises `Unplanned`; then nothing has been
said or done, and the ordinary executor answers. A plan never says an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from analytics.keeping import question
from analytics.policy import Subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from analytics.declare import Metric, Scope
    from analytics.record import Answer
    from analytics.rosters import Choice
    from datasources.postgres.lists import Course, Headcounts, Taken
    from datasources.postgres.pages import Window
    from datasources.postgres.people import Organization

ORGANIZATION, MARKET = -1, -2
"""Where a place in `Ask.people` would stand: the viewer's own organization, and the market beside it."""


class Unplanned(Exception):  # noqa: N818 - no error: the request is for the ordinary way
    """Not as plain as a plan can say; nothing has been said or done, the ordinary executor answers."""


@dataclass(frozen=True, slots=True)
class Who:
    """A person a document speaks about: a learner or a trainer, by their id in the directory."""

    scope: Scope
    id: str


@dataclass(frozen=True, slots=True)
class Term:
    """A metric with its arguments, as it stands in one place of a document.

    `arguments` are as the formula takes them; `key` and `text` are under what an answer is kept (`Question.metric`
    and `Question.arguments`). `members` are those of the value that are shown. A term is `bare` where nothing of an
    answer is shown but these members and what is the same for every fresh answer.
    """

    metric: Metric
    arguments: Mapping[str, Any]
    key: str
    text: str
    members: tuple[str, ...]
    bare: bool


def term(metric: Metric, arguments: Mapping[str, Any], members: tuple[str, ...], *, bare: bool) -> Term:
    """A metric asked with these arguments, the others as they are unless said."""
    asked = question(metric, Subject(metric.scope, "", ""), arguments)
    return Term(metric, arguments, asked.metric, asked.arguments, members, bare)


@dataclass(frozen=True, slots=True)
class Point:
    """One answer: a term, and whom it is about: a place in `Ask.people`, `ORGANIZATION` or `MARKET`."""

    about: int
    term: Term


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of people, and the same terms about each of them.

    Learners of a trainer (a place in `Ask.people`) or of the `ORGANIZATION`; trainers of the organization where
    there is no `choice`. The length of the whole list is wanted where it is `counted`.
    """

    about: int
    choice: Choice | None
    window: Window
    counted: bool
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """Everything a document asks for, with one choice of variables, by one viewer.

    People may stand there twice, and so may terms: each is a place in the document, and each counts for the audit.
    `courses` are of whom all courses are wanted: those a learner takes or took, a trainer teaches, the
    `ORGANIZATION` has. `organization` says whether the viewer's own is shown, `headcounts` whether is shown how many
    learners belong where, which is asked for admins only.
    """

    people: tuple[Who, ...]
    organization: bool
    points: tuple[Point, ...]
    listings: tuple[Listing, ...]
    courses: tuple[int, ...]
    headcounts: bool = False


class Told(Protocol):
    """An answer as it is kept (`datasources.postgres.answers.Kept`): JSON text in wire shape."""

    @property
    def value(self) -> str | None:
        """The value; None where it is withheld."""

    @property
    def withheld(self) -> str | None:
        """Why there is no value, as `analytics.keeping` spells it."""

    @property
    def about(self) -> str:
        """Its quality and sources, as `analytics.keeping` spells them."""

    @property
    def as_of(self) -> datetime:
        """The moment it speaks about."""

    @property
    def calculated_at(self) -> datetime:
        """When it was worked out."""

    @property
    def expires_at(self) -> datetime:
        """When it stops being fresh."""


class Someone(Protocol):
    """What is shown of a person (`datasources.postgres.people.Person`)."""

    @property
    def id(self) -> str:
        """Their id in the directory."""

    @property
    def name(self) -> str:
        """The name to show."""

    @property
    def department(self) -> str | None:
        """Where they belong."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of people, column by column in the order of the page, with where it stands in the list.

    `ranks` are as in `datasources.postgres.pages.Key`. `answers` go with the terms of the listing: for a bare
    term one JSON array of values, null where one is withheld, each with the members of the term at least; for
    any other what is kept of each person.
    """

    ids: Sequence[str]
    names: Sequence[str]
    departments: Sequence[str | None]
    ranks: Sequence[float | None]
    answers: Sequence[str | Sequence[Told | Answer]]
    total: int | None
    unknown: int | None
    has_next: bool
    has_previous: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, in the order of the ask: every person, every answer kept, understood by its times and fresh.

    An `Answer` is one that this process remembers.
    """

    people: Sequence[Someone]
    organization: Organization | None
    answers: Sequence[Told | Answer]
    pages: Sequence[Rows]
    courses: Sequence[Sequence[Course] | Sequence[Taken]]
    headcounts: Headcounts | None = None
