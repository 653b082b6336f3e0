"""The rules of the house, held by walking what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    is_introspection_type,
    is_specified_scalar_type,
)

from analytics.catalog import METRICS
from datasources.catalog import SOURCES
from gateway.app import SCHEMA
from gateway.generated import current, pages, schema_file
from gateway.settings import table
from resolvers.schema import graphql_schema

if TYPE_CHECKING:
    from analytics.declare import Metric

ROOT = Path(__file__).parent.parent
ROOMS = ("gateway", "resolvers", "analytics", "datasources")
SOURCE = sorted(path for room in (*ROOMS, "migrations") for path in (ROOT / room).rglob("*.py"))
WRITTEN = [
    *SOURCE,
    *(ROOT / "tests").rglob("*.py"),
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "tests" / "operations").glob("*.graphql"),
    ROOT / "Makefile",
    ROOT / "pyproject.toml",
]
TYPES = [
    kind
    for kind in graphql_schema(SCHEMA).type_map.values()
    if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
]
LONGEST = 300
UNFINISHED = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b")
OF_A_MACHINE = re.compile(r"(?<![\w.$}<>])/(home|root|Users|work|mnt)/\w")

each_type = pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)


def test_the_import_contracts_are_kept() -> None:
    run = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    told = subprocess.run([*run, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert told.returncode == 0, told.stdout + told.stderr
    assert "0 broken" in told.stdout


def test_the_schema_file_is_current() -> None:
    said: list[str] = []
    assert current(schema_file(ROOT), said.append, check=True), "\n".join(said)


def test_the_generated_pages_are_current() -> None:
    said: list[str] = []
    assert current(pages(ROOT), said.append, check=True), "\n".join(said)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.key)
def test_every_metric_has_a_test_file_beside_the_laws_of_all(metric: Metric) -> None:
    module, name = metric.compute.__module__, metric.compute.__name__
    imports = re.compile(rf"^from {module.rpartition('.')[0] or module}\S* import (\([^)]*|.*)\b{name}\b", re.MULTILINE)
    assert [path for path in (ROOT / "tests" / "analytics").glob("*.py") if imports.search(path.read_text())]


@pytest.mark.parametrize("fact", SOURCES, ids=lambda fact: fact.__name__)
def test_every_endpoint_has_a_recorded_sample(fact: type) -> None:
    service, _ = SOURCES[fact]
    name = re.sub("(?<=[a-z])(?=[A-Z])", "-", fact.__name__).lower()
    assert (ROOT / "tests" / "datasources" / "samples" / service.name / f"{name}.json").is_file()


def test_no_file_is_so_long_that_it_is_two_ideas() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in SOURCE}
    assert {str(path): length for path, length in lengths.items() if length > LONGEST} == {}


def test_nothing_is_left_to_do_in_the_code() -> None:
    found = {
        str(path.relative_to(ROOT)): UNFINISHED.findall(path.read_text()) for path in WRITTEN if path.suffix != ".toml"
    }
    assert {path: words for path, words in found.items() if words} == {}


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = {str(path.relative_to(ROOT)): OF_A_MACHINE.findall(path.read_text()) for path in WRITTEN}
    assert {path: words for path, words in found.items() if words} == {}


def test_no_formula_has_a_trained_thing_in_it_that_is_not_plain_text() -> None:
    assert {path.suffix for path in (ROOT / "analytics" / "models").iterdir() if path.is_file()} <= {".py", ".json"}


@each_type
def test_everything_in_the_schema_says_what_it_is(kind: GraphQLNamedType) -> None:
    silent = [kind.name] if not kind.description else []
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        silent += [name for name, field in kind.fields.items() if not field.description]
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        silent += [f"{n}({a})" for n, f in kind.fields.items() for a, arg in f.args.items() if not arg.description]
    if isinstance(kind, GraphQLEnumType):
        silent += [name for name, value in kind.values.items() if not value.description]
    assert silent == []


@each_type
def test_names_in_the_schema_are_spelled_as_everywhere(kind: GraphQLNamedType) -> None:
    # Federation gives names that begin with an underscore.
    camel, odd = re.compile(r"_?[a-z][a-zA-Z0-9]*" if kind.name == "Query" else r"[a-z][a-zA-Z0-9]*"), []
    if not re.fullmatch(r"[A-Z][a-zA-Z0-9]*", kind.name.removeprefix("_")):
        odd.append(kind.name)
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        odd += [name for name in kind.fields if not camel.fullmatch(name)]
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        odd += [name for field in kind.fields.values() for name in field.args if not camel.fullmatch(name)]
    if isinstance(kind, GraphQLEnumType):
        odd += [name for name in kind.values if not re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", name)]
    assert odd == []


def test_every_setting_is_in_the_table_of_settings() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    variables = [row.variable for row in table()]
    assert variables
    assert [name for name in variables if f"`{name}`" not in page] == []
    assert [row.variable for row in table() if not row.description] == []


def test_every_test_is_called_by_a_sentence() -> None:
    short = re.compile(r"^(?:async )?def (test_[a-z0-9]+)\(", re.MULTILINE)
    found = {path.name: short.findall(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py")}
    assert {path: names for path, names in found.items() if names} == {}
