"""Who is asking: what a good token says, and that a bad one is refused without a word about why."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.datastructures import Headers

from analytics.declare import Role
from analytics.policy import Viewer
from gateway.auth import Authenticator, digest_of, losing_of
from gateway.keys import (
    EitherKeys,
    Key,
    Keys,
    NoKeysError,
    OneKey,
    PublishedKeys,
    development_secret,
    published_keys,
    secret_key,
)
from gateway.refusal import Refused
from gateway.tokens import Account, issue
from tests.cast import ACME, LENA
from tests.gateway.edge import AUDIENCE, ISSUER, NOW, SECRET, token

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.standing import Claim


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Counting:
    """Keys that count how often they are asked for."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self.asked = keys, 0

    async def find(self, kid: str | None) -> Key | None:
        self.asked += 1
        return await self.keys.find(kid)


OURS = OneKey(secret_key(SECRET))


def authenticator(keys: Keys = OURS, clock: Clock | None = None) -> Authenticator:
    return Authenticator(keys, issuer=ISSUER, audience=AUDIENCE, now=clock or Clock())


async def ask(bearer: str, who: Authenticator | None = None, **headers: str) -> Viewer | None:
    return await (who or authenticator())(Headers({"authorization": f"Bearer {bearer}"} | headers))


async def refusal(bearer: str, who: Authenticator | None = None, **headers: str) -> Refused:
    with pytest.raises(Refused) as caught:
        await ask(bearer, who, **headers)
    return caught.value


async def test_a_good_token_is_a_viewer() -> None:
    assert await ask(token()) == Viewer(LENA, ACME, frozenset({Role.LEARNER}), Role.LEARNER, "Lena")


async def test_no_token_is_nobody() -> None:
    assert await authenticator()(Headers({})) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": ...}, {"iat": ...}, {"sub": ...}, {"iss": ...}, {"aud": ...}, {"organizationId": ...},
        {"iss": "another"}, {"aud": "another"}, {"aud": []}, {"sub": ""}, {"sub": "a b"}, {"sub": "a\x00b"},
        {"sub": "x" * 101}, {"sub": "'; drop table"}, {"organizationId": 7}, {"organizationId": ""},
        {"iat": NOW + 60}, {"nbf": NOW + 60}, {"exp": "soon"}, {"exp": True}, {"exp": float("inf")}, {"exp": None},
        {"iat": "2026"}, {"sub": None},
    ],
)  # fmt: skip
async def test_a_token_with_a_bad_claim_is_refused_without_a_reason(changes: dict[str, Any]) -> None:
    no = await refusal(token(**changes))
    assert (no.status, no.code, str(no)) == (401, "UNAUTHENTICATED", "The token is not valid.")
    assert 'error="invalid_token"' in no.headers["WWW-Authenticate"]


@pytest.mark.parametrize("roles", [..., [], ["emperor"], "learner", {"learner": 1}, None, [["learner"]]])
async def test_a_token_without_a_role_we_know_is_refused(roles: Any) -> None:
    assert (await refusal(token(roles=roles))).status == 401


async def test_roles_we_do_not_know_are_passed_over() -> None:
    viewer = await ask(token(roles=["emperor", "trainer", 7]))
    assert viewer is not None
    assert viewer.roles == {Role.TRAINER}


@pytest.mark.parametrize(
    ("roles", "active"),
    [
        ((Role.ORG_ADMIN, Role.TRAINER, Role.LEARNER), Role.LEARNER),
        ((Role.ORG_ADMIN, Role.TRAINER), Role.TRAINER),
        ((Role.ORG_ADMIN,), Role.ORG_ADMIN),
    ],
)
async def test_who_names_no_role_gets_the_least_of_theirs(roles: tuple[Role, ...], active: Role) -> None:
    viewer = await ask(token(*roles))
    assert viewer is not None
    assert viewer.role is active


async def test_a_role_that_is_not_the_tokens_is_forbidden() -> None:
    for role in ("org-admin", "", "learner,org-admin"):
        assert (await refusal(token(), **{"x-active-role": role})).status == 403


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    return ".".join(parts) + "."


