"""Guests on the command line: found, shown, handed over, forgotten; another key for the venue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.commands import session
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
    assert run("guests", "find", "nobody", "--data", desk).stdout == "nobody is known so\n"
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
