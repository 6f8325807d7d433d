"""What a person reads is plain and whole; what a program reads is one JSON document."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

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
            ("commit_pending", "provisional", "waiting for the hub (provisional)"),
            ("commit_failed", "none", "could not be had"),
            ("checked_in", "guaranteed", "here (checked in)"),
            ("no_show", "guaranteed", "did not come"),
            ("cancelled", "none", "cancelled"),
        ],
    )
    def test_a_status_is_said_plainly(self, status: str, assurance: str, said: str):
        assert words.status_words({"status": status, "assurance": assurance}) == said

    def test_a_change_that_waits_is_said_beside_the_status(self):
        one = {"status": "confirmed", "assurance": "guaranteed", "pending_change": {"x": 1}}
        assert words.status_words(one) == "confirmed (guaranteed), change asked for"

    def test_times_are_shown_on_the_venues_clock_and_others_say_utc(self):
        assert words.clock_text("2026-07-01T19:30:00+02:00") == "2026-07-01 19:30"
        assert words.clock_text("2026-07-01T19:30:00.123Z") == "2026-07-01 19:30 UTC"
        assert words.clock_text(None) == ""

    def test_another_ones_text_steers_no_terminal(self):
        assert "\x1b" not in words.plain("Ann\x1b[2J\x07")
        assert "\u202e" not in words.plain("Ann\u202e")
        assert words.plain("Žofie 李") == "Žofie 李"


class TestTables:
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


def on_a_terminal(*command: object, **environment: str) -> str:
    """What a command prints where standard output is a terminal of 80 columns."""
    main, side = pty.openpty()
    try:
        subprocess.run(
            [*PROGRAM, *(str(word) for word in command)],
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80", **environment},
            stdout=side,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=True,
        )
        os.close(side)
        shown = b""
        while True:
            try:
                part = os.read(main, 65_536)
            except OSError:
                # Linux answers EIO where the other side of a terminal is closed.
                break
            if not part:
                break
            shown += part
        return shown.decode()
    finally:
        os.close(main)


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
