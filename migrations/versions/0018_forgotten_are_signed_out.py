"""Who is forgotten is signed out: tokens from before are good for nothing, though what took them back is gone too.

With everything else about a person the rows go that say which of their tokens were taken back. The tombstone says
enough: whatever was issued before it holds no more.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put it in place."""
    op.execute("""
    CREATE OR REPLACE FUNCTION read_standings(text[], text[])
    RETURNS TABLE (copied boolean, active boolean, revoked timestamptz, tokens text[]) LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        FOR i IN 1 .. cardinality($1) LOOP
            revoked := revoked_at($2[i]); PERFORM act_as($1[i], 'system', 'system');
            revoked := greatest(revoked, (SELECT at FROM forgotten
                WHERE organization = $1[i] AND digest = forgotten_digest($1[i], $2[i])));
            copied := EXISTS (SELECT FROM syncs WHERE organization = $1[i]);
            active := EXISTS (SELECT FROM people WHERE organization = $1[i] AND id = $2[i] AND is_active);
            tokens := ARRAY (SELECT token FROM revocations
                WHERE organization = $1[i] AND person = $2[i] AND until > clock_timestamp() - interval '5 min');
            RETURN NEXT;
        END LOOP;
    END $$
    """)
    op.execute("ALTER FUNCTION read_standings SET search_path = public, pg_temp")
