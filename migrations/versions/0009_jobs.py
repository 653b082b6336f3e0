"""Jobs: what is done without anybody waiting for it.

The `jobs` table remembers, under the rules of rows; PgQueuer's own tables, in a schema of their own,
deliver. A row and its delivery are one statement of one function, so that neither is there without the
other. The delivery holds two ids and nothing else.
"""

from __future__ import annotations

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ORGANIZATION = "(SELECT my_organization())"
ME = "(SELECT me())"
ROLE = "(SELECT my_role())"

TABLE = """
CREATE TABLE jobs (
    organization text NOT NULL,
    id text NOT NULL DEFAULT gen_random_uuid()::text,
    kind text NOT NULL,
    owner text NOT NULL,
    role text NOT NULL,
    once text NOT NULL,
    scope text,
    subject text,
    details jsonb NOT NULL,
    status text NOT NULL DEFAULT 'QUEUED',
    progress smallint NOT NULL DEFAULT 0,
    attempts smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz,
    unwanted boolean NOT NULL DEFAULT false,
    result jsonb,
    error text,
    PRIMARY KEY (organization, id),
    CONSTRAINT jobs_stand_somewhere CHECK (status IN ('QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    CONSTRAINT jobs_progress_in_percent CHECK (progress BETWEEN 0 AND 100)
)
"""

# What a job is, and whose, is said once: neither its owner nor the system makes another of it.
CHANGES = "once, details, status, progress, attempts, started_at, finished_at, unwanted, result, error"

READERS = f"""
CREATE POLICY readers ON jobs FOR SELECT USING (owner = {ME} OR CASE {ROLE}
    WHEN 'learner' THEN scope = 'learner' AND subject = {ME}
    WHEN 'trainer' THEN (scope = 'trainer' AND subject = {ME}) OR (scope = 'learner' AND subject IN (
        SELECT e.person FROM teaching t JOIN enrollments e USING (organization, course)
        WHERE t.organization = {ORGANIZATION} AND t.trainer = {ME} AND e.live))
    WHEN 'org-admin' THEN true
    ELSE false END)
"""  # noqa: S608 - our own words

MAKERS = f"""
CREATE POLICY makers ON jobs FOR INSERT WITH CHECK (owner = {ME} AND role = {ROLE} AND kind IN ('REFRESH', 'EXPORT')
    AND {ROLE} IN ('learner', 'trainer', 'org-admin'))
"""

ACTOR = "text, text, text"
MOST_WAITING = 20_000
"""The most deliveries that wait when a viewer asks for one more."""
MOST_OF_ONE = 2_000
"""The most jobs of one viewer that are on their way, so that nobody takes the others' places."""

