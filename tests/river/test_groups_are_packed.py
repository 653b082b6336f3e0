"""What a formula is handed of a whole course or organization: packed, and the same as of each of them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analytics.catalog import METRICS, PRODUCERS
from analytics.declare import Input, Many, Metric, Scope, Withheld
from analytics.keeping import value_of
from analytics.policy import Subject
from analytics.solve import Solver
from datasources.catalog import SOURCES
from datasources.packed import Packed
from datasources.postgres.session import system
from tests.campus import PYTHON, small_campus
from tests.cast import ACME
from tests.river.banks import Clock, Services, running

if TYPE_CHECKING:
    from tests.conftest import Clone

GROUPS = {Many.EVERYONE: "by_learner", Many.STARTERS: "by_learner", Many.ITEMS: "by_item"}
OF_A_COURSE = {
    (given.many, given.type): (metric, given)
    for metric in METRICS.values()
    for given in metric.inputs
    if given.many in GROUPS and metric.scope is Scope.COURSE
}


@pytest.mark.parametrize(("metric", "given"), OF_A_COURSE.values(), ids=lambda one: getattr(one, "name", None))
async def test_what_is_known_of_a_group_is_packed_and_is_what_is_known_of_each(
    clone: Clone, metric: Metric, given: Input
) -> None:
    async with running(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await gateway.ask("{ viewer { learner { displayName } } }", "lena")
        await gateway.settled()
        solver = Solver(gateway.world, system(ACME))
        course = Subject(Scope.COURSE, ACME, PYTHON)
        read = await solver._working._inputs.read(given, metric, course, mocks=False)
        assert not isinstance(read.value, Withheld)
        group = getattr(read.value, GROUPS[given.many])
        assert isinstance(group, Packed)
        assert len(group) > 1
        for key, thing in group.items():
            if given.type in SOURCES:
                assert thing == (await solver._facts.load(given.type, key, mock=False)).fact
            else:
                learner = Subject(Scope.LEARNER, ACME, key)
                assert thing == value_of(await solver.known(PRODUCERS[given.type], learner))
