"""What can be had by whoever stands at the desk, on the command line."""

from __future__ import annotations

import datetime
from pathlib import Path

from tests.cli.support import DAY, Run, make_hub


def test_what_holds_for_those_who_ask_ahead_holds_for_no_walk_in(run: Run, tmp_path: Path):
    hub = make_hub(tmp_path / "hub")
    # Further on than the sample venue takes reservations, which is a rule for asking ahead alone.
    far = (datetime.date.fromisoformat(DAY) + datetime.timedelta(weeks=16)).isoformat()
    asked = ["availability", "--venue", "trattoria", "--date", far, "--party", 2, "--data", hub]
    assert "nothing can be had then" in run(*asked).stdout
    assert "20:00" in run(*asked, "--walk-in").stdout
