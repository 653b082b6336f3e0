"""Reading by key goes by the key, however small or new the tables are.

Left alone, the planner reads a whole organization's answers to find some hundreds of them wherever it
takes that for as cheap, and for a trainer the policy then looks at every row of it. A lateral row with a
limit is looked up for each question; at most one there is, as the organization completes the key.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE OR REPLACE FUNCTION read_answers(text, text, text, text[], text[], text[], text[])
    RETURNS TABLE (n bigint, value text, withheld text, about text, score double precision, level text, origin text,
                   as_of timestamptz, calculated_at timestamptz, expires_at timestamptz)
    LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        SELECT q.n, a.value, a.withheld, a.about, a.score, a.level, a.origin, a.as_of, a.calculated_at, a.expires_at
        FROM unnest($4, $5, $6, $7) WITH ORDINALITY AS q (scope, subject, metric, arguments, n)
        CROSS JOIN LATERAL (
            SELECT * FROM answers
            WHERE scope = q.scope AND subject = q.subject AND metric = q.metric AND arguments = q.arguments LIMIT 1
        ) a;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION read_facts(text, text, text, text, text[], timestamptz)
    RETURNS TABLE (id text, payload text, seen_at timestamptz)
    LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        SELECT f.id, f.payload, f.seen_at
        FROM unnest($5) AS q (id)
        CROSS JOIN LATERAL (SELECT * FROM facts WHERE endpoint = $4 AND facts.id = q.id LIMIT 1) f
        WHERE f.seen_at >= $6;
    END $$
    """,
    "ALTER FUNCTION read_people(text, text, text, text[]) SET enable_seqscan = off",
)


def upgrade() -> None:
    """Look rows up one by one."""
    for statement in STATEMENTS:
        op.execute(statement)
