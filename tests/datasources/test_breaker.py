"""The breaker against a model of it that only counts."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from datasources.breaker import JITTER, Circuit, State, Ticket
from datasources.declare import Breaker

REST = 30.0
LONGEST = 300.0


def fail(circuit: Circuit, now: float, times: int = 1) -> None:
    for _ in range(times):
        ticket = circuit.admit(now)
        assert ticket is not None
        circuit.failed(ticket, now)


def opened(now: float = 0.0) -> Circuit:
    circuit = Circuit(Breaker(), random.Random(1))
    fail(circuit, now, 5)
    return circuit


class Model(RuleBasedStateMachine):
    """Calls begin and end in any order while time passes; the model knows what the declaration promises."""

    tickets: Bundle[tuple[int, Ticket]] = Bundle("tickets")

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.circuit = Circuit(Breaker(), random.Random(seed))
        self.now = 0.0
        self.era = 0
        self.row = 0
        self.recent: list[bool] = []
        self.opened_at: float | None = None
        self.rests = 0
        self.probe_out = False

    def reopen(self) -> None:
        self.opened_at = self.now
        self.rests += 1
        self.era += 1
        self.probe_out = False
        rest = self.circuit.read(self.now).probes_at
        assert rest is not None
        planned = min(LONGEST, REST * 2 ** (self.rests - 1))
        assert planned * (1 - JITTER) - 1e-6 <= rest - self.now <= planned * (1 + JITTER) + 1e-6

    def close(self) -> None:
        self.opened_at, self.rests, self.row, self.recent, self.probe_out = None, 0, 0, [], False
        self.era += 1

    @rule(seconds=st.floats(0, 400))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=tickets)
    def call(self) -> object:
        state = self.circuit.read(self.now).state
        willing = self.circuit.willing(self.now)
        ticket = self.circuit.admit(self.now)
        assert (ticket is not None) == willing
        if state is State.CLOSED:
            assert ticket is not None
        elif state is State.OPEN or self.probe_out:
            assert ticket is None
        else:
            assert ticket is not None
            self.probe_out = True
        return multiple() if ticket is None else (self.era, ticket)

    @rule(held=consumes(tickets))
    def it_passes(self, held: tuple[int, Ticket]) -> None:
        self.circuit.passed(held[1])
        if held[0] == self.era:
            if self.opened_at is not None:
                self.close()
            else:
                self.row = 0
                self.recent.append(True)

    @rule(held=consumes(tickets))
    def it_fails(self, held: tuple[int, Ticket]) -> None:
        self.circuit.failed(held[1], self.now)
        if held[0] == self.era:
            self.row += 1
            self.recent.append(False)
            last = self.recent[-20:]
            half = len(last) == 20 and last.count(False) >= 10
            if self.opened_at is not None or self.row >= 5 or half:
                self.reopen()

    @rule(held=consumes(tickets))
    def it_is_abandoned(self, held: tuple[int, Ticket]) -> None:
        self.circuit.abandoned(held[1])
        if held[0] == self.era:
            self.probe_out = False

    @rule()
    def somebody_resets(self) -> None:
        self.circuit.reset()
        self.close()

    @invariant()
    def it_is_closed_exactly_when_the_model_is(self) -> None:
        assert (self.circuit.read(self.now).state is State.CLOSED) == (self.opened_at is None)

    @invariant()
    def it_never_rests_longer_than_promised(self) -> None:
        probes_at = self.circuit.read(self.now).probes_at
        if probes_at is not None:
            assert self.opened_at is not None
            assert probes_at <= self.opened_at + LONGEST * (1 + JITTER)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


def test_it_opens_after_five_failures_in_a_row_and_not_before() -> None:
    circuit = Circuit(Breaker(), random.Random(1))
    fail(circuit, 0, 4)
    assert circuit.read(0).state is State.CLOSED
    fail(circuit, 0)
    assert circuit.read(0).state is State.OPEN
    assert circuit.admit(0) is None


def test_it_opens_when_half_of_twenty_calls_failed_one_by_one() -> None:
    circuit = Circuit(Breaker(), random.Random(1))
    for _ in range(10):
        assert circuit.read(0).state is State.CLOSED
        ticket = circuit.admit(0)
        assert ticket is not None
        circuit.passed(ticket)
        fail(circuit, 0)
    assert circuit.read(0).state is State.OPEN


def test_of_fifty_callers_after_the_rest_one_goes_through() -> None:
    circuit = opened()
    assert sum(circuit.admit(40) is not None for _ in range(50)) == 1


def test_a_probe_that_passes_closes_it_and_forgets_the_growth_of_the_rest() -> None:
    circuit = opened()
    probe = circuit.admit(40)
    assert probe is not None
    circuit.passed(probe)
    assert circuit.read(40).state is State.CLOSED
    fail(circuit, 40, 5)
    assert circuit.read(40).probes_at == pytest.approx(70, abs=3.1)


def test_a_call_from_before_it_opened_neither_closes_nor_reopens_it() -> None:
    circuit = Circuit(Breaker(), random.Random(1))
    early, late = circuit.admit(0), circuit.admit(0)
    assert early is not None
    assert late is not None
    fail(circuit, 0, 5)
    before = circuit.read(40)
    circuit.passed(early)
    circuit.failed(late, 40)
    assert circuit.read(40) == before


def test_a_probe_that_is_abandoned_leaves_its_place_to_another() -> None:
    circuit = opened()
    probe = circuit.admit(40)
    assert probe is not None
    assert circuit.admit(40) is None
    circuit.abandoned(probe)
    assert circuit.admit(40) is not None


def test_rests_double_up_to_the_longest() -> None:
    circuit = Circuit(Breaker(rest=timedelta(seconds=1), longest_rest=timedelta(seconds=4)), random.Random(1))
    now, rests = 0.0, []
    fail(circuit, now, 5)
    for _ in range(4):
        probes_at = circuit.read(now).probes_at
        assert probes_at is not None
        rests.append(probes_at - now)
        now = probes_at
        fail(circuit, now)
    assert rests == pytest.approx([1, 2, 4, 4], rel=JITTER)
    assert circuit.read(now).openings == 5
