"""docs/models.md: the cards of the trained models, as their files have them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analytics.models.forecast import ForecastModel, forecast_model
from analytics.models.intake import IntakeModel, intake_model
from analytics.models.risk import RiskModel, risk_model
from gateway.cells import cell

INTRODUCTION = (
    "What the trained models were fitted to, what they look at, how good they are where they had not seen the data, "
    "and where they end. `make train` fits them anew and writes these cards; nothing is fitted while the gateway runs. "
    "Every measure is of presentations (runs of a course) that the measured model had not seen."
)


def models() -> str:
    """The page."""
    lines = ["# Models", "", INTRODUCTION]
    for model, also in (
        (risk_model(), _of_risk(risk_model())),
        (forecast_model(), _of_forecast(forecast_model())),
        (intake_model(), _of_intake(intake_model())),
    ):
        lines += ["", *_card(model, also)]
    return "\n".join(lines) + "\n"


def _of_risk(model: RiskModel) -> list[str]:
    leaving = {factor.value: {"coefficient": weight} for factor, weight in model.withdraw_30d.weights.items()}
    return [
        (
            f"Log-odds of not passing = {model.fail_or_withdraw.intercept} + the sum of coefficient x feature. "
            f"The 80 % interval reaches from {model.spread.low} to +{model.spread.high} log-odds around them. "
            f"Nothing is said before day {model.floor} of a course."
        ),
        "",
        f"Withdrawing within 30 days: {model.withdraw_30d.intercept} + the same sum with these coefficients.",
        "",
        *_table(leaving, "feature"),
    ]


def _of_forecast(model: ForecastModel) -> list[str]:
    residuals = {str(one.day): {"low": one.low, "high": one.high} for one in model.residuals}
    return [
        (
            f"What the open work comes to = {model.intercept} + the sum of coefficient x feature, "
            f"kept within 0 and 100. Without a score {model.mean_score} stands in."
        ),
        "",
        "Points added to it for the ends of the 80 % interval, by day:",
        "",
        *_table(residuals, "day"),
    ]


def _of_intake(model: IntakeModel) -> list[str]:
    return [
        (
            f"Log-odds of passing = {model.intercept} + the sum of coefficient x feature. Between runs the value added "
            f"varies by tau^2 = {model.between} (a standard deviation of {model.between**0.5:.3f} of the rate)."
        ),
    ]


def _card(model: RiskModel | ForecastModel | IntakeModel, also: Sequence[str]) -> list[str]:
    card, data = model.card, model.card["data"]
    return [
        f"## {model.name}",
        "",
        card["says"],
        "",
        (
            f"**Version** {model.version}, trained {model.trained_on.isoformat()}, {card['rows']:,} rows. "
            f"**Method.** {card['method'][0].upper()}{card['method'][1:]}."
        ),
        "",
        f"**Data.** {data['name']}. {data['source']}. Licence: {data['licence']}. Changes: {data['changes']}.",
        "",
        f"**Presentations.** {', '.join(card['presentations'])}.",
        "",
        "### Features and coefficients",
        "",
        *_listed(card["features"]),
        "",
        *also,
        "",
        "### Choices",
        "",
        *(f"- {choice}" for choice in card["choices"]),
        "",
        *_measures("Leave one presentation out", card["leaveOnePresentationOut"]),
        *_measures("Trained on 2013, tested on 2014B", card["trainedOn2013TestedOn2014B"]),
        *_measures("Calibration by group, none of which is in the model", card.get("calibrationByGroupNotInTheModel")),
        "### Known limits",
        "",
        *(f"- {limit}" for limit in card["limits"]),
    ]


def _measures(title: str, measured: Mapping[str, Any] | None) -> list[str]:
    lines = [f"### {title}", ""] if measured else []
    for name, what in (measured or {}).items():
        lines += [f"{_words(name)}:", "", *(_listed(what) if isinstance(what, list) else _table(what, "")), ""]
    return lines


def _table(rows: Mapping[str, Mapping[str, Any]], first: str) -> list[str]:
    return _listed([{first: name, **row} for name, row in rows.items()])


def _listed(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    columns = list(rows[0])
    return [
        _row(_words(column) for column in columns),
        "|" + "---|" * len(columns),
        *(_row(cell(_said(row[column])) for column in columns) for row in rows),
    ]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _said(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _words(name: str) -> str:
    """`presentationsBetter` is told as `presentations better`, `interval80` as `interval 80`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])", " ", name).lower()
