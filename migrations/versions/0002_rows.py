"""Who sees which row: tenancy first and without exception, then the actor's role.

The actor is three settings of one transaction. Each policy reads them in scalar subselects, once per
statement. One restrictive policy per table holds the tenants apart whatever else is allowed. The
policies look from answers and people to enrolments, and from there to teaching, never back, so none
of them recurses and none needs a role that steps around row-level security.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_TABLES = ("organizations", "people", "courses", "enrollments", "teaching", "syncs", "answers", "facts")

ORGANIZATION = "(SELECT my_organization())"
ME = "(SELECT me())"
ROLE = "(SELECT my_role())"

TAUGHT_COURSES = f"SELECT t.course FROM teaching t WHERE t.organization = {ORGANIZATION} AND t.trainer = {ME}"  # noqa: S608 - ours
TAUGHT_LEARNERS = f"""
    SELECT e.person FROM teaching t JOIN enrollments e USING (organization, course)
    WHERE t.organization = {ORGANIZATION} AND t.trainer = {ME} AND e.live
"""  # noqa: S608 - ours
OWN_COURSES = f"SELECT e.course FROM enrollments e WHERE e.organization = {ORGANIZATION} AND e.person = {ME}"  # noqa: S608 - ours
MEMBER = "true"
ROLES = "'learner', 'trainer', 'org-admin', 'system'"

# What each role reads of a table, beside the system; a role that is not named reads nothing.
READERS = {
    "organizations": {"learner": MEMBER, "trainer": MEMBER, "org-admin": MEMBER},
    "teaching": {"learner": MEMBER, "trainer": MEMBER, "org-admin": MEMBER},
    "syncs": {"org-admin": MEMBER},
    "people": {
        "learner": f"id = {ME}",
        "trainer": f"id = {ME} OR id IN ({TAUGHT_LEARNERS})",
        "org-admin": MEMBER,
    },
    "courses": {
        "learner": f"id IN ({OWN_COURSES})",
        "trainer": f"id IN ({OWN_COURSES}) OR id IN ({TAUGHT_COURSES})",
        "org-admin": MEMBER,
    },
    "enrollments": {
        "learner": f"person = {ME}",
        "trainer": f"person = {ME} OR (live AND course IN ({TAUGHT_COURSES}))",
        "org-admin": MEMBER,
    },
    # Facts, and answers about courses and cohorts, are what other answers are made of: the system's alone.
    "answers": {
        "learner": f"scope = 'market' OR (scope = 'learner' AND subject = {ME})",
        "trainer": f"scope = 'market' OR (scope = 'trainer' AND subject = {ME})"
        f" OR (scope = 'learner' AND subject IN ({TAUGHT_LEARNERS}))",
        "org-admin": "scope IN ('learner', 'trainer', 'organization', 'market')",
    },
}


def _setting(function: str, setting: str) -> str:
    # A setting that was local to an earlier transaction of the connection reads as empty: nobody.
    return (
        f"CREATE FUNCTION {function}() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE "
        f"AS $$ SELECT nullif(current_setting('{setting}', true), '') $$"
    )


def _closed(table: str) -> list[str]:
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} AS RESTRICTIVE USING (organization = {ORGANIZATION})",
    ]


def _readers(table: str, roles: dict[str, str]) -> str:
    cases = " ".join(f"WHEN '{role}' THEN {condition}" for role, condition in roles.items())
    return f"CREATE POLICY readers ON {table} FOR SELECT USING (CASE {ROLE} {cases} ELSE false END)"


def upgrade() -> None:
    """Close every table, and open it row by row."""
    statements = [
        _setting("my_organization", "app.organization"),
        _setting("me", "app.user"),
        _setting("my_role", "app.role"),
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO gateway_app",
        "GRANT SELECT ON alembic_version TO gateway_app",
        "GRANT SELECT, INSERT ON audit TO gateway_app",
    ]
    for table in TENANT_TABLES:
        statements += [
            *_closed(table),
            f"CREATE POLICY system ON {table} USING ({ROLE} = 'system')",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO gateway_app",
        ]
    statements += [_readers(table, roles) for table, roles in READERS.items()]
    statements += [
        *_closed("audit"),
        f"CREATE POLICY readers ON audit FOR SELECT USING ({ROLE} = 'org-admin')",
        f"CREATE POLICY writers ON audit FOR INSERT WITH CHECK (actor = {ME} AND role = {ROLE} AND role IN ({ROLES}))",
    ]
    for statement in statements:
        op.execute(statement)
