"""How a course ended for a learner, beside where the enrolment stands."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for the result."""
    op.execute("ALTER TABLE enrollments ADD COLUMN result text")
