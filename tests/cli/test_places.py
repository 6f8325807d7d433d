"""`holdfast holds`, `waitlist`, `reminders`, `blocks` and `jobs`: both ways the same.

The commands that answer with one document are run while the directory's process runs and again
after it was stopped; what happened meanwhile may change values, never the form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from holdfast.cli import holdfast
from holdfast.commands import session
from holdfast.commands.words import block_words, hold_words, status_words, waiting_words
from tests.cli.support import DAY, DAYS, Run, Running, document, make_hub
from tests.cli.test_both_ways import commands, differing
from tests.cli.test_output import on_a_terminal

TABLE = "--venue trattoria --resource T8"
LISTED = f"""
0 holds add --venue trattoria --at {{day}}T12:00 --party 4 --resource T5 --key {{day}} --minutes 90
0 holds list --venue trattoria --date {{day}}
0 holds show {{hold}}
0 holds extend {{hold}} --minutes 5
1 holds extend {{hold}} --minutes 5
0 holds move {{hold}} --party 5
2 holds move {{hold}}
0 holds reserve {{hold}} --user u2
1 holds release {{hold}}
0 holds release {{spare_hold}}
1 holds show {{spare_wait}}
2 holds add --venue trattoria --at {{day}}T12:00 --party 2 --hold-minutes 31
2 holds add --venue trattoria --at {{day}}T12:00 --party 2 --minutes 60 --nights 1
0 waitlist add --venue trattoria --date {{day}} --party 2 --from 13:30 --to 13:30 --key {{day}}
0 waitlist list --venue trattoria --date {{day}}
0 waitlist list
0 waitlist show {{waits}}
1 waitlist accept {{waits}}
0 waitlist offer {{waits}} --resource T6 --minutes 5
0 waitlist link {{waits}} --base https://book.example/
0 waitlist accept {{waits}} --user u3
1 waitlist link {{waits}} --base https://book.example
1 waitlist remove {{waits}}
0 waitlist remove {{spare_wait}}
1 waitlist add --venue trattoria --date {{day}} --party 99
2 waitlist add --venue trattoria --date {{day}} --party 2 --from noon
0 reminders due --kind day_before --before {{day}}T23:00 --venue trattoria
0 reminders mark {{waits}} --kind day_before
1 reminders mark {{waits}} --kind day_before
0 reminders list {{waits}}
2 reminders mark {{waits}} --kind Noon
1 reminders mark {{spare_wait}} --kind day_before
0 blocks add {TABLE} --at {{day}}T18:00 --until {{day}}T23:00 --rrule FREQ=DAILY;COUNT=2
0 blocks list --venue trattoria
0 blocks show {{block}}
0 blocks remove {{block}} --series
1 blocks remove {{block}}
1 blocks show {{waits}}
2 blocks add {TABLE} --at {{day}}T12:00 --until {{day}}T13:00 --reason whim
1 blocks add --venue trattoria --resource T99 --at {{day}}T12:00 --until {{day}}T13:00
0 jobs list
0 jobs run lapse
1 jobs run laundry
"""
MADE = {"holds add": "hold", "waitlist add": "waits", "blocks add": "block"}
"""What later commands call what an earlier one made."""


def run(*words: object) -> Result:
    return CliRunner().invoke(holdfast, [str(word) for word in words])


def answers(data: Path, day: str) -> list[Result]:
    """Every command of the list, in turn."""
    spare_hold = f"holds add --venue trattoria --at {day}T13:00 --party 2 --json --data"
    spare_wait = f"waitlist add --venue trattoria --date {day} --party 2 --json --data"
    names = {
        "day": day,
        "spare_hold": document(run(*spare_hold.split(), data))["code"],
        "spare_wait": document(run(*spare_wait.split(), data))["code"],
    }
    found = []
    for _, words in commands(LISTED):
        done = run(*words.format(**names).split(), "--json", "--data", data)
        for made, name in MADE.items():
            if words.startswith(made) and done.exit_code == 0:
                names[name] = json.loads(done.stdout)["code"]
        found.append(done)
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Result], list[Result]]]:
    data = make_hub(tmp_path_factory.mktemp("places") / "hub")
    process = Running("hub", data)
    try:
        running = answers(data, DAYS[1])
    finally:
        assert process.stop() == (0, "")
    assert session.running_process(data) is None
    yield running, answers(data, DAYS[2])


@pytest.mark.parametrize(
    ("n", "status"),
    [
        pytest.param(n, status, id=words.replace("{", "").replace("}", ""))
        for n, (status, words) in enumerate(commands(LISTED))
    ],
)
def test_a_command_answers_in_the_same_form(
    n: int, status: int, told: tuple[list[Result], list[Result]]
):
    running, stopped = told[0][n], told[1][n]
    for done in (running, stopped):
        assert done.exit_code == status, done.output
        if status:
            assert re.fullmatch(r"error: .+\n", done.stderr)
        else:
            assert done.stderr == ""
    if not status:
        difference = differing(json.loads(running.stdout), json.loads(stopped.stdout), "")
        assert difference is None, difference


# --- what is said to a person ---------------------------------------------------------------------


AT = ("--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return make_hub(tmp_path / "hub")


def lines(*words: object) -> list[str]:
    """What a terminal of 80 columns shows."""
    text = on_a_terminal(*words, NO_COLOR="1", COLUMNS="80")
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()]


def test_a_hold_is_shown_until_when_and_becomes_a_reservation(run: Run, hub: Path):
    made = document(run("holds", "add", *AT, "--resource", "T1", "--json", "--data", hub))
    until = made["expires_at"][11:16]
    shown = run("holds", "show", made["code"], "--data", hub).stdout
    assert re.search(r"^state +held$", shown, re.M)
    assert re.search(rf"^held until +\w+ [\d-]+ {until}$", shown, re.M)
    listed = run("holds", "list", "--data", hub).stdout
    assert made["code"] in listed and until in listed
    assert "No reservations yet" in run("reservations", "list", "--data", hub).stdout
    refused = run("reserve", *AT, "--resource", "T1", "--data", hub)
    assert refused.exit_code == 1
    done = run("holds", "reserve", made["code"], "--user", "u1", "--data", hub)
    assert "confirmed (guaranteed)" in done.stdout
    assert "tell the guest" in done.stdout
    assert "Nothing is held now" in run("holds", "list", "--data", hub).stdout
    gone = run("holds", "release", made["code"], "--data", hub)
    assert (gone.exit_code, gone.stderr) == (
        1, f"error: {made['code']} is confirmed, and no hold any more\n",
    )  # fmt: skip
    audited = " ".join(run("audit", "list", "--data", hub).stdout.split())
    for said in ("hub held RES-", "hub reserved RES-", "status not reserved > confirmed"):
        assert said in audited


def test_what_lapsed_is_given_up_when_the_directory_is_opened_again(
    run: Run, hub: Path, tmp_path: Path
):
    wall = tmp_path / "wall"
    wall.write_text("0")
    bent = {"HOLDFAST_TEST_WALL": str(wall)}
    code = document(run("holds", "add", *AT, "--json", "--data", hub, **bent))["code"]
    wall.write_text(str(901_000))
    late = run("holds", "reserve", code, "--data", hub, **bent)
    assert late.exit_code == 1
    assert "has lapsed; look for a place again" in late.stderr
    shown = run("holds", "show", code, "--data", hub, **bent).stdout
    assert re.search(r"^state +lapsed$", shown, re.M)
    assert "Nothing is held now" in run("holds", "list", "--data", hub, **bent).stdout
    audited = " ".join(run("audit", "list", "--data", hub, **bent).stdout.split())
    assert "hold lapsed" in audited


def test_a_block_names_what_is_in_its_way_and_when_forced_who_needs_a_place(run: Run, hub: Path):
    code = document(run("reserve", *AT, "--resource", "T1", "--json", "--data", hub))["code"]
    block = (
        "blocks", "add", "--venue", "trattoria", "--resource", "T1", "--resource", "T2",
        "--at", f"{DAY}T18:00", "--until", f"{DAY}T23:00", "--reason", "deep cleaning",
        "--kind", "maintenance", "--data", hub,
    )  # fmt: skip
    refused = run(*block)
    assert refused.exit_code == 1
    assert f"1 in the way: {code}; move them first" in refused.stderr
    assert "(`--force`)" in refused.stderr
    forced = run(*block, "--force").stdout
    assert re.search(rf"^find a place for +{code}$", forced, re.M)
    assert re.search(r"^because +deep cleaning$", forced, re.M)
    listed = lines("blocks", "list", "--data", hub)
    assert max(map(len, listed)) <= 80
    made = document(run("blocks", "list", "--json", "--data", hub))["items"][0]["code"]
    assert made in " ".join(listed)
    elsewhere = run("reservations", "show", made, "--data", hub)
    assert f"`holdfast blocks show {made}`" in elsewhere.stderr
    assert "in use again" in run("blocks", "remove", made, "--data", hub).stdout
    assert "Nothing is out of use" in run("blocks", "list", "--data", hub).stdout
    audited = " ".join(run("audit", "list", "--data", hub).stdout.split())
    assert "taken out of use" in audited and "put back into use" in audited


def test_a_recurrence_shows_its_first_dates_and_how_many_more(run: Run, hub: Path):
    words = (
        "blocks", "add", "--venue", "trattoria", "--resource", "T1", "--at", f"{DAY}T18:00",
        "--until", f"{DAY}T23:00", "--data", hub, "--rrule",
    )  # fmt: skip
    shown = run(*words, "FREQ=WEEKLY;COUNT=8").stdout
    assert re.search(r"^more dates +2$", shown, re.M)
    endless = run(*words, "FREQ=WEEKLY")
    assert endless.exit_code == 2
    assert "--rrule: says no end: add COUNT=10" in endless.stderr


def test_blocks_that_are_over_are_listed_when_asked_for(run: Run, hub: Path):
    words = (
        "blocks", "add", "--venue", "trattoria", "--resource", "T1", "--at", "2026-01-01T18:00",
        "--until", "2026-01-01T23:00", "--data", hub,
    )  # fmt: skip
    assert run(*words).exit_code == 0
    assert document(run("blocks", "list", "--json", "--data", hub))["items"] == []
    assert len(document(run("blocks", "list", "--all", "--json", "--data", hub))["items"]) == 1


def test_the_waitlist_is_read_on_80_columns_with_its_offers(run: Run, hub: Path):
    add = ("waitlist", "add", "--venue", "trattoria", "--party", 2, "--json", "--data", hub)
    first = document(run(*add, "--date", DAY, "--from", "19:00", "--to", "21:00"))["code"]
    second = document(run(*add, "--date", DAY, "--from", "19:30", "--to", "19:30"))["code"]
    document(run(*add, "--date", DAYS[1]))
    offered = document(run("waitlist", "offer", second, "--json", "--data", hub))
    listed = lines("waitlist", "list", "--data", hub)
    assert max(map(len, listed)) <= 80
    text = " ".join(" ".join(listed).split())
    assert f"1 {first} 2" in text and "19:00–21:00 waiting" in text
    until = offered["offer"]["expires_at"][11:16]
    assert f"offered T1 at 19:30, until {until}" in text
    done = run("waitlist", "accept", second, "--data", hub)
    assert "confirmed (guaranteed)" in done.stdout
    shown = run("waitlist", "show", second, "--data", hub).stdout
    assert re.search(r"^state +has a place$", shown, re.M)
    left = run("waitlist", "remove", first, "--data", hub).stdout
    assert re.search(r"^state +left$", left, re.M)
    audited = " ".join(run("audit", "list", "--data", hub).stdout.split())
    for said in ("put on the waitlist", "place offered", "left the waitlist"):
        assert said in audited


def test_status_counts_each_as_what_it_is(run: Run, hub: Path):
    for words in (
        ("reserve", *AT), ("holds", "add", *AT), ("holds", "add", *AT),
        ("waitlist", "add", "--venue", "trattoria", "--date", DAY, "--party", 2),
        ("blocks", "add", "--venue", "trattoria", "--resource", "T8", "--at", f"{DAY}T10:00",
         "--until", f"{DAY}T11:00"),
    ):  # fmt: skip
        assert run(*words, "--data", hub).exit_code == 0
    code = document(run("holds", "list", "--json", "--data", hub))["items"][0]["code"]
    assert run("holds", "release", code, "--data", hub).exit_code == 0
    shown = run("node", "status", "--data", hub).stdout
    assert "1 reservation, 1 held, 1 waiting, 1 block\n" in shown


def test_jobs_say_what_they_do_and_how_it_went(run: Run, hub: Path):
    listed = lines("jobs", "list", "--data", hub)
    assert max(map(len, listed)) <= 80
    assert "gives up what was held" in " ".join(listed)
    done = run("jobs", "run", "sweep", "--data", hub)
    assert (done.exit_code, done.stdout) == (0, "sweep: done.\n")
    assert run("jobs", "run", "lapse", "--data", hub).stdout == "lapse: done, nothing due.\n"
    unknown = run("jobs", "run", "laundry", "--data", hub)
    assert unknown.exit_code == 1
    assert "there are lapse, no-show, offer, renew, settle, sweep, witness" in unknown.stderr


def test_a_job_that_fails_has_status_1(run: Run, hub: Path, monkeypatch: pytest.MonkeyPatch):
    from holdfast.model.errors import HoldfastError
    from holdfast.node.jobs import Jobs

    def full(self: Jobs) -> None:
        raise HoldfastError("the disk is full")

    monkeypatch.setattr(Jobs, "_settle", full)
    failed = run("jobs", "run", "settle", "--data", hub)
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr == (
        "error: the job settle failed: the disk is full; it runs again when its time comes\n"
    )


@pytest.mark.parametrize(
    ("words", "fields", "said"),
    [
        (hold_words, {"status": "intent", "assurance": "guaranteed"}, "held"),
        (hold_words, {"status": "intent", "assurance": "none"}, "could not be had"),
        (
            hold_words,
            {"status": "intent", "assurance": "provisional", "waits_for": "hub"},
            "asked for, waiting for the hub",
        ),
        (
            hold_words,
            {"status": "intent", "assurance": "guaranteed", "pending_change": {}},
            "held",
        ),
        (hold_words, {"status": "expired", "assurance": "none"}, "lapsed"),
        (hold_words, {"status": "cancelled", "assurance": "none"}, "given back"),
        (hold_words, {"status": "confirmed", "assurance": "guaranteed"}, "confirmed"),
        (waiting_words, {"state": "waiting", "offer": None}, "waiting"),
        (waiting_words, {"state": "displaced", "offer": None}, "lost its place"),
        (waiting_words, {"state": "expired", "offer": None}, "waited in vain"),
        (block_words, {"status": "confirmed"}, "out of use"),
        (block_words, {"status": "commit_pending", "waits_for": "desk"}, "waiting for desk"),
        (block_words, {"status": "cancelled"}, "in use again"),
        (status_words, {"status": "intent", "assurance": "none"}, "without a place so far"),
    ],
)
def test_each_state_has_words(words: Any, fields: dict[str, Any], said: str):
    assert words(fields) == said
