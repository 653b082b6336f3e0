"""All models that are served, read before anybody asks."""

from __future__ import annotations

from analytics.models.forecast import forecast_model
from analytics.models.intake import intake_model
from analytics.models.risk import risk_model

MODELS = (forecast_model, intake_model, risk_model)


def read_models() -> None:
    """Read each committed model from its file; they stay for the life of the process.

    Raises:
        pydantic.ValidationError: one is not what its module says.
    """
    for model in MODELS:
        model()
