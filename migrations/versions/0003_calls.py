"""The hot statements as functions that set the actor first: one round trip, and nothing left behind.

They run with the caller's rights, so row-level security holds inside them, and what they set is local to
the transaction, which for a lone statement ends with it.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ACTOR = "text, text, text"
MOMENTS = "timestamptz[], timestamptz[], timestamptz[]"

CALLS = {
    f"act_as({ACTOR})": """
    RETURNS void LANGUAGE sql VOLATILE AS $$
        SELECT set_config('app.organization', $1, true), set_config('app.user', $2, true),
            set_config('app.role', $3, true)
    $$
    """,
    f"read_answers({ACTOR}, text[], text[], text[], text[])": """
    RETURNS TABLE (n bigint, value text, withheld text, about text, score double precision, level text, origin text,
                   as_of timestamptz, calculated_at timestamptz, expires_at timestamptz)
    LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        SELECT q.n, a.value, a.withheld, a.about, a.score, a.level, a.origin, a.as_of, a.calculated_at, a.expires_at
        FROM unnest($4, $5, $6, $7) WITH ORDINALITY AS q (scope, subject, metric, arguments, n)
        JOIN answers a USING (scope, subject, metric, arguments);
    END $$
    """,
    f"keep_answers({ACTOR}, {', '.join(['text[]'] * 7)}, double precision[], text[], text[], {MOMENTS}, text)": """
    RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
    DECLARE written integer;
    BEGIN
        PERFORM act_as($1, $2, $3);
        INSERT INTO answers
        SELECT $1, * FROM unnest($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        ON CONFLICT (organization, scope, subject, metric, arguments) DO UPDATE SET
            value = excluded.value, withheld = excluded.withheld, about = excluded.about, score = excluded.score,
            level = excluded.level, origin = excluded.origin, as_of = excluded.as_of,
            calculated_at = excluded.calculated_at, expires_at = excluded.expires_at
        -- The snapshot of a cohort is one for everybody until it expires, whoever took it first.
        WHERE answers.calculated_at < excluded.calculated_at
            AND (answers.scope <> 'cohort' OR answers.expires_at <= excluded.calculated_at);
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written > 0 THEN
            PERFORM pg_notify('answers', $17);
        END IF;
        RETURN written;
    END $$
    """,
    f"read_facts({ACTOR}, text, text[], timestamptz)": """
    RETURNS TABLE (id text, payload text, seen_at timestamptz) LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        SELECT f.id, f.payload, f.seen_at FROM unnest($5) AS q (id) JOIN facts f USING (id)
        WHERE f.endpoint = $4 AND f.seen_at >= $6;
    END $$
    """,
    f"keep_facts({ACTOR}, text[], text[], text[], timestamptz[])": """
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as($1, $2, $3);
        INSERT INTO facts SELECT $1, * FROM unnest($4, $5, $6, $7)
        ON CONFLICT (organization, endpoint, id) DO UPDATE SET payload = excluded.payload, seen_at = excluded.seen_at
        WHERE facts.seen_at < excluded.seen_at;
    END $$
    """,
    f"read_people({ACTOR}, text[])": """
    RETURNS SETOF cards LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY SELECT c.* FROM cards c WHERE c.id = ANY ($4);
    END $$
    """,
    f"page_people({ACTOR}, text, text, text, text, text, text, integer, boolean)": """
    RETURNS TABLE (total bigint, past bigint, until bigint, card cards) LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        WITH listed AS MATERIALIZED (
            SELECT p.name, p.id FROM people p
            WHERE p.is_active AND $4 = ANY (p.roles) AND ($5 IS NULL OR p.id IN (
                SELECT e.person FROM teaching t JOIN enrollments e USING (organization, course)
                WHERE t.trainer = $5 AND e.live))
        ), counted AS (
            SELECT count(*) AS total,
                count(*) FILTER (WHERE (l.name, l.id) <= ($6, $7)) AS past,
                count(*) FILTER (WHERE $8 IS NULL OR (l.name, l.id) < ($8, $9)) AS until
            FROM listed l
        ), between_cursors AS (
            SELECT l.name, l.id FROM listed l
            WHERE ($6 IS NULL OR (l.name, l.id) > ($6, $7)) AND ($8 IS NULL OR (l.name, l.id) < ($8, $9))
        ), page AS (
            (SELECT b.name, b.id FROM between_cursors b WHERE NOT $11 ORDER BY b.name, b.id LIMIT $10)
            UNION ALL
            (SELECT b.name, b.id FROM between_cursors b WHERE $11 ORDER BY b.name DESC, b.id DESC LIMIT $10)
        )
        SELECT k.total, k.past, k.until, c
        FROM counted k LEFT JOIN (page JOIN cards c USING (id)) ON true
        ORDER BY page.name, page.id;
    END $$
    """,
    f"record_audit({ACTOR}, text[], text[], jsonb[])": """
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as($1, $2, $3);
        INSERT INTO audit (organization, actor, role, kind, subject, details)
        SELECT $1, $2, $3, * FROM unnest($4, $5, $6);
    END $$
    """,
}

CARDS = """
CREATE VIEW cards WITH (security_invoker = true) AS
SELECT p.id, p.name, p.email, p.roles, p.department, p.region, p.age_band,
    ARRAY (
        SELECT e.course FROM enrollments e
        WHERE e.organization = p.organization AND e.person = p.id AND e.live ORDER BY e.course
    ) AS courses,
    ARRAY (
        SELECT DISTINCT t.trainer FROM enrollments e JOIN teaching t USING (organization, course)
        WHERE e.organization = p.organization AND e.person = p.id AND e.live ORDER BY t.trainer
    ) AS trainers
FROM people p
"""


def upgrade() -> None:
    """Make the view of a person and the functions, for the application alone."""
    op.execute(CARDS)
    op.execute("GRANT SELECT ON cards TO gateway_app")
    for signature, body in CALLS.items():
        op.execute(f"CREATE FUNCTION {signature} {body}")
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO gateway_app")
