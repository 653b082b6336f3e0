"""Who heard whose answers: written down for others, never for oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import select

from datasources.postgres.session import Actor
from datasources.postgres.tables import AuditRow
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TOMAS

if TYPE_CHECKING:
    from tests.river.banks import Gateway

TWO = """query ($id: ID) { learner(id: $id) { analytics {
  velocity { value { paceRatio } } mastery { value { masteryProgress } }
} } }"""
LISTED = "{ organization { learners { totalCount edges { node { %s } } } } }"


async def audit(gateway: Gateway, organization: str = ACME) -> list[Any]:
    async with gateway.world.database.session(Actor(organization, OLGA, "org-admin")) as session:
        rows = (await session.exec(select(AuditRow).order_by(AuditRow.id))).all()
    return [(row.actor, row.role, row.kind, row.subject, row.details) for row in rows]


async def test_what_others_hear_is_written_down_and_what_one_hears_of_oneself_is_not(gateway: Gateway) -> None:
    await gateway.dashboard("lena")
    await gateway.ask(TWO, "lena", id=LENA)
    assert await audit(gateway) == []
    assert (await gateway.ask(TWO, "tomas", id=LENA)).data["learner"]
    await gateway.ask(TWO, "olga", id=LENA)
    await gateway.ask(TWO, "olga", id=LARS)
    assert await audit(gateway) == [
        (TOMAS, "trainer", "answers.heard", LENA, {"answers": 2}),
        (OLGA, "org-admin", "answers.heard", LENA, {"answers": 2}),
        (OLGA, "org-admin", "answers.heard", LARS, {"answers": 2}),
    ]


async def test_a_list_is_a_line_for_each_learner_in_it(gateway: Gateway) -> None:
    await gateway.ask(LISTED % "displayName", "olga")
    assert await audit(gateway) == [], "a name is no answer"
    heard = await gateway.ask(LISTED % "analytics { velocity { withheld { reason } } }", "olga")
    total = heard.data["organization"]["learners"]["totalCount"]
    rows = await audit(gateway)
    assert len({subject for *_, subject, _ in rows}) == len(rows) == total
    assert {tuple(details.items()) for *_, details in rows} == {(("answers", 1),)}


async def test_what_a_stranger_did_not_hear_is_not_said_to_have_been_heard(gateway: Gateway) -> None:
    await gateway.ask(TWO, "sam", id=LENA)
    await gateway.ask(TWO, "tara", id=LENA)
    assert (await audit(gateway), await audit(gateway, OTHER)) == ([], [])
    await gateway.ask(TWO, "sam", id=SAM)
    assert await audit(gateway, OTHER) == []
