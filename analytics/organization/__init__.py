"""What can be said about an organization: four metrics, each declared where its formula is."""

from analytics.organization.alignment import OrgStrategicAlignment, strategic_alignment
from analytics.organization.culture import OrgLearningCulture, learning_culture
from analytics.organization.results import OrgPerformance, performance
from analytics.organization.velocity import OrgLearningVelocity, learning_velocity

__all__ = [
    "OrgLearningCulture",
    "OrgLearningVelocity",
    "OrgPerformance",
    "OrgStrategicAlignment",
    "learning_culture",
    "learning_velocity",
    "performance",
    "strategic_alignment",
]
