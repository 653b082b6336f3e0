"""`python -m analytics.training DATA_DIR` fits the risk model and writes it with its card."""

import argparse
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import analytics.models
from analytics.models.risk import read
from analytics.training.card import build
from analytics.training.tables import TableError, load


def main(arguments: list[str]) -> int:
    """Fit, check that the result can be served, write; 1 when the data cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m analytics.training", description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the stage30_*_train.csv.gz tables")
    parser.add_argument("--to", type=Path, default=Path(analytics.models.__path__[0]) / "risk.json", help="the file")
    parser.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date(), help="said in the card")
    parser.add_argument("--version", type=int, default=1, help="raise it when the coefficients change")
    chosen = parser.parse_args(arguments)
    try:
        training = load(chosen.data)
    except TableError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    text = json.dumps(build(training, on=chosen.date, version=chosen.version), indent=2) + "\n"
    read(text)
    chosen.to.write_text(text, "utf-8")
    sys.stdout.write(f"{len(training.rows)} rows -> {chosen.to}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
