"""What takes something from a device asks once more at a terminal, and names what is at stake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from holdfast.commands import asking_first
from holdfast.commands.words import status_words
from tests.cli.support import DAY, Run, Running, document, make_hub
from tests.cli.test_story import join

Serve = Callable[[str, Path], Running]


@pytest.fixture
def places(run: Run, serve: Serve, tmp_path: Path) -> tuple[Path, Path]:
    """A served hub and a front desk that has T1 and T2 from it, and has sold T1."""
    hub = make_hub(tmp_path / "hub")
    desk = join(run, hub, serve("hub", hub).url, "desk", "front-desk", tmp_path / "desk")
    at = ("--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2, "--resource", "T1")
    assert run("reserve", *at, "--data", desk).exit_code == 0
    assert run("sync", "now", "--data", desk).exit_code == 0
    return hub, desk


def test_a_terminal_is_asked_and_told_what_is_at_stake_and_a_script_is_not(
    run: Run, places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
):
    hub, _ = places
    asked: list[str] = []

    def decline(text: str, *, abort: bool, err: bool) -> None:
        assert abort and err, "standard output is for the answer alone"
        asked.append(text)
        raise click.Abort

    monkeypatch.setattr(click, "confirm", decline)
    [right] = document(run("allotments", "list", "--json", "--data", hub))["items"]
    revoke = ("hub", "revoke", "desk", "--reason", "lost", "--data", hub)
    take = ("allotments", "revoke", right["id"], "--reason", "lost", "--data", hub)
    with monkeypatch.context() as terminal:
        terminal.setattr(asking_first, "at_a_terminal", lambda: True)
        for words in (revoke, take):
            done = run(*words)
            assert done.exit_code == 130
            told = " ".join(done.stderr.split())
            assert "desk: last seen" in told
            assert "T1, T2; of these 1 place is sold and lies ahead" in told
        assert asked == ["Shut desk out?", "Take it back without its holder?"]
        [node] = document(run("hub", "nodes", "--json", "--data", hub))["items"]
        assert node["revoked"] is False
        assert run(*take, "--yes").exit_code == 0
    assert run(*revoke).exit_code == 0, "nobody is asked where standard input is no terminal"
    assert len(asked) == 2


def test_a_hub_that_recovers_says_who_was_heard_and_ends_it_only_when_told_to(
    run: Run, serve: Serve, places: tuple[Path, Path], tmp_path: Path
):
    hub, _ = places
    backup, restored = tmp_path / "hub.backup", tmp_path / "restored"
    assert run("backup", backup, "--data", hub).exit_code == 0
    assert run("restore", backup, "--data", restored).exit_code == 0
    looked = document(run("hub", "recover", "--dry-run", "--json", "--data", restored))
    [before] = looked["before"]
    assert (looked["state"], looked["ended"]) == ("recovering", [])
    assert [one["name"] for one in before["not_heard"]] == ["desk"]
    assert before["not_heard"][0]["last_seen_at"]
    told = run("hub", "recover", "--data", restored).stdout
    assert "NOT heard: desk, last seen" in told
    assert "nothing was changed" in told
    both = run("hub", "recover", "--proceed", "--dry-run", "--data", restored)
    assert both.exit_code == 2
    told = run("hub", "recover", "--proceed", "--data", restored).stdout
    assert "trattoria: the recovery has ended just now" in told
    assert "Shut out, as they were not heard: desk." in told
    assert "nothing to end" in run("hub", "recover", "--data", restored).stdout


def test_a_lost_promise_reads_otherwise_than_a_refused_wish():
    failed = {"status": "commit_failed", "assurance": "none"}
    lost = failed | {"lost_promise": {"how": "revoked", "by": "desk", "words": "was promised"}}
    assert status_words(failed) == "could not be had"
    assert status_words(lost, brief=True) == "PROMISED, and lost"
