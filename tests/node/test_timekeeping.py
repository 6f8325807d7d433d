"""The clock that a node reads: steps, the test wall, the hub's time, threads."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import timeit
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import Invalid
from holdfast.model.limits import (
    HUB_WALL_UNCERTAINTY_MS,
    UNDISCIPLINED_UNCERTAINTY_MS,
    WALL_STEPS_KEPT,
)
from holdfast.node.timekeeping import Timekeeper

NOON = 1_750_000_000_000.0
HOUR = 3_600_000.0


class Machine:
    """A machine's two clocks, moved by hand."""

    def __init__(self) -> None:
        self.monotonic_ms = 5_000.0
        self.wall_ms = NOON

    def passes(self, ms: float) -> None:
        self.monotonic_ms += ms
        self.wall_ms += ms

    def keeper(self) -> Timekeeper:
        return Timekeeper(lambda: self.wall_ms, lambda: self.monotonic_ms)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def exchange(
    keeper: Timekeeper, machine: Machine, ahead_ms: float, way_ms: float = 20.0, **hub: Any
) -> str | None:
    """One exchange with a hub whose clock is `ahead_ms` of our wall clock and thinks for 100 ms."""
    sent_ms = keeper.monotonic_ms()
    machine.passes(way_ms)
    received_ms = machine.wall_ms + ahead_ms
    machine.passes(100)
    answered_ms = machine.wall_ms + ahead_ms
    machine.passes(way_ms)
    returned_ms = keeper.monotonic_ms()
    return keeper.add_hub_sample(
        sent_ms, received_ms, answered_ms, returned_ms, hub.get("hub_uncertainty_ms", 5.0)
    )


# --- what it shows ------------------------------------------------------------------------------


def test_a_new_clock_shows_the_wall_clock_and_says_that_it_does_not_know(machine: Machine) -> None:
    status = machine.keeper().status()
    assert status["state"] == "undisciplined"
    assert status["offset_ms"] == 0
    assert status["uncertainty_ms"] == UNDISCIPLINED_UNCERTAINTY_MS
    assert status["now"] == "2025-06-15T15:06:40.000Z"
    assert (status["earliest"], status["latest"]) == (
        "2025-06-14T15:06:40.000Z",
        "2025-06-16T15:06:40.000Z",
    )
    assert (status["sources"], status["steps"], status["disciplined_by"]) == ([], [], None)


def test_the_status_is_json_and_its_instants_are_rfc_3339(machine: Machine) -> None:
    keeper = machine.keeper()
    exchange(keeper, machine, 250)
    status = json.loads(json.dumps(keeper.status()))
    earliest, latest = (datetime.fromisoformat(status[end]) for end in ("earliest", "latest"))
    assert 0 <= (latest - earliest).total_seconds() * 1_000 - 2 * status["uncertainty_ms"] <= 2


def test_the_machines_own_clocks_are_read_by_default() -> None:
    keeper = Timekeeper()
    before, now, after = time.time_ns() // 1_000_000, keeper.now_ms(), time.time_ns() // 1_000_000
    assert before <= now <= after + 1
    one, other = keeper.monotonic_ms(), keeper.monotonic_ms()
    assert one <= other


