"""What the page opens with: each dashboard, and where a demo was started the token of who may ask it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from gateway import accounts
from gateway.keys import development_secret
from gateway.settings import Settings
from gateway.tabs import ASKERS, documents, opening
from tests.cast import ACME, LENA, OLGA, OTHER, SAM, TOMAS

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CAST = {
    name: {"id": key, "name": name.title(), "email": f"{name}@example.org", "roles": [role], "organization": home}
    for name, key, role, home in (
        ("learner", LENA, "learner", ACME),
        ("trainer", TOMAS, "trainer", ACME),
        ("org-admin", OLGA, "org-admin", ACME),
        ("stranger", SAM, "learner", OTHER),
    )
}
TOLD = {"campus": "of the tests", "asOf": "2026-03-02T00:00:00+00:00", "cast": CAST}


def settings(home: Path, **told: Any) -> Settings:
    return Settings.model_validate({"home": home, **told})


async def opened(chosen: Settings) -> dict[str, Any]:
    """What the page is told to open with."""
    transport = httpx.ASGITransport(opening(chosen, lambda: NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        text = (await client.get("/graphql")).text
    block = re.search(r'<script type="application/json" id="page">(.*?)</script>', text, re.DOTALL)
    assert block
    found: dict[str, Any] = json.loads(block[1])
    return found


def shown(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


async def test_it_opens_with_every_dashboard_the_learners_first(tmp_path: Path) -> None:
    tabs = (await opened(settings(tmp_path)))["tabs"]
    assert [tab["query"] for tab in tabs] == list(documents().values())
    assert list(documents())[: len(ASKERS)] == list(ASKERS)
    assert all("query " in tab["query"] for tab in tabs)


async def test_in_a_demo_each_dashboard_carries_the_token_of_its_reader(tmp_path: Path) -> None:
    accounts.write(tmp_path, TOLD)
    found = await opened(settings(tmp_path))
    readers = [
        jwt.decode(
            shown(json.loads(tab["headers"])),
            development_secret(tmp_path),
            algorithms=["HS256"],
            audience="learning-analytics",
            issuer="learning-platform",
            options={"verify_exp": False, "verify_iat": False},
        )
        for tab in found["tabs"]
    ]
    assert [(one["sub"], one["roles"]) for one in readers] == [
        (CAST[ASKERS[name]]["id"], CAST[ASKERS[name]]["roles"]) for name in documents()
    ]
    assert {one["exp"] for one in readers} == {int((NOW + timedelta(days=7)).timestamp())}
    # A new tab speaks for the learner, whose dashboard comes first.
    assert found["headers"] == json.loads(found["tabs"][0]["headers"])


@pytest.mark.parametrize("environment", ["development", "production"])
async def test_where_no_demo_was_started_there_is_no_token(tmp_path: Path, environment: str) -> None:
    found = await opened(settings(tmp_path, environment=environment))
    assert {tab["headers"] for tab in found["tabs"]} == {'{\n  "Authorization": "Bearer TOKEN"\n}'}
    assert found["headers"] == {"Authorization": "Bearer TOKEN"}
    # Nor was a key made only to look.
    assert not (tmp_path / "keys").exists()


async def test_in_production_no_token_is_shown_whatever_lies_about(tmp_path: Path) -> None:
    accounts.write(tmp_path, TOLD)
    found = await opened(settings(tmp_path, environment="production", graphiql=True))
    assert {shown(json.loads(tab["headers"])) for tab in found["tabs"]} == {"TOKEN"}
