"""The leaderboard and what learners choose, seen from outside: by themselves, by others, by another process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from analytics.choosing import DECIDED
from analytics.decisions import Decisions
from analytics.declare import Role, Scope
from analytics.keeping import question
from analytics.policy import Subject
from analytics.privacy import K
from tests.campus import LEARNERS, small_campus
from tests.cast import ACME, LARS, LENA, OLGA, SAM, TOMAS
from tests.river.banks import Services, running
from tests.river.bearers import token
from tests.river.test_audit import audit

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway
    from tests.river.bearers import Who

BOARD = """query ($window: LeaderboardWindow! = ALL_TIME, $first: Int = 50) {
 leaderboard(window: $window, first: $first) {
  window total asOf entries { rank displayName points isYou } you { rank points percentile visible }
  withheld { reason needed }
} }"""
OWN = "{ learner { gamification { value { totalPoints points { week month allTime } } withheld { reason } } } }"
SHOW = """mutation ($visible: Boolean!) { setLeaderboardVisibility(input: {visible: $visible}) {
  __typename ... on LeaderboardVisibilitySet { visible } ... on ChoiceRefused { reason message retryAfter }
} }"""
DECIDE = """mutation ($id: ID!, $decision: RecommendationChoice!) {
  decideRecommendation(input: {recommendation: $id, decision: $decision}) {
    __typename ... on RecommendationDecided { recommendation decision } ... on ChoiceRefused { reason message }
} }"""
RECOMMENDED = "{ learner { prediction { recommendations { value { recommendations { id } } freshness { tier } } } } }"


async def board(gateway: Gateway, who: str, **chosen: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await gateway.ask(BOARD, who, **chosen)).data["leaderboard"]
    return found


async def shows(gateway: Gateway, who: str, *, visible: bool) -> dict[str, Any]:
    said: dict[str, Any] = (await gateway.ask(SHOW, who, visible=visible)).data["setLeaderboardVisibility"]
    return said


async def decides(gateway: Gateway, decision: str, recommendation: str, who: str = "lena") -> dict[str, Any]:
    reply = await gateway.ask(DECIDE, who, id=recommendation, decision=decision)
    said: dict[str, Any] = reply.data["decideRecommendation"]
    return said


async def recommended(gateway: Gateway, who: Who = "lena") -> list[str]:
    answer = (await gateway.ask(RECOMMENDED, who)).data["learner"]["prediction"]["recommendations"]
    return [one["id"] for one in answer["value"]["recommendations"]]


async def test_learners_see_who_is_ahead_and_their_own_place(gateway: Gateway) -> None:
    found = await board(gateway, "lena")
    assert found["withheld"] is None
    assert found["total"] == 15, "Lena, Lars and thirteen others"
    points = [one["points"] for one in found["entries"]]
    assert points == sorted(points, reverse=True)
    assert all(one["points"] > 0 for one in found["entries"])
    assert all(one["points"] % 10 == 0 for one in found["entries"] if not one["isYou"]), "no digit of a score"
    (lena,) = [one for one in found["entries"] if one["isYou"]]
    assert lena["displayName"] == "Lena"
    assert (lena["rank"], lena["points"]) == (found["you"]["rank"], found["you"]["points"])
    own = (await gateway.ask(OWN, "lena")).data["learner"]["gamification"]["value"]
    assert found["you"]["points"] == own["totalPoints"] == own["points"]["allTime"] > 0


async def test_each_window_has_its_own_points(gateway: Gateway) -> None:
    own = (await gateway.ask(OWN, "lena")).data["learner"]["gamification"]["value"]["points"]
    for window, key in (("WEEK", "week"), ("MONTH", "month"), ("ALL_TIME", "allTime")):
        found = await board(gateway, "lena", window=window)
        assert (found["window"], found["you"]["points"]) == (window, own[key])
    assert own["week"] <= own["month"] <= own["allTime"]
    assert own["week"] < own["allTime"]


async def test_there_is_no_id_of_anybody_in_it(gateway: Gateway) -> None:
    text = (await gateway.ask(BOARD, "lena")).text
    assert not [one for one in (LENA, LARS, OLGA, TOMAS, ACME, *LEARNERS) if one in text]


async def test_who_hides_is_seen_by_nobody_else_at_once_and_still_sees_themselves(gateway: Gateway) -> None:
    before = await board(gateway, "lars")
    assert "Lena" in {one["displayName"] for one in before["entries"]}
    assert await shows(gateway, "lena", visible=False) == {"__typename": "LeaderboardVisibilitySet", "visible": False}
    for who in ("lars", "tomas", "olga"):
        reply = await gateway.ask(BOARD, who, first=50)
        assert "Lena" not in reply.text
    after = await board(gateway, "lars")
    (was,) = [one["rank"] for one in before["entries"] if one["displayName"] == "Lena"]
    moved = {one["displayName"]: one["rank"] for one in before["entries"] if one["rank"] > was}
    assert all(one["rank"] == moved[one["displayName"]] - 1 for one in after["entries"] if one["displayName"] in moved)
    mine = await board(gateway, "lena")
    assert mine["you"]["visible"] is False
    assert mine["you"]["rank"] == was
    assert [one["displayName"] for one in mine["entries"] if one["isYou"]] == ["Lena"]
    await shows(gateway, "lena", visible=True)
    assert await board(gateway, "lars") == before


async def test_hiding_holds_in_every_process_at_once(gateway: Gateway, clone: Clone, clock: Clock) -> None:
    async with running(clone.app_url, Services(small_campus()), clock) as other:
        assert "Lena" in (await other.ask(BOARD, "lars")).text
        await shows(gateway, "lena", visible=False)
        assert "Lena" not in (await other.ask(BOARD, "lars")).text


async def test_trainers_and_admins_see_it_without_a_place_of_their_own(gateway: Gateway) -> None:
    for who in ("tomas", "tara", "olga"):
        found = await board(gateway, who)
        assert found["you"] is None
        assert len(found["entries"]) > K
        assert not [one for one in found["entries"] if one["isYou"]]


async def test_a_stranger_sees_nothing_of_it_and_hears_their_own_points(gateway: Gateway) -> None:
    await board(gateway, "lena")
    reply = await gateway.ask(BOARD, "sam")
    found = reply.data["leaderboard"]
    assert (found["entries"], found["total"], found["asOf"]) == ([], None, None)
    assert found["withheld"] == {"reason": "TOO_FEW_PEERS", "needed": K}
    assert found["you"]["points"] > 0
    assert (found["you"]["rank"], found["you"]["percentile"]) == (None, None)
    assert not [name for name in ("Lena", "Lars", "Learner") if name in reply.text]


async def test_fewer_than_ten_others_who_want_to_be_seen_are_not_shown(gateway: Gateway) -> None:
    people = {one.id: one for one in small_campus().people}
    for learner in LEARNERS[:4]:
        await gateway.ask(SHOW, people[learner], visible=False)
    assert (await board(gateway, "lena"))["withheld"] is None, "ten others are left"
    await shows(gateway, "lars", visible=False)
    found = await board(gateway, "lena")
    assert found["withheld"]["reason"] == "TOO_FEW_PEERS"
    assert found["entries"] == []
    assert found["you"]["points"] > 0
    assert (await board(gateway, "lars"))["withheld"] is None, "Lars sees Lena and nine more"


@pytest.mark.parametrize("first", [0, -1, 51, 1_000])
async def test_no_more_places_are_shown_than_can_be_asked_for(gateway: Gateway, first: int) -> None:
    assert (await gateway.ask(BOARD, first=first)).codes == {"BAD_USER_INPUT"}


async def test_as_many_places_are_shown_as_are_asked_for(gateway: Gateway) -> None:
    assert len((await board(gateway, "lena", first=3))["entries"]) == 3
    assert (await board(gateway, "lena", first=None))["entries"] == (await board(gateway, "lena", first=10))["entries"]


async def test_a_service_that_is_down_withholds_the_places_and_not_the_page(
    gateway: Gateway, services: Services
) -> None:
    await services.turn("devlab", "failing")
    found = await board(gateway, "lena")
    assert found["withheld"]["reason"] == "SOURCE_DOWN"
    assert (found["entries"], found["you"]) == (
        [],
        {"rank": None, "points": None, "percentile": None, "visible": True},
    )


async def test_only_a_learner_chooses_and_a_refusal_is_an_answer(gateway: Gateway) -> None:
    for who in ("tomas", "olga"):
        said = await shows(gateway, who, visible=False)
        assert (said["__typename"], said["reason"]) == ("ChoiceRefused", "NOT_FOR_YOUR_ROLE")
        refused = await decides(gateway, "SAVED", "x", who)
        assert (refused["__typename"], refused["reason"]) == ("ChoiceRefused", "NOT_FOR_YOUR_ROLE")
    for bad in ("", "x" * 101, "a\0b"):
        assert (await decides(gateway, "SAVED", bad))["reason"] == "NOT_AN_ID"
    refused = {"what": "choice", "why": "not-allowed", "times": 1}
    assert await audit(gateway) == [
        (person, role, "refused", None, refused)
        for person, role in ((TOMAS, "trainer"), (OLGA, "org-admin"))
        for _ in range(2)
    ]


async def test_without_a_token_nothing_is_chosen(gateway: Gateway) -> None:
    assert (await gateway.ask(SHOW, None, visible=False)).status == 401


async def test_a_choice_is_never_made_by_get(gateway: Gateway) -> None:
    who = {"authorization": f"Bearer {token('lena', gateway.clock.now())}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app), base_url="http://gateway") as client:
        asked = "mutation { setLeaderboardVisibility(input: {visible: false}) { __typename } }"
        answer = await client.get("/graphql", params={"query": asked}, headers=who)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await board(gateway, "lena"))["you"]["visible"] is True


async def test_choices_are_written_down_with_who_made_them_and_without_what_they_are_about(gateway: Gateway) -> None:
    await shows(gateway, "lena", visible=False)
    await decides(gateway, "SAVED", "assessment:x")
    await decides(gateway, "NONE", "assessment:x")
    assert await audit(gateway) == [
        (LENA, "learner", "leaderboard.hidden", LENA, {}),
        (LENA, "learner", "recommendation.saved", LENA, {}),
        (LENA, "learner", "recommendation.undecided", LENA, {}),
    ]


async def test_what_is_dismissed_is_gone_at_once_and_comes_back_when_that_is_taken_back(gateway: Gateway) -> None:
    before = await recommended(gateway)
    assert await decides(gateway, "DISMISSED", before[0]) == {
        "__typename": "RecommendationDecided",
        "recommendation": before[0],
        "decision": "DISMISSED",
    }
    assert before[0] not in await recommended(gateway)
    assert before[0] not in await recommended(gateway), "from memory as well"
    await decides(gateway, "NONE", before[0])
    assert await recommended(gateway) == before


async def test_what_one_learner_dismisses_others_still_see(gateway: Gateway) -> None:
    (neighbour,) = [one for one in small_campus().people if one.id == LEARNERS[2]]
    theirs = await recommended(gateway, neighbour)
    assert (await decides(gateway, "DISMISSED", theirs[0]))["__typename"] == "RecommendationDecided"
    assert await recommended(gateway, neighbour) == theirs


async def test_a_decision_holds_in_every_process(gateway: Gateway, clone: Clone, clock: Clock) -> None:
    async with running(clone.app_url, Services(small_campus()), clock) as other:
        dropped = (await recommended(other))[0]
        assert dropped in await recommended(other), "and now it lies in memory there"
        await decides(gateway, "DISMISSED", dropped)
        assert dropped not in await recommended(gateway)
        for _ in range(100):
            if dropped not in await recommended(other):
                break
        else:
            pytest.fail("the other process never heard of it")


async def test_what_is_worked_out_while_a_decision_is_made_is_not_held_on_to(
    gateway: Gateway, services: Services
) -> None:
    dropped = (await recommended(gateway))[0]
    asked = [question(metric, Subject(Scope.LEARNER, ACME, LENA), {}) for metric in DECIDED]
    await gateway.world.forget(ACME, asked)
    services.forget()
    services.gate.clear()
    under_way = asyncio.create_task(recommended(gateway))
    await services.called.wait()
    # What was decided so far has been read by now, while the services still wait: this is read after it.
    assert await gateway.world.roster.places.decisions(ACME, LENA) == Decisions(())
    await decides(gateway, "DISMISSED", dropped)
    services.gate.set()
    assert dropped in await under_way, "it was asked before"
    assert dropped not in await recommended(gateway)
    assert dropped not in "".join(row.value or "" for row in await gateway.kept() if "recommend" in row.metric)


async def test_somebody_who_acts_in_another_role_than_learner_has_no_place(gateway: Gateway) -> None:
    headers = {"authorization": f"Bearer {token('lena', gateway.clock.now(), roles=(Role.LEARNER, Role.TRAINER))}"}
    reply = await gateway.send(BOARD, {}, {**headers, "x-active-role": "trainer"})
    assert reply.data["leaderboard"]["you"] is None


async def test_the_card_is_for_the_learner_alone(gateway: Gateway) -> None:
    document = "query ($id: ID) { learner(id: $id) { gamification { value { level } withheld { reason } } } }"
    for who in ("tomas", "olga"):
        answer = (await gateway.ask(document, who, id=LENA)).data["learner"]["gamification"]
        assert answer == {"value": None, "withheld": {"reason": "NOT_FOR_YOUR_ROLE"}}
    assert (await gateway.ask(document, "sam", id=LENA)).body["data"]["learner"] is None
    assert (await gateway.ask(document, "sam", id=SAM)).data["learner"]["gamification"]["value"]["level"] >= 1
