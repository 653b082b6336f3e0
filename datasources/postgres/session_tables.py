"""The tables of who is signed in: sessions, their refresh tokens, what was revoked, and accounts of our own."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - SQLModel reads the annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from datasources.postgres.tables import Moment

_NOW = {"server_default": text("clock_timestamp()")}


class SessionRow(SQLModel, table=True):
    """Somebody who signed in; `upstream` is the auth service's own refresh token, sealed, gone with the session."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("sessions_by_age", "organization", "expires_at"),
        Index("sessions_of_person", "organization", "person"),
    )

    organization: str = Field(sa_type=Text, primary_key=True)
    id: str = Field(
        sa_type=Text, primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()::text")}
    )
    person: str = Field(sa_type=Text)
    upstream: str | None = Field(default=None, sa_type=Text)
    started_at: datetime = Field(sa_type=Moment, sa_column_kwargs=_NOW)
    expires_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class RefreshTokenRow(SQLModel, table=True):
    """One refresh token of a session, by its SHA-256, and that of the access token it was given with."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        ForeignKeyConstraint(["organization", "session"], ["sessions.organization", "sessions.id"], ondelete="CASCADE"),
        Index("refresh_tokens_by_digest", "digest", unique=True),
        Index("refresh_tokens_of_session", "organization", "session"),
        Index("refresh_tokens_of_access", "organization", "access"),
    )

    organization: str = Field(sa_type=Text, primary_key=True)
    digest: str = Field(sa_type=Text, primary_key=True)
    session: str = Field(sa_type=Text)
    access: str = Field(sa_type=Text)
    access_until: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class RevocationRow(SQLModel, table=True):
    """An access token, by its SHA-256, that lets nobody in any more; an empty one stands for all before `at`."""

    __tablename__ = "revocations"
    __table_args__ = (Index("revocations_by_age", "organization", "until"),)

    organization: str = Field(sa_type=Text, primary_key=True)
    person: str = Field(sa_type=Text, primary_key=True)
    token: str = Field(sa_type=Text, primary_key=True)
    at: datetime = Field(sa_type=Moment, sa_column_kwargs=_NOW)
    until: datetime = Field(sa_type=Moment)


class LocalAccountRow(SQLModel, table=True):
    """Somebody who signs in with us and not with the auth service; `password` is an argon2 hash."""

    __tablename__ = "local_accounts"
    __table_args__ = (Index("local_accounts_by_email", "email", unique=True),)

    organization: str = Field(sa_type=Text, primary_key=True)
    person: str = Field(sa_type=Text, primary_key=True)
    email: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    password: str = Field(sa_type=Text)
    disabled_at: datetime | None = Field(default=None, sa_type=Moment)
