"""The first mutations and the leaderboard as the graph says them, with made-up ways to choose and to rank."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from school import METRICS, Asking, lena

from analytics.decisions import DecisionKind
from analytics.declare import Withheld, WithheldReason
from analytics.gamification.ranking import LeaderboardWindow
from analytics.leaderboard import Entry, Leaderboard, You
from analytics.policy import NotAllowed, Unavailable
from resolvers.schema import build, graphql_schema

SCHEMA = build(METRICS)
SHOW = """mutation { setLeaderboardVisibility(input: {visible: false}) {
  __typename ... on LeaderboardVisibilitySet { visible } ... on ChoiceRefused { reason message retryAfter } } }"""
DECIDE = """mutation ($decision: RecommendationChoice!) {
  decideRecommendation(input: {recommendation: "content:42", decision: $decision}) {
    __typename ... on RecommendationDecided { recommendation decision }
    ... on ChoiceRefused { reason retryAfter } } }"""
BOARD = """query ($window: LeaderboardWindow! = MONTH) { leaderboard(window: $window) {
  window total asOf entries { rank displayName points isYou } you { rank points percentile visible }
  withheld { reason needed retryAfter } } }"""


@dataclass
class Choosing:
    """Writes down what was chosen, or refuses."""

    verdict: Exception | None = None
    chosen: list[Any] = field(default_factory=list)

    async def show(self, *, visible: bool) -> None:
        self._write(visible)

    async def decide(self, recommendation: str, kind: DecisionKind | None) -> None:
        self._write((recommendation, kind))

    def _write(self, what: Any) -> None:
        if self.verdict:
            raise self.verdict
        self.chosen.append(what)


@dataclass
class Ranking:
    """Shows one leaderboard, whatever is asked for, and remembers that."""

    found: Leaderboard
    asked: list[tuple[LeaderboardWindow, int]] = field(default_factory=list)

    async def of(self, window: LeaderboardWindow, first: int) -> Leaderboard:
        self.asked.append((window, first))
        return self.found


def who(choices: Choosing | None = None, leaderboards: Ranking | None = None) -> Asking:
    asking = lena()
    asking.choices = choices  # type: ignore[attr-defined]  # the context of other tests chooses nothing
    asking.leaderboards = leaderboards  # type: ignore[attr-defined]  # likewise
    return asking


async def said(document: str, asking: Asking, **variables: Any) -> Any:
    result = await SCHEMA.execute(document, context_value=asking, variable_values=variables)
    assert result.errors is None
    assert result.data is not None
    ((_, answer),) = result.data.items()
    return answer


async def test_a_choice_is_passed_on_and_confirmed() -> None:
    choices = Choosing()
    assert await said(SHOW, who(choices)) == {"__typename": "LeaderboardVisibilitySet", "visible": False}
    assert choices.chosen == [False]


@pytest.mark.parametrize("kind", [*DecisionKind, None])
async def test_every_decision_has_its_word(kind: DecisionKind | None) -> None:
    choices = Choosing()
    word = kind.name if kind else "NONE"
    answer = await said(DECIDE, who(choices), decision=word)
    assert answer == {"__typename": "RecommendationDecided", "recommendation": "content:42", "decision": word}
    assert choices.chosen == [("content:42", kind)]


@pytest.mark.parametrize(
    ("verdict", "reason", "again"),
    [(NotAllowed("Not yours."), "NOT_FOR_YOUR_ROLE", None), (Unavailable("Not now."), "UNAVAILABLE", 5)],
)
async def test_a_refusal_is_an_answer(verdict: Exception, reason: str, again: int | None) -> None:
    refused = await said(SHOW, who(Choosing(verdict)))
    assert refused == {"__typename": "ChoiceRefused", "reason": reason, "message": str(verdict), "retryAfter": again}
    decided = await said(DECIDE, who(Choosing(verdict)), decision="DONE")
    assert decided == {"__typename": "ChoiceRefused", "reason": reason, "retryAfter": again}


async def test_a_leaderboard_is_shown_as_it_was_found() -> None:
    found = Leaderboard(
        window=LeaderboardWindow.ALL_TIME,
        entries=(Entry(1, "Lars", 300, is_you=False), Entry(2, "Lena", 250, is_you=True)),
        total=15,
        you=You(2, 250, 92.857, visible=True),
        withheld=None,
        as_of=datetime(2026, 3, 2, tzinfo=UTC),
    )
    ranking = Ranking(found)
    assert await said(BOARD, who(leaderboards=ranking), window="ALL_TIME") == {
        "window": "ALL_TIME",
        "total": 15,
        "asOf": "2026-03-02T00:00:00Z",
        "entries": [
            {"rank": 1, "displayName": "Lars", "points": 300, "isYou": False},
            {"rank": 2, "displayName": "Lena", "points": 250, "isYou": True},
        ],
        "you": {"rank": 2, "points": 250, "percentile": 92.9, "visible": True},
        "withheld": None,
    }
    assert ranking.asked == [(LeaderboardWindow.ALL_TIME, 10)]


async def test_a_leaderboard_that_is_withheld_says_why() -> None:
    few = Withheld(WithheldReason.TOO_FEW_PEERS, "Too few.", needed=10)
    found = Leaderboard(LeaderboardWindow.MONTH, (), None, None, few, None)
    answer = await said(BOARD, who(leaderboards=Ranking(found)))
    assert answer["withheld"] == {"reason": "TOO_FEW_PEERS", "needed": 10, "retryAfter": None}
    assert (answer["entries"], answer["you"], answer["asOf"]) == ([], None, None)


def test_every_mutation_takes_one_input_if_any_and_answers_one_of_several_things() -> None:
    mutation = graphql_schema(SCHEMA).mutation_type
    assert mutation is not None
    for name, made in mutation.fields.items():
        given = {} if name == "signOut" else {"input": f"{name[0].upper()}{name[1:]}Input!"}
        assert {key: str(argument.type) for key, argument in made.args.items()} == given
        assert str(made.type) == f"{name[0].upper()}{name[1:]}Result!"
        assert any(kind.name.endswith("Refused") for kind in made.type.of_type.types)
