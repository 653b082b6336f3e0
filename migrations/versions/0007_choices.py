"""What a learner chose: whether the leaderboard shows them, and what they make of each recommendation.

Both are theirs alone: they read and write them as themselves, the system reads them to honour them, and
nobody else knows of them. Neither hangs on the roster's copy, so that somebody who is missing from one
copy is not shown by the next as if they had never said no.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OWN = "(SELECT my_role()) = 'learner' AND person = (SELECT me())"

TABLES = {
    "leaderboard_choices": """
    CREATE TABLE leaderboard_choices (
        organization text NOT NULL,
        person text NOT NULL,
        visible boolean NOT NULL,
        chosen_at timestamptz NOT NULL,
        PRIMARY KEY (organization, person)
    )
    """,
    "recommendation_decisions": """
    CREATE TABLE recommendation_decisions (
        organization text NOT NULL,
        person text NOT NULL,
        recommendation text NOT NULL,
        kind text NOT NULL,
        decided_at timestamptz NOT NULL,
        PRIMARY KEY (organization, person, recommendation),
        CONSTRAINT decisions_are_of_a_kind CHECK (kind IN ('saved', 'dismissed', 'done'))
    )
    """,
}


def upgrade() -> None:
    """Make the two tables, each row open to the one it is about and to the system's eyes."""
    for table, made in TABLES.items():
        for statement in (
            made,
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {table} AS RESTRICTIVE USING (organization = (SELECT my_organization()))",
            f"CREATE POLICY own ON {table} USING ({OWN})",
            f"CREATE POLICY system ON {table} FOR SELECT USING ((SELECT my_role()) = 'system')",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO gateway_app",
        ):
            op.execute(statement)
