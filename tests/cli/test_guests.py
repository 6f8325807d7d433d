"""Guests on the command line: found, shown, handed over, forgotten; another key for the venue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from holdfast.commands import guests, session
from holdfast.commands.naming import shown_chars
from tests.cli.support import DAY, Run, Running, document, make_hub, program

NAME = "Zinaida Quellwasser"


@pytest.fixture
def desk(serve: Callable[[str, Path], Running], tmp_path: Path) -> Path:
    """A front desk whose hub is served."""
    hub = make_hub(tmp_path / "hub")
    running = serve("hub", hub)
    invited = program("hub", "invite", "--venue", "trattoria", "--role", "front-desk",
                      "--name", "desk", "--data", hub)  # fmt: skip
    directory = tmp_path / "desk"
    joined = program("node", "join", running.url, "--code", invited.stdout.split()[-1],
                     "--data", directory)  # fmt: skip
    assert joined.returncode == 0, joined.stderr
    return directory


def reserve(run: Run, desk: Path) -> dict[str, str]:
    found: dict[str, str] = document(
        run("reserve", "--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2,
            "--guest-name", NAME, "--guest-phone", "+39 055 123456", "--json", "--data", desk)
    )  # fmt: skip
    return found


def test_a_guest_from_the_first_word_to_the_last(run: Run, desk: Path):
    made = reserve(run, desk)
    agent = made["agent_id"]
    for text, stdin in (("quell", None), ("055 123456", None), ("-", f"{NAME}\n")):
        shown = run("guests", "find", text, "--data", desk, stdin=stdin)
        assert NAME in shown.stdout and agent in shown.stdout, shown.output
    assert run("guests", "find", "nobody", "--data", desk).stdout == "No guest found for that.\n"
    told = run("guests", "find", "qu", "--data", desk).stdout
    assert told.startswith("No guest found for that.") and "at least 3 letters" in told
    shown = run("guests", "show", agent, "--data", desk)
    assert NAME in shown.stdout and made["code"] in shown.stdout
    exported = document(run("guests", "export", agent, "--data", desk))
    assert exported["venues"][0]["cards"][0]["guest"]["name"] == NAME

    erased = run("guests", "erase", agent, "--reason", "Guest request", "--data", desk)
    assert erased.exit_code == 0, erased.output
    assert "1 of 2 devices has done it" in erased.stdout
    assert "has not answered yet" in erased.stdout and "Backups" in erased.stdout
    assert run("sync", "now", "--data", desk).exit_code == 0
    (erasure,) = document(run("guests", "erasures", agent, "--json", "--data", desk))["items"]
    assert erasure["complete"] and erasure["reason"] == "guest_request"
    assert "2 of 2 devices have done it" in run("guests", "erasures", "--data", desk).stdout
    shown = run("guests", "show", agent, "--data", desk)
    assert "erased" in shown.stdout and NAME not in shown.stdout
    assert made["code"] in shown.stdout
    audit = document(run("audit", "list", "--json", "--data", desk))["items"]
    assert {"guest.exported", "guest.erased"} <= {one["kind"] for one in audit}


def test_a_guest_is_meant_by_the_beginning_of_the_id_or_by_a_code(run: Run, desk: Path):
    made = reserve(run, desk)
    agent, code = made["agent_id"], made["code"]
    for text in (agent, agent[:12], f"{agent[:14]}…", code):
        shown = document(run("guests", "show", text, "--json", "--data", desk))
        assert shown["agent_id"] == agent
        exported = document(run("guests", "export", text, "--data", desk))
        assert exported["agent_id"] == agent
        listed = run("reservations", "list", "--agent", text, "--json", "--data", desk)
        assert [one["code"] for one in document(listed)["items"]] == [code]
    other = agent[:11] + ("0" if agent[11] != "0" else "1")
    for text, status, said in (
        (agent[:11], 2, "agent_ and 6 to 32"),
        (other, 1, f"begins with {other}"),
        ("RES-2026-AAAAAA", 1, "no agent id and no reservation"),
    ):
        for command in ("show", "export", "erase"):
            reason = ("--reason", "test") if command == "erase" else ()
            refused = run("guests", command, text, *reason, "--data", desk)
            assert (refused.exit_code, said in refused.stderr) == (status, True)


def test_nobody_is_forgotten_by_the_beginning_of_an_id_before_it_was_shown_whole(
    run: Run, desk: Path
):
    made = reserve(run, desk)
    agent, code = made["agent_id"], made["code"]
    erase = ("guests", "erase", "--reason", "test", "--json", "--data", desk)
    for text in (agent[:12], code):
        refused = run(*erase, text)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert f"{text} is {agent} (1 reservation, the last {code})" in refused.stderr
        assert "--yes" in refused.stderr
        assert NAME not in refused.stderr, "what is no terminal may be a log"
    assert document(run("guests", "erasures", "--json", "--data", desk))["items"] == []
    done = run(*erase, code, "--yes")
    assert [one["agent_id"] for one in document(done)["items"]] == [agent]
    assert f"{code} is {agent}" in done.stderr
    assert NAME not in done.stderr


@pytest.mark.parametrize(("answer", "left"), [(True, 1), (False, 0)])
def test_at_a_terminal_one_is_asked_whether_that_is_who_is_meant(
    run: Run, desk: Path, monkeypatch: pytest.MonkeyPatch, answer: bool, left: int
):
    made = reserve(run, desk)
    asked: list[str] = []

    def confirm(text: str, *, abort: bool, err: bool) -> None:
        asked.append(text)
        assert abort and err, "standard output is for the answer alone"
        if not answer:
            raise click.Abort

    monkeypatch.setattr(guests, "_at_a_terminal", lambda: True)
    monkeypatch.setattr(click, "confirm", confirm)
    done = run("guests", "erase", made["code"], "--reason", "test", "--data", desk)
    assert done.exit_code == (0 if answer else 130)
    assert asked[0].startswith(f"{made['code']} is {NAME}, {made['agent_id']}")
    assert NAME not in done.output, "the name is for the question alone"
    erased = document(run("guests", "erasures", "--json", "--data", desk))["items"]
    assert len(erased) == left


def test_who_reads_no_card_is_asked_without_a_name(
    run: Run, desk: Path, monkeypatch: pytest.MonkeyPatch
):
    """The hub holds no key of the venue until a front desk lets it."""
    made = reserve(run, desk)
    assert run("sync", "now", "--data", desk).exit_code == 0
    asked: list[str] = []
    monkeypatch.setattr(guests, "_at_a_terminal", lambda: True)
    monkeypatch.setattr(click, "confirm", lambda text, **_: asked.append(text))
    hub = desk.parent / "hub"
    done = run("guests", "erase", made["code"], "--reason", "test", "--data", hub)
    assert done.exit_code == 0, done.output
    assert asked[0].startswith(f"{made['code']} is {made['agent_id']} (1 reservation")


def test_who_is_forgotten_twice_is_told_of_once(run: Run, desk: Path):
    """The second covers what was written since, so that both are kept, and shown as one."""
    agent = reserve(run, desk)["agent_id"]
    erase = ("guests", "erase", agent, "--reason", "test", "--data", desk)
    assert "asked for 2 times" not in run(*erase).stdout
    for shown in (run(*erase).stdout, run("guests", "erasures", "--data", desk).stdout):
        assert (shown.count(agent), "asked for 2 times" in shown) == (1, True), shown
    kept = document(run("guests", "erasures", "--json", "--data", desk))["items"]
    assert [one["agent_id"] for one in kept] == [agent, agent]


def test_a_short_agent_id_is_long_enough_to_tell_guests_apart():
    assert shown_chars([]) == len("agent_12345678")
    assert shown_chars(["agent_" + "a" * 32, "agent_" + "b" * 32]) == len("agent_12345678")
    alike = ["agent_" + "a" * 10 + "b" * 22, "agent_" + "a" * 10 + "c" * 22]
    assert shown_chars(alike) == len("agent_") + 11


def test_the_venue_gets_another_key_at_the_desk(run: Run, desk: Path):
    reserve(run, desk)
    done = run("venue", "rotate-key", "trattoria", "--data", desk)
    assert "another key as soon as the hub hears of it" in done.stdout, done.output
    again = run("venue", "rotate-key", "trattoria", "--data", desk)
    assert again.exit_code == 1
    assert run("sync", "now", "--data", desk).exit_code == 0
    assert NAME in run("guests", "find", NAME, "--data", desk).stdout


def test_the_hub_is_let_read_after_a_plain_warning_and_not_before(run: Run, desk: Path):
    reserve(run, desk)
    hub = desk.parent / "hub"
    asked = run("venue", "share-key", "trattoria", "--data", desk)
    assert asked.exit_code == 1 and asked.stdout == ""
    for word in ("nothing was done", "every guest of trattoria", "backup", "--proceed"):
        assert word in asked.stderr
    assert run("sync", "now", "--data", desk).exit_code == 0
    assert run("guests", "find", NAME, "--data", hub).exit_code == 1
    done = run("venue", "share-key", "trattoria", "--proceed", "--data", desk)
    assert done.exit_code == 0 and "rotate-key trattoria" in done.stdout, done.output
    assert run("sync", "now", "--data", desk).exit_code == 0
    assert NAME in run("guests", "find", NAME, "--data", hub).stdout
    told = " ".join(run("audit", "list", "--data", hub).stdout.split())
    assert "venue key handed" in told


def test_who_cannot_read_says_where_to_go(run: Run, hub: Path):
    for words in (("find", NAME), ("show", "agent_" + "0" * 32), ("export", "agent_" + "0" * 32)):
        done = run("guests", *words, "--data", hub)
        assert done.exit_code == 1
    refused = program("guests", "find", NAME, "--data", hub)
    assert refused.returncode == 1 and "front desk" in refused.stderr
    assert "Zinaida" not in refused.stderr
    assert run("guests", "erasures", "--data", hub).stdout == "nobody was erased\n"


def test_a_failure_that_nobody_foresaw_leaves_no_name_in_the_log(
    hub: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from holdfast.cli import holdfast

    def fail(_: Path) -> None:
        raise ZeroDivisionError(NAME)

    words = ["guests", "find", "zinaida", "--data", str(hub)]
    monkeypatch.setattr("sys.argv", ["holdfast", *words])
    monkeypatch.setattr(session, "open_session", fail)
    with pytest.raises(SystemExit):
        holdfast.main(words)
    said = capsys.readouterr().err
    log = (hub / "log" / "commands.log").read_text()
    assert "holdfast guests find" in log
    assert "zinaida" not in (log + said).lower()


def test_the_note_of_a_block_is_forgotten_by_the_blocks_code(run: Run, desk: Path):
    """Somebody wrote a guest's name there: it lies sealed under an id that is nobody's."""
    document(
        run("blocks", "add", "--venue", "trattoria", "--resource", "T1", "--kind", "private_event",
            "--at", f"{DAY}T09:00", "--until", f"{DAY}T10:00", "--rrule",
            "FREQ=DAILY;COUNT=2", "--note", NAME, "--json", "--data", desk)
    )  # fmt: skip
    listed = run("blocks", "list", "--venue", "trattoria", "--json", "--data", desk)
    codes = [one["code"] for one in document(listed)["items"]]
    assert len(codes) == 2

    def notes() -> list[str | None]:
        shown = (run("blocks", "show", code, "--json", "--data", desk) for code in codes)
        return [document(one).get("note") for one in shown]

    assert notes() == [NAME, NAME]
    erase = ("guests", "erase", codes[0], "--reason", "test", "--data", desk)
    refused = run(*erase)
    assert refused.exit_code == 2
    assert f"the block {codes[0]} (T1 on {DAY}" in " ".join(refused.stderr.split())
    assert notes() == [NAME, NAME]
    done = run(*erase, "--yes")
    assert done.exit_code == 0, done.output
    assert f"Forgotten is the note of the block {codes[0]}" in " ".join(done.stdout.split())
    assert "all dates of its series" in " ".join(done.stdout.split())
    assert NAME not in done.output
    assert notes() == [None, None]
    assert NAME.encode() not in b"".join(
        file.read_bytes() for file in desk.rglob("*") if file.is_file()
    )
