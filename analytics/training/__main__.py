"""`python -m analytics.training DATA_DIR` fits the three models and writes each with its card."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import analytics.models
from analytics.models import forecast, intake, risk
from analytics.training import forecast_card, intake_card, risk_card
from analytics.training.tables import TableError, load

MODELS: dict[str, tuple[Callable[..., dict[str, Any]], Callable[[str], Any]]] = {
    "risk.json": (risk_card.build, risk.read),
    "forecast.json": (forecast_card.build, forecast.read),
    "intake.json": (intake_card.build, intake.read),
}
"""How the text of each file is made, and how it is read where it is served."""


def main(arguments: list[str]) -> int:
    """Fit, check that the results can be served, write; 1 when the data cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m analytics.training", description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the stage30_*_train.csv.gz tables")
    parser.add_argument("--to", type=Path, default=Path(analytics.models.__path__[0]), help="directory of the files")
    parser.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date(), help="said of new models")
    chosen = parser.parse_args(arguments)
    try:
        courses = load(chosen.data)
    except TableError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    for name, (build, read) in MODELS.items():
        text = dated(build(courses, on=chosen.date), chosen.to / name)
        read(text)
        (chosen.to / name).write_text(text, "utf-8")
        sys.stdout.write(f"{name} written\n")
    return 0


def dated(model: dict[str, Any], path: Path) -> str:
    """The text of a model file; a model that came out as the file has it keeps the file's date."""
    before = json.loads(path.read_text("utf-8")) if path.exists() else {}
    same = {**json.loads(json.dumps(model)), "trained_on": before.get("trained_on")} == before
    return json.dumps(before if same else model, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
