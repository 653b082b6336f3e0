"""What is kept, and for how long: the audit by month, reports, and rows that the system may let go of for somebody.

Partitions live in a schema of their own that the application cannot enter: it reads and writes through the
table, under its rules. They are made ahead and dropped by a function that runs as their owner, who alone may
do that; what it takes for the present is never later than the server's own clock, so that nobody can have
the audit dropped before its time.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ME = "(SELECT me())"
ROLE = "(SELECT my_role())"
MY_ORGANIZATION = "(SELECT my_organization())"

AUDIT = """
CREATE TABLE audit (
    organization text NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    role text NOT NULL,
    kind text NOT NULL,
    subject text,
    details jsonb NOT NULL,
    PRIMARY KEY (organization, id, at)
) PARTITION BY RANGE (at)
"""

WRITERS = f"""
CREATE POLICY writers ON audit FOR INSERT WITH CHECK (
    actor = {ME} AND role = {ROLE} AND role IN ('learner', 'trainer', 'org-admin', 'system'))
"""

REPORTS = """
CREATE TABLE reports (
    organization text NOT NULL,
    id text NOT NULL,
    owner text NOT NULL,
    format text NOT NULL,
    content text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization, id),
    CONSTRAINT reports_are_of_a_format CHECK (format IN ('CSV', 'JSON'))
)
"""

# The table, the column that divides it, into what, how many of them ahead, and how long they are kept.
DIVIDED = """
    VALUES ('audit', 'at', 'month', 3, interval '12 months'), ('aggregates', 'day', 'year', 2, interval '7 years')
"""

# A row that came when its partition was missing lies in the default one, and is moved when that is made.
KEEP = f"""
CREATE FUNCTION keep_partitions(present timestamptz) RETURNS TABLE (made text[], dropped text[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    divided record;
    low timestamp;
    written text;
    part text;
    rest text;
    inside text;
    strays boolean;
BEGIN
    made := '{{}}';
    dropped := '{{}}';
    PERFORM pg_advisory_xact_lock(20261122), set_config('lock_timeout', '2s', true);
    FOR divided IN
        SELECT d.*, ('1 ' || d.unit)::interval AS step,
            CASE d.unit WHEN 'month' THEN 'YYYY_MM' ELSE 'YYYY' END AS suffix
        FROM ({DIVIDED}) AS d (name, axis, unit, ahead, kept)
    LOOP
        rest := divided.name || '_default';
        FOR low IN EXECUTE format(
            'SELECT date_trunc(%1$L, $1) + n * $2 FROM generate_series(0, $3) AS n
            UNION SELECT date_trunc(%1$L, d.%2$I::timestamp) FROM parts.%3$I d ORDER BY 1',
            divided.unit, divided.axis, rest) USING present::timestamp, divided.step, divided.ahead
        LOOP
            part := divided.name || '_' || to_char(low, divided.suffix);
            CONTINUE WHEN to_regclass(format('parts.%I', part)) IS NOT NULL;
            inside := format('%1$I >= %2$L AND %1$I < %3$L', divided.axis, low::timestamptz,
                (low + divided.step)::timestamptz);
            EXECUTE format('CREATE TABLE parts.%I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                part, divided.name);
            EXECUTE format('SELECT EXISTS (SELECT FROM parts.%I WHERE %s)', rest, inside) INTO strays;
            IF strays THEN
                EXECUTE format('ALTER TABLE %I DETACH PARTITION parts.%I', divided.name, rest);
                EXECUTE format('INSERT INTO parts.%I SELECT * FROM parts.%I WHERE %s', part, rest, inside);
                EXECUTE format('DELETE FROM parts.%I WHERE %s', rest, inside);
            END IF;
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION parts.%I FOR VALUES FROM (%L) TO (%L)',
                divided.name, part, low::timestamptz, (low + divided.step)::timestamptz);
            IF strays THEN
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION parts.%I DEFAULT', divided.name, rest);
            END IF;
            made := made || part;
        END LOOP;
        FOR part, written IN
            SELECT c.relname, substr(c.relname, length(divided.name) + 2)
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = to_regclass(divided.name) AND c.relname <> rest ORDER BY 1
        LOOP
            CONTINUE WHEN to_date(written, divided.suffix) + divided.step
                > least(present, clock_timestamp())::timestamp - divided.kept;
            EXECUTE format('DROP TABLE parts.%I', part);
            dropped := dropped || part;
        END LOOP;
    END LOOP;
    RETURN NEXT;
END $$
"""  # noqa: S608 - ours

MISSING = """
CREATE FUNCTION missing_partitions() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT CASE
        WHEN EXISTS (SELECT FROM parts.audit_default) THEN 'rows of the audit wait for their partition'
        WHEN EXISTS (SELECT FROM parts.aggregates_default) THEN 'aggregates wait for their partition'
        WHEN to_regclass(to_char(now() + interval '1 month', '"parts.audit_"YYYY_MM')) IS NULL
            THEN 'the audit has no partition for next month'
        WHEN to_regclass(to_char(now() + interval '1 year', '"parts.aggregates_"YYYY')) IS NULL
            THEN 'the aggregates have no partition for next year'
    END
$$
"""


def upgrade() -> None:
    """Divide the audit by month, make the reports, and let the system let go."""
    statements = [
        "ALTER TABLE audit RENAME TO audit_before",
        "ALTER TABLE audit_before RENAME CONSTRAINT audit_pkey TO audit_before_pkey",
        "ALTER TABLE audit_before NO FORCE ROW LEVEL SECURITY",
        AUDIT,
        "CREATE TABLE parts.audit_default PARTITION OF audit DEFAULT",
        # Their owner moves rows out of the default partition; nobody else comes near them.
        "ALTER TABLE parts.aggregates_default NO FORCE ROW LEVEL SECURITY",
        "INSERT INTO audit OVERRIDING SYSTEM VALUE SELECT * FROM audit_before",
        "SELECT setval(pg_get_serial_sequence('audit', 'id'), coalesce(max(id), 0) + 1, false) FROM audit_before",
        "DROP TABLE audit_before",
        *_closed("audit"),
        f"CREATE POLICY readers ON audit FOR SELECT USING ({ROLE} = 'org-admin')",
        WRITERS,
        "GRANT SELECT, INSERT ON audit TO gateway_app",
        REPORTS,
        "CREATE INDEX reports_of_owner ON reports (organization, owner, created_at)",
        *_closed("reports"),
        f"CREATE POLICY system ON reports USING ({ROLE} = 'system')",
        f"CREATE POLICY readers ON reports FOR SELECT USING (owner = {ME})",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON reports TO gateway_app",
        f"CREATE POLICY forgetting ON leaderboard_choices FOR DELETE USING ({ROLE} = 'system')",
        f"CREATE POLICY forgetting ON recommendation_decisions FOR DELETE USING ({ROLE} = 'system')",
        KEEP,
        MISSING,
        "SELECT keep_partitions(now())",
    ]
    for function in ("keep_partitions(timestamptz)", "missing_partitions()"):
        statements += [
            f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {function} TO gateway_app",
        ]
    for statement in statements:
        op.execute(statement)


def _closed(table: str) -> list[str]:
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} AS RESTRICTIVE USING (organization = {MY_ORGANIZATION})",
    ]
