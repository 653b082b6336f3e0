"""Everything that can be set, read once from an environment that is an argument."""

from __future__ import annotations

import difflib
from collections.abc import Mapping  # noqa: TC003  (pydantic reads the annotations)
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from datasources.catalog import SERVICES
from gateway.budget import Allowance
from gateway.identity_settings import IdentitySettings
from gateway.limit_settings import LimitSettings
from gateway.production import unsafe
from gateway.setting_types import Names, Origins, web_address

PREFIX = "GATEWAY_"
COST_PER_MINUTE, REQUESTS_PER_HOUR = 60_000, 10_000
"""What one viewer may take in production: some twenty of the largest dashboards a minute, three operations a second."""
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


class Settings(IdentitySettings, LimitSettings):
    """What the process runs with. Secrets never show in its representation."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)

    environment: Literal["development", "production"] = Field(
        "development", description="`production` refuses development keys, missing URLs and open introspection."
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 takes any free one.")
    workers: int = Field(1, ge=1, le=64, description="Processes that serve.")
    home: Path = Field(Path(".gateway"), description="The directory for everything that is written.")
    metrics_token: SecretStr | None = Field(
        None, description="The bearer token that /metrics asks for; unset: callers of our network, not by a proxy."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    trusted_proxies: str = Field(
        "127.0.0.1",
        description="Addresses, by commas, whose X-Forwarded-* headers we believe; `*`: all, in development.",
    )
    allowed_hosts: Names = Field(
        (),
        description="Names, by commas, that requests may call us by; unset: in development `localhost` and addresses.",
    )
    allowed_origins: Origins = Field(
        (), description="Origins, by commas, whose web pages may ask, like https://app.example; unset: our own page."
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
    trusted_documents: Path | None = Field(
        None, description="The file of `gateway operations`: nothing but what it lists is executed; unset: anything is."
    )

    jobs_at_once: int = Field(4, ge=2, le=64, description="Jobs that one worker does at once.")

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
        return not (self.production or self.trusted_documents) if self.graphiql is None else self.graphiql

    @property
    def allowance(self) -> Allowance | None:
        """What one viewer may take; None is any number of anything."""
        cost = self.cost_per_minute or (COST_PER_MINUTE if self.production else None)
        requests = self.requests_per_hour or (REQUESTS_PER_HOUR if self.production else None)
        return Allowance(cost, requests) if cost or requests else None

    @property
    def suggests(self) -> bool:
        """Whether errors may suggest names of the schema."""
        return not self.production if self.suggestions is None else self.suggestions

    @property
    def introspectors(self) -> Literal["everyone", "viewers", "nobody"]:
        """Who may introspect; nobody where only listed documents are executed."""
        if self.trusted_documents is not None:
            return "nobody"
        return self.introspection or ("viewers" if self.production else "everyone")

    @property
    def signs_in_locally(self) -> bool:
        """Whether people sign in with accounts of our own."""
        local = not self.production and "auth" not in self.services
        return local if self.local_accounts is None else self.local_accounts

    @property
    def keys_url(self) -> str | None:
        """Where the public keys of tokens are; None where only a key of our own is used."""
        if self.jwks_url is None and (self.token_key is not None or not self.production):
            return None
        return self.jwks_url or self.services["auth"].rstrip("/") + "/.well-known/jwks.json"


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
    """Every variable there is, for the documentation: the limits last."""
    rows = []
    limits = LimitSettings.model_fields
    for name, field in sorted(Settings.model_fields.items(), key=lambda item: item[0] in limits):
        if name != "services":
            default = "" if field.default in (None, ()) else str(field.default)
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
