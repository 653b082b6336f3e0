"""The tables of the Open University Learning Analytics Dataset, read from either of two layouts.

The original layout is the seven CSV files as their authors publish them (doi:10.1038/sdata.2017.171); the
sample layout is six tables joined by `course_id`. Each file may be `NAME.csv` or `NAME.csv.gz`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from datasources.simulator.oulad_files import OuladError, found, number_or_none, rows, whole, whole_or_none

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

Who = tuple[str, str]
"""A course id and a student id."""

STARTS = {"B": 2, "J": 10}
"""The dataset gives only the month, by a letter; the first of the month is assumed."""


@dataclass(frozen=True, slots=True)
class Course:
    """One presentation of one module."""

    id: str
    module: str
    presentation: str
    start: datetime
    length_days: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One student in one presentation; a day that the dataset does not give is None.

    `result` is `distinction`, `passed` or `failed`; None for who withdrew, and where a copy does not tell it.
    """

    course: str
    student: str
    region: str
    education: str
    age_band: str
    attempts: int
    credits: float
    registered: int | None
    left: int | None
    result: str | None


@dataclass(frozen=True, slots=True)
class Assessment:
    """One assessment."""

    course: str
    id: str
    type: str
    due: int | None
    weight: float


@dataclass(frozen=True, slots=True)
class Tables:
    """What both layouts say.

    `sites` are (course, id, activity type); submissions are (assessment, day, score, banked); clicks are summed
    by (day, site). Rows of other courses or of people who are not enrolled are left out.
    """

    courses: tuple[Course, ...]
    enrolments: tuple[Enrolment, ...]
    assessments: tuple[Assessment, ...]
    sites: tuple[tuple[str, str, str], ...]
    submissions: dict[Who, list[tuple[str, int, float | None, bool]]]
    clicks: dict[Who, dict[tuple[int, str], int]]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the layouts differ: the columns that name a course, the files, and two columns."""

    key: tuple[str, ...]
    submissions: str
    sites: str
    clicks: str
    due_day: str
    click_count: str


_SAMPLE = _Layout(("course_id",), "submissions", "resources", "interactions", "due_day", "clicks")
_ORIGINAL = _Layout(("code_module", "code_presentation"), "studentAssessment", "vle", "studentVle", "date", "sum_click")
_PERSON = ("region", "highest_education", "age_band", "num_of_prev_attempts", "studied_credits")
_DAYS = ("date_registration", "date_unregistration")
_RESULT = ("final_result",)
_RESULTS = {"Distinction": "distinction", "Pass": "passed", "Fail": "failed", "Withdrawn": None, "": None, "?": None}


def read_tables(directory: Path, presentations: Collection[str]) -> Tables:
    """All of a directory in the sample layout, or these presentations of one in the original layout.

    Raises:
        OuladError: what is missing or wrong, and what would be right.
    """
    if found(directory, "enrollments"):
        courses = _sample_courses(directory)
        enrolments = _sample_enrolments(directory)
        return _joined(directory, _SAMPLE, courses, enrolments)
    if found(directory, "studentInfo"):
        courses = _original_courses(directory, presentations)
        enrolments = _original_enrolments(directory, {course.id for course in courses})
        return _joined(directory, _ORIGINAL, courses, enrolments)
    message = (
        f"{directory} holds no OULAD data: there should be enrollments.csv (beside courses, assessments, submissions, "
        "resources and interactions) or, for the original files, studentInfo.csv (beside courses, studentRegistration, "
        "assessments, studentAssessment, vle and studentVle), each as .csv or .csv.gz"
    )
    raise OuladError(message)


def _sample_courses(directory: Path) -> tuple[Course, ...]:
    def course(row: tuple[str, ...]) -> Course:
        return Course(row[0], row[1], row[2], datetime.fromisoformat(row[3]).replace(tzinfo=UTC), whole(row[4]))

    columns = ("course_id", "code_module", "code_presentation", "assumed_start", "length_days")
    return tuple(rows(directory, "courses", columns, course))


def _sample_enrolments(directory: Path) -> tuple[Enrolment, ...]:
    columns = ("course_id", "id_student", *_PERSON, *_DAYS)
    return tuple(rows(directory, "enrollments", columns, _enrolment, _RESULT))


def _original_courses(directory: Path, presentations: Collection[str]) -> tuple[Course, ...]:
    def course(row: tuple[str, ...]) -> Course:
        module, presentation, length = row
        if presentation[4:] not in STARTS:
            message = f"{presentation} is not a year and {' or '.join(STARTS)}"
            raise ValueError(message)
        start = datetime(int(presentation[:4]), STARTS[presentation[4:]], 1, tzinfo=UTC)
        return Course(f"{module}_{presentation}", module, presentation, start, whole(length))

    every = tuple(rows(directory, "courses", (*_ORIGINAL.key, "module_presentation_length"), course))
    if absent := sorted(set(presentations) - {one.id for one in every}):
        message = f"{directory}: no presentation {', '.join(absent)}; there are {', '.join(one.id for one in every)}"
        raise OuladError(message)
    return tuple(one for one in every if one.id in presentations)


def _original_enrolments(directory: Path, chosen: Collection[str]) -> tuple[Enrolment, ...]:
    columns = (*_ORIGINAL.key, "id_student")
    days = {
        ("_".join(row[:2]), row[2]): row[3:]
        for row in rows(directory, "studentRegistration", (*columns, *_DAYS), lambda row: row)
    }

    def enrolment(row: tuple[str, ...]) -> Enrolment | None:
        who = ("_".join(row[:2]), row[2])
        *person, result = row[3:]
        return _enrolment((*who, *person, *days.get(who, ("", "")), result)) if who[0] in chosen else None

    return tuple(one for one in rows(directory, "studentInfo", (*columns, *_PERSON), enrolment, _RESULT) if one)


def _enrolment(row: tuple[str, ...]) -> Enrolment:
    course, student, region, education, age_band, attempts, credit, registered, left, result = row
    if result not in _RESULTS:
        message = f"{result} is no final result of this dataset"
        raise ValueError(message)
    return Enrolment(
        course=course,
        student=student,
        region=region,
        education=education,
        age_band=age_band,
        attempts=whole(attempts),
        credits=float(credit),
        registered=whole_or_none(registered),
        left=whole_or_none(left),
        result=_RESULTS[result],
    )


def _joined(directory: Path, layout: _Layout, courses: tuple[Course, ...], enrolments: tuple[Enrolment, ...]) -> Tables:
    chosen = {course.id for course in courses}
    enrolled = {(one.course, one.student) for one in enrolments}
    keys = len(layout.key)

    def assessment(row: tuple[str, ...]) -> Assessment:
        one, kind, due, weight = row[keys:]
        return Assessment("_".join(row[:keys]), one, kind, whole_or_none(due), float(weight))

    def site(row: tuple[str, ...]) -> tuple[str, str, str]:
        return "_".join(row[:keys]), row[keys], row[keys + 1]

    columns = (*layout.key, "id_assessment", "assessment_type", layout.due_day, "weight")
    assessments = tuple(one for one in rows(directory, "assessments", columns, assessment) if one.course in chosen)
    columns = (*layout.key, "id_site", "activity_type")
    sites = tuple(one for one in rows(directory, layout.sites, columns, site) if one[0] in chosen)
    return Tables(
        courses=courses,
        enrolments=enrolments,
        assessments=assessments,
        sites=sites,
        submissions=_submissions(directory, layout, {one.id: one.course for one in assessments}, enrolled),
        clicks=_clicks(directory, layout, enrolled, {one for _, one, _ in sites}),
    )


def _submissions(
    directory: Path, layout: _Layout, course_of: dict[str, str], enrolled: set[Who]
) -> dict[Who, list[tuple[str, int, float | None, bool]]]:
    def add(row: tuple[str, ...]) -> None:
        task, student, day, banked, score = row
        who = (course_of.get(task, ""), student)
        if who in enrolled:
            found_by[who].append((task, whole(day), number_or_none(score), bool(whole(banked))))

    found_by: defaultdict[Who, list[tuple[str, int, float | None, bool]]] = defaultdict(list)
    columns = ("id_assessment", "id_student", "date_submitted", "is_banked", "score")
    for _ in rows(directory, layout.submissions, columns, add):
        pass
    return found_by


def _clicks(
    directory: Path, layout: _Layout, enrolled: set[Who], sites: set[str]
) -> dict[Who, dict[tuple[int, str], int]]:
    keys = len(layout.key)

    def add(row: tuple[str, ...]) -> None:
        who = (row[0] if keys == 1 else f"{row[0]}_{row[1]}", row[keys])
        if who in enrolled:
            _, site, day, count = row[keys:]
            if site not in sites:
                message = f"site {site} is not listed in {layout.sites}"
                raise ValueError(message)
            when = (int(day), site)
            mine = found_by[who]
            mine[when] = mine.get(when, 0) + int(count)

    found_by: defaultdict[Who, dict[tuple[int, str], int]] = defaultdict(dict)
    for _ in rows(directory, layout.clicks, (*layout.key, "id_student", "id_site", "date", layout.click_count), add):
        pass
    return found_by
