"""Risk as it is served, from single clicks, beside what the same coefficients say of the training tables."""

from collections.abc import Sequence

import numpy as np

from analytics.evaluation.document import FEWEST, Section, Table, figure, interval, whole
from analytics.evaluation.measures import area
from analytics.evaluation.pulses import with_pulses
from analytics.evaluation.risk import Judged
from analytics.evaluation.sample import Learner, Presentation
from analytics.prediction.risk import drop_off_risk
from analytics.prediction.values import DropOffRisk
from analytics.training.rows import DAYS


def section(judged: Judged, logged: Sequence[Presentation]) -> Section:
    """Both ways for the presentations whose click log is in the sample."""
    return Section(
        "Risk as it is served",
        [
            """The model is fitted to tables of visits; the gateway serves
            it from single clicks, beside the median of the learner's course and organization. For the
            presentations whose log is in the sample, the same coefficients (which have seen these
            presentations, so this checks the path and not the model) order learners as well by both ways:""",
            Table(
                [
                    "Presentation",
                    "Day",
                    "n",
                    "served, from clicks",
                    "from the tables",
                    "mean risk served",
                    "from tables",
                ],
                [row for run in logged for day in DAYS for row in _served(judged, run, day)],
            ),
            "BBB_2013J is in the tables whole (2,237 registrations) and in the click log in part (1,165).",
        ],
    )


def _served(judged: Judged, run: Presentation, day: int) -> list[list[str]]:
    said = served(run, day)
    table = judged.on(day, run.run.id)
    if len(said) < FEWEST or table.sum() < FEWEST:
        return []
    failed = [not run.passed(learner) for learner, _ in said]
    scores = [value.risk_score for _, value in said]
    return [
        [
            run.run.id,
            str(day),
            whole(len(said)),
            interval(area(scores, failed)),
            interval(area(judged.served[table], judged.failed[table])),
            figure(float(np.mean(scores)) / 100),
            figure(float(judged.served[table].mean())),
        ]
    ]


def served(run: Presentation, day: int) -> list[tuple[Learner, DropOffRisk]]:
    """What the gateway would say of everyone present on a day, activity beside the course inside the organization."""
    at, said = run.at(day), []
    for one, pulses in with_pulses(run, day):
        value = drop_off_risk(one.progress, one.scores, one.assessments, one.interactions, pulses, None, at=at)
        if isinstance(value, DropOffRisk):
            said.append((one, value))
    return said
