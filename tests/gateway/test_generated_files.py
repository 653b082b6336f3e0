"""Files that are written from the code: they are current, and where one is not its difference is shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from datasources.catalog import SERVICES
from gateway.generated import DIFFERENCE, MARK, current, pages, schema_file
from gateway.settings import table
from tests.gateway.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHOULD_BE = "one\ntwo\nthree\n"


def checked(path: Path, text: str = SHOULD_BE) -> tuple[bool, str]:
    """Whether a file is found current, and what is said."""
    said: list[str] = []
    return current({path: text}, said.append, check=True), "\n".join(said)


def test_a_current_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(SHOULD_BE)
    os.utime(file, (1, 1))
    assert checked(file) == (True, "")
    said: list[str] = []
    assert current({file: SHOULD_BE}, said.append, check=False)
    assert (file.stat().st_mtime, said) == (1, [])


def test_a_stale_file_is_shown_and_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("one\n2\nthree\n")
    fine, said = checked(file)
    assert not fine
    assert {"-2", "+two", f"--- {file}"} <= set(said.splitlines())
    assert said.endswith("page.md is not current: run make generate")
    assert file.read_text() == "one\n2\nthree\n"


def test_a_missing_file_is_not_current(tmp_path: Path) -> None:
    fine, said = checked(tmp_path / "page.md")
    assert not fine
    assert "+two" in said
    assert not (tmp_path / "page.md").exists()


def test_a_long_difference_is_cut_off_and_still_says_what_to_do(tmp_path: Path) -> None:
    fine, said = checked(tmp_path / "page.md", "".join(f"line {n}\n" for n in range(1_000)))
    assert not fine
    assert len(said.splitlines()) == DIFFERENCE + 1
    assert said.endswith("run make generate")


def test_stale_and_missing_files_are_written(tmp_path: Path) -> None:
    stale, missing, fine = tmp_path / "stale.md", tmp_path / "docs" / "missing.md", tmp_path / "fine.md"
    stale.write_text("old")
    fine.write_text(SHOULD_BE)
    said: list[str] = []
    files = dict.fromkeys((stale, missing, fine), SHOULD_BE)
    assert current(files, said.append, check=False)
    assert {path.read_text() for path in files} == {SHOULD_BE}
    assert said == ["wrote stale.md", "wrote missing.md"]
    assert current(files, said.append, check=True)


@pytest.mark.parametrize("made", [schema_file, pages])
def test_what_is_committed_is_current(made: Callable[[Path], dict[Path, str]]) -> None:
    files = made(ROOT)
    said: list[str] = []
    assert current(files, said.append, check=True), "\n".join(said)
    assert files


def test_pages_say_where_they_come_from(tmp_path: Path) -> None:
    assert {path.relative_to(tmp_path).as_posix() for path in pages(tmp_path)} == {
        "docs/access.md",
        "docs/metrics.md",
        "docs/models.md",
        "docs/services.md",
        "docs/settings.md",
    }
    assert all(text.startswith(MARK) for text in pages(tmp_path).values())


def test_every_setting_and_every_endpoint_has_its_line(tmp_path: Path) -> None:
    text = "\n".join(pages(tmp_path).values())
    for row in table():
        assert f"\n| `{row.variable}`" in text
    for service in SERVICES:
        for endpoint in service.endpoints:
            assert f"| {endpoint.fact.__name__} | `GET {endpoint.path}` |" in text


def test_what_stands_in_a_table_never_breaks_it(tmp_path: Path) -> None:
    for text in pages(tmp_path).values():
        columns = 0
        for line in text.splitlines():
            bars = line.count("|") - line.count("\\|")
            if not line.startswith("|"):
                columns = 0
            assert columns in {0, bars}, line
            columns = bars if line.startswith("|") else 0
