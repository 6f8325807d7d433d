"""Every failure is one line `error: …` with the status that the contract gives it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from holdfast.commands.failures import Refused, line_of, refusal
from holdfast.model.errors import Invalid, NotAvailable, RuleViolated, Unreachable
from holdfast.node.words import sentences
from tests.cli.support import DAY, PROGRAM, ROOT, Run, make_hub, program


def one_line(text: str) -> str:
    """The error line, which must be the only one."""
    assert re.fullmatch(r"error: [^\n]+\n", text), text
    return text


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["hub", "nonsense"],
        ["hub", "init"],
        ["reserve", "--venue", "x"],
        ["queue", "list", "--state", "nonsense", "--data", "."],
        ["hub", "run", "--port", "70000", "--data", "."],
        ["hub", "invite", "--expires", "soon", "--data", "."],
        ["availability", "--venue", "x", "--party", "2", "--data", "."],
        ["reservations", "move", "RES-2026-AAAAAA", "--data", "."],
        ["token", "create", "--name", "n", "--role", "guest", "--data", "."],
        ["reservations", "cancel", "X", "--reason", "felt like it", "--data", "."],
        ["hub", "revoke", "X", "--reason", "felt like it", "--data", "."],
        ["allotments", "revoke", "123456", "--reason", "felt like it", "--data", "."],
        ["queue", "withdraw", "X", "--reason", "felt like it", "--data", "."],
        ["guests", "erase", "agent_123456", "--reason", "felt like it", "--data", "."],
        ["exceptions", "resolve", "X", "--action", "moan", "--reason", "moved", "--data", "."],
        ["exceptions", "resolve", "X", "--action", "overbook", "--reason", "moved", "--data", "."],
        ["reservations", "move", "X", "--party", "2", "--override", "moved", "--data", "."],
        ["availability", "--venue", "x", "--party", "2", "--date", "2026-07-01",
         "--from", "2026-07-01T10:00", "--data", "."],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_has_status_2_and_names_the_help(words: list[str], run: Run):
    done = run(*words)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "--help" in one_line(done.stderr)


AT = ("--venue", "trattoria", "--at", f"{DAY}T20:00", "--party", "2")
ON = ("--venue", "trattoria", "--date", DAY)
GRANT = ("allotments", "grant", "--venue", "trattoria", "--holder", "desk", "--resource", "T3")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("reserve", *AT[:3], "tomorrow", *AT[4:]), "--at: 'tomorrow' is no time"),
        (("reserve", *AT[:3], "2026-13-45", *AT[4:]), "--at: '2026-13-45' is no time"),
        (("reserve", *AT[:5], "0"), "--party: "),
        (("reserve", *AT, "--minutes", "0"), "--minutes: "),
        (("reserve", *AT, "--nights", "0"), "--nights"),
        (("reserve", *AT, "--quantity", "0"), "--quantity: "),
        (("reserve", *AT, "--source", "nonsense"), "--source: must be one of"),
        (("reserve", *AT, "--override", "nonsense"), "--override: must be a word of the list"),
        (("reserve", *AT, "--key", "k" * 999), "--key: must be 1 to"),
        (("availability", *ON[:3], "soon", "--party", "2"), "--date: 'soon' is no date"),
        (("availability", *ON, "--party", "0"), "--party: "),
        (("availability", *AT[:2], "--from", DAY, "--party", "2"), "--date: give date, or"),
        (("reservations", "list", "--date", "soon"), "--date: 'soon' is no date"),
        (("reservations", "list", "--status", "happy"), "--status: must be one of"),
        (("reservations", "list", "--agent", "agent_1"), "--agent: agent_1 is no agent id"),
        ((*GRANT, "--quantity", "0"), "--quantity: "),
        ((*GRANT, "--from", "soon"), "--from: 'soon' is no date"),
        ((*GRANT, "--release-minutes", "-5"), "--release-minutes: "),
        (("allotments", "revoke", "12", "--reason", "sold"), "ID: give its first 6 letters"),
        (("guests", "show", "agent_1"), "AGENT: agent_1 is no agent id"),
        (("books", "show", "trattoria", "soon"), "DATE: 'soon' is no date"),
        (
            ("audit", "list", "--from", "2026-07-02", "--to", "2026-07-02"),
            "nothing lies between: --to is the first day or time left out",
        ),
        (("audit", "list", "--from", "soon"), "--from: 'soon' is no time"),
        (("hub", "invite", *AT[:2], "--role", "kiosk", "--name", "No!"), "--name: must be"),
        (("token", "create", "--role", "staff", "--name", "No!"), "--name: 1 to 64"),
        (("token", "create", "--role", "staff", "--name", "x", "--may", "fly"), "--may: fly"),
        (("staff", "add", "!", "--role", "staff"), "NAME: 1 to 64"),
        (("config", "get", "nonsense"), "'nonsense' is not a setting"),
    ],
    ids=lambda one: " ".join(one)[:60] if isinstance(one, tuple) else "",
)
def test_what_cannot_be_understood_is_wrong_usage_wherever_that_is_noticed(
    words: tuple[str, ...], said: str, run: Run, hub: Path
):
    """Most of this only the directory's own interface notices, behind the command line."""
    done = run(*words, "--data", hub, stdin="4711\n")
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in one_line(done.stderr)
    assert "--help`" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("reserve", *AT, "--resource", "T99"),
        ("reserve", *AT, "--area", "Moon"),
        ("reserve", *AT, "--nights", "2"),
        ("reserve", "--venue", "nowhere", *AT[2:]),
        ("reserve", *AT[:5], "13"),
        ("reservations", "show", "RES-2026-AAAAAA"),
        ("guests", "show", "agent_" + "0" * 32),
        ("token", "create", "--role", "staff", "--name", "x", "--venue", "nowhere"),
        ("venue", "show", "nowhere"),
    ],
    ids=" ".join,
)
def test_what_is_understood_and_is_not_there_is_refused(
    words: tuple[str, ...], run: Run, hub: Path
):
    done = run(*words, "--data", hub)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "--help" not in one_line(done.stderr)


