"""`holdfast allotments`, and where else a person reads what a device may sell and promise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.commands.screens import status_fields
from holdfast.commands.words import PROMISES, guest_words
from tests.cli.support import DAY, ROOT, Run, Running, document, make_hub
from tests.cli.test_output import on_a_terminal
from tests.cli.test_story import join

Serve = Callable[[str, Path], Running]
ON = ("--venue", "trattoria")


@pytest.fixture
def places(run: Run, serve: Serve, tmp_path: Path) -> tuple[Path, Path]:
    """A served hub and a front desk that has T1 and T2 from it."""
    hub = make_hub(tmp_path / "hub")
    return hub, join(run, hub, serve("hub", hub).url, "desk", "front-desk", tmp_path / "desk")


def test_a_table_of_allotments_is_read_on_80_columns(run: Run, places: tuple[Path, Path]):
    hub, desk = places
    grant = ("allotments", "grant", *ON, "--holder", "desk", "--resource", "T[3-8]", "--until", DAY)
    granted = run(*grant, "--release-minutes", 120, "--data", hub)
    assert granted.exit_code == 0, granted.output
    assert "desk may sell 6 resources by itself once it has heard of it." in granted.stdout
    assert run("sync", "now", "--data", desk).exit_code == 0
    for data in (hub, desk):
        shown = on_a_terminal("allotments", "list", "--data", data, NO_COLOR="1")
        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
        assert max(map(len, lines)) <= 80
        assert "holder" in lines[0]
        assert "until" in lines[0], "until when somebody may sell matters more than since when"
        assert "T1, T2" in shown
        assert "active" in shown
    whole = document(run("allotments", "list", "--data", hub, "--json"))["items"]
    assert [one["resources"] for one in whole] == [
        ["T1", "T2"], ["T3", "T4", "T5", "T6", "T7", "T8"],
    ]  # fmt: skip


def test_a_right_is_named_by_its_first_letters_and_returned_where_it_is_held(
    run: Run, places: tuple[Path, Path]
):
    hub, desk = places
    (right,) = document(run("allotments", "list", *ON, "--data", desk, "--json"))["items"]
    wrong = run("allotments", "return", right["id"][:8], "--data", hub)
    assert wrong.exit_code == 1
    assert wrong.stderr.startswith("error: desk holds it, and returns it there")
    short = run("allotments", "return", right["id"][:5], "--data", desk)
    assert short.exit_code == 2
    assert "its first 6 letters" in short.stderr
    unknown = run("allotments", "return", "ffffff", "--data", desk)
    assert "no allotment ffffff here" in unknown.stderr
    done = run("allotments", "return", right["id"][:8].upper() + "…", "--data", desk)
    assert done.exit_code == 0, done.output
    assert done.stdout == "T1, T2 is the hub's again, as soon as the hub hears of it.\n"
    assert run("sync", "now", "--data", desk).exit_code == 0
    table = run("allotments", "list", "--data", hub).stdout
    assert "returned" in table
    assert "`holdfast allotments grant --again`" in table
    again = run("allotments", "grant", *ON, "--holder", "desk", "--again", "--data", hub)
    assert again.exit_code == 0, again.output
    assert "desk may sell 2 resources by itself" in again.stdout


def test_the_hub_takes_back_with_a_reason(run: Run, places: tuple[Path, Path]):
    hub, desk = places
    (right,) = document(run("allotments", "list", "--data", hub, "--json"))["items"]
    refused = run("allotments", "revoke", right["id"], "--reason", "stolen", "--data", desk)
    assert refused.stderr.startswith("error: only the hub revokes")
    nonsense = run("allotments", "revoke", right["id"], "--reason", "mario", "--data", hub)
    assert nonsense.exit_code == 2
    assert "stranded" in nonsense.stderr
    done = run("allotments", "revoke", right["id"][:6], "--reason", "Stranded", "--data", hub)
    assert done.stdout == "T1, T2 is the hub's again; desk has it no more.\n"


@pytest.mark.parametrize(
    "words", [(), ("--again", "--resource", "T1"), ("--again", "--until", "2030-01-01")]
)
def test_a_grant_says_what_or_takes_it_all_from_the_file(
    words: tuple[str, ...], run: Run, hub: Path
):
    done = run("allotments", "grant", *ON, "--holder", "desk", *words, "--data", hub)
    assert done.exit_code == 2


def test_a_device_says_in_one_line_what_it_may_sell(run: Run, places: tuple[Path, Path]):
    hub, desk = places
    shown = run("node", "status", "--data", desk).stdout
    assert "may sell by itself" in shown
    assert "2 resources, without an end" in shown
    assert "may sell by itself" not in run("node", "status", "--data", hub).stdout


@pytest.mark.parametrize(
    ("sells", "said"),
    [
        ({"resources": 0, "once_clock_is_set": 0, "until_at": None}, "nothing, it asks who may"),
        (
            {"resources": 1, "once_clock_is_set": 2, "until_at": "2030-07-01T22:00:00.000Z"},
            "1 resource, until 2030-07-01 22:00:00 UTC (2 more once its clock is set)",
        ),
    ],
)
def test_what_a_device_may_sell_in_words(sells: dict[str, object], said: str):
    assert dict(status_fields({"sells": sells}, running=False))["may sell by itself"] == said


def test_whoever_reserves_reads_what_the_guest_may_be_told(run: Run, places: tuple[Path, Path]):
    _, desk = places
    at = ("reserve", *ON, "--at", f"{DAY}T19:30", "--party", 2, "--data", desk)
    told = " ".join(run(*at).stdout.split())
    assert f"tell the guest {PROMISES['guaranteed']}" in told
    told = " ".join(run(*at, "--resource", "T3").stdout.split())
    assert f"tell the guest {PROMISES['provisional']}" in told
    assert "tell the guest" not in run("reservations", "list", "--data", desk).stdout
    assert "guest" not in json.loads(run(*at, "--json").stdout)


@pytest.mark.parametrize(
    ("reservation", "said"),
    [
        ({"status": "confirmed", "assurance": "admitted"}, PROMISES["admitted"]),
        ({"status": "commit_failed", "assurance": "none"}, "It could not be had. Offer another"),
        (
            {
                "status": "confirmed",
                "assurance": "guaranteed",
                "pending_change": {"resources": ["T1"]},
            },
            "until it is answered, what they had stays theirs",
        ),
        ({"status": "cancelled", "assurance": "none"}, ""),
    ],
)
def test_what_a_guest_may_be_told(reservation: dict[str, object], said: str):
    assert said in guest_words(reservation)


def test_the_words_of_a_promise_stand_in_the_manual_and_the_help(run: Run):
    manual = (ROOT / "docs" / "operations.md").read_text("utf-8")
    told = " ".join(run("availability", "--help", COLUMNS="100").stdout.split())
    for word, sentence in PROMISES.items():
        assert f"| `{word}` | {sentence} |" in manual
        assert f"{word}: {sentence}" in told
