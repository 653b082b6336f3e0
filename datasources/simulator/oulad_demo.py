"""What a demo wants around real learners: key figures with targets, goals, and four accounts to sign in with.

Targets, baselines, weights and goals are configuration, and named so; the values of key figures are worked out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from datasources.simulator.campus import Goal, Kpi
from datasources.simulator.records import records_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datasources.simulator.campus import Campus, CourseRun, Registration
    from datasources.simulator.records import Records

STRONG = 85.0
"""The score from which OULAD calls a pass a distinction."""


def furnished(campus: Campus) -> Campus:
    """The same campus with key figures, goals and a cast."""
    records = records_of(campus)
    by_tenant: defaultdict[str, list[Registration]] = defaultdict(list)
    for one in (one for found in records.of_course.values() for one in found):
        by_tenant[records.people[one.person].organization].append(one)
    goals = _goals(campus)
    return replace(
        campus,
        organizations=tuple(
            replace(one, kpis=_kpis(records, by_tenant[one.id]), goals=goals) for one in campus.organizations
        ),
        cast=_cast(records),
    )


def _kpis(records: Records, registrations: Iterable[Registration]) -> tuple[Kpi, ...]:
    """Retention and coursework as of the campus's date, in percent; None where nothing can be counted."""
    everyone = list(registrations)
    kept = [one for one in everyone if records.left_at(one) is None]
    work = [_work(records, one) for one in kept]
    due, done = sum(due for due, _ in work), sum(done for _, done in work)
    return (
        Kpi("retention", "Registrations kept (demo target)", _percent(len(kept), len(everyone)), 80.0, 65.0, 2.0, "%"),
        Kpi("coursework", "Due coursework handed in (demo target)", _percent(done, due), 90.0, 70.0, 1.0, "%"),
    )


def _work(records: Records, registration: Registration) -> tuple[int, int]:
    """How many counted assessments are due by now, and how many of those were handed in; banked ones are neither."""
    run = records.courses[registration.course]
    handed = records.handed(registration)
    banked = {one.task.id for one in handed if one.banked}
    due = {
        task.id
        for task in run.tasks
        if task.counts and task.due_day is not None and task.due_day <= records.last_day(run)
    } - banked
    return len(due), len(due & {one.task.id for one in handed})


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def _goals(campus: Campus) -> tuple[Goal, ...]:
    """For each module: a strong level in every competence, as important as its assessment is heavy."""
    skills: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for run in campus.courses:
        counted = [task for task in run.tasks if task.counts]
        most = max((task.weight for task in counted), default=1.0)
        for task in counted:
            for skill in task.skills:
                skills[skill.partition("-")[0]][skill] = task.weight / most
    return tuple(
        Goal(
            f"strong-{module}",
            f"A strong level in module {module} (demo goal)",
            1.0,
            tuple((skill, STRONG, share) for skill, share in sorted(found.items())),
        )
        for module, found in sorted(skills.items())
    )


def _cast(records: Records) -> dict[str, str]:
    """Who signs in to the demo.

    In the largest running course and its largest organization: the learner with the most own work handed in, then
    the most active days, of those who have not left; the course's team; the admin. The stranger is the like learner
    of the next organization.
    """
    runs = [run for run in records.courses.values() if records.of_course.get(run.id)]
    if not runs:
        return {}
    run = max(runs, key=lambda run: (_running(records, run), len(records.of_course[run.id]), run.id))
    enrolled = records.of_course[run.id]
    sizes = Counter(records.people[one.person].organization for one in enrolled)
    tenants = sorted(sizes, key=lambda tenant: (-sizes[tenant], tenant))
    cast = {"learner": _richest(records, enrolled, tenants[0])}
    for person in records.members[tenants[0]]:
        if "org-admin" in person.roles:
            cast["org-admin"] = person.id
        if person.id in run.trainers:
            cast["trainer"] = person.id
    if len(tenants) > 1:
        cast["stranger"] = _richest(records, enrolled, tenants[1])
    return cast


def _running(records: Records, run: CourseRun) -> bool:
    return run.start <= records.campus.as_of < run.start + timedelta(days=run.length_days)


def _richest(records: Records, registrations: Iterable[Registration], tenant: str) -> str:
    mine = [one for one in registrations if records.people[one.person].organization == tenant]

    def richness(one: Registration) -> tuple[bool, int, int, str]:
        days = {day for _, day, _ in records.clicks(one)}
        fresh = [work for work in records.handed(one) if not work.banked]
        return records.left_at(one) is None, len(fresh), len(days), one.person

    return max(mine, key=richness).person
