from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from analytics.declare import Rung
from analytics.privacy import blurred, head_count, ladder
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
