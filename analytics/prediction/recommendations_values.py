"""What a recommendation says, and on what it stands."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le

from analytics.declare import DataQuality
from analytics.words import Seconds
from datasources.declare import Count, Id, Score, Share, Text, Unit

RankScore = Annotated[float, Ge(0), Le(2), Unit("rank score", digits=3)]


class RecommendationKind(StrEnum):
    """What is recommended."""

    ASSESSMENT = "assessment"
    """Work that counts, due within 14 days or overdue, and not handed in."""
    CONTENT = "content"
    """An item of a running course that is not opened."""
    EXERCISE = "exercise"
    """Practice in a skill that the learner's role asks for, not completed."""
    SUGGESTION = "suggestion"
    """What the learner-AI service would do next."""


class RecommendationPriority(StrEnum):
    """The band of a rank score."""

    HIGH = "high"
    """From 0.4."""
    MEDIUM = "medium"
    """From 0.2."""
    LOW = "low"
    """Below 0.2."""


@dataclass(frozen=True, slots=True)
class RankTerms:
    """What the rank score is made of; the four add up to it."""

    urgency: RankScore
    """0.4 x (1 - days until it is due / 14), at most 0.4; 0 when it is not due within 14 days."""
    gap: RankScore
    """0.3 x the priority of the most urgent skill gap it is about / 100."""
    peer_trend: RankScore
    """0.2 x the share of the course's learners who opened it in the last 14 days / the largest such share."""
    effect: RankScore
    """0.1 x the points that like learners who opened it scored more / 10; never below 0."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing to do next, and why."""

    id: Id
    """The id to save it, dismiss it or call it done with; the same thing keeps it."""
    kind: RecommendationKind
    """What is recommended."""
    type: Text
    """The platform's word for what it is."""
    title: Text | None
    """Its title; null when no service says it."""
    item_id: Id
    """The assessment, the content item, the exercise or the suggestion."""
    course_id: Id | None
    """Its course; null for what belongs to none."""
    score: RankScore
    """What it is ranked by: urgency, gap, peer trend and effect added up."""
    terms: RankTerms
    """What the score is made of."""
    priority: RecommendationPriority
    """The band of the score."""
    reason: Text
    """Why it is recommended: the largest of the terms, in words."""
    due_at: datetime | None
    """When it is due; null for what never is."""
    estimated_time: Seconds | None
    """How long it takes; null where no service says it."""
    skill_ids: tuple[Id, ...]
    """The skills it is known to be about, by id."""
    confidence: Share | None
    """How sure the learner-AI service says it is of its own suggestion; null for all else: a rank is no probability."""
    saved: bool
    """Whether the learner saved it for later."""


@dataclass(frozen=True, slots=True)
class MissingSkill:
    """A skill the learner's role asks for and they do not yet show."""

    skill_id: Id
    """The skill."""
    name: Text
    """Its name."""
    gap: Score
    """How many points are missing."""
    priority: Score
    """How urgent the gap is."""


@dataclass(frozen=True, slots=True)
class CareerAlignment:
    """How near the learner is to what their role asks for; no service says what the role is called."""

    alignment: Share
    """The importance-weighted share of the required levels that is there."""
    missing_skills: tuple[MissingSkill, ...]
    """The gaps, most urgent first."""


@dataclass(frozen=True, slots=True)
class Recommendations:
    """What a learner could do next, the most useful first."""

    recommendations: tuple[Recommendation, ...]
    """Five at most, two of a type at most, the highest score first, equal ones by id."""
    further: tuple[Recommendation, ...]
    """The next ones by score, whatever their type, fifteen at most."""
    candidates: Count
    """How many there were to choose from."""
    career_alignment: CareerAlignment | None
    """How near the learner is to what their role asks for; null when that is not known."""
    quality: DataQuality
    """The candidates, and the days since the first running course began; low without the peers' trend."""
