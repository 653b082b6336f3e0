"""Assessments, skills and practice: what was handed in, what it says of a skill, and what was tried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasources.simulator.reads import Payload, Read, Subject, about

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from datasources.simulator.records import Handed, Records

MASTERED = 0.85
"""The share from which the practice service calls an exercise mastered."""


def assessment(records: Records) -> tuple[Read, ...]:
    """The reads of the assessment service. A score is known on the day its work was handed in."""

    def scores(key: str) -> Payload:
        return {
            "scores": [
                _score(one) for registration in records.of_person.get(key, ()) for one in records.handed(registration)
            ]
        }

    def assessments(key: str) -> Payload:
        runs = [records.courses[registration.course] for registration in records.of_person.get(key, ())]
        return {
            "assessments": [
                {
                    "id": task.id,
                    "courseId": run.id,
                    "title": task.title,
                    "type": task.type,
                    "weight": task.weight,
                    "counts": task.counts,
                    "dueAt": None if task.due_day is None else records.campus.instant(run, task.due_day),
                    "threshold": 40.0,
                }
                for run in runs
                for task in run.tasks
            ]
        }

    person = records.people.__contains__
    return (
        Read("scores", "/api/v1/scores/{id}", about(person, scores)),
        Read("assessments", "/api/v1/assessments/{id}", about(person, assessments)),
    )


def skills(records: Records) -> tuple[Read, ...]:
    """The reads of the skills service: a level is the latest known score of work on that skill."""
    names = records.skill_names

    def levels(key: str) -> Payload:
        latest = {skill: (at, score) for skill, at, score in _on_skills(records, key)}
        return {
            "skills": [
                {"skillId": skill, "name": names.get(skill, skill), "level": score, "assessedAt": at}
                for skill, (at, score) in sorted(latest.items())
            ]
        }

    def required(key: str) -> Payload:
        return {
            "skills": [
                {"skillId": skill, "name": names.get(skill, skill), "requiredLevel": level, "importance": importance}
                for skill, level, importance in records.people[key].required
            ]
        }

    def acquisition(key: str) -> Payload:
        asked = {skill: level for skill, level, _ in records.people[key].required}
        reached: dict[str, tuple[datetime, float]] = {}
        for skill, at, score in _on_skills(records, key):
            if skill in asked and score >= asked[skill]:
                reached.setdefault(skill, (at, score))
        return {
            "skills": [
                {"skillId": skill, "name": names.get(skill, skill), "acquiredAt": at, "level": score}
                for skill, (at, score) in reached.items()
            ]
        }

    demand: Payload = {
        "skills": [
            {
                "skillId": one.skill,
                "name": one.name,
                "count": one.count,
                "inDemand": one.in_demand,
                "hot": one.hot,
                "period": one.period or None,
            }
            for one in records.campus.demand
        ]
    }
    person = records.people.__contains__
    return (
        Read("user-skills", "/api/v1/skills/user/{id}", about(person, levels)),
        Read("required-skills", "/api/v1/skills/required/{id}", about(person, required)),
        Read("skill-acquisition", "/api/v1/skills/acquisition/{id}", about(person, acquisition)),
        Read("skill-demand", "/api/v1/skills/demand", lambda _: demand, Subject.MARKET),
    )


def devlab(records: Records) -> tuple[Read, ...]:
    """The reads of the practice service. A sitting that ends after `as_of` is still unfinished."""

    def sessions(key: str) -> Payload:
        found: list[Payload] = []
        for number, one in enumerate(records.practice.get(key, ()), 1):
            if records.shown(one.started):
                completed = records.shown(one.completed)
                found.append(
                    {
                        "id": f"{key}-{number}",
                        "exerciseId": one.exercise,
                        "startedAt": one.started,
                        "skillIds": one.skills,
                        "completedAt": completed,
                        "score": one.score if completed else None,
                        "attempts": one.attempts,
                    }
                )
        return {"sessions": found}

    def completions(key: str) -> Payload:
        mastered = sorted(
            (at, one.exercise)
            for one in records.practice.get(key, ())
            if (at := records.shown(one.completed)) and one.score is not None and one.score >= MASTERED
        )
        first = {exercise: at for at, exercise in reversed(mastered)}
        return {"completions": [{"exerciseId": exercise, "completedAt": at} for exercise, at in sorted(first.items())]}

    person = records.people.__contains__
    return (
        Read("practice-sessions", "/api/v1/users/{id}/practice-sessions", about(person, sessions)),
        Read("mastery-completions", "/api/v1/users/{id}/mastery-completions", about(person, completions)),
    )


def _score(one: Handed) -> Payload:
    return {
        "assessmentId": one.task.id,
        "courseId": one.course.id,
        "submittedAt": one.at,
        "score": one.score,
        "maxScore": 100.0,
        "skillIds": one.task.skills,
        "attempt": 1,
        "gradedAt": None if one.score is None else one.at,
        "banked": one.banked,
    }


def _on_skills(records: Records, key: str) -> Iterator[tuple[str, datetime, float]]:
    """Each skill of every marked piece of work, with when it was handed in and its score, oldest first."""
    handed = [one for registration in records.of_person.get(key, ()) for one in records.handed(registration)]
    for one in sorted(handed, key=lambda one: (one.at, one.task.id)):
        if one.score is not None:
            for skill in one.task.skills:
                yield skill, one.at, one.score
