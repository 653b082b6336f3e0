"""Who comes in is looked after together with others who do, and whether the queue is full is seen at once.

Making jobs asked for the twenty-thousandth that waits, which is reading all that wait: four milliseconds where it is
nearly full, for each viewer who had something made. The ids of deliveries grow, so where the first and the last are
less than that apart, nobody has to look further. The policies of jobs held the query for a trainer's learners, which
each statement made ready several times, needed or not; they call it now, as those of answers do (revision 0016).
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MOST_WAITING = 20_000
MOST_OF_ONE = 2_000

JOBS = "kind text, onces text[], scopes text[], subjects text[], details jsonb[], priority integer, after interval"

ORGANIZATION = "(SELECT my_organization())"
ME = "(SELECT me())"
ROLE = "(SELECT my_role())"

POLICIES = (
    "DROP POLICY readers ON jobs",
    f"""
    CREATE POLICY readers ON jobs FOR SELECT USING (owner = {ME} OR CASE {ROLE}
        WHEN 'learner' THEN scope = 'learner' AND subject = {ME}
        WHEN 'trainer' THEN (scope = 'trainer' AND subject = {ME})
            OR (scope = 'learner' AND subject IN (SELECT learners_taught()))
        WHEN 'org-admin' THEN true
        ELSE false END)
    """,
    "DROP POLICY makers ON jobs",
    f"""
    CREATE POLICY makers ON jobs FOR INSERT WITH CHECK (owner = {ME} AND role = {ROLE} AND CASE kind
        WHEN 'EXPORT' THEN {ROLE} IN ('learner', 'trainer', 'org-admin') AND scope IS NULL AND subject IS NULL
        WHEN 'REFRESH' THEN scope IS NOT NULL AND subject IS NOT NULL
            AND (scope NOT IN ('organization', 'market') OR subject = {ORGANIZATION})
            AND CASE {ROLE}
                WHEN 'learner' THEN scope = 'market' OR (scope = 'learner' AND subject = {ME})
                WHEN 'trainer' THEN scope = 'market' OR (scope = 'trainer' AND subject = {ME})
                    OR (scope = 'learner' AND subject IN (SELECT learners_taught()))
                WHEN 'org-admin' THEN scope IN ('learner', 'trainer', 'organization', 'market')
                ELSE false END
        ELSE false END)
    """,
)

# Planned while there are few jobs, a query may keep to an index that says too little; this one says all it asks for.
INDEX = "CREATE INDEX jobs_of_arrivals ON jobs (organization, owner, created_at) WHERE details @> '{\"arrived\": true}'"

# Assigned, a call is no query of its own.
ACT = """
    told := set_config('app.organization', $1[i], true);
    told := set_config('app.user', $2[i], true);
    told := set_config('app.role', $3[i], true);
