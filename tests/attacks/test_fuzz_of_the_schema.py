"""Any document that the schema allows, asked by each of the cast: no failure of ours, and nobody who is not theirs.

`GATEWAY_FUZZ_EXAMPLES` says how many documents each of them asks (25 unless set); with
`GATEWAY_FUZZ_REPORT` the run prints how many were asked, and what was answered.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from graphql import (
    REMOVE,
    ArgumentNode,
    DocumentNode,
    FieldNode,
    IntValueNode,
    ListValueNode,
    NameNode,
    ObjectFieldNode,
    StringValueNode,
    Visitor,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema, nodes
from structlog.testing import capture_logs

from gateway.app import SCHEMA
from resolvers.ids import to_global
from tests.campus import LEARNERS, PYTHON, STATS, small_campus
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.river.banks import Clock, Gateway, Services, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.conftest import Clone

EXAMPLES = int(os.environ.get("GATEWAY_FUZZ_EXAMPLES", "25"))
REPORT = "GATEWAY_FUZZ_REPORT" in os.environ

SOMEBODY = {
    "learner": tuple(to_global("Learner", one) for one in (LENA, LARS, SAM, *LEARNERS[:2])),
    "trainer": tuple(to_global("Trainer", one) for one in (TOMAS, TARA)),
    "organization": tuple(to_global("Organization", one) for one in (ACME, OTHER)),
    "job": (to_global("Job", LENA),),
    "report": (to_global("Report", LENA),),
}
"""Ids by the field that asks for them; of jobs and reports there are none."""

IDS = (
    *(one for ids in SOMEBODY.values() for one in ids),
    *(to_global("Course", one) for one in (PYTHON, STATS)),
    *(LENA, TOMAS, ACME, PYTHON, "", "%", "'; DROP TABLE answers; --", "\u0000", "🏃" * 40),
)
"""What the ids in a document are made to be: of every type, their own and others', and nonsense."""

NUMBERED = {f"Learner {number}": one for number, one in enumerate(LEARNERS[:13], 1)}
PEOPLE = {"Lena": LENA, "Lars": LARS, "Sam": SAM, "Tomas": TOMAS, "Tara": TARA, "Olga": OLGA, **NUMBERED}
OF_TARA = {"Tara", "Lars", *list(NUMBERED)[:13]}
OF_TOMAS = {"Tomas", "Lena", *list(NUMBERED)[:13]}
MAY_KNOW: dict[str | None, set[str]] = {
    "lena": {"Lena"},
    "lars": {"Lars"},
    "tomas": OF_TOMAS,
    "tara": OF_TARA,
    "olga": set(PEOPLE) - {"Sam"},
    "sam": {"Sam"},
    None: set(),
}
"""Of whom each of the cast may hear, as the campus says it; a leaderboard names others as well, from ten on."""

SCALARS = {
    "Date": st.dates().map(lambda day: nodes.String(str(day))),
    "DateTime": st.datetimes().map(lambda moment: nodes.String(f"{moment:%Y-%m-%dT%H:%M:%SZ}")),
    "UUID": st.sampled_from([LENA, SAM, TOMAS]).map(nodes.String),
    "Seconds": st.integers(-(2**40), 2**40).map(nodes.Int),
    "Score": st.floats(-10, 200).map(nodes.Float),
    "Share": st.floats(-1, 2).map(nodes.Float),
    "_Any": st.fixed_dictionaries(
        {"__typename": st.sampled_from(["Learner", "Trainer", "Organization", "Job"]), "id": st.sampled_from(IDS)}
    ).map(
        lambda told: nodes.Object(
            [ObjectFieldNode(name=NameNode(value=name), value=nodes.String(said)) for name, said in told.items()]
        )
    ),
}


