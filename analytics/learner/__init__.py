"""What can be said about one learner: five metrics, each declared where its formula is."""

from analytics.learner.attainment import Performance, performance
from analytics.learner.gaps import SkillGap, skill_gap
from analytics.learner.knowledge import Mastery, mastery
from analytics.learner.pace import Window
from analytics.learner.participation import Engagement, engagement
from analytics.learner.velocities import LearningVelocity, velocity

__all__ = [
    "Engagement",
    "LearningVelocity",
    "Mastery",
    "Performance",
    "SkillGap",
    "Window",
    "engagement",
    "mastery",
    "performance",
    "skill_gap",
    "velocity",
]
