"""The 30-day tables of the OULAD sample, as training rows: one learner in one course on one day."""

import csv
import gzip
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analytics.models.features import Due, Factor, Standing, activity, features

DAYS = (34, 64, 94, 124)
"""The days a learner is looked at; the tables hold cumulative visits for them and for 30 days before each."""

WINDOW = 30


class TableError(ValueError):
    """The tables cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """What was known of one learner in one course on one day, and what became of it."""

    course: str
    day: int
    values: Mapping[Factor, float]
    fail_or_withdraw: bool
    withdraw_30d: bool


@dataclass(frozen=True, slots=True)
class Training:
    """All rows, and the median item-days of the last 30 days for each (course, day)."""

    rows: tuple[Row, ...]
    medians: Mapping[tuple[str, int], float]


@dataclass(slots=True)
class _Enrolled:
    """One registration: days are since the start, `submissions` are assessment -> (day, banked, score)."""

    course: str
    attempts: int
    credits: float
    from_day: float | None
    left_day: float | None
    result: str
    visits: dict[int, int] = field(default_factory=dict)
    submissions: dict[str, tuple[int, bool, float | None]] = field(default_factory=dict)

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


def load(directory: Path, courses: frozenset[str] | None = None) -> Training:
    """The training rows of a directory of `stage30_*_train.csv.gz`, of all courses or of these.

    A row is made for everybody still registered on the day, from what was dated up to and including it;
    only the two labels look further.

    Raises:
        TableError: a table is missing or lacks a column.
    """
    try:
        return _load(directory, courses)
    except (OSError, KeyError) as problem:
        msg = f"{directory} does not hold readable stage30_*_train.csv.gz tables: {type(problem).__name__}: {problem}"
        raise TableError(msg) from problem


def _read(directory: Path, name: str) -> Iterator[dict[str, str]]:
    with gzip.open(directory / name, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _number(text: str) -> float | None:
    return float(text) if text else None


def _load(directory: Path, wanted: frozenset[str] | None) -> Training:
    lengths = {r["course_id"]: float(r["length_days"]) for r in _read(directory, "stage30_courses_train.csv.gz")}
    due: dict[str, dict[str, float | None]] = defaultdict(dict)
    for r in _read(directory, "stage30_assessments_train.csv.gz"):
        if r["counts"] == "True":
            due[r["course_id"]][r["id_assessment"]] = _number(r["due_day"])
    people = _people(directory)
    rows: list[Row] = []
    medians: dict[tuple[str, int], float] = {}
    for course in sorted(lengths if wanted is None else lengths.keys() & wanted):
        for day in DAYS:
            present = [p for p in people[course] if p.registered(day)]
            usual = medians[course, day] = statistics.median(p.item_days(day) for p in present)
            rows.extend(_row(p, due[course], day, usual, day / lengths[course]) for p in present)
    return Training(tuple(rows), medians)


def _people(directory: Path) -> dict[str, list[_Enrolled]]:
    """The registrations of each course, with their visits and submissions."""
    people: dict[tuple[str, str], _Enrolled] = {}
    for r in _read(directory, "stage30_enrollments_train.csv.gz"):
        people[r["course_id"], r["id_student"]] = _Enrolled(
            course=r["course_id"],
            attempts=int(r["num_of_prev_attempts"]),
            credits=float(r["studied_credits"]),
            from_day=_number(r["date_registration"]),
            left_day=_number(r["date_unregistration"]),
            result=r["final_result"],
        )
    for r in _read(directory, "stage30_train.csv.gz"):
        people[r["course_id"], r["id_student"]].visits[int(r["day"])] = int(r["visits"])
    for r in _read(directory, "stage30_submissions_train.csv.gz"):
        handed_in = (int(r["date_submitted"]), r["is_banked"] == "1", _number(r["score"]))
        people[r["course_id"], r["id_student"]].submissions[r["id_assessment"]] = handed_in
    by_course: dict[str, list[_Enrolled]] = defaultdict(list)
    for (course, _), person in people.items():
        by_course[course].append(person)
    return by_course


def _row(person: _Enrolled, due: Mapping[str, float | None], day: int, usual: float, elapsed: float) -> Row:
    """One row; work handed in after the day is not handed in, and a score is known on the day of its submission."""
    known = {work: s for work, s in person.submissions.items() if work in due and s[0] <= day}
    set_work = [
        Due(due_day, known[work][0] if work in known else None)
        for work, due_day in due.items()
        if due_day is not None and due_day <= day and not (work in known and known[work][1])
    ]
    standing = Standing(
        activity=activity(person.item_days(day), usual),
        due=set_work,
        scores=[score for _, _, score in known.values() if score is not None],
        repeats=person.attempts,
        credits=person.credits,
        elapsed=elapsed,
    )
    return Row(
        course=person.course,
        day=day,
        values=features(standing),
        fail_or_withdraw=person.result in {"Fail", "Withdrawn"},
        withdraw_30d=person.left_day is not None and person.left_day <= day + WINDOW,
    )