"""

MADE = {
    # Not as min() and max(): planned while the queue is empty, they are worked out by reading all of it ever after.
    "queue_is_full()": f"""
    RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    DECLARE
        first bigint := (SELECT id FROM queue.pgqueuer ORDER BY id LIMIT 1);
        last bigint := (SELECT id FROM queue.pgqueuer ORDER BY id DESC LIMIT 1);
    BEGIN
        RETURN coalesce(last - first + 1 >= {MOST_WAITING}, false) AND (
            SELECT count(*) >= {MOST_WAITING} FROM (
                SELECT FROM queue.pgqueuer WHERE status = 'queued' LIMIT {MOST_WAITING}
            ) q
        );
    END $$
    """,  # noqa: S608 - ours
    # Whoever calls it acts already, and has looked whether there is room in the queue.
    f"make_jobs(organization text, actor text, role text, {JOBS})": f"""
    RETURNS text[] LANGUAGE plpgsql VOLATILE
    SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan AS $$
    #variable_conflict use_column
    DECLARE made text[];
    BEGIN
        WITH fresh AS (
            INSERT INTO jobs (organization, kind, owner, role, once, scope, subject, details, priority)
            SELECT $1, $4, $2, $3, q.once, q.scope, q.subject, q.details, $9
            FROM (SELECT DISTINCT ON (once) * FROM unnest($5, $6, $7, $8) AS u (once, scope, subject, details)
                  ORDER BY once) q
            LIMIT CASE WHEN $3 <> 'system' THEN greatest(0, {MOST_OF_ONE} - (SELECT count(*) FROM jobs
                WHERE organization = $1 AND owner = $2 AND status IN ('QUEUED', 'RUNNING'))) END
            ON CONFLICT (organization, once) WHERE status IN ('QUEUED', 'RUNNING') DO NOTHING
            RETURNING id
        ), delivered AS (
            INSERT INTO queue.pgqueuer (priority, entrypoint, payload, execute_after, status)
            SELECT $9, 'job', convert_to(jsonb_build_array($1, id)::text, 'UTF8'), now() + $10, 'queued' FROM fresh
        )
        SELECT array_agg(id) INTO made FROM fresh;
        RETURN made;
    END $$
    """,  # noqa: S608 - ours
    # Each as themselves, one after the other. First what is kept: whose own is fresh has nothing else looked up.
    "look_after_arrivals(organizations text[], actors text[], roles text[], subjects text[], at timestamptz, "
    "lately interval, scopes text[], metrics text[], args text[], onces text[], details jsonb[], "
    "OUT made integer, OUT put_off integer[])": f"""
    LANGUAGE plpgsql VOLATILE
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_nestloop = off SET enable_mergejoin = off
    SET plan_cache_mode = force_generic_plan AS $$
    #variable_conflict use_column
    DECLARE
        told text;
        due record;
        no_room boolean;
        since timestamptz := clock_timestamp() - lately;
    BEGIN
        made := 0;
        put_off := '{{}}';
        FOR i IN 1 .. cardinality($1) LOOP
            {ACT}
            SELECT array_agg(replace(q.once, chr(31), $4[i])) AS onces, array_agg(q.scope) AS scopes,
                array_agg($4[i]) AS subjects, array_agg(CASE WHEN a.calculated_at IS NULL THEN q.details
                    ELSE q.details || jsonb_build_object('since', a.calculated_at + interval '1 microsecond') END)
                AS details
            INTO due
            FROM unnest($7, $8, $9, $10, $11) AS q (scope, metric, arguments, once, details)
            LEFT JOIN (
                SELECT scope, metric, arguments, calculated_at, expires_at FROM answers
                WHERE organization = $1[i] AND scope = ANY ($7) AND subject = $4[i]
            ) a ON a.scope = q.scope AND a.metric = q.metric AND a.arguments = q.arguments
            WHERE a.expires_at IS NULL OR a.expires_at <= $5;
            CONTINUE WHEN due.onces IS NULL OR EXISTS (
                SELECT FROM jobs WHERE organization = $1[i] AND owner = $2[i]
                    AND created_at > since AND details @> '{{"arrived": true}}');
            no_room := coalesce(no_room, queue_is_full());
            EXIT WHEN no_room;
            -- Making jobs heeds who is forgotten: where somebody is being forgotten now, the others do not wait.
            IF NOT pg_try_advisory_xact_lock_shared(forgetting_lock($1[i])) THEN
                put_off := put_off || i;
                CONTINUE;
            END IF;
            made := made + coalesce(cardinality(make_jobs($1[i], $2[i], $3[i],
                'REFRESH', due.onces, due.scopes, due.subjects, due.details, 0, interval '0')), 0);
        END LOOP;
    END $$
    """,  # noqa: S608 - our own words
}

REPLACED = {
    # As before, in two steps.
    "enqueue_jobs(text, text, text, text, text[], text[], text[], jsonb[], integer, interval)": """
    RETURNS TABLE (n bigint, fresh boolean, job jobs) LANGUAGE plpgsql VOLATILE AS $$
    DECLARE made text[];
    BEGIN
        PERFORM act_as($1, $2, $3);
        IF $3 = 'system' OR NOT queue_is_full() THEN
            made := make_jobs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
        END IF;
        RETURN QUERY
        SELECT q.n, coalesce(j.id = ANY (made), false), j
        FROM unnest($5) WITH ORDINALITY AS q (once, n)
        JOIN jobs j ON j.organization = $1 AND j.once = q.once AND j.status IN ('QUEUED', 'RUNNING');
    END $$
    """,
}


def upgrade() -> None:
    """Make the policies lighter, and the functions, with a search path of their own, for the application alone."""
    for statement in (*POLICIES, INDEX):
        op.execute(statement)
    for signature, body in {**MADE, **REPLACED}.items():
        name = signature.partition("(")[0]
        op.execute(f"CREATE OR REPLACE FUNCTION {signature} {body}")
        op.execute(f"ALTER FUNCTION {name} SET search_path = public, pg_temp")
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO gateway_app")
