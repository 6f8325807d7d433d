"""What the rules refused, at the command line."""

from __future__ import annotations

import datetime
from pathlib import Path

from tests.cli.support import DAY, Run, document, make_hub

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
