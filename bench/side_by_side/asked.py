"""Who asks what: three documents, the tokens they are asked with, and what the tables say the answers are."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, OperationDefinitionNode, parse

from analytics.catalog import METRICS
from analytics.codec import camel, global_id
from analytics.declare import Role
from bench.made.school import DEPARTMENTS, School
from datasources.postgres.session import system
from gateway.keys import secret_key
from gateway.tokens import Account, issue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Pool  # type: ignore[import-untyped]  # it ships no types
    from graphql import SelectionSetNode

KEY = "a-key-for-measuring-that-is-long-enough"
QUERIES = ("q1", "q2", "q3")
DOCUMENTS = {name: (Path(__file__).parent / "documents" / f"{name}.graphql").read_text() for name in QUERIES}
PAGE = 200
SCHOOLS = tuple(School(number, PAGE) for number in range(50))
LEARNERS = 4_000
"""So many different learners ask, each with a token of their own; of the admins one of each organization."""
LIFETIME = timedelta(hours=12)
KEPT_VALUES = """
    SELECT subject, metric, value FROM answers WHERE organization = $1 AND scope = 'learner' AND subject = ANY ($2)
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: who asks, and about whom. `subject` is a learner's id, or for a roster an organization's.

    A roster has the first `page` learners by name.
    """

    query: str
    school: School
    subject: str
    token: str
    page: int = PAGE

    @property
    def body(self) -> str:
        """What is posted, as one line."""
        variables = {"id": self.subject, **({"first": self.page} if self.query == "q2" else {})}
        return json.dumps({"query": DOCUMENTS[self.query], "variables": variables})


def everything(
    schools: Sequence[School], now: datetime, page: int = PAGE, most: int = LEARNERS
) -> dict[str, list[Asked]]:
    """The requests of each query, in an order that says nothing; at most so many learners ask."""
    dice = random.Random(7)
    everybody = [(one, number) for one in schools for number in range(one.learners)]
    learners = [(one, one.learner(number)) for one, number in dice.sample(everybody, min(most, len(everybody)))]
    theirs = [(one, learner, _token(one, learner, Role.LEARNER, now)) for one, learner in learners]
    rosters = [Asked("q2", one, one.id, _token(one, one.admin_ids[0], Role.ORG_ADMIN, now), page) for one in schools]
    dice.shuffle(rosters)
    return {
        "q1": [Asked("q1", *one) for one in theirs],
        "q2": rosters,
        "q3": [Asked("q3", *one) for one in theirs],
    }


def written(asked: Sequence[Asked], file: Path) -> Path:
    """The requests in a file that the load generator reads: on each line a token, a tab, and a body."""
    file.write_text("".join(f"{one.token}\t{one.body}\n" for one in asked))
    return file


def written_plain(asked: Sequence[Asked], file: Path) -> Path:
    """The same subjects without a document and without a token, for those who understand neither."""
    bodies = (json.dumps({"organization": one.school.id, "id": one.subject}) for one in asked)
    file.write_text("".join(f"{body}\n" for body in bodies))
    return file


async def expected(database: Pool, asked: Asked) -> dict[str, Any]:
    """The `data` that the tables hold for a request, read as they are and cut by the document."""
    one = asked.school
    learners = one.learner_ids
    wanted = learners[: asked.page] if asked.query == "q2" else [asked.subject]
    said = await _kept(database, one, wanted)
    if asked.query == "q2":
        edges = [{"node": learner_of(one, learner, said.get(learner, {}))} for learner in wanted]
        whole: dict[str, Any] = {
            "organization": {"name": f"Organization {one.number}", "learners": {"edges": edges}},
        }
    else:
        whole = {"learner": learner_of(one, asked.subject, said.get(asked.subject, {}))}
    return cut(DOCUMENTS[asked.query], whole)


def cut(document: str, whole: dict[str, Any]) -> dict[str, Any]:
    """What a document of plain fields takes out of everything there is."""
    (operation,) = parse(document).definitions
    if not isinstance(operation, OperationDefinitionNode):
        raise TypeError(document)
    taken: dict[str, Any] = _cut(operation.selection_set, whole)
    return taken


def leaves(told: Any) -> int:
    """How many single values there are in an answer."""
    if isinstance(told, dict):
        return sum(leaves(one) for one in told.values())
    return sum(leaves(one) for one in told) if isinstance(told, list) else 1


async def _kept(database: Pool, one: School, learners: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The kept values of learners, by learner and by the key of the metric, read by nothing of ours."""
    said: dict[str, dict[str, Any]] = {}
    async with database.acquire() as connection, connection.transaction():
        await connection.execute("SELECT act_as($1, $2, $3)", *system(one.id).settings)
        for learner, metric, value in await connection.fetch(KEPT_VALUES, one.id, learners):
            said.setdefault(learner, {})[metric.partition("@")[0]] = json.loads(value)
    return said


def learner_of(one: School, learner: str, said: dict[str, Any]) -> dict[str, Any]:
    """A learner with everything that is kept, as the graph shows it."""
    number = one.learner_ids.index(learner)
    groups: dict[str, dict[str, Any]] = {}
    for key, value in said.items():
        metric = METRICS[key]
        groups.setdefault(metric.family.value, {})[camel(metric.name)] = {"value": value}
    return {
        "id": global_id("Learner", learner),
        "displayName": f"Learner {number:06}",
        "department": DEPARTMENTS[number % len(DEPARTMENTS)],
        **groups,
    }


def _cut(selected: SelectionSetNode | None, told: Any) -> Any:
    if selected is None or told is None:
        return told
    if isinstance(told, list):
        return [_cut(selected, one) for one in told]
    fields = [node for node in selected.selections if isinstance(node, FieldNode)]
    return {node.name.value: _cut(node.selection_set, told[node.name.value]) for node in fields}


def _token(one: School, user: str, role: Role, now: datetime) -> str:
    return issue(
        Account(user, one.id, (role,), user, f"{user}@example.org"),
        key=secret_key(KEY),
        issuer="learning-platform",
        audience="learning-analytics",
        now=now,
        lifetime=LIFETIME,
    )
