"""Whoever is forgotten is not remembered by a token: by none that is being looked at, and by none that is shown on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from starlette.datastructures import Headers

from gateway.auth import Authenticator
from gateway.keys import Key, OneKey, secret_key
from gateway.refusal import Refused
from tests.cast import LENA
from tests.gateway.edge import AUDIENCE, ISSUER, NOW, SECRET, token
from tests.river.memories import holding

if TYPE_CHECKING:
    from analytics.standing import Claim

OURS = OneKey(secret_key(SECRET))
HER = (LENA, "Lena")


class Gate:
    """Keys and a standing that keep whoever asks waiting until they are open; `ended`: the standing is against them."""

    def __init__(self, *, ended: bool = False) -> None:
        self.ended = ended
        self.asked, self.open = asyncio.Event(), asyncio.Event()

    async def find(self, kid: str | None) -> Key | None:
        await self._wait()
        return await OURS.find(kid)

    def holds_now(self, _claim: Claim) -> bool | None:
        return None

    async def holds(self, _claim: Claim) -> bool:
        await self._wait()
        return not self.ended

    async def lost(self, _claim: Claim) -> None:
        await asyncio.Event().wait()

    def changed(self, organization: str, person: str) -> None:
        """It is asked each time."""

    async def _wait(self) -> None:
        self.asked.set()
        await self.open.wait()


def shown() -> Headers:
    return Headers({"authorization": f"Bearer {token()}"})


@pytest.mark.parametrize("late", ["keys", "standing"])
async def test_a_token_that_is_being_looked_at_is_not_remembered_by_who_lets_go_meanwhile(late: str) -> None:
    gate, still = Gate(), Gate()
    still.open.set()
    keys, standing = (gate, still) if late == "keys" else (still, gate)
    one = Authenticator(keys, issuer=ISSUER, audience=AUDIENCE, now=lambda: NOW, standing=standing)
    asking = asyncio.create_task(one.session(shown()))
    await gate.asked.wait()
    one.let_go()
    gate.open.set()
    assert await asking is not None
    assert not holding(one, HER)
    assert await one.session(shown()) is not None
    assert holding(one, HER), "whoever comes afterwards is remembered"


async def test_whoever_may_not_be_heard_any_more_is_not_remembered() -> None:
    gate = Gate()
    gate.open.set()
    one = Authenticator(OURS, issuer=ISSUER, audience=AUDIENCE, now=lambda: NOW, standing=gate)
    await one.session(shown())
    assert holding(one, HER)
    gate.ended = True
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await one.session(shown())
        assert refused.value.status == 401
        assert not holding(one, HER)
