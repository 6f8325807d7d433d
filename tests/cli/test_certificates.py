"""The root key in a safe, rotated keys and open join codes, at the command line."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.commands import secrets
from tests.cli.support import PROGRAM, ROOT, Run, Running, document, make_hub, program
from tests.cli.test_story import join

Serve = Callable[[str, Path], Running]
PASSPHRASE = "a few good words"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return make_hub(tmp_path / "hub")


def failed(run: Run, *words: object, stdin: str | None = None) -> str:
    done = run(*words, stdin=stdin)
    assert done.exit_code == 1, done.output
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.strip().splitlines()) == 1
    return done.stderr


def test_the_root_key_goes_into_a_safe_and_comes_back_for_what_needs_it(
    run: Run, hub: Path, tmp_path: Path
) -> None:
    safe = tmp_path / "root.pem"
    export = ("hub", "export-root", safe, "--remove", "--passphrase-stdin", "--data", hub)
    told = run(*export, stdin=f"{PASSPHRASE}\n")
    assert told.exit_code == 0, told.output
    assert PASSPHRASE not in told.output
    assert b"ENCRYPTED PRIVATE KEY" in safe.read_bytes()
    assert not (hub / "keys" / "root.pem").exists()
    again = tmp_path / "again.pem"
    assert "kept offline already" in failed(
        run, "hub", "export-root", again, "--plain", "--data", hub
    )
    renew = ("hub", "renew-issuer", "--root", safe, "--data", hub)
    assert "does not open" in failed(run, *renew, stdin="not this one\n")
    assert "passphrase: is needed" in failed(run, *renew, stdin="")
    assert "--passphrase-stdin" in failed(run, *renew, stdin="")
    assert document(run(*renew, "--json", stdin=f"{PASSPHRASE}\n"))["ends_at"]
    told = run(*renew, "--passphrase-stdin", "--json", stdin=f"{PASSPHRASE}\n")
    assert document(told)["ends_at"]
    init = ("hub", "init", "--tenant", "rome", "--root", safe, "--data", tmp_path / "rebuilt")
    assert "does not open" in failed(run, *init, stdin="not this one\n")
    done = run(*init, stdin=f"{PASSPHRASE}\n")
    assert done.exit_code == 0, done.output
    assert "hub recover" in done.stdout


@pytest.mark.parametrize(
    ("stdin", "said"), [("", "is needed"), ("\n", "is needed"), ("short\n", "12 characters")]
)
def test_without_a_good_passphrase_nothing_is_written(
    run: Run, hub: Path, tmp_path: Path, stdin: str, said: str
) -> None:
    file = tmp_path / "root.pem"
    export = ("hub", "export-root", file, "--remove", "--passphrase-stdin", "--data", hub)
    assert said in failed(run, *export, stdin=stdin)
    assert not (tmp_path / "root.pem").exists()
    assert (hub / "keys" / "root.pem").exists()


@pytest.mark.parametrize(("how", "said"), [(("--plain",), ""), ((), "not encrypted")])
def test_in_clear_where_nobody_gives_a_passphrase(
    run: Run, hub: Path, tmp_path: Path, how: tuple[str, ...], said: str
) -> None:
    """A program that runs this is not waited for, whatever its standard input has."""
    file = tmp_path / "root.pem"
    done = run("hub", "export-root", file, *how, "--data", hub, stdin="not asked for\n")
    assert done.exit_code == 0
    assert said in done.stderr
    assert bool(said) is bool(done.stderr)
    assert file.read_bytes() == (hub / "keys" / "root.pem").read_bytes()
    # A plain file of an earlier export is good enough to remove the key by.
    assert run("hub", "export-root", file, "--remove", "--data", hub).exit_code == 0
    assert not (hub / "keys" / "root.pem").exists()


def test_at_a_terminal_the_passphrase_is_asked_twice_and_not_shown(
    hub: Path, tmp_path: Path
) -> None:
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "hub", "export-root", str(tmp_path / "root.pem"), "--data", str(hub)],
        cwd=ROOT, env={**os.environ}, stdin=terminal, stdout=terminal, stderr=terminal,
        start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    for asked in (1, 2):
        # What is typed before it is asked for is thrown away.
        while shown.count(b": ") < asked:
            shown += os.read(master, 1024)
        os.write(master, PASSPHRASE.encode() + b"\n")
    try:
        while chunk := os.read(master, 1024):
            shown += chunk
    except OSError:
        pass  # How a terminal says that the other end is closed.
    os.close(master)
    assert process.wait(timeout=30) == 0, shown
    assert PASSPHRASE.encode() not in shown
    assert b"ENCRYPTED" in (tmp_path / "root.pem").read_bytes()


def test_keys_are_rotated_while_the_hub_and_the_device_run(
    run: Run, serve: Serve, hub: Path, tmp_path: Path
) -> None:
    running = serve("hub", hub)
    desk = join(run, hub, running.url, "desk", "front-desk", tmp_path / "desk")
    before = {place: (place / "keys" / "node.pem").read_bytes() for place in (hub, desk)}
    serve("node", desk)
    for role, place in (("hub", hub), ("node", desk)):
        done = document(run(role, "rotate-key", "--json", "--data", place))
        assert done["state"] == "good"
        assert (place / "keys" / "node.pem").read_bytes() != before[place]
    assert document(run("sync", "now", "--json", "--data", desk))["books_differing"] == []
    assert "certificate" in run("node", "status", "--data", desk).stdout
    for place in (hub, desk):
        assert run("audit", "verify", "--data", place).exit_code == 0
        assert run("doctor", "--data", place).exit_code == 0


def test_open_codes_are_listed_and_withdrawn(run: Run, hub: Path) -> None:
    invite = ("hub", "invite", "--venue", "trattoria", "--role", "kiosk", "--data", hub)
    codes = [document(run(*invite, "--name", name, "--json"))["code"] for name in ("a", "b", "b")]
    shown = run("hub", "invites", "--data", hub)
    assert shown.exit_code == 0
    assert not any(code[9:] in shown.output for code in codes), "nothing that opens anything"
    listed = document(run("hub", "invites", "--json", "--data", hub))["items"]
    assert sorted(one["name"] for one in listed) == ["a", "b", "b"]
    withdrawn = run("hub", "invites", "--withdraw", "b", "--data", hub)
    assert withdrawn.stdout.startswith("2 withdrawn")
    left = document(run("hub", "invites", "--json", "--data", hub))["items"]
    assert [one["name"] for one in left] == ["a"]
    assert "hub invites" in failed(run, "hub", "invites", "--withdraw", "b", "--data", hub)


def test_no_passphrase_is_ever_an_argument() -> None:
    for command in ("export-root", "renew-issuer", "init"):
        told = program("hub", command, "--help").stdout
        assert "--passphrase-stdin" in told
        assert re.search("--passphrase(?!-stdin)", told) is None


def test_at_a_terminal_a_passphrase_from_standard_input_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = io.StringIO(f"{PASSPHRASE}\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("click.prompt", lambda *_, **__: pytest.fail("asked"))
    assert secrets.read_passphrase(from_stdin=True) == PASSPHRASE.encode()
