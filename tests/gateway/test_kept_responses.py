"""Responses that are kept: within their room, fair to tenants, gone with what they speak of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fast.kept import Kept, KeptResponses
from tests.cast import ACME, LARS, LENA, OTHER

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def kept(*subjects: str, data: bytes = b"{}", until: datetime = NOW + MINUTE, whole: bool = False) -> Kept:
    about = None if whole else frozenset(subjects or (LENA,))
    return Kept(data, until, until + MINUTE, about, {})


def put(memory: KeptResponses, key: str, value: Kept, organization: str = ACME) -> bool:
    return memory.put(organization, key, value, memory.mark(organization))


def test_what_is_kept_is_there_until_its_time() -> None:
    moment = NOW
    memory = KeptResponses(10_000, lambda: moment)
    one = kept()
    assert put(memory, "a", one)
    assert memory.get(ACME, "a") is one
    assert memory.get(OTHER, "a") is None
    moment = NOW + MINUTE
    assert memory.get(ACME, "a") is None
    assert memory.at_worst(ACME, "a") is one, "better than nothing while the database is away"
    moment = NOW + 2 * MINUTE
    assert memory.at_worst(ACME, "a") is None
    assert memory.statistics().hits == 1


def test_a_change_of_a_subject_ends_what_speaks_of_it_and_nothing_else() -> None:
    memory = KeptResponses(100_000, lambda: NOW)
    put(memory, "lena", kept(LENA))
    put(memory, "lars", kept(LARS))
    put(memory, "both", kept(LENA, LARS))
    put(memory, "everybody", kept(whole=True))
    put(memory, "lena", kept(LENA), OTHER)
    memory.drop(ACME, {LENA})
    assert [key for key in ("lena", "lars", "both", "everybody") if memory.get(ACME, key)] == ["lars"]
    assert memory.get(OTHER, "lena") is not None
    memory.drop(ACME)
    assert memory.get(ACME, "lars") is None
    memory.drop()
    assert memory.get(OTHER, "lena") is None
    assert memory.statistics().bytes == 0


def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    memory = KeptResponses(10_000, lambda: NOW)
    mark = memory.mark(ACME)
    elsewhere = memory.mark(OTHER)
    memory.drop(ACME, {LENA})
    assert not memory.put(ACME, "a", kept(), mark)
    assert memory.put(OTHER, "a", kept(), elsewhere), "what another tenant changed is nothing to this one"


def test_nothing_is_kept_where_there_is_no_room() -> None:
    memory = KeptResponses(0, lambda: NOW)
    assert not memory.wanted
    assert not put(memory, "a", kept())


Step = tuple[str, str, int]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(["one", "two", "three"]), st.sampled_from("abcdefgh"), st.integers(0, 3_000)),
        max_size=60,
    )
)
def test_it_stays_within_its_room_and_nobody_loses_a_share_to_others(steps: list[Step]) -> None:
    room = 12_000
    memory = KeptResponses(room, lambda: NOW)
    held: dict[str, dict[str, int]] = {"one": {}, "two": {}, "three": {}}
    for tenant, key, size in steps:
        one = kept(data=b"x" * size)
        before = {other: sum(sizes.values()) for other, sizes in held.items()}
        put(memory, key, one, tenant)
        held[tenant][key] = one.size
        for other, sizes in held.items():
            for known in list(sizes):
                if memory.get(other, known) is None:
                    del sizes[known]
            if other != tenant and sum(sizes.values()) < before[other]:
                assert before[other] >= room / 3
        assert memory.statistics().bytes == sum(sum(sizes.values()) for sizes in held.values()) <= room
        assert memory.statistics().items == sum(map(len, held.values()))


def test_a_tenant_that_asks_without_end_takes_nothing_of_those_who_ask_little() -> None:
    memory = KeptResponses(100_000, lambda: NOW)
    for n in range(10):
        put(memory, f"{n}", kept(data=b"x" * 1_000), OTHER)
    for n in range(1_000):
        put(memory, f"{n}", kept(data=b"x" * 1_000), ACME)
    assert all(memory.get(OTHER, f"{n}") for n in range(10))
    assert memory.get(ACME, "999") is not None
    assert memory.get(ACME, "0") is None
