"""Postgres shaped for reading: many askers in one statement, each behind the rules of their own rows.

A statement that answers several viewers sets the actor for each in turn, and every part of it is a query of its
own under that actor: nothing is joined across them. What is set is local to the transaction, which for a lone
statement ends with it; so a connection that only ever sends these needs no clearing in between.

A roster reads of each value what is brief in it: numbers, words and dates, without lists and parts. That stands in
the index that says the headlines, so a page of two hundred learners reads a few pages of it and no row.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ME = "(SELECT me())"
MY_ORGANIZATION = "(SELECT my_organization())"

# As a function, whom a trainer teaches costs nothing to those who are none: what a policy says in full is made
# ready for every statement, needed or not, which was a third of what reading one answer took.
TAUGHT = f"""
RETURNS SETOF text LANGUAGE plpgsql STABLE ROWS 100 AS $$
BEGIN
    RETURN QUERY SELECT e.person FROM teaching t JOIN enrollments e USING (organization, course)
    WHERE t.organization = {MY_ORGANIZATION} AND t.trainer = {ME} AND e.live;
END $$
"""  # noqa: S608 - our own words

READERS = f"""
CREATE POLICY readers ON answers FOR SELECT USING (CASE (SELECT my_role())
    WHEN 'learner' THEN scope = 'market' OR (scope = 'learner' AND subject = {ME})
    WHEN 'trainer' THEN scope = 'market' OR (scope = 'trainer' AND subject = {ME})
        OR (scope = 'learner' AND subject IN (SELECT learners_taught()))
    WHEN 'org-admin' THEN scope IN ('learner', 'trainer', 'organization', 'market')
    ELSE false END)
"""

ACTORS = "organizations text[], actors text[], roles text[]"
QUESTIONS = "scopes text[], subjects text[], metrics text[], args text[]"
# Assigned, a call is no query of its own.
ACT = """
    told := set_config('app.organization', $1[i], true);
    told := set_config('app.user', $2[i], true);
    told := set_config('app.role', $3[i], true);
"""

# Every list of a group of questions comes as one text: arrays of different lengths fit into no array, and what
# separates them cannot be in JSON text or in a metric's key.
SEPARATOR = "chr(31)"

# Text stays as it was written; what would be too long for an index is left to the row. It is asked twice whether it is
# JSON, because the planner may work out the inner part before it knows that it is not wanted.
BRIEF = """
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IS NULL THEN 'null' WHEN value IS JSON OBJECT THEN (
        SELECT CASE WHEN octet_length(b.told) <= 1000 THEN b.told END
        FROM (
            SELECT concat('{', string_agg(concat(to_json(m.key), ':', m.value), ','), '}') AS told
            FROM json_each(CASE WHEN value IS JSON OBJECT THEN value END::json) m
            WHERE json_typeof(m.value) NOT IN ('object', 'array')
        ) b
    ) END
