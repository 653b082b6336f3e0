"""Every field of the graph that is asked for by itself: the way to it, a document that asks for it, what came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLUnionType, is_leaf_type

from gateway.app import SCHEMA
from resolvers.ids import to_global
from resolvers.permissions import Verdict
from resolvers.schema import graphql_schema
from tests.cast import ACME, LENA, TOMAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GRAPH = graphql_schema(SCHEMA)

LEARNERS = ("Query.organization", "Organization.learners")
TRAINERS = ("Query.organization", "Organization.trainers")
COURSES = ("Query.organization", "Organization.courses")
TAKEN = ("Query.learner", "Learner.courses")
EVENTS = ("Query.auditLog",)
BOARD = ("Query.leaderboard",)
WAYS: dict[str, tuple[str, ...]] = {
    "Query": (),
    "Mutation": (),
    "Viewer": ("Query.viewer",),
    "_Service": ("Query._service",),
    "Learner": ("Query.learner",),
    "LearnerAnalytics": ("Query.learner", "Learner.analytics"),
    "LearnerComparison": ("Query.learner", "Learner.comparison"),
    "LearnerPrediction": ("Query.learner", "Learner.prediction"),
    "Trainer": ("Query.trainer",),
    "TrainerAnalytics": ("Query.trainer", "Trainer.analytics"),
    "Organization": ("Query.organization",),
    "OrganizationAnalytics": ("Query.organization", "Organization.analytics"),
    "Department": ("Query.organization", "Organization.departments"),
    "Branch": ("Query.organization", "Organization.branches"),
    "Market": ("Query.market",),
    "LearnerConnection": LEARNERS,
    "PageInfo": (*LEARNERS, "LearnerConnection.pageInfo"),
    "LearnerEdge": (*LEARNERS, "LearnerConnection.edges"),
    "TrainerConnection": TRAINERS,
    "TrainerEdge": (*TRAINERS, "TrainerConnection.edges"),
    "CourseConnection": COURSES,
    "CourseEdge": (*COURSES, "CourseConnection.edges"),
    "Course": (*COURSES, "CourseConnection.edges", "CourseEdge.node"),
    "CourseEnrollmentConnection": TAKEN,
    "CourseEnrollmentEdge": (*TAKEN, "CourseEnrollmentConnection.edges"),
    "CourseEnrollment": (*TAKEN, "CourseEnrollmentConnection.edges", "CourseEnrollmentEdge.node"),
    "JobConnection": ("Query.jobs",),
    "JobEdge": ("Query.jobs", "JobConnection.edges"),
    "ReportConnection": ("Query.reports",),
    "ReportEdge": ("Query.reports", "ReportConnection.edges"),
    "AuditEventConnection": EVENTS,
    "AuditEventEdge": (*EVENTS, "AuditEventConnection.edges"),
    "Leaderboard": BOARD,
    "LeaderboardEntry": (*BOARD, "Leaderboard.entries"),
    "LeaderboardPlace": (*BOARD, "Leaderboard.you"),
    "RefreshQueued": ("Mutation.refreshAnalytics",),
    "RefreshRefused": ("Mutation.refreshAnalytics",),
    "JobCancelled": ("Mutation.cancelJob",),
    "CancelRefused": ("Mutation.cancelJob",),
    "ReportQueued": ("Mutation.exportReport",),
    "ReportRefused": ("Mutation.exportReport",),
    "LeaderboardVisibilitySet": ("Mutation.setLeaderboardVisibility",),
    "ChoiceRefused": ("Mutation.setLeaderboardVisibility",),
    "RecommendationDecided": ("Mutation.decideRecommendation",),
    "AssistantAnswered": ("Mutation.askAssistant",),
    "AssistantRefused": ("Mutation.askAssistant",),
    "CircuitBreakerReset": ("Mutation.resetCircuitBreaker",),
    "ResetRefused": ("Mutation.resetCircuitBreaker",),
    "SignedIn": ("Mutation.signIn",),
    "SignInRefused": ("Mutation.signIn",),
    "SessionRefreshed": ("Mutation.refreshSession",),
    "SessionRefused": ("Mutation.refreshSession",),
    "SignedOut": ("Mutation.signOut",),
    "SignOutRefused": ("Mutation.signOut",),
}
"""How each type is come by, field by field from the root."""

STREAMED = {"Subscription", "RefreshedAnswer"}
"""The types that only a subscription comes by."""

ALONE = {"Query", "Mutation", "Organization"}
"""The types of whose fields one that is refused takes others along: each is asked for in a document of its own."""

METRIC = "metric: LEARNER_ENGAGEMENT"
ARGUMENTS = {
    "Query.learner": f'id: "{LENA}"',
    "Query.trainer": f'id: "{TOMAS}"',
    "Query.organization": f'id: "{ACME}"',
    "Query.node": f'id: "{to_global("Learner", LENA)}"',
    "Query.nodes": f'ids: ["{to_global("Learner", LENA)}"]',
    "Query._entities": f'representations: [{{__typename: "Learner", id: "{LENA}"}}]',
    "Query.job": 'id: "<job>"',
    "Query.report": 'id: "<report>"',
    "Organization.history": f'{METRIC}, range: {{from: "2026-01-01", to: "2026-02-01"}}',
    "Organization.comparison": METRIC,
    "Mutation.refreshAnalytics": f'input: {{subject: "{to_global("Learner", LENA)}"}}',
    "Mutation.cancelJob": 'input: {job: "<waiting>"}',
    "Mutation.exportReport": "input: {format: JSON}",
    "Mutation.setLeaderboardVisibility": "input: {visible: true}",
    "Mutation.askAssistant": 'input: {message: "When is my next test?"}',
    "Mutation.resetCircuitBreaker": 'input: {service: "skills"}',
    "Mutation.signIn": 'input: {email: "nobody@example.org", password: "wrong"}',
    "Mutation.refreshSession": 'input: {refreshToken: "wrong"}',
    "Mutation.decideRecommendation": 'input: {recommendation: "one", decision: SAVED}',
}
"""What the fields are asked with; `<job>`, `<waiting>` and `<report>` are ids that are made as a test goes on."""

CODES = {
    "NOT_FOUND": Verdict.NOT_FOUND,
    "FORBIDDEN": Verdict.FORBIDDEN,
    "UNAUTHENTICATED": Verdict.UNAUTHENTICATED,
}


def documents(kind: str, ids: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Documents that ask for all the fields of a type, and which of them each asks for."""
    names = list(GRAPH.type_map[kind].fields)
    for some in [[name] for name in names] if kind in ALONE else [names]:
        inside = " ".join(_field(f"{kind}.{name}", None) for name in some)
        for step in reversed(WAYS[kind]):
            inside = _field(step, f"... on {kind} {{ {inside} }}" if _is_union(step) else inside)
        root = (*WAYS[kind], kind)[0].partition(".")[0]
        for name, ident in ids.items():
            inside = inside.replace(f"<{name}>", ident)
        yield f"{root.lower()} {{ {inside} }}", some


