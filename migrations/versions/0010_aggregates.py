"""Aggregates: what is said of k or more people together, a row for each group, metric and day, for seven years.

The table is cut by year. Its parts, and the materialized comparison of this week with the last one, are in
schemas of their own that the application cannot look into. What it reads of the comparison comes through a
function that knows one organization and applies k; so does what it reads of the table.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ORGANIZATION = "(SELECT my_organization())"
ROLE = "(SELECT my_role())"
ACTOR = "text, text, text"
YEARS = range(2026, 2029)

TABLE = """
CREATE TABLE aggregates (
    organization text NOT NULL,
    scope text NOT NULL,
    name text NOT NULL,
    metric text NOT NULL,
    day date NOT NULL,
    version integer NOT NULL,
    n integer NOT NULL,
    total double precision NOT NULL,
    squares double precision NOT NULL,
    PRIMARY KEY (organization, scope, name, metric, day),
    CONSTRAINT aggregates_of_groups CHECK (scope IN ('organization', 'department', 'course', 'market')),
    CONSTRAINT aggregates_of_many CHECK (n >= 10)
) PARTITION BY RANGE (day)
"""

# A day counts towards the seven days until the day it was last refreshed on, or towards the seven before.
COMPARISON = """
CREATE MATERIALIZED VIEW comparisons.weeks AS
SELECT a.organization, a.scope, a.name, a.metric, a.version,
    min(a.n) FILTER (WHERE a.day > t.today - 7) AS n,
    sum(a.total) FILTER (WHERE a.day > t.today - 7) / sum(a.n) FILTER (WHERE a.day > t.today - 7) AS mean,
    min(a.n) FILTER (WHERE a.day <= t.today - 7) AS n_before,
    sum(a.total) FILTER (WHERE a.day <= t.today - 7) / sum(a.n) FILTER (WHERE a.day <= t.today - 7) AS mean_before
FROM public.aggregates a, (SELECT (now() AT TIME ZONE 'UTC')::date AS today) t
WHERE a.day > t.today - 14 AND a.day <= t.today
GROUP BY a.organization, a.scope, a.name, a.metric, a.version
"""

# A group of which more than a tenth was not worked out tonight is not spoken of: the rest is not the group.
# Departments are spoken of so that the whole less all that are is nobody, or k or more.
WRITE = """
RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE written integer;
BEGIN
    PERFORM act_as($1, $2, $3);
    DELETE FROM aggregates a WHERE a.organization = $1 AND a.day = on_day;
    WITH asked AS (
        SELECT q.key, q.version, q.k, concat(q.key, '@', q.version) AS metric, q.arguments
        FROM unnest(keys, versions, ks, chosen) AS q (key, version, k, arguments)
    ), learners AS MATERIALIZED (
        SELECT p.id, p.department FROM people p
        WHERE p.organization = $1 AND p.is_active AND 'learner' = ANY (p.roles)
    ), told AS MATERIALIZED (
        SELECT a.metric, a.arguments, a.subject, a.score FROM answers a JOIN asked q USING (metric, arguments)
        WHERE a.organization = $1 AND a.scope = 'learner' AND a.calculated_at >= since
    ), said AS MATERIALIZED (
        SELECT q.key, q.version, q.k, l.id, l.department, t.score, t.subject IS NULL AS untold
        FROM (asked q CROSS JOIN learners l)
        LEFT JOIN told t ON t.metric = q.metric AND t.arguments = q.arguments AND t.subject = l.id
    ), grouped AS (
        SELECT 'organization' AS scope, '' AS name, s.* FROM said s
        UNION ALL
        SELECT 'department', s.department, s.* FROM said s
        UNION ALL
        SELECT 'course', e.course, s.* FROM said s
        JOIN enrollments e ON e.organization = $1 AND e.person = s.id AND e.live
    ), sums AS (
        SELECT scope, name, key, version, k, count(score) AS n, sum(score) AS total, sum(score * score) AS squares,
            10 * count(*) FILTER (WHERE untold) <= count(*) AS known
        FROM grouped GROUP BY scope, name, key, version, k
    ), placed AS (
        SELECT s.*,
            sum(n) FILTER (WHERE n < k OR name IS NULL OR NOT known) OVER (PARTITION BY scope, key) AS hidden,
            row_number() OVER (
                PARTITION BY scope, key, n >= k AND name IS NOT NULL AND known ORDER BY n, name
            ) AS place
        FROM sums s
    ), wide AS (
        SELECT a.scope, '' AS name, q.key, q.version, c.n, a.score * c.n AS total, a.score * a.score * c.n AS squares
        FROM asked q JOIN answers a USING (metric, arguments), (SELECT count(*) AS n FROM learners) c
        WHERE a.organization = $1 AND a.scope IN ('organization', 'market') AND a.subject = $1
            AND a.calculated_at >= since AND a.score IS NOT NULL AND c.n >= q.k
    )
    INSERT INTO aggregates (organization, scope, name, metric, day, version, n, total, squares)
    SELECT $1, scope, name, key, on_day, version, n, total, squares FROM placed
    WHERE n >= k AND known AND name IS NOT NULL
        AND NOT (scope = 'department' AND place = 1 AND coalesce(hidden, 0) BETWEEN 1 AND k - 1)
    UNION ALL
    SELECT $1, scope, name, key, on_day, version, n, total, squares FROM wide;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END $$
