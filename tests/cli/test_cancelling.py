"""The venue's limit for cancelling at the command line, which speaks for the admin."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import pytest
import yaml

from tests.cli.support import VENUE, Run, document, make_hub
from tests.cli.test_story import reserve


@pytest.fixture
def hub(tmp_path: Path, run: Run) -> Path:
    made = make_hub(tmp_path / "hub")
    file = tmp_path / "venue.yaml"
    venue = yaml.safe_load(VENUE.read_text("utf-8"))
    venue["policies"]["cancel_cutoff_minutes"] = 120
    file.write_text(yaml.safe_dump(venue), "utf-8")
    done = run("venue", "import", file, "--data", made)
    assert done.exit_code == 0, done.stderr
    return made


@pytest.mark.parametrize("minutes", [121, 119])
def test_the_admin_cancels_before_and_after_the_limit(
    run: Run, hub: Path, tmp_path: Path, minutes: int
):
    made = document(run(*reserve(hub)))
    start = datetime.datetime.fromisoformat(made["starts_at"]).timestamp()
    wall = tmp_path / "wall"
    wall.write_text(str(int((start - time.time() - minutes * 60) * 1000)))
    done = run(
        "reservations", "cancel", made["code"], "--reason", "guest_request", "--data", hub,
        "--json", HOLDFAST_TEST_WALL=str(wall),
    )  # fmt: skip
    assert document(done)["status"] == "cancelled"


def test_the_limit_stands_in_what_is_shown_of_the_venue(run: Run, hub: Path):
    shown = document(run("venue", "show", "trattoria", "--data", hub, "--json"))
    assert shown["policies"]["cancel_cutoff_minutes"] == 120
    assert "cancel" in run("venue", "show", "trattoria", "--data", hub).stdout
