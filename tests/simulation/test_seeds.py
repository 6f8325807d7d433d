"""The simulator itself: seeds hold, one seed is one run, and the command says what it found."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.commands.simulate import simulate
from holdfast.model.deciding import HubStock
from holdfast.model.rights import HUB
from holdfast.simulation import (
    FAULTS,
    _begin_process,
    make_scenario,
    memory,
    play,
    replay_line,
    run_seeds,
)
from holdfast.simulation.chance import Chance, SeededSealing
from holdfast.simulation.faults import DOINGS
from holdfast.simulation.run import Result
from holdfast.store import database
from holdfast.sync import signing

EVERY_RUN = range(1, 41)
THE_REST = range(41, 301)
"""Played in every run like the first forty, without counting lines: that takes three times as long,
and these find nothing there that the forty have not."""
MORE = range(1001, 1201)
LONG = pytest.mark.skipif(
    "HOLDFAST_SIMULATIONS" not in os.environ,
    reason="long runs, on request: HOLDFAST_SIMULATIONS=1 (docs/simulation.md)",
)


def assert_holds(result: Result) -> None:
    assert not result.violations, (
        f"seed {result.seed}: {result.violations[0]}\n{replay_line(result.seed, 3, 2, FAULTS)}"
    )


@pytest.mark.parametrize("seed", EVERY_RUN)
def test_a_seed_with_every_fault_holds(seed: int) -> None:
    assert_holds(play(make_scenario(seed)))


@pytest.mark.no_cover
@pytest.mark.slow
@pytest.mark.parametrize("seed", THE_REST)
def test_another_seed_with_every_fault_holds(seed: int) -> None:
    assert_holds(play(make_scenario(seed)))


@LONG
@pytest.mark.parametrize("tens", range(len(MORE) // 10))
def test_more_seeds_hold(tens: int) -> None:
    for seed in MORE[10 * tens : 10 * tens + 10]:
        assert_holds(play(make_scenario(seed)))


@LONG
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_longer_week_with_more_devices_holds(seed: int) -> None:
    assert_holds(play(make_scenario(seed, nodes=6, days=5)))


def test_a_quiet_world_has_nothing_to_except() -> None:
    for seed in (1, 2, 3):
        result = play(make_scenario(seed, faults=()))
        assert not result.violations
        assert set(result.exceptions) <= {"overbooked on purpose", "blocked over what was sold"}
        assert result.entries > 30


def test_what_is_kept_is_made_and_becomes_all_that_it_can() -> None:
    """Of a dozen quiet seeds, so that a story that nobody can play any more is missed."""
    answers: Counter[str] = Counter()
    for seed in range(1, 13):
        answers.update(play(make_scenario(seed, faults=())).answers)
    wanted = {
        "hold: intent", "extend: intent", "swap: intent", "give_up: cancelled",
        "reserve_hold: confirmed", "reserve_hold: commit_pending", "reserve_hold: Gone",
        "wait: intent", "offer: intent", "accept: confirmed", "accept: commit_pending",
        "leave: cancelled", "block: confirmed", "unblock: cancelled", "lapsed",
    }  # fmt: skip
    assert wanted - answers.keys() == set()


def test_a_seed_is_one_run_whatever_the_process_hashes() -> None:
    """The digest covers every byte that was sent and everything that anybody was told."""
    program = (
        "from holdfast.simulation import make_scenario, play\n"
        "print(*(play(make_scenario(seed)).digest for seed in (3, 8, 13)))"
    )
    digests = set()
    for hash_seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True, text=True, check=True, timeout=110,
        )  # fmt: skip
        digests.add(done.stdout)
    assert len(digests) == 1
    assert len(set(digests.pop().split())) == 3


def test_the_process_draws_as_before_once_a_run_is_over() -> None:
    play(make_scenario(1, days=1, faults=()))
    assert os.urandom(16) != os.urandom(16)
    assert os.urandom.__module__ == "posix"


def test_every_fault_is_planned_and_every_planned_step_can_be_done() -> None:
    for name, fault in FAULTS.items():
        steps = [
            step
            for seed in range(1, 30)
            for step in make_scenario(seed, faults=(name,)).steps
            if step.what in fault.steps
        ]
        assert steps, f"29 seeds never planned {name}"
        assert {step.what for step in steps} <= set(DOINGS)


def test_switching_a_fault_off_leaves_the_others_where_they_were() -> None:
    everything = make_scenario(5).steps
    fewer = make_scenario(5, faults=[name for name in FAULTS if name != "partition"]).steps
    kept = {(step.at_ms, step.what, step.machine) for step in fewer}
    assert kept < {(step.at_ms, step.what, step.machine) for step in everything}


def test_what_the_seeded_sealing_seals_the_library_opens() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from holdfast.node import cards

    private = X25519PrivateKey.generate()
    sealing = SeededSealing(Chance(1), cards._SUITE)
    sealed = sealing.encrypt(b"a key", private.public_key(), b"context")
    assert cards._SUITE.decrypt(sealed, private, b"context") == b"a key"


# --- what is worked out once ---------------------------------------------------------------------


def test_a_signature_that_was_made_or_has_held_is_remembered_and_no_other() -> None:
    key, other = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
    public, foreign = key.public_key(), other.public_key()
    outside = key.sign(b"from elsewhere")
    checked = mock.Mock(side_effect=signing.holds)
    with mock.patch.object(signing, "holds", checked), memory.installed():
        made = signing.sign(key, b"said")
        assert signing.holds(public, made, b"said")
        assert not checked.called
        for refused in (
            (public, made, b"Said"),
            (foreign, made, b"said"),
            (public, made[:-1] + bytes([made[-1] ^ 1]), b"said"),
            (public, b"", b"said"),
        ):
            assert not signing.holds(*refused)
        assert checked.call_count == 4
        for _ in range(2):
            assert signing.holds(public, outside, b"from elsewhere")
        assert checked.call_count == 5


def test_a_new_disk_is_what_the_product_makes(tmp_path: Path) -> None:
    def tables(path: Path) -> list[tuple[str, str]]:
        opened = database.open_database(path)
        rows = opened.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        opened.close()
        return rows

    made = tables(tmp_path / "made.db")
    with memory.installed():
        assert tables(tmp_path / "copied.db") == made


# --- the command ----------------------------------------------------------------------------------


def test_the_command_counts_and_ends_well_where_nothing_broke() -> None:
    done = CliRunner().invoke(simulate, ["--seeds", "2", "--days", "1", "--json"])
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["seeds"] == 2
    assert told["steps"] > 50
    assert told["failures"] == []


def test_the_command_prints_one_line_that_replays_a_failure_and_the_fewest_steps() -> None:
    with mock.patch.object(HubStock, "right_for", lambda *_: HUB):
        failing = next(
            seed
            for seed in range(1, 100)
            for violation in play(make_scenario(seed, 3, 1, ("partition",))).violations
            if violation.step >= 0
        )
        done = CliRunner().invoke(
            simulate,
            ["--seeds", "1", "--first-seed", str(failing), "--days", "1", "--faults", "partition",
             "--shrink", "--json"],
            standalone_mode=False,
        )  # fmt: skip
    assert done.return_value == 1
    told = json.loads(done.stdout)
    failure = told["failures"][0]
    line = f"holdfast simulate --seeds 1 --first-seed {failing} "
    assert failure["replay"] == line + "--nodes 3 --days 1 --faults partition"
    assert failure["replay"] in done.stderr
    assert 1 <= len(failure["steps"]) <= 10


def test_ctrl_c_ends_it_with_what_was_found_so_far() -> None:
    def interrupted(*_: object) -> Generator[Result, None, None]:
        yield play(make_scenario(1, days=1, faults=()))
        raise KeyboardInterrupt

    with mock.patch("holdfast.simulation.run_seeds", interrupted):
        done = CliRunner().invoke(simulate, ["--seeds", "5"])
    assert "1 seeds, " in done.stdout
    assert "interrupted after 1 of 5 seeds" in done.stderr
    assert done.exit_code != 0


def test_a_process_of_the_pool_leaves_ctrl_c_to_the_one_that_asked() -> None:
    results = list(run_seeds(1, 2, days=1, faults=(), jobs=2))
    assert [result.seed for result in results] == [1, 2]
    before = signal.getsignal(signal.SIGINT)
    try:
        _begin_process()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
        gc.unfreeze()


def test_an_unknown_fault_is_named_with_those_that_there_are() -> None:
    done = CliRunner().invoke(simulate, ["--faults", "earthquake"])
    assert done.exit_code == 2
    assert "earthquake" in done.stderr
    assert "partition" in done.stderr
