"""The words a metric is declared with.

A metric is a pure function. Its positional parameters are what the world must supply, its
keyword-only ones what the asker chooses, and its return type is the value. The signature is the
wiring; the decorator says only what the signature cannot.

    a fact (`Progress`)               one endpoint of one service, about the subject
    a value (`Mastery`)               that metric, of the same subject; or, for a learner, an internal one of their
                                      organization
    `tuple[ContentEffects, ...]`      that metric, of each course the learner takes, the trainer teaches, or the
                                      organization takes part in
    `Cohort[Engagement]`              that metric's headline number for the subject's peers; demands `k`
    `Everyone[Interactions]`          a fact about, or a value of, everyone in the course or the organization
    `Starters[User]`                  a fact about everyone who is or ever was in the course
    `Items[Content]`                  a fact about every content item that the course's learners opened
    `Roll`, `Membership`              who is or was in the course, or learns in the organization
    `... | None`                      may be absent: the metric can do without
    `... | Withheld`                  may be absent, and the metric wants to know why
    `*, at: datetime`                 the platform's clock
    `*, course: str`                  the course it is about (only for course metrics)
    `*, window: Window = ...`         the asker's choice: an argument of the field, part of the cache key
"""

import inspect
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin

from analytics.words import (
    Change,
    Cohort,
    DataQuality,
    DataQualityLevel,
    Days,
    Everyone,
    Family,
    Items,
    Logit,
    PerWeek,
    Points,
    Ratio,
    Role,
    Rung,
    Scope,
    Starters,
    Withheld,
    WithheldReason,
)

__all__ = [
    "Argument",
    "Change",
    "Cohort",
    "DataQuality",
    "DataQualityLevel",
    "Days",
    "DeclarationError",
    "Everyone",
    "Family",
    "Input",
    "Items",
    "Logit",
    "Many",
    "Metric",
    "PerWeek",
    "Points",
    "Ratio",
    "Role",
    "Rung",
    "Scope",
    "Starters",
    "Withheld",
    "WithheldReason",
    "metric",
]

P = ParamSpec("P")
V = TypeVar("V")


class DeclarationError(TypeError):
    """A metric is declared in a way that cannot be honoured; raised at import."""


class Many(Enum):
    """How many of a thing an input holds, and whose."""

    ONE = "one"
    COURSES = "courses"
    COHORT = "cohort"
    EVERYONE = "everyone"
    STARTERS = "starters"
    ITEMS = "items"


GROUPS: dict[Any, Many] = {
    tuple: Many.COURSES,
    Cohort: Many.COHORT,
    Everyone: Many.EVERYONE,
    Starters: Many.STARTERS,
    Items: Many.ITEMS,
}


