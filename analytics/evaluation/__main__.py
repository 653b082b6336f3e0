"""`python -m analytics.evaluation DATA_DIR` recomputes the evidence on real learners and writes it down."""

import argparse
import sys
from pathlib import Path

from analytics.evaluation.report import report
from analytics.training.tables import TableError
from datasources.simulator.oulad_files import OuladError

EVIDENCE = Path(__file__).parents[2] / "docs" / "evidence.md"


def main(arguments: list[str]) -> int:
    """Recompute, print, write; 1 when the data cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m analytics.evaluation", description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the OULAD sample and its stage30_*_train.csv.gz tables")
    parser.add_argument("--to", type=Path, default=EVIDENCE, help="the file")
    chosen = parser.parse_args(arguments)
    try:
        text = report(chosen.data)
    except (TableError, OuladError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    chosen.to.write_text(text, "utf-8")
    sys.stdout.write(f"{text}\n-> {chosen.to}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