async def test_tokens_of_other_keys_and_algorithms_are_refused() -> None:
    claims = jwt.decode(token(), options={"verify_signature": False})
    forged = [
        unsigned({"alg": "none"}, claims),
        unsigned({"alg": "HS256"}, claims),
        jwt.encode(claims, "another-secret-that-is-just-as-long!", algorithm="HS256"),
        jwt.encode(claims, SECRET, algorithm="HS512"),
        jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA"),
        token()[:-2],
        token() + "x",
        "x" * 10_000,
        "",
        "....",
        "é",
    ]
    for one in forged:
        assert (await refusal(one)).status == 401


async def test_other_schemes_and_two_headers_are_refused() -> None:
    for raw in ([b"Basic abc"], [b"Bearer"], [b"Bearer a", b"Bearer b"]):
        with pytest.raises(Refused) as caught:
            await authenticator()(Headers(raw=[(b"authorization", one) for one in raw]))
        assert caught.value.status == 401


async def test_an_expired_token_is_refused_also_when_it_is_remembered() -> None:
    clock = Clock()
    who = authenticator(clock=clock)
    bearer = token()
    await ask(bearer, who)
    clock.now = NOW + 3_609
    await ask(bearer, who)
    clock.now = NOW + 3_610
    assert str(await refusal(bearer, who)) == "The token has expired."
    assert str(await refusal(bearer, authenticator(clock=clock))) == "The token has expired."


async def test_a_verified_token_is_believed_for_a_while_and_then_checked_again() -> None:
    clock, keys = Clock(), Counting(OURS)
    who = authenticator(keys, clock)
    bearer = token()
    for _ in range(3):
        await ask(bearer, who)
    assert keys.asked == 1
    clock.now += 301
    await ask(bearer, who)
    assert keys.asked == 2


async def test_the_remembered_token_still_answers_for_each_role_asked() -> None:
    who = authenticator()
    bearer = token(Role.LEARNER, Role.TRAINER)
    for role in (Role.LEARNER, Role.TRAINER):
        viewer = await ask(bearer, who, **{"x-active-role": role.value})
        assert viewer is not None
        assert viewer.role is role


def test_a_short_secret_is_no_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        secret_key("x" * 31)


def test_the_development_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    secret = development_secret(tmp_path)
    assert development_secret(tmp_path) == secret
    assert len(secret) > 60
    (file,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret_key(secret).algorithm == "HS256"


class Published:
    """An auth service with one Ed25519 key, which can be changed or switched off."""

    def __init__(self, kid: str = "one") -> None:
        self.private = Ed25519PrivateKey.generate()
        self.kid, self.calls, self.down = kid, 0, False
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def document(self) -> dict[str, Any]:
        raw = self.private.public_key().public_bytes_raw()
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "alg": "EdDSA", "use": "sig", "x": x}]}

    def token(self, kid: str | None = None) -> str:
        claims = jwt.decode(token(), options={"verify_signature": False})
        return jwt.encode(claims, self.private, algorithm="EdDSA", headers={"kid": kid or self.kid})

    async def answer(self, _: httpx.Request) -> httpx.Response:
        self.calls += 1
        await self.gate.wait()
        return httpx.Response(503) if self.down else httpx.Response(200, json=self.document)

    def keys(self, clock: Clock) -> PublishedKeys:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return PublishedKeys(client, "http://auth/.well-known/jwks.json", clock)


async def test_tokens_of_the_auth_service_are_checked_with_its_published_key() -> None:
    service = Published()
    who = authenticator(service.keys(Clock()))
    assert (await ask(service.token(), who)) is not None
    assert (await refusal(service.token("unknown"), who)).status == 401
    assert (await refusal(token(), who)).status == 401
    assert service.calls == 1


async def test_many_who_come_at_once_wait_for_one_fetch() -> None:
    service = Published()
    service.gate.clear()
    who = authenticator(service.keys(Clock()))
    waiting = [asyncio.create_task(ask(service.token(), who)) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    service.gate.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(one, Viewer) for one in found[1:])
    assert service.calls == 1


async def test_a_new_key_is_found_once_the_rest_is_over() -> None:
    service, clock = Published(), Clock()
    who = authenticator(service.keys(clock))
    await ask(service.token(), who)
    service.kid = "two"
    assert (await refusal(service.token(), who)).status == 401
    clock.now += 30
    assert (await ask(service.token(), who)) is not None
    assert service.calls == 2


