"""The tables of what is done without anybody waiting: jobs, and the reports that some of them make."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - SQLModel reads the annotations
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from datasources.postgres.tables import Moment


class JobRow(SQLModel, table=True):
    """One thing that is done without anybody waiting; `once` is what two jobs must not share while they last."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(
            "status IN ('QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')", name="jobs_stand_somewhere"
        ),
        CheckConstraint("progress BETWEEN 0 AND 100", name="jobs_progress_in_percent"),
        Index(
            "one_job_at_a_time",
            "organization",
            "once",
            unique=True,
            postgresql_where=text("status IN ('QUEUED', 'RUNNING')"),
        ),
        Index("jobs_of_owner", "organization", "owner", "created_at"),
        Index(
            "jobs_of_arrivals",
            "organization",
            "owner",
            "created_at",
            postgresql_where=text("details @> '{\"arrived\": true}'"),
        ),
        Index("jobs_by_name", "organization", "once", "created_at"),
        Index("jobs_by_age", "organization", "created_at", "id"),
        Index("jobs_on_their_way", "organization", "owner", postgresql_where=text("status IN ('QUEUED', 'RUNNING')")),
        Index("jobs_that_failed", "organization", "once", "finished_at", postgresql_where=text("status = 'FAILED'")),
    )

    organization: str = Field(sa_type=Text, primary_key=True)
    id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    owner: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    once: str = Field(sa_type=Text)
    scope: str | None = Field(default=None, sa_type=Text)
    subject: str | None = Field(default=None, sa_type=Text)
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    status: str = Field(sa_type=Text)
    progress: int = Field(sa_type=SmallInteger)
    attempts: int = Field(sa_type=SmallInteger)
    created_at: datetime = Field(sa_type=Moment)
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    unwanted: bool = Field(default=False)
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    error: str | None = Field(default=None, sa_type=Text)
    turn: int = Field(default=0)
    holder: str | None = Field(default=None, sa_type=Text)
    setbacks: int = Field(default=0, sa_type=SmallInteger)
    priority: int = Field(default=0, sa_type=SmallInteger)
    claimed_at: datetime | None = Field(default=None, sa_type=Moment)


class ReportRow(SQLModel, table=True):
    """One report somebody asked for; its id is that of the job that made it."""

    __tablename__ = "reports"
    __table_args__ = (
        CheckConstraint("format IN ('CSV', 'JSON')", name="reports_are_of_a_format"),
        Index("reports_of_owner", "organization", "owner", "created_at"),
    )

    organization: str = Field(sa_type=Text, primary_key=True)
    id: str = Field(sa_type=Text, primary_key=True)
    owner: str = Field(sa_type=Text)
    format: str = Field(sa_type=Text)
    content: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Moment)
