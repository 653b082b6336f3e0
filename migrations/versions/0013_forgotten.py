"""Who was forgotten stays forgotten: no row that names them is kept while their tombstone stands.

What was begun before may still be written afterwards: an answer, a fact, a copy of the roster, a report. So whoever
writes looks first whether anybody is forgotten. A tombstone is the digest of an id, which a random id cannot be
guessed from. It is set under a lock that waits for all who write, so each of them either is done by then, and
what they wrote is deleted, or sees the tombstone.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ORGANIZATION = "(SELECT my_organization())"
ROLE = "(SELECT my_role())"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
NOBODY = "00000000-0000-0000-0000-000000000000"

TABLE = """
CREATE TABLE forgotten (
    organization text NOT NULL,
    digest bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (organization, digest)
)
"""

NAMING = (
    *("answers", "facts", "reports", "leaderboard_choices", "recommendation_decisions"),
    *("people", "enrollments", "teaching"),
)
"""The tables that keep no row that names somebody forgotten. Jobs are kept, and name nobody instead."""

FUNCTIONS = {
    "forgotten_digest(organization text, person text)": """
    RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT sha256(convert_to(concat($1, ' ', $2), 'UTF8')) $$
    """,
    "forgetting_lock(organization text)": """
    RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT hashtextextended(concat('forgotten ', $1), 0) $$
    """,
    "remember_forgotten(organization text, person text)": """
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM act_as($1, 'system', 'system'), pg_advisory_xact_lock(forgetting_lock($1));
        INSERT INTO forgotten (organization, digest) VALUES ($1, forgotten_digest($1, $2))
        ON CONFLICT ON CONSTRAINT forgotten_pkey DO UPDATE SET at = excluded.at;
    END $$
    """,
    "without_forgotten(said text)": f"""
    RETURNS text LANGUAGE plpgsql STABLE AS $$
    DECLARE person text;
    BEGIN
        FOR person IN
            SELECT DISTINCT m[1] FROM regexp_matches(said, '{UUID}', 'g') AS m WHERE EXISTS (
                SELECT FROM forgotten f
                WHERE f.organization = my_organization() AND f.digest = forgotten_digest(my_organization(), m[1]))
        LOOP
            said := replace(said, person, '{NOBODY}');
        END LOOP;
        RETURN said;
    END $$
    """,  # noqa: S608 - ours
    # Once for a statement: whether its rows are to be looked at costs nothing while nobody is forgotten.
    "heed_forgotten()": """
    RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(forgetting_lock(my_organization()));
        PERFORM set_config('app.forgotten', CASE WHEN EXISTS (
            SELECT FROM forgotten f WHERE f.organization = my_organization()) THEN 'some' ELSE 'nobody' END, true);
        RETURN NULL;
    END $$
    """,
    "leave_out_forgotten()": """
    RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
    DECLARE said text := CAST(NEW AS text);
    BEGIN
        IF without_forgotten(said) <> said THEN
            RETURN NULL;
        END IF;
        RETURN NEW;
    END $$
    """,
    "leave_out_forgotten_of_jobs()": """
    RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
    DECLARE said text := concat(NEW.owner, ' ', NEW.subject);
    BEGIN
        IF without_forgotten(said) <> said THEN
            RETURN NULL;
        END IF;
        NEW.once := without_forgotten(NEW.once);
        NEW.details := without_forgotten(NEW.details::text)::jsonb;
        NEW.result := without_forgotten(NEW.result::text)::jsonb;
        RETURN NEW;
    END $$
    """,
}


def _heeding(table: str, row: str) -> list[str]:
    some = "WHEN (current_setting('app.forgotten', true) = 'some')"
    before = f"BEFORE INSERT OR UPDATE ON {table} FOR EACH"
    return [
        f"CREATE TRIGGER heed_forgotten {before} STATEMENT EXECUTE FUNCTION heed_forgotten()",
        f"CREATE TRIGGER leave_out_forgotten {before} ROW {some} EXECUTE FUNCTION {row}()",
    ]


def upgrade() -> None:
    """Make the table, and have whoever writes heed it."""
    statements = [
        TABLE,
        "ALTER TABLE forgotten ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE forgotten FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON forgotten AS RESTRICTIVE USING (organization = {ORGANIZATION})",
        f"CREATE POLICY system ON forgotten USING ({ROLE} = 'system')",
        # Whoever writes a row of their own asks; a digest names nobody.
        f"CREATE POLICY readers ON forgotten FOR SELECT USING ({ROLE} IN ('learner', 'trainer', 'org-admin'))",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON forgotten TO gateway_app",
    ]
    for signature, body in FUNCTIONS.items():
        name = signature.partition("(")[0]
        statements += [
            f"CREATE FUNCTION {signature} {body}",
            f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {name} TO gateway_app",
        ]
    for table in NAMING:
        statements += _heeding(table, "leave_out_forgotten")
    statements += _heeding("jobs", "leave_out_forgotten_of_jobs")
    for statement in statements:
        op.execute(statement)
