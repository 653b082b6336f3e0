"""The 30-day tables of the OULAD sample: presentations (runs of courses), their work and their learners."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analytics.models.features import Due, Standing, activity

WINDOW = 30


class TableError(ValueError):
    """The tables cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Task:
    """One counted assessment: the day it was due (None: no day), and its weight."""

    due: float | None
    weight: float


@dataclass(frozen=True, slots=True)
class Submission:
    """One piece of work handed in; the score is known on that day, None when there never was one."""

    day: int
    banked: bool
    score: float | None


@dataclass(slots=True)
class Enrolled:
    """One registration; days are since the start, `submissions` are by assessment.

    `about` says who the learner is (education, age band, region): the intake model reads the education, and
    otherwise it only ever serves to check whether the risk is as right for one group as for another.
    """

    attempts: int
    credits: float
    from_day: float | None
    left_day: float | None
    result: str
    about: Mapping[str, str]
    visits: dict[int, int] = field(default_factory=dict)
    submissions: dict[str, Submission] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the course ended well."""
        return self.result in {"Pass", "Distinction"}

    def item_days(self, day: int) -> int:
        """Item-days of the 30 days up to and including this one."""
        return self._visits_until(day) - self._visits_until(day - WINDOW)

    def _visits_until(self, day: int) -> int:
        """The table is cumulative: what stood on the last listed day still stands."""
        return max((visits for listed, visits in self.visits.items() if listed <= day), default=0)

    def registered(self, day: int) -> bool:
        """Whether the learner had come and not left; who has no day of either was there, or is."""
        come = self.from_day is None or self.from_day <= day
        return come and (self.left_day is None or self.left_day > day)

    def known(self, work: Mapping[str, Task], day: int) -> dict[str, Submission]:
        """The counted work handed in up to and including this day, in the order it was handed in."""
        counted = ((name, s) for name, s in self.submissions.items() if name in work and s.day <= day)
        return dict(sorted(counted, key=lambda one: (one[1].day, one[0])))


@dataclass(frozen=True, slots=True)
class Presentation:
    """One run of a course."""

    name: str
    length: float
    work: Mapping[str, Task]
    people: tuple[Enrolled, ...]

    def standing(self, person: Enrolled, day: int, usual: float) -> Standing:
        """Where somebody stood on a day: work handed in after it is not handed in."""
        known = person.known(self.work, day)
        return Standing(
            activity=activity(person.item_days(day), usual),
            due=[
                Due(task.due, float(known[name].day) if name in known else None)
                for name, task in self.work.items()
                if task.due is not None and task.due <= day and not (name in known and known[name].banked)
            ],
            scores=[s.score for s in known.values() if s.score is not None],
            repeats=person.attempts,
            credits=person.credits,
            elapsed=day / self.length,
        )


def load(directory: Path) -> tuple[Presentation, ...]:
    """The presentations of a directory of `stage30_*_train.csv.gz`, by name.

    Raises:
        TableError: a table is missing or lacks a column.
    """
    try:
        return _load(directory)
    except (OSError, KeyError) as problem:
        msg = f"{directory} does not hold readable stage30_*_train.csv.gz tables: {type(problem).__name__}: {problem}"
        raise TableError(msg) from problem


def _read(directory: Path, name: str) -> Iterator[dict[str, str]]:
    with gzip.open(directory / name, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _number(text: str) -> float | None:
    return float(text) if text else None


def _load(directory: Path) -> tuple[Presentation, ...]:
    lengths = {r["course_id"]: float(r["length_days"]) for r in _read(directory, "stage30_courses_train.csv.gz")}
    work: dict[str, dict[str, Task]] = defaultdict(dict)
    for r in _read(directory, "stage30_assessments_train.csv.gz"):
        if r["counts"] == "True":
            work[r["course_id"]][r["id_assessment"]] = Task(_number(r["due_day"]), float(r["weight"]))
    people: dict[str, list[Enrolled]] = defaultdict(list)
    for (course, _), person in _people(directory).items():
        people[course].append(person)
    return tuple(Presentation(name, lengths[name], work[name], tuple(people[name])) for name in sorted(lengths))


def _people(directory: Path) -> dict[tuple[str, str], Enrolled]:
    """The registrations by course and learner, with their visits and submissions."""
    people: dict[tuple[str, str], Enrolled] = {}
    for r in _read(directory, "stage30_enrollments_train.csv.gz"):
        people[r["course_id"], r["id_student"]] = Enrolled(
            attempts=int(r["num_of_prev_attempts"]),
            credits=float(r["studied_credits"]),
            from_day=_number(r["date_registration"]),
            left_day=_number(r["date_unregistration"]),
            result=r["final_result"],
            about={name: r[column] for name, column in ABOUT.items()},
        )
    for r in _read(directory, "stage30_train.csv.gz"):
        people[r["course_id"], r["id_student"]].visits[int(r["day"])] = int(r["visits"])
    for r in _read(directory, "stage30_submissions_train.csv.gz"):
        handed_in = Submission(int(r["date_submitted"]), r["is_banked"] == "1", _number(r["score"]))
        people[r["course_id"], r["id_student"]].submissions[r["id_assessment"]] = handed_in
    return people


ABOUT = {"education": "highest_education", "ageBand": "age_band", "region": "region"}
"""What is said about a learner, by the column it stands in."""
