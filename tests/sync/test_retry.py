"""Trying again: soon at first, never later than promised, and never all devices in one breath."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.limits import (
    BREAKER_FAILURES,
    BREAKER_OPEN_SECONDS,
    CONNECT_TIMEOUT_SECONDS,
    RETRY_BASE_SECONDS,
    RETRY_CAP_SECONDS,
)
from holdfast.sync.retry import Breaker, BreakerState, backoff_seconds

PROMISED_SECONDS = 30.0
"""After a cut's end, a retry comes within so much (CONTRACT, `GET /sync`)."""
NEARLY_ONE = 1 - 2**-53

chances = st.floats(0, 1, exclude_max=True)
moments = st.floats(0, 1e9)


# --- the pause ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failures", "shortest", "longest"),
    [
        (1, 0.5, 1.0),
        (2, 1.0, 2.0),
        (3, 2.0, 4.0),
        (5, 8.0, 16.0),
        (6, 12.5, 25.0),  # 32 would be above the cap
        (1_000, 12.5, 25.0),
    ],
)
def test_the_pause_doubles_up_to_its_cap_and_half_of_it_is_chance(
    failures: int, shortest: float, longest: float
):
    assert backoff_seconds(failures, 0.0) == shortest
    assert backoff_seconds(failures, NEARLY_ONE) == pytest.approx(longest)


@given(failures=st.integers(-3, 10_000), random=chances)
def test_no_pause_is_shorter_than_half_the_first_or_longer_than_the_cap(
    failures: int, random: float
):
    assert RETRY_BASE_SECONDS / 2 <= backoff_seconds(failures, random) <= RETRY_CAP_SECONDS


@given(failures=st.integers(1, 50), random=chances)
def test_one_more_failure_never_makes_the_pause_shorter(failures: int, random: float):
    assert backoff_seconds(failures, random) <= backoff_seconds(failures + 1, random)


def test_a_thousand_devices_come_back_spread_over_half_the_pause():
    pauses = {round(backoff_seconds(6, device / 1_000), 3) for device in range(1_000)}
    assert len(pauses) > 900
    assert max(pauses) - min(pauses) > RETRY_CAP_SECONDS * 0.49


# --- the breaker ----------------------------------------------------------------------------------


class Step(NamedTuple):
    at: float
    event: str
    state: BreakerState
    allows: bool
    remark: str


HISTORY = [
    Step(0, "look", "closed", True, "nothing has failed yet"),
    Step(1, "fail", "closed", True, "one failure opens nothing"),
    Step(2, "fail", "closed", True, "two"),
    Step(3, "succeed", "closed", True, "a success forgets them"),
    Step(4, "fail", "closed", True, "counted from one again"),
    Step(5, "fail", "closed", True, "two"),
    Step(6, "fail", "closed", True, "three"),
    Step(7, "fail", "closed", True, "four"),
    Step(8, "fail", "open", False, "five in a row: nothing goes through"),
    Step(27.9, "look", "open", False, "not for twenty seconds"),
    Step(28, "look", "half-open", True, "then one probe may go"),
    Step(28, "attempt", "half-open", False, "exactly one: it is under way"),
    Step(40, "look", "half-open", False, "however long it takes"),
    Step(41, "fail", "open", False, "a failed probe opens the breaker again, from now"),
    Step(60.9, "look", "open", False, "for twenty seconds more"),
    Step(61, "attempt", "half-open", False, "the next probe"),
    Step(62, "succeed", "closed", True, "came through: all is as at the beginning"),
    Step(63, "attempt", "closed", True, "a closed breaker counts no attempts"),
    Step(63, "attempt", "closed", True, "nor limits them"),
    Step(64, "fail", "closed", True, "and one failure opens nothing"),
]


def test_the_breaker_goes_through_its_states():
    assert (BREAKER_FAILURES, BREAKER_OPEN_SECONDS) == (5, 20.0), "the history is told for these"
    breaker = Breaker()
    for step in HISTORY:
        if step.event == "fail":
            breaker = breaker.failed(step.at)
        elif step.event == "succeed":
            breaker = breaker.succeeded()
        elif step.event == "attempt":
            breaker = breaker.attempted(step.at)
        seen = (breaker.state(step.at), breaker.allows(step.at))
        assert seen == (step.state, step.allows), f"at {step.at}: {step.remark}"


def open_since(moment: float) -> Breaker:
    breaker = Breaker()
    for _ in range(BREAKER_FAILURES):
        breaker = breaker.failed(moment)
    return breaker


@given(opened=moments, looks=st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_however_often_one_looks_a_half_open_breaker_lets_one_attempt_through(
    opened: float, looks: list[float]
):
    breaker, now, through = open_since(opened), opened, 0
    for passed in looks:
        now += passed
        if breaker.allows(now):
            assert breaker.state(now) == "half-open"
            breaker, through = breaker.attempted(now), through + 1
    assert through <= 1
    assert through == 1 or breaker.state(now) == "open"


@given(opened=moments, later=st.floats(0, 60))
def test_an_open_breaker_says_exactly_how_long_it_stays_open(opened: float, later: float):
    breaker, now = open_since(opened), opened + later
    left = breaker.open_seconds(now)
    assert (left > 0) == (breaker.state(now) == "open")
    assert 0 <= left <= BREAKER_OPEN_SECONDS
    assert Breaker().open_seconds(now) == 0


# --- what a device is promised --------------------------------------------------------------------


@given(
    cut_seconds=st.floats(0.1, 7_200),
    attempt_seconds=st.floats(0, CONNECT_TIMEOUT_SECONDS - 0.5),
    data=st.data(),
)
def test_a_retry_comes_within_thirty_seconds_of_any_cuts_end(
    cut_seconds: float, attempt_seconds: float, data: st.DataObject
):
    """The link's own order of calls: look, attempt, fail, wait, and so on until the cut is over."""
    now, breaker, attempts = 0.0, Breaker(), 0
    while True:
        if not breaker.allows(now):
            # Real time goes on even where what is left is too small to be added to a float.
            now = max(now + breaker.open_seconds(now), math.nextafter(now, math.inf))
            continue
        if now >= cut_seconds:
            break
        breaker, attempts = breaker.attempted(now), attempts + 1
        now += attempt_seconds
        breaker = breaker.failed(now)
        now += breaker.wait_seconds(now, data.draw(chances) if attempts < 40 else NEARLY_ONE)
    assert now - cut_seconds <= PROMISED_SECONDS
    # Eager right after the cut, and no hammering for as long as it lasts.
    assert attempts <= BREAKER_FAILURES + 1 + cut_seconds / (RETRY_CAP_SECONDS / 2)