def test_a_file_or_a_pin_that_is_wrong_is_no_wrong_usage(run: Run, hub: Path, tmp_path: Path):
    """What was typed is right; what is read is not."""
    file = tmp_path / "venue.yaml"
    file.write_text("venue: nice\nkind: circus\n")
    for words in (("venue", "import", file), ("staff", "add", "Ida", "--role", "staff")):
        done = run(*words, "--data", hub, stdin="12\n")
        assert done.exit_code == 1, done.output
        one_line(done.stderr)


def test_a_directory_that_is_none_is_named_with_the_way_to_make_one(run: Run, tmp_path: Path):
    done = run("reservations", "list", "--data", tmp_path / "nowhere")
    assert done.exit_code == 1
    assert "hub init" in one_line(done.stderr)
    assert "node join" in done.stderr


def test_what_is_refused_has_status_1_and_says_why(run: Run, hub: Path):
    done = run("reserve", *AT, "--resource", "T99", "--data", hub)
    assert done.exit_code == 1
    assert "--resource" in one_line(done.stderr)
    assert done.stdout == ""


def test_with_json_a_refusal_is_one_document_and_one_line(run: Run, hub: Path):
    done = run("reservations", "show", "RES-2026-AAAAAA", "--json", "--data", hub)
    assert done.exit_code == 1
    problem = json.loads(done.stdout)
    assert (problem["type"], problem["status"]) == ("urn:holdfast:error:not-found", 404)
    assert "RES-2026-AAAAAA" in one_line(done.stderr)


def test_a_hub_that_cannot_be_reached_has_status_3(run: Run, hub: Path, tmp_path: Path):
    invited = run(
        *("hub", "invite", "--venue", "trattoria", "--role", "kiosk", "--name", "far"),
        *("--data", hub),
    )
    code = invited.stdout.split()[-1]
    # Port 9 of this machine: nothing listens there.
    done = run("node", "join", "http://127.0.0.1:9", "--code", code, "--data", tmp_path / "far")
    assert done.exit_code == 3
    assert "127.0.0.1:9" in one_line(done.stderr)
    assert not (tmp_path / "far").exists(), "a join that failed leaves nothing in the way"


def test_a_node_command_on_a_hubs_directory_says_whose_it_is(run: Run, hub: Path):
    done = run("node", "run", "--data", hub)
    assert done.exit_code == 1
    assert "hub" in one_line(done.stderr)


