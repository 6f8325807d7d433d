"""What a person reads is plain and whole; what a program reads is one JSON document."""

from __future__ import annotations

import datetime
import io
import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from holdfast.commands import output, words
from tests.cli.support import DAY, PROGRAM, ROOT, Run, document, program

ID = "01a1fbf1-7af8-7756-b73f-0520ae8e5d8a"


class TestWords:
    @pytest.mark.parametrize(
        ("status", "assurance", "said"),
        [
            ("confirmed", "guaranteed", "confirmed (guaranteed)"),
            ("confirmed", "admitted", "confirmed (admitted)"),
            ("commit_pending", "provisional", "waiting for an answer (provisional)"),
            ("commit_failed", "none", "could not be had"),
            ("checked_in", "guaranteed", "here (checked in)"),
            ("no_show", "guaranteed", "did not come"),
            ("cancelled", "none", "cancelled"),
        ],
    )
    def test_a_status_is_said_plainly(self, status: str, assurance: str, said: str):
        assert words.status_words({"status": status, "assurance": assurance}) == said

    def test_who_is_asked_is_called_by_its_name(self):
        waiting = {"status": "commit_pending", "assurance": "provisional"}
        for holder, said in (("hub", "the hub"), ("desk", "desk")):
            one = {**waiting, "waits_for": holder}
            assert words.status_words(one) == f"waiting for {said} (provisional)"
            assert words.status_words(one, brief=True) == f"waiting for {said}"

    def test_a_change_that_waits_is_said_beside_the_status(self):
        one = {"status": "confirmed", "assurance": "guaranteed", "pending_change": {"x": 1}}
        assert words.status_words(one) == "confirmed (guaranteed), change asked for"
        one["waits_for"] = "desk"
        assert words.status_words(one).endswith("change asked for, waiting for desk")

    def test_reservations_are_shown_on_the_venues_clock_with_the_day_of_the_week(self):
        assert words.clock_text("2026-07-01T19:30:00+02:00") == "Wed 2026-07-01 19:30"
        assert words.clock_text("2026-07-01") == "2026-07-01"
        assert words.clock_text(None) == ""
        start = "2026-07-01T23:30:00+02:00"
        assert words.until_text(start, "2026-07-01T23:45:00+02:00") == "23:45"
        assert words.until_text(start, "2026-07-02T00:30:00+02:00") == "Thu 2026-07-02 00:30"

    def test_what_happened_at_a_machine_is_shown_on_the_readers_clock(self, in_lisbon: None):
        assert words.clock_text("2026-07-01T19:30:05.123Z") == "2026-07-01 20:30:05 WEST"
        assert words.clock_text("2026-12-01T19:30:05Z") == "2026-12-01 19:30:05 WET"
        assert words.moment_text("2026-07-01T20:30:05+02:00") == "2026-07-01 19:30:05 WEST"

    def test_whose_clock_it_is_is_said_where_the_two_differ(self, in_lisbon: None):
        assert words.venue_hint(["2026-07-01T19:30:00+02:00"]) == " (venue time)"
        assert words.venue_hint(["2026-07-01T19:30:00+01:00"]) == ""

    def test_what_comes_is_said_as_how_soon(self):
        now = datetime.datetime(2026, 7, 1, 12, tzinfo=datetime.UTC)
        assert words.due_text("2026-07-01T12:00:20Z", now) == "in 20 s"
        assert words.due_text("2026-07-01T11:59:20Z", now) == "now"
        assert words.due_text(None, now) == ""

    def test_another_ones_text_steers_no_terminal(self):
        assert "\x1b" not in words.plain("Ann\x1b[2J\x07")
        assert "\u202e" not in words.plain("Ann\u202e")
        assert words.plain("Žofie 李") == "Žofie 李"


@pytest.fixture
def in_lisbon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A reader in Lisbon."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Lisbon")
        time.tzset()
        yield
    time.tzset()