"""

# Of two versions of a formula in one stretch of time the newer one is told: they do not mix.
READ = """
RETURNS TABLE (starts date, version integer, days bigint, n integer, persons bigint,
               total double precision, squares double precision)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    PERFORM act_as($1, $2, $3);
    RETURN QUERY
    SELECT DISTINCT ON (1) date_trunc(by, a.day::timestamp)::date, a.version, count(*), min(a.n), sum(a.n)::bigint,
        sum(a.total), sum(a.squares)
    FROM aggregates a
    WHERE a.organization = $1 AND a.scope = of_scope AND a.name = of_name AND a.metric = of_metric
        AND a.day BETWEEN first AND last AND a.n >= k
    GROUP BY 1, 2 ORDER BY 1, 2 DESC;
END $$
"""

COMPARE = """
RETURNS TABLE (name text, n integer, mean double precision, n_before integer, mean_before double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT ON (w.name) w.name, w.n, w.mean,
        CASE WHEN w.n_before >= $6 THEN w.n_before END, CASE WHEN w.n_before >= $6 THEN w.mean_before END
    FROM comparisons.weeks w
    WHERE w.organization = $1 AND $3 IN ('org-admin', 'system') AND w.scope = $4 AND w.metric = $5
        AND w.n >= greatest($6, 10)
    ORDER BY w.name, w.version DESC
$$
"""

# The view is made by its owner, of every organization: one of the two who are let past the tenants' wall, and
# only inside this function, which says nothing of what it saw.
REFRESH = """
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config('app.role', 'views', true);
    REFRESH MATERIALIZED VIEW CONCURRENTLY comparisons.weeks;
    PERFORM set_config('app.role', '', true);
END $$
"""

FUNCTIONS = {
    f"write_aggregates({ACTOR}, on_day date, since timestamptz, keys text[], versions integer[], ks integer[], "
    "chosen text[])": WRITE,
    f"read_aggregates({ACTOR}, of_scope text, of_name text, of_metric text, first date, last date, by text, "
    "k integer)": READ,
    f"compare_aggregates({ACTOR}, text, text, integer)": COMPARE,
    "refresh_comparisons()": REFRESH,
}


def _partition(name: str, bounds: str) -> list[str]:
    return [
        f"CREATE TABLE parts.aggregates_{name} PARTITION OF aggregates {bounds}",
        f"ALTER TABLE parts.aggregates_{name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE parts.aggregates_{name} FORCE ROW LEVEL SECURITY",
    ]


def upgrade() -> None:
    """Make the table, its parts, the comparison and the functions."""
    views = f"({ROLE} = 'views' AND current_user <> 'gateway_app')"
    statements = [
        "CREATE SCHEMA parts",
        "CREATE SCHEMA comparisons",
        TABLE,
        *_partition("default", "DEFAULT"),
        "ALTER TABLE aggregates ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE aggregates FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON aggregates AS RESTRICTIVE USING (organization = {ORGANIZATION} OR {views})",
        f"CREATE POLICY system ON aggregates USING ({ROLE} = 'system')",
        f"CREATE POLICY readers ON aggregates FOR SELECT USING ({ROLE} = 'org-admin' OR {views})",
        "GRANT SELECT, INSERT, DELETE ON aggregates TO gateway_app",
        COMPARISON,
        "CREATE UNIQUE INDEX weeks_by_name ON comparisons.weeks (organization, scope, name, metric, version)",
    ]
    for year in YEARS:
        statements += _partition(str(year), f"FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')")
    for statement in statements:
        op.execute(statement)
    for signature, body in FUNCTIONS.items():
        name = signature.partition("(")[0]
        op.execute(f"CREATE FUNCTION {signature} {body}")
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO gateway_app")
