"""What learners chose: whether others see them on the leaderboard, and what they made of their recommendations.

A learner writes and reads their own rows as themselves; what is done for everybody reads them as the system.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlmodel import col, select

from datasources.postgres.audit import NOWHERE, Whence
from datasources.postgres.session import Actor, Database, system
from datasources.postgres.tables import LeaderboardChoiceRow, PersonRow, RecommendationDecisionRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

MOST_DECISIONS = 500
"""The most decisions that are kept of one person; the oldest go first."""

_SHOW = text(
    "INSERT INTO leaderboard_choices (organization, person, visible, chosen_at) "
    "VALUES (:organization, :person, :visible, :at) "
    "ON CONFLICT (organization, person) DO UPDATE SET visible = excluded.visible, chosen_at = excluded.chosen_at"
)
_DECIDE = text(
    "INSERT INTO recommendation_decisions (organization, person, recommendation, kind, decided_at) "
    "VALUES (:organization, :person, :recommendation, :kind, :at) "
    "ON CONFLICT (organization, person, recommendation) "
    "DO UPDATE SET kind = excluded.kind, decided_at = excluded.decided_at"
)
_UNDECIDE = text(
    "DELETE FROM recommendation_decisions "
    "WHERE organization = :organization AND person = :person AND recommendation = :recommendation"
)
# What was just decided stays, however its time compares with that of the others.
_TRIM = text(
    "DELETE FROM recommendation_decisions WHERE (organization, person, recommendation) IN ("
    "SELECT organization, person, recommendation FROM recommendation_decisions "
    "WHERE organization = :organization AND person = :person "
    "ORDER BY recommendation = :recommendation DESC, decided_at DESC, recommendation OFFSET :most)"
)
_AUDIT = text(
    "SELECT record_audit(:organization, :person, :role, ARRAY[:event], ARRAY[:person], ARRAY['{}']::jsonb[], "
    ":address, :request)"
)


async def show(database: Database, actor: Actor, *, visible: bool, at: datetime, whence: Whence = NOWHERE) -> None:
    """Have others see, or not see, the actor on the leaderboard; in the audit by the same transaction.

    Raises:
        asyncpg.InsufficientPrivilegeError: the actor is no learner.
    """
    async with database.session(actor) as session:
        connection = await session.connection()
        who = {"organization": actor.organization, "person": actor.user}
        await connection.execute(_SHOW, {**who, "visible": visible, "at": at})
        await connection.execute(_AUDIT, _event(actor, f"leaderboard.{'shown' if visible else 'hidden'}", whence))


async def decide(  # noqa: PLR0913 - who decided what of which, when, and how much is kept
    database: Database,
    actor: Actor,
    recommendation: str,
    kind: str | None,
    *,
    at: datetime,
    most: int = MOST_DECISIONS,
    whence: Whence = NOWHERE,
) -> None:
    """Keep what the actor made of a recommendation, or that they made nothing of it (None); audited likewise.

    Raises:
        asyncpg.InsufficientPrivilegeError: the actor is no learner.
    """
    async with database.session(actor) as session:
        connection = await session.connection()
        what = {"organization": actor.organization, "person": actor.user, "recommendation": recommendation}
        if kind is None:
            await connection.execute(_UNDECIDE, what)
        else:
            await connection.execute(_DECIDE, {**what, "kind": kind, "at": at})
            await connection.execute(_TRIM, {**what, "most": most})
        await connection.execute(_AUDIT, _event(actor, f"recommendation.{kind or 'undecided'}", whence))


async def hidden(database: Database, organization: str) -> frozenset[str]:
    """Who does not want to be seen on the leaderboard."""
    wanted = select(LeaderboardChoiceRow.person).where(col(LeaderboardChoiceRow.visible).is_(other=False))
    async with database.session(system(organization)) as session:
        return frozenset((await session.exec(wanted)).all())


async def names(database: Database, organization: str, people: Iterable[str]) -> dict[str, str]:
    """What these people are called, as far as they belong to the organization and are active; by id."""
    wanted = select(PersonRow.id, PersonRow.name).where(col(PersonRow.id).in_(sorted(people)), col(PersonRow.is_active))
    async with database.session(system(organization)) as session:
        return dict((await session.exec(wanted)).all())


async def decisions(
    database: Database, organization: str, people: Sequence[str]
) -> dict[str, list[RecommendationDecisionRow]]:
    """What each of these people decided, in the order of the recommendations' ids."""
    wanted = (
        select(RecommendationDecisionRow)
        .where(col(RecommendationDecisionRow.person).in_(people))
        .order_by(col(RecommendationDecisionRow.recommendation))
    )
    found: defaultdict[str, list[RecommendationDecisionRow]] = defaultdict(list)
    async with database.session(system(organization)) as session:
        for row in (await session.exec(wanted)).all():
            found[row.person].append(row)
    return found


def _event(actor: Actor, kind: str, whence: Whence) -> dict[str, str | None]:
    organization, person, role = actor.settings
    where = {"address": whence.address, "request": whence.request_id}
    return {"organization": organization, "person": person, "role": role, "event": kind, **where}
