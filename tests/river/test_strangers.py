"""Who may hear of Lena: the same matrix through every way in, also when her answers lie ready in both tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from analytics.declare import Role
from resolvers.ids import to_global
from tests.campus import small_campus
from tests.cast import ACME, LARS, LENA, OLGA, SAM, TOMAS
from tests.river.banks import Clock, Gateway, Reply, Services, running
from tests.river.bearers import token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBERS = """
fragment Numbers on Learner { displayName userId
  analytics { velocity { value { paceRatio } } performance { value { overallScore } } }
  comparison { peers { value { percentile } } } prediction { dropOffRisk { value { riskScore } } } }
"""
LEARNER = "query ($id: ID) { learner(id: $id) { ...Numbers } }" + NUMBERS
NODE = "query ($id: ID!) { node(id: $id) { id ...Numbers } }" + NUMBERS
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ...Numbers } }" + NUMBERS
LIST = "learners(first: 200) { totalCount edges { node { ...Numbers } } }"
OF_TRAINER = f"query ($id: ID) {{ trainer(id: $id) {{ {LIST} }} }}" + NUMBERS
OF_ORGANIZATION = OF_TRAINER.replace("trainer(", "organization(")
VIEWER = f"{{ viewer {{ id learner {{ ...Numbers }} trainer {{ {LIST} }} }} }}" + NUMBERS
STRANGERS = ("sam", "lars", "tara")
CONFIDANTS = ("lena", "tomas", "olga")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["in memory", "in the database"])
async def gateway(module_clone: Clone, request: pytest.FixtureRequest) -> AsyncIterator[Gateway]:
    """A gateway that holds all of Lena's answers, as she and Tomas heard them."""
    services, clock = Services(small_campus()), Clock()
    async with running(module_clone.app_url, services, clock) as heard:
        assert (await heard.dashboard()).answers["velocity"]["value"]
        assert (await heard.ask(LEARNER, "tomas", id=LENA)).data["learner"]["displayName"] == "Lena"
        if request.param == "in memory":
            yield heard
            return
    async with running(module_clone.app_url, services, clock) as restarted:
        yield restarted


def hears_nothing(reply: Reply) -> bool:
    return "Lena" not in reply.text and LENA not in reply.text


def hears_all(learner: dict[str, Any]) -> bool:
    return learner["displayName"] == "Lena" and all(
        answer["value"] for family in ("analytics", "comparison", "prediction") for answer in learner[family].values()
    )


@pytest.mark.parametrize("form", [LENA, LENA.upper(), to_global("Learner", LENA)], ids=["uuid", "UUID", "global"])
@pytest.mark.parametrize("who", STRANGERS)
async def test_a_stranger_finds_no_such_learner(gateway: Gateway, who: str, form: str) -> None:
    reply = await gateway.ask(LEARNER, who, id=form)
    unknown = await gateway.ask(LEARNER, who, id="00000000-0000-4000-8000-000000000000")
    assert reply.codes == {"NOT_FOUND"}
    assert reply.body["data"] == {"learner": None}
    assert reply.body["errors"] == unknown.body["errors"], "hidden and absent look alike"
    assert hears_nothing(reply)


@pytest.mark.parametrize("who", STRANGERS)
async def test_to_a_stranger_the_node_is_null(gateway: Gateway, who: str) -> None:
    lena = to_global("Learner", LENA)
    one, many = await gateway.ask(NODE, who, id=lena), await gateway.ask(NODES, who, ids=[lena, lena])
    assert (one.data, many.data) == ({"node": None}, {"nodes": [None, None]})


@pytest.mark.parametrize("who", ["sam", "lars", "tara"])
async def test_a_stranger_to_the_trainer_gets_no_list(gateway: Gateway, who: str) -> None:
    reply = await gateway.ask(OF_TRAINER, who, id=TOMAS)
    assert reply.codes == {"NOT_FOUND"}
    assert hears_nothing(reply)
    assert (await gateway.ask(NODE, who, id=to_global("Trainer", TOMAS))).data == {"node": None}


async def test_another_organization_is_not_there(gateway: Gateway) -> None:
    for document in (OF_ORGANIZATION, NODE):
        reply = await gateway.ask(document, "sam", id=to_global("Organization", ACME))
        assert (reply.codes == {"NOT_FOUND"}) if document == OF_ORGANIZATION else reply.data == {"node": None}
        assert hears_nothing(reply)


@pytest.mark.parametrize(("who", "total"), [("lars", 1), ("tara", 12)])
async def test_the_learners_of_an_organization_are_those_one_may_know_of(
    gateway: Gateway, who: str, total: int
) -> None:
    reply = await gateway.ask(OF_ORGANIZATION, who, id=ACME)
    listed = reply.data["organization"]["learners"]
    assert listed["totalCount"] == len(listed["edges"]) == total
    assert hears_nothing(reply)


@pytest.mark.parametrize("who", STRANGERS)
async def test_a_stranger_s_own_view_has_nothing_of_lena(gateway: Gateway, who: str) -> None:
    reply = await gateway.ask(VIEWER, who)
    assert reply.data["viewer"]["id"] == {"sam": SAM, "lars": LARS}.get(who, reply.data["viewer"]["id"])
    assert hears_nothing(reply)


