"""Lists of people by what is kept of them, and of courses: each a function that sets the actor first.

A page of a roster reads of the kept answers only their headlines, which the index holds: whole values stay
where they are. What is read of whom is for the policies of the rows to say, here as everywhere.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ACTOR = "organization text, actor text, role text"

TABLES = (
    # Filled by every copy of a roster; until the next one, a name is found by its own letters.
    "ALTER TABLE people ADD COLUMN folded text COLLATE \"C\" NOT NULL DEFAULT ''",
    "UPDATE people SET folded = lower(name)",
    """
    CREATE INDEX headlines_of_learners ON answers (organization, metric, arguments, subject)
        INCLUDE (scope, score, level, as_of, calculated_at) WHERE scope = 'learner'
    """,
    "DROP FUNCTION page_people(text, text, text, text, text, text, text, text, text, integer, boolean)",
)

ASKED = (
    ("organization", "text"),
    ("actor", "text"),
    ("role", "text"),
    ("of_role", "text"),
    ("of_trainer", "text"),
    ("in_department", "text"),
    ("in_course", "text"),
    ("words", "text[]"),
    ("by_metric", "text"),
    ("by_arguments", "text"),
    ("falling", "boolean"),
    ("risk_metric", "text"),
    ("risk_arguments", "text"),
    ("risks", "text[]"),
    ("engagement_metric", "text"),
    ("engagement_arguments", "text"),
    ("engagements", "text[]"),
    ("since", "timestamptz"),
    ("until", "timestamptz"),
    ("after_rank", "double precision"),
    ("after_name", "text"),
    ("after_id", "text"),
    ("before_rank", "double precision"),
    ("before_name", "text"),
    ("before_id", "text"),
    ("size", "integer"),
    ("backwards", "boolean"),
    ("counted", "boolean"),
    ("most_missing", "integer"),
)
"""What a page of people is asked with; inside its statement each has the number it has here."""

N = {name: f"${n}" for n, (name, _) in enumerate(ASKED, 1)}


def _headline(alias: str, kind: str) -> str:
    """A join to the kept answer of one kind; what is too old, or of a moment to come, is not kept."""
    return (
        f" LEFT JOIN answers {alias} ON {alias}.organization = $1 AND {alias}.scope = ''learner''"
        f" AND {alias}.subject = p.id AND {alias}.metric = {N[kind + '_metric']}"
        f" AND {alias}.arguments = {N[kind + '_arguments']}"
        f" AND {alias}.calculated_at >= {N['since']} AND {alias}.as_of <= {N['until']}"
    )


# The statement is written for what is asked: what is not asked for costs no planning, which for a page of some
# hundred learners is most of the time. Nothing but texts from here is ever in it. `fits` is null where it is
# not known. The list is made once where all of it is looked at, else read no further than the page goes.
PAGE_PEOPLE = f"""
    RETURNS TABLE (total bigint, unknown bigint, missing text[], earlier boolean, later boolean,
                   "position" double precision, card cards)
    LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    DECLARE
        measured boolean := num_nonnulls(by_metric, risks, engagements) > 0;
        rank text := CASE WHEN by_metric IS NULL THEN '''Infinity''::double precision'
            ELSE concat('coalesce(', CASE WHEN falling THEN '-' END, 'o.score, ''Infinity'')') END;
        unordered text := CASE WHEN by_metric IS NULL THEN 'false' ELSE 'o.score IS NULL' END;
        fits text := concat_ws(' AND ', 'true',
            CASE WHEN risks IS NOT NULL THEN 'r.level = ANY ({N["risks"]})' END,
            CASE WHEN engagements IS NOT NULL THEN 'e.level = ANY ({N["engagements"]})' END);
        absent text := concat_ws(' OR ', 'false',
            CASE WHEN by_metric IS NOT NULL THEN 'o.subject IS NULL' END,
            CASE WHEN risks IS NOT NULL THEN 'r.subject IS NULL' END,
            CASE WHEN engagements IS NOT NULL THEN 'e.subject IS NULL' END);
        joins text := concat(
            CASE WHEN by_metric IS NOT NULL THEN '{_headline("o", "by")}' END,
            CASE WHEN risks IS NOT NULL THEN '{_headline("r", "risk")}' END,
            CASE WHEN engagements IS NOT NULL THEN '{_headline("e", "engagement")}' END);
        chosen text := concat(
            CASE WHEN in_department IS NOT NULL THEN ' AND p.department = {N["in_department"]}' END,
            CASE WHEN of_trainer IS NOT NULL THEN ' AND p.id IN (
                SELECT n.person FROM teaching t JOIN enrollments n USING (organization, course)
                WHERE t.organization = $1 AND t.trainer = {N["of_trainer"]} AND n.live)' END,
            CASE WHEN in_course IS NOT NULL THEN ' AND p.id IN (
                SELECT n.person FROM enrollments n
                WHERE n.organization = $1 AND n.course = {N["in_course"]} AND n.live)' END,
            CASE WHEN cardinality(words) > 0 THEN ' AND NOT EXISTS (
                SELECT FROM unnest({N["words"]}) AS w (word) WHERE strpos(p.folded, w.word) = 0)' END);
        place text := CASE WHEN by_metric IS NULL THEN '(l.name, l.id)' ELSE '(l.rank, l.name, l.id)' END;
        low text := CASE WHEN by_metric IS NULL THEN '({N["after_name"]}, {N["after_id"]})'
            ELSE '({N["after_rank"]}, {N["after_name"]}, {N["after_id"]})' END;
        high text := CASE WHEN by_metric IS NULL THEN '({N["before_name"]}, {N["before_id"]})'
            ELSE '({N["before_rank"]}, {N["before_name"]}, {N["before_id"]})' END;
        beyond text := 'EXISTS (SELECT FROM listed l WHERE l.fits AND %s %s %s)';
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY EXECUTE concat(
            'WITH listed AS ', CASE WHEN NOT (counted OR measured) THEN 'NOT ' END, 'MATERIALIZED (
                SELECT * FROM (
                    SELECT p.name, p.id, ', rank, ' AS rank, ', fits, ' AS fits,
                        ', unordered, ' AS unordered, ', absent, ' AS absent
                    FROM people p', joins, '
                    WHERE p.organization = $1 AND p.is_active AND {N["of_role"]} = ANY (p.roles)', chosen, '
                ) c WHERE c.fits IS NOT FALSE
            ), page AS (
                SELECT l.rank, l.name, l.id FROM listed l WHERE l.fits',
                CASE WHEN after_id IS NOT NULL THEN format(' AND %s > %s', place, low) END,
                CASE WHEN before_id IS NOT NULL THEN format(' AND %s < %s', place, high) END,
                format(' ORDER BY l.rank %1$s, l.name %1$s, l.id %1$s', CASE WHEN backwards THEN 'DESC' END),
                ' LIMIT {N["size"]} + 1
            ), summary AS (
                SELECT ', CASE WHEN counted THEN 'count(*) FILTER (WHERE l.fits)' ELSE 'NULL::bigint' END,
                ' AS total, ',
                CASE WHEN measured THEN 'count(*) FILTER (WHERE l.fits IS NULL OR l.unordered) AS unknown,
                    (array_agg(l.id) FILTER (
                        WHERE l.absent AND NOT ($3 = ''trainer'' AND l.id = $2)))[: {N["most_missing"]}] AS missing'
                    ELSE 'NULL::bigint AS unknown, NULL::text[] AS missing' END,
                CASE WHEN counted OR measured THEN ' FROM listed l' END, '
            )
            SELECT s.total, s.unknown, coalesce(s.missing, ''{{}}''), ',
                CASE WHEN after_id IS NULL THEN 'false' ELSE format(beyond, place, '<=', low) END, ', ',
                CASE WHEN before_id IS NULL THEN 'false' ELSE format(beyond, place, '>=', high) END, ', page.rank, c
            FROM summary s LEFT JOIN (
                page JOIN read_people($1, $2, $3, ARRAY (SELECT page.id FROM page)) c USING (id)
            ) ON true
            ORDER BY page.rank, page.name, page.id'
        ) USING {", ".join(N.values())};
    END $$
"""  # noqa: S608 - ours

COURSE = """
    c.id, c.title, c.starts_at, c.ends_at,
    CASE WHEN $3 = 'org-admin' OR EXISTS (
        SELECT FROM teaching t WHERE (t.organization, t.course, t.trainer) = (c.organization, c.id, $2)
    ) THEN c.learners END
"""
COURSES = "id text, title text, starts_at timestamptz, ends_at timestamptz, learners integer"

FUNCTIONS = {
    f"page_people({', '.join(f'{name} {kind}' for name, kind in ASKED)})": PAGE_PEOPLE,
    f"courses_taken({ACTOR}, persons text[])": f"""
    RETURNS TABLE (person text, enrolled_at timestamptz, left_at timestamptz, status text, result text, {COURSES})
    LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        SELECT e.person, e.enrolled_at, e.left_at, e.status, e.result, {COURSE}
        FROM enrollments e JOIN courses c ON (c.organization, c.id) = (e.organization, e.course)
        WHERE e.organization = $1 AND e.person = ANY (persons) ORDER BY c.starts_at, c.id;
    END $$
    """,  # noqa: S608 - ours
    f"courses_taught({ACTOR}, trainers text[])": f"""
    RETURNS TABLE (trainer text, {COURSES}) LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        SELECT g.trainer, {COURSE}
        FROM teaching g JOIN courses c ON (c.organization, c.id) = (g.organization, g.course)
        WHERE g.organization = $1 AND g.trainer = ANY (trainers) ORDER BY c.starts_at, c.id;
    END $$
    """,  # noqa: S608 - ours
    f"courses_of_organization({ACTOR})": f"""
    RETURNS TABLE ({COURSES}) LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY SELECT {COURSE} FROM courses c WHERE c.organization = $1 ORDER BY c.starts_at, c.id;
    END $$
    """,  # noqa: S608 - ours
    f"count_learners({ACTOR})": """
    RETURNS TABLE (department text, region text, learners bigint) LANGUAGE plpgsql VOLATILE AS $$
    #variable_conflict use_column
    BEGIN
        PERFORM act_as($1, $2, $3);
        RETURN QUERY
        SELECT p.department, p.region, count(*) FROM people p
        WHERE p.organization = $1 AND p.is_active AND 'learner' = ANY (p.roles) GROUP BY p.department, p.region;
    END $$
    """,
}


def upgrade() -> None:
    """Make room for names as they are looked for, the index, and the functions."""
    for statement in TABLES:
        op.execute(statement)
    for signature, body in FUNCTIONS.items():
        name = signature.partition("(")[0]
        op.execute(f"CREATE FUNCTION {signature} {body}")
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO gateway_app")
