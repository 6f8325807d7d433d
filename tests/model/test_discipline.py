"""The clock: whom it believes, how sure it says it is, and what moves it."""

from __future__ import annotations

from math import inf, nan
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.discipline import (
    Agreement,
    Interval,
    Refusal,
    Reply,
    Sample,
    SoftwareClock,
    State,
    check_sample,
    intersect,
    needs_new_incarnation,
    offset_and_delay,
    sample_of,
)
from holdfast.model.hlc import MS_READABLE_MAX
from holdfast.model.limits import (
    DISCIPLINED_UNCERTAINTY_MS_MAX,
    NTP_HOLDOVER_POLLS,
    NTP_INTERVAL_SECONDS,
    NTP_READING_ERROR_MS,
    STAMP_AHEAD_MS_MAX,
    UNDISCIPLINED_UNCERTAINTY_MS,
    WALL_STEP_MS,
)

NOON = 1_750_000_000_000.0
TWO_HOURS = 7_200_000.0
POLL_MS = NTP_INTERVAL_SECONDS * 1_000
DAY_MS = 86_400_000.0


# --- builders -----------------------------------------------------------------------------------


def a_reply(**changed: Any) -> Reply:
    """An honest stratum-2 answer over a 20 ms way: what a test sets is what it is about."""
    fields: dict[str, Any] = {
        "source": "ntp.example",
        "sent_ms": 1_000.0,
        "received_ms": NOON + 10,
        "answered_ms": NOON + 11,
        "returned_ms": 1_021.0,
        "stratum": 2,
        "root_delay_ms": 8.0,
        "root_dispersion_ms": 3.0,
    }
    return Reply(**(fields | changed))


def a_sample(source: str, offset_ms: float, error_ms: float = 10.0, **changed: Any) -> Sample:
    fields: dict[str, Any] = {"delay_ms": 2 * error_ms, "taken_at_ms": 0.0, "stratum": 2}
    return Sample(source, offset_ms, error_ms=error_ms, **(fields | changed))


def an_agreement(
    offset_ms: float, uncertainty_ms: float = 10.0, as_of_ms: float = 0.0
) -> Agreement:
    return Agreement(offset_ms, uncertainty_ms, ("a", "b"), (), as_of_ms)


# --- which answers count ------------------------------------------------------------------------


class Checked(NamedTuple):
    changed: dict[str, Any]
    refusal: Refusal | None
    remark: str


CHECKED = [
    Checked({}, None, "an honest answer is believed"),
    Checked({"stratum": 1}, None, "so is an atomic clock's own"),
    Checked({"stratum": 15}, None, "and the last stratum that there is"),
    Checked({"leap": 1}, None, "a leap second announced is no fault"),
    Checked({"origin_matches": False}, "wrong-origin", "it answers somebody else's question"),
    Checked({"mode": 3}, "wrong-mode", "a client's packet, perhaps our own echoed"),
    Checked({"mode": 5}, "wrong-mode", "a broadcast"),
    Checked({"leap": 3}, "not-synchronised", "the server says that it has no time"),
    Checked({"stratum": 16}, "bad-stratum", "stratum 16 means unsynchronised"),
    Checked({"stratum": 0}, "bad-stratum", "stratum 0 without a code means nothing"),
    Checked({"stratum": 0, "kiss": "RATE"}, "kiss-of-death", "we ask too often"),
    Checked(
        {"stratum": 0, "kiss": "DENY", "leap": 3}, "kiss-of-death", "kisses come unsynchronised"
    ),
    Checked(
        {"stratum": 0, "kiss": "DENY", "origin_matches": False},
        "wrong-origin",
        "a kiss that somebody forged shuts nobody out",
    ),
    Checked({"received_ms": 0.0}, "no-time", "an empty field"),
    Checked({"answered_ms": nan}, "no-time", "no number"),
    Checked({"answered_ms": NOON + 500}, "negative-delay", "it had it longer than we waited"),
    Checked({"root_delay_ms": -1.0}, "negative-delay", "its own way cannot be negative"),
    Checked({"root_dispersion_ms": nan}, "negative-delay", "nor its dispersion be no number"),
    Checked({"root_dispersion_ms": 1_490.0}, "too-far-from-reference", "it hardly knows itself"),
    Checked({"root_delay_ms": 2_990.0}, "too-far-from-reference", "its reference is too far"),
    Checked({"returned_ms": 4_100.0}, "too-far-from-reference", "it is too far from us"),
    Checked({"returned_ms": inf}, "too-far-from-reference", "it never came back"),
]


