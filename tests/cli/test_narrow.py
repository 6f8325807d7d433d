"""On a terminal of 80 columns every command's output fits, and nothing that matters is left out."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from holdfast.cli import holdfast
from holdfast.commands import output
from tests.cli.support import DAY, Run, Running, document, make_hub
from tests.cli.test_output import on_a_terminal
from tests.cli.test_story import join

GUEST = ("--guest-name", "Zinaida Quellwasser-Hohenstein", "--guest-phone", "+39 055 123456",
         "--guest-email", "zinaida.quellwasser@example.com")  # fmt: skip


class Scene(NamedTuple):
    """A hub that was served, and a desk with something in every list."""

    hub: Path
    desk: Path
    agent: str
    lost: str


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One reservation that could not be had, one guest who was forgotten twice, tokens, staff."""

    def run(*words: object, stdin: str | None = None) -> Any:
        done = CliRunner().invoke(holdfast, [str(word) for word in words], input=stdin)
        assert done.exit_code == 0, done.output
        return done

    place = tmp_path_factory.mktemp("narrow")
    hub = make_hub(place / "hub")
    served = Running("hub", hub)
    try:
        desk = join(run, hub, served.url, "desk", "front-desk", place / "desk")
        join(run, hub, served.url, "kiosk-at-the-door", "kiosk", place / "kiosk")
        at = ("reserve", "--venue", "trattoria", "--party", 2, "--at")
        made = [
            document(
                run(*at, f"{DAY}T19:30", "--resource", table, *GUEST, "--json", "--data", desk)
            )
            for table in ("T1", "T3")
        ]
        run(*at, f"{DAY}T19:30", "--resource", "T3", "--data", hub)
        run("sync", "now", "--data", desk)
        forgotten = made[0]["agent_id"]
        for _ in range(2):
            run("guests", "erase", forgotten, "--reason", "test", "--data", desk)
        run(*at, f"{DAY}T12:30", "--data", desk)
        run("holds", "add", *at[1:], f"{DAY}T20:45", "--resource", "T3", "--data", desk)
        run("waitlist", "add", "--venue", "trattoria", "--date", DAY, "--party", 2,
            "--guest-name", "Ottokar Hohenstein-Quellwasser", "--data", desk)  # fmt: skip
        run("blocks", "add", "--venue", "trattoria", "--resource", "T7", "--resource", "T8",
            "--at", f"{DAY}T12:00", "--until", f"{DAY}T23:00", "--kind", "private_event",
            "--reason", "reserved_for_house", "--data", desk)  # fmt: skip
        run("token", "create", "--name", "guest", "--role", "guest", "--agent", forgotten,
            "--expires", "90d", "--data", desk)  # fmt: skip
        for more in (("booking-ban", "--until", f"{DAY}T12:00"), ("max-concurrent", "--value", 2)):
            run("guests", "restrict", forgotten, "--reason", "late_cancellations", "--restriction",
                *more, "--data", desk)  # fmt: skip
        banned = document(run("guests", "restrictions", "--json", "--data", desk))["items"][0]["id"]
        run("guests", "lift", banned, "--reason", "second_chance", "--data", desk)
        run("guests", "profile", made[1]["agent_id"], "--tier", "gold", "--tag", "member", "--tag",
            "guest_of_member", "--data", desk)  # fmt: skip
        run("guests", "note", made[1]["agent_id"], "Prefers the corner, and brings a dog as"
            " large as a calf; see that nobody trips over it.", "--kind", "preference", "--alert",
            "--data", desk)  # fmt: skip
        run(
            "guests",
            "preferences",
            made[1]["agent_id"],
            "--sms",
            "no",
            "--dietary",
            "no walnuts, no hazelnuts, no pistachios, no almonds, no cashews",
            "--data",
            desk,
        )
        run(*at, f"{DAY}T13:30", *GUEST, "--user", "twice", "--data", desk)
        run("guests", "flag", made[1]["agent_id"], "vip", "--data", desk)
        run("staff", "add", "Zinaida", "--role", "supervisor", "--data", desk, stdin="4711\n")
        run("hub", "invite", "--venue", "trattoria", "--role", "channel", "--name", "web",
            "--data", hub)  # fmt: skip
    finally:
        served.stop()
    yield Scene(hub, desk, made[1]["agent_id"], made[1]["code"])


COMMANDS = [
    "hub nodes",
    "hub invites",
    "hub recover",
    "venue list",
    "venue show trattoria",
    "node status",
    f"availability --venue trattoria --date {DAY} --party 2 --full",
    f"slots --venue trattoria --date {DAY}",
    "reservations list",
    "reservations show {lost}",
    f"reserve --venue trattoria --party 2 --at {DAY}T13:00",
    "holds list",
    "waitlist list",
    "blocks list",
    "jobs list",
    "jobs run lapse",
    "allotments list",
    "guests find zinaida",
    "guests show {agent}",
    "guests erasures",
    "guests restrict {agent} --restriction booking-ban --reason repeated_no_shows",
    "guests restrictions",
    "guests restrictions --all",
    "guests profile {agent}",
    "guests history {agent}",
    "guests flag {agent}",
    "guests notes {agent}",
    "guests notes {agent} --all",
    "guests preferences {agent}",
    "guests duplicates",
    "exceptions list",
    "exceptions show {lost}",
    "queue list",
    "queue stats",
    "queue show {lost}",
    "queue retry",
    "sync status",
    "sync log",
    "sync pause",
    "sync resume",
    "clock status",
    "clock sample",
    f"report day --date {DAY}",
    f"report range --from {DAY} --to {DAY}",
    "books list",
    "books show trattoria",
    f"books show trattoria {DAY}",
    "decision verify {lost}",
    "token list",
    "staff list",
    "config get",
    "doctor",
    "upgrade --check",
]
AT_THE_HUB = ("hub", "venue")