@pytest.mark.parametrize("who", CONFIDANTS)
async def test_lena_her_trainer_and_her_admin_hear_everything(gateway: Gateway, who: str) -> None:
    assert hears_all((await gateway.ask(LEARNER, who, id=LENA)).data["learner"])
    lena = to_global("Learner", LENA)
    assert hears_all((await gateway.ask(NODE, who, id=lena)).data["node"])
    assert hears_all((await gateway.ask(NODES, who, ids=[lena])).data["nodes"][0])


@pytest.mark.parametrize(("who", "total"), [("tomas", 14), ("olga", 14)])
async def test_her_trainer_and_her_admin_find_her_among_his_learners(gateway: Gateway, who: str, total: int) -> None:
    listed = (await gateway.ask(OF_TRAINER, who, id=TOMAS)).data["trainer"]["learners"]
    assert listed["totalCount"] == len(listed["edges"]) == total
    assert [edge["node"] for edge in listed["edges"] if hears_all(edge["node"])]


async def test_nobody_without_a_token_is_told_anything(gateway: Gateway) -> None:
    for document, variables in (
        (LEARNER, {"id": LENA}),
        (NODE, {"id": to_global("Learner", LENA)}),
        (NODES, {"ids": [to_global("Learner", LENA)]}),
        (OF_TRAINER, {"id": TOMAS}),
        (OF_ORGANIZATION, {"id": ACME}),
        (VIEWER, {}),
    ):
        reply = await gateway.ask(document, None, **variables)
        assert reply.codes == {"UNAUTHENTICATED"}
        assert "data" not in reply.body
        assert hears_nothing(reply)


async def test_a_forged_token_is_nobody_s(gateway: Gateway) -> None:
    now = gateway.clock.now()
    forged = token("lena", now, secret="another-secret-that-is-long-enough-to-sign")
    unsigned = token("lena", now).rpartition(".")[0] + "."
    for shown in (forged, unsigned, token("lena", now.replace(year=2025)), "lena"):
        reply = await gateway.send(LEARNER, {"id": LENA}, {"authorization": f"Bearer {shown}"})
        assert reply.codes == {"UNAUTHENTICATED"}
        assert hears_nothing(reply)


async def test_a_role_that_the_token_does_not_have_is_refused(gateway: Gateway) -> None:
    now = gateway.clock.now()
    for who, role in (("lars", "org-admin"), ("sam", "trainer"), ("tara", "org-admin"), ("lena", "system")):
        headers = {"authorization": f"Bearer {token(who, now)}", "x-active-role": role}
        reply = await gateway.send(LEARNER, {"id": LENA}, headers)
        assert reply.codes == {"FORBIDDEN"}
        assert hears_nothing(reply)


@pytest.mark.parametrize(
    ("who", "roles", "active", "hears"),
    [
        ("tomas", [Role.LEARNER, Role.TRAINER], "trainer", True),
        ("tomas", [Role.LEARNER, Role.TRAINER], "learner", False),
        ("olga", [Role.TRAINER, Role.ORG_ADMIN], "trainer", False),
        ("lars", [Role.LEARNER, Role.TRAINER], "trainer", False),
        ("sam", [Role.ORG_ADMIN], "org-admin", False),
    ],
)
async def test_the_active_role_alone_decides(
    gateway: Gateway, who: str, roles: list[Role], active: str, *, hears: bool
) -> None:
    shown = token(who, gateway.clock.now(), roles=roles)
    reply = await gateway.send(LEARNER, {"id": LENA}, {"authorization": f"Bearer {shown}", "x-active-role": active})
    assert reply.codes == (set() if hears else {"NOT_FOUND"})
    assert hears_nothing(reply) is not hears


@pytest.mark.parametrize(
    ("document", "ident"),
    [
        (LEARNER, to_global("Trainer", TOMAS)),
        (LEARNER, to_global("Organization", ACME)),
        (LEARNER, to_global("Learner", "no-uuid")),
        (LEARNER, "what"),
        (LEARNER, ""),
        (LEARNER, "é\0"),
        (OF_TRAINER, to_global("Learner", LENA)),
        (OF_ORGANIZATION, to_global("Learner", OLGA)),
        (NODE, LENA),
        (NODE, "TGVhcm5lcjo="),
        (NODE, to_global("Learner", LENA) + "=="),
        (NODE, "A" * 5000),
    ],
)
@pytest.mark.parametrize("who", ["lena", "sam"])
async def test_an_id_of_another_type_or_shape_is_bad_input(
    gateway: Gateway, who: str, document: str, ident: str
) -> None:
    reply = await gateway.ask(document, who, id=ident)
    assert reply.codes == {"BAD_USER_INPUT"}
    assert "Lena" not in reply.text


async def test_an_id_of_a_type_that_is_none_is_nothing(gateway: Gateway) -> None:
    assert (await gateway.ask(NODE, "olga", id=to_global("Course", LENA))).data == {"node": None}
