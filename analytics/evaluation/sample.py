"""The sample of real learners as the services would tell it, and, kept apart from that, how it ended for them.

The importer of the demo makes the campus and the services' own payloads are read back as facts, so that the
formulas see here exactly what they see when they serve. Everything is visible: what a formula may know on a
day is decided by the formula, through `at`.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson

from datasources.assessment import Assessments, Scores
from datasources.content import Interactions
from datasources.course import Activity, CourseProgress, Progress
from datasources.simulator.campus import Campus, CourseRun
from datasources.simulator.oulad import import_oulad
from datasources.simulator.records import records_of
from datasources.simulator.services import services
from datasources.wire import wire_of

F = TypeVar("F")

AFTERWARDS = datetime(2016, 1, 1, tzinfo=UTC)
"""Every presentation is over by then."""

TRAINING = "stage30_{}_train.csv.gz"
LINKED = ("courses", "enrollments", "assessments", "submissions")
EMPTY = {
    "resources": "course_id,id_site,activity_type\n",
    "interactions": "course_id,id_student,id_site,date,clicks\n",
}
PASSED = frozenset({"passed", "distinction"})


@dataclass(frozen=True, slots=True)
class Learner:
    """One registration, as the services tell it of one learner who takes nothing else.

    Without a click log `interactions` and `activity` are empty.
    """

    id: str
    home: str
    progress: Progress
    scores: Scores
    assessments: Assessments
    interactions: Interactions
    activity: Activity

    @property
    def course(self) -> CourseProgress:
        """The one course."""
        return self.progress.courses[0]

    def registered(self, at: datetime) -> bool:
        """Whether the learner had come by then, and not left."""
        left = self.course.left_at
        return self.course.enrolled_at <= at and (left is None or left > at)


@dataclass(frozen=True, slots=True)
class Presentation:
    """One run of a course with all its registrations; `passes` are those who passed in the end: only to judge by."""

    run: CourseRun
    learners: tuple[Learner, ...]
    passes: frozenset[str]

    def at(self, day: int) -> datetime:
        """The instant a course day begins, by which everything dated that day is known."""
        return self.run.start + timedelta(days=day)

    def present(self, day: int) -> list[Learner]:
        """Who is registered on a day."""
        return [learner for learner in self.learners if learner.registered(self.at(day))]

    def passed(self, learner: Learner) -> bool:
        """Whether the final result was a pass or a distinction."""
        return learner.id in self.passes


def presentations(directory: Path) -> Iterator[Presentation]:
    """The three presentations with their click log, by id."""
    return _told(import_oulad(directory))


def presentations_without_clicks(directory: Path) -> Iterator[Presentation]:
    """The fifteen presentations that the models are trained on, by id: plans and work, and no click log."""
    with tempfile.TemporaryDirectory() as place:
        for name in LINKED:
            (Path(place) / f"{name}.csv.gz").symlink_to((directory / TRAINING.format(name)).resolve())
        for name, header in EMPTY.items():
            (Path(place) / f"{name}.csv").write_text(header, "utf-8")
        campus = import_oulad(Path(place))
    return _told(campus)


def _told(campus: Campus) -> Iterator[Presentation]:
    homes = {person.id: person.organization for person in campus.people}
    for run in sorted(campus.courses, key=lambda run: run.id):
        taken = tuple(one for one in campus.registrations if one.course == run.id)
        alone = replace(campus, courses=(run,), registrations=taken, as_of=AFTERWARDS)
        reads = {read.name: read for service in services(alone, {}).values() for read in service}

        def fact(name: str, of: type[F], person: str, reads: Mapping[str, Any] = reads) -> F:
            return wire_of(of).one(orjson.dumps(reads[name].answer(person)))

        learners = tuple(
            Learner(
                id=one.person,
                home=homes[one.person],
                progress=fact("progress", Progress, one.person),
                scores=fact("scores", Scores, one.person),
                assessments=fact("assessments", Assessments, one.person),
                interactions=fact("interactions", Interactions, one.person),
                activity=fact("activity", Activity, one.person),
            )
            for one in records_of(alone).of_course.get(run.id, ())
        )
        yield Presentation(run, learners, frozenset(one.person for one in taken if one.result in PASSED))
