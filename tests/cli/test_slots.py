"""What the command line says of the slots of a service."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cli.support import DAY, VENUE, Run, document, make_hub
from tests.cli.test_output import on_a_terminal


def closed_hub(run: Run, tmp_path: Path) -> Path:
    """A hub with the sample venue, which the weather closes for an hour."""
    hub = make_hub(tmp_path / "hub")
    venue = yaml.safe_load(VENUE.read_text("utf-8"))
    venue["slot_overrides"] = [
        {"from": f"{DAY}T20:00", "to": f"{DAY}T21:00", "kind": "weather"},
        {"from": f"{DAY}T21:00", "to": f"{DAY}T22:00", "kind": "normal", "max_party": 4},
    ]
    changed = tmp_path / "venue.yaml"
    changed.write_text(yaml.safe_dump(venue), "utf-8")
    assert run("venue", "import", changed, "--data", hub).exit_code == 0
    return hub


def test_a_host_sees_how_full_each_slot_is_and_which_are_closed(run: Run, tmp_path: Path):
    hub = closed_hub(run, tmp_path)
    at = ["reserve", "--venue", "trattoria", "--party", 2, "--data", hub, "--at"]
    assert run(*at, f"{DAY}T19:30").exit_code == 0
    asked = ["slots", "--venue", "trattoria", "--date", DAY, "--data", hub]
    found = {one["starts_at"][11:16]: one for one in document(run(*asked, "--json"))["items"]}
    assert [found["19:30"][name] for name in ("total", "reserved", "pending", "available")] == [
        24, 2, 0, 22,
    ]  # fmt: skip
    assert (found["20:00"]["override"], found["20:00"]["available"]) == ("weather", 0)
    shown = on_a_terminal(*asked, COLUMNS="80")
    assert max(len(line) for line in shown.splitlines()) <= 80
    for word in ("total", "reserved", "pending", "available"):
        assert word in shown
    assert any("20:00" in line and "weather" in line for line in shown.splitlines())
    assert any("21:00" in line and "1-4" in line for line in shown.splitlines())
    wrong = run(*asked[:3], "--date", "soon", "--data", hub)
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("error: --date: 'soon' is no date")


def test_who_finds_nothing_is_told_that_the_slot_is_closed_or_the_party_too_large(
    run: Run, tmp_path: Path
):
    hub = closed_hub(run, tmp_path)
    asked = ["availability", "--venue", "trattoria", "--date", DAY, "--full", "--data", hub]
    told = run(*asked, "--party", 5).stdout
    assert "nobody begins then: weather" in told
    assert "then for at most 4" in told
    at = ["--venue", "trattoria", "--at", f"{DAY}T20:00", "--party", 2, "--data", hub]
    refused = run("reserve", *at)
    assert refused.exit_code == 1
    assert "weather" in refused.stderr
