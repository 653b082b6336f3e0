"""Content effectiveness: what comparing like with like takes away, and how well an item's effect repeats itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from statistics import fmean

from analytics.arithmetic import day_of, mean
from analytics.course import exposures
from analytics.coursework import coursework
from analytics.declare import Everyone
from analytics.effects import FEWEST, Contrast, Exposure, Verdict, contrasts, shrunk_effects
from analytics.evaluation.document import Section, Table, figure, whole
from analytics.evaluation.measures import pearson, spearman_brown
from analytics.evaluation.sample import Learner, Presentation
from analytics.item_days import item_days
from analytics.training.rows import DAYS

HALVINGS = 20
FEWEST_ITEMS = 10
"""Under this many items no correlation of two halves is said."""

COLUMNS = (
    "Presentation",
    "Day",
    "n",
    "items",
    "naive",
    "stratified",
    "reliability",
    "largest after shrinking",
    "helpful / unhelpful",
)


def section(logged: Sequence[Presentation]) -> Section:
    """Naive and stratified differences, and the reliability of the stratified ones, for passing and for scores."""
    cases = [(run, day, run.present(day)) for run in logged for day in DAYS[1:]]
    passing = [(run.run.id, day, _by_passing(run, present, day)) for run, day, present in cases]
    scores = [(run.run.id, day, _by_score(run, present, day)) for run, day, present in cases]
    return Section(
        "Content effectiveness",
        [
            """Mean difference between those who opened an item and those who did not, over all items with 30 of
            each, in points of 100, whole courses. Naive is without strata; stratified is the served formula
            (fifths of activity by halves of the earlier score) before shrinking. Reliability is the correlation
            of the items' stratified differences in two halves of the learners, the mean of 20 halvings, stepped
            up by Spearman-Brown.""",
            """**By passing**, as was published: everyone registered on the day, what they had opened by then,
            whether they passed in the end. Published: naive 12 to 19, stratified -0.7 to 4.6, reliability .80
            to .84 with 1,400 to 1,700 learners and .38 to .50 with about 340.""",
            Table(COLUMNS[:-2], [[run, str(day), *_row(people)] for run, day, people in passing]),
            """**By the score in the latest assessment**, as is served: those who have a score in it, what they had
            opened before. Who hands nothing in opens little; without them the naive difference is small.""",
            Table(COLUMNS, [[run, str(day), *_row(people), *_shrunk(people)] for run, day, people in scores]),
            f"An effect is served from inside one organization: {_inside(logged)} Association, not cause.",
        ],
    )


def _by_passing(run: Presentation, learners: Sequence[Learner], day: int) -> dict[str, Exposure]:
    """Everyone, by what they had opened and scored by a day, and whether they passed in the end."""
    course, at, today = run.run.id, run.at(day), day_of(run.at(day))
    people = {}
    for one in learners:
        opened = item_days(one.interactions, course, until=today)
        work = coursework(one.assessments.assessments, one.scores.scores, course=course, at=at)
        people[one.id] = Exposure(
            items=frozenset(item for item, _ in opened),
            activity=len(opened),
            earlier=mean(piece.score for piece in work if piece.score is not None),
            outcome=100.0 * run.passed(one),
            day=today,
        )
    return people


def _by_score(run: Presentation, learners: Sequence[Learner], day: int) -> dict[str, Exposure]:
    """Who has a score in the latest assessment, as the served formula compares them."""
    _, people = exposures(
        Everyone({one.id: one.interactions for one in learners}),
        Everyone({one.id: one.scores for one in learners}),
        Everyone({one.id: one.assessments for one in learners}),
        Everyone({one.id: one.progress for one in learners}),
        course=run.run.id,
        at=run.at(day),
    )
    return people


def _row(people: Mapping[str, Exposure]) -> list[str]:
    found = _enough(people)
    return [
        whole(len(people)),
        str(len(found)),
        _mean(_naive(people, found)),
        _mean(found),
        figure(_reliability(people), 2),
    ]


def _shrunk(people: Mapping[str, Exposure]) -> list[str]:
    """The largest effect that is served, and how many items are called helpful and unhelpful."""
    effects = shrunk_effects(_enough(people), {})
    verdicts = Counter(effect.verdict for effect in effects)
    largest = max((abs(effect.effect) for effect in effects), default=None)
    return [figure(largest, 1), f"{verdicts[Verdict.HELPFUL]} / {verdicts[Verdict.UNHELPFUL]}"]


def _enough(people: Mapping[str, Exposure]) -> dict[str, Contrast]:
    """The stratified differences of the items that are shown."""
    found = contrasts([people[name] for name in sorted(people)])
    return {item: one for item, one in found.items() if min(one.fewer, one.compared) >= FEWEST}


def _naive(people: Mapping[str, Exposure], shown: Mapping[str, Contrast]) -> dict[str, Contrast]:
    """The differences of the same items when everybody is taken as alike: one stratum."""
    alike = contrasts([replace(people[name], activity=0.0, earlier=None) for name in sorted(people)])
    return {item: alike[item] for item in shown if item in alike}


def _mean(found: Mapping[str, Contrast]) -> str:
    return figure(fmean(one.raw for one in found.values()) if found else None, 1)


def _reliability(people: Mapping[str, Exposure]) -> float | None:
    """How well two halves of the learners agree about the items that both can compare, over seeded halvings."""
    found = [one for seed in range(HALVINGS) if (one := _agreement(people, Random(seed))) is not None]
    return spearman_brown(fmean(found)) if found else None


def _agreement(people: Mapping[str, Exposure], random: Random) -> float | None:
    names = random.sample(sorted(people), len(people))
    first, second = (contrasts([people[name] for name in names[start::2]]) for start in (0, 1))
    both = sorted(
        item for item in first.keys() & second.keys() if min(first[item].fewer, second[item].fewer) >= FEWEST // 2
    )
    if len(both) < FEWEST_ITEMS:
        return None
    return pearson([first[item].raw for item in both], [second[item].raw for item in both])


def _inside(logged: Sequence[Presentation]) -> str:
    """In how many courses inside one organization any item has enough people to be shown."""
    day, groups, shown = 94, 0, 0
    for run in logged:
        for home in sorted({one.home for one in run.learners}):
            groups += 1
            people = _by_score(run, [one for one in run.present(day) if one.home == home], day)
            shown += bool(_enough(people))
    return f"of the {groups} pairs of course and organization, {shown} can show an item on day {day}."
