"""What the audit says more: from which address, and in which request; and every function looks names up in one place.

Nobody but the owner can make anything in the schemas of the search path; with a path of its own, a function does
not depend on that, nor on what its caller has set.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ACTOR = "text, text, text"

RECORD = f"""
CREATE FUNCTION record_audit({ACTOR}, text[], text[], jsonb[], address text DEFAULT NULL, request text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM act_as($1, $2, $3);
    INSERT INTO audit (organization, actor, role, kind, subject, details, address, request_id)
    SELECT $1, $2, $3, e.kind, e.subject, e.details, $7, $8 FROM unnest($4, $5, $6) AS e (kind, subject, details);
END $$
"""  # noqa: S608 - ours

FIX = """
DO $$
DECLARE function regprocedure;
BEGIN
    FOR function IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace IN ('public'::regnamespace, 'queue'::regnamespace) AND NOT
            EXISTS (SELECT FROM unnest(p.proconfig) AS s (setting) WHERE s.setting LIKE 'search_path=%')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_temp', function);
    END LOOP;
END $$
"""

# What the policy lets fewer hear than may see whom it is about, the rows keep from them as well.
UNHEARD = """
CREATE POLICY unheard ON answers AS RESTRICTIVE FOR SELECT USING (
    (SELECT my_role()) = 'system' OR (
        metric NOT LIKE 'organization-points@%' AND metric NOT LIKE 'org-risk-calibration@%'
        AND (metric NOT LIKE 'gamification@%' OR (SELECT my_role()) = 'learner')
    )
)
"""


def upgrade() -> None:
    """Widen the audit and what adds to it, fix where functions look, and close three kinds of answers to more."""
    signature = f"record_audit({ACTOR}, text[], text[], jsonb[], text, text)"
    for statement in (
        "ALTER TABLE audit ADD COLUMN address text, ADD COLUMN request_id text",
        "CREATE INDEX audit_in_order ON audit (organization, at, id)",
        "CREATE INDEX audit_of_subject ON audit (organization, subject, at)",
        "CREATE INDEX audit_of_actor ON audit (organization, actor, at)",
        f"DROP FUNCTION record_audit({ACTOR}, text[], text[], jsonb[])",
        RECORD,
        f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {signature} TO gateway_app",
        FIX,
        UNHEARD,
    ):
        op.execute(statement)
