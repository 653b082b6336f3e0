"""Attempts count against a job that makes no headway, and what is put back remembers for how long.

`turn` grows with every claim, and only the last one is heard. `holder` is the process that claimed it: one that
comes back for a job it could not report on did not die of it. `setbacks` is how often in a row it went back to
the queue without headway. A viewer makes jobs about what they may hear of, and a night that is cancelled takes
its parts along.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ORGANIZATION = "(SELECT my_organization())"
ME = "(SELECT me())"
ROLE = "(SELECT my_role())"
ACTOR = "text, text, text"

# As answers are read: what somebody may not hear is not theirs to have worked out either.
MAKERS = f"""
CREATE POLICY makers ON jobs FOR INSERT WITH CHECK (owner = {ME} AND role = {ROLE} AND CASE kind
    WHEN 'EXPORT' THEN {ROLE} IN ('learner', 'trainer', 'org-admin') AND scope IS NULL AND subject IS NULL
    WHEN 'REFRESH' THEN scope IS NOT NULL AND subject IS NOT NULL
        AND (scope NOT IN ('organization', 'market') OR subject = {ORGANIZATION})
        AND CASE {ROLE}
            WHEN 'learner' THEN scope = 'market' OR (scope = 'learner' AND subject = {ME})
            WHEN 'trainer' THEN scope = 'market' OR (scope = 'trainer' AND subject = {ME})
                OR (scope = 'learner' AND subject IN (
                    SELECT e.person FROM teaching t JOIN enrollments e USING (organization, course)
                    WHERE t.organization = {ORGANIZATION} AND t.trainer = {ME} AND e.live))
            WHEN 'org-admin' THEN scope IN ('learner', 'trainer', 'organization', 'market')
            ELSE false END
    ELSE false END)
"""  # noqa: S608 - our own words

MOST_WAITING = 20_000
MOST_OF_ONE = 2_000

REPLACED = {
    # As before; and the row keeps its priority, for when it has to be delivered again.
    f"enqueue_jobs({ACTOR}, text, text[], text[], text[], jsonb[], integer, interval)": f"""
    RETURNS TABLE (n bigint, fresh boolean, job jobs) LANGUAGE plpgsql VOLATILE AS $$
    DECLARE made text[];
    BEGIN
        PERFORM act_as($1, $2, $3);
        WITH fresh AS (
            INSERT INTO jobs (organization, kind, owner, role, once, scope, subject, details, priority)
            SELECT $1, $4, $2, $3, q.once, q.scope, q.subject, q.details, $9
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
    # A job that goes back to the queue did not kill its worker; one that came further is as good as new.
    f"report_job({ACTOR}, text, integer, text, integer, jsonb, text)": """
    RETURNS TABLE (unwanted boolean) LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        UPDATE jobs SET status = $6, progress = greatest(progress, $7), result = coalesce($8, result),
            error = CASE WHEN $6 = 'RUNNING' AND $7 <= progress THEN error ELSE $9 END,
            attempts = CASE WHEN $6 = 'QUEUED' THEN 0 WHEN $6 = 'RUNNING' AND $7 > progress THEN 1 ELSE attempts END,
            setbacks = CASE WHEN $7 > progress THEN 0 WHEN $6 = 'QUEUED' THEN least(setbacks + 1, 1000)
                ELSE setbacks END,
            finished_at = CASE WHEN $6 IN ('QUEUED', 'RUNNING') THEN NULL ELSE clock_timestamp() END
        WHERE organization = $1 AND id = $4 AND turn = $5 AND status = 'RUNNING' RETURNING jobs.unwanted;
        IF FOUND THEN
            PERFORM tell_job($1, $4);
        END IF;
    END $$
    """,
    f"redeliver_jobs({ACTOR}, interval)": """
    RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
    DECLARE again integer;
    BEGIN
        PERFORM act_as($1, $2, $3);
        INSERT INTO queue.pgqueuer (priority, entrypoint, payload, status)
        SELECT j.priority, 'job', d.payload, 'queued'
        FROM jobs j CROSS JOIN LATERAL (
            SELECT convert_to(jsonb_build_array(j.organization, j.id)::text, 'UTF8') AS payload
        ) d
        WHERE j.organization = $1 AND j.status IN ('QUEUED', 'RUNNING')
            AND coalesce(j.claimed_at, j.created_at) <= clock_timestamp() - $4
            AND NOT EXISTS (
                SELECT FROM queue.pgqueuer q WHERE q.payload = d.payload AND q.status IN ('queued', 'picked')
            );
        GET DIAGNOSTICS again = ROW_COUNT;
        RETURN again;
    END $$
    """,
    # A night belongs to the gateway itself, and so do its parts: the platform's takes every organization's along.
    f"cancel_job({ACTOR}, text)": """
    RETURNS SETOF jobs LANGUAGE plpgsql VOLATILE AS $$
    DECLARE night text; one text; part text; here text[];
    BEGIN
        PERFORM act_as($1, $2, $3);
        UPDATE jobs SET unwanted = true, status = CASE status WHEN 'QUEUED' THEN 'CANCELLED' ELSE status END,
            finished_at = CASE status WHEN 'QUEUED' THEN clock_timestamp() END
        WHERE organization = $1 AND id = $4 AND status IN ('QUEUED', 'RUNNING');
        PERFORM tell_job($1, $4);
        SELECT details ->> 'night' INTO night FROM jobs
        WHERE organization = $1 AND id = $4 AND kind = 'NIGHTLY' AND unwanted;
        IF night IS NOT NULL AND $3 = 'system' THEN
            here := ARRAY[$1];
            IF $1 = '*' THEN
                PERFORM act_as('', 'janitor', 'janitor');
                SELECT array_agg(organization) INTO here FROM syncs;
            END IF;
            FOREACH one IN ARRAY coalesce(here, '{}') LOOP
                PERFORM act_as(one, 'system', 'system');
                FOR part IN
                    UPDATE jobs SET unwanted = true,
                        status = CASE status WHEN 'QUEUED' THEN 'CANCELLED' ELSE status END,
                        finished_at = CASE status WHEN 'QUEUED' THEN clock_timestamp() END
                    WHERE organization = one AND kind IN ('NIGHTLY', 'CHUNK', 'VIEWS')
                        AND details ->> 'night' = night AND status IN ('QUEUED', 'RUNNING') AND NOT unwanted
                    RETURNING id
                LOOP
                    PERFORM tell_job(one, part);
                END LOOP;
            END LOOP;
            PERFORM act_as($1, $2, $3);
        END IF;
        RETURN QUERY SELECT * FROM jobs WHERE organization = $1 AND id = $4;
    END $$
    """,
}

