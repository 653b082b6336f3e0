"""Sessions in the database: who sees their rows, what ends them, and when they are let go of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from datasources.postgres import erasure, local_accounts, prune, roster, sessions
from datasources.postgres.connection import connect
from datasources.postgres.local_accounts import LocalAccount
from datasources.postgres.prune import Gone
from datasources.postgres.session import Actor, Database, system
from datasources.postgres.sessions import Given, Verdict
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM
from tests.datasources.postgres.rosters import acme

if TYPE_CHECKING:
    from datetime import datetime

    from tests.conftest import Clone

TABLES = ("sessions", "refresh_tokens", "revocations", "local_accounts")
HOUR = timedelta(hours=1)


async def begun(database: Database, organization: str, person: str, until: datetime | None = None) -> Given:
    """A session with one pair of tokens, and an account beside it."""
    now = await prune.present(database)
    given = Given(f"refresh of {person}", f"access of {person}", until or now + HOUR)
    await sessions.start(database, organization, person, "sealed", given)
    return given


async def lived_in(database: Database) -> None:
    for organization, person in ((ACME, LENA), (ACME, LARS), (OTHER, SAM)):
        given = await begun(database, organization, person)
        await sessions.sign_out(database, organization, person, "another", given.access_until)
        account = LocalAccount(organization, person, f"{person}@example.org", person, ("learner",), "hashed")
        await local_accounts.add(database, account)


async def seen(clone: Clone, actor: Actor) -> dict[str, int]:
    application = await connect(clone.app_url)
    try:
        async with application.transaction():
            await application.execute("SELECT act_as($1, $2, $3)", *actor.settings)
            return {
                table: await application.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - ours
                for table in TABLES
            }
    finally:
        await application.close()


NOTHING = dict.fromkeys(TABLES, 0)


@pytest.mark.parametrize(
    ("actor", "sees"),
    [
        (Actor(ACME, LENA, "learner"), NOTHING),
        (Actor(ACME, OLGA, "org-admin"), NOTHING),
        (Actor("", "", ""), NOTHING),
        (Actor(ACME, "", "bearer"), NOTHING),
        (Actor("", LENA, "bearer"), NOTHING),
        (Actor("", f"refresh of {SAM}", "bearer"), NOTHING | {"refresh_tokens": 1}),
        (Actor(ACME, f"refresh of {SAM}", "bearer"), NOTHING | {"refresh_tokens": 1}),
        (Actor("", f"{LENA}@example.org", "bearer"), NOTHING | {"local_accounts": 1}),
        (system(ACME), dict.fromkeys(TABLES, 2)),
        (system(OTHER), dict.fromkeys(TABLES, 1)),
    ],
)
async def test_nobody_sees_a_row_but_the_system_and_who_shows_what_is_in_it(
    database: Database, clone: Clone, actor: Actor, sees: dict[str, int]
) -> None:
    await lived_in(database)
    assert await seen(clone, actor) == sees


async def test_who_shows_a_row_cannot_change_it_or_make_one(database: Database, clone: Clone) -> None:
    await lived_in(database)
    application = await connect(clone.app_url)
    try:
        for statement in ("UPDATE refresh_tokens SET used_at = NULL", "DELETE FROM refresh_tokens"):
            async with application.transaction():
                await application.execute("SELECT act_as('', $1, 'bearer')", f"refresh of {SAM}")
                assert (await application.execute(statement)).endswith(" 0")
    finally:
        await application.close()


async def test_a_token_is_taken_once_and_given_back_only_while_its_session_lasts(database: Database) -> None:
    given = await begun(database, ACME, LENA)
    shown = await sessions.take(database, given.refresh)
    assert shown is not None
    assert (shown.verdict, shown.organization, shown.person, shown.upstream) == (Verdict.TAKEN, ACME, LENA, "sealed")
    await sessions.give_back(database, shown, given.refresh)
    again = await sessions.take(database, given.refresh)
    assert again == shown
    await sessions.end(database, shown)
    await sessions.give_back(database, shown, given.refresh)
    over = await sessions.take(database, given.refresh)
    assert over is not None
    assert (over.verdict, over.upstream) == (Verdict.OVER, None)


async def test_what_follows_a_session_that_is_over_is_revoked_from_its_beginning(database: Database) -> None:
    given = await begun(database, ACME, LENA)
    shown = await sessions.take(database, given.refresh)
    assert shown is not None
    reused = await sessions.take(database, given.refresh)
    assert reused is not None
    assert reused.verdict is Verdict.REUSED
    await sessions.follow(database, shown, "sealed", Given("next refresh", "next access", given.access_until))
    (known,) = await sessions.standings(database, [(ACME, LENA)])
    assert known.tokens == {given.access, "next access"}
    late = await sessions.take(database, "next refresh")
    assert late is not None
    assert late.verdict is Verdict.OVER


@pytest.mark.parametrize(("over", "known"), [(timedelta(minutes=4), True), (timedelta(minutes=6), False)])
async def test_what_is_revoked_stays_so_for_as_long_as_a_clock_may_be_wrong(
    database: Database, over: timedelta, *, known: bool
) -> None:
    until = await prune.present(database) - over
    given = await begun(database, ACME, LENA, until)
    await sessions.sign_out(database, ACME, LARS, "shown", until)
    shown = await sessions.take(database, given.refresh)
    assert shown is not None
    await sessions.end(database, shown)
    found = await sessions.standings(database, [(ACME, LENA), (ACME, LARS)])
    assert [one.tokens for one in found] == ([{given.access}, {"shown"}] if known else [frozenset()] * 2)


async def test_a_refresh_token_is_good_for_a_week(database: Database, clone: Clone) -> None:
    given = await begun(database, ACME, LENA)
    owner = await connect(clone.owner_url)
    await owner.execute("ALTER TABLE refresh_tokens NO FORCE ROW LEVEL SECURITY")
    left = await owner.fetchval("SELECT expires_at - now() FROM refresh_tokens")
    await owner.execute("UPDATE refresh_tokens SET expires_at = now()")
    await owner.execute("ALTER TABLE refresh_tokens FORCE ROW LEVEL SECURITY")
    await owner.close()
    assert timedelta(days=7) - timedelta(minutes=1) < left < timedelta(days=7)
    shown = await sessions.take(database, given.refresh)
    assert shown is not None
    assert shown.verdict is Verdict.OVER


async def test_revoking_a_person_ends_what_they_have_and_not_what_they_begin_later(database: Database) -> None:
    before = await begun(database, ACME, LENA)
    await sessions.revoke(database, LENA)
    shown = await sessions.take(database, before.refresh)
    assert shown is not None
    assert shown.verdict is Verdict.OVER
    later = Given("later", "later access", before.access_until)
    await sessions.start(database, ACME, LENA, None, later)
    taken = await sessions.take(database, later.refresh)
    assert taken is not None
    assert taken.verdict is Verdict.TAKEN


async def test_every_end_is_told_to_every_process(database: Database) -> None:
    heard: list[Any] = []
    async with database.listen(sessions.CHANNEL, heard.append):
        given = await begun(database, ACME, LENA)
        await sessions.sign_out(database, ACME, LENA, given.access, given.access_until)
        await sessions.revoke(database, LARS)
        await database.ping()
        while len({sessions.told(payload) for payload in heard}) < 2:
            await database.ping()
    assert {sessions.told(payload) for payload in heard} == {(ACME, LENA), ("*", LARS)}


async def test_what_is_past_its_time_is_let_go_of(database: Database) -> None:
    await roster.sync(database, acme())
    given = await begun(database, ACME, LENA)
    await sessions.sign_out(database, ACME, LENA, given.access, given.access_until)
    await sessions.revoke(database, LENA)
    assert await prune.expired(database, given.access_until - timedelta(seconds=1)) == Gone()
    forgiven = given.access_until + prune.FORGIVEN
    assert await prune.expired(database, forgiven - timedelta(seconds=1)) == Gone()
    assert await prune.expired(database, forgiven + timedelta(seconds=1)) == Gone(revocations=1)
    assert await prune.expired(database, given.access_until + timedelta(days=8)) == Gone(sessions=1)
    assert await prune.expired(database, given.access_until + timedelta(days=31)) == Gone(revocations=1)


async def test_whoever_is_forgotten_is_signed_out_everywhere_for_as_long_as_any_token_lasts(
    database: Database,
) -> None:
    await roster.sync(database, acme())
    given = await begun(database, ACME, LENA)
    await sessions.sign_out(database, ACME, LENA, given.access, given.access_until)
    before = await prune.present(database)
    await erasure.everywhere(database, LENA)
    for _ in range(2):
        gone, unheard_of, other = await sessions.standings(database, [(ACME, LENA), (OTHER, LENA), (ACME, LARS)])
        assert gone.tokens == frozenset()
        assert gone.revoked is not None
        assert before <= gone.revoked <= await prune.present(database)
        assert unheard_of.revoked == gone.revoked
        assert other.revoked is None
        # When the tombstone is over, whether it was taken away or its time has come.
        over = await prune.present(database) + prune.FORGOTTEN + HOUR
        assert (await prune.expired(database, over)).revocations == 0
    assert (await prune.expired(database, over + sessions.REMEMBERED)).revocations == 1


async def test_who_is_taken_back_has_to_sign_in_anew(database: Database) -> None:
    await roster.sync(database, acme())
    await begun(database, ACME, LENA)
    await erasure.everywhere(database, LENA)
    async with database.session(system(ACME)) as session:
        await (await session.connection()).execute(text("DELETE FROM forgotten"))
    (known,) = await sessions.standings(database, [(ACME, LENA)])
    assert known.revoked is not None
    again = await begun(database, ACME, LENA)
    taken = await sessions.take(database, again.refresh)
    assert taken is not None
    assert taken.verdict is Verdict.TAKEN


async def test_no_row_names_who_was_signed_out_because_they_are_forgotten(database: Database, clone: Clone) -> None:
    await sessions.revoke(database, LENA)
    await erasure.everywhere(database, LENA)
    application = await connect(clone.app_url)
    try:
        async with application.transaction():
            await application.execute("SELECT act_as('*', 'system', 'system')")
            assert await application.fetchval("SELECT count(*) FROM revocations") == 1
            assert not await application.fetchval(
                "SELECT count(*) FROM revocations r WHERE strpos(r::text, $1) > 0", LENA
            )
    finally:
        await application.close()
