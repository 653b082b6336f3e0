"""A learner's counted work, course by course, and what of it is marked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from analytics.arithmetic import unique
from analytics.coursework import Work, coursework
from analytics.learner.marks import handed_in
from analytics.learner.scoring import average
from datasources.assessment import Assessment, Assessments, Scores


@dataclass(frozen=True, slots=True)
class Marked:
    """One piece of work that is marked."""

    assessment: Assessment
    handed_in: datetime
    on_time: bool
    score: float


def marked_in_time(work: Iterable[Work], assessments: Mapping[str, Assessment]) -> list[Marked]:
    """The marked work of one course in the order it was handed in."""
    marked = [
        Marked(assessments[each.id], each.handed_in, not each.late, each.score)
        for each in work
        if each.handed_in is not None and each.score is not None
    ]
    return sorted(marked, key=lambda each: (each.handed_in, each.assessment.id))


@dataclass(frozen=True, slots=True)
class CountedCourse:
    """The counted work of one course, and what of it is marked."""

    id: str
    work: list[Work]
    marked: list[Marked]

    @property
    def average(self) -> float | None:
        """The average score."""
        return average(self.work)


def courses_of(assessments: Assessments, scores: Scores, at: datetime) -> list[CountedCourse]:
    """The courses that have counted work: due by `at` or handed in, neither formative nor banked; by id."""
    submissions = handed_in(scores.scores, at)
    every = unique(assessments.assessments, lambda each: (each.course_id, each.id))
    courses = []
    for course in sorted({each.course_id for each in every}):
        ours = {each.id: each for each in every if each.course_id == course}
        counted = coursework(ours.values(), submissions, course=course, at=at)
        work = [each for each in counted if not each.banked and (each.due(at) or each.handed_in is not None)]
        if work:
            courses.append(CountedCourse(course, work, marked_in_time(work, ours)))
    return courses
