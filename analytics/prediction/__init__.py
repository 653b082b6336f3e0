"""What is likely to happen: estimates with their uncertainty, and what could be done about it."""

from analytics.prediction.risk import drop_off_risk
from analytics.prediction.values import DropOffRisk

__all__ = ["DropOffRisk", "drop_off_risk"]
