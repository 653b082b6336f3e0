"""The table of who may hear what: the cast, each in each of their roles, against every kind of subject."""

from __future__ import annotations

import pytest

from analytics.catalog import METRICS
from analytics.declare import Role, Scope
from analytics.policy import Subject, Viewer, may_hear, may_see
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS

SUBJECTS = {
    "lena": Subject(Scope.LEARNER, ACME, LENA, frozenset({TOMAS})),
    "lars": Subject(Scope.LEARNER, ACME, LARS, frozenset({TARA})),
    "sam": Subject(Scope.LEARNER, OTHER, SAM),
    "tomas": Subject(Scope.TRAINER, ACME, TOMAS),
    "lena's course": Subject(Scope.COURSE, ACME, "python", frozenset({TOMAS})),
    "acme": Subject(Scope.ORGANIZATION, ACME, ACME),
    "other": Subject(Scope.ORGANIZATION, OTHER, OTHER),
    "acme's market": Subject(Scope.MARKET, ACME, ACME),
    "other's market": Subject(Scope.MARKET, OTHER, OTHER),
}

SEES = {
    (LENA, Role.LEARNER): {"lena", "acme", "acme's market"},
    (LARS, Role.LEARNER): {"lars", "acme", "acme's market"},
    (TOMAS, Role.TRAINER): {"lena", "tomas", "lena's course", "acme", "acme's market"},
    (TARA, Role.TRAINER): {"lars", "acme", "acme's market"},
    (OLGA, Role.ORG_ADMIN): {"lena", "lars", "tomas", "lena's course", "acme", "acme's market"},
    (SAM, Role.LEARNER): {"sam", "other", "other's market"},
    (SAM, Role.ORG_ADMIN): {"sam", "other", "other's market"},
    (TOMAS, Role.LEARNER): {"acme", "acme's market"},
}


def viewer(user: str, role: Role) -> Viewer:
    return Viewer(user, OTHER if user == SAM else ACME, frozenset({role}), role)


@pytest.mark.parametrize(("user", "role"), SEES)
def test_everyone_sees_what_is_theirs_and_nothing_else(user: str, role: Role) -> None:
    seen = {name for name, subject in SUBJECTS.items() if may_see(viewer(user, role), subject)}
    assert seen == SEES[user, role]


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize(("user", "role"), SEES)
def test_nobody_hears_a_metric_of_what_they_do_not_see_or_that_is_not_for_their_role(
    user: str, role: Role, metric: object
) -> None:
    asker = viewer(user, role)
    for subject in SUBJECTS.values():
        heard = may_hear(asker, metric, subject)  # type: ignore[arg-type]  # parametrized as an object
        assert heard == (may_see(asker, subject) and role in metric.roles)  # type: ignore[attr-defined]  # likewise


def test_the_id_of_another_organizations_member_opens_nothing() -> None:
    forged = Viewer(LENA, OTHER, frozenset({Role.LEARNER}), Role.LEARNER)
    assert not may_see(forged, SUBJECTS["lena"])
    assert not may_see(Viewer(TOMAS, OTHER, frozenset({Role.TRAINER}), Role.TRAINER), SUBJECTS["lena"])
