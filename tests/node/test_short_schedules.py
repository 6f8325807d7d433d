"""No short schedule of two devices and a hub takes back what was promised, or what is held."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kit import Fleet
from tests.node.short_schedules import Broken, Game, Town, draw, search, venue

SCHEDULES = 3_000 if "HOLDFAST_SIMULATIONS" in os.environ else 150
"""Of each form (docs/simulation.md)."""
PER_TOWN = 150


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("form", "keeps"),
    # Who waits may leave one offer for another, and a move gives up what it had.
    [("plain", False), ("hold", True), ("wait", False), ("late", False)],
)
def test_no_short_schedule_breaks_a_promise(tmp_path: Path, form: str, keeps: bool) -> None:
    for first in range(0, SCHEDULES, PER_TOWN):
        with Fleet(tmp_path / str(first), venue()) as fleet:
            last = min(first + PER_TOWN, SCHEDULES)
            assert search(Town(fleet), range(first, last), form, keeps=keeps) == last - first


def test_what_is_taken_back_is_found(tmp_path: Path) -> None:
    """The search can fail: somebody ends what was confirmed behind everybody's back."""
    with Fleet(tmp_path, venue()) as fleet:
        town = Town(fleet)
        game = Game(town, keeps=False)
        game.play([("make", "hub", "plain", "T3", "19:00", False), ("sync", "desk")])
        view = game._made[0]
        assert view is not None
        fleet.the_hub.reservations.cancel(view.code)
        with pytest.raises(Broken, match="was confirmed, and is cancelled"):
            game.play([("sync", "desk")])


def test_one_seed_is_one_schedule() -> None:
    assert draw(7, "hold") == draw(7, "hold")
    assert len({str(draw(seed, "hold")) for seed in range(50)}) == 50
