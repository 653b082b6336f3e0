"""Who is let in: the settings of signing in."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class IdentitySettings(BaseSettings):
    """The part of the settings that says who may come in, and for how long."""

    encryption_keys: SecretStr | None = Field(
        None,
        description="Fernet keys by commas, the newest first, that seal what sessions keep; unset in production: "
        "nobody can sign in here.",
    )
    local_accounts: bool | None = Field(
        None, description="Sign in with `gateway account`s, not the auth service; unset: in development without one."
    )
    sign_in_failures: int = Field(
        5, ge=1, le=100, description="Sign-ins of one account that may fail in 15 minutes; then it is locked as long."
    )
    sign_in_failures_per_address: int = Field(
        5, ge=1, le=10_000, description="The same from one address; more where a school shares one."
    )
    standing_seconds: float = Field(
        60, gt=0, le=60, description="Seconds after which the directory is asked again whether somebody is active."
    )
