"""The directory service: people, the organizations they belong to, and what those organizations aim for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from datasources.declare import About, Count, Endpoint, Id, Instant, Score, Service, Share, Text, Weight

Amount = Annotated[float, Ge(-1e12), Le(1e12)]


@dataclass(frozen=True, slots=True)
class User:
    """One person: who they are and where they belong. Region and age band only ever choose a cohort.

    `time_zone` is an IANA name such as Europe/Paris; where there is none, days are UTC days.
    """

    id: Id
    display_name: Text
    organization_id: Id
    roles: tuple[Text, ...]
    email: Text | None = None
    department: Text | None = None
    region: Text | None = None
    age_band: Text | None = None
    education: Text | None = None
    time_zone: Text | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Organization:
    """One organization and its parts."""

    id: Id
    name: Text
    domain: Text | None = None
    industry: Text | None = None
    size: Count | None = None
    branches: tuple[Text, ...] = ()
    departments: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Members:
    """Everyone who belongs to an organization."""

    users: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One key figure with where it started and where it should go; the sign of the way is in the two."""

    id: Id
    name: Text
    value: Amount | None
    target: Amount
    baseline: Amount
    weight: Weight = 1.0
    unit: Text | None = None
    period: Text | None = None


@dataclass(frozen=True, slots=True)
class Kpis:
    """The key figures of an organization."""

    kpis: tuple[Kpi, ...]


@dataclass(frozen=True, slots=True)
class GoalSkill:
    """A skill a goal asks for, and how much of it."""

    skill_id: Id
    target_level: Score
    importance: Share = 1.0


@dataclass(frozen=True, slots=True)
class Goal:
    """One strategic goal and the skills that carry it."""

    id: Id
    name: Text
    weight: Weight
    skills: tuple[GoalSkill, ...] = ()


@dataclass(frozen=True, slots=True)
class Goals:
    """The strategic goals of an organization."""

    goals: tuple[Goal, ...]


@dataclass(frozen=True, slots=True)
class Login:
    """One session on the platform."""

    at: Instant
    duration_seconds: Count


@dataclass(frozen=True, slots=True)
class Logins:
    """A person's sessions on the platform."""

    logins: tuple[Login, ...]


SERVICE = Service(
    "directory",
    (
        Endpoint(User, "/api/v1/users/{id}"),
        Endpoint(Organization, "/api/v1/organizations/{id}", About.ORGANIZATION),
        Endpoint(Members, "/api/v1/organizations/{id}/members", About.ORGANIZATION, at_most=1),
        Endpoint(Kpis, "/api/v1/organizations/{id}/kpis", About.ORGANIZATION),
        Endpoint(Goals, "/api/v1/organizations/{id}/goals", About.ORGANIZATION),
        Endpoint(Logins, "/api/v1/users/{id}/login-logs"),
    ),
)