class OfColumns(io.StringIO):
    """A terminal's standard output."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """The lines of a table on a terminal of so many columns, without the blanks at their ends."""

    def show(columns: int, *arguments: Any, **options: Any) -> list[str]:
        terminal = OfColumns()
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("LINES", "25")
        monkeypatch.setenv("TERM", "dumb")
        monkeypatch.setattr(sys, "stdout", terminal)
        output.show_table(*arguments, **options)
        return [line.rstrip() for line in terminal.getvalue().splitlines()]

    return show


class TestNarrowTerminals:
    COLUMNS = ("code", output.Column("digest", short=4), output.Column("life", drop=1))
    ROWS = (["RES-1", "0123456789" * 3, "second"],)

    def test_show_all_where_there_is_room(self, shown: Callable[..., list[str]]):
        assert shown(60, self.COLUMNS, self.ROWS)[1].split() == [
            "RES-1",
            "0123456789" * 3,
            "second",
        ]

    def test_shorten_ids_first_and_then_leave_columns_out(self, shown: Callable[..., list[str]]):
        assert shown(30, self.COLUMNS, self.ROWS)[1].split() == ["RES-1", "0123…", "second"]
        assert shown(18, self.COLUMNS, self.ROWS)[1].split() == ["RES-1", "0123…"]

    def test_break_sentences_between_words_only(self, shown: Callable[..., list[str]]):
        lines = shown(36, ["code", "detail"], [["RES-1", "the guest must be told of another time"]])
        assert lines[1:] == ["RES-1  the guest must be told of", "       another time"]

    def test_list_names_and_values_where_nothing_else_helps(self, shown: Callable[..., list[str]]):
        rows = [["a" * 12, "b" * 12], ["c" * 12, "d" * 12]]
        lines = shown(20, ["one", "two"], rows)
        assert [line.split() for line in lines if line][:2] == [
            ["one", "a" * 12],
            ["two", "b" * 12],
        ]

    def test_name_each_day_once_above_its_rows(
        self, shown: Callable[..., list[str]], in_lisbon: None
    ):
        rows = [
            ["2026-07-01T19:30:00+02:00", "RES-1"],
            ["2026-07-01T20:00:00+02:00", "RES-2"],
            ["2026-07-02T12:00:00+02:00", "RES-3"],
        ]
        assert shown(80, ["when", "code"], rows, by_day="venue") == [
            "Wed 2026-07-01 (venue time)",
            "when   code",
            "19:30  RES-1",
            "20:00  RES-2",
            "",
            "Thu 2026-07-02",
            "12:00  RES-3",
        ]
        rows = [["2026-07-01T19:30:05.000Z", "desk"]]
        assert shown(80, ["when", "who"], rows, by_day="here") == [
            "Wed 2026-07-01 (WEST)",
            "when      who",
            "20:30:05  desk",
        ]


class TestTables:
    def test_a_pipe_gets_the_whole_time_in_every_row(self, capsys: pytest.CaptureFixture[str]):
        rows = [["2026-07-01T19:30:00+02:00", "RES-1"], ["2026-07-01T20:00:00+02:00", "RES-2"]]
        output.show_table(["when", "code"], rows, by_day="venue")
        assert "Wed 2026-07-01 20:00  RES-2" in capsys.readouterr().out

    def test_a_pipe_gets_whole_ids_however_narrow_the_terminal_is(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("COLUMNS", "20")
        output.show_table(["id", "what"], [[ID, "x" * 200]])
        _, row = capsys.readouterr().out.splitlines()
        assert row.split() == [ID, "x" * 200]

    def test_a_column_without_a_value_takes_no_room(self, capsys: pytest.CaptureFixture[str]):
        output.show_table(["id", "note", "n"], [["a", "", 0], ["b", None, 1]])
        assert capsys.readouterr().out.split() == ["id", "n", "a", "0", "b", "1"]

    def test_square_brackets_are_shown_as_they_are(self, capsys: pytest.CaptureFixture[str]):
        output.show_table(["name"], [["[red]Ann[/red] :smile:"]])
        assert "[red]Ann[/red] :smile:" in capsys.readouterr().out

    def test_nothing_to_show_is_said(self, capsys: pytest.CaptureFixture[str]):
        output.show_table(["name"], [], empty="no tokens")
        assert capsys.readouterr().out == "no tokens\n"

    def test_fields_without_a_value_are_left_out(self, capsys: pytest.CaptureFixture[str]):
        output.show_fields([("code", "RES"), ("note", None), ("tags", []), ("party", 0)])
        assert capsys.readouterr().out.split() == ["code", "RES", "party", "0"]


def test_json_is_readable_where_the_terminal_knows_unicode(capsys: pytest.CaptureFixture[str]):
    output.show_json({"name": "Žofie"})
    assert json.loads(capsys.readouterr().out) == {"name": "Žofie"}


def test_a_terminal_without_unicode_gets_the_same_json(hub: Path):
    done = program("venue", "list", "--json", "--data", hub, PYTHONIOENCODING="ascii")
    assert document(done)["items"][0]["venue"] == "trattoria"
    assert done.stdout.isascii()


PRINTING = [
    ["hub", "nodes"],
    ["hub", "recover"],
    ["venue", "list"],
    ["venue", "show", "trattoria"],
    ["node", "status"],
    ["reservations", "list"],
    ["availability", "--venue", "trattoria", "--date", DAY, "--party", "2"],
    ["allotments", "list"],
    ["queue", "list"],
    ["queue", "stats"],
    ["queue", "retry"],
    ["sync", "status"],
    ["sync", "log"],
    ["clock", "status"],
    ["clock", "sample"],
    ["books", "list"],
    ["books", "show", "trattoria"],
    ["books", "show", "trattoria", DAY],
    ["exceptions", "list"],
    ["audit", "list"],
    ["audit", "verify"],
    ["token", "list"],
    ["config", "get"],
    ["config", "get", "ntp"],
    ["doctor"],
    ["upgrade", "--check"],
]


@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
def test_json_prints_one_document_and_nothing_else(command: list[str], run: Run, hub: Path):
    done = run(*command, "--json", "--data", hub)
    assert done.exit_code == 0, done.output
    assert isinstance(json.loads(done.stdout), dict)
    assert done.stderr == ""


@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
def test_without_json_a_person_reads_words_and_no_colours(command: list[str], run: Run, hub: Path):
    done = run(*command, "--data", hub, FORCE_COLOR="1")
    assert done.exit_code == 0, done.output
    assert done.stdout.strip()
    assert "\x1b" not in done.stdout


def test_a_variable_that_is_no_setting_stays_out_of_the_way(hub: Path):
    for command in (["config", "get"], ["venue", "list"]):
        done = program(*command, "--data", hub, HOLDFAST_NONSENSE="1", HOLDFAST_LOG="json")
        assert (done.returncode, done.stderr) == (0, "")


def on_a_terminal(
    *command: object, program: Sequence[str] = tuple(PROGRAM), **environment: str
) -> str:
    """What a command prints where standard output is a terminal of 80 columns."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [*program, *(str(word) for word in command)],
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", **environment},
        stdout=side,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    os.close(side)
    # Should it never end, the reads below do because the process is ended.
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    shown = b""
    try:
        while True:
            try:
                part = os.read(main, 65_536)
            except OSError:
                # Linux answers EIO where the other side of a terminal is closed.
                break
            if not part:
                break
            shown += part
        _, errors = process.communicate(timeout=60)
    finally:
        watchdog.cancel()
        os.close(main)
    assert process.returncode == 0, errors
    return shown.decode()


