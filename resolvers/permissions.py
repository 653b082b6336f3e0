"""The table of who may ask for which field of the graph; what is not in it, nobody is answered.

Every field that has a resolver has a row, and so has every field of what such a field returns. Metrics bring
their row with their declaration. The fields of plain values have none: they are parts of an answer, and nothing
in an answer is asked for by itself. `analytics.policy` says who may see whom; the rows of the database say both
again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from analytics.codec import camel
from analytics.declare import Family, Metric, Role
from analytics.policy import Subject, Viewer, may_see

EVERY_ROLE = frozenset(Role)
ADMIN = frozenset({Role.ORG_ADMIN})
LEARNER = frozenset({Role.LEARNER})


class Reach(Enum):
    """About what a field may be asked."""

    PUBLIC = "anything: without a token too"
    COMMON = "what is the same for everybody who is signed in"
    OWN = "what is the viewer's own"
    ORGANIZATION = "the viewer's own organization"
    VISIBLE = "whom and what the viewer may see"
    PART = "what the viewer was given: it is part of it"


class Verdict(Enum):
    """What somebody who asks for a field is answered."""

    HEARD = "what they asked for"
    NOT_FOUND = "an error NOT_FOUND, as for what is not there"
    FORBIDDEN = "an error FORBIDDEN"
    UNAUTHENTICATED = "an error UNAUTHENTICATED"
    WITHHELD = "no value, withheld as NOT_FOR_YOUR_ROLE"
    SAID = "a refusal as the result"
    ABSENT = "null"


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may ask for a field: people acting in these roles, about what is in reach.

    Others are answered with the `refusal`, and who asks about what is out of reach with what is `beyond`. What is for
    `operators` is for people who operate the platform, whatever role they act in.
    """

    reach: Reach
    roles: frozenset[Role] = EVERY_ROLE
    refusal: Verdict = Verdict.FORBIDDEN
    beyond: Verdict = Verdict.NOT_FOUND
    operators: bool = False


COMMON = Grant(Reach.COMMON)
OWN = Grant(Reach.OWN)
ORGANIZATION = Grant(Reach.ORGANIZATION)
VISIBLE = Grant(Reach.VISIBLE)
PART = Grant(Reach.PART)
ADMINS = Grant(Reach.ORGANIZATION, ADMIN)
OWN_CHOICE = Grant(Reach.OWN, LEARNER, Verdict.SAID)


def _of(kind: str, names: str, grant: Grant) -> dict[str, Grant]:
    return {f"{kind}.{name}": grant for name in names.split()}


def _list(name: str, more: str = "") -> dict[str, Grant]:
    """The rows of a page of a list."""
    return _of(f"{name}Connection", f"edges pageInfo totalCount {more}", PART) | _of(f"{name}Edge", "cursor node", PART)


