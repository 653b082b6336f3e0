"""Things that are held packed: the same things, read when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasources.packed import Chosen, Packed, Room, pack, unpack

texts = st.dictionaries(st.text(max_size=5), st.binary(max_size=50), max_size=8)


@dataclass
class Reader:
    """Reads texts, and notes how often."""

    read: list[bytes] = field(default_factory=list)

    def __call__(self, packed: bytes) -> bytes:
        self.read.append(unpack(packed))
        return self.read[-1]


def packed(told: dict[str, bytes], reader: Reader) -> Packed[bytes]:
    return Packed({key: pack(text) for key, text in told.items()}, reader, few=0)


@settings(max_examples=60, deadline=None)
@given(texts, st.lists(st.text(max_size=5)))
def test_what_is_packed_reads_as_what_it_was_in_the_same_order(told: dict[str, bytes], asked: list[str]) -> None:
    held = packed(told, Reader())
    assert list(held.items()) == list(told.items())
    assert held == told
    for key in asked:
        assert held.get(key) == told.get(key)
        assert (key in held) == (key in told)
    chosen = Chosen(asked, held)
    assert list(chosen.items()) == [(key, told[key]) for key in dict.fromkeys(asked) if key in told]
    assert len(chosen) == len(list(chosen))
    assert all(chosen.get(key) is None for key in told.keys() - set(asked))


def test_nothing_is_read_before_it_is_asked_for_and_each_time_anew() -> None:
    reader = Reader()
    held = packed({"a": b"one", "b": b"two"}, reader)
    chosen = Chosen(["b", "c"], held)
    assert (len(held), list(held), "a" in held, "c" in held) == (2, ["a", "b"], True, False)
    assert (len(chosen), list(chosen), "b" in chosen, "a" in chosen) == (1, ["b"], True, False)
    assert reader.read == []
    assert (chosen["b"], chosen["b"], held["a"]) == (b"two", b"two", b"one")
    assert reader.read == [b"two", b"two", b"one"]


def test_a_few_are_read_once_each() -> None:
    reader = Reader()
    held = Packed({key: pack(key.encode()) for key in "ab"}, reader, few=2)
    assert [held["b"], held["a"], held["b"]] == [b"b", b"a", b"b"]
    assert reader.read == [b"b", b"a"]
    more = Packed({key: pack(key.encode()) for key in "abc"}, reader, few=2)
    assert [more["c"], more["c"]] == reader.read[2:] == [b"c", b"c"]


@pytest.mark.parametrize("few", [0, 2])
def test_what_is_not_packed_is_itself(few: int) -> None:
    things: dict[str, bytes | list[int]] = {"a": [1], "b": pack(b"xyz")}
    held = Packed(things, lambda packed: list(unpack(packed)), few=few)
    assert held["a"] is things["a"]
    assert held["b"] == list(b"xyz")


def test_room_is_given_to_whatever_fits_until_it_is_gone() -> None:
    room = Room(10)
    assert [room.take(size) for size in (6, 5, 4, 1, 0)] == [True, False, True, False, True]


def test_what_says_the_same_over_and_over_takes_a_tenth() -> None:
    text = b",".join(b'{"contentId":"item-%d","courseId":"algebra","date":"2026-03-02"}' % n for n in range(100))
    assert len(pack(text)) < len(text) / 10
