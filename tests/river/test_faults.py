"""A formula that breaks costs its own answer, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.catalog import METRICS
from analytics.declare import DataQuality, Family, Role, Scope, metric
from datasources.course import Progress  # noqa: TC001 - the decorator reads the annotations
from resolvers.schema import build
from tests.river.banks import FIELDS, running

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Clock, Services

DOCUMENT = """{ viewer { learner { analytics {
  luck { value { points } withheld { reason message } freshness { origin } quality { level } }
  velocity { value { paceRatio } }
} } } }"""


@dataclass(frozen=True, slots=True)
class Luck:
    """How lucky somebody is."""

    points: int
    """How lucky."""
    quality: DataQuality
    """What it stands on."""


@metric(Scope.LEARNER, key="test-luck", family=Family.ANALYTICS, roles={Role.LEARNER}, formula="1 / 0")
def luck(progress: Progress) -> Luck:
    """How lucky somebody is."""
    return Luck(1 // (len(progress.courses) - len(progress.courses)), None)  # type: ignore[arg-type]  # never made


async def test_a_formula_that_raises_withholds_its_number_and_leaves_the_rest_standing(
    clone: Clone, services: Services, clock: Clock, logs: list[Any]
) -> None:
    made_up = vars(luck)["__metric__"]
    schema = build({**METRICS, made_up.key: made_up})
    async with running(clone.app_url, services, clock, schema=schema) as gateway:
        for _ in range(2):
            heard = (await gateway.ask(DOCUMENT)).data["viewer"]["learner"]["analytics"]
            assert heard["luck"]["value"] is None
            assert heard["luck"]["withheld"]["reason"] == "FAULT"
            assert "ZeroDivision" not in heard["luck"]["withheld"]["message"]
            assert heard["luck"]["quality"] == {"level": "NONE"}
            assert heard["velocity"]["value"]["paceRatio"] is not None
        assert not [row for row in await gateway.kept() if "luck" in row.metric], "a fault is not kept"
        assert (await gateway.dashboard()).answers.keys() == FIELDS.keys()
    assert [entry["error"] for entry in logs if entry["event"] == "metric.fault"] == ["ZeroDivisionError"] * 2
