"""Reports: the numbers of somebody's own dashboard, written down for them to take along.

What is in a report is what its owner may hear, answered as themselves; a job makes it, seven days it is kept.
"""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from analytics.answer import Answers
from analytics.catalog import PUBLIC
from analytics.declare import Family, Role, Scope
from analytics.policy import NotFound, Subject, TooMany, Unavailable, Viewer, may_hear
from datasources.postgres import jobs, reports
from datasources.postgres.audit import Event
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.jobs import Kind, Wanted
from datasources.postgres.reports import Report, ReportFormat
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import TypeVar

    from analytics.trail import Trail
    from analytics.world import World
    from datasources.postgres.jobs import Job

    T = TypeVar("T")

log = structlog.get_logger(__name__)

OWN = {Role.LEARNER: Scope.LEARNER, Role.TRAINER: Scope.TRAINER, Role.ORG_ADMIN: Scope.ORGANIZATION}
MOST = 10
"""The most reports that somebody may have made in an hour."""
COLUMNS = ("metric", "field", "value", "state", "origin", "asOf", "withheld")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


class Reports:
    """One viewer's way to their reports."""

    def __init__(self, world: World, viewer: Viewer, trail: Trail) -> None:
        self._world = world
        self._viewer = viewer
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)
        self._trail = trail

    async def export(self, form: ReportFormat) -> Job:
        """Have a report of one's own numbers made; the job that makes it, the same one while it is on its way.

        Raises:
            TooMany: the viewer had as many made within the hour as one may.
            Unavailable: it cannot be written down just now, or too much waits already.
        """
        role = self._viewer.role
        wanted = Wanted(
            f"export {self._viewer.user} {role.value} {form.value}",
            details={"format": form.value},
        )
        made = await self._asked(
            jobs.ask(
                self._world.database, self._actor, Kind.EXPORT, wanted, priority=0, most=MOST, within=timedelta(hours=1)
            )
        )
        if isinstance(made, timedelta):
            msg = f"You had {MOST} reports made within the hour; that is the most."
            with self._trail.asking("export"):
                raise TooMany(msg, made)
        if made is None:
            msg = "Too much is waiting to be done just now. Ask again in a minute."
            raise Unavailable(msg)
        self._trail.did(Event("export.asked", None, {"job": made.id, "format": form.value}))
        return made

    async def find(self, report: str) -> Report:
        """A report of the viewer's own, with its content.

        Raises:
            NotFound: there is none, or not any more.
            Unavailable: it cannot be looked up just now.
        """
        found = await self._asked(reports.find(self._world.database, self._actor, report))
        if found is None:
            msg = "No such report, or not yours; reports are kept for seven days."
            with self._trail.asking("report", report):
                raise NotFound(msg)
        self._trail.did(Event("export.read", None, {"report": report}))
        return found

    async def newest(self) -> Sequence[Report]:
        """The viewer's own reports, the newest first.

        Raises:
            Unavailable: they cannot be looked up just now.
        """
        return await self._asked(reports.newest(self._world.database, self._actor))

    async def _asked(self, asking: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(self._world.patience):
                return await asking
        except UNAVAILABLE as error:
            log.warning("reports.not_asked", error=type(error).__name__)
            msg = "Reports cannot be asked about just now. Ask again in a few seconds."
            raise Unavailable(msg) from error


async def make(world: World, job: Job) -> Report | None:
    """Make the report of a job and keep it; made again, it replaces what was there.

    None, and nothing is kept, where it names somebody who was forgotten meanwhile.
    """
    role = Role(job.role)
    viewer = Viewer(job.owner, job.organization, frozenset({role}), role)
    scope = OWN[role]
    own = job.organization if scope is Scope.ORGANIZATION else job.owner
    subject = Subject(scope, job.organization, own)
    await world.roster.ready(job.organization)
    answers = Answers(world, viewer)
    asked = [
        metric
        for metric in PUBLIC.values()
        if metric.scope is scope and metric.family is not Family.INTERNAL and may_hear(viewer, metric, subject)
    ]
    found = await asyncio.gather(*(_answer(answers.ask(metric, subject, {})) for metric in asked))
    form = ReportFormat(job.details["format"])
    told = {metric.key: answer for metric, answer in zip(asked, found, strict=True)}
    report = Report(job.id, form, world.now(), written(told, form, world.now()))
    if not await reports.keep(world.database, job.organization, job.owner, report):
        return None
    answers.trail.did(Event("export.made", None, {"report": report.id, "answers": len(found)}))
    await answers.afterwards()
    return report


def written(answers: Mapping[str, Mapping[str, Any]], form: ReportFormat, at: datetime) -> str:
    """Answers in wire shape, by the key of their metric, as the text of a report.

    CSV has a line for each number, named by its path inside the value, and one for a value that is withheld. A text
    that a spreadsheet would take for a formula has an apostrophe before it.
    """
    if form is ReportFormat.JSON:
        kept = {
            key: {name: answer[name] for name in ("value", "freshness", "quality", "withheld")}
            for key, answer in answers.items()
        }
        return orjson.dumps({"createdAt": at, "answers": kept}, option=orjson.OPT_INDENT_2).decode()
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for key, answer in answers.items():
        freshness, withheld = answer["freshness"], answer["withheld"]
        about = (freshness["state"], freshness["origin"], freshness["asOf"])
        if withheld is not None:
            table.writerow((key, "", "", *about, withheld["message"]))
        else:
            for path, value in _leaves(answer["value"]):
                table.writerow((key, path, _harmless(value), *about, ""))
    return text.getvalue()


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each number and text of a value with the way to it: names by dots, places in a list from 0."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for place, below in enumerate(value):
            yield from _leaves(below, f"{path}.{place}" if path else str(place))
    else:
        yield path, value


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


async def _answer(asked: Any) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = await asked if asyncio.iscoroutine(asked) else asked
    return answer
