"""The demo's accounts are remembered, and `gateway token` prints a token of one of them and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.datastructures import Headers
from typer.testing import CliRunner

from analytics.declare import Role
from datasources.catalog import SERVICES
from datasources.simulator.server import create_simulator
from gateway import accounts
from gateway.auth import Authenticator
from gateway.cli import app
from gateway.keys import OneKey, development_secret, secret_key
from tests.campus import AS_OF, small_campus
from tests.cast import ACME, LENA, OLGA, OTHER, SAM, TOMAS
from tests.gateway.processes import run

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.policy import Viewer

SECRET = "a-secret-of-the-tests-that-is-long-enough"


@pytest.fixture
async def told() -> dict[str, Any]:
    """What a simulator tells of its campus."""
    transport = httpx.ASGITransport(create_simulator(small_campus(), token="any"))
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
        found: dict[str, Any] = (await client.get("/healthz")).json()
    return found


@pytest.fixture
def home(tmp_path: Path, told: dict[str, Any]) -> Path:
    """The home of a demo that was started once."""
    accounts.write(tmp_path, told)
    return tmp_path


def token(home: Path, account: str, **environ: str) -> Any:
    """What `gateway token` does with a home."""
    return CliRunner().invoke(app, ["token", account], env={"GATEWAY_HOME": str(home), **environ})


async def bearer(text: str, secret: str, at: datetime | None = None) -> Viewer:
    """Whom a gateway with this secret, and everything else by default, takes the bearer of a token for."""
    moment = at or datetime.now(UTC)
    authenticate = Authenticator(
        OneKey(secret_key(secret)),
        issuer="learning-platform",
        audience="learning-analytics",
        now=moment.timestamp,
    )
    found = await authenticate(Headers({"authorization": f"Bearer {text}"}))
    assert found
    return found


def test_what_the_simulator_told_is_remembered(home: Path) -> None:
    demo = accounts.read(home)
    assert (demo.source, demo.as_of) == (small_campus().source, AS_OF)
    assert set(demo.accounts) == set(accounts.NAMES)
    lena = demo.accounts["learner"]
    assert (lena.user, lena.organization, list(lena.roles)) == (LENA, ACME, [Role.LEARNER])


@pytest.mark.parametrize(
    "content",
    [None, "", '{"cast": ', "[]", "{}", '{"cast": []}', '{"campus": "x", "asOf": "y", "cast": {}}'],
    ids=["absent", "empty", "half written", "a list", "no cast", "a list of a cast", "no time"],
)
def test_where_none_is_remembered_it_says_what_to_do(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "demo.json").write_text(content)
    with pytest.raises(accounts.NoDemoError, match="start it once with `make run`"):
        accounts.read(tmp_path)


@pytest.mark.parametrize(
    "spoilt",
    [{"roles": ["emperor"]}, {"roles": None}, {"id": ...}, {"organization": ...}],
    ids=["a role we do not know", "no roles", "no id", "no organization"],
)
def test_accounts_of_another_kind_of_demo_are_none(tmp_path: Path, told: dict[str, Any], spoilt: Any) -> None:
    one = told["cast"]["learner"] | spoilt
    told["cast"]["learner"] = {name: value for name, value in one.items() if value is not ...}
    (tmp_path / "demo.json").write_text(json.dumps(told))
    with pytest.raises(accounts.NoDemoError, match="start it once"):
        accounts.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "user", "organization", "role"),
    [
        ("learner", LENA, ACME, Role.LEARNER),
        ("trainer", TOMAS, ACME, Role.TRAINER),
        ("org-admin", OLGA, ACME, Role.ORG_ADMIN),
        ("stranger", SAM, OTHER, Role.LEARNER),
    ],
)
async def test_the_command_prints_a_token_that_the_gateway_takes(
    home: Path, name: str, user: str, organization: str, role: Role
) -> None:
    said = token(home, name)
    assert said.exit_code == 0
    assert said.stdout.count("\n") == 1
    viewer = await bearer(said.stdout.strip(), development_secret(home))
    assert (viewer.user, viewer.organization, viewer.role) == (user, organization, role)


async def test_a_key_that_is_set_signs_the_token(home: Path) -> None:
    said = token(home, "learner", GATEWAY_TOKEN_KEY=SECRET)
    assert (await bearer(said.stdout.strip(), SECRET)).user == LENA


async def test_warnings_stay_away_from_the_token(home: Path) -> None:
    said = token(home, "learner", GATEWAY_PROT="1")
    assert "Was GATEWAY_PORT meant?" in said.stderr
    assert (await bearer(said.stdout.strip(), development_secret(home))).user == LENA


def test_a_shell_gets_the_token_alone(home: Path) -> None:
    said = run("token", "learner", GATEWAY_HOME=home)
    assert (said.returncode, said.stderr) == (0, "")
    assert len(said.stdout.strip().split(".")) == 3


@pytest.mark.parametrize(
    ("account", "environ", "what_to_do"),
    [
        ("nobody", {}, "there are: learner, trainer, org-admin, stranger"),
        ("learner", {"GATEWAY_HOME": "/nowhere"}, "start it once with `make run`"),
        ("learner", {"GATEWAY_PORT": "eighty"}, "GATEWAY_PORT='eighty'"),
        (
            "learner",
            {"GATEWAY_ENVIRONMENT": "production", "GATEWAY_TOKEN_KEY": SECRET},
            "There is no demo in production",
        ),
    ],
)
def test_what_goes_wrong_is_told_aside_with_what_to_do(
    home: Path, account: str, environ: dict[str, str], what_to_do: str
) -> None:
    said = token(home, account, **environ)
    assert (said.exit_code, said.stdout) == (1, "")
    assert what_to_do in said.stderr


def test_production_has_no_demo_accounts(home: Path) -> None:
    services = {service.variable: "https://service.example" for service in SERVICES}
    production = {"GATEWAY_ENVIRONMENT": "production", "GATEWAY_DATABASE_URL": "postgresql://gateway@db/gateway"}
    said = token(home, "learner", GATEWAY_TOKEN_KEY=SECRET, **production, **services)
    assert (said.exit_code, said.stdout) == (1, "")
    assert "there are no demo accounts" in said.stderr