def test_what_nobody_expected_is_one_line_and_a_note_in_the_log(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    directory = make_hub(tmp_path / "hub")

    def broken(*_: object) -> None:
        raise KeyError("Ann Smith, +39 06 1234567")

    monkeypatch.setattr("holdfast.commands.session.open_session", broken)
    monkeypatch.setattr("sys.argv", ["holdfast", "queue", "list", "--data", str(directory)])
    done = run("queue", "list", "--data", directory)
    assert done.exit_code == 1
    line = one_line(done.stderr)
    identity = re.search(r"error ([0-9a-f]{8}) in", line)
    assert identity is not None, line
    note = (directory / "log" / "commands.log").read_text("utf-8")
    assert identity[1] in note
    assert "in broken" in note
    assert "Ann" not in line + note, "a message may quote a guest's data and is left out"
    assert (directory / "log" / "commands.log").stat().st_mode & 0o077 == 0


def test_ctrl_c_is_quiet_and_has_status_130(run: Run, hub: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("holdfast.commands.session.open_session", interrupted)
    done = run("queue", "list", "--data", hub)
    assert done.exit_code == 130
    assert done.output.strip() == ""


def test_a_path_with_blanks_can_be_copied_from_the_next_command(run: Run, tmp_path: Path):
    done = run("hub", "init", "--data", tmp_path / "my hub", "--tenant", "rome")
    assert done.stdout.splitlines()[-1].endswith(f"--data '{tmp_path}/my hub'")


def test_a_reader_that_has_seen_enough_is_no_failure_that_shouts(hub: Path):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*PROGRAM, "venue", "show", "trattoria", "--data", str(hub)],
            cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert done.stderr == b""


def test_without_any_command_the_help_is_shown_with_status_2():
    done = program()
    assert done.returncode == 2
    assert "Reservations:" in done.stderr


class TestTheLine:
    def test_names_every_field_at_fault_once(self):
        errors = [
            {"field": "party_size", "message": "must be a whole number"},
            {"field": "area", "message": "is unknown"},
        ]
        line = line_of(Invalid("party_size: must be a whole number", errors))
        assert line == "party_size: must be a whole number (area: is unknown)"

    def test_names_every_rule_that_says_no(self):
        violations = [{"rule": "cutoff", "message": "Too late for today."}]
        assert line_of(RuleViolated("Not so.", violations)) == "Not so (Too late for today.)"

    def test_offers_what_is_free_instead_in_the_venues_time(self):
        slots = [{"starts_at": "2026-07-01T20:00:00+02:00", "resources": ["T1", "T2"]}]
        line = line_of(NotAvailable("T1 is taken.", slots))
        assert line.replace(" (venue time)", "") == (
            "T1 is taken; free instead: Wed 2026-07-01 20:00 T1 + T2"
        )

    def test_says_the_day_of_each_and_the_kind_where_it_is_another(self):
        slots = [
            {"starts_at": "2026-07-01T15:00:00+02:00", "resources": ["R1"]},
            {
                "starts_at": "2026-07-02T15:00:00+02:00",
                "resources": ["S1"],
                "resource_kind": "suite",
            },
        ]
        line = line_of(NotAvailable("It is full.", slots))
        assert "Wed 2026-07-01 15:00 R1, Thu 2026-07-02 15:00 S1 (suite)" in line

    def test_has_one_full_stop_at_the_most_where_sentences_are_joined(self):
        violations = [{"rule": "a", "message": "Too late."}, {"rule": "b", "message": "Too many."}]
        line = line_of(RuleViolated("Not so.", violations))
        assert line == "Not so (Too late; Too many.)"
        assert sentences(["Taken.", "", " Try later. "]) == "Taken; Try later."

    def test_of_a_problem_document_is_its_detail(self):
        problem = {"type": "urn:holdfast:error:gone", "detail": "The hold lapsed.", "status": 410}
        error = refusal(problem, 410)
        assert isinstance(error, Refused)
        assert (line_of(error), error.exit_status) == ("The hold lapsed.", 1)

    def test_of_an_unreachable_hub_comes_with_status_3(self):
        problem = {"type": "urn:holdfast:error:unreachable", "detail": "no answer"}
        error = refusal(problem, 503)
        assert isinstance(error, Unreachable)
        assert error.exit_status == 3

    @pytest.mark.parametrize("problem", [None, "text", {}, {"detail": None}])
    def test_is_never_empty(self, problem: object):
        assert "502" in line_of(refusal(problem, 502))