@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
def test_a_terminal_of_80_columns_gets_no_longer_line(command: list[str], hub: Path):
    shown = on_a_terminal(*command, "--data", hub, NO_COLOR="1")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(len(line) for line in plain.splitlines()) <= 80


def test_a_terminal_gets_emphasis_unless_no_color_is_set(hub: Path):
    assert "\x1b[1m" in on_a_terminal("venue", "list", "--data", hub)
    plain = on_a_terminal("venue", "list", "--data", hub, NO_COLOR="1")
    assert "\x1b[3" not in plain


def test_the_code_and_the_token_are_the_last_word(run: Run, hub: Path):
    done = run(
        *("hub", "invite", "--venue", "trattoria", "--role", "kiosk", "--name", "kiosk-9"),
        *("--expires", "30m", "--data", hub),
    )
    assert done.exit_code == 0, done.output
    assert len(done.stdout.split()[-1].replace("-", "")) > 40
    made = run("token", "create", "--name", "web", "--role", "read-only", "--data", hub)
    assert len(made.stdout.split()[-1]) > 20
    listed = document(run("token", "list", "--json", "--data", hub))
    assert made.stdout.split()[-1] not in json.dumps(listed)
    assert run("token", "revoke", "web", "--data", hub).exit_code == 0


def test_hub_invite_in_json_is_code_and_expiry(run: Run, hub: Path):
    done = run(
        *("hub", "invite", "--venue", "trattoria", "--role", "kiosk", "--name", "kiosk-8"),
        *("--json", "--data", hub),
    )
    assert set(document(done)) == {"code", "expires_at"}


def test_the_unit_runs_this_directory_and_restarts_it(run: Run, hub: Path):
    done = run("node", "unit", "--data", hub)
    assert f"hub run --data {hub}" in done.stdout
    assert "Restart=always" in done.stdout
