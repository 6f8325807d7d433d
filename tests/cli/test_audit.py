"""The record of changes at the command line: for people in words, for machines whole."""

from __future__ import annotations

import datetime
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from holdfast.commands.audit import change_words
from tests.cli.support import DAY, VENUE, Run, Running, document, make_hub, program

NAME = "Zinaida Quellwasser"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub and a desk after an evening: made, moved, cancelled, granted, erased, shut out."""
    place = tmp_path_factory.mktemp("audit")
    hub, desk = make_hub(place / "hub"), place / "desk"
    running = Running("hub", hub)
    try:
        _an_evening(running.url, hub, desk)
    finally:
        running.stop()
    return place


def _done(*words: object) -> str:
    done = program(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _an_evening(url: str, hub: Path, desk: Path) -> None:
    for name, role in (("desk", "front-desk"), ("kiosk", "kiosk")):
        code = _done("hub", "invite", "--venue", "trattoria", "--role", role, "--name", name,
                     "--data", hub).split()[-1]  # fmt: skip
        _done("node", "join", url, "--code", code, "--data", hub.parent / name)
    _done("sync", "now", "--data", desk)
    made = json.loads(
        _done("reserve", "--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2,
              "--guest-name", NAME, "--json", "--data", desk)
    )  # fmt: skip
    _done("reservations", "move", made["code"], "--at", f"{DAY}T20:00", "--data", desk)
    _done("reservations", "cancel", made["code"], "--reason", "guest_request", "--note",
          "is ill", "--data", desk)  # fmt: skip
    _done("allotments", "grant", "--venue", "trattoria", "--holder", "kiosk", "--resource", "T8",
          "--data", hub)  # fmt: skip
    _done("sync", "now", "--data", desk)
    _done("guests", "erase", made["agent_id"], "--reason", "guest_request", "--data", desk)
    _done("sync", "now", "--data", desk)
    _done("hub", "revoke", "kiosk", "--reason", "stolen", "--data", hub)


def listed(run: Run, data: Path, *words: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(run("audit", "list", *words, "--json", "--data", data))[
        "items"
    ]
    return found


def test_every_change_says_who_when_what_before_and_after(run: Run, lived: Path):
    for data in (lived / "hub", lived / "desk"):
        items = listed(run, data)
        by_kind = {one["kind"]: one for one in items}
        moved = by_kind["reservation.moved"]
        assert (moved["node"], moved["role"], moved["what"]) == ("desk", "front-desk", "moved")
        assert datetime.datetime.fromisoformat(moved["at"]).tzinfo is not None
        assert moved["uncertainty_ms"] > 0
        assert moved["before"]["starts_at"].startswith(f"{DAY}T19:30")
        assert moved["after"]["starts_at"].startswith(f"{DAY}T20:00")
        cancelled = by_kind["reservation.cancelled"]
        assert (cancelled["before"]["status"], cancelled["after"]["status"]) == (
            "confirmed", "cancelled",
        )  # fmt: skip
        granted = [one for one in items if one["kind"] == "right.granted"]
        assert [o["after"]["holder"] for o in granted if "T8" in o["after"]["resources"]] == [
            "kiosk"
        ]
        assert granted[0]["after"]["start"].endswith(("+01:00", "+02:00"))
        assert by_kind["guest.erased"]["after"]["reason"] == "guest_request"
        times = [one["at"] for one in items]
        assert times == sorted(times), "by time, though a device hears of some changes late"
    assert by_kind.keys() <= {one["kind"] for one in listed(run, lived / "hub")}
    revoked = listed(run, lived / "hub")[-1]
    assert (revoked["kind"], revoked["after"]["node"]) == ("node.revoked", "kiosk")


def test_a_table_has_words_and_no_keys_milliseconds_or_names(run: Run, lived: Path):
    table = run("audit", "list", "--data", lived / "hub").stdout
    lines = table.splitlines()
    assert lines[0].split() == ["when", "clock", "who", "what", "about", "changed"]
    assert len(lines) == 1 + len(listed(run, lived / "hub"))
    told = " ".join(table.split())
    for words in (
        "holder kiosk, resources T8",
        f"{DAY} 19:30 > ",
        "status confirmed > cancelled",
        "cancel reason guest request",
        "device desk",
        "guest card written",
        "node kiosk, reason stolen",
    ):
        assert words in told, words
    assert NAME not in table and "is ill" not in table
    for one in listed(run, lived / "hub"):
        for hidden in (one["incarnation"], one["after"].get("sealing_key", "?"), "32503679999"):
            assert hidden not in table
            assert f"{hidden[:8]}…" not in table


def test_a_limit_gives_the_newest_in_their_order(run: Run, lived: Path):
    whole = listed(run, lived / "hub")
    assert listed(run, lived / "hub", "--limit", 3) == whole[-3:]
    assert listed(run, lived / "hub", "--limit", 10_000) == whole
    code = next(one["code"] for one in whole if one["code"])
    (last,) = listed(run, lived / "hub", "--limit", 1, "--reservation", code)
    assert last["kind"] == "reservation.cancelled"


def test_times_are_on_the_venues_clock_where_they_say_nothing_else(run: Run, lived: Path):
    hub, whole = lived / "hub", listed(run, lived / "hub")
    first = datetime.datetime.fromisoformat(whole[0]["at"])
    after = datetime.datetime.fromisoformat(whole[-1]["at"]) + datetime.timedelta(seconds=1)
    local = first.replace(tzinfo=None).isoformat()
    assert first.utcoffset() != datetime.timedelta()
    assert listed(run, hub, "--from", local) == listed(run, hub, "--from", first.isoformat())
    assert listed(run, hub, "--from", local) == whole
    assert listed(run, hub, "--to", local) == []
    assert listed(run, hub, "--from", after.replace(tzinfo=None).isoformat()) == []
    tomorrow = (first.date() + datetime.timedelta(days=2)).isoformat()
    assert listed(run, hub, "--from", first.date().isoformat(), "--to", tomorrow) == whole
    assert listed(run, hub, "--from", tomorrow) == []
    assert listed(run, hub, "--venue", "trattoria") == whole
    refused = run("audit", "list", "--venue", "nowhere", "--data", hub)
    assert refused.exit_code == 1 and "no venue 'nowhere'" in refused.stderr


def test_a_hub_of_two_time_zones_asks_whose_clock_is_meant(run: Run, tmp_path: Path):
    hub = make_hub(tmp_path / "hub")
    other = tmp_path / "other.yaml"
    other.write_text(
        VENUE.read_text("utf-8")
        .replace("venue: trattoria", "venue: tokyo")
        .replace("Europe/Rome", "Asia/Tokyo")
    )
    assert run("venue", "import", other, "--data", hub).exit_code == 0
    refused = run("audit", "list", "--from", "2026-01-01", "--data", hub)
    assert refused.exit_code == 2 and "offset" in refused.stderr and "venue" in refused.stderr
    assert {
        one["venue"] for one in listed(run, hub, "--from", "2026-01-01", "--venue", "tokyo")
    } == {"tokyo"}


def test_a_record_is_verified_from_a_backup_file_with_nothing_else_there(
    run: Run, lived: Path, tmp_path: Path
):
    for role in ("hub", "desk"):
        file = tmp_path / role
        assert run("backup", file, "--data", lived / role).exit_code == 0
        done = run("audit", "verify", file)
        assert done.exit_code == 0 and "every chain and seal holds" in done.stdout, done.output
        report = document(run("audit", "verify", file, "--json"))
        assert report["ok"] and report["chains"] == 3 and report["root"] == "in-file"


def damaged(lived: Path, tmp_path: Path, *statements: str) -> Path:
    """A copy of the hub's database with something done to it."""
    copy = tmp_path / "copy.db"
    with sqlite3.connect(lived / "hub" / "holdfast.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
        for statement in statements:
            assert target.execute(statement).rowcount > 0
    return copy


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE journal SET entry = CAST(substr(entry, 1, length(entry) - 1) || x'21' AS BLOB)"
            " WHERE seq = 7",
            "entry ",
        ),
        ("DELETE FROM seals WHERE chain > 1", "no seal"),
        ("DELETE FROM journal WHERE seq = (SELECT max(seq) - 3 FROM journal)", "missing"),
    ],
)
def test_what_was_done_to_a_record_is_named_with_status_1(
    run: Run, lived: Path, tmp_path: Path, statement: str, told: str
):
    done = run("audit", "verify", damaged(lived, tmp_path, statement))
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ") and told in done.stderr
    assert "book rome/trattoria, node " in done.stderr


