"""What is told of a job that changed: every state it went through, nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.watching import steps
from datasources.postgres.jobs import Job, Kind, Status
from tests.cast import ACME, LENA

NOW = datetime(2026, 11, 21, tzinfo=UTC)
WAITING = Job(
    organization=ACME,
    id="one",
    kind=Kind.REFRESH,
    owner=LENA,
    role="learner",
    scope=None,
    subject=None,
    details={},
    status=Status.QUEUED,
    progress=0,
    attempts=0,
    created_at=NOW,
    started_at=None,
    finished_at=None,
    unwanted=False,
    result=None,
    error=None,
)
RUNNING = replace(WAITING, status=Status.RUNNING, attempts=1, turn=1, started_at=NOW)
DONE = replace(RUNNING, status=Status.COMPLETED, progress=100, finished_at=NOW, result={"answers": 1})


def test_a_job_that_did_not_change_is_not_told_again() -> None:
    assert list(steps(RUNNING, RUNNING)) == []
    assert list(steps(RUNNING, replace(RUNNING, unwanted=True))) == [], "who cancels it sees that, in time"


def test_a_job_that_ended_before_anybody_looked_is_told_as_running_first() -> None:
    assert list(steps(WAITING, DONE)) == [RUNNING, DONE]


def test_a_job_that_was_cancelled_before_it_began_never_ran() -> None:
    cancelled = replace(WAITING, status=Status.CANCELLED, unwanted=True, finished_at=NOW)
    assert list(steps(WAITING, cancelled)) == [cancelled]


def test_a_second_attempt_is_told() -> None:
    again = replace(RUNNING, attempts=2, turn=2)
    assert list(steps(RUNNING, again)) == [again]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 99), max_size=20), st.sets(st.integers(0, 30)))
def test_whatever_is_looked_at_in_between_progress_never_goes_back_and_the_end_is_told_once(
    reported: list[int], looked: set[int]
) -> None:
    # As the database keeps it: the greatest so far.
    rows = [WAITING] + [replace(RUNNING, progress=max(reported[: n + 1])) for n in range(len(reported))] + [DONE]
    seen = [rows[n] for n in range(len(rows)) if n in looked or n in {0, len(rows) - 1}]
    told = [seen[0]]
    for before, after in pairwise(seen):
        told += steps(before, after)
    assert [job.progress for job in told] == sorted(job.progress for job in told)
    assert list(dict.fromkeys(job.status for job in told)) == [Status.QUEUED, Status.RUNNING, Status.COMPLETED]
    assert [job for job in told if job.status.over] == [DONE]