async def test_the_last_good_keys_stay_while_the_service_is_down() -> None:
    service, clock = Published(), Clock()
    keys = service.keys(clock)
    assert await keys.find("one") is not None
    service.down = True
    clock.now += 10_000
    assert await keys.find("one") is not None
    await keys.find("unknown")
    assert service.calls == 2
    assert await keys.find("one") is not None


async def test_without_any_keys_nobody_is_judged() -> None:
    service, clock = Published(), Clock()
    service.down = True
    keys = service.keys(clock)
    with pytest.raises(NoKeysError):
        await keys.find("one")
    assert (await refusal(service.token(), authenticator(keys, clock))).status == 503
    service.down = False
    clock.now += 1
    assert await keys.find("one") is not None


@pytest.mark.parametrize(
    "document",
    [
        None, [], {}, {"keys": 1}, {"keys": [1, {}, {"kid": "a"}]},
        {"keys": [{"kid": "a", "kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}]},
        {"keys": [{"kid": "a", "kty": "OKP", "crv": "Ed25519", "x": "short"}]},
        {"keys": [{"kid": "a", "kty": "OKP", "crv": "Ed25519", "alg": "HS256", "x": "A" * 43}]},
        {"keys": [{"kid": "a", "kty": "OKP", "crv": "Ed25519", "use": "enc", "x": "A" * 43}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}]},
    ],
)  # fmt: skip
def test_keys_that_we_cannot_trust_are_passed_over(document: Any) -> None:
    assert published_keys(document) == {}


def test_a_private_key_that_was_published_is_no_longer_one() -> None:
    service = Published()
    (key,) = service.document["keys"]
    assert set(published_keys({"keys": [key]})) == {"one"}
    private = base64.urlsafe_b64encode(service.private.private_bytes_raw()).rstrip(b"=").decode()
    assert published_keys({"keys": [key | {"d": private}]}) == {}


async def test_an_account_gets_a_token_that_is_good_for_its_lifetime() -> None:
    account = Account(LENA, ACME, (Role.ORG_ADMIN,), "Lena", "lena@example.org")
    made = datetime.fromtimestamp(NOW, UTC)
    bearer = issue(account, key=OURS.key, issuer=ISSUER, audience=AUDIENCE, now=made, lifetime=timedelta(seconds=60))
    viewer = await ask(bearer)
    assert viewer is not None
    assert viewer.role is Role.ORG_ADMIN
    assert (await refusal(bearer, authenticator(clock=Clock(NOW + 70)))).status == 401


async def test_in_development_a_token_without_a_keys_name_is_ours_and_one_with_a_name_never_is() -> None:
    service = Published()
    who = authenticator(EitherKeys(service.keys(Clock()), OURS.key))
    assert (await ask(service.token(), who)) is not None
    assert (await ask(token(), who)) is not None
    claims = jwt.decode(token(), options={"verify_signature": False})
    for forged in (
        jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": service.kid}),
        jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": "another"}),
        jwt.encode(claims, service.private, algorithm="EdDSA"),
        jwt.encode(claims, service.private.public_key().public_bytes_raw().hex(), algorithm="HS256"),
    ):
        assert (await refusal(forged, who)).status == 401


class Ended:
    """A standing in which the tokens that are named here let nobody in."""

    def __init__(self, *tokens: str) -> None:
        self.ended = {digest_of(one) for one in tokens}

    async def holds(self, claim: Claim) -> bool:
        return claim.token not in self.ended

    async def lost(self, claim: Claim) -> None:
        assert claim.token in self.ended


async def test_a_good_token_that_was_taken_back_is_refused_and_the_next_one_is_not() -> None:
    bearer = token()
    who = Authenticator(OURS, issuer=ISSUER, audience=AUDIENCE, now=Clock(), standing=Ended(bearer))
    no = await refusal(bearer, who)
    assert (no.status, str(no)) == (401, "The token no longer holds: sign in again.")
    assert await ask(token(name="another"), who) is not None


async def test_a_session_knows_when_its_token_is_taken_back() -> None:
    bearer = token()
    who = Authenticator(OURS, issuer=ISSUER, audience=AUDIENCE, now=Clock(), standing=Ended())
    session = await who.session(Headers({"authorization": f"Bearer {bearer}"}))
    assert session is not None
    assert session.claim.token == digest_of(bearer)
    assert not losing_of(None).done()
    with pytest.raises(AssertionError):
        await losing_of(session)


def test_a_key_never_shows_itself() -> None:
    assert SECRET not in repr(OURS)
