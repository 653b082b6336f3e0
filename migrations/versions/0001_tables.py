"""The tables: the roster's copy, what is kept, and what was done."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE organizations (
        organization text PRIMARY KEY,
        name text NOT NULL,
        domain text,
        industry text,
        branches text[] NOT NULL,
        departments text[] NOT NULL
    )
    """,
    """
    CREATE TABLE people (
        organization text NOT NULL REFERENCES organizations ON DELETE CASCADE,
        id text NOT NULL,
        name text COLLATE "C" NOT NULL,
        email text,
        roles text[] NOT NULL,
        department text,
        region text,
        age_band text,
        is_active boolean NOT NULL,
        PRIMARY KEY (organization, id)
    )
    """,
    "CREATE INDEX people_in_order ON people (organization, name, id)",
    """
    CREATE TABLE courses (
        organization text NOT NULL REFERENCES organizations ON DELETE CASCADE,
        id text NOT NULL,
        title text NOT NULL,
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        learners integer NOT NULL DEFAULT 0,
        PRIMARY KEY (organization, id)
    )
    """,
    """
    CREATE TABLE enrollments (
        organization text NOT NULL,
        course text NOT NULL,
        person text NOT NULL,
        enrolled_at timestamptz NOT NULL,
        left_at timestamptz,
        status text NOT NULL,
        live boolean NOT NULL GENERATED ALWAYS AS (left_at IS NULL AND status <> 'withdrawn') STORED,
        PRIMARY KEY (organization, course, person),
        FOREIGN KEY (organization, course) REFERENCES courses ON DELETE CASCADE,
        FOREIGN KEY (organization, person) REFERENCES people ON DELETE CASCADE
    )
    """,
    "CREATE INDEX enrollments_of_person ON enrollments (organization, person, course)",
    "CREATE INDEX live_enrollments ON enrollments (organization, course, person) WHERE live",
    """
    CREATE TABLE teaching (
        organization text NOT NULL,
        course text NOT NULL,
        trainer text NOT NULL,
        PRIMARY KEY (organization, course, trainer),
        FOREIGN KEY (organization, course) REFERENCES courses ON DELETE CASCADE,
        FOREIGN KEY (organization, trainer) REFERENCES people ON DELETE CASCADE
    )
    """,
    "CREATE INDEX teaching_of_trainer ON teaching (organization, trainer, course)",
    "CREATE TABLE syncs (organization text PRIMARY KEY, synced_at timestamptz NOT NULL)",
    """
    CREATE TABLE answers (
        organization text NOT NULL,
        scope text NOT NULL,
        subject text NOT NULL,
        metric text NOT NULL,
        arguments text NOT NULL,
        value text,
        withheld text,
        about text NOT NULL,
        score double precision,
        level text,
        origin text NOT NULL,
        as_of timestamptz NOT NULL,
        calculated_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (organization, scope, subject, metric, arguments),
        CONSTRAINT answers_say_one_thing CHECK (num_nonnulls(value, withheld) = 1),
        CONSTRAINT answers_are_never_mocks CHECK (origin IN ('LIVE', 'LAST_KNOWN'))
    )
    """,
    """
    CREATE TABLE facts (
        organization text NOT NULL,
        endpoint text NOT NULL,
        id text NOT NULL,
        payload text NOT NULL,
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (organization, endpoint, id)
    )
    """,
    """
    CREATE TABLE audit (
        organization text NOT NULL,
        id bigint GENERATED ALWAYS AS IDENTITY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        actor text NOT NULL,
        role text NOT NULL,
        kind text NOT NULL,
        subject text,
        details jsonb NOT NULL,
        PRIMARY KEY (organization, id)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES:
        op.execute(statement)
