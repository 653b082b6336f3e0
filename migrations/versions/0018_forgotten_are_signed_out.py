"""Who is forgotten is signed out for as long as any token lasts, and no row says so by name.

With everything else about a person the rows go that say which of their tokens were taken back, and the tombstone
goes long before a token of others may be over. So all that was given to them is revoked as `revoke_person` does it,
for a digest of their id instead of the id.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

FUNCTIONS = {
    "revoked_at(text)": """
    RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
        SELECT act_as('*', 'system', 'system');
        SELECT max(at) FROM revocations
        WHERE organization = '*' AND person IN ($1, encode(forgotten_digest('*', $1), 'hex')) AND token = ''
    $$
    """,
    # Told by their id: who remembers them looks again.
    "revoke_forgotten(text, interval)": """
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM revoke_person(encode(forgotten_digest('*', $1), 'hex'), $2), tell_standing('*', $1);
    END $$
    """,
}


def upgrade() -> None:
    """Put the functions in place."""
    for signature, body in FUNCTIONS.items():
        op.execute(f"CREATE OR REPLACE FUNCTION {signature} {body}")
        op.execute(f"ALTER FUNCTION {signature} SET search_path = public, pg_temp")
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO gateway_app")
