"""Tokens that nobody should have: forged, altered, outlived, made for others, or asking for more than they hold."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from datasources.simulator.accounts import key_set
from tests.attacks.production import KEY, KID, Published, bearer, claims, in_production, signed
from tests.cast import ACME, OLGA, OTHER
from tests.gateway.served import PATIENCE, served, talking
from tests.river.banks import HOURS, ISSUER, Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone
    from tests.river.banks import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = Clock().moment
SECOND = NOW.timestamp()
GOOD = claims("lena", NOW)
TOKEN = signed(GOOD)
STRANGE = Ed25519PrivateKey.generate()
WHO = "{ viewer { activeRole organization { name } } }"


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def made(header: dict[str, Any], said: dict[str, Any] = GOOD, secret: bytes | Ed25519PrivateKey = b"") -> str:
    """A token written by hand: signed by a key, by HMAC under a secret, or by nobody."""
    body = f"{b64(orjson.dumps({'typ': 'JWT', **header}))}.{b64(orjson.dumps(said))}"
    if isinstance(secret, Ed25519PrivateKey):
        return f"{body}.{b64(secret.sign(body.encode()))}"
    return f"{body}.{b64(hmac.digest(secret, body.encode(), 'sha256') if secret else b'')}"


def altered(**changes: Any) -> str:
    """A good token with other claims under the signature it had."""
    header, body, signature = TOKEN.split(".")
    said = orjson.loads(urlsafe_b64decode(body + "==")) | changes
    return f"{header}.{b64(orjson.dumps(said))}.{signature}"


PUBLIC = KEY.public_key()
PUBLISHED = {
    "as bytes": PUBLIC.public_bytes_raw(),
    "as PEM": PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "as OpenSSH": PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
    "as base64": b64(PUBLIC.public_bytes_raw()).encode(),
    "as JWK": orjson.dumps(key_set(KEY)["keys"][0]),
}
CONFUSED = {f"the published key for a secret, {how}": made({"alg": "HS256", "kid": KID}, secret=secret)
            for how, secret in PUBLISHED.items()}  # fmt: skip
NAMELESS = {f"the same without a name, {how}": made({"alg": "HS256"}, secret=secret)
            for how, secret in PUBLISHED.items()}  # fmt: skip
FORGED = CONFUSED | NAMELESS | {
    "no algorithm": made({"alg": "none", "kid": KID}),
    "no algorithm, in other letters": made({"alg": "nOnE", "kid": KID}),
    "no algorithm, and a signature": made({"alg": "none", "kid": KID}, secret=KEY),
    "no signature": TOKEN.rpartition(".")[0] + ".",
    "half a signature": TOKEN[:-40],
    "no alg at all": made({"kid": KID}, secret=KEY),
    "an algorithm that is another's": made({"alg": "RS256", "kid": KID}, secret=KEY),
    "an algorithm that is a list": made({"alg": ["EdDSA"], "kid": KID}, secret=KEY),
    "another key under the published name": signed(GOOD, STRANGE),
    "another key under another name": signed(GOOD, STRANGE, kid="mine"),
    "a key that it brings along": signed(GOOD, STRANGE, jwk=key_set(STRANGE)["keys"][0]),
    "a key that lies elsewhere": signed(GOOD, STRANGE, kid="mine", jku="https://strange.example/jwks.json"),
    "a certificate that lies elsewhere": signed(GOOD, STRANGE, kid="mine", x5u="https://strange.example/x"),
    "an empty secret under a path": made({"alg": "HS256", "kid": "../../../../dev/null"}, secret=b"\0"),
    "a name that is a statement": made({"alg": "EdDSA", "kid": "x' OR '1'='1"}, secret=STRANGE),
    "a name that is a list": made({"alg": "EdDSA", "kid": [KID]}, secret=KEY),
    "something critical that nobody knows": made({"alg": "EdDSA", "kid": KID, "crit": ["x"], "x": 1}, secret=KEY),
    "a body that is not encoded": made({"alg": "EdDSA", "kid": KID, "b64": False, "crit": ["b64"]}, secret=KEY),
    "another role": altered(roles=["org-admin"]),
    "a role more": altered(roles=["learner", "trainer", "org-admin"]),
    "another person": altered(sub=OLGA),
    "another organization": altered(organizationId=OTHER),
    "a longer life": altered(exp=SECOND + 10**9),
    "five parts": TOKEN + "." + TOKEN,
    "no parts": "x",
    "too long": TOKEN + "A" * 9_000,
}  # fmt: skip
SPOILT = {
    "expired": signed(claims("lena", NOW - 2 * HOURS)),
    "not valid yet": signed(GOOD | {"nbf": SECOND + 600}),
    "given out later": signed(GOOD | {"iat": SECOND + 600}),
    "without an end": signed(claims("lena", NOW, exp=...)),
    "without a beginning": signed(claims("lena", NOW, iat=...)),
    "an end that is text": signed(GOOD | {"exp": "never"}),
    "an end beyond all numbers": signed(GOOD | {"exp": 1e400}),
    "for another audience": signed(GOOD | {"aud": "somebody-else"}),
    "for nobody": signed(claims("lena", NOW, aud=...)),
    "the auth service's own refresh token": signed(GOOD | {"aud": ISSUER.issuer}),
    "of another issuer": signed(GOOD | {"iss": "https://strange.example"}),
    "without an issuer": signed(claims("lena", NOW, iss=...)),
    "of nobody": signed(claims("lena", NOW, sub=...)),
    "of no person": signed(GOOD | {"sub": "system"}),
    "of everybody": signed(GOOD | {"sub": "%"}),
    "of a person who is not there": signed(GOOD | {"sub": "99999999-9999-4999-8999-999999999999"}),
    "of a member of another organization": signed(GOOD | {"organizationId": OTHER}),
    "of no organization": signed(claims("lena", NOW, organizationId=...)),
    "of every organization": signed(GOOD | {"organizationId": "*"}),
    "without a role": signed(claims("lena", NOW, roles=...)),
    "with a role we do not know": signed(GOOD | {"roles": ["system", "janitor", "ORG-ADMIN"]}),
    "with roles in one word": signed(GOOD | {"roles": "org-admin"}),
}  # fmt: skip
ROLES = {
    "an admin": {"x_active_role": "org-admin"},
    "a trainer, in capitals": {"x_active_role": "TRAINER"},
    "one of ours": {"x_active_role": "system"},
    "two in one": {"x_active_role": "learner, org-admin"},
    "one with an end of line": {"x_active_role": "org-admin\t"},
    "nothing": {"x_active_role": ""},
}


@dataclass(frozen=True, slots=True)
class Open:
    """A gateway in production, and where it is served."""

    gateway: Gateway
    where: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(module_clone: Clone) -> AsyncIterator[Open]:
    clock = Clock()
    async with (
        in_production(module_clone.app_url, Published(clock), clock) as gateway,
        served(gateway.app) as where,
    ):
        yield Open(gateway, where)


async def test_a_good_token_lets_in_by_either_door(door: Open) -> None:
    said = (await door.gateway.send(WHO, {}, bearer(TOKEN))).data["viewer"]
    assert said == {"activeRole": "LEARNER", "organization": {"name": "Acme"}}
    async with talking(door.where) as talk:
        await talk.greet(TOKEN)


@pytest.mark.parametrize("how", FORGED | SPOILT)
async def test_a_token_that_is_no_good_lets_in_by_neither_door_and_does_not_say_why(door: Open, how: str) -> None:
    shown = (FORGED | SPOILT)[how]
    reply = await door.gateway.send(WHO, {}, bearer(shown))
    assert (reply.status, reply.codes) == (401, {"UNAUTHENTICATED"}), reply.text
    assert "data" not in reply.body
    reasons = {
        "expired": "The token has expired.",
        "of a person who is not there": "The token no longer holds: sign in again.",
        "of a member of another organization": "The token no longer holds: sign in again.",
        **dict.fromkeys(
            ("without a role", "with a role we do not know", "with roles in one word"),
            "The token has none of the roles learner, trainer, org-admin.",
        ),
    }
    assert reply.body["errors"][0]["message"] == reasons.get(how, "The token is not valid.")
    async with talking(door.where) as talk:
        await talk.say(type="connection_init", payload={"authorization": f"Bearer {shown}"})
        code, reason = await talk.closed()
    assert code == 4403
    assert ACME not in reason


@pytest.mark.parametrize("how", ROLES)
async def test_a_header_gives_no_role_that_the_token_does_not_have(door: Open, how: str) -> None:
    reply = await door.gateway.send(WHO, {}, bearer(TOKEN, **ROLES[how]))
    assert (reply.status, reply.codes) == (403, {"FORBIDDEN"}), reply.text
    async with talking(door.where) as talk:
        await talk.say(type="connection_init", payload=bearer(TOKEN, **ROLES[how]))
        assert (await talk.closed())[0] == 4403


async def test_of_two_roles_that_are_asked_for_none_is_more_than_the_token_has(door: Open) -> None:
    for names in (("learner", "org-admin"), ("org-admin", "learner")):
        headers = [("authorization", f"Bearer {TOKEN}"), *(("x-active-role", name) for name in names)]
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            reply = await client.post(f"http://{door.where}/graphql", json={"query": WHO}, headers=headers)
        assert reply.status_code == 403 or reply.json()["data"]["viewer"]["activeRole"] == "LEARNER"


async def test_a_user_who_was_deleted_is_out_with_a_good_token_within_a_minute(module_clone: Clone) -> None:
    clock = Clock()
    services = Published(clock)
    async with in_production(module_clone.app_url, services, clock) as gateway:
        assert (await gateway.send(WHO, {}, bearer(TOKEN))).status == 200
        services.spoil = _without_lena
        clock.pass_by(HOURS / 60)
        assert (await gateway.send(WHO, {}, bearer(TOKEN))).codes == {"UNAUTHENTICATED"}


def _without_lena(call: Any, body: Any) -> Any:
    if call.path != "/api/v1/users/batch":
        return body
    items = {key: item for key, item in body["items"].items() if key != GOOD["sub"]}
    return {"items": items, "missing": [*body["missing"], *(body["items"].keys() - items.keys())]}