FUNCTIONS = {
    # Waits for whoever makes the same job just now, so the row that is read afterwards is there to be seen.
    # A queue that is full takes no more of what viewers ask for; what the gateway itself wants is bounded as it is.
    f"enqueue_jobs({ACTOR}, text, text[], text[], text[], jsonb[], integer, interval)": f"""
    RETURNS TABLE (n bigint, fresh boolean, job jobs) LANGUAGE plpgsql VOLATILE AS $$
    DECLARE made text[];
    BEGIN
        PERFORM act_as($1, $2, $3);
        WITH fresh AS (
            INSERT INTO jobs (organization, kind, owner, role, once, scope, subject, details)
            SELECT $1, $4, $2, $3, q.once, q.scope, q.subject, q.details
            FROM (SELECT DISTINCT ON (once) * FROM unnest($5, $6, $7, $8) AS u (once, scope, subject, details)
                  ORDER BY once) q
            WHERE $3 = 'system' OR NOT EXISTS (
                SELECT FROM queue.pgqueuer WHERE status = 'queued' OFFSET {MOST_WAITING} - 1 LIMIT 1)
            LIMIT CASE WHEN $3 <> 'system' THEN greatest(0, {MOST_OF_ONE} - (SELECT count(*) FROM jobs
                WHERE organization = $1 AND owner = $2 AND status IN ('QUEUED', 'RUNNING'))) END
            ON CONFLICT (organization, once) WHERE status IN ('QUEUED', 'RUNNING') DO NOTHING
            RETURNING id
        ), delivered AS (
            INSERT INTO queue.pgqueuer (priority, entrypoint, payload, execute_after, status)
            SELECT $9, 'job', convert_to(jsonb_build_array($1, id)::text, 'UTF8'), now() + $10, 'queued' FROM fresh
        )
        SELECT array_agg(id) INTO made FROM fresh;
        RETURN QUERY
        SELECT q.n, coalesce(j.id = ANY (made), false), j
        FROM unnest($5) WITH ORDINALITY AS q (once, n)
        JOIN jobs j ON j.organization = $1 AND j.once = q.once AND j.status IN ('QUEUED', 'RUNNING');
    END $$
    """,  # noqa: S608 - ours
    f"claim_job({ACTOR}, text, integer)": """
    RETURNS SETOF jobs LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as($1, $2, $3);
        UPDATE jobs SET status = CASE WHEN unwanted THEN 'CANCELLED' ELSE 'FAILED' END, finished_at = clock_timestamp(),
            error = CASE WHEN unwanted THEN NULL ELSE format('given up after %s attempts', attempts) END
        WHERE organization = $1 AND id = $4 AND status IN ('QUEUED', 'RUNNING') AND (unwanted OR attempts >= $5);
        IF FOUND THEN
            PERFORM tell_job($1, $4);
            RETURN;
        END IF;
        RETURN QUERY
        UPDATE jobs SET status = 'RUNNING', attempts = attempts + 1,
            started_at = coalesce(started_at, clock_timestamp())
        WHERE organization = $1 AND id = $4 AND status IN ('QUEUED', 'RUNNING') RETURNING *;
        PERFORM tell_job($1, $4);
    END $$
    """,
    # Only the attempt that was claimed last is heard: a worker that was taken for dead says nothing any more.
    # A job that goes back to the queue without an error only waits for other jobs: that was no attempt.
    f"report_job({ACTOR}, text, integer, text, integer, jsonb, text)": """
    RETURNS TABLE (unwanted boolean) LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        UPDATE jobs SET status = $6, progress = greatest(progress, $7), result = coalesce($8, result), error = $9,
            attempts = attempts - CASE WHEN $6 = 'QUEUED' AND $9 IS NULL THEN 1 ELSE 0 END,
            finished_at = CASE WHEN $6 IN ('QUEUED', 'RUNNING') THEN NULL ELSE clock_timestamp() END
        WHERE organization = $1 AND id = $4 AND attempts = $5 AND status = 'RUNNING' RETURNING jobs.unwanted;
        IF FOUND THEN
            PERFORM tell_job($1, $4);
        END IF;
    END $$
    """,
    # Whether a newer answer is on its way is nobody's secret; whose job it is, is. What failed a moment ago rests.
    f"renew_answers({ACTOR}, text[], text[], text[], jsonb[], integer, interval)": """
    RETURNS TABLE (n bigint, on_its_way boolean, job jobs) LANGUAGE plpgsql VOLATILE AS $$
    DECLARE resting bigint[]; known bigint[];
    BEGIN
        PERFORM act_as($1, 'system', 'system');
        SELECT array_agg(a.n) FILTER (WHERE EXISTS (SELECT FROM jobs j WHERE j.organization = $1 AND j.once = a.once
                AND j.status = 'FAILED' AND j.finished_at > clock_timestamp() - $9)),
            array_agg(a.n) FILTER (WHERE EXISTS (SELECT FROM jobs j WHERE j.organization = $1 AND j.once = a.once
                AND j.status IN ('QUEUED', 'RUNNING')))
        INTO resting, known FROM unnest($4) WITH ORDINALITY AS a (once, n);
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        WITH due AS (
            SELECT array_agg(a.n) AS ns, array_agg(a.once) AS onces, array_agg(a.scope) AS scopes,
                array_agg(a.subject) AS subjects, array_agg(a.details) AS details
            FROM unnest($4, $5, $6, $7) WITH ORDINALITY AS a (once, scope, subject, details, n)
            WHERE NOT coalesce(a.n = ANY (resting), false)
        ), made AS (
            SELECT due.ns[e.n] AS n, e.job FROM due, enqueue_jobs(
                $1, $2, $3, 'REFRESH', due.onces, due.scopes, due.subjects, due.details, $8, interval '0') e
        )
        SELECT a.n, (m.job).id IS NOT NULL OR coalesce(a.n = ANY (known), false), m.job
        FROM unnest($4) WITH ORDINALITY AS a (once, n) LEFT JOIN made m ON m.n = a.n;
    END $$
    """,
    # One at a time for each viewer, so that two requests at once do not both find room for one more. What is on
    # its way already is answered with, and costs nothing.
    f"ask_job({ACTOR}, text, text, text, jsonb, integer, integer, interval, text, text)": """
    RETURNS TABLE (again_in interval, job jobs) LANGUAGE plpgsql VOLATILE AS $$
    DECLARE wait interval;
    BEGIN
        PERFORM act_as($1, $2, $3);
        PERFORM pg_advisory_xact_lock(hashtextextended(jsonb_build_array($11, $1, $2)::text, 0));
        IF NOT EXISTS (SELECT FROM jobs WHERE organization = $1 AND once = $4 AND status IN ('QUEUED', 'RUNNING')) THEN
            SELECT created_at + $10 - clock_timestamp() INTO wait FROM jobs
            WHERE organization = $1 AND owner = $2 AND kind = $11 AND starts_with(once, $12)
                AND created_at > clock_timestamp() - $10
            ORDER BY created_at DESC OFFSET $9 - 1 LIMIT 1;
            IF FOUND THEN
                RETURN QUERY SELECT wait, NULL::jobs;
                RETURN;
            END IF;
        END IF;
        RETURN QUERY SELECT NULL::interval, e.job FROM enqueue_jobs(
            $1, $2, $3, $11, ARRAY[$4], ARRAY[$5], ARRAY[$6], ARRAY[$7], $8, interval '0') e;
    END $$
    """,
    f"find_job({ACTOR}, text)": """
    RETURNS SETOF jobs LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY SELECT * FROM jobs WHERE organization = $1 AND id = $4;
    END $$
    """,
    f"redeliver_jobs({ACTOR}, interval)": """
    RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
    DECLARE again integer;
    BEGIN
        PERFORM act_as($1, $2, $3);
        INSERT INTO queue.pgqueuer (priority, entrypoint, payload, status)
        SELECT 0, 'job', d.payload, 'queued'
        FROM jobs j CROSS JOIN LATERAL (
            SELECT convert_to(jsonb_build_array(j.organization, j.id)::text, 'UTF8') AS payload
        ) d
        WHERE j.organization = $1 AND j.status IN ('QUEUED', 'RUNNING')
            AND coalesce(j.started_at, j.created_at) <= clock_timestamp() - $4
            AND NOT EXISTS (
                SELECT FROM queue.pgqueuer q WHERE q.payload = d.payload AND q.status IN ('queued', 'picked')
            );
        GET DIAGNOSTICS again = ROW_COUNT;
        RETURN again;
    END $$
    """,
    f"cancel_job({ACTOR}, text)": """
    RETURNS SETOF jobs LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as($1, $2, $3);
        UPDATE jobs SET unwanted = true, status = CASE status WHEN 'QUEUED' THEN 'CANCELLED' ELSE status END,
            finished_at = CASE status WHEN 'QUEUED' THEN clock_timestamp() END
        WHERE organization = $1 AND id = $4 AND status IN ('QUEUED', 'RUNNING');
        PERFORM tell_job($1, $4);
        RETURN QUERY SELECT * FROM jobs WHERE organization = $1 AND id = $4;
    END $$
    """,
}

