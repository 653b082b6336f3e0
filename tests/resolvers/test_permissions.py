"""The table of permissions: complete, without a dead row, and closed to whatever is not in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import GraphQLObjectType, graphql_sync

from analytics.catalog import METRICS
from analytics.declare import Role
from analytics.policy import NotAllowed, Viewer
from resolvers.permissions import EVERY_ROLE, TABLE, Grant, Reach, Verdict, of_metrics, public
from resolvers.query import Query
from resolvers.schema import build, graphql_schema, has_resolvers
from resolvers.types import field as resolved
from tests.cast import ACME, LENA, OLGA

ROWS = {**TABLE, **of_metrics(METRICS.values())}
GRAPH = graphql_schema(build(METRICS))
FIELDS = {
    f"{kind.name}.{name}"
    for kind in GRAPH.type_map.values()
    if isinstance(kind, GraphQLObjectType) and has_resolvers(kind)
    for name in kind.fields
}


@dataclass
class Asking:
    """A request that only says who asks, and notes what it was refused."""

    role: Role = Role.ORG_ADMIN
    noted: list[str] = field(default_factory=list)

    @property
    def viewer(self) -> Viewer:
        return Viewer(OLGA if self.role is Role.ORG_ADMIN else LENA, ACME, frozenset({self.role}), self.role)

    def refused(self, what: str) -> None:
        self.noted.append(what)


@strawberry.type(name="Query")
class Wider(Query):
    """A root with a field that somebody forgot to think about."""

    @resolved("What nobody thought about.")
    def secret(self) -> str:
        return "told"


@strawberry.type(name="Query")
class Kindred(Query):
    """A root whose new field returns a type that is new as well."""

    @resolved("Everything.")
    def viewer(self) -> Sheet:  # type: ignore[override]  # another shape in an allowed place
        return Sheet(number=7)


@strawberry.type
class Sheet:
    """Something with one number on it."""

    number: int = strawberry.field(description="The number.")


def test_every_field_that_is_asked_for_by_itself_has_a_row() -> None:
    assert FIELDS - ROWS.keys() == set()


def test_no_row_is_for_a_field_that_is_not_there() -> None:
    assert ROWS.keys() - FIELDS == set()


def test_no_metric_hides_a_row_of_the_table() -> None:
    assert TABLE.keys() & of_metrics(METRICS.values()).keys() == set()


def test_a_field_that_nobody_thought_about_is_closed_to_everybody() -> None:
    schema = graphql_schema(build(METRICS, Wider))
    for role in Role:
        asking = Asking(role)
        answer = graphql_sync(schema, "{ secret }", context_value=asking)
        assert answer.data is None
        assert answer.errors is not None
        assert isinstance(answer.errors[0].original_error, NotAllowed)
        assert asking.noted == ["Query.secret"]


def test_a_type_that_nobody_thought_about_is_closed_in_an_allowed_place_too() -> None:
    schema = graphql_schema(build(METRICS, Kindred))
    answer = graphql_sync(schema, "{ viewer { number } }", context_value=Asking())
    assert answer.data is None
    assert "Sheet.number is for nobody." in str(answer.errors)


def test_the_refusal_comes_before_the_resolver_and_names_who_may() -> None:
    asking = Asking(Role.LEARNER)
    answer = graphql_sync(GRAPH, "{ auditLog { totalCount } }", context_value=asking)
    assert answer.errors is not None
    assert answer.errors[0].message == "Query.auditLog is for ORG_ADMIN; you act as LEARNER."
    assert asking.noted == ["Query.auditLog"]


def test_what_is_for_some_roles_is_refused_where_a_field_says_so_by_itself_or_by_the_guard() -> None:
    some = {at: grant for at, grant in ROWS.items() if grant.roles != EVERY_ROLE}
    assert {grant.refusal for grant in some.values()} == {
        Verdict.FORBIDDEN,
        Verdict.WITHHELD,
        Verdict.SAID,
        Verdict.ABSENT,
    }
    assert all(grant.roles for grant in ROWS.values()), "a row for nobody is no row"


def test_without_a_token_nothing_is_answered_that_the_table_does_not_call_public() -> None:
    table: dict[str, Any] = {
        "Query.a": Grant(Reach.PUBLIC),
        "Mutation.b": Grant(Reach.PUBLIC),
        "Query.c": Grant(Reach.OWN),
    }
    assert public(table) == {"a", "b"}
    assert all(grant.reach is not Reach.PUBLIC for at, grant in TABLE.items() if at.startswith("Subscription."))
