"""The tables, one class each. Migrations make them; a test holds the two equal.

Every table belongs to tenants: `organization` comes first in every primary key, and row-level security
compares it with the actor's before anything else is looked at.
"""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - SQLModel reads the annotations
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

Moment: Any = DateTime(timezone=True)
# Names sort by bytes, so that a page ends at the same place on every system.
Name: Any = Text(collation="C")


class OrganizationRow(SQLModel, table=True):
    """One tenant, as the directory last described it."""

    __tablename__ = "organizations"

    organization: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=Text)
    domain: str | None = Field(default=None, sa_type=Text)
    industry: str | None = Field(default=None, sa_type=Text)
    branches: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    departments: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class PersonRow(SQLModel, table=True):
    """One person of one organization: a copy of the directory's record; `folded` is the name as it is looked for."""

    __tablename__ = "people"
    __table_args__ = (
        ForeignKeyConstraint(["organization"], ["organizations.organization"], ondelete="CASCADE"),
        Index("people_in_order", "organization", "name", "id"),
    )

    organization: str = Field(sa_type=Text, primary_key=True)
    id: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=Name)
    folded: str = Field(default="", sa_type=Name, sa_column_kwargs={"server_default": ""})
    email: str | None = Field(default=None, sa_type=Text)
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    department: str | None = Field(default=None, sa_type=Text)
    region: str | None = Field(default=None, sa_type=Text)
    age_band: str | None = Field(default=None, sa_type=Text)
    is_active: bool = Field(default=True)


class CourseRow(SQLModel, table=True):
    """One course, as far as one organization takes part in it; `learners` counts its live enrolments there."""

    __tablename__ = "courses"
    __table_args__ = (ForeignKeyConstraint(["organization"], ["organizations.organization"], ondelete="CASCADE"),)

    organization: str = Field(sa_type=Text, primary_key=True)
    id: str = Field(sa_type=Text, primary_key=True)
    title: str = Field(sa_type=Text)
    starts_at: datetime = Field(sa_type=Moment)
    ends_at: datetime = Field(sa_type=Moment)
    learners: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})


