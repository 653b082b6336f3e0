"""The page that says who may ask for what, written from the table of permissions.

It is asked of the table with seven people and one learner: what the page says of them, a test asks from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.catalog import METRICS
from analytics.declare import Role, Scope
from analytics.policy import Subject, Viewer
from gateway.cells import cell
from resolvers.permissions import EVERY_ROLE, TABLE, Reach, Verdict, of_metrics, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolvers.permissions import Grant

HERE, ELSEWHERE = "this organization", "another organization"
SUBJECTS = {
    "Learner": Subject(Scope.LEARNER, HERE, "the learner", frozenset({"their trainer"})),
    "Trainer": Subject(Scope.TRAINER, HERE, "their trainer"),
    "Organization": Subject(Scope.ORGANIZATION, HERE, HERE),
}
VIEWERS: Mapping[str, Viewer | None] = {
    who: Viewer(who, organization, frozenset({role}), role)
    for who, organization, role in (
        ("the learner", HERE, Role.LEARNER),
        ("another learner", HERE, Role.LEARNER),
        ("their trainer", HERE, Role.TRAINER),
        ("another trainer", HERE, Role.TRAINER),
        ("an admin", HERE, Role.ORG_ADMIN),
        ("an admin elsewhere", ELSEWHERE, Role.ORG_ADMIN),
    )
} | {"nobody": None}

ASKED_WITH_AN_ID = {
    "Query.learner": "Learner",
    "Query.node": "Learner",
    "Query.nodes": "Learner",
    "Query._entities": "Learner",
    "Query.trainer": "Trainer",
    "Query.organization": "Organization",
    "Query.job": "Learner",
    "Query.report": "Learner",
    "Mutation.refreshAnalytics": "Learner",
    "Mutation.cancelJob": "Learner",
    "Subscription.jobProgress": "Learner",
    "Subscription.answerRefreshed": "Learner",
}
"""About whom the fields that take an id are asked; of jobs and reports, whose they are."""

WITHIN = {"Department": "Organization", "Branch": "Organization"}
SHAPES = ("Connection", "Edge")
SIGNS = {
    Verdict.HEARD: "yes",
    Verdict.NOT_FOUND: "not found",
    Verdict.FORBIDDEN: "forbidden",
    Verdict.UNAUTHENTICATED: "",
    Verdict.WITHHELD: "withheld",
    Verdict.SAID: "refused",
    Verdict.ABSENT: "null",
}


def about(coordinate: str) -> str | None:
    """The kind of subject a field is asked about; None for what is everybody's or only the viewer's own."""
    kind = coordinate.partition(".")[0]
    if kind.endswith(SHAPES):
        return None
    named = [subject for subject in SUBJECTS if kind.startswith(subject)]
    return ASKED_WITH_AN_ID.get(coordinate) or WITHIN.get(kind) or (named[0] if named else None)


def rows() -> dict[str, Grant]:
    """The whole table, by `Type.field`, in order."""
    return dict(sorted({**TABLE, **of_metrics(METRICS.values())}.items()))


def access() -> str:
    """The page."""
    return "\n".join([*_permissions(), "", *_matrix()]) + "\n"


def _permissions() -> list[str]:
    lines = [
        "# Who may ask for what",
        "",
        "Every field of the graph that is asked for by itself, who may ask for it, and what others are answered. A",
        "field of these types that is not here is closed to everybody. Fields of plain values have no row of their",
        "own: they are as open as the answer, or the object, that they are part of. A viewer acts in one role at a",
        "time (`X-Active-Role`). A learner may see themselves; a trainer themselves, their courses and the learners in",
        "them; an admin everybody in the organization; nobody anything of another one.",
        "",
        "| field | about | in the roles | in another role | about what is out of reach |",
        "|---|---|---|---|---|",
    ]
    for coordinate, grant in rows().items():
        some = grant.roles != EVERY_ROLE or grant.operators
        named = ", ".join(role.name for role in Role if role in grant.roles) if grant.roles != EVERY_ROLE else "any"
        roles = f"{named}, of operators" if grant.operators else named
        beyond = grant.beyond.value if grant.reach in {Reach.VISIBLE, Reach.OWN} else ""
        cells = (grant.reach.value, roles, grant.refusal.value if some else "", beyond)
        lines.append(f"| `{coordinate}` | {' | '.join(cell(one) for one in cells)} |")
    return lines


def _matrix() -> list[str]:
    lines = [
        "## What each is answered",
        "",
        "Asked about one learner, the trainer of a course they take, and their organization. An empty cell is",
        "UNAUTHENTICATED. Pages of lists hold what the viewer may see, and are left out here, as is what mutations",
        "return.",
        "",
        f"| field | {' | '.join(VIEWERS)} |",
        f"|---|{'---|' * len(VIEWERS)}",
    ]
    for coordinate, grant in rows().items():
        kind = about(coordinate)
        if grant.reach is Reach.PART and kind is None:
            continue
        subject = SUBJECTS[kind] if kind else None
        said = (SIGNS[verdict(grant, viewer, subject)] for viewer in VIEWERS.values())
        lines.append(f"| `{coordinate}` | {' | '.join(said)} |")
    return lines
