import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from analytics.declare import (
    Cohort,
    DataQuality,
    DeclarationError,
    Everyone,
    Family,
    Items,
    Many,
    Metric,
    Role,
    Scope,
    Starters,
    Withheld,
    metric,
)
from analytics.learner import Window
from datasources.content import Content, Interactions
from datasources.course import Progress


@dataclass(frozen=True, slots=True)
class Calm:
    """How calm somebody is."""

    share: float
    quality: DataQuality


@dataclass(frozen=True, slots=True)
class Bare:
    """A value that does not say what it stands on."""

    share: float


def declared(formula: Callable[..., Any], scope: Scope = Scope.LEARNER, k: int = 0) -> Metric:
    record: Metric = metric(scope, key="calm", roles={Role.LEARNER}, k=k, formula="1")(formula).__metric__  # type: ignore[attr-defined]  # the record rides on the function
    return record


def refused(formula: Callable[..., Any], because: str, scope: Scope = Scope.LEARNER, k: int = 0) -> None:
    with pytest.raises(DeclarationError, match=re.escape(because)):
        declared(formula, scope, k)


def test_the_formula_stays_a_plain_function() -> None:
    def calm(progress: Progress) -> Calm:
        """Calm."""
        return Calm(len(progress.courses), DataQuality.__new__(DataQuality))

    before = calm
    record = declared(calm)
    assert record.compute is before
    assert calm(Progress(())).share == 0


def test_the_signature_is_the_wiring() -> None:
    def calm(  # noqa: PLR0913 - one of each kind
        progress: Progress,
        log: Interactions | None,
        value: Bare,
        courses: tuple[Bare, ...],
        peers: Cohort[Bare] | None,
        *,
        at: datetime,
        window: Window = Window.MONTH,
        top: int = 3,
    ) -> Calm | Withheld:
        """Calm."""

    record = declared(calm, k=10)
    assert [(i.name, i.type, i.many, i.optional) for i in record.inputs] == [
        ("progress", Progress, Many.ONE, False),
        ("log", Interactions, Many.ONE, True),
        ("value", Bare, Many.ONE, False),
        ("courses", Bare, Many.COURSES, False),
        ("peers", Bare, Many.COHORT, True),
    ]
    assert [(a.name, a.type, a.default) for a in record.arguments] == [
        ("window", Window, Window.MONTH),
        ("top", int, 3),
    ]
    assert record.value_type is Calm
    assert record.wants_clock
    assert not record.wants_subject
    assert record.doc == "Calm."
    assert record.fresh_for == timedelta(hours=6)
    assert record.family is Family.ANALYTICS
    assert repr(record) == "<calm v1>"


def test_a_course_metric_hears_which_course_it_is_about() -> None:
    def calm(progress: Everyone[Progress], *, course: str, at: datetime) -> Calm:
        """Calm."""

    record = declared(calm, Scope.COURSE)
    assert record.wants_subject
    assert record.wants_clock
    assert record.arguments == ()
    assert record.inputs[0].many is Many.EVERYONE


def test_without_score_and_level_a_value_has_neither() -> None:
    def calm(progress: Progress) -> Calm:
        """Calm."""

    record = declared(calm)
    assert record.score("anything") is None
    assert record.level("anything") is None


def test_a_formula_without_a_docstring_is_refused() -> None:
    def calm(progress: Progress) -> Calm: ...

    refused(calm, "needs a docstring")


def test_a_value_without_its_quality_is_refused() -> None:
    def bare(progress: Progress) -> Bare:
        """Bare."""

    def number(progress: Progress) -> float:
        """Bare."""

    def two(progress: Progress) -> Calm | Bare:
        """Two."""

    for formula in (bare, number, two):
        refused(formula, "must return one frozen dataclass that has a `quality: DataQuality`")


def test_a_formula_that_does_not_say_what_it_returns_is_refused() -> None:
    def calm(progress: Progress):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the fault in question
        """Calm."""

    refused(calm, "must return")


@pytest.mark.parametrize("hint", [int, dict[str, int], Progress | Interactions, list[Progress], None])
def test_what_nobody_can_supply_is_refused(hint: Any) -> None:
    def calm(thing: Any) -> Calm:
        """Calm."""

    calm.__annotations__ = {"thing": hint, "return": Calm}
    refused(calm, "calm: nobody can supply `thing")


@pytest.mark.parametrize("k", [0, 1])
def test_a_cohort_without_its_k_is_refused(k: int) -> None:
    def calm(peers: Cohort[Bare]) -> Calm:
        """Calm."""

    refused(calm, "must say its k", k=k)


def test_everyone_is_only_for_those_who_have_learners() -> None:
    def calm(progress: Everyone[Progress]) -> Calm:
        """Calm."""

    refused(calm, "only a metric of a course, an organization or the market can")


def test_starters_and_items_are_only_for_course_metrics() -> None:
    def calm(progress: Starters[Progress]) -> Calm:
        """Calm."""

    def quiet(content: Items[Content]) -> Calm:
        """Quiet."""

    refused(calm, "only a course metric can")
    refused(quiet, "only a course metric can")


def test_an_organization_metric_that_reads_people_says_its_k() -> None:
    def calm(progress: Everyone[Progress]) -> Calm:
        """Calm."""

    with pytest.raises(DeclarationError, match="so it must say its k"):
        metric(Scope.ORGANIZATION, key="calm", roles={Role.ORG_ADMIN}, formula="")(calm)


def test_a_clock_that_is_no_instant_is_refused() -> None:
    def calm(progress: Progress, *, at: str) -> Calm:
        """Calm."""

    refused(calm, "`at` is the clock")


def test_a_course_is_only_told_to_course_metrics_and_is_an_id() -> None:
    def of_learner(progress: Progress, *, course: str) -> Calm:
        """Calm."""

    def by_number(progress: Everyone[Progress], *, course: int) -> Calm:
        """Calm."""

    refused(of_learner, "`course` is the course")
    refused(by_number, "`course` is the course", Scope.COURSE)


def test_an_argument_without_a_default_is_refused() -> None:
    def calm(progress: Progress, *, window: Window) -> Calm:
        """Calm."""

    refused(calm, "`window` needs a default")


def test_an_argument_that_is_no_scalar_is_refused() -> None:
    def calm(progress: Progress, *, window: tuple[int, ...] = ()) -> Calm:
        """Calm."""

    refused(calm, "`window` must be an enum or a scalar")