def found(body: Mapping[str, Any], kind: str, name: str) -> Verdict | None:
    """What a response says of one field; None where there was nothing of its type."""
    way = [step.partition(".")[2] for step in WAYS[kind]]
    for error in body.get("errors", ()):
        path = [step for step in error.get("path", ()) if isinstance(step, str)]
        if path == [*way, name][: len(path)]:
            return CODES[error["extensions"]["code"]]
    there = body["data"]
    for step in way:
        below = there.get(step)
        there = (below[0] if below else {}) if isinstance(below, list) else below or {}
    return _said(there[name]) if name in there else None


def _said(value: Any) -> Verdict:
    if value is None or value == [None]:
        return Verdict.ABSENT
    if isinstance(value, dict) and (value.get("withheld") or {}).get("reason") == "NOT_FOR_YOUR_ROLE":
        return Verdict.WITHHELD
    if isinstance(value, dict) and value.get("__typename", "").endswith("Refused"):
        return Verdict.SAID
    return Verdict.HEARD


def _field(coordinate: str, inside: str | None) -> str:
    """A field with its arguments, and what is selected of it: the least that can be unless said."""
    given = f"({ARGUMENTS[coordinate]})" if coordinate in ARGUMENTS else ""
    returned = _returned(coordinate)
    if inside is None and not is_leaf_type(returned):
        answer = isinstance(returned, GraphQLObjectType) and {"withheld", "freshness"} <= returned.fields.keys()
        inside = "withheld { reason }" if answer else "__typename"
    return coordinate.partition(".")[2] + given + (f" {{ {inside} }}" if inside else "")


def _is_union(coordinate: str) -> bool:
    return isinstance(_returned(coordinate), GraphQLUnionType)


def _returned(coordinate: str) -> Any:
    """The type a field returns, without what says that it is a list, or there."""
    kind, _, name = coordinate.partition(".")
    returned = GRAPH.type_map[kind].fields[name].type
    while isinstance(returned, GraphQLNonNull | GraphQLList):
        returned = returned.of_type
    return returned
