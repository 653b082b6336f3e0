"""A page of people and the same answers about each, where all of them are kept and fresh."""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from analytics.codec import camel
from analytics.declare import Metric, Scope
from analytics.planned import Listing, Rows, Unplanned
from analytics.policy import Subject, may_hear_all
from analytics.rosters import LearnerOrderField, OrderDirection, wanted_of
from datasources.postgres import listing as table
from datasources.postgres import pages
from datasources.postgres.listing import BRIEF, ROWS, VALUE, Asked
from datasources.postgres.prune import ANSWERS as RETENTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from analytics.planned import Term
    from analytics.policy import Viewer
    from analytics.rosters import Choice
    from analytics.world import World
    from datasources.postgres.lanes import Lanes
    from datasources.postgres.listing import Listed
    from datasources.postgres.session import Actor


@dataclass(frozen=True, slots=True)
class PageAtHand:
    """A page, the earliest time at which an answer on it is no longer fresh, and what is heard of each person on it.

    `answers` are heard of each of them, those among them by which they were `chosen`.
    """

    rows: Rows
    until: datetime | None
    answers: int
    chosen: int


class Pages:
    """The way of one asking to its pages."""

    def __init__(self, world: World, lanes: Lanes, actor: Actor, viewer: Viewer) -> None:
        self._world = world
        self._lanes = lanes
        self._actor = actor
        self._viewer = viewer

    async def read(self, listing: Listing, trainer: str | None) -> PageAtHand:
        """A page of the learners of a trainer, or of the organization; or of its trainers.

        Raises:
            Unplanned: something is missing, stale, or not the viewer's to hear.
        """
        scope = Scope.TRAINER if listing.choice is None else Scope.LEARNER
        asked = [Asked(term.key, term.text, _how(term, scope)) for term in listing.terms]
        plain = _plain(listing)
        if plain:
            after = listing.window.after
            wanted = table.Wanted(
                "learner" if scope is Scope.LEARNER else "trainer",
                listing.window.first or 0,
                trainer,
                None if after is None else after[1:],
                listing.counted,
            )
            listed = await table.read(self._lanes, self._actor, wanted, asked)
            ranks: Sequence[float | None] = [None] * len(listed.ids)
            unknown = None
        else:
            listed, ranks, unknown = await self._chosen(listing, trainer, scope, asked)
        self._check(listed, listing.terms, scope)
        answers, until = self._answers(listed, asked)
        rows = Rows(
            listed.ids,
            listed.names,
            listed.departments,
            ranks,
            answers,
            listed.total,
            unknown,
            listed.has_next,
            listed.has_previous,
        )
        chosen = 0 if listing.choice is None else len(listing.choice.metrics)
        return PageAtHand(rows, until, len(listing.terms) + chosen, chosen)

    async def _chosen(
        self, listing: Listing, trainer: str | None, scope: Scope, asked: Sequence[Asked]
    ) -> tuple[Listed, Sequence[float | None], int | None]:
        """A page that is filtered or ordered by what is kept, and then what else is kept of who is on it."""
        wanted = pages.Wanted(role="trainer")
        if listing.choice is not None:
            if any(self._viewer.role not in metric.roles for metric in listing.choice.metrics):
                raise Unplanned
            wanted = wanted_of(trainer, listing.choice)
        page = await pages.page(
            self._world.database,
            self._actor,
            wanted,
            listing.window,
            since=self._world.now() - RETENTION,
            until=self._world.clock(),
            counted=listing.counted,
            most_missing=1,
        )
        if page.missing:
            raise Unplanned
        given = [person.id for _, person in page.rows]
        role = "learner" if scope is Scope.LEARNER else "trainer"
        told = await table.read(self._lanes, self._actor, table.Wanted(role, given=given), asked)
        listed = table.Listed(
            given,
            [person.name for _, person in page.rows],
            [person.department for _, person in page.rows],
            told.taught,
            page.total,
            page.has_next,
            page.has_previous,
            told.answers,
        )
        return listed, [key[0] for key, _ in page.rows], page.unknown

    def _check(self, listed: Listed, terms: Iterable[Term], scope: Scope) -> None:
        """See to it that all of this is the viewer's to hear.

        Of two people of a page whom the viewer teaches, or does not, policy says the same; so it is asked once for
        each kind, and of the viewer, if they are on it.
        """
        metrics = [term.metric for term in terms]
        here, me = self._viewer.organization, self._viewer.user
        taught = listed.taught or [False] * len(listed.ids)
        kinds = {(teaches, one == me): one for one, teaches in zip(listed.ids, taught, strict=True)}
        for (teaches, _), one in kinds.items():
            trainers = frozenset((me,)) if teaches and scope is Scope.LEARNER else frozenset[str]()
            subject = Subject(scope, here, one, trainers)
            if metrics and not may_hear_all(self._viewer, metrics, subject):
                raise Unplanned

    def _answers(self, listed: Listed, asked: Sequence[Asked]) -> tuple[list[Any], datetime | None]:
        """The answers in the order of their questions, all there and fresh, and when the first of them is not."""
        at, now = self._world.clock(), self._world.now()
        since = now - RETENTION
        number = len(listed.ids)
        answers: list[Any] = []
        until: datetime | None = None
        for one, rows in zip(asked, listed.answers, strict=True):
            if one.how == ROWS:
                rows = sorted(rows, key=lambda row: row.place)  # noqa: PLW2901 - the same rows, in order
            if number == 0:
                answers.append("[]" if one.how != ROWS else ())
                continue
            if (len(rows) if one.how == ROWS else rows[0].place) != number:
                raise Unplanned
            for row in rows:
                if not (row.as_of <= at and row.calculated_at >= since and row.expires_at > now):
                    raise Unplanned
                until = row.expires_at if until is None else min(until, row.expires_at)
            answers.append(rows if one.how == ROWS else rows[0].value)
        return answers, until


def _plain(listing: Listing) -> bool:
    """Whether a page goes by name alone, and forward."""
    window, choice = listing.window, listing.choice
    return window.first is not None and window.before is None and (choice is None or _unfiltered(choice))


def _unfiltered(choice: Choice) -> bool:
    by_name = choice.by is LearnerOrderField.NAME and choice.direction is OrderDirection.ASC
    filters = (choice.department, choice.course, choice.risk, choice.engagement)
    return by_name and not choice.words and all(one is None for one in filters)


def _how(term: Term, scope: Scope) -> str:
    if not term.bare:
        return ROWS
    return BRIEF if scope is Scope.LEARNER and _brief_members(term.metric).issuperset(term.members) else VALUE


@cache
def _brief_members(metric: Metric) -> frozenset[str]:
    """The members of a metric's value that are neither lists nor have parts of their own, as the graph names them."""
    hints = get_type_hints(metric.value_type)
    return frozenset(camel(name) for name, hint in hints.items() if not _has_parts(hint))


def _has_parts(hint: Any) -> bool:
    return is_dataclass(hint) or get_origin(hint) is tuple or any(_has_parts(one) for one in get_args(hint))
