"""What the catalog refuses. Metrics are made in modules of their own, as a contributor would."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

import pytest

from analytics.catalog import METRICS, PRODUCERS, collect, services_of
from analytics.declare import DeclarationError

if TYPE_CHECKING:
    from types import ModuleType

HEAD = """
from dataclasses import dataclass
from analytics.declare import *
from analytics.declare import DataQuality, Role, Scope, Withheld, metric
from datasources.course import Enrollments, Progress
from datasources.directory import Kpis
from datasources.declare import Count

@dataclass(frozen=True, slots=True)
class Tally:
    "How many."
    count: Count
    "How many."
    quality: DataQuality
    "One for each."

@dataclass(frozen=True, slots=True)
class Other:
    "How many others."
    count: Count
    "How many."
    quality: DataQuality
    "One for each."
"""


def module(tmp_path_factory: pytest.TempPathFactory, text: str) -> ModuleType:
    """A module of this text, from a real file, because descriptions are read from the source."""

    path = tmp_path_factory.mktemp("metrics") / "made_up.py"
    path.write_text(HEAD + text)
    spec = importlib.util.spec_from_file_location("made_up", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)

    sys.modules["made_up"] = made
    try:
        spec.loader.exec_module(made)
        collect(made)
    finally:
        del sys.modules["made_up"]
    return made


def one(name: str, parameters: str, *, key: str = "k", scope: str = "LEARNER", value: str = "Tally") -> str:
    return (
        f'\n@metric(Scope.{scope}, key="{key}", roles={{Role.LEARNER}}, formula="n")\n'
        f'def {name}({parameters}) -> {value} | Withheld:\n    "How many."\n'
    )


def test_a_metric_over_a_fact_and_one_over_its_value_are_collected_in_reading_order(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    made = module(
        tmp_path_factory,
        one("first", "progress: Progress") + one("second", "first: Tally", key="j", value="Other"),
    )
    assert [vars(made)[name].__metric__.key for name in ("first", "second")] == ["k", "j"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (one("a", "p: Progress") + one("b", "p: Progress", value="Other"), "share the key 'k'"),
        (one("a", "p: Progress") + one("b", "p: Progress", key="j"), "share the value type 'Tally'"),
        (one("a", "p: Kpis"), "nobody can supply `p`, a Kpis"),
        (one("a", "p: Enrollments"), "nobody can supply `p`, a Enrollments"),
        (one("a", "p: Progress", scope="ORGANIZATION"), "nobody can supply `p`, a Progress"),
        (one("a", "p: Other"), "nobody can supply `p`, a Other"),
        (one("a", "p: tuple[Other, ...]") + one("b", "p: Progress", key="j", value="Other"), "nobody can supply"),
    ],
)
def test_what_nobody_could_supply_is_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, text: str, told: str
) -> None:
    with pytest.raises(DeclarationError, match=told.replace("(", r"\(")):
        module(tmp_path_factory, text)


def test_every_value_has_one_producer_and_stands_on_services() -> None:
    assert set(PRODUCERS.values()) == set(METRICS.values())
    assert all(services_of(metric) for metric in METRICS.values())
    assert services_of(METRICS["learner-skill-gap"]) == {"skills", "assessment", "devlab"}
