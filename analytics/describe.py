"""What the fields of a value mean, read from where they are declared.

A string literal under a field of a dataclass is its description; unit and range come from its
annotation. Schema, docs and `metricDefinitions` all say what this module reads.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
import typing
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, get_args, get_origin

from annotated_types import Ge, Le

from analytics.declare import DeclarationError
from datasources.declare import Unit


@functools.cache
def field_docs(kind: Any) -> dict[str, str]:
    """The sentence under each field of a dataclass.

    Raises:
        DeclarationError: a field has no sentence; the message names it.
    """
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    docs: dict[str, str] = {}
    body = typing.cast("ast.ClassDef", tree).body
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            match following:
                case ast.Expr(value=ast.Constant(value=str(sentence))):
                    docs[statement.target.id] = inspect.cleandoc(sentence)
    for field in fields(kind):
        if field.name not in docs:
            msg = f"{kind.__name__}.{field.name} needs a sentence under it: it becomes the description in the schema"
            raise DeclarationError(msg)
    return docs


@functools.cache
def describe(kind: Any) -> dict[str, str]:
    """The sentence under each field, with the unit and range its annotation promises."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {name: _sentence(doc, hints[name]) for name, doc in field_docs(kind).items()}


def measured(kind: Any, above: str = "") -> list[dict[str, Any]]:
    """Every field of a value, those inside it too (`by_course.pace_ratio`): name, description, unit and range.

    `quality` is left out: an answer carries that beside its value.
    """
    hints = typing.get_type_hints(kind, include_extras=True)
    found: list[dict[str, Any]] = []
    for name, doc in field_docs(kind).items():
        if name == "quality":
            continue
        unit, span = measure(hints[name])
        path = above + name
        found.append({"name": path, "description": doc, "unit": unit, "range": span})
        inside = _inside(hints[name])
        if inside is not None:
            found += measured(inside, f"{path}.")
    return found


def _inside(hint: Any) -> Any | None:
    """The dataclass a hint holds, one or many or perhaps none; None where it holds something else."""
    if isinstance(hint, type) and is_dataclass(hint):
        return hint
    return next((found for part in get_args(hint) if (found := _inside(part)) is not None), None)


def measure(hint: Any) -> tuple[str | None, str | None]:
    """The unit and the range a hint promises: `("points of 100", "0 to 100")`; None where it promises none."""
    for part in (hint, *get_args(hint)):
        if get_origin(part) is Annotated:
            notes = get_args(part)[1:]
            unit = next((n.says for n in notes if isinstance(n, Unit)), None)
            low = next((n.ge for n in notes if isinstance(n, Ge)), None)
            high = next((n.le for n in notes if isinstance(n, Le)), None)
            return unit, None if low is None or high is None else f"{_number(low)} to {_number(high)}"
    return None, None


def _number(bound: Any) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"


def _sentence(doc: str, hint: Any) -> str:
    unit, span = measure(hint)
    if unit is None:
        return doc
    return f"{doc.rstrip('.')}. Unit: {unit}" + (f"; range: {span}." if span else ".")
