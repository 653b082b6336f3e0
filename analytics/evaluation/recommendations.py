"""Recommendations: how much of what a learner opens next is among the ten items that rank first."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean

from analytics.arithmetic import day_of
from analytics.declare import Everyone, Withheld
from analytics.evaluation.document import FEWEST, Section, Table, figure, whole
from analytics.evaluation.sample import Learner, Presentation
from analytics.item_days import item_days
from analytics.prediction.recommendations_candidates import Own, candidates
from analytics.prediction.recommendations_ranking import ranked
from analytics.shelf import CourseShelf, course_shelf
from datasources.assessment import Assessments, Scores

TOP = 10
AHEAD = timedelta(days=14)
DAYS = (34, 64, 94)
"""Fourteen days after the last of these, the log of BBB_2013J is still whole."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One learner on a day: the items opened until then, and those opened for the first time in the 14 days after."""

    learner: Learner
    opened: frozenset[str]
    next: frozenset[str]


def section(logged: Sequence[Presentation]) -> Section:
    """Recall of the served ranking and of two simple ones."""
    return Section(
        "Recommendations",
        [
            """Of the items a learner opens for the first time in the next 14 days, the share among the ten
            unopened items that rank first (recall@10), as the mean over the learners who open any. The served
            ranking of content, by the trend among peers, once from the whole course, as was published, and once
            from the learners of the same course and organization, as is served. Published (8 cases): random .02
            to .08, ever popular .08 to .43, trending **.31 to .86**. That is agreement with what learners do,
            not benefit.""",
            Table(
                (
                    "Presentation",
                    "Day",
                    "n",
                    "random",
                    "ever popular, whole course",
                    "ever popular, own organization",
                    "served, whole course",
                    "served, own organization",
                ),
                [row for run in logged for day in DAYS for row in _rows(run, day)],
            ),
            "Random is its expected value, drawn from all unopened items of the course.",
        ],
    )


def _rows(run: Presentation, day: int) -> list[list[str]]:
    present = run.present(day)
    cases = [case for one in present if (case := _case(run, one, day)).next]
    if len(cases) < FEWEST:
        return []
    homes = {home: [one for one in present if one.home == home] for home in {one.home for one in present}}
    inside = {home: _shelf(run, learners, day) for home, learners in homes.items()}
    course = _shelf(run, present, day)
    popular, known = _popular(run, present, day), {home: _popular(run, some, day) for home, some in homes.items()}
    total = len(run.run.items)
    row = [
        run.run.id,
        str(day),
        whole(len(cases)),
        figure(fmean(min(1.0, TOP / (total - len(case.opened))) for case in cases), 2),
        figure(_recall(cases, lambda case: _unopened(popular, case)), 2),
        figure(_recall(cases, lambda case: _unopened(known[case.learner.home], case)), 2),
        figure(_recall(cases, lambda case: _first(run, case, course, day)), 2),
        figure(_recall(cases, lambda case: _first(run, case, inside[case.learner.home], day)), 2),
    ]
    return [row]


def _popular(run: Presentation, learners: Sequence[Learner], day: int) -> list[str]:
    """The items by how many opened them, those of equal many by id."""
    openers = Counter(item for one in learners for item in _opened(run, one, day))
    return sorted(openers, key=lambda item: (-openers[item], item))


def _unopened(items: Sequence[str], case: _Case) -> list[str]:
    return [item for item in items if item not in case.opened][:TOP]


def _opened(run: Presentation, learner: Learner, day: int) -> frozenset[str]:
    return frozenset(item for item, _ in item_days(learner.interactions, run.run.id, until=day_of(run.at(day))))


def _case(run: Presentation, learner: Learner, day: int) -> _Case:
    today = day_of(run.at(day))
    opened = _opened(run, learner, day)
    later = item_days(learner.interactions, run.run.id, after=today, until=today + AHEAD)
    return _Case(learner, opened, frozenset(item for item, _ in later) - opened)


def _recall(cases: Sequence[_Case], first: Callable[[_Case], Sequence[str]]) -> float:
    return fmean(len(case.next.intersection(first(case))) / len(case.next) for case in cases)


def _shelf(run: Presentation, learners: Sequence[Learner], day: int) -> CourseShelf | None:
    shelf = course_shelf(
        Everyone({one.id: one.interactions for one in learners}),
        Everyone({one.id: one.progress for one in learners}),
        None,
        None,
        None,
        course=run.run.id,
        at=run.at(day),
    )
    return None if isinstance(shelf, Withheld) else shelf


def _first(run: Presentation, case: _Case, shelf: CourseShelf | None, day: int) -> list[str]:
    """The first ten of the served ranking of content; with nothing due, what is ranked is content alone."""
    own = Own((run.run.id,), Assessments(()), Scores(()), case.learner.interactions, None, None)
    found = candidates(own, (shelf,) if shelf else (), (), None, at=run.at(day))
    return [one.item_id for one in ranked(found)][:TOP]