@dataclass(frozen=True, slots=True)
class Input:
    """One positional parameter: a fact or a value, of whom, and whether the formula can do without."""

    name: str
    type: type[Any]
    many: Many = Many.ONE
    optional: bool = False
    reasons: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """One keyword-only parameter that the asker chooses."""

    name: str
    type: type[Any]
    default: Any


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing that can be said about a subject, whole."""

    name: str
    key: str
    scope: Scope
    family: Family
    value_type: type[Any]
    inputs: tuple[Input, ...]
    arguments: tuple[Argument, ...]
    wants_clock: bool
    wants_subject: bool
    compute: Callable[..., Any]
    roles: frozenset[Role]
    fresh_for: timedelta
    k: int
    version: int
    formula: str
    evidence: str
    score: Callable[[Any], float | None]
    level: Callable[[Any], str | None]
    doc: str

    def __repr__(self) -> str:
        return f"<{self.key} v{self.version}>"


def nothing(_: Any) -> None:
    """What a metric without a headline number, or without a level, says of it."""


def metric(  # noqa: PLR0913 - one argument for each thing the signature cannot say
    scope: Scope,
    *,
    key: str,
    roles: set[Role],
    family: Family = Family.ANALYTICS,
    fresh_for: timedelta = timedelta(hours=6),
    k: int = 0,
    version: int = 1,
    formula: str,
    evidence: str = "",
    score: Callable[[Any], float | None] = nothing,
    level: Callable[[Any], str | None] = nothing,
) -> Callable[[Callable[P, V]], Callable[P, V]]:
    """Declare the decorated formula as a metric, and hand it back untouched.

    Args:
        scope: what it is about.
        key: the stable wire key; answers are kept under it and `version`.
        roles: who may hear it, where the subject is theirs to hear about.
        family: the group of fields it is found in.
        fresh_for: how long an answer counts as fresh.
        k: the fewest peers a cohort may have; needed when the formula reads one.
        version: raised by one whenever the formula changes what it says.
        formula: the formula in one line, shown beside the number.
        evidence: what it was checked against, shown beside the number.
        score: the headline number (0 to 100) of a value, kept in a column of its own so that rosters and
            cohorts read it without opening the value.
        level: the level of a value, kept likewise.

    Raises:
        DeclarationError: the formula has no docstring, reads a cohort without `k`, returns no frozen
            dataclass with a `quality`, or has a parameter that cannot be wired.
    """

    def declare(compute: Callable[P, V]) -> Callable[P, V]:
        doc = inspect.getdoc(compute)
        if not doc:
            msg = f"{compute.__name__} needs a docstring: it becomes the description in the schema"
            raise DeclarationError(msg)
        hints = typing.get_type_hints(compute, include_extras=True)
        value_type = _value_type(compute.__name__, hints.pop("return", None))
        inputs, arguments = [], []
        for parameter in inspect.signature(compute).parameters.values():
            hint = hints[parameter.name]
            if parameter.kind is not parameter.KEYWORD_ONLY:
                inputs.append(_input(compute.__name__, parameter.name, hint))
            elif not _injected(compute.__name__, scope, parameter.name, hint):
                arguments.append(_argument(compute.__name__, parameter, hint))
        _of_many(compute.__name__, scope, inputs, k)
        compute.__metric__ = Metric(  # type: ignore[attr-defined]  # the record rides on the function
            name=compute.__name__,
            key=key,
            scope=scope,
            family=family,
            value_type=value_type,
            inputs=tuple(inputs),
            arguments=tuple(arguments),
            wants_clock="at" in hints,
            wants_subject="course" in hints,
            compute=compute,
            roles=frozenset(roles),
            fresh_for=fresh_for,
            k=k,
            version=version,
            formula=formula,
            evidence=evidence,
            score=score,
            level=level,
            doc=doc,
        )
        return compute

    return declare


def _of_many(name: str, scope: Scope, inputs: Iterable[Input], k: int) -> None:
    """Refuse what says something about a group without a k, or about one that the scope does not have."""
    asked = {given.many for given in inputs}
    wide = scope in {Scope.ORGANIZATION, Scope.MARKET}
    if k < 2 and (Many.COHORT in asked or (wide and Many.EVERYONE in asked)):  # noqa: PLR2004 - one person is a name
        msg = f"{name} reads a group of people, so it must say its k"
        raise DeclarationError(msg)
    if Many.EVERYONE in asked and not wide and scope is not Scope.COURSE:
        msg = f"{name} reads Everyone, which only a metric of a course, an organization or the market can"
        raise DeclarationError(msg)
    if asked & {Many.STARTERS, Many.ITEMS} and scope is not Scope.COURSE:
        msg = f"{name} reads Starters or Items, which only a course metric can"
        raise DeclarationError(msg)


def _members(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the hint alone."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _value_type(name: str, hint: Any) -> type[Any]:
    values = [m for m in _members(hint) if m is not Withheld]
    if len(values) != 1 or not is_dataclass(values[0]) or "quality" not in typing.get_type_hints(values[0]):
        msg = f"{name} must return one frozen dataclass that has a `quality: DataQuality`, or Withheld beside it"
        raise DeclarationError(msg)
    return typing.cast("type[Any]", values[0])


def _input(name: str, parameter: str, hint: Any) -> Input:
    members = [m for m in _members(hint) if m not in {type(None), Withheld}]
    optional, reasons = len(members) < len(_members(hint)), Withheld in _members(hint)
    if len(members) == 1:
        what = members[0]
        if isinstance(what, type) and is_dataclass(what):
            return Input(parameter, what, Many.ONE, optional, reasons)
        many = GROUPS.get(get_origin(what))
        if many:
            return Input(parameter, get_args(what)[0], many, optional, reasons)
    msg = (
        f"{name}: nobody can supply `{parameter}: {hint}`; "
        "ask for a fact, a value, a Cohort, Everyone, Starters, Items or a tuple of values"
    )
    raise DeclarationError(msg)


def _injected(name: str, scope: Scope, parameter: str, hint: Any) -> bool:
    """Whether a keyword is supplied by the platform: the clock, or the course a course metric is about."""
    if parameter == "at" and hint is not datetime:
        msg = f"{name}: `at` is the clock, so it must be a datetime"
        raise DeclarationError(msg)
    if parameter == "course" and (scope is not Scope.COURSE or hint is not str):
        msg = f"{name}: `course` is the course a course metric is about, so it must be a str and the scope COURSE"
        raise DeclarationError(msg)
    return parameter in {"at", "course"}


def _argument(name: str, parameter: inspect.Parameter, hint: Any) -> Argument:
    if not (isinstance(hint, type) and issubclass(hint, Enum | int | float | str | bool)):
        msg = f"{name}: `{parameter.name}` must be an enum or a scalar, not {hint}"
        raise DeclarationError(msg)
    if parameter.default is parameter.empty:
        msg = f"{name}: `{parameter.name}` needs a default, so that a dashboard may leave it out"
        raise DeclarationError(msg)
    return Argument(parameter.name, hint, parameter.default)