TELL = """
CREATE FUNCTION tell_job(text, text) RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT pg_notify('jobs', jsonb_build_array(organization, id)::text) FROM jobs WHERE organization = $1 AND id = $2
$$
"""


def upgrade() -> None:
    """Make the queue, the table and the functions."""
    # PgQueuer's own script is many statements, which only the simple protocol takes.
    script = QueryBuilderEnvironment(DBSettings(db_schema="queue")).build_install_query()
    op.get_bind().connection.dbapi_connection.run_async(lambda connection: connection.execute(script))
    statements = [
        "GRANT USAGE ON SCHEMA queue TO gateway_app",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA queue TO gateway_app",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA queue TO gateway_app",
        TABLE,
        "CREATE UNIQUE INDEX one_job_at_a_time ON jobs (organization, once) WHERE status IN ('QUEUED', 'RUNNING')",
        "CREATE INDEX jobs_of_owner ON jobs (organization, owner, created_at)",
        "CREATE INDEX jobs_on_their_way ON jobs (organization, owner) WHERE status IN ('QUEUED', 'RUNNING')",
        "CREATE INDEX jobs_that_failed ON jobs (organization, once, finished_at) WHERE status = 'FAILED'",
        "CREATE INDEX jobs_by_age ON jobs (organization, created_at, id)",
        "ALTER TABLE jobs ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE jobs FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON jobs AS RESTRICTIVE USING (organization = {ORGANIZATION})",
        f"CREATE POLICY system ON jobs USING ({ROLE} = 'system')",
        READERS,
        MAKERS,
        f"CREATE POLICY owners ON jobs FOR UPDATE USING (owner = {ME})",
        "GRANT SELECT, INSERT, DELETE ON jobs TO gateway_app",
        f"GRANT UPDATE ({CHANGES}) ON jobs TO gateway_app",
        TELL,
    ]
    for statement in statements:
        op.execute(statement)
    for signature, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {signature} {body}")
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO gateway_app")
    op.execute("REVOKE ALL ON FUNCTION tell_job(text, text) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION tell_job(text, text) TO gateway_app")
