"""A metric that says something else has another version, so that no kept answer of the old one is served."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from corpus import corpus
from pure import Pure
from spoken import FILE, HOW, digest, said, same_version_other_words

from analytics.catalog import METRICS
from datasources.assessment import Scores
from datasources.catalog import SOURCES
from datasources.declare import About

if TYPE_CHECKING:
    from analytics.declare import Metric

KEPT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.key)


@pytest.fixture(scope="module")
def pure() -> Pure:
    return Pure(corpus())


@every_metric
def test_a_metric_says_what_its_version_said(metric: Metric, pure: Pure) -> None:
    now = {"version": metric.version, "digest": digest(metric, said(metric, pure))}
    assert metric.key in KEPT, f"{metric.key} is new: run `python tests/analytics/spoken.py` and commit spoken.json"
    kept = KEPT[metric.key]
    assert kept["version"] == metric.version or kept["digest"] != now["digest"], (
        f"{metric.key} has another version and says the same: take the version back"
    )
    assert kept["version"] != metric.version or now == kept, f"{metric.key}: {HOW}"
    assert now == kept, f"{metric.key} has a new version: run `python tests/analytics/spoken.py`"


def test_no_metric_is_kept_that_is_gone() -> None:
    assert set(KEPT) == set(METRICS)


def test_nearly_every_metric_says_something_about_somebody(pure: Pure) -> None:
    speaking = {
        key for key, metric in METRICS.items() if any(isinstance(one[0], dict) for one in said(metric, pure).values())
    }
    assert len(speaking) >= 0.8 * len(METRICS), sorted(set(METRICS) - speaking)


def test_the_corpus_is_the_same_every_time() -> None:
    assert corpus() == corpus()
    assert corpus() != corpus(seed=8)


def test_the_corpus_has_every_fact_that_a_formula_may_read() -> None:
    wanted = {kind for kind, (service, _) in SOURCES.items() if service.name != "auth"}
    assert wanted == {kind for kind, _ in corpus().facts}
    assert {SOURCES[kind][1].about for kind in wanted} == set(About)


def test_other_words_under_the_same_version_are_noticed(pure: Pure) -> None:
    metric = METRICS["learner-performance"]
    other = corpus()
    other.facts.update({key: replace(fact, scores=()) for key, fact in other.facts.items() if key[0] is Scores})
    before = {metric.key: {"version": 1, "digest": digest(metric, said(metric, pure))}}
    after = {metric.key: {"version": 1, "digest": digest(metric, said(metric, Pure(other)))}}
    assert same_version_other_words(before, before) == []
    assert same_version_other_words(before, after) == [metric.key]
    assert same_version_other_words(before, {metric.key: {**after[metric.key], "version": 2}}) == []


def test_another_formula_text_is_another_digest(pure: Pure) -> None:
    metric = METRICS["learner-velocity"]
    answers = said(metric, pure)
    assert digest(replace(metric, formula="something else"), answers) != digest(metric, answers)
