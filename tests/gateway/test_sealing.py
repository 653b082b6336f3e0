"""What is sealed is read with the key it was sealed with, old or new, and with no other."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from gateway.keys import development_encryption_key
from gateway.sessions.sealing import Seal, new_key

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW, OTHER = (new_key() for _ in range(3))
TOLD = "a refresh token of the auth service"


def test_what_was_sealed_with_an_old_key_is_read_until_that_key_is_dropped() -> None:
    sealed = Seal(OLD).close(TOLD)
    assert TOLD not in sealed
    assert Seal(f"{NEW},{OLD}").open(sealed) == TOLD
    assert Seal(NEW).open(sealed) is None


def test_what_is_sealed_now_is_sealed_with_the_newest_key() -> None:
    sealed = Seal(f"{NEW}, {OLD}").close(TOLD)
    assert Seal(NEW).open(sealed) == TOLD
    assert Seal(OLD).open(sealed) is None


@pytest.mark.parametrize("spoiled", ["", "x", TOLD, "gAAAAA", "é"])
def test_what_is_no_seal_is_read_as_nothing(spoiled: str) -> None:
    assert Seal(OLD).open(spoiled) is None


def test_a_seal_that_was_tampered_with_is_read_as_nothing() -> None:
    sealed = Seal(OLD).close(TOLD)
    assert Seal(OLD).open(sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]) is None


def test_the_same_text_is_sealed_differently_each_time_and_named_alike() -> None:
    seal = Seal(OLD)
    assert seal.close(TOLD) != seal.close(TOLD)
    assert seal.name(TOLD) == Seal(f"{OLD},{OTHER}").name(TOLD) != seal.name(TOLD + " ")
    assert seal.name(TOLD) != Seal(OTHER).name(TOLD), "who does not have the key cannot try addresses"


@pytest.mark.parametrize(
    "keys", ["", ",", "short", f"{OLD},short", OLD[:-1]], ids=["none", "commas", "short", "one short", "cut"]
)
def test_what_is_no_key_seals_nothing(keys: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Seal(keys)


def test_a_seal_does_not_show_its_keys() -> None:
    assert OLD not in repr(Seal(OLD))


def test_the_key_of_a_developers_machine_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = development_encryption_key(tmp_path)
    assert development_encryption_key(tmp_path) == key
    assert Seal(key).open(Seal(key).close(TOLD)) == TOLD
    (file,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
