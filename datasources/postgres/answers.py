"""Kept answers: read in one round trip on behalf of the viewer, kept by the gateway itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING

from sqlalchemy import text

from datasources.postgres.session import Actor, Database, system

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from datasources.postgres.replica import Replica

CHANNEL = "answers"
"""Where every process hears which answers were kept."""

AT_ONCE = 1000
"""The most rows of one statement."""

LONGEST_PAYLOAD = 7900
"""Bytes of a notification; Postgres refuses 8000."""

_READ = "SELECT * FROM read_answers($1, $2, $3, $4, $5, $6, $7)"
_FORGET = text(
    "DELETE FROM answers WHERE organization = :organization AND scope = :scope AND subject = :subject "
    "AND metric = :metric AND arguments = :arguments"
)
_TELL = text("SELECT pg_notify(:channel, :told)")


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """One metric of one subject with one choice of arguments; `arguments` is canonical text."""

    scope: str
    subject: str
    metric: str
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept. Either `value` or `withheld` is there, each JSON text in its wire shape.

    `about` is JSON text about the answer: its quality and sources. `score` and `level` are the headline
    in columns of their own. `origin` is LIVE or LAST_KNOWN: a mock is never kept.
    """

    value: str | None
    withheld: str | None
    about: str
    score: float | None
    level: str | None
    origin: str
    as_of: datetime
    calculated_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """What a notification says: answers of one organization were kept; `questions` None: too many to name.

    Then `subjects` are those they are about, None where these are too many as well. `by` is the name of the
    `Database` they were kept through, so that a process knows its own.
    """

    by: str
    organization: str
    questions: tuple[Question, ...] | None
    subjects: frozenset[str] | None = None


# `astuple` would copy each of them deeply, of hundreds of rows.
_asked = attrgetter(*(one.name for one in fields(Question)))
_told = attrgetter(*(one.name for one in fields(Kept)))


async def read(
    database: Database, actor: Actor, questions: Sequence[Question], replica: Replica | None = None
) -> dict[Question, Kept]:
    """Those of the answers that are kept and that this actor may read, in one statement.

    From the replica, if there is one that is certain to know them as well as the database does.
    """
    if not questions:
        return {}
    arguments = (*actor.settings, *_columns(questions))
    rows = None
    if replica is not None and replica.knows(actor.organization, {question.subject for question in questions}):
        rows = await replica.fetch(_READ, *arguments)
    if rows is None:
        rows = await database.fetch(_READ, *arguments)
    return {questions[n - 1]: Kept(*kept) for n, *kept in rows}


async def keep(database: Database, organization: str, rows: Mapping[Question, Kept]) -> int:
    """Keep answers of one organization, the newest calculation of each, and tell every process; how many were new.

    One statement for each 1,000 rows. Rows go in order, so that two who keep the same ones never wait
    for each other in a circle.

    Raises:
        asyncpg.CheckViolationError: a row is a mock, or says both or neither of value and reason.
    """
    written = 0
    questions = sorted(rows)
    for start in range(0, len(questions), AT_ONCE):
        some = questions[start : start + AT_ONCE]
        found = await database.fetch(
            "SELECT keep_answers($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
            *system(organization).settings,
            *_columns(some),
            *zip(*(_told(rows[question]) for question in some), strict=True),
            announcement(database.name, organization, some),
        )
        written += found[0][0]
    return written


async def forget(database: Database, organization: str, questions: Sequence[Question]) -> None:
    """Let go of answers that are no longer so, and tell every process."""
    if not questions:
        return
    async with database.session(system(organization)) as session:
        connection = await session.connection()
        for question in questions:
            await connection.execute(_FORGET, {"organization": organization, **asdict(question)})
        told = announcement(database.name, organization, questions)
        await connection.execute(_TELL, {"channel": CHANNEL, "told": told})


def announcement(by: str, organization: str, questions: Iterable[Question]) -> str:
    """The payload of a notification, never too long to be sent."""
    told = list(questions)
    payload = json.dumps([by, organization, [_asked(question) for question in told]], separators=(",", ":"))
    if len(payload) > LONGEST_PAYLOAD:
        subjects = sorted({question.subject for question in told})
        payload = json.dumps([by, organization, None, subjects], separators=(",", ":"))
    return payload if len(payload) <= LONGEST_PAYLOAD else json.dumps([by, organization, None])


def changed(payload: str) -> Changed:
    """What a notification says."""
    by, organization, questions, *about = json.loads(payload)
    named = None if questions is None else tuple(Question(*q) for q in questions)
    return Changed(by, organization, named, frozenset(about[0]) if about else None)


def _columns(questions: Iterable[Question]) -> list[tuple[str, ...]]:
    return list(zip(*map(_asked, questions), strict=True))
