import math
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.effects import Contrast, Exposure, Verdict, contrasts, shrunk_effects

DAY = date(2026, 2, 1)
ITEMS = [f"item-{i:02}" for i in range(40)]


def person(outcome: float, *items: str, activity: float = 10, earlier: float | None = 60) -> Exposure:
    return Exposure(frozenset(items), activity, earlier, outcome, DAY)


def crowd(random: Random, size: int = 400, help_from: str | None = None, by: float = 0.0) -> list[Exposure]:
    """People whose diligence drives both what they open and what they score; one item may really help."""
    people = []
    for _ in range(size):
        diligence = random.random()
        items = frozenset(item for item in ITEMS if random.random() < 0.2 + 0.6 * diligence)
        outcome = 40 + 30 * diligence + random.gauss(0, 10) + by * (help_from in items)
        earlier = 40 + 30 * diligence + random.gauss(0, 10)
        people.append(Exposure(items, float(len(items)), earlier, min(100, max(0, outcome)), DAY))
    return people


def test_two_strata_worked_by_hand() -> None:
    """Lower half: 60 against 50, n 6 and 6, weight 3. Upper: 90 against 70, n 12 and 6, weight 4. (30 + 80) / 7."""
    lower = [person(60, "a", earlier=40)] * 6 + [person(50, earlier=40)] * 6
    upper = [person(90, "a", earlier=80)] * 12 + [person(70, earlier=80)] * 6
    found = contrasts([*lower, *upper])["a"]
    assert found.raw == pytest.approx(110 / 7)
    assert found.variance == pytest.approx((300 + 1600) / 28 / 7)
    assert (found.openers, found.others, found.compared, found.fewer) == (18, 12, 30, 12)


def test_the_variance_is_that_within_strata_over_the_weights() -> None:
    """Two sides of 8, each half at 40 and half at 60: 16 squares of 100 over 15, by a weight of 4."""
    sides = [person(score, *items) for items in (("a",), ()) for score in (40, 60) * 4]
    found = contrasts(sides)["a"]
    assert found.raw == 0
    assert found.variance == pytest.approx(1600 / 15 / 4)


def test_a_stratum_with_fewer_than_five_on_a_side_is_not_compared() -> None:
    assert contrasts([person(90, "a")] * 4 + [person(50)] * 40) == {}
    assert contrasts([person(90, "a")] * 40 + [person(50)] * 4) == {}
    assert contrasts([]) == {}


def test_people_are_compared_within_their_fifth_by_activity() -> None:
    """The busy score 90, the others 50, whatever they open: openers are mostly busy, and yet there is no difference."""
    busy = [person(90, "a", activity=50)] * 40 + [person(90, activity=50)] * 10
    idle = [person(50, "a", activity=5)] * 10 + [person(50, activity=5)] * 40
    assert contrasts([*busy, *idle])["a"].raw == 0


def test_identical_openers_and_others_make_no_effect() -> None:
    scores = [37.1, 55.5, 61.3, 70.7, 88.9] * 10
    found = contrasts([person(s, "a") for s in scores] + [person(s) for s in scores])
    (effect,) = shrunk_effects(found, {"a": "page"})
    assert (effect.raw, effect.effect, effect.verdict) == (0, 0, Verdict.UNCLEAR)
    assert effect.type == "page"


def test_under_thirty_openers_others_or_comparable_learners_nothing_is_shown() -> None:
    found = {
        "few openers": Contrast(5, 1, 29, 500, 99),
        "few others": Contrast(5, 1, 500, 29, 99),
        "few comparable": Contrast(5, 1, 40, 40, 29),
        "enough": Contrast(5, 1, 30, 30, 30),
    }
    assert [effect.content_id for effect in shrunk_effects(found, {})] == ["enough"]