class Meant(Visitor):
    """Makes a document mean something: ids are somebody's, pages are small, and few go on from a place."""

    def __init__(self, draw: st.DrawFn) -> None:
        super().__init__()
        self._draw = draw

    def enter_argument(self, node: ArgumentNode, _key: Any, _parent: Any, _path: Any, above: list[Any]) -> Any:
        name = node.name.value
        asks = next(one.name.value for one in reversed(above) if isinstance(one, FieldNode))
        if name in {"after", "before", "last"} and self._mostly():
            return REMOVE
        if name in {"first", "last"} and self._mostly():
            return ArgumentNode(name=node.name, value=IntValueNode(value=str(self._draw(st.integers(1, 9)))))
        if name == "id":
            return ArgumentNode(name=node.name, value=self._id(asks))
        if name == "ids":
            return ArgumentNode(name=node.name, value=ListValueNode(values=(self._id("node"), self._id("node"))))
        return None

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> Any:
        if node.name.value in {"subject", "job", "department", "course"}:
            return ObjectFieldNode(name=node.name, value=self._id("node"))
        return None

    def _id(self, asks: str) -> StringValueNode:
        meant = SOMEBODY.get(asks, IDS) if self._mostly() else IDS
        return StringValueNode(value=self._draw(st.sampled_from(meant)))

    def _mostly(self) -> bool:
        return self._draw(st.integers(0, 9)) < 9


def _drawn(fields: Sequence[str] | None = None) -> st.SearchStrategy[object]:
    return from_schema(SCHEMA.as_str(), fields=fields, custom_scalars=SCALARS, print_ast=lambda document: document)


ANY = _drawn() | _drawn(("viewer", "learner", "trainer", "organization", "market", "leaderboard"))
"""Queries and mutations; every second one a query about somebody."""


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document that means something."""
    drawn = draw(ANY)
    assert isinstance(drawn, DocumentNode)
    return print_ast(visit(drawn, Meant(draw)))


@pytest.fixture(scope="module", autouse=True)
def logs() -> Iterator[None]:
    """What was logged, which would only clutter the report."""
    with capture_logs():
        yield


@pytest.fixture(scope="module")
def asked() -> Iterator[Counter[str]]:
    """What came of all documents."""
    counted: Counter[str] = Counter()
    yield counted
    if REPORT:
        print(f"\n{counted.total()} documents: {dict(counted.most_common())}")  # noqa: T201 - asked for by its setting


@pytest.fixture(scope="module")
def gateway(module_clone: Clone) -> Iterator[tuple[asyncio.Runner, Gateway]]:
    """A gateway that knows the campus, and the loop it lives in."""
    with asyncio.Runner() as runner:
        held = running(module_clone.app_url, Services(small_campus()), Clock())
        opened = runner.run(held.__aenter__())
        for who in ("lena", "tomas", "olga"):
            runner.run(opened.dashboard(who))
        yield runner, opened
        runner.run(held.__aexit__(None, None, None))


# graphql-core lets go of what it has not begun to await, where what stands above it has failed or was given up.
@pytest.mark.filterwarnings("ignore:.*was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:Exception ignored in. <coroutine object:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("who", list(MAY_KNOW), ids=str)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(document=documents())
def test_whatever_is_asked_is_answered_cleanly_and_names_nobody_else(
    gateway: tuple[asyncio.Runner, Gateway], asked: Counter[str], who: str | None, document: str
) -> None:
    runner, opened = gateway
    assume(len(document) < 50_000)
    reply = runner.run(opened.ask(document, who))
    asked.update([",".join(sorted(reply.codes)) or "answered"])
    assert reply.status < 500, reply.text[:500]
    assert "INTERNAL_SERVER_ERROR" not in reply.codes, reply.text[:500]
    said = reply.text.replace("Learner 14", "")
    hidden = {name: one for name, one in PEOPLE.items() if name not in MAY_KNOW[who]}
    names = set() if "leaderboard" in document else {name for name in hidden if f'"{name}"' in said}
    ids = {one for one in hidden.values() if one in said and one not in document}
    assert not names | ids, f"{who} was told of {names | ids}"