@pytest.mark.parametrize("row", CHECKED, ids=lambda row: row.remark)
def test_an_answer_is_believed_only_if_nothing_is_wrong_with_it(row: Checked) -> None:
    assert check_sample(a_reply(**row.changed)) == row.refusal


def test_a_samples_error_covers_our_way_and_the_servers_own() -> None:
    sample = sample_of(a_reply(), frame_ms=NOON - 1_000)
    assert sample.delay_ms == pytest.approx(20)
    assert sample.offset_ms == pytest.approx(0, abs=0.001)
    assert sample.error_ms == pytest.approx(20 / 2 + 8 / 2 + 3 + NTP_READING_ERROR_MS)


def test_two_honest_servers_next_door_do_not_contradict_each_other_by_microseconds() -> None:
    near = {"sent_ms": 1_000.0, "received_ms": NOON, "answered_ms": NOON, "returned_ms": 1_000.004}
    exact = {"root_delay_ms": 0.0, "root_dispersion_ms": 0.0, "stratum": 1}
    one = sample_of(a_reply(**near, **exact, source="a"), frame_ms=NOON - 1_000)
    other = sample_of(a_reply(**near, **exact, source="b"), frame_ms=NOON - 1_000.05)
    assert intersect([one, other]) is not None


@given(st.floats(-DAY_MS, DAY_MS), st.floats(0, 5_000), st.floats(0, 5_000), st.floats(0, 1_000))
def test_true_time_is_within_half_the_delay_however_unequal_the_ways(
    lead_ms: float, there_ms: float, back_ms: float, thinking_ms: float
) -> None:
    received = there_ms + lead_ms
    answered = received + thinking_ms
    returned = there_ms + thinking_ms + back_ms
    offset, delay = offset_and_delay(0.0, received, answered, returned)
    assert delay == pytest.approx(there_ms + back_ms, abs=1e-6)
    assert abs(offset - lead_ms) <= delay / 2 + 1e-6


# --- whom a majority believes -------------------------------------------------------------------


class Round(NamedTuple):
    samples: list[Sample]
    configured: int
    offset_ms: float | None
    uncertainty_ms: float
    falsetickers: tuple[str, ...]
    remark: str