def test_a_byte_of_the_database_itself_is_found(run: Run, lived: Path, tmp_path: Path):
    copy = tmp_path / "copy.db"
    shutil.copy(damaged(lived, tmp_path), tmp_path / "whole.db")
    data = (tmp_path / "whole.db").read_bytes()
    at = data.index(b"guest_request")
    copy.write_bytes(data[:at] + b"G" + data[at + 1 :])
    done = run("audit", "verify", copy)
    assert done.exit_code == 1 and "entry " in done.stderr


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"status": "confirmed"}, {"status": "no_show"}, "status confirmed > did not come"),
        ({}, {"holder": "desk", "holder_incarnation": "ab" * 16}, "holder desk"),
        ({"guest_card": "ab" * 16}, {"guest_card": "cd" * 16}, "guest card changed"),
        ({"area": "Main"}, {"area": None}, "area Main > none"),
        ({}, {"quantities": [1, 1], "nights": 0}, ""),
        ({"quantities": [1]}, {"quantities": [3]}, "quantities 3"),
        (
            {},
            {"agent_id": "agent_ab_cd", "source": "walk_in"},
            "agent id agent_ab_cd, source walk in",
        ),
        (
            {},
            {"pending_change": {"resources": ["T1"], "starts_at": "2026-07-02T19:30:00+02:00"}},
            "pending change T1 at Thu 2026-07-02 19:30",
        ),
    ],
)
def test_what_changed_in_words(before: dict[str, Any], after: dict[str, Any], words: str):
    assert change_words(before, after) == words
