"""Who there is in the made-up data set: organizations of learners, trainers and admins, the same every time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from analytics.declare import Role
from datasources import course, directory
from datasources.course import EnrollmentStatus
from datasources.postgres.roster import Roster

SPACE = UUID("6e1f9a34-52c1-4c0e-9a3e-7d0f3f1f0b11")
TRAINERS, ADMINS, COURSES = 10, 2, 10
TAKES = 2
"""Courses of each learner."""
DEPARTMENTS = ("Arts", "Research", "Sales", "Sciences")


@dataclass(frozen=True, slots=True)
class School:
    """One organization by its number, and so many learners in it."""

    number: int
    learners: int

    @property
    def id(self) -> str:
        """The organization's id."""
        return self._id("organization", 0)

    @property
    def learner_ids(self) -> list[str]:
        """The ids of its learners, by number."""
        return [self.learner(n) for n in range(self.learners)]

    def learner(self, number: int) -> str:
        """The id of one of its learners."""
        return self._id("learner", number)

    @property
    def trainer_ids(self) -> list[str]:
        """The ids of its trainers, by number."""
        return [self._id("trainer", n) for n in range(TRAINERS)]

    @property
    def admin_ids(self) -> list[str]:
        """The ids of its admins, by number."""
        return [self._id("admin", n) for n in range(ADMINS)]

    def roster(self, now: datetime) -> Roster:
        """Who is in it and takes what, as the services would tell it `now`."""
        begun, ends = now - timedelta(days=60), now + timedelta(days=60)
        trainers, learners = self.trainer_ids, self.learner_ids
        taught = [
            course.Course(self._id("course", n), f"Course {n + 1}", begun, ends, (trainers[n % TRAINERS],))
            for n in range(COURSES)
        ]
        taken: dict[str, list[course.Enrollment]] = {one.id: [] for one in taught}
        for n, learner in enumerate(learners):
            for step in range(TAKES):
                taken[taught[(n + step) % COURSES].id].append(
                    course.Enrollment(learner, begun, EnrollmentStatus.ACTIVE)
                )
        people = [
            *self._people(learners, Role.LEARNER),
            *self._people(trainers, Role.TRAINER),
            *self._people(self.admin_ids, Role.ORG_ADMIN),
        ]
        about = directory.Organization(self.id, f"Organization {self.number}", departments=DEPARTMENTS)
        return Roster(about, people, taught, taken, now)

    def _people(self, ids: list[str], role: Role) -> list[directory.User]:
        return [
            directory.User(
                one, f"{role.name.title()} {n:06}", self.id, (role.value,), department=DEPARTMENTS[n % len(DEPARTMENTS)]
            )
            for n, one in enumerate(ids)
        ]

    def _id(self, kind: str, number: int) -> str:
        return str(uuid5(SPACE, f"{self.number} {kind} {number}"))