LIAR = a_sample("liar", TWO_HOURS)
ROUNDS = [
    Round([], 0, None, 0, (), "no servers: nobody knows"),
    Round([], 3, None, 0, (), "nobody answered"),
    Round([a_sample("a", 4)], 1, 4, 10, (), "the only one configured is believed"),
    Round([a_sample("a", 4)], 3, None, 0, (), "one alone of three is not: it may be the liar"),
    Round([a_sample("hub", 4, from_hub=True)], 3, 4, 10, (), "the hub is"),
    Round([a_sample("a", 0), a_sample("b", 8)], 2, 4, 6, (), "two that overlap: what both allow"),
    Round([a_sample("a", 0), a_sample("b", 20)], 2, 10, 0, (), "that touch: the point in common"),
    Round([a_sample("a", 0), a_sample("b", 21)], 2, None, 0, (), "that contradict: neither"),
    Round([a_sample("a", 0), LIAR, a_sample("b", 8)], 3, 4, 6, ("liar",), "two out-vote a liar"),
    Round([LIAR, a_sample("liar 2", -TWO_HOURS), a_sample("a", 0)], 3, None, 0, (),
          "two liars who contradict each other: no majority"),
    Round([a_sample("a", 0), a_sample("b", 0), LIAR, LIAR._replace(source="liar 2")], 4, None, 0,
          (), "two against two is no majority"),
    Round([a_sample("a", 0, 2), a_sample("b", 10, 2), a_sample("wide", 5, 500)], 3, 5, 7, (),
          "either of two may be right, the wide one agrees with both: the hull of both"),
    Round([a_sample("a", 0, 50), a_sample("b", 20, 50), a_sample("c", 40, 50)], 3, 20, 50, (),
          "three honest: the middle bounds"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROUNDS, ids=lambda row: row.remark)
def test_time_is_what_a_strict_majority_agrees_on(row: Round) -> None:
    agreement = intersect(row.samples, row.configured)
    if row.offset_ms is None:
        assert agreement is None
        return
    assert agreement is not None
    assert agreement.offset_ms == pytest.approx(row.offset_ms)
    assert agreement.uncertainty_ms == pytest.approx(row.uncertainty_ms)
    assert agreement.falsetickers == row.falsetickers
    sources = {sample.source for sample in row.samples}
    assert set(agreement.agreeing) == sources - set(row.falsetickers)


def test_an_older_sample_of_the_round_is_less_sure_by_the_drift_since() -> None:
    agreement = intersect([a_sample("a", 0), a_sample("b", 0, 90, taken_at_ms=2_000.0)])
    assert agreement is not None
    assert agreement.as_of_ms == 2_000
    assert agreement.uncertainty_ms == pytest.approx(10 + 2_000 * 50e-6)


honest = st.tuples(st.floats(-1, 1), st.floats(0, 1_500)).map(lambda t: (t[0] * t[1], t[1]))
lies = st.tuples(st.floats(-DAY_MS, DAY_MS), st.floats(0, 1_500))


@given(st.lists(honest, min_size=1, max_size=8), st.lists(lies, max_size=7), st.randoms())
def test_the_truth_is_in_the_agreement_while_most_are_honest_whatever_the_others_say(
    honest_ones: list[tuple[float, float]], liars: list[tuple[float, float]], random: Any
) -> None:
    liars = liars[: len(honest_ones) - 1]
    samples = [
        a_sample(f"s{number}", offset, error + 1e-6)
        for number, (offset, error) in enumerate([*honest_ones, *liars])
    ]
    random.shuffle(samples)
    agreement = intersect(samples)
    assert agreement is not None
    assert abs(agreement.offset_ms) <= agreement.uncertainty_ms + 1e-6
    assert 2 * len(agreement.agreeing) > len(samples)
    widest = max(error for _, error in [*honest_ones, *liars])
    assert agreement.uncertainty_ms <= 2 * widest + 1e-3


# --- the software clock -------------------------------------------------------------------------


class Moment(NamedTuple):
    monotonic_ms: float
    wall_ms: float
    does: str
    state: State
    best_ms: float
    uncertainty_ms: float
    stepped: bool
    remark: str


UNSURE = float(UNDISCIPLINED_UNCERTAINTY_MS)
HELD = 4_000 + NTP_HOLDOVER_POLLS * POLL_MS
"""Monotonic: the sample at 4,000 is just four polls old."""
SLOW = NOON - TWO_HOURS - 65_000
"""What the wall clock is ahead of the monotonic one, once it was set back."""
HISTORY = [
    Moment(0, NOON, "", "undisciplined", NOON, UNSURE, False, "it starts with the wall clock"),
    Moment(1_000, NOON + 1_000, "", "undisciplined", NOON + 1_000, UNSURE, False, "and runs on"),
    Moment(2_000, NOON + 2_000 + WALL_STEP_MS, "", "undisciplined", NOON + 2_000 + WALL_STEP_MS,
           UNSURE, False, "half a second is no step"),
    Moment(3_000, NOON + TWO_HOURS, "", "undisciplined", NOON + TWO_HOURS, UNSURE,
           True, "somebody sets the clock forward: undisciplined, it follows"),
    Moment(4_000, NOON + TWO_HOURS + 1_000, "sample", "disciplined", NOON + 4_000, 10, False,
           "a majority says what time it is: the wall clock is two hours fast"),
    Moment(64_000, NOON + TWO_HOURS + 61_000, "", "disciplined", NOON + 64_000, 13, False,
           "a minute on: 50 ppm less sure"),
    Moment(65_000, NOON - TWO_HOURS, "", "disciplined", NOON + 65_000, 13.05, True,
           "set back: noticed, and nothing moves"),
    Moment(HELD, SLOW + HELD, "", "disciplined", NOON + HELD, 10 + (HELD - 4_000) * 50e-6, False,
           "four polls without an answer: still disciplined"),
    Moment(HELD + 1, SLOW + HELD + 1, "", "holdover", NOON + HELD + 1,
           10 + (HELD - 4_000) * 50e-6, False, "then holdover, with its uncertainty"),
    Moment(DAY_MS, SLOW + DAY_MS + 4_000, "", "holdover", NOON + DAY_MS,
           10 + (DAY_MS - 4_000) * 50e-6, False,
           "a day offline: 4.3 s unsure, and the wall clock's own drift of 4 s is no step"),
    Moment(DAY_MS + 9_000, SLOW + DAY_MS + 13_000, "sample", "disciplined",
           NOON + DAY_MS + 9_000, 10, False, "the network is back: disciplined again"),
]  # fmt: skip


def test_the_history_of_a_clock() -> None:
    """Each row reads both clocks, perhaps takes a sample, and says what the clock then shows."""
    clock = SoftwareClock.start(HISTORY[0].monotonic_ms, HISTORY[0].wall_ms)
    for row in HISTORY:
        clock, step = clock.looked(row.monotonic_ms, row.wall_ms)
        assert (step is not None) == row.stepped, row.remark
        if step is not None:
            assert step.by_ms == pytest.approx(_moved(row)), row.remark
            assert step.followed == (row.state == "undisciplined"), row.remark
        clock = _sampled(clock, row)
        _shows(clock, row)


def _moved(row: Moment) -> float:
    """How far the wall clock went beside the monotonic one, from the row before."""
    before = HISTORY[HISTORY.index(row) - 1]
    return (row.wall_ms - before.wall_ms) - (row.monotonic_ms - before.monotonic_ms)


def _sampled(clock: SoftwareClock, row: Moment) -> SoftwareClock:
    if row.does != "sample":
        return clock
    frame_ms = row.wall_ms - row.monotonic_ms
    agreement = an_agreement(NOON - frame_ms, as_of_ms=row.monotonic_ms)
    return clock.disciplined(agreement, frame_ms)


def _shows(clock: SoftwareClock, row: Moment) -> None:
    now = clock.now(row.monotonic_ms, row.wall_ms)
    assert now.state == row.state, row.remark
    assert now.best == int(row.best_ms), row.remark
    assert now.latest - now.best == pytest.approx(row.uncertainty_ms, abs=1.01), row.remark
    assert now.best - now.earliest == pytest.approx(row.uncertainty_ms, abs=1.01), row.remark
    assert clock.best_ms(row.monotonic_ms, row.wall_ms) == now.best, row.remark


def test_only_a_step_or_an_old_anchor_makes_the_clock_look_closer() -> None:
    clock = SoftwareClock.start(0.0, NOON)
    assert not clock.must_look(1_000.0, NOON + 1_000 + WALL_STEP_MS)
    assert clock.must_look(1_000.0, NOON + 1_001 + WALL_STEP_MS)
    assert clock.must_look(1_000.0, NOON + 999 - WALL_STEP_MS)
    assert clock.must_look(60_001.0, NOON + 60_001)


def test_a_clock_too_unsure_of_itself_is_not_called_disciplined() -> None:
    agreement = an_agreement(0.0, DISCIPLINED_UNCERTAINTY_MS_MAX + 1.0)
    clock = SoftwareClock.start(0.0, NOON).disciplined(agreement, NOON)
    assert clock.now(0.0, NOON).state == "holdover"


def test_a_sleep_that_the_monotonic_clock_missed_can_be_forgotten_with_the_discipline() -> None:
    clock = SoftwareClock.start(0.0, NOON).disciplined(an_agreement(-TWO_HOURS), NOON)
    assert clock.now(1.0, NOON + 1).state == "disciplined"
    assert clock.forgotten().now(1.0, NOON + 1).best == NOON + 1


@pytest.mark.parametrize("wall_ms", [-1e18, -1.0, 1e18])
def test_a_wall_clock_gone_mad_still_gives_a_time_that_stamps_and_people_can_hold(
    wall_ms: float,
) -> None:
    clock = SoftwareClock.start(0.0, wall_ms)
    now = clock.now(0.0, wall_ms)
    assert 0 <= now.earliest <= now.best <= now.latest <= MS_READABLE_MAX
    assert clock.best_ms(0.0, wall_ms) == now.best


@given(
    st.floats(-DAY_MS, DAY_MS),
    st.floats(0, 1_000),
    st.floats(-1, 1),
    st.floats(-50, 50),
    st.floats(0, 30 * DAY_MS),
    st.floats(-DAY_MS, DAY_MS),
)
def test_the_true_time_stays_in_the_interval_while_the_crystal_keeps_to_50_ppm(
    wrong_ms: float, unsure_ms: float, share: float, ppm: float, later_ms: float, step_ms: float
) -> None:
    """Whatever the wall clock showed, by however much the sample was off within its own error."""
    frame_ms = NOON + wrong_ms
    said_ms = -wrong_ms + share * unsure_ms
    clock = SoftwareClock.start(0.0, frame_ms)
    clock = clock.disciplined(an_agreement(said_ms, unsure_ms), frame_ms)
    true_ms = NOON + later_ms * (1 + ppm / 1_000_000)
    now = clock.now(later_ms, frame_ms + later_ms + step_ms)
    assert now.earliest <= true_ms + 0.01
    assert now.latest >= true_ms - 0.01


# --- the hub as a source ------------------------------------------------------------------------


def held(by: Any, uncertainty_ms: float = 50.0) -> SoftwareClock:
    agreement = an_agreement(0.0, uncertainty_ms)
    return SoftwareClock.start(0.0, NOON).disciplined(agreement, NOON, by)


class Heard(NamedTuple):
    clock: SoftwareClock
    offset_ms: float
    uncertainty_ms: float
    at_ms: float
    reason: str | None
    remark: str


HEARD = [
    Heard(SoftwareClock.start(0.0, NOON), 9e6, 900, 5_000, None, "the first word is taken"),
    Heard(held("ntp"), 0, 1, 5_000, "ntp-in-force", "NTP goes first, however near the hub is"),
    Heard(held("ntp"), 0, 90, HELD + POLL_MS, None, "until NTP has been silent for four polls"),
    Heard(held("hub"), 5, 20, 5_000, None, "a better sample replaces a worse"),
    Heard(held("hub"), 5, 900, 5_000, "better-one-held", "a worse one that agrees does not"),
    Heard(held("hub"), 5, 900, HELD + POLL_MS, None, "unless nothing else came for four polls"),
    Heard(held("hub"), TWO_HOURS, 900, 5_000, None, "one that contradicts does: the hub moved"),
]


@pytest.mark.parametrize("row", HEARD, ids=lambda row: row.remark)
def test_the_hub_gives_the_time_where_ntp_gives_none(row: Heard) -> None:
    agreement = an_agreement(row.offset_ms, row.uncertainty_ms, row.at_ms)
    assert row.clock.declines_hub(agreement, NOON) == row.reason


# --- a node that ran ahead of itself ------------------------------------------------------------


def an_interval(state: State = "disciplined", latest: int = int(NOON) + 20) -> Interval:
    return Interval(int(NOON), latest, int(NOON) + 10, state)


BOUND = int(NOON) + 20 + STAMP_AHEAD_MS_MAX + 2 * DISCIPLINED_UNCERTAINTY_MS_MAX


@pytest.mark.parametrize(
    ("high_water_ms", "state", "expected", "remark"),
    [
        (int(NOON), "disciplined", False, "stamps of now"),
        (int(NOON) + 20 + STAMP_AHEAD_MS_MAX, "disciplined", False, "it followed a fast device"),
        (BOUND, "disciplined", False, "and its clock has just become surer"),
        (BOUND + 1, "disciplined", True, "no stamp that it may follow explains this"),
        (int(NOON + TWO_HOURS), "disciplined", True, "it wrote while its date was wrong"),
        (int(NOON + TWO_HOURS), "holdover", False, "an old sample may not say so"),
        (int(NOON + TWO_HOURS), "undisciplined", False, "nor a clock that knows nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_only_a_disciplined_clock_sends_a_node_into_a_new_incarnation(
    high_water_ms: int, state: State, expected: bool, remark: str
) -> None:
    assert needs_new_incarnation(high_water_ms << 16 | 9, an_interval(state)) is expected, remark


def test_an_undisciplined_clock_compares_foreign_stamps_with_its_best_guess() -> None:
    assert an_interval("undisciplined").stamp_latest == an_interval().best
    assert an_interval("holdover").stamp_latest == an_interval().latest
