"""Accounts of our own: made on the command line, signed in with, disabled; and nobody learns which there are."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from analytics.declare import Role
from datasources.postgres import local_accounts as rows
from datasources.postgres.local_accounts import LocalAccount
from gateway import local_accounts
from gateway.cli import app as commands
from gateway.keys import secret_key
from gateway.local_accounts import AccountError
from gateway.sessions import passwords
from gateway.sessions.by_account import ByAccount
from gateway.sessions.passwords import Passwords
from gateway.sessions.provider import AwayError
from gateway.settings import Settings
from tests.campus import small_campus
from tests.cast import ACME, LENA, OLGA
from tests.river.banks import Clock, Gateway, Services, running
from tests.river.desks import let_in, pair, renew, sign_in, who

if TYPE_CHECKING:
    from datasources.postgres.session import Database
    from tests.conftest import Clone

WORD = "correct horse battery"
EMAIL = "lena@example.org"


class Counting:
    """A hasher that counts what it is asked, and hashes nothing; while its gate is shut, it waits."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.at_once = self.most = 0

    def hash(self, password: str) -> str:
        return f"hash of {password}"

    def verify(self, hash: str, password: str) -> bool:  # noqa: A002 - argon2's word
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.asked.append((hash, password))
        self.at_once -= 1
        return hash == f"hash of {password}"


def provider(database: Database, hasher: Counting) -> ByAccount:
    return ByAccount(
        database,
        Passwords(hasher),
        key=secret_key("k" * 64),
        issuer="tests",
        audience="tests",
        now=lambda: datetime.now(UTC),
    )


def lenas(**changes: Any) -> LocalAccount:
    told: dict[str, Any] = {
        "organization": ACME, "person": LENA, "email": EMAIL, "name": "Lena", "roles": ("learner",), "hashed": "",
    }  # fmt: skip
    return LocalAccount(**told | changes)


async def test_the_same_work_is_done_whether_there_is_an_account_or_not(database: Database) -> None:
    await rows.add(database, lenas(hashed=f"hash of {WORD}"))
    await rows.add(database, lenas(person=OLGA, email="olga@example.org", hashed=f"hash of {WORD}"))
    await rows.disable(database, ACME, "olga@example.org")
    done = {}
    for name, email, word in (
        ("right", EMAIL, WORD),
        ("a wrong password", EMAIL, "wrong horse battery"),
        ("nobody", "nobody@example.org", WORD),
        ("somebody who is disabled", "olga@example.org", WORD),
    ):
        hasher = Counting()
        before = database.statements
        granted = await provider(database, hasher).enter(email, word)
        done[name] = (len(hasher.asked), database.statements - before, granted is not None)
    statements = done["right"][1]
    assert done == {name: (1, statements, name == "right") for name in done}


async def test_an_unknown_account_is_never_let_in_whatever_hash_it_is_compared_with(database: Database) -> None:
    class Yes(Counting):
        def verify(self, hash: str, password: str) -> bool:  # noqa: A002 - argon2's word
            super().verify(hash, password)
            return True

    assert await provider(database, Yes()).enter("nobody@example.org", WORD) is None


async def test_passwords_are_compared_a_few_at_a_time_and_not_without_end() -> None:
    hasher = Counting()
    desk = Passwords(hasher)
    said = await asyncio.gather(*(desk.matches(None, WORD) for _ in range(60)), return_exceptions=True)
    assert Counter(type(one) for one in said) == {bool: passwords.MOST_WAITING, AwayError: 60 - passwords.MOST_WAITING}
    assert hasher.most <= passwords.AT_ONCE
    assert await desk.matches("hash of right", "right"), "places are free again"


async def test_argon2_itself_tells_right_from_wrong_and_survives_a_broken_hash() -> None:
    desk = Passwords()
    hashed = await desk.hash(WORD)
    assert hashed.startswith("$argon2id$")
    assert WORD not in hashed
    assert await desk.matches(hashed, WORD)
    assert not await desk.matches(hashed, WORD + " ")
    assert not await desk.matches("no hash at all", WORD)
    assert not await desk.matches(hashed, WORD + "x" * passwords.LONGEST)


