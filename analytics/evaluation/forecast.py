"""Forecast: how far the predicted coursework score is off, beside simple ways to guess it."""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics.evaluation.document import NOTHING, Section, Table, figure, whole
from analytics.models.forecast import forecast_model
from analytics.training.forecast_card import build
from analytics.training.rows import DAYS
from analytics.training.tables import Presentation

WAYS = {
    "constant": "constant",
    "lastScore": "last score",
    "ownAverage": "own average",
    "securedAndRecentScore": "secured + rest x recent score",
    "model": "**model**",
}
PUBLISHED: Mapping[int, Mapping[str, str]] = {
    64: {
        "constant": "20.4",
        "lastScore": "16.2",
        "ownAverage": "15.9",
        "securedAndRecentScore": "15.3",
        "model": "13.1",
    },
    94: {
        "constant": "20.5",
        "lastScore": "15.7",
        "ownAverage": "15.2",
        "securedAndRecentScore": "14.0",
        "model": "12.5",
    },
    124: {
        "constant": "20.5",
        "lastScore": "14.4",
        "ownAverage": "14.0",
        "securedAndRecentScore": "11.2",
        "model": "9.35",
    },
}
PUBLISHED_INTERVAL = {64: (".79", "43"), 94: (".74", "36"), 124: (".76", "26")}


def section(courses: Sequence[Presentation]) -> Section:
    """Errors and interval coverage by day."""
    model = forecast_model()
    judged = build(courses, on=model.trained_on)["card"]["leaveOnePresentationOut"]
    errors, intervals = judged["meanAbsoluteError"], judged["interval80"]
    worse = [day for day in DAYS if errors[str(day)]["model"] >= errors[str(day)]["ownAverage"]]
    verdict = f"**not below it on day {', '.join(map(str, worse))}**" if worse else "below it on every day"
    runs = judged["meanAbsoluteErrorByPresentation"]
    odd = [run for run, error in runs.items() if error["model"] >= error["ownAverage"]]
    exceptions = f"every one of the {len(runs)} presentations but {', '.join(odd)}" if odd else "every presentation"
    return Section(
        "Forecast of the coursework score",
        [
            f"""Model: {model.name} {model.version}, trained {model.trained_on.isoformat()}. Mean absolute error in
            points of 100 over those who did not withdraw, work never handed in as 0, each presentation
            predicted by a model fitted to the others; the published figures (in brackets) are of 2014J. The
            model has to be below the own average: it is {verdict}.""",
            f"Over all days together it is below it in {exceptions}.",
            Table(("Day", "n", *WAYS.values()), [_row(day, errors[str(day)]) for day in DAYS]),
            "**80 % interval**, its residuals taken from the other presentations:",
            Table(
                ("Day", "coverage", "published", "mean width", "published"),
                [_interval(day, intervals[str(day)]) for day in DAYS],
            ),
        ],
    )


def _row(day: int, errors: Mapping[str, Any]) -> list[str]:
    said = PUBLISHED.get(day, {})
    return [str(day), whole(errors["n"]), *(f"{figure(errors[way], 2)} ({said.get(way, NOTHING)})" for way in WAYS)]


def _interval(day: int, found: Mapping[str, Any]) -> list[str]:
    coverage, width = PUBLISHED_INTERVAL.get(day, (NOTHING, NOTHING))
    return [str(day), figure(found["coverage"], 2), coverage, figure(found["meanWidth"], 0), width]
