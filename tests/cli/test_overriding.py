"""A supervisor's override at the command line: asked for, refused with the way out, shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import VENUE, Run, document, make_hub
from tests.cli.test_story import reserve


@pytest.fixture
def hub(tmp_path: Path, run: Run) -> Path:
    """A hub whose T3 may be overbooked by one."""
    made = make_hub(tmp_path / "hub")
    file = tmp_path / "venue.yaml"
    text = VENUE.read_text("utf-8").partition("overbooking:")[0]
    file.write_text(text + "overbooking:\n  - {resources: [T3], limit: 1}\n", "utf-8")
    done = run("venue", "import", file, "--data", made)
    assert done.exit_code == 0, done.stderr
    return made


def test_a_taken_table_is_overbooked_by_the_limit_and_shown_so(run: Run, hub: Path):
    assert run(*reserve(hub, "--resource", "T3")).exit_code == 0
    insists = (*reserve(hub, "--resource", "T3"), "--override", "VIP guest")
    over = document(run(*insists))
    assert (over["status"], over["override"]) == ("confirmed", {"reason": "vip_guest"})
    shown = run("reservations", "show", over["code"], "--data", hub).stdout
    assert "tell staff" in shown
    assert "overbooked, ABOVE CAPACITY (vip guest)" in shown
    refused = run(*insists)
    assert refused.exit_code == 1
    assert "T3" in refused.stderr
    assert "limit of 1" in refused.stderr
    assert "`overbooking` in the venue file" in refused.stderr
    listed = " ".join(run("exceptions", "list", "--data", hub).stdout.split())
    assert "overbooked" in listed
    answer = ("exceptions", "resolve", over["code"], "--reason", "seen", "--data", hub)
    assert run(*answer, "--action", "acknowledge").exit_code == 0
    audited = " ".join(
        run("audit", "list", "--reservation", over["code"], "--data", hub).stdout.split()
    )
    assert "override vip guest" in audited


def test_a_move_takes_an_override_and_a_reason_of_the_list(run: Run, hub: Path):
    assert run(*reserve(hub, "--resource", "T3")).exit_code == 0
    other = document(run(*reserve(hub, "--resource", "T4")))["code"]
    move = ("reservations", "move", other, "--resource", "T3", "--data", hub)
    assert run(*move).exit_code == 1
    refused = run(*move, "--override", "because")
    assert refused.exit_code == 2
    assert "such as vip_guest" in refused.stderr
    moved = document(run(*move, "--override", "group", "--json"))
    assert (moved["resources"], moved["override"]) == (["T3"], {"reason": "group"})
    alone = run("reservations", "move", other, "--override", "group", "--data", hub)
    assert alone.exit_code == 2
    assert "say what changes" in alone.stderr
