"""The skills service: what people can do, what they should be able to do, and what the market asks for."""

from __future__ import annotations

from dataclasses import dataclass

from datasources.declare import About, Count, Endpoint, Id, Instant, Score, Service, Share, Text


@dataclass(frozen=True, slots=True)
class UserSkill:
    """How well a learner masters one skill, as the service last assessed it."""

    skill_id: Id
    name: Text
    level: Score
    assessed_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class UserSkills:
    """The assessed skills of a learner."""

    skills: tuple[UserSkill, ...]


@dataclass(frozen=True, slots=True)
class RequiredSkill:
    """A skill a learner's role asks for."""

    skill_id: Id
    name: Text
    required_level: Score
    importance: Share = 1.0


@dataclass(frozen=True, slots=True)
class RequiredSkills:
    """The skills a learner's role asks for."""

    skills: tuple[RequiredSkill, ...]


@dataclass(frozen=True, slots=True)
class AcquiredSkill:
    """A skill that a learner reached, and when."""

    skill_id: Id
    name: Text
    acquired_at: Instant
    level: Score


@dataclass(frozen=True, slots=True)
class SkillAcquisition:
    """The skills a learner reached, in time."""

    skills: tuple[AcquiredSkill, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """How often the market asks for one skill: postings, or occupations that list it, in one period."""

    skill_id: Id
    name: Text
    count: Count
    in_demand: Count = 0
    hot: bool = False
    period: Text | None = None


@dataclass(frozen=True, slots=True)
class SkillDemand:
    """What the market asks for."""

    skills: tuple[Demand, ...]


SERVICE = Service(
    "skills",
    (
        Endpoint(UserSkills, "/api/v1/skills/user/{id}"),
        Endpoint(RequiredSkills, "/api/v1/skills/required/{id}"),
        Endpoint(SkillAcquisition, "/api/v1/skills/acquisition/{id}"),
        Endpoint(SkillDemand, "/api/v1/skills/demand", About.MARKET, batched=False),
    ),
)
