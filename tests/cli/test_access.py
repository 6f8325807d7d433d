"""Tokens, staff and pages on the command line: nothing secret is an argument, or shown twice."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from pathlib import Path

import click
import httpx
import pytest

from holdfast.api.permissions import PERMISSIONS
from holdfast.commands import staff as staff_commands
from tests.cli.support import Run, Running, document, make_hub

Serve = Callable[[str, Path], Running]


class TestTokens:
    def test_a_narrow_token_with_an_end_is_made_and_listed(self, run: Run, hub: Path):
        made = document(
            run(
                "token", "create", "--name", "narrow", "--role", "staff", "--venue", "trattoria",
                "--may", "queue.read", "--may", "venues.read", "--expires", "90d", "--data", hub,
                "--json",
            )
        )  # fmt: skip
        assert made["venues"] == ["trattoria"]
        assert made["permissions"] == ["queue.read", "venues.read"]
        span = datetime.datetime.fromisoformat(
            made["expires_at"]
        ) - datetime.datetime.fromisoformat(made["made_at"])
        assert span == datetime.timedelta(days=90)
        listed = run("token", "list", "--data", hub).output
        row = next(line for line in listed.splitlines() if "narrow" in line)
        assert "trattoria, queue.read, venues.read" in row and made["token"] not in listed

    @pytest.mark.parametrize(
        ("words", "status", "said"),
        [
            (["--expires", "soon"], 2, "no span of time"),
            (["--venue", "nowhere"], 1, "--venue: no venue nowhere here"),
            (["--may", "backup"], 2, "--may: backup: role staff has"),
        ],
    )
    def test_what_makes_no_sense_is_called_as_it_was_typed(
        self, run: Run, hub: Path, words: list[str], status: int, said: str
    ):
        done = run("token", "create", "--name", "x", "--role", "staff", *words, "--data", hub)
        assert done.exit_code == status
        assert said in done.stderr


class TestStaff:
    def test_staff_are_added_listed_unlocked_and_removed(self, run: Run, tmp_path: Path):
        hub = make_hub(tmp_path / "hub")
        added = run("staff", "add", "Zoë", "--role", "staff", "--data", hub, stdin="4711\n")
        assert (added.exit_code, added.stdout) == (0, "Zoë (staff) can log in at this device.\n")
        again = run("staff", "add", "zoë", "--role", "staff", "--data", hub, stdin="4711\n")
        assert again.exit_code == 1 and "is staff of this device already" in again.stderr
        listed = document(run("staff", "list", "--data", hub, "--json"))["items"]
        assert [(one["name"], one["role"]) for one in listed] == [("Zoë", "staff")]
        pin = run("staff", "set-pin", "zoë", "--pin-stdin", "--data", hub, stdin="98765\r\n")
        assert pin.stdout == "Zoë has a new PIN.\n"
        assert run("staff", "unlock", "Zoë", "--data", hub).stdout == "Zoë can log in again.\n"
        removed = run("staff", "remove", "ZOË", "--data", hub)
        assert removed.stdout == "Zoë cannot log in here any more.\n"
        assert "nobody logs in by PIN here" in run("staff", "list", "--data", hub).output
        unknown = run("staff", "remove", "Zoë", "--data", hub)
        assert unknown.exit_code == 1 and "nobody called Zoë" in unknown.stderr

    @pytest.mark.parametrize("pin", ["", "123", "12345678901", "1234 "])
    def test_what_is_no_pin_is_refused_and_not_repeated(self, run: Run, hub: Path, pin: str):
        done = run("staff", "add", "Ida", "--role", "staff", "--data", hub, stdin=f"{pin}\n")
        assert (done.exit_code, done.stderr) == (1, "error: --pin-stdin: must be 4 to 10 digits\n")

    @pytest.mark.parametrize("command", ["add", "set-pin"])
    @pytest.mark.parametrize("flag", [(), ("--pin-stdin",)])
    def test_where_nobody_can_be_asked_for_a_pin_it_says_how_to_give_one(
        self, run: Run, hub: Path, command: str, flag: tuple[str, ...]
    ):
        role = ("--role", "staff") if command == "add" else ()
        done = run("staff", command, "Ida", *role, *flag, "--data", hub, stdin="")
        assert (done.exit_code, done.stdout) == (2, "")
        assert "--pin-stdin" in done.stderr

    def test_the_help_says_of_each_role_what_the_table_of_permissions_does(self, run: Run):
        told = " ".join(run("staff", "add", "--help").output.split())
        assert "`staff` takes, changes and moves reservations" in told
        assert "`supervisor` also overbooks, resolves exceptions, hands out allotments and" in told
        staff, supervisor = PERMISSIONS["staff"], PERMISSIONS["supervisor"]
        assert {"reservations.create", "reservations.change"} <= staff
        more = {"reservations.override", "exceptions.resolve", "allotments.change", "guests.erase"}
        assert more <= supervisor - staff

    def test_no_option_takes_a_pin(self, run: Run):
        for command in ("add", "set-pin"):
            words = run("staff", command, "--help").output
            assert set(re.findall(r"--pin\S*", words)) == {"--pin-stdin"}

    def test_at_a_terminal_the_pin_is_typed_twice_and_not_shown(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        asked: list[dict[str, object]] = []

        def prompt(text: str, **how: object) -> str:
            asked.append(how)
            return "4711"

        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr(click, "prompt", prompt)
        assert staff_commands.read_pin(from_stdin=False) == "4711"
        assert asked == [{"hide_input": True, "confirmation_prompt": True, "err": True}]


class TestOpen:
    def test_it_prints_an_address_whose_ticket_logs_in_once(
        self, run: Run, serve: Serve, tmp_path: Path
    ):
        hub = make_hub(tmp_path / "hub")
        process = serve("hub", hub)
        for words, page, role in [
            ([], "hub", "admin"),
            (["--as", "desk"], "desk", "supervisor"),
            (["--as", "kiosk"], "kiosk", "kiosk"),
        ]:
            done = run("open", *words, "--data", hub)
            assert done.exit_code == 0, done.output
            address, _, ticket = done.stdout.strip().partition("#ticket=")
            assert address == f"{process.url}/{page}"
            url = f"{process.url}/api/v1/session"
            answers = [httpx.post(url, json={"ticket": ticket}) for _ in range(2)]
            assert [one.status_code for one in answers] == [200, 401]
            assert answers[0].json()["role"] == role
        assert document(run("open", "--data", hub, "--json"))["page"] == "hub"

    def test_without_a_process_there_is_nothing_to_open(self, run: Run, hub: Path):
        done = run("open", "--data", hub)
        assert done.exit_code == 3
        assert "nothing serves" in done.stderr and "hub run" in done.stderr

    def test_a_page_that_is_none_is_wrong_usage(self, run: Run, hub: Path):
        assert run("open", "--as", "garden", "--data", hub).exit_code == 2