$$
"""

TABLES = (
    "ALTER TABLE answers ADD COLUMN brief text GENERATED ALWAYS AS (brief_of(value)) STORED",
    "DROP INDEX headlines_of_learners",
    """
    CREATE INDEX headlines_of_learners ON answers (organization, metric, arguments, subject)
        INCLUDE (scope, score, level, as_of, calculated_at, expires_at, brief) WHERE scope = 'learner'
    """,
)

# The answers to one question about many, in the order of their ids: together as one JSON array, or each for itself.
# Left alone, the planner takes two hundred for one, and compares each with each.
OF_MANY = """
    RETURNS TABLE (place integer, value text, withheld text, about text,
                   as_of timestamptz, calculated_at timestamptz, expires_at timestamptz)
    LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET enable_bitmapscan = off SET enable_nestloop = off AS $$
    #variable_conflict use_column
    DECLARE briefly record;
    BEGIN
        IF how = 'BRIEF' THEN
            SELECT count(a.brief)::integer AS number,
                concat('[', string_agg(a.brief, ',' ORDER BY q.place), ']') AS told,
                max(a.as_of) AS as_of, min(a.calculated_at) AS calculated_at, min(a.expires_at) AS expires_at
            INTO briefly
            FROM unnest($2) WITH ORDINALITY AS q (id, place) JOIN (
                SELECT subject, brief, as_of, calculated_at, expires_at FROM answers
                WHERE organization = $1 AND scope = 'learner' AND metric = $4 AND arguments = $5 AND subject = ANY ($2)
            ) a ON a.subject = q.id;
            IF briefly.number = cardinality($2) THEN
                RETURN QUERY SELECT briefly.number, briefly.told, NULL::text, NULL::text,
                    briefly.as_of, briefly.calculated_at, briefly.expires_at;
                RETURN;
            END IF;
        END IF;
        IF how IN ('BRIEF', 'VALUE') THEN
            RETURN QUERY
            SELECT count(*)::integer, concat('[', string_agg(coalesce(a.value, 'null'), ',' ORDER BY q.place), ']'),
                NULL::text, NULL::text, max(a.as_of), min(a.calculated_at), min(a.expires_at)
            FROM unnest($2) WITH ORDINALITY AS q (id, place) JOIN answers a ON a.subject = q.id
            WHERE a.organization = $1 AND a.scope = $3 AND a.metric = $4 AND a.arguments = $5 AND a.subject = ANY ($2);
        ELSE
            RETURN QUERY
            SELECT q.place::integer, a.value, a.withheld, a.about, a.as_of, a.calculated_at, a.expires_at
            FROM unnest($2) WITH ORDINALITY AS q (id, place) JOIN answers a ON a.subject = q.id
            WHERE a.organization = $1 AND a.scope = $3 AND a.metric = $4 AND a.arguments = $5 AND a.subject = ANY ($2);
        END IF;
    END $$
"""

ROSTER = """
    RETURNS TABLE (part integer, ids text[], names text[], departments text[], taught boolean[], total bigint,
                   later boolean, earlier boolean, place integer, value text, withheld text, about text,
                   as_of timestamptz, calculated_at timestamptz, expires_at timestamptz)
    LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    DECLARE listed text[] := given;
    BEGIN
        PERFORM act_as($1, $2, $3);
        part := 0;
        IF given IS NULL THEN
            SELECT array_agg(p.id ORDER BY p.name, p.id), array_agg(p.name ORDER BY p.name, p.id),
                array_agg(p.department ORDER BY p.name, p.id)
            INTO ids, names, departments
            FROM (
                SELECT p.id, p.name, p.department FROM people p
                WHERE p.organization = $1 AND p.is_active AND of_role = ANY (p.roles)
                    AND (after_name IS NULL OR (p.name, p.id) > (after_name, after_id))
                    AND (of_trainer IS NULL OR p.id IN (
                        SELECT e.person FROM teaching t JOIN enrollments e USING (organization, course)
                        WHERE t.organization = $1 AND t.trainer = of_trainer AND e.live))
                ORDER BY p.name, p.id LIMIT size + 1
            ) p;
            later := cardinality(ids) > size;
            ids := coalesce(ids[: size], '{}');
            names := coalesce(names[: size], '{}');
            departments := coalesce(departments[: size], '{}');
            listed := ids;
            IF counted OR after_name IS NOT NULL THEN
                SELECT count(*), coalesce(bool_or((p.name, p.id) <= (after_name, after_id)), false)
                INTO total, earlier
                FROM people p
                WHERE p.organization = $1 AND p.is_active AND of_role = ANY (p.roles)
                    AND (of_trainer IS NULL OR p.id IN (
                        SELECT e.person FROM teaching t JOIN enrollments e USING (organization, course)
                        WHERE t.organization = $1 AND t.trainer = of_trainer AND e.live));
            END IF;
        END IF;
        IF $3 = 'trainer' THEN
            SELECT array_agg(q.id IN (SELECT learners_taught()) ORDER BY q.place) INTO taught
            FROM unnest(listed) WITH ORDINALITY AS q (id, place);
        END IF;
        RETURN NEXT;
        FOR g IN 1 .. cardinality(metrics) LOOP
            RETURN QUERY
            SELECT g, NULL::text[], NULL::text[], NULL::text[], NULL::boolean[], NULL::bigint, NULL::boolean,
                NULL::boolean, a.*
            FROM answers_of_many($1, listed, of_role, metrics[g], args[g], hows[g]) a;
        END LOOP;
    END $$
