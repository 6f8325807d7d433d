"""A partner's reference at the command line, also where no other user of the machine sees it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from holdfast.cli import holdfast
from tests.cli.support import DAY, Run, document


def test_it_is_taken_once_and_found(run: Run, hub: Path):
    words = ("reserve", "--party", 2, "--source", "partner", "--partner-reference", "BK 4711")
    made = document(run(*words, "--at", f"{DAY}T19:00", "--data", hub, "--json"))
    again = document(run(*words, "--at", f"{DAY}T20:30", "--data", hub, "--json"))
    assert again["id"] == made["id"]
    asked = ("reservations", "list", "--partner-reference")
    for more, codes in (
        (("BK 4711",), [made["code"]]), (("BK 4711", "--source", "partner"), [made["code"]]),
        (("BK 4711", "--source", "agency"), []), (("4711",), []),
    ):  # fmt: skip
        found = document(run(*asked, *more, "--data", hub, "--json"))
        assert [one["code"] for one in found["items"]] == codes
    assert made["code"] in run(*asked, "BK 4711", "--data", hub).stdout
    nothing = run(*asked, "4711", "--data", hub)
    assert nothing.stdout.startswith("No reservation fits")


def test_it_is_read_from_standard_input(hub: Path):
    words = [
        "reserve", "--party", "2", "--source", "partner", "--partner-reference", "-",
        "--at", f"{DAY}T19:00", "--data", str(hub), "--json",
    ]  # fmt: skip
    made = document(CliRunner().invoke(holdfast, words, input="BK 4711\n"))
    asked = ["reservations", "list", "--partner-reference", "-", "--data", str(hub), "--json"]
    found = document(CliRunner().invoke(holdfast, asked, input=" BK 4711 \n"))
    assert [one["id"] for one in found["items"]] == [made["id"]]


def test_what_it_does_not_go_with_is_said(run: Run, hub: Path):
    listed = ("reservations", "list", "--data", hub)
    for words in (
        (*listed, "--source", "partner"),
        (*listed, "--partner-reference", "x", "--date", DAY),
        (*listed, "--partner-reference", "x", "--limit", 3),
        ("reserve", "--at", f"{DAY}T19:00", "--party", 2, "--repeat", "FREQ=WEEKLY;COUNT=2",
         "--source", "partner", "--partner-reference", "x", "--data", hub),
    ):  # fmt: skip
        assert run(*words).exit_code == 2, words
    alone = run("reserve", "--at", f"{DAY}T19:00", "--party", 2, "--partner-reference", "x",
                "--data", hub)  # fmt: skip
    assert alone.exit_code == 2 and "give it with a source" in alone.stderr
