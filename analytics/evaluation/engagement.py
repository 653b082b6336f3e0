"""Engagement: whether a higher score goes with passing, which it never sees."""

from collections.abc import Sequence
from statistics import fmean

from analytics.evaluation.document import Section, Table, figure, interval, share, whole
from analytics.evaluation.measures import Area, area
from analytics.evaluation.sample import Presentation
from analytics.learner.participation import Engagement, EngagementLevel, engagement
from analytics.training.rows import DAYS

LEVELS = tuple(EngagementLevel)
PUBLISHED = (".45", ".79", ".88", ".87")
AS_PUBLISHED = "BBB_2013J"


def section(logged: Sequence[Presentation]) -> Section:
    """The area for passing of each presentation and day, and the pass rate by level."""
    found = {(run.run.id, day): _looked_at(run, day) for run in logged for day in DAYS}
    areas = {key: _area(seen) for key, seen in found.items()}
    known = [one for one in areas.values() if one is not None]
    chosen = next((run for run in logged if run.run.id == AS_PUBLISHED), None)
    levels: list[str | Table] = []
    if chosen is not None:
        on = {day: _looked_at(chosen, day) for day in (90, 94)}
        levels = [
            f"""**Pass rate by level in {AS_PUBLISHED}** (learners in brackets). The published row is called day 94
            and agrees with activity up to day 90; on day 94, the third of January after the Christmas break,
            scores are lower for everyone:""",
            Table(
                ["", *(level.value for level in LEVELS)],
                [["published", *PUBLISHED], *([f"day {day}", *_by_level(seen)] for day, seen in on.items())],
            ),
        ]
    return Section(
        "Engagement and passing",
        [
            f"""Area under the curve of the engagement score for passing, among those registered on the day.
            Published: .735 as the mean of 16 cases, from .66 (AAA, day 34) to .83 (BBB, day 124); the four
            cases of AAA_2014J are sealed. Here the mean of {len(known)} is
            **{figure(fmean(a.value for a in known) if known else None)}**.""",
            Table(
                ["Presentation", "Day", "n", "AUC", *(f"passed, {level.value}" for level in LEVELS)],
                [
                    [run, str(day), whole(len(seen)), interval(areas[run, day]), *_by_level(seen)]
                    for (run, day), seen in found.items()
                ],
            ),
            *levels,
        ],
    )


def _looked_at(run: Presentation, day: int) -> list[tuple[Engagement, bool]]:
    """The engagement of everyone present, and whether they passed in the end."""
    at = run.at(day)
    said = (
        (engagement(one.activity, one.progress, one.interactions, at=at), run.passed(one)) for one in run.present(day)
    )
    return [(value, passed) for value, passed in said if isinstance(value, Engagement)]


def _area(seen: Sequence[tuple[Engagement, bool]]) -> Area | None:
    return area([value.overall_score for value, _ in seen], [passed for _, passed in seen])


def _by_level(seen: Sequence[tuple[Engagement, bool]]) -> list[str]:
    return [share([passed for value, passed in seen if value.level is level]) for level in LEVELS]