@pytest.mark.parametrize(
    ("changes", "word", "why"),
    [
        ({}, "short", "15 to 1000 characters"),
        ({"email": "no address"}, WORD, "no address"),
        ({"email": "a@b" + "c" * 254}, WORD, "no address"),
        ({"roles": ("emperor",)}, WORD, "learner, trainer, org-admin"),
        ({"roles": ()}, WORD, "not none"),
        ({"person": "lena"}, WORD, "not an id"),
        ({"organization": ""}, WORD, "not an id"),
    ],
)
async def test_an_account_that_is_no_good_is_refused_with_what_would_be(
    clone: Clone, changes: dict[str, Any], word: str, why: str
) -> None:
    with pytest.raises(AccountError, match=why):
        await local_accounts.add(settings(clone), lenas(**changes), word)


def settings(clone: Clone, **more: Any) -> Settings:
    return Settings.model_validate({"database_url": clone.app_url, **more})


async def test_who_has_an_account_signs_in_goes_on_and_is_out_when_it_is_disabled(clone: Clone) -> None:
    clock = Clock(datetime.now(UTC))
    services = Services(small_campus(), clock.now)
    await local_accounts.add(settings(clone), lenas(email="Lena@Example.org "), WORD)
    with pytest.raises(AccountError, match="already"):
        await local_accounts.add(settings(clone), lenas(), WORD)
    async with running(clone.app_url, services, clock, local_accounts=True) as gateway:
        assert (await sign_in(gateway, EMAIL, "wrong horse battery"))["reason"] == "WRONG"
        given = await let_in(gateway, EMAIL, WORD)
        assert (await who(gateway, given.access)).data["viewer"]["activeRole"] == Role.LEARNER.name
        given = pair(await renew(gateway, given.refresh))
        said: list[str] = []
        await local_accounts.disable(settings(clone), "LENA@example.org", said.append)
        assert "signed out everywhere" in said[0]
        await refused(gateway, given.access)
        assert (await renew(gateway, given.refresh))["reason"] == "ENDED"
        assert (await sign_in(gateway, EMAIL, WORD))["reason"] == "WRONG"
    (kept,) = await local_accounts.listed(settings(clone), ACME)
    assert (kept.email, kept.disabled) == (EMAIL, True)
    with pytest.raises(AccountError, match="no account that is open"):
        await local_accounts.disable(settings(clone), EMAIL, said.append)


async def refused(gateway: Gateway, access: str) -> None:
    """Return when the process has heard that a token is good no more."""
    async with asyncio.timeout(10):
        while (await who(gateway, access)).status != 401:
            pass


async def test_the_account_of_another_organization_is_not_listed(clone: Clone) -> None:
    await local_accounts.add(settings(clone), lenas(), WORD)
    assert await local_accounts.listed(settings(clone), OLGA) == []


def test_the_commands_do_what_they_say(clone: Clone) -> None:
    environ = {"GATEWAY_DATABASE_URL": clone.app_url}
    run = CliRunner()
    who_it_is = ["--organization", ACME, "--user", LENA, "--role", "learner", "--role", "trainer"]
    added = run.invoke(commands, ["account", "add", EMAIL, *who_it_is], env=environ, input=f"{WORD}\n")
    assert (added.exit_code, added.stdout) == (0, f"{EMAIL} can sign in.\n")
    shown = run.invoke(commands, ["account", "list", ACME], env=environ)
    assert shown.stdout == f"{EMAIL}  {LENA}  learner, trainer  open\n"
    assert run.invoke(commands, ["account", "disable", EMAIL], env=environ).exit_code == 0
    assert "disabled" in run.invoke(commands, ["account", "list", ACME], env=environ).stdout
    assert run.invoke(commands, ["revoke", LENA], env=environ).exit_code == 0
    refused = run.invoke(commands, ["revoke", "lena"], env=environ)
    assert (refused.exit_code, "not an id" in refused.stderr) == (1, True)
    keys = {run.invoke(commands, ["key"]).stdout.strip() for _ in range(2)}
    assert len(keys) == 2