class EnrollmentRow(SQLModel, table=True):
    """One person in one course; live until they leave or withdraw."""

    __tablename__ = "enrollments"
    __table_args__ = (
        ForeignKeyConstraint(["organization", "course"], ["courses.organization", "courses.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["organization", "person"], ["people.organization", "people.id"], ondelete="CASCADE"),
        Index("enrollments_of_person", "organization", "person", "course"),
        Index("live_enrollments", "organization", "course", "person", postgresql_where=text("live")),
    )

    organization: str = Field(sa_type=Text, primary_key=True)
    course: str = Field(sa_type=Text, primary_key=True)
    person: str = Field(sa_type=Text, primary_key=True)
    enrolled_at: datetime = Field(sa_type=Moment)
    left_at: datetime | None = Field(default=None, sa_type=Moment)
    status: str = Field(sa_type=Text)
    result: str | None = Field(default=None, sa_type=Text)
    live: bool | None = Field(
        default=None,
        sa_column_args=(Computed("left_at IS NULL AND status <> 'withdrawn'", persisted=True),),
        nullable=False,
    )


class TeachingRow(SQLModel, table=True):
    """One trainer of one course."""

    __tablename__ = "teaching"
    __table_args__ = (
        ForeignKeyConstraint(["organization", "course"], ["courses.organization", "courses.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["organization", "trainer"], ["people.organization", "people.id"], ondelete="CASCADE"),
        Index("teaching_of_trainer", "organization", "trainer", "course"),
    )

    organization: str = Field(sa_type=Text, primary_key=True)
    course: str = Field(sa_type=Text, primary_key=True)
    trainer: str = Field(sa_type=Text, primary_key=True)


class SyncRow(SQLModel, table=True):
    """When an organization's roster was last copied, and how many people were in it."""

    __tablename__ = "syncs"

    organization: str = Field(sa_type=Text, primary_key=True)
    synced_at: datetime = Field(sa_type=Moment)
    people: int | None = None


class AnswerRow(SQLModel, table=True):
    """One kept answer: a value in its wire shape or the reason why there is none, never a mock."""

    __tablename__ = "answers"
    __table_args__ = (
        CheckConstraint("num_nonnulls(value, withheld) = 1", name="answers_say_one_thing"),
        CheckConstraint("origin IN ('LIVE', 'LAST_KNOWN')", name="answers_are_never_mocks"),
        Index(
            "headlines_of_learners",
            *("organization", "metric", "arguments", "subject"),
            postgresql_include=["scope", "score", "level", "as_of", "calculated_at", "expires_at", "brief"],
            postgresql_where=text("scope = 'learner'"),
        ),
    )

    organization: str = Field(sa_type=Text, primary_key=True)
    scope: str = Field(sa_type=Text, primary_key=True)
    subject: str = Field(sa_type=Text, primary_key=True)
    metric: str = Field(sa_type=Text, primary_key=True)
    arguments: str = Field(sa_type=Text, primary_key=True)
    value: str | None = Field(default=None, sa_type=Text)
    withheld: str | None = Field(default=None, sa_type=Text)
    about: str = Field(sa_type=Text)
    score: float | None = Field(default=None, sa_type=Double)
    level: str | None = Field(default=None, sa_type=Text)
    origin: str = Field(sa_type=Text)
    as_of: datetime = Field(sa_type=Moment)
    calculated_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    brief: str | None = Field(default=None, sa_column_args=(Computed("brief_of(value)", persisted=True),), sa_type=Text)


class FactRow(SQLModel, table=True):
    """The last thing an endpoint said about one subject, for the time it does not answer."""

    __tablename__ = "facts"

    organization: str = Field(sa_type=Text, primary_key=True)
    endpoint: str = Field(sa_type=Text, primary_key=True)
    id: str = Field(sa_type=Text, primary_key=True)
    payload: str = Field(sa_type=Text)
    seen_at: datetime = Field(sa_type=Moment)


class AuditRow(SQLModel, table=True):
    """One thing somebody did or looked at; only ever added. `details` holds ids and counts, no personal data.

    Kept in a partition for each month.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_in_order", "organization", "at", "id"),
        Index("audit_of_subject", "organization", "subject", "at"),
        Index("audit_of_actor", "organization", "actor", "at"),
        Index("audit_of_address", "organization", "address", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    organization: str = Field(sa_type=Text, primary_key=True)
    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    at: datetime | None = Field(
        default=None, sa_type=Moment, primary_key=True, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )
    actor: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    subject: str | None = Field(default=None, sa_type=Text)
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    address: str | None = Field(default=None, sa_type=Text)
    request_id: str | None = Field(default=None, sa_type=Text)


class LeaderboardChoiceRow(SQLModel, table=True):
    """Whether the leaderboard shows a person to others; who never chose has no row, and is shown."""

    __tablename__ = "leaderboard_choices"

    organization: str = Field(sa_type=Text, primary_key=True)
    person: str = Field(sa_type=Text, primary_key=True)
    visible: bool
    chosen_at: datetime = Field(sa_type=Moment)


class RecommendationDecisionRow(SQLModel, table=True):
    """What a person made of one recommendation."""

    __tablename__ = "recommendation_decisions"
    __table_args__ = (CheckConstraint("kind IN ('saved', 'dismissed', 'done')", name="decisions_are_of_a_kind"),)

    organization: str = Field(sa_type=Text, primary_key=True)
    person: str = Field(sa_type=Text, primary_key=True)
    recommendation: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    decided_at: datetime = Field(sa_type=Moment)


class ForgottenRow(SQLModel, table=True):
    """That somebody was forgotten, and when: a digest of their id and the organization's, which names nobody."""

    __tablename__ = "forgotten"

    organization: str = Field(sa_type=Text, primary_key=True)
    digest: bytes = Field(sa_type=LargeBinary, primary_key=True)
    at: datetime | None = Field(
        default=None, sa_type=Moment, nullable=False, sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )


class AggregateRow(SQLModel, table=True):
    """What is said of one group by one metric on one day: of how many, the sum, and the sum of squares.

    Such rows add up over any stretch of time. `name` is a department or a course, empty for the whole.
    """

    __tablename__ = "aggregates"
    __table_args__ = (
        CheckConstraint("scope IN ('organization', 'department', 'course', 'market')", name="aggregates_of_groups"),
        CheckConstraint("n >= 10", name="aggregates_of_many"),
    )

    organization: str = Field(sa_type=Text, primary_key=True)
    scope: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=Text, primary_key=True)
    metric: str = Field(sa_type=Text, primary_key=True)
    day: date = Field(sa_type=Date, primary_key=True)
    version: int
    n: int
    total: float = Field(sa_type=Double)
    squares: float = Field(sa_type=Double)