ONE_AFTER_THE_OTHER = """
import shlex, sys
from holdfast.cli import holdfast
for line in sys.argv[1:]:
    try:
        holdfast.main(shlex.split(line))
    except SystemExit as end:
        print(f">>> {end.code}")
"""


def test_nothing_is_longer_than_a_line(scene: Scene):
    lines = [
        shlex.join(
            [
                *command.format(lost=scene.lost, agent=scene.agent[:14]).split(),
                *("--data", str(scene.hub if command.startswith(AT_THE_HUB) else scene.desk)),
            ]
        )
        for command in COMMANDS
    ]
    program = (sys.executable, "-c", ONE_AFTER_THE_OTHER)
    found: dict[str, list[str]] = {}
    said: list[str] = []
    for line in shown(*lines, program=program):
        if line.startswith(">>> "):
            assert (line, bool(said)) == (">>> 0", True), COMMANDS[len(found)]
            found[COMMANDS[len(found)]] = [one for one in said if len(one) > 80]
            said = []
        else:
            said.append(line)
    # A directory's path is as long as it is.
    paths = (str(scene.hub), str(scene.desk))
    long = {
        command: [one for one in said if not any(path in one for path in paths)]
        for command, said in found.items()
    }
    assert long == {command: [] for command in COMMANDS}


def test_an_agent_id_is_short_in_a_list_and_good_to_be_typed(scene: Scene, run: Run):
    [line] = [one for one in shown("guests", "find", "zinaida", "--data", scene.desk)
              if scene.agent[:14] in one]  # fmt: skip
    short = line.split()[-1]
    assert short == f"{scene.agent[:14]}…"
    found = document(run("guests", "show", short, "--json", "--data", scene.desk))
    assert found["agent_id"] == scene.agent


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_a_list_of_exceptions_never_hides_what_can_be_done(scene: Scene, columns: int):
    lines = shown("exceptions", "list", "--data", scene.desk, COLUMNS=str(columns))
    text = " ".join(" ".join(lines).split())
    for action in ("move", "cancel", "refund-later", "acknowledge"):
        assert action in text, lines


def test_a_narrow_list_of_exceptions_has_the_actions_under_the_row(scene: Scene):
    lines = shown("exceptions", "list", "--data", scene.desk, COLUMNS="70")
    assert "actions" not in lines[0]
    assert lines[-1] == "  actions: move, cancel, refund-later, acknowledge"


def test_a_sentence_is_broken_between_words_and_a_command_nowhere(
    monkeypatch: pytest.MonkeyPatch, terminal: Callable[[int], None],
    capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    said = "The hub is away (`holdfast sync now --data desk` tries), so wait."
    output.say(said)
    assert capsys.readouterr().out == f"{said}\n"
    terminal(30)
    output.say(said)
    assert capsys.readouterr().out.splitlines() == [
        "The hub is away",
        "(`holdfast sync now --data desk`",
        "tries), so wait.",
    ]
    output.say("one ` alone")
    output.say("")
    assert capsys.readouterr().out == "one ` alone\n\n"


@pytest.fixture
def terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[int], None]:
    """Makes standard output a terminal of so many columns."""

    def make(columns: int) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        size = os.terminal_size((columns, 24))
        monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: size)

    return make


NOTHING = {
    "hub nodes": "`holdfast hub invite`",
    "hub invites": "`holdfast hub invite`",
    "reservations list": "`holdfast reserve`",
    "exceptions list": "asked for twice",
    "holds list": "`holdfast holds add`",
    "waitlist list": "`holdfast waitlist add`",
    "blocks list": "`holdfast blocks add`",
    "queue list": "Devices have one",
}


@pytest.mark.parametrize("command", NOTHING)
def test_an_empty_list_says_what_would_put_something_there(command: str, run: Run, hub: Path):
    told = run(*command.split(), "--data", hub)
    assert told.exit_code == 0
    assert NOTHING[command] in told.stdout


def test_an_empty_list_of_allotments_says_who_sells_and_how_to_change_that(
    run: Run, tmp_path: Path
):
    hub = tmp_path / "hub"
    run("hub", "init", "--tenant", "rome", "--data", hub)
    told = run("allotments", "list", "--data", hub).stdout
    assert "the hub's to sell" in told and "`holdfast allotments grant`" in told


def test_an_empty_list_says_where_only_a_filter_is_empty(run: Run, scene: Scene):
    told = run("queue", "list", "--state", "quarantined", "--data", scene.desk).stdout
    assert (
        told == "Nothing in the queue that is quarantined; without --state all of it is listed.\n"
    )
    told = run("reservations", "list", "--date", "2020-01-01", "--data", scene.desk).stdout
    assert told == "No reservation fits; with fewer filters there may be more.\n"


def shown(*words: object, **environment: Any) -> list[str]:
    """The lines of a command's output on a terminal, without blanks at their ends."""
    text = on_a_terminal(*words, NO_COLOR="1", **environment)
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()]
