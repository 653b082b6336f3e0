"""Who is signed in: sessions, refresh tokens, what was revoked, and accounts of our own.

Whoever shows a refresh token, or types an address, is nobody yet: the role `bearer` sees the one row of what they
show, named as the actor's user, and learns from it which organization it is of. All else is the system's. Of a
refresh token only the digest is here; it is taken by one update, so that of two who show it at once one has it.

How often a sign-in failed is asked of the audit: a row before the password is looked at and one with the outcome,
so that a thousand guesses at once find five places, and one that never ended counts as failed.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ME = "(SELECT me())"
ROLE = "(SELECT my_role())"
MY_ORGANIZATION = "(SELECT my_organization())"

TABLES = {
    "sessions": """
    CREATE TABLE sessions (
        organization text NOT NULL,
        id text NOT NULL DEFAULT gen_random_uuid()::text,
        person text NOT NULL,
        upstream text,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        expires_at timestamptz NOT NULL,
        ended_at timestamptz,
        PRIMARY KEY (organization, id)
    )
    """,
    "refresh_tokens": """
    CREATE TABLE refresh_tokens (
        organization text NOT NULL,
        digest text NOT NULL,
        session text NOT NULL,
        access text NOT NULL,
        access_until timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        PRIMARY KEY (organization, digest),
        FOREIGN KEY (organization, session) REFERENCES sessions ON DELETE CASCADE
    )
    """,
    "revocations": """
    CREATE TABLE revocations (
        organization text NOT NULL,
        person text NOT NULL,
        token text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        until timestamptz NOT NULL,
        PRIMARY KEY (organization, person, token)
    )
    """,
    "local_accounts": """
    CREATE TABLE local_accounts (
        organization text NOT NULL,
        person text NOT NULL,
        email text NOT NULL,
        name text NOT NULL,
        roles text[] NOT NULL,
        password text NOT NULL,
        disabled_at timestamptz,
        PRIMARY KEY (organization, person)
    )
    """,
}
SHOWN = {"refresh_tokens": "digest", "local_accounts": "email"}
"""By which column a bearer finds their own row."""

INDEXES = (
    "CREATE INDEX sessions_by_age ON sessions (organization, expires_at)",
    "CREATE INDEX sessions_of_person ON sessions (organization, person)",
    "CREATE UNIQUE INDEX refresh_tokens_by_digest ON refresh_tokens (digest)",
    "CREATE INDEX refresh_tokens_of_session ON refresh_tokens (organization, session)",
    "CREATE INDEX refresh_tokens_of_access ON refresh_tokens (organization, access)",
    "CREATE INDEX revocations_by_age ON revocations (organization, until)",
    "CREATE UNIQUE INDEX local_accounts_by_email ON local_accounts (email)",
    "CREATE INDEX audit_of_address ON audit (organization, address, at)",
)

FUNCTIONS = {
    "tell_standing(text, text)": """
    RETURNS void LANGUAGE sql VOLATILE AS $$ SELECT pg_notify('standing', jsonb_build_array($1, $2)::text) $$
    """,
    # Organization, person, sealed upstream token, digests of the refresh and the access token, their ends.
    "start_session(text, text, text, text, text, timestamptz, interval)": """
    RETURNS text LANGUAGE plpgsql VOLATILE AS $$
    DECLARE made text;
    BEGIN
        PERFORM act_as($1, 'system', 'system');
        INSERT INTO sessions (organization, person, upstream, expires_at)
        VALUES ($1, $2, $3, clock_timestamp() + $7) RETURNING id INTO made;
        INSERT INTO refresh_tokens (organization, digest, session, access, access_until, expires_at)
        VALUES ($1, $4, made, $5, $6, clock_timestamp() + $7);
        RETURN made;
    END $$
    """,
    # Its access tokens let nobody in, nor in the 5 minutes at most that clocks are forgiven; every process is told.
    "end_session(text, text)": """
    RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
    DECLARE whose text;
    BEGIN
        PERFORM act_as($1, 'system', 'system');
        UPDATE sessions SET ended_at = clock_timestamp(), upstream = NULL
        WHERE organization = $1 AND id = $2 AND ended_at IS NULL RETURNING person INTO whose;
        IF whose IS NOT NULL THEN
            INSERT INTO revocations (organization, person, token, until)
            SELECT $1, whose, t.access, max(t.access_until) FROM refresh_tokens t
            WHERE t.organization = $1 AND t.session = $2 AND t.access_until > clock_timestamp() - interval '5 min'
            GROUP BY t.access ON CONFLICT DO NOTHING;
            PERFORM tell_standing($1, whose);
        END IF;
        RETURN whose IS NOT NULL;
    END $$
    """,
    # The row of the session is locked first: what is read after it is how things stand for good.
    "take_refresh_token(text)": """
    RETURNS TABLE (verdict text, organization text, session text, person text, upstream text)
    LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    DECLARE here text; held sessions; shown refresh_tokens;
    BEGIN
        PERFORM act_as('', $1, 'bearer');
        SELECT t.organization INTO here FROM refresh_tokens t WHERE t.digest = $1;
        IF here IS NULL THEN
            RETURN;
        END IF;
        PERFORM act_as(here, 'system', 'system');
        SELECT s.* INTO held FROM sessions s JOIN refresh_tokens t ON t.organization = s.organization
            AND t.session = s.id WHERE t.organization = here AND t.digest = $1 FOR UPDATE OF s;
        SELECT t.* INTO shown FROM refresh_tokens t WHERE t.organization = here AND t.digest = $1;
        IF shown.used_at IS NOT NULL AND held.ended_at IS NULL THEN
            PERFORM end_session(here, held.id);
            RETURN QUERY SELECT 'reused', here, held.id, held.person, NULL::text;
        ELSIF held.ended_at IS NOT NULL OR shown.used_at IS NOT NULL OR shown.expires_at <= clock_timestamp()
            OR revoked_at(held.person) >= held.started_at THEN
            RETURN QUERY SELECT 'over', here, held.id, held.person, NULL::text;
        ELSE
            PERFORM act_as(here, 'system', 'system');
            UPDATE refresh_tokens SET used_at = clock_timestamp() WHERE organization = here AND digest = $1;
            RETURN QUERY SELECT 'taken', here, held.id, held.person, held.upstream;
        END IF;
    END $$
    """,
    # Nobody else had it meanwhile, or the session would be over: it is as good as it was.
    "give_back_refresh_token(text, text, text)": """
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as($1, 'system', 'system');
        UPDATE refresh_tokens t SET used_at = NULL FROM sessions s
        WHERE t.organization = $1 AND t.digest = $3 AND s.organization = $1 AND s.id = $2 AND s.ended_at IS NULL;
    END $$
    """,
    # A session that ended meanwhile stays over: what was just made for it is revoked with the rest.
    "follow_session(text, text, text, text, text, timestamptz, interval)": """
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    DECLARE held sessions;
    BEGIN
        PERFORM act_as($1, 'system', 'system');
        UPDATE sessions SET upstream = CASE WHEN ended_at IS NULL THEN $3 END, expires_at = clock_timestamp() + $7
        WHERE organization = $1 AND id = $2 RETURNING * INTO held;
        INSERT INTO refresh_tokens (organization, digest, session, access, access_until, expires_at)
        SELECT $1, $4, $2, $5, $6, clock_timestamp() + $7 WHERE held.id IS NOT NULL;
        IF held.ended_at IS NOT NULL THEN
            INSERT INTO revocations (organization, person, token, until) VALUES ($1, held.person, $5, $6)
            ON CONFLICT DO NOTHING;
            PERFORM tell_standing($1, held.person);
        END IF;
    END $$
    """,
    # Organization, person, digest of the access token that is shown, and its end.
    "sign_out(text, text, text, timestamptz)": """
    RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as($1, 'system', 'system');
        INSERT INTO revocations (organization, person, token, until) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;
        PERFORM tell_standing($1, $2);
        RETURN (SELECT count(*) FROM (
            SELECT DISTINCT t.session FROM refresh_tokens t WHERE t.organization = $1 AND t.access = $3
        ) mine WHERE end_session($1, mine.session));
    END $$
    """,
    # Wherever they are: the row is of no organization, so that it also holds where nobody has heard of them yet.
    "revoke_person(text, interval)": """
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as('*', 'system', 'system');
        INSERT INTO revocations (organization, person, token, until) VALUES ('*', $1, '', clock_timestamp() + $2)
        ON CONFLICT (organization, person, token) DO UPDATE SET at = excluded.at, until = excluded.until;
        PERFORM tell_standing('*', $1);
    END $$
    """,
    "revoked_at(text)": """
    RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
        SELECT act_as('*', 'system', 'system');
        SELECT at FROM revocations WHERE organization = '*' AND person = $1 AND token = ''
    $$
    """,
    # What we know of somebody ourselves: the copy of the directory, where there is one, and what was revoked.
    "read_standings(text[], text[])": """
    RETURNS TABLE (copied boolean, active boolean, revoked timestamptz, tokens text[]) LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        FOR i IN 1 .. cardinality($1) LOOP
            revoked := revoked_at($2[i]); PERFORM act_as($1[i], 'system', 'system');
            copied := EXISTS (SELECT FROM syncs WHERE organization = $1[i]);
            active := EXISTS (SELECT FROM people WHERE organization = $1[i] AND id = $2[i] AND is_active);
            tokens := ARRAY (SELECT token FROM revocations
                WHERE organization = $1[i] AND person = $2[i] AND until > clock_timestamp() - interval '5 min');
            RETURN NEXT;
        END LOOP;
    END $$
    """,
    # The failures of an account or, if that is null, from an address. One is pending until its outcome is there.
    "sign_ins_that_failed(text, text, interval)": """
    RETURNS TABLE (at timestamptz, pending boolean) LANGUAGE sql STABLE AS $$
        SELECT t.at, t.at > clock_timestamp() - interval '30 seconds' AND NOT EXISTS (
            SELECT FROM audit o WHERE o.organization = '*' AND o.subject = t.subject AND o.at >= t.at
                AND o.kind = 'sign-in.failed' AND o.details ->> 'attempt' = t.details ->> 'attempt')
        FROM audit t
        WHERE t.organization = '*' AND t.kind = 'sign-in.tried' AND t.at > now() - 2 * $3
            AND (t.subject = $1 OR ($1 IS NULL AND t.address = $2))
            AND NOT EXISTS (
                SELECT FROM audit o WHERE o.organization = '*' AND o.subject = t.subject AND o.at >= t.at
                    AND o.kind IN ('sign-in.passed', 'sign-in.unjudged')
                    AND o.details ->> 'attempt' = t.details ->> 'attempt')
    $$
    """,
    # How long it is locked: until a span after the last of so many failures that lay within one span. What is not
    # known to have failed yet locks nothing, but takes a place.
    "sign_in_rest(text, text, integer, interval)": """
    RETURNS interval LANGUAGE sql STABLE AS $$
        WITH tried AS (SELECT * FROM sign_ins_that_failed($1, $2, $4)), spans AS (
            SELECT at, lag(at, $3 - 1) OVER (ORDER BY at) AS since FROM tried WHERE NOT pending
        )
        SELECT coalesce(
            (SELECT max(at) + $4 - clock_timestamp() FROM spans WHERE at - since < $4 AND at > clock_timestamp() - $4),
            (SELECT interval '1 second' FROM tried WHERE at > clock_timestamp() - $4 HAVING count(*) >= $3))
    $$
    """,
    # Digest of the account, address, request, the most failures of an account and from an address, and the span.
    # One at a time for each, so that two who ask at once do not both find the last place. The audit is its admins'
    # to read, also for the platform.
    "begin_sign_in(text, text, text, integer, integer, interval)": """
    RETURNS TABLE (attempt text, again_in interval) LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(k.key) FROM (
            SELECT hashtextextended('sign-in ' || u.what, 0) AS key FROM unnest(ARRAY[$1, $2]) AS u (what)
            WHERE u.what IS NOT NULL ORDER BY 1) k;
        PERFORM act_as('*', 'system', 'org-admin');
        again_in := greatest(sign_in_rest($1, NULL, $4, $6),
            CASE WHEN $2 IS NOT NULL THEN sign_in_rest(NULL, $2, $5, $6) END);
        IF again_in IS NULL THEN
            attempt := gen_random_uuid()::text;
        ELSIF EXISTS (SELECT FROM audit WHERE organization = '*' AND subject = $1 AND kind = 'sign-in.locked'
                AND at > clock_timestamp() - interval '1 minute') THEN
            RETURN NEXT;
            RETURN;
        END IF;
        PERFORM record_audit('*', 'system', 'system',
            ARRAY[CASE WHEN attempt IS NULL THEN 'sign-in.locked' ELSE 'sign-in.tried' END], ARRAY[$1],
            ARRAY[jsonb_strip_nulls(jsonb_build_object('attempt', attempt))], $2, $3);
        RETURN NEXT;
    END $$
    """,
}


def upgrade() -> None:
    """Make the tables, closed to all but the system and who shows what is in a row, and the functions."""
    statements: list[str] = []
    for table, made in TABLES.items():
        shown = f"{ROLE} = 'bearer' AND {SHOWN[table]} = {ME}" if table in SHOWN else None
        mine = f"organization = {MY_ORGANIZATION}"
        tenant = f"USING ({mine} OR ({shown})) WITH CHECK ({mine})" if shown else f"USING ({mine})"
        statements += [
            made,
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {table} AS RESTRICTIVE {tenant}",
            f"CREATE POLICY system ON {table} USING ({ROLE} = 'system')",
            *([f"CREATE POLICY bearer ON {table} FOR SELECT USING ({shown})"] if shown else []),
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO gateway_app",
        ]
    statements += INDEXES
    for signature, body in FUNCTIONS.items():
        statements += [
            f"CREATE FUNCTION {signature} {body}",
            f"ALTER FUNCTION {signature} SET search_path = public, pg_temp",
            f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {signature} TO gateway_app",
        ]
    for statement in statements:
        op.execute(statement)
