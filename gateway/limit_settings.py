"""How much may be asked, by whom, and of what the process keeps: the settings that are limits."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings


class LimitSettings(BaseSettings):
    """The part of the settings that bounds what clients take."""

    memory_answers: int = Field(20_000, ge=0, description="Answers kept in memory by each process.")
    memory_mib: int = Field(64, ge=0, description="MiB of answers kept in memory by each process.")
    responses_mib: int = Field(32, ge=0, description="MiB of whole responses kept in memory by each process.")
    documents: int = Field(1_000, ge=1, description="Parsed documents kept by each process.")
    documents_mib: int = Field(32, ge=1, description="MiB of parsed documents kept by each process.")

    head_kib: int = Field(16, ge=4, le=256, description="KiB the request line and the headers may have.")
    head_seconds: float = Field(10, gt=0, description="Seconds the request line and the headers may take to arrive.")
    body_kib: int = Field(64, ge=1, le=10_240, description="KiB a request body may have.")
    body_seconds: float = Field(10, gt=0, description="Seconds a request body may take to arrive.")
    request_seconds: float = Field(15, gt=0, description="Seconds one request may take.")
    batch_size: int = Field(10, ge=1, le=100, description="Operations in one batch.")

    max_tokens: int = Field(5_000, ge=100, description="Tokens of a document.")
    max_depth: int = Field(20, ge=1, le=100, description="Levels of fields, fragments expanded.")
    max_fields: int = Field(2_000, ge=1, description="Fields, fragments expanded.")
    max_roots: int = Field(20, ge=1, description="Fields at the root of an operation, fragments expanded.")
    max_aliases: int = Field(100, ge=0, description="Aliased fields, fragments expanded.")
    max_cost: int = Field(20_000, ge=1, description="What a document may cost at most, with the pages it asks for.")
    variables_kib: int = Field(16, ge=1, le=10_240, description="KiB of the variables of one operation, as JSON.")
    variables_depth: int = Field(8, ge=1, le=100, description="Levels of lists and objects in the variables.")
    variables_items: int = Field(1_000, ge=1, description="Entries of one list or object in the variables.")

    cost_per_minute: int | None = Field(
        None,
        ge=1,
        description="What one viewer's documents may cost in a minute; unset: 60,000 in production, else any.",
    )
    requests_per_hour: int | None = Field(
        None, ge=1, description="Operations of one viewer in an hour; unset: 10,000 in production, else any."
    )
    redis_url: SecretStr | None = Field(
        None, description="redis:// or rediss:// URL where all processes count together; unset: each counts its share."
    )

    streams: int = Field(500, ge=1, le=900, description="Streams one process holds open; it has 1,000 connections.")
    streams_each: int = Field(20, ge=1, description="Streams one viewer holds open in one process.")
    stream_operations: int = Field(50, ge=1, le=1_000, description="Operations open at once on one websocket.")
    stream_messages: int = Field(200, ge=1, description="Messages a websocket may send in ten seconds.")
    stream_idle_seconds: float = Field(300, gt=0, description="Seconds a websocket may stay that asks for nothing.")
    stream_slow_seconds: float = Field(15, gt=0, description="Seconds to take what is sent; then a stream is dropped.")

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://")):
            message = "it must start with redis:// or rediss://"
            raise ValueError(message)
        return value