"""

LISTED = (
    "organization text, actor text, role text, given text[], of_role text, of_trainer text, after_name text, "
    "after_id text, size integer, counted boolean"
)

FUNCTIONS = {
    "answers_of_many(organization text, ids text[], scope text, metric text, arguments text, how text)": OF_MANY,
    f"read_roster({LISTED}, metrics text[], args text[], hows text[])": ROSTER,
    f"read_asked({ACTORS}, people integer, ids text[], {QUESTIONS})": f"""
    RETURNS TABLE (ask integer, part integer, card cards, metric text, arguments text, value text, withheld text,
                   about text, as_of timestamptz, calculated_at timestamptz, expires_at timestamptz)
    LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    #variable_conflict use_column
    DECLARE
        told text;
        asked text[];
        chosen text[];
        parts integer := cardinality($6);
    BEGIN
        FOR i IN 1 .. CASE WHEN people > 0 THEN cardinality($1) ELSE 0 END LOOP
            {ACT}
            RETURN QUERY SELECT i, 0, c, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text,
                NULL::timestamptz, NULL::timestamptz, NULL::timestamptz
            FROM cards c WHERE c.id = ANY ($5[(i - 1) * people + 1 : i * people]);
        END LOOP;
        FOR g IN 1 .. parts LOOP
            asked := string_to_array($8[g], {SEPARATOR});
            chosen := string_to_array($9[g], {SEPARATOR});
            FOR i IN 1 .. cardinality($1) LOOP
                {ACT}
                RETURN QUERY SELECT i, g, NULL::cards, a.metric, a.arguments, a.value, a.withheld, a.about,
                    a.as_of, a.calculated_at, a.expires_at
                FROM answers a
                WHERE a.organization = $1[i] AND a.scope = $6[g] AND a.subject = $7[(i - 1) * parts + g]
                    AND a.metric = ANY (asked) AND a.arguments = ANY (chosen);
            END LOOP;
        END LOOP;
    END $$
    """,  # noqa: S608 - our own words
    # What is 0 or 1 is not said: that is how a request that is written down by itself says it.
    f"record_told({ACTORS}, addresses text[], people text[], answers text[], requests text[], ids text[])": f"""
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    DECLARE told text;
    BEGIN
        FOR i IN 1 .. cardinality($1) LOOP
            {ACT}
            INSERT INTO audit (organization, actor, role, kind, subject, details, address, request_id)
            SELECT $1[i], $2[i], $3[i], CASE WHEN t.answers = '0' THEN 'person.seen' ELSE 'answers.heard' END, t.person,
                jsonb_strip_nulls(jsonb_build_object(
                    'answers', nullif(t.answers::integer, 0), 'requests', nullif(t.requests::integer, 1))),
                $4[i], t.id
            FROM unnest(string_to_array($5[i], {SEPARATOR}), string_to_array($6[i], {SEPARATOR}),
                string_to_array($7[i], {SEPARATOR}), string_to_array($8[i], {SEPARATOR}))
                AS t (person, answers, requests, id);
        END LOOP;
    END $$
    """,  # noqa: S608 - our own words
}


def upgrade() -> None:
    """Make the policy lighter, and the functions, for the application alone."""
    _make("learners_taught()", TAUGHT)
    op.execute("DROP POLICY readers ON answers")
    op.execute(READERS)
    _make("brief_of(value text)", BRIEF)
    for statement in TABLES:
        op.execute(statement)
    for signature, body in FUNCTIONS.items():
        _make(signature, body)


def _make(signature: str, body: str) -> None:
    """Make a function, with a search path of its own, for the application alone."""
    name = signature.partition("(")[0]
    op.execute(f"CREATE FUNCTION {signature} {body}")
    op.execute(f"ALTER FUNCTION {name} SET search_path = public, pg_temp")
    op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO gateway_app")