def test_importing_holdfast_and_its_clock_loads_no_ntp_library() -> None:
    program = (
        "import sys, holdfast.node.timekeeping as t; t.Timekeeper().now_ms();"
        "sys.exit('ntplib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# --- the hub's time -----------------------------------------------------------------------------


def test_an_exchange_with_the_hub_disciplines_a_clock_that_nothing_else_does(
    machine: Machine,
) -> None:
    keeper = machine.keeper()
    assert exchange(keeper, machine, -2 * HOUR) is None
    status = keeper.status()
    assert (status["state"], status["disciplined_by"]) == ("disciplined", "hub")
    assert status["offset_ms"] == pytest.approx(-2 * HOUR, abs=0.01)
    assert status["uncertainty_ms"] == pytest.approx(20 + 5, abs=0.01)
    assert keeper.now_ms() == pytest.approx(machine.wall_ms - 2 * HOUR, abs=1)
    assert 25 <= keeper.uncertainty_ms() <= 27, "rounded up, on the safe side"
    [source] = status["sources"]
    assert (source["source"], source["result"], source["delay_ms"]) == ("hub", "agrees", 40)


def test_a_hub_that_nothing_disciplines_is_the_tenants_time_all_the_same(machine: Machine) -> None:
    keeper = machine.keeper()
    uncertainty = float(UNDISCIPLINED_UNCERTAINTY_MS)
    assert exchange(keeper, machine, HOUR, hub_uncertainty_ms=uncertainty) is None
    status = keeper.status()
    assert status["state"] == "disciplined"
    assert status["uncertainty_ms"] == pytest.approx(20 + HUB_WALL_UNCERTAINTY_MS, abs=0.01)
    assert status["sources"][0]["hub_disciplined"] is False


def test_a_slow_exchange_does_not_spoil_what_a_quick_one_gave(machine: Machine) -> None:
    keeper = machine.keeper()
    assert exchange(keeper, machine, 300, way_ms=2) is None
    assert exchange(keeper, machine, 300, way_ms=900) == "better-one-held"
    status = keeper.status()
    assert status["uncertainty_ms"] < 8
    assert status["sources"][0]["result"] == "not-needed"


def test_nodes_go_with_a_hub_whose_clock_was_set_right(machine: Machine) -> None:
    keeper = machine.keeper()
    exchange(keeper, machine, 2 * HOUR, way_ms=2)
    assert exchange(keeper, machine, 0, way_ms=100) is None
    assert keeper.status()["offset_ms"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    ("received_ms", "answered_ms", "uncertainty_ms"),
    [(NOON, NOON + 50, 5), (NOON + 9, NOON, 5), (NOON, NOON, -1), (NOON, NOON, float("nan"))],
    ids=["longer than we waited", "answered before received", "negative", "no number"],
)
def test_times_that_cannot_be_are_not_taken_from_a_hub(
    machine: Machine, received_ms: float, answered_ms: float, uncertainty_ms: float
) -> None:
    keeper = machine.keeper()
    sent_ms = keeper.monotonic_ms()
    machine.passes(20)
    returned_ms = keeper.monotonic_ms()
    reason = keeper.add_hub_sample(sent_ms, received_ms, answered_ms, returned_ms, uncertainty_ms)
    assert reason == "implausible"
    assert keeper.status()["state"] == "undisciplined"
    assert keeper.status()["sources"][0]["reason"] == "implausible"


def test_wall_clock_readings_are_not_taken_for_monotonic_ones(machine: Machine) -> None:
    with pytest.raises(Invalid, match="monotonic_ms"):
        machine.keeper().add_hub_sample(NOON, NOON, NOON, NOON, 5.0)


# --- steps of the wall clock --------------------------------------------------------------------


def test_a_disciplined_clock_notices_that_the_wall_clock_was_set_and_does_not_move(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = machine.keeper()
    exchange(keeper, machine, 0)
    machine.passes(2_000)
    machine.wall_ms += 3 * HOUR
    now_ms = keeper.now_ms()
    assert now_ms == pytest.approx(machine.wall_ms - 3 * HOUR, abs=1)
    status = keeper.status()
    assert status["steps_noticed"] == 1
    [step] = status["steps"]
    assert (step["by_ms"], step["followed"]) == (3 * HOUR, False)
    assert status["offset_ms"] == pytest.approx(-3 * HOUR, abs=0.01)
    assert "the wall clock stepped by +10800000 ms" in caplog.text


def test_an_undisciplined_clock_follows_the_wall_clock_and_says_so(machine: Machine) -> None:
    keeper = machine.keeper()
    machine.wall_ms -= HOUR
    assert keeper.now_ms() == NOON - HOUR
    assert keeper.status()["steps"] == [
        {"at": "2025-06-15T14:06:40.000Z", "by_ms": -HOUR, "followed": True}
    ]


def test_a_clock_that_keeps_jumping_fills_no_memory(machine: Machine) -> None:
    keeper = machine.keeper()
    for _ in range(3 * WALL_STEPS_KEPT):
        machine.wall_ms += HOUR
        keeper.now_ms()
    assert keeper.status()["steps_noticed"] == 3 * WALL_STEPS_KEPT
    assert len(keeper.status()["steps"]) == WALL_STEPS_KEPT


def test_where_sleep_is_not_counted_a_step_ends_the_discipline(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop slept for an hour: to a monotonic clock that stood still it looks like a step."""
    keeper = machine.keeper()
    monkeypatch.setattr(keeper, "_counts_suspend", False)
    exchange(keeper, machine, 0)
    machine.wall_ms += HOUR
    machine.passes(1_500)
    assert keeper.now_ms() == machine.wall_ms
    assert keeper.status()["state"] == "undisciplined"


# --- the test wall ------------------------------------------------------------------------------


@pytest.fixture
def wall_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "wall"
    monkeypatch.setenv("HOLDFAST_TEST_WALL", str(path))
    return path


def lead_ms(keeper: Timekeeper) -> int:
    """By how many whole seconds, in milliseconds, the clock is ahead of the machine's."""
    return round((keeper.now_ms() - time.time() * 1_000) / 1_000) * 1_000


def test_a_test_moves_the_wall_clock_by_a_file_and_every_change_is_seen_at_once(
    wall_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Timekeeper()
    assert lead_ms(keeper) == 0, "no file yet"
    for milliseconds in (7_200_000, -7_200_000, 1_200_000, 1_300_000, 0, 1_000):
        wall_file.write_text(f"{milliseconds}\n")
        assert lead_ms(keeper) == milliseconds
        assert keeper.status()["test_wall_ms"] == milliseconds
        assert f"HOLDFAST_TEST_WALL moves the wall clock by {milliseconds:+} ms" in caplog.text
    wall_file.unlink()
    assert lead_ms(keeper) == 0


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "\xff"])
def test_a_test_wall_that_is_half_written_or_no_number_changes_nothing(
    wall_file: Path, text: str
) -> None:
    wall_file.write_text("60000")
    keeper = Timekeeper()
    assert lead_ms(keeper) == 60_000
    wall_file.write_text(text, encoding="latin-1")
    assert lead_ms(keeper) == 60_000


def test_the_test_wall_moves_only_the_wall_clock(wall_file: Path) -> None:
    keeper = Timekeeper()
    before_ms = keeper.monotonic_ms()
    wall_file.write_text("7200000")
    keeper.now_ms()
    assert keeper.monotonic_ms() - before_ms < 60_000
    assert keeper.status()["steps"][0]["by_ms"] == pytest.approx(7_200_000, abs=500)


def test_a_disciplined_clock_is_not_moved_by_the_test_wall(wall_file: Path) -> None:
    keeper = Timekeeper()
    true_ms = time.time() * 1_000
    sent_ms = keeper.monotonic_ms()
    assert keeper.add_hub_sample(sent_ms, true_ms, true_ms, keeper.monotonic_ms(), 5.0) is None
    wall_file.write_text("7200000")
    assert lead_ms(keeper) == 0
    assert keeper.status()["offset_ms"] == pytest.approx(-7_200_000, abs=500)
    assert keeper.status()["test_wall_ms"] == 7_200_000


# --- threads and cost ---------------------------------------------------------------------------


def test_many_threads_read_one_clock_that_is_being_set_and_none_sees_a_step_that_was_not() -> None:
    keeper = Timekeeper()
    began_ms = time.time() * 1_000
    seen: list[tuple[int, int]] = []

    def read() -> None:
        times = [keeper.now_ms() for _ in range(500)]
        keeper.interval()
        seen.append((min(times), max(times)))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        true_ms, sent_ms = time.time() * 1_000, keeper.monotonic_ms()
        keeper.add_hub_sample(sent_ms, true_ms, true_ms, keeper.monotonic_ms(), 5.0)
        keeper.status()
    for thread in threads:
        thread.join()
    assert len(seen) == 6
    assert min(low for low, _ in seen) >= began_ms - 500
    assert max(high for _, high in seen) <= time.time() * 1_000 + 500
    assert keeper.status()["steps_noticed"] == 0


def test_reading_the_clock_costs_microseconds() -> None:
    """A bound with an order of magnitude to spare, for busy machines: 0003-clock.md has figures."""
    keeper, calls = Timekeeper(), 2_000
    assert min(timeit.repeat(keeper.now_ms, number=calls, repeat=5)) / calls < 50e-6
    true_ms, sent_ms = time.time() * 1_000, keeper.monotonic_ms()
    keeper.add_hub_sample(sent_ms, true_ms, true_ms, keeper.monotonic_ms(), 5.0)
    assert min(timeit.repeat(keeper.now_ms, number=calls, repeat=5)) / calls < 20e-6
