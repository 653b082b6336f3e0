import math
from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.declare import Rung
from analytics.privacy import blurred, crowd, head_count, in_fives, ladder, merged, said, said_share, spoken, step
from tests.cast import LENA


@dataclass(frozen=True)
class Member:
    id: str
    region: str | None = "north"
    age_band: str | None = "35-55"
    score: float | None = 50.0


def group(n: int, region: str | None = "north", age_band: str | None = "35-55") -> list[Member]:
    return [Member(f"{region}-{age_band}-{i}", region, age_band, float(i)) for i in range(n)]


LENAS = Member(LENA, score=70.0)

members = st.lists(
    st.builds(
        Member,
        st.text("abc", min_size=1, max_size=3),
        st.sampled_from(["north", "south", None]),
        st.sampled_from(["0-35", "35-55", None]),
        st.one_of(st.none(), st.floats(0, 100)),
    ),
    max_size=60,
    unique_by=lambda member: member.id,
)


def test_the_closest_group_of_ten_others_is_taken() -> None:
    rung, scores = ladder(LENA, [LENAS, *group(10), *group(30, "south")], 10) or (None, ())
    assert rung is Rung.COURSE_REGION_AGE
    assert scores == tuple(float(i) for i in range(10))


def test_removing_one_of_ten_moves_to_the_next_rung_and_on_the_last_to_nothing() -> None:
    older = group(5, "north", "55<=")
    rungs = [ladder(LENA, [LENAS, *group(n), *older, *group(5, "south")], 10) for n in (10, 9, 4)]
    assert [found and found[0] for found in rungs] == [Rung.COURSE_REGION_AGE, Rung.COURSE_REGION, Rung.COURSE]
    assert ladder(LENA, [LENAS, *group(9)], 10) is None
    assert ladder(LENA, [LENAS, *group(9)], 10, organization=True) is None


def test_in_an_organization_there_is_one_rung() -> None:
    rung, scores = ladder(LENA, [LENAS, *group(6), *group(6, "south")], 10, organization=True) or (None, ())
    assert rung is Rung.ORGANIZATION
    assert len(scores) == 12


def test_an_unknown_region_is_nothing_to_have_in_common() -> None:
    found = ladder(LENA, [replace(LENAS, region=None), *group(20, None)], 10)
    assert found is not None
    assert found[0] is Rung.COURSE


def test_someone_outside_the_group_is_compared_with_all_of_it() -> None:
    found = ladder(LENA, group(10), 10)
    assert found is not None
    assert found[0] is Rung.COURSE


def test_who_has_no_number_is_no_peer() -> None:
    silent = [replace(member, score=None) for member in group(10)]
    assert ladder(LENA, [LENAS, *silent, *group(9, "south")], 10) is None


@given(members, st.integers(2, 15), st.booleans())
def test_fewer_than_k_are_never_named_and_order_and_repeats_never_matter(
    crowd: list[Member],
    k: int,
    organization: bool,  # noqa: FBT001 - drawn by name
) -> None:
    found = ladder(LENA, [*crowd, LENAS], k, organization=organization)
    assert found == ladder(LENA, [LENAS, *reversed(crowd), *crowd], k, organization=organization)
    if found is None:
        assert sum(member.score is not None for member in crowd) < k
    else:
        assert len(found[1]) >= k


@given(st.floats(0, 200), st.floats(0, 200), st.integers(0, 49))
def test_numbers_about_few_are_multiples_of_five_in_the_right_order(one: float, other: float, n: int) -> None:
    low, high = sorted((one, other))
    assert blurred(low, n) % 5 == 0
    assert blurred(low, n) <= blurred(high, n)
    assert abs(blurred(low, n) - low) <= 2.5


@given(st.floats(0, 200), st.integers(50, 10_000))
def test_numbers_about_many_are_said_as_they_are(number: float, n: int) -> None:
    assert blurred(number, n) == number
    assert head_count(n) == n


def test_a_half_goes_up() -> None:
    assert (blurred(12.5, 10), blurred(2.5, 10), blurred(12.4, 10)) == (15, 5, 10)
    assert (head_count(10), head_count(12), head_count(13), head_count(49)) == (10, 10, 15, 50)


SIZES = st.dictionaries(st.none() | st.sampled_from(["north", "south", "east", "west"]), st.integers(0, 30))


@given(SIZES, st.integers(2, 15))
def test_the_whole_less_the_spoken_parts_is_nobody_or_k_or_more(sizes: dict[str | None, int], k: int) -> None:
    told = spoken(sizes, k)
    rest = sum(sizes.values()) - sum(sizes[name] for name in told)
    assert rest == 0 or rest >= k or not told
    assert all(sizes[name] >= k for name in told)


@given(SIZES, st.integers(2, 15))
def test_parts_of_k_or_more_are_kept_back_only_where_others_would_show(sizes: dict[str | None, int], k: int) -> None:
    large = {name for name, size in sizes.items() if size >= k}
    assert len(large - spoken(sizes, k)) <= 1
    assert spoken(sizes, k) == spoken(dict(reversed(sizes.items())), k)
    if all(size >= k for size in sizes.values()):
        assert spoken(sizes, k) == sizes.keys()


def test_the_smallest_other_part_is_kept_back_with_the_few() -> None:
    assert spoken({"north": 30, "south": 12, "east": 3}, 10) == {"north"}
    assert spoken({"north": 30, "south": 12, "east": 3, "west": 7}, 10) == {"north", "south"}
    assert spoken({"north": 30, "south": 12, None: 1}, 10) == {"north"}
    assert spoken({"north": 11, "south": 1}, 10) == frozenset()


COUNTS = st.lists(st.integers(0, 30), max_size=12)


@given(COUNTS, st.integers(2, 15))
def test_every_merged_bin_holds_k_or_more_and_nobody_is_lost(counts: list[int], k: int) -> None:
    runs = merged(counts, k)
    assert all(count == sum(counts[first : last + 1]) >= k for first, last, count in runs)
    if sum(counts) < k:
        assert runs == ()
    else:
        places = [place for first, last, _ in runs for place in range(first, last + 1)]
        assert places == list(range(len(counts)))


def test_bins_are_merged_from_the_first_on() -> None:
    assert merged([2, 9, 10, 3, 0], 10) == ((0, 1, 11), (2, 4, 13))
    assert merged([0, 0, 12, 0], 10) == ((0, 3, 12),), "no end of the range is given away"


@given(st.floats(0, 200), st.integers(10, 10_000))
def test_what_is_said_of_a_group_is_near_and_round(number: float, persons: int) -> None:
    assert abs(said(number, persons) - number) <= step(persons) / 2
    assert said(number, persons) % step(persons) == 0
    assert said_share(number / 200, persons) == said(100 * (number / 200), persons) / 100


@pytest.mark.parametrize("persons", [10, 16, 40, 49, 50, 80, 200])
def test_a_half_goes_up_however_the_share_was_worked_out(persons: int) -> None:
    for some in range(persons + 1):
        by = step(persons)
        exact = by * math.floor(Fraction(100 * some, persons * by) + Fraction(1, 2))
        assert said_share(some / persons, persons) == said(100 * some / persons, persons) / 100 == exact / 100


@given(st.integers(0, 10_000), st.integers(2, 15))
def test_counts_of_persons_are_in_fives_and_of_few_not_at_all(persons: int, k: int) -> None:
    assert in_fives(persons) % 5 == 0
    assert abs(in_fives(persons) - persons) <= 2
    assert (crowd(persons, k) is None) == (0 < persons < k)
