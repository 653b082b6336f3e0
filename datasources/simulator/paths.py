"""The learning paths of a campus, and where a learner is on them: it follows from the learner's visible records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasources.simulator.campus import LearningPath
from datasources.simulator.results import MASTERED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from datasources.simulator.campus import CourseRun, Registration
    from datasources.simulator.reads import Payload
    from datasources.simulator.records import Records


def laid_out(courses: Mapping[str, CourseRun], taken: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[LearningPath]:
    """One path for each sequence of courses that people (`taken`: person, courses) take; of repeats, the last run."""
    people: dict[tuple[str, ...], list[str]] = {}
    for person, path in taken:
        people.setdefault(path, []).append(person)
    for path, followers in people.items():
        runs = {courses[course].title: course for course in path}
        yield LearningPath(f"path-{'-then-'.join(path)}", ", then ".join(runs), tuple(runs.values()), tuple(followers))


def followed(records: Records, person: str) -> Payload:
    """A person's paths; each is followed from enrolling in any of its courses on."""
    taken = {one.course: one for one in records.of_person.get(person, ())}
    return {
        "paths": [
            {"id": path.id, "title": path.title, "steps": _steps(records, person, path, taken)}
            for path in records.paths.get(person, ())
            if taken.keys() & path.courses
        ]
    }


def _steps(records: Records, person: str, path: LearningPath, taken: Mapping[str, Registration]) -> list[Payload]:
    """The steps in order: the first that is not done is current, those after it are done or open."""
    mastered = {
        skill
        for one in records.practice.get(person, ())
        if records.shown(one.completed) and one.score is not None and one.score >= MASTERED
        for skill in one.skills
    }
    steps = [step for course in path.courses for step in _of_course(records, records.courses[course], taken, mastered)]
    current = next((place for place, (_, _, done) in enumerate(steps) if not done), None)
    return [
        {
            "order": place + 1,
            "type": kind,
            "title": title,
            "status": "done" if done else "current" if place == current else "open",
        }
        for place, (kind, title, done) in enumerate(steps)
    ]


def _of_course(
    records: Records, course: CourseRun, taken: Mapping[str, Registration], mastered: set[str]
) -> Iterator[tuple[str, str, bool]]:
    """Practice of each new skill and the counted tasks in order of their due days, then the course: type, title, done.

    Practice prepares for its task: it is done with a mastered exercise, or when the task is handed in. What a passed
    course asked for is behind the learner.
    """
    registration = taken.get(course.id)
    handed = {one.task.id for one in records.handed(registration)} if registration else set()
    passed = registration is not None and records.result(registration) in {"passed", "distinction"}
    named: set[str] = set()
    counted = [task for task in course.tasks if task.counts]
    for task in sorted(counted, key=lambda task: (task.due_day is None, task.due_day)):
        done = passed or task.id in handed
        skill = task.skills[0] if task.skills else None
        if skill is not None and skill not in named:
            named.add(skill)
            yield "practice", f"Practise {records.skill_names.get(skill, skill)}", done or skill in mastered
        yield "assessment", f"{course.title}: {task.title}", done
    yield "course", course.title, passed
