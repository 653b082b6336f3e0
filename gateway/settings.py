"""Everything that can be set, read once from an environment that is an argument."""

from __future__ import annotations

import difflib
from collections.abc import Mapping  # noqa: TC003  (pydantic reads the annotations)
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from datasources.catalog import SERVICES
from gateway.production import unsafe

PREFIX = "GATEWAY_"
FILE = "_FILE"


class SettingsError(Exception):
    """Settings that we refuse to start with. `problems` says all of them, each with what would be right."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The settings do not hold:\n" + "\n".join(f"  - {problem}" for problem in problems))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of settings."""

    variable: str
    default: str
    description: str
    secret: bool


class Settings(BaseSettings):
    """What the process runs with. Secrets never show in its representation."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)

    environment: Literal["development", "production"] = Field(
        "development", description="`production` refuses development keys, missing URLs and open introspection."
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 takes any free one.")
    workers: int = Field(1, ge=1, le=64, description="Processes that serve.")
    home: Path = Field(Path(".gateway"), description="The directory for everything that is written.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses, by commas, whose X-Forwarded-* headers are believed; `*` for all."
    )

    database_url: SecretStr | None = Field(
        None, description="postgresql:// URL of the role that serves and owns nothing; unset: embedded Postgres."
    )
    replica_url: SecretStr | None = Field(
        None, description="postgresql:// URL of a replica, as the role that serves: kept answers are read there."
    )
    owner_database_url: SecretStr | None = Field(
        None, description="postgresql:// URL of the role that migrates; needed only to migrate."
    )

    service_token: SecretStr | None = Field(None, description="The bearer token we show to the nine services.")
    services: Mapping[str, str] = Field(default_factory=dict, description="The URL of each service that has one.")
    mocks: bool | None = Field(
        None, description="Answer with marked mocks where a service never did; unset: only in development."
    )

    token_issuer: str = Field("learning-platform", min_length=1, description="The `iss` a token must have.")
    token_audience: str = Field("learning-analytics", min_length=1, description="The `aud` a token must have.")
    token_leeway: float = Field(10, ge=0, le=300, description="Seconds of clock difference that are forgiven.")
    token_key: SecretStr | None = Field(
        None, description="The HS256 secret of tokens, 32 bytes or more; unset: a development key, or the JWKS."
    )
    jwks_url: str | None = Field(
        None, description="Where the public keys of tokens are; unset in production: the auth service's."
    )

    clock: AwareDatetime | None = Field(
        None, description="The platform's clock, standing still, like 2014-02-10T00:00:00Z; unset: the real time."
    )
    demo_data: Path | None = Field(None, description="Directory of OULAD data for the demo; unset: generated learners.")

    graphiql: bool | None = Field(None, description="Serve GraphiQL at /graphql; unset: only in development.")
    introspection: Literal["everyone", "viewers", "nobody"] | None = Field(
        None, description="Who may introspect; unset: `everyone` in development, `viewers` in production."
    )
    suggestions: bool | None = Field(
        None, description="Errors may suggest names of the schema; unset: only in development."
    )

    jobs_at_once: int = Field(4, ge=2, le=64, description="Jobs that one worker does at once.")

    memory_answers: int = Field(20_000, ge=0, description="Answers kept in memory by each process.")
    memory_mib: int = Field(64, ge=0, description="MiB of answers kept in memory by each process.")
    responses_mib: int = Field(32, ge=0, description="MiB of whole responses kept in memory by each process.")
    documents: int = Field(1_000, ge=1, description="Parsed documents kept by each process.")
    documents_mib: int = Field(32, ge=1, description="MiB of parsed documents kept by each process.")
    body_kib: int = Field(64, ge=1, le=10_240, description="KiB a request body may have.")
    body_seconds: float = Field(10, gt=0, description="Seconds a request body may take to arrive.")
    request_seconds: float = Field(15, gt=0, description="Seconds one request may take.")
    batch_size: int = Field(10, ge=1, le=100, description="Operations in one batch.")
    max_tokens: int = Field(5_000, ge=100, description="Tokens of a document.")
    max_depth: int = Field(20, ge=1, le=100, description="Levels of fields, fragments expanded.")
    max_fields: int = Field(2_000, ge=1, description="Fields, fragments expanded.")
    max_aliases: int = Field(100, ge=0, description="Aliased fields, fragments expanded.")
    max_cost: int = Field(20_000, ge=1, description="Objects a document may ask for at most.")
    requests_per_second: float | None = Field(
        None, gt=0, description="Requests of one viewer to one process, on average; unset: 20 in production, else any."
    )
    requests_burst: int = Field(200, ge=1, description="Requests of one viewer to one process at once.")

    streams: int = Field(500, ge=1, le=900, description="Streams one process holds open; it has 1,000 connections.")
    streams_each: int = Field(20, ge=1, description="Streams one viewer holds open in one process.")
    stream_operations: int = Field(50, ge=1, le=1_000, description="Operations open at once on one websocket.")
    stream_messages: int = Field(200, ge=1, description="Messages a websocket may send in ten seconds.")
    stream_idle_seconds: float = Field(300, gt=0, description="Seconds a websocket may stay that asks for nothing.")
    stream_slow_seconds: float = Field(15, gt=0, description="Seconds to take what is sent; then a stream is dropped.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (the signature is pydantic-settings')
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (likewise)
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (likewise)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (likewise)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what `read` was given: the process environment is not looked at behind its back."""
        return (init_settings,)

    @field_validator("database_url", "owner_database_url", "replica_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            message = "it must start with postgresql://"
            raise ValueError(message)
        return value

    @field_validator("jwks_url")
    @classmethod
    def _web(cls, value: str | None) -> str | None:
        return None if value is None else web_address(value)

    @property
    def production(self) -> bool:
        """Whether this is production."""
        return self.environment == "production"

    @property
    def mocking(self) -> bool:
        """Whether a service that never answered is replaced by a mock."""
        return not self.production if self.mocks is None else self.mocks

    @property
    def says_requests(self) -> bool:
        """Whether there is a line in the log for each request."""
        return self.log_level in {"debug", "info"}

    @property
    def shows_page(self) -> bool:
        """Whether GraphiQL is served."""
        return not self.production if self.graphiql is None else self.graphiql

    @property
    def budgeted_per_second(self) -> float | None:
        """Requests one viewer may send to one process, in the long run; None is any number."""
        return 20.0 if self.requests_per_second is None and self.production else self.requests_per_second

    @property
    def suggests(self) -> bool:
        """Whether errors may suggest names of the schema."""
        return not self.production if self.suggestions is None else self.suggestions

    @property
    def introspectors(self) -> Literal["everyone", "viewers", "nobody"]:
        """Who may introspect."""
        return self.introspection or ("viewers" if self.production else "everyone")

    @property
    def keys_url(self) -> str | None:
        """Where the public keys of tokens are; None where a key of our own is used."""
        if self.token_key is not None or (self.jwks_url is None and not self.production):
            return None
        return self.jwks_url or self.services["auth"].rstrip("/") + "/.well-known/jwks.json"


def web_address(url: str) -> str:
    """A URL we can call, without a slash at its end.

    Raises:
        ValueError: it is none, or it holds a password, which would end up in logs.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "it must be a URL like https://host:port"
        raise ValueError(message)
    if parts.username or parts.password:
        message = "it must not hold a user or password"
        raise ValueError(message)
    return url.rstrip("/")


def read(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment. An empty variable counts as unset.

    Raises:
        SettingsError: with everything that is wrong, and what would be right.
    """
    problems: list[str] = []
    given: dict[str, Any] = {**_own(environ, problems), "services": _services(environ, problems)}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as wrong:
        for one in wrong.errors(include_input=False, include_url=False):
            name = str(one["loc"][0])
            said = one["msg"].removeprefix("Value error, ")
            shown = "" if _secret(name) or name not in given else f"={given[name][:60]!r}"
            problems.append(f"{variable(name)}{shown}: {said}. {Settings.model_fields[name].description}")
        raise SettingsError(problems) from None
    problems += unsafe(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def variable(name: str) -> str:
    """The environment variable of a field."""
    return PREFIX + name.upper()


def table() -> list[Row]:
    """Every variable there is, for the documentation."""
    rows = []
    for name, field in Settings.model_fields.items():
        if name != "services":
            default = "" if field.default is None else str(field.default)
            rows.append(Row(variable(name), default, field.description or "", _secret(name)))
    return rows + [
        Row(service.variable, "", f"The URL of the {service.name} service; needed in production.", secret=False)
        for service in SERVICES
    ]


def unknown(environ: Mapping[str, str]) -> list[str]:
    """Variables that look like ours and are none, each with what was perhaps meant: worth a warning."""
    known = [row.variable for row in table()]
    known += [row.variable + FILE for row in table() if row.secret]
    found = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
            found.append(f"{name} is not a setting." + (f" Was {close[0]} meant?" if close else ""))
    return found


def _secret(name: str) -> bool:
    return SecretStr in get_args(Settings.model_fields[name].annotation)


def _own(environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    given = {}
    for name in Settings.model_fields:
        value, file = environ.get(variable(name)), environ.get(variable(name) + FILE)
        if name == "services":
            continue
        if value:
            given[name] = value
        if not file or not _secret(name):
            continue
        if value:
            problems.append(f"{variable(name)} and {variable(name)}{FILE}: set one of them, not both.")
            continue
        try:
            given[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            problems.append(f"{variable(name)}{FILE}: {file} cannot be read ({type(problem).__name__}). Name a file.")
    return given


def _services(environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    found = {}
    for service in SERVICES:
        url = environ.get(service.variable)
        if url:
            try:
                found[service.name] = web_address(url)
            except ValueError as wrong:
                problems.append(f"{service.variable}: {wrong}.")
    return found