def test_shrinking_worked_by_hand() -> None:
    """Ten items, raw 6 or 2, variance 4: tau^2 = (36 + 4) / 2 - 4 = 16, so 0.8 is kept and 0.2 pulled away.

    Interval of the first: 4 x (1 - 0.2 x 8/10) + 2/8 x (0.2 x 6)^2 = 3.36 + 0.36 = 3.72; of the second
    3.36 + 2/8 x (0.2 x 2)^2 = 3.40.
    """
    found = {f"item {n}": Contrast(6 if n < 5 else 2, 4, 40, 40, 80) for n in range(10)}
    a, b = shrunk_effects(found, {})[0], shrunk_effects(found, {})[-1]
    assert (a.effect, b.effect) == (pytest.approx(4.8), pytest.approx(1.6))
    assert (a.low, a.high) == (
        pytest.approx(4.8 - 1.959964 * math.sqrt(3.72)),
        pytest.approx(4.8 + 1.959964 * math.sqrt(3.72)),
    )
    assert b.high == pytest.approx(1.6 + 1.959964 * math.sqrt(3.4))
    assert (a.verdict, b.verdict) == (Verdict.HELPFUL, Verdict.UNCLEAR)
    assert a.error == 2


def test_differences_no_larger_than_noise_shrink_to_nothing_without_claiming_to_be_exact() -> None:
    """Raw 1 or -1, variance 4: tau^2 = 0, all is pulled away; 4 x (1 - 8/10) + 2/8 x 1^2 = 1.05 is left to doubt."""
    effects = shrunk_effects({str(n): Contrast((-1) ** n, 4, 40, 40, 80) for n in range(10)}, {})
    assert {(e.effect, e.verdict) for e in effects} == {(0, Verdict.UNCLEAR)}
    assert all(e.high == -e.low == pytest.approx(1.959964 * math.sqrt(1.05)) for e in effects)


def test_from_few_items_the_interval_stays_as_wide_as_the_raw_one() -> None:
    (effect,) = shrunk_effects({"a": Contrast(1, 4, 40, 40, 80)}, {})
    assert (effect.effect, effect.high) == (0, pytest.approx(1.959964 * 2))


def test_an_item_that_really_helps_is_found_and_one_that_harms_too() -> None:
    helped = shrunk_effects(contrasts(crowd(Random(1), 800, "item-07", 12)), {})
    harmed = shrunk_effects(contrasts(crowd(Random(1), 800, "item-07", -12)), {})
    assert {e.content_id: e.verdict for e in helped}["item-07"] is Verdict.HELPFUL
    assert {e.content_id: e.verdict for e in harmed}["item-07"] is Verdict.UNHELPFUL


def test_with_shuffled_outcomes_nine_of_ten_items_are_unclear() -> None:
    random, verdicts = Random(2), []
    for _ in range(8):
        people = crowd(random, 300, "item-07", 12)
        outcomes = [p.outcome for p in people]
        random.shuffle(outcomes)
        shuffled = [replace(p, outcome=y) for p, y in zip(people, outcomes, strict=True)]
        verdicts += [effect.verdict for effect in shrunk_effects(contrasts(shuffled), {})]
    assert len(verdicts) > 200
    assert verdicts.count(Verdict.UNCLEAR) >= 0.9 * len(verdicts)


people_ = st.builds(
    Exposure,
    st.frozensets(st.sampled_from("abc")),
    st.integers(0, 6).map(float),
    st.one_of(st.none(), st.sampled_from([20.0, 50.0, 80.0])),
    st.floats(0, 100),
    st.just(DAY),
)


@settings(max_examples=50)
@given(st.lists(people_, min_size=60, max_size=150), st.randoms())
def test_order_never_matters_and_shrinking_never_grows(people: list[Exposure], random: Random) -> None:
    found = contrasts(people)
    shuffled = list(people)
    random.shuffle(shuffled)
    assert contrasts(shuffled) == found
    for effect in shrunk_effects(found, {}):
        assert abs(effect.effect) <= abs(effect.raw)
        assert -100 <= effect.low <= effect.effect <= effect.high <= 100
