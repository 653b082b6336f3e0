"""Courses and content: who takes what, how far they are, and what they opened when."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from datasources.simulator.reads import Payload, Read, Subject, about

if TYPE_CHECKING:
    from datetime import date

    from datasources.simulator.campus import CourseRun, Registration
    from datasources.simulator.records import Records


def course(records: Records) -> tuple[Read, ...]:
    """The reads of the course service."""

    def progress(key: str) -> Payload:
        return {"courses": [_progress(records, one) for one in records.of_person.get(key, ())]}

    def activity(key: str) -> Payload:
        return {"days": _activity(records, records.of_person.get(key, ()))}

    def courses(key: str) -> Payload:
        return {"courses": [_course(records.courses[one.course]) for one in records.of_person.get(key, ())]}

    def enrollments(key: str) -> Payload:
        return {"enrollments": [_enrollment(records, one) for one in records.of_course.get(key, ())]}

    def teaching(key: str) -> Payload:
        return {"courses": [_course(one) for one in records.taught.get(key, ())]}

    person, run = records.people.__contains__, records.courses.__contains__
    return (
        Read("progress", "/api/v1/progress/{id}", about(person, progress)),
        Read("activity", "/api/v1/activity/{id}", about(person, activity)),
        Read("courses", "/api/v1/courses/{id}", about(person, courses)),
        Read("enrollments", "/api/v1/courses/{id}/enrollments", about(run, enrollments), Subject.COURSE),
        Read("teaching", "/api/v1/trainers/{id}/courses", about(person, teaching), Subject.TRAINER),
    )


def content(records: Records) -> tuple[Read, ...]:
    """The reads of the content service."""
    usage_of: dict[str, list[dict[date, int]]] = {}
    viewers_of: dict[str, list[int]] = {}

    def interactions(key: str) -> Payload:
        return {"interactions": [row for one in records.of_person.get(key, ()) for row in _interactions(records, one)]}

    def metadata(key: str) -> Payload:
        run, place = records.items[key]
        item = run.items[place]
        return {
            "id": item.id,
            "title": item.title,
            "type": item.type,
            "courseId": run.id,
            "durationSeconds": None,
            "creation": None,
        }

    def usage(key: str) -> Payload:
        run, place = records.items[key]
        if run.id not in usage_of:
            usage_of[run.id], viewers_of[run.id] = _usage(records, run)
        days = usage_of[run.id][place]
        return {
            "views": sum(days.values()),
            "uniqueViewers": viewers_of[run.id][place],
            "completionRate": None,
            "byDate": [{"date": day, "views": views} for day, views in sorted(days.items())],
        }

    person, item = records.people.__contains__, records.items.__contains__
    return (
        Read("interactions", "/api/v1/interactions/{id}", about(person, interactions)),
        Read("content", "/api/v1/content/{id}/metadata", about(item, metadata), Subject.CONTENT),
        Read("usage", "/api/v1/content/{id}/usage", about(item, usage), Subject.CONTENT),
    )


def _course(run: CourseRun) -> Payload:
    return {
        "id": run.id,
        "title": run.title,
        "startDate": run.start,
        "endDate": run.start + timedelta(days=run.length_days),
        "trainerIds": run.trainers,
    }


def _progress(records: Records, registration: Registration) -> Payload:
    """The plan is the counted tasks, without those whose result was carried over: they are not assigned again."""
    campus, run = records.campus, records.courses[registration.course]
    handed = records.handed(registration)
    banked = {one.task.id for one in handed if one.banked}
    first = {one.task.id: one.at for one in reversed(handed)}
    return {
        "courseId": run.id,
        "title": run.title,
        "startDate": run.start,
        "endDate": run.start + timedelta(days=run.length_days),
        "enrolledAt": campus.instant(run, registration.enrolled_day),
        "leftAt": records.left_at(registration),
        "credits": registration.credits,
        "previousAttempts": registration.previous_attempts,
        "modules": [
            {
                "id": task.id,
                "title": task.title,
                "weight": task.weight,
                "dueAt": None if task.due_day is None else campus.instant(run, task.due_day),
                "completedAt": first.get(task.id),
            }
            for task in run.tasks
            if task.counts and task.id not in banked
        ],
    }


def _enrollment(records: Records, registration: Registration) -> Payload:
    run, left = records.courses[registration.course], records.left_at(registration)
    ended = run.start + timedelta(days=run.length_days) <= records.campus.as_of
    return {
        "userId": registration.person,
        "enrolledAt": records.campus.instant(run, registration.enrolled_day),
        "status": "withdrawn" if left else "completed" if ended else "active",
        "leftAt": left,
        "result": records.result(registration),
    }


def _activity(records: Records, registrations: tuple[Registration, ...]) -> list[Payload]:
    days: defaultdict[date, dict[str, int]] = defaultdict(lambda: {"content": 0, "forum": 0, "quiz": 0, "other": 0})
    for registration in registrations:
        run = records.courses[registration.course]
        kinds, start = [item.kind for item in run.items], run.start.date()
        for place, day, actions in records.clicks(registration):
            if actions:
                days[start + timedelta(days=day)][kinds[place]] += actions
    return [{"date": day, "actions": sum(kinds.values()), "byType": kinds} for day, kinds in sorted(days.items())]


def _interactions(records: Records, registration: Registration) -> list[Payload]:
    """One row per item and day, in day order."""
    run = records.courses[registration.course]
    start = run.start.date()
    actions: defaultdict[tuple[int, int], int] = defaultdict(int)
    for place, day, count in records.clicks(registration):
        if count:
            actions[day, place] += count
    return [
        {
            "contentId": run.items[place].id,
            "courseId": run.id,
            "type": run.items[place].type,
            "date": start + timedelta(days=day),
            "actions": count,
        }
        for (day, place), count in actions.items()
    ]


def _usage(records: Records, run: CourseRun) -> tuple[list[dict[date, int]], list[int]]:
    """For each item of a course: its views by date, and how many people opened it."""
    start = run.start.date()
    days: list[defaultdict[date, int]] = [defaultdict(int) for _ in run.items]
    viewers: list[set[str]] = [set() for _ in run.items]
    for registration in records.of_course.get(run.id, ()):
        for place, day, actions in records.clicks(registration):
            if actions:
                days[place][start + timedelta(days=day)] += actions
                viewers[place].add(registration.person)
    return [dict(one) for one in days], [len(one) for one in viewers]