MADE = {
    # The process that held it last, and does not any more, is alive: that attempt failed for another reason.
    f"claim_job({ACTOR}, text, integer, text)": """
    RETURNS SETOF jobs LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as($1, $2, $3);
        UPDATE jobs SET attempts = greatest(attempts - 1, 0)
        WHERE organization = $1 AND id = $4 AND status = 'RUNNING' AND holder = $6;
        UPDATE jobs SET status = CASE WHEN unwanted THEN 'CANCELLED' ELSE 'FAILED' END, finished_at = clock_timestamp(),
            error = CASE WHEN unwanted THEN NULL ELSE format('given up after %s attempts', attempts) END
        WHERE organization = $1 AND id = $4 AND status IN ('QUEUED', 'RUNNING') AND (unwanted OR attempts >= $5);
        IF FOUND THEN
            PERFORM tell_job($1, $4);
            RETURN;
        END IF;
        RETURN QUERY
        UPDATE jobs SET status = 'RUNNING', attempts = attempts + 1, turn = turn + 1, holder = $6,
            claimed_at = clock_timestamp(), started_at = coalesce(started_at, clock_timestamp())
        WHERE organization = $1 AND id = $4 AND status IN ('QUEUED', 'RUNNING') RETURNING *;
        PERFORM tell_job($1, $4);
    END $$
    """,
    # Every organization's night, begun where it was not, in one round trip however many organizations there are.
    f"begin_nights({ACTOR}, text, jsonb, integer)": """
    RETURNS SETOF jobs LANGUAGE plpgsql VOLATILE AS $$
    DECLARE one text; here text[];
    BEGIN
        IF $1 <> '*' OR $3 <> 'system' THEN
            RETURN;
        END IF;
        PERFORM act_as('', 'janitor', 'janitor');
        SELECT array_agg(organization ORDER BY organization) INTO here FROM syncs;
        FOREACH one IN ARRAY coalesce(here, '{}') LOOP
            PERFORM act_as(one, 'system', 'system');
            RETURN QUERY SELECT * FROM jobs WHERE organization = one AND once = $4 ORDER BY created_at DESC LIMIT 1;
            IF NOT FOUND THEN
                RETURN QUERY SELECT (e.job).* FROM enqueue_jobs(one, 'system', 'system', 'NIGHTLY', ARRAY[$4],
                    ARRAY[NULL]::text[], ARRAY[NULL]::text[], ARRAY[$5], $6, interval '0') e;
            END IF;
        END LOOP;
        PERFORM act_as($1, $2, $3);
    END $$
    """,
}


def upgrade() -> None:
    """Add the columns, and say anew what jobs do."""
    for statement in (
        "ALTER TABLE jobs ADD turn integer NOT NULL DEFAULT 0, ADD holder text, ADD claimed_at timestamptz",
        "ALTER TABLE jobs ADD setbacks smallint NOT NULL DEFAULT 0, ADD priority smallint NOT NULL DEFAULT 0",
        "GRANT UPDATE (turn, holder, setbacks, claimed_at) ON jobs TO gateway_app",
        "CREATE INDEX jobs_by_name ON jobs (organization, once, created_at)",
        "DROP POLICY makers ON jobs",
        MAKERS,
        f"DROP FUNCTION claim_job({ACTOR}, text, integer)",
    ):
        op.execute(statement)
    for signature, body in {**REPLACED, **MADE}.items():
        op.execute(f"CREATE OR REPLACE FUNCTION {signature} {body}")
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO gateway_app")
