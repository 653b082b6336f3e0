"""Everything that can be set: read once, refused with what would be right, and never shown where it is secret."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from datasources.catalog import SERVICES
from gateway.keys import development_secret
from gateway.serving import uvicorn_config
from gateway.sessions.sealing import new_key
from gateway.settings import SettingsError, read, table, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PRODUCTION = {
    "GATEWAY_ENVIRONMENT": "production",
    "GATEWAY_DATABASE_URL": "postgresql://gateway:hunter2@db/gateway",
    "GATEWAY_TOKEN_KEY": "k" * 32,
    "GATEWAY_ALLOWED_HOSTS": "gateway.example",
} | {service.variable: f"https://{service.name}.example" for service in SERVICES}


def problems(environ: Mapping[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read(environ)
    return caught.value.problems


def test_nothing_set_is_development() -> None:
    settings = read({})
    assert (settings.host, settings.port, str(settings.home)) == ("127.0.0.1", 8000, ".gateway")
    assert (settings.shows_page, settings.mocking, settings.introspectors) == (True, True, "everyone")
    assert settings.keys_url is None


def test_the_process_environment_is_not_looked_at() -> None:
    assert read({"PATH": "/bin"}) == read({})


def test_everything_that_is_set_is_read() -> None:
    environ = {
        "GATEWAY_PORT": "0",
        "GATEWAY_CLOCK": "2014-02-10T00:00:00Z",
        "GATEWAY_GRAPHIQL": "off",
        "GATEWAY_HOME": "",
        "COURSE_SERVICE_URL": "http://127.0.0.1:9/",
    }
    settings = read(environ)
    assert settings.port == 0
    assert settings.clock == datetime(2014, 2, 10, tzinfo=UTC)
    assert not settings.shows_page
    assert str(settings.home) == ".gateway"
    assert settings.services == {"course": "http://127.0.0.1:9"}


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError):
        read({}).port = 1  # type: ignore[misc]  # that it is refused is the point


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_PORT", "eighty"),
        ("GATEWAY_PORT", "70000"),
        ("GATEWAY_ENVIRONMENT", "staging"),
        ("GATEWAY_CLOCK", "2014-02-10T00:00:00"),
        ("GATEWAY_CLOCK", "yesterday"),
        ("GATEWAY_MOCKS", "maybe"),
        ("GATEWAY_WORKERS", "0"),
        ("GATEWAY_DATABASE_URL", "mysql://x"),
        ("GATEWAY_JWKS_URL", "auth/keys"),
        ("COURSE_SERVICE_URL", "course:80"),
        ("COURSE_SERVICE_URL", "http://user:hunter2@course"),
        ("GATEWAY_TOKEN_KEY", "short"),
        ("GATEWAY_TOKEN_KEY_FILE", "/nowhere/at/all"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    (problem,) = problems({name: value})
    assert problem.startswith(name)
    assert "hunter2" not in problem


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = problems({"GATEWAY_PORT": "x", "GATEWAY_WORKERS": "y", "COURSE_SERVICE_URL": "z"})
    assert [problem.split("=")[0].split(":")[0] for problem in found] == [
        "COURSE_SERVICE_URL",
        "GATEWAY_PORT",
        "GATEWAY_WORKERS",
    ]


def test_production_starts_when_everything_is_there() -> None:
    settings = read(PRODUCTION)
    assert (settings.shows_page, settings.mocking, settings.introspectors) == (False, False, "viewers")


@pytest.mark.parametrize("missing", sorted(set(PRODUCTION) - {"GATEWAY_ENVIRONMENT", "GATEWAY_TOKEN_KEY"}))
def test_production_refuses_to_start_without(missing: str) -> None:
    (problem,) = problems({name: value for name, value in PRODUCTION.items() if name != missing})
    assert problem.startswith(missing)


def test_production_says_everything_it_lacks_at_once() -> None:
    found = problems({"GATEWAY_ENVIRONMENT": "production", "GATEWAY_TOKEN_KEY": "short"})
    assert len(found) == 3 + len(SERVICES)


@pytest.mark.parametrize(
    "name",
    [
        ("GATEWAY_MOCKS", "on"),
        ("GATEWAY_INTROSPECTION", "everyone"),
        ("GATEWAY_DEMO_DATA", "data"),
        ("GATEWAY_SUGGESTIONS", "true"),
        ("GATEWAY_TRUSTED_PROXIES", "*"),
        ("GATEWAY_TRUSTED_PROXIES", "10.0.0.1, 0.0.0.0/0"),
    ],
)
def test_production_refuses_what_belongs_to_development(name: tuple[str, str]) -> None:
    (problem,) = problems(PRODUCTION | dict([name]))
    assert problem.startswith(name[0])


def test_production_refuses_a_development_key(tmp_path: Path) -> None:
    (problem,) = problems(PRODUCTION | {"GATEWAY_TOKEN_KEY": development_secret(tmp_path)})
    assert "development key" in problem


def test_production_without_a_key_of_its_own_takes_the_auth_services() -> None:
    environ = {name: value for name, value in PRODUCTION.items() if name != "GATEWAY_TOKEN_KEY"}
    assert read(environ).keys_url == "https://auth.example/.well-known/jwks.json"
    assert read(environ | {"GATEWAY_JWKS_URL": "https://keys.example/jwks"}).keys_url == "https://keys.example/jwks"
    assert read(PRODUCTION).keys_url is None


def test_two_kinds_of_keys_are_one_too_many_in_production() -> None:
    (problem,) = problems(PRODUCTION | {"GATEWAY_JWKS_URL": "https://keys.example"})
    assert "Unset one" in problem
    both = read({"GATEWAY_TOKEN_KEY": "k" * 32, "GATEWAY_JWKS_URL": "https://keys.example"})
    assert both.keys_url == "https://keys.example"


def test_people_sign_in_with_us_in_development_only_unless_it_is_asked_for() -> None:
    assert read({}).signs_in_locally
    assert not read({"AUTH_SERVICE_URL": "http://auth.example"}).signs_in_locally
    assert not read(PRODUCTION).signs_in_locally
    assert read(PRODUCTION | {"GATEWAY_LOCAL_ACCOUNTS": "true"}).signs_in_locally
    keyless = {name: value for name, value in PRODUCTION.items() if name != "GATEWAY_TOKEN_KEY"}
    (problem,) = problems(keyless | {"GATEWAY_LOCAL_ACCOUNTS": "true"})
    assert "GATEWAY_TOKEN_KEY" in problem
    (problem,) = problems({"GATEWAY_LOCAL_ACCOUNTS": "false"})
    assert "AUTH_SERVICE_URL" in problem


def test_a_key_that_seals_nothing_is_refused_without_being_shown() -> None:
    for keys in ("short", f"{new_key()},short"):
        (problem,) = problems({"GATEWAY_ENCRYPTION_KEYS": keys})
        assert "32 bytes" in problem
        assert keys not in problem
    assert read({"GATEWAY_ENCRYPTION_KEYS": f"{new_key()}, {new_key()}"}).encryption_keys is not None


def test_a_secret_can_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("s" * 40 + "\n")
    settings = read({"GATEWAY_TOKEN_KEY_FILE": str(file)})
    assert settings.token_key is not None
    assert settings.token_key.get_secret_value() == "s" * 40
    (problem,) = problems({"GATEWAY_TOKEN_KEY_FILE": str(file), "GATEWAY_TOKEN_KEY": "s" * 40})
    assert "not both" in problem


def test_a_secret_is_never_shown() -> None:
    settings = read(
        PRODUCTION | {"GATEWAY_SERVICE_TOKEN": "hunter2", "GATEWAY_OWNER_DATABASE_URL": "postgres://hunter2"}
    )
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "k" * 32 not in repr(settings)


def test_the_table_has_every_variable_with_a_sentence() -> None:
    rows = table()
    assert len({row.variable for row in rows}) == len(rows)
    assert all(row.description.endswith(".") for row in rows)
    assert {service.variable for service in SERVICES} <= {row.variable for row in rows}
    assert {row.variable for row in rows if row.secret} == {
        "GATEWAY_DATABASE_URL",
        "GATEWAY_ENCRYPTION_KEYS",
        "GATEWAY_METRICS_TOKEN",
        "GATEWAY_OWNER_DATABASE_URL",
        "GATEWAY_REDIS_URL",
        "GATEWAY_REPLICA_URL",
        "GATEWAY_SERVICE_TOKEN",
        "GATEWAY_TOKEN_KEY",
    }


def test_a_misspelt_variable_is_noticed() -> None:
    assert unknown({"GATEWAY_PROT": "1", "GATEWAY_TOKEN_KEY_FILE": "x", "GATEWAY_PORT": "1", "OTHER": "2"}) == [
        "GATEWAY_PROT is not a setting. Was GATEWAY_PORT meant?"
    ]


def test_uvicorn_is_told_what_was_set() -> None:
    config = uvicorn_config(read({"GATEWAY_PORT": "8123", "GATEWAY_WORKERS": "2"}), "gateway.app:app", factory=True)
    assert (config.port, config.workers, config.loop, config.http) == (8123, 2, "uvloop", "gateway.fast.counter:Counter")
    assert not config.access_log
    assert config.timeout_graceful_shutdown == 25
