"""The house's word at the command line: what waits for it, and giving it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.support import DAY, VENUE, Run, document, make_hub


@pytest.fixture
def hub(tmp_path: Path, run: Run) -> Path:
    made = make_hub(tmp_path / "hub")
    file = tmp_path / "venue.yaml"
    venue = yaml.safe_load(VENUE.read_text("utf-8"))
    venue["policies"]["confirmation"] = "manual"
    file.write_text(yaml.safe_dump(venue), "utf-8")
    done = run("venue", "import", file, "--data", made)
    assert done.exit_code == 0, done.stderr
    return made


def reserve(run: Run, hub: Path, time: str, *more: str) -> Any:
    words = ("reserve", "--at", f"{DAY}T{time}", "--party", 2, *more, "--data", hub)
    return document(run(*words, "--json"))


def test_what_waits_is_listed_approved_and_told(run: Run, hub: Path):
    online = reserve(run, hub, "19:00", "--source", "website")
    desk = reserve(run, hub, "20:30")
    assert (online["approval"], desk["approval"]) == ("pending", None)
    listed = ("reservations", "list", "--approval", "pending", "--data", hub)
    assert [one["code"] for one in document(run(*listed, "--json"))["items"]] == [online["code"]]
    assert "confirmed, to be approved" in run(*listed).stdout
    expected = run("arrivals", "--date", DAY, "--data", hub).stdout
    assert expected.count("to be approved") == 1
    shown = run("reservations", "approve", online["code"], "--data", hub)
    assert shown.exit_code == 0, shown.stderr
    assert "to be approved" not in shown.stdout
    assert "No reservation fits" in run(*listed).stdout
    assert "to be approved" not in run("arrivals", "--date", DAY, "--data", hub).stdout
    audited = run("audit", "list", "--reservation", online["code"], "--data", hub).stdout
    assert "approved by the house" in audited


def test_the_guest_is_told_that_the_house_has_yet_to_agree(run: Run, hub: Path):
    words = ("reserve", "--at", f"{DAY}T19:00", "--party", 2, "--source", "app", "--data", hub)
    said = " ".join(run(*words).stdout.split())
    assert "We keep it for you. The house has yet to agree, and tells you when it has." in said


def test_what_is_over_is_not_approved(run: Run, hub: Path):
    made = reserve(run, hub, "19:00", "--source", "website")
    gone = ("reservations", "cancel", made["code"], "--by", "venue", "--reason", "full")
    assert run(*gone, "--data", hub).exit_code == 0
    late = run("reservations", "approve", made["code"], "--data", hub)
    assert late.exit_code == 1
    assert "nothing left to approve" in late.stderr