TABLE: Mapping[str, Grant] = {
    **_of("Query", "metricDefinitions services _service", COMMON),
    **_of("Query", "viewer report reports", OWN),
    **_of("Query", "market leaderboard", ORGANIZATION),
    **_of("Query", "learner trainer organization job jobs", VISIBLE),
    **_of("Query", "node nodes _entities", Grant(Reach.VISIBLE, beyond=Verdict.ABSENT)),
    **_of("Query", "auditLog", ADMINS),
    **_of("Mutation", "signIn refreshSession", Grant(Reach.PUBLIC)),
    **_of("Mutation", "exportReport signOut", OWN),
    **_of("Mutation", "setLeaderboardVisibility decideRecommendation askAssistant", OWN_CHOICE),
    **_of("Mutation", "resetCircuitBreaker", Grant(Reach.COMMON, refusal=Verdict.SAID, operators=True)),
    **_of("Mutation", "refreshAnalytics", Grant(Reach.VISIBLE, beyond=Verdict.SAID)),
    **_of("Mutation", "cancelJob", Grant(Reach.OWN, beyond=Verdict.SAID)),
    **_of("Subscription", "jobProgress answerRefreshed", VISIBLE),
    **_of("_Service", "sdl", PART),
    **_of("Viewer", "id name roles activeRole organization", OWN),
    **_of("Viewer", "learner", Grant(Reach.OWN, LEARNER, Verdict.ABSENT)),
    **_of("Viewer", "trainer", Grant(Reach.OWN, frozenset({Role.TRAINER}), Verdict.ABSENT)),
    **_of("Learner", "id userId displayName department organization courses", PART),
    **_of("Learner", "analytics comparison prediction", PART),
    **_of("Trainer", "id userId displayName department organization analytics", PART),
    **_of("Trainer", "learners courses", VISIBLE),
    **_of("Organization", "id name domain industry departments branches analytics", PART),
    **_of("Organization", "learners trainers courses", VISIBLE),
    **_of("Organization", "history comparison", ADMINS),
    **_of("Market", "organization", PART),
    **_of("Course", "id courseId title startsAt endsAt", PART),
    **_of("Course", "learnerCount", Grant(Reach.PART, frozenset({Role.TRAINER, Role.ORG_ADMIN}), Verdict.ABSENT)),
    **_of("CourseEnrollment", "course enrolledAt leftAt status result", PART),
    **_of("Department", "name", PART),
    **_of("Branch", "name", PART),
    **_of("Department", "learnerCount", Grant(Reach.ORGANIZATION, ADMIN, Verdict.ABSENT)),
    **_of("Branch", "learnerCount", Grant(Reach.ORGANIZATION, ADMIN, Verdict.ABSENT)),
    **_of("Leaderboard", "window entries total you withheld asOf", PART),
    **_of("LeaderboardEntry", "rank displayName points isYou", PART),
    **_of("LeaderboardPlace", "rank points percentile visible", PART),
    **_of("PageInfo", "hasNextPage hasPreviousPage startCursor endCursor", PART),
    **_list("Learner", "unknownCount"),
    **_list("Trainer"),
    **_list("Course"),
    **_list("CourseEnrollment"),
    **_list("Job"),
    **_list("Report"),
    **_list("AuditEvent"),
    **_of("RefreshedAnswer", "subject metric answer", PART),
    **_of("SignedIn", "tokens", PART),
    **_of("SignInRefused", "reason message retryAfter", PART),
    **_of("SessionRefreshed", "tokens", PART),
    **_of("SessionRefused", "reason message retryAfter", PART),
    **_of("SignedOut", "done", PART),
    **_of("SignOutRefused", "message retryAfter", PART),
    **_of("RefreshQueued", "job", PART),
    **_of("RefreshRefused", "reason message retryAfter", PART),
    **_of("JobCancelled", "job", PART),
    **_of("CancelRefused", "reason message retryAfter", PART),
    **_of("ReportQueued", "job", PART),
    **_of("ReportRefused", "reason message retryAfter", PART),
    **_of("AssistantAnswered", "answer", PART),
    **_of("AssistantRefused", "reason message retryAfter", PART),
    **_of("CircuitBreakerReset", "service", PART),
    **_of("ResetRefused", "reason message retryAfter", PART),
    **_of("ChoiceRefused", "reason message retryAfter", PART),
    **_of("LeaderboardVisibilitySet", "visible", PART),
    **_of("RecommendationDecided", "recommendation decision", PART),
}
"""By `Type.field`."""


def of_metrics(metrics: Iterable[Metric]) -> dict[str, Grant]:
    """The rows that metrics bring along: the roles of each, of whom the viewer may see."""
    return {
        f"{place(metric)}.{camel(metric.name)}": Grant(Reach.VISIBLE, metric.roles, Verdict.WITHHELD)
        for metric in metrics
        if metric.family is not Family.INTERNAL
    }


def place(metric: Metric) -> str:
    """The type in which a metric is a field."""
    group = "" if metric.family is Family.SUBJECT else metric.family.value.title()
    return f"{metric.scope.value.title()}{group}"


def verdict(grant: Grant, viewer: Viewer | None, about: Subject | None = None) -> Verdict:
    """What somebody is answered who asks for a field with this grant, about this subject; None: about nobody else's.

    What is the own of a subject is the own of whoever it is.
    """
    if viewer is None:
        return Verdict.HEARD if grant.reach is Reach.PUBLIC else Verdict.UNAUTHENTICATED
    if about is not None:
        own = about.id == viewer.user and about.organization == viewer.organization
        if not (own if grant.reach is Reach.OWN else may_see(viewer, about)):
            return grant.beyond
    heard = viewer.role in grant.roles and (viewer.operator or not grant.operators)
    return Verdict.HEARD if heard else grant.refusal


def public(table: Mapping[str, Grant]) -> frozenset[str]:
    """The fields at the root that are answered without a token."""
    return frozenset(
        name
        for kind, _, name in (
            coordinate.partition(".") for coordinate, grant in table.items() if grant.reach is Reach.PUBLIC
        )
        if kind in {"Query", "Mutation"}
    )
