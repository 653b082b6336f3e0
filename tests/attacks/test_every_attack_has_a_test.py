"""The page about security names a test for everything it says is stopped, and each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
TABLES = ("## OWASP API Security Top 10 (2023)", "## The GraphQL cheat sheet", "## Attacks")


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda one: one.rpartition("/")[2])
def test_a_test_that_is_named_is_there(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    tests = {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in tests


@pytest.mark.parametrize("title", TABLES)
def test_every_row_of_a_table_names_a_test(title: str) -> None:
    section = PAGE.partition(title)[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert rows
    assert [row for row in rows if "::" not in row and "| the same |" not in row] == []


def test_every_file_of_attacks_is_named() -> None:
    files = {f"tests/attacks/{path.name}" for path in Path(__file__).parent.glob("test_*.py")} - {
        f"tests/attacks/{Path(__file__).name}"
    }
    assert files == {path for path, _ in NAMED if path.startswith("tests/attacks/")}
