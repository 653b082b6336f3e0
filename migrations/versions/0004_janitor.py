"""Who lets go of what has outlived its term must know which organizations there are; it reads nothing else."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Open the list of organizations to the janitor."""
    op.execute("DROP POLICY tenant ON syncs")
    op.execute(
        "CREATE POLICY tenant ON syncs AS RESTRICTIVE "
        "USING (organization = (SELECT my_organization()) OR (SELECT my_role()) = 'janitor') "
        "WITH CHECK (organization = (SELECT my_organization()))"
    )
    op.execute("CREATE POLICY janitor ON syncs FOR SELECT USING ((SELECT my_role()) = 'janitor')")
