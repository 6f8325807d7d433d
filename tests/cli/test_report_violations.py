"""What the rules refused, at the command line; and what is said of rules that cannot be loaded."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.support import DAY, Run, Running, document, make_hub

TODAY = datetime.datetime.now(datetime.UTC).date()


def refused(run: Run, hub: Path, party: int, time: str = "19:30", source: str = "phone") -> str:
    asked = ("--venue", "trattoria", "--at", f"{DAY}T{time}", "--party", party)
    done = run("reserve", *asked, "--source", source, "--data", hub)
    assert done.exit_code == 1
    return done.stderr


def test_what_was_refused_is_a_small_table_and_a_document(run: Run, tmp_path: Path):
    hub = make_hub(tmp_path / "hub")
    report = ("report", "violations", "--data", hub)
    assert run(*report).stdout == "no rule has refused anything\n"
    for _ in range(3):
        refused(run, hub, 13)
    refused(run, hub, 13, "12:30", "website")
    refused(run, hub, 2, "16:00")
    shown = run(*report).stdout.splitlines()
    assert [line.split()[:2] for line in shown[1:3]] == [["party", "4"], ["hours", "1"]]
    for part in ("tue (4)", "19:00 (3), 12:00 (1)", "phone (3), website (1)"):
        assert part in shown[1]
    first, second = document(run(*report, "--json"))["items"]
    assert (first["rule"], first["count"], first["hours"]) == ("party", 4, {"12": 1, "19": 3})
    assert second["sources"] == {"phone": 1}
    tomorrow = (TODAY + datetime.timedelta(days=2)).isoformat()
    assert document(run(*report, "--from", tomorrow, "--json"))["items"] == []
    assert document(run(*report, "--to", tomorrow, "--venue", "trattoria", "--json"))["items"]
    wrong = run(*report, "--from", "yesterday")
    assert (wrong.exit_code, wrong.stderr[:15]) == (2, "error: --from: ")
    unknown = run(*report, "--venue", "nowhere")
    assert unknown.exit_code == 1 and "nowhere" in unknown.stderr


def test_a_refusal_says_all_that_is_wrong_and_what_is_free_instead(run: Run, tmp_path: Path):
    hub = make_hub(tmp_path / "hub")
    line = refused(run, hub, 2, "19:40")
    assert "between two start times" in line and "free instead" in line
    assert "19:30" in line and "19:45" in line


@pytest.mark.slow
def test_a_process_says_at_its_start_which_package_it_leaves_out(
    run: Run, tmp_path: Path, serve: Callable[[str, Path], Running], monkeypatch: pytest.MonkeyPatch
):
    hub = make_hub(tmp_path / "hub")
    about = tmp_path / "site" / "broken_rules-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-rules\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[holdfast.rules]\nx = nothing_of_that_name:x\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    process = serve("hub", hub)
    assert process.first_line.startswith("ready ")
    status, errors = process.stop()
    assert status == 0
    assert errors.startswith("warning: the rules of the package broken-rules")
    assert "broken-rules" in (hub / "log" / "holdfast.log").read_text("utf-8")
