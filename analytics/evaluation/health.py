"""Course health: whether the share that is expected to pass is the share that does."""

from collections.abc import Sequence
from statistics import fmean

from analytics.evaluation.document import Section, Table, figure
from analytics.evaluation.measures import mean_error, spearman
from analytics.evaluation.risk import Judged, by_course
from analytics.evaluation.sample import Presentation
from analytics.training.rows import DAYS

PUBLISHED_ORDER = {34: ".73", 64: ".70", 94: ".76", 124: ".87"}
PUBLISHED_ERROR = {34: ".053", 64: ".055", 94: ".044", 124: ".037"}


def section(judged: Judged, runs: Sequence[Presentation]) -> Section:
    """Health beside the final pass rate, by day and by presentation."""
    said = {day: _health(judged, runs, day) for day in DAYS}
    came = {day: [_pass_rate(run, day) for run in runs] for day in DAYS}
    return Section(
        "Course health and the final pass rate",
        [
            f"""100 x retention x (1 - mean risk), the risk by a model that saw nothing of the presentation, over
            {len(runs)} presentations (published: 22). With {len(runs)} points a rank correlation of .8 has a 95
            % interval of about .5 to .9.""",
            Table(
                (
                    "Day",
                    "presentations",
                    "Spearman",
                    "published",
                    "mean absolute error",
                    "published",
                    "mean difference",
                ),
                [
                    [
                        str(day),
                        str(len(runs)),
                        figure(spearman(said[day], came[day]), 2),
                        PUBLISHED_ORDER[day],
                        figure(mean_error(said[day], came[day])),
                        PUBLISHED_ERROR[day],
                        figure(fmean(a - b for a, b in zip(said[day], came[day], strict=True))),
                    ]
                    for day in DAYS
                ],
            ),
            Table(
                ("Presentation", *(f"health, day {day}" for day in DAYS), "passed, of everyone enrolled"),
                [
                    [
                        run.run.id,
                        *(figure(100 * said[day][place], 1) for day in DAYS),
                        figure(100 * came[124][place], 1),
                    ]
                    for place, run in enumerate(runs)
                ],
            ),
        ],
    )


def _health(judged: Judged, runs: Sequence[Presentation], day: int) -> list[float]:
    risk = by_course(judged, day)
    return [len(run.present(day)) / len(_starters(run, day)) * (1 - risk[run.run.id]) for run in runs]


def _starters(run: Presentation, day: int) -> list[str]:
    return [one.id for one in run.learners if one.course.enrolled_at <= run.at(day)]


def _pass_rate(run: Presentation, day: int) -> float:
    starters = _starters(run, day)
    return len(run.passes.intersection(starters)) / len(starters)
