"""What every metric says about the corpus, as a digest: `spoken.json` holds it beside the version that says so.

python tests/analytics/spoken.py                 write new metrics, and those whose version was raised
python tests/analytics/spoken.py --unreleased    write all: for metrics whose answers nobody keeps yet
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus import corpus
from pure import SUBJECTS, Pure, choices

from analytics.catalog import METRICS
from analytics.codec import encode
from analytics.declare import Withheld

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.declare import Metric

FILE = Path(__file__).parent / "spoken.json"
DIGITS = 6
HOW = (
    "its answers or its formula changed: raise `version=` in its decorator, "
    "then run `python tests/analytics/spoken.py` and commit spoken.json"
)


def said(metric: Metric, pure: Pure) -> dict[str, Any]:
    """Everything a metric says about everyone in the corpus, for everything that may be chosen."""
    return {
        " ".join([subject, *(f"{name}={getattr(option, 'name', option)}" for name, option in chosen.items())]): _wire(
            metric, pure.ask(metric, subject, **chosen)
        )
        for subject in SUBJECTS[metric.scope]
        for chosen in choices(metric)
    }


def digest(metric: Metric, answers: Mapping[str, Any]) -> str:
    """A metric's published formula and its answers as twelve hexadecimal digits, the same on every machine."""
    text = json.dumps([metric.formula, metric.k, _settled(answers)], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def spoken(pure: Pure) -> dict[str, dict[str, Any]]:
    """What the file should say now."""
    return {
        key: {"version": metric.version, "digest": digest(metric, said(metric, pure))}
        for key, metric in sorted(METRICS.items())
    }


def same_version_other_words(kept: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The metrics that say something else under the version that they had."""
    return [
        key
        for key, one in now.items()
        if key in kept and one["version"] == kept[key]["version"] and one["digest"] != kept[key]["digest"]
    ]


def _wire(metric: Metric, answer: Any) -> Any:
    if isinstance(answer, Withheld):
        return [answer.reason.name, answer.needed]
    quality = answer.quality
    return [
        encode(answer),
        [quality.observations, quality.coverage_days, quality.level.name],
        metric.score(answer),
        metric.level(answer),
    ]


def _settled(part: Any) -> Any:
    """The same with numbers cut to what all machines agree on, and 1.0 written as 1."""
    if isinstance(part, float):
        number = round(part, DIGITS) + 0.0
        return int(number) if number.is_integer() else number
    if isinstance(part, list):
        return [_settled(each) for each in part]
    return {name: _settled(each) for name, each in part.items()} if isinstance(part, dict) else part


def main(arguments: list[str]) -> int:
    """Write the file; 1 when a metric says something else under the version that it had."""
    now = spoken(Pure(corpus()))
    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    changed = [] if arguments == ["--unreleased"] else same_version_other_words(kept, now)
    for key in changed:
        sys.stderr.write(f"{key}: {HOW}\n")
    if not changed:
        FILE.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    return int(bool(changed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
