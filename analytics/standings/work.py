"""What was due in a course, who handed it in, and how long the marks took."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from analytics.arithmetic import LONGEST, quantile
from analytics.coursework import Work, counted, coursework
from analytics.standings.values import CourseAssessment
from datasources.assessment import Assessment, Assessments, Scores

DAY = timedelta(days=1)


def work_of_each(
    course: str, learners: Iterable[str], set_for: Mapping[str, Assessments], done: Mapping[str, Scores], at: datetime
) -> dict[str, tuple[Work, ...]]:
    """The counted work of each of the learners about whom both facts are known."""
    return {
        learner: coursework(set_for[learner].assessments, done[learner].scores, course=course, at=at)
        for learner in learners
        if learner in set_for and learner in done
    }


def assessments_of(
    course: str, work: Mapping[str, tuple[Work, ...]], set_for: Mapping[str, Assessments], at: datetime
) -> tuple[CourseAssessment, ...]:
    """Each counted assessment that was due from somebody by `at`, by due date and id."""
    titles: dict[str, Assessment] = {}
    for learner in work:
        for one in counted(set_for[learner].assessments, course):
            titles[one.id] = min(titles.get(one.id, one), one, key=repr)
    due: dict[str, list[Work]] = {}
    for pieces in work.values():
        for piece in pieces:
            if piece.due(at):
                due.setdefault(piece.id, []).append(piece)
    found = [_assessment(titles[name].title, pieces) for name, pieces in due.items()]
    return tuple(sorted(found, key=lambda one: (one.due, one.assessment)))


def _assessment(title: str, pieces: list[Work]) -> CourseAssessment:
    handed_in = [piece for piece in pieces if piece.handed_in is not None]
    return CourseAssessment(
        assessment=pieces[0].id,
        title=title,
        due=min(piece.due_at for piece in pieces if piece.due_at is not None),
        expected=len(pieces),
        handed_in=len(handed_in),
        on_time=sum(not piece.late for piece in handed_in),
    )


def feedback(course: str, done: Iterable[Scores], at: datetime) -> tuple[float | None, int]:
    """The median days from handing in to the mark, and of how many marks.

    None without a mark that has a date, and when every wait is 0: a service that dates each mark as it
    dates the work tells nothing about the wait.
    """
    waits = [
        min(float(LONGEST), (record.graded_at - record.submitted_at) / DAY)
        for scores in done
        for record in set(scores.scores)
        if record.course_id == course
        and not record.banked
        and record.graded_at is not None
        and record.submitted_at <= record.graded_at <= at
    ]
    return (quantile(waits, 0.5), len(waits)) if any(waits) else (None, 0)
