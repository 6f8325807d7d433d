"""The demo is the product's first impression: it must tell the truth, end, and leave nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.demo import program

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-m", "holdfast", "demo"]


def environment(temporary: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), "COLUMNS": "80", **more}


def run(temporary: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        cwd=ROOT,
        env=environment(temporary, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_the_story_is_told_in_plain_words_on_80_columns_and_every_claim_holds(tmp_path: Path):
    done = run(tmp_path, "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for words in (
        "1. All connected",
        "2. The network is cut",
        "3. The network heals",
        "4. Three books, one content",
        "5. Every reservation",
        "moved T3 → T4",
        "moved T2 → T1",
        "guaranteed: the desk's own",
        "claims of the story held",
    ):
        assert words in done.stdout
    assert "NOT SO" not in done.stdout
    assert "\x1b" not in done.stdout, "no colours in a pipe"
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert list(tmp_path.iterdir()) == [], "the temporary directory is gone"


@pytest.mark.slow
def test_the_same_story_as_one_json_document(tmp_path: Path):
    done = run(tmp_path, "--once", "--json")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["ok"] is True
    assert told["seconds"] < 40
    assert len(told["claims"]) >= 20
    fates = [(one["guest"], one["promised"], one["status"]) for one in told["reservations"]]
    assert ("Elena Riva", "guaranteed", "confirmed") in fates, "sold by the desk while cut off"
    assert ("Gina Galli", "guaranteed", "confirmed") in fates, "sold by the hub"
    assert ("Hugo Berti", "provisional", "confirmed") in fates, "asked of the desk"
    assert ("Carla Conti", "provisional", "commit_failed") in fates
    assert sum(status == "confirmed" for _, _, status in fates) == 8
    untouched = [one for one in told["reservations"] if one["promised"] == "guaranteed"]
    assert len(untouched) == 3
    assert all(one["resources"] == [one["asked"]] and not one["decision"] for one in untouched)
    assert len(set(told["digests"].values())) == 1


def interruptible() -> None:
    """Shells start what runs in the background with SIGINT ignored; here it counts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_once_it_stays_up_until_it_is_told_to_stop_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals
):
    with subprocess.Popen(
        [*COMMAND, "--json"],
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,  # noqa: PLW1509 - no thread runs here
    ) as process:
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line
            if line == "}\n":
                break
        assert text, process.communicate(timeout=60)[1]
        told = json.loads(text)
        assert process.poll() is None
        run_files = [Path(one["data"]) / "holdfast.run" for one in told["machines"]]
        pids = [int(json.loads(file.read_text("utf-8"))["pid"]) for file in run_files]
        assert len(set(pids)) == 3
        assert all(map(is_alive, pids))
        shown = subprocess.run(
            [sys.executable, "-m", "holdfast", "queue", "stats", "--json"],
            cwd=ROOT,
            env=environment(tmp_path, HOLDFAST_DATA=told["machines"][1]["data"]),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert json.loads(shown.stdout)["counts"]["queued"] == 0
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "stay up until Ctrl-C" in errors
    assert errors.count("\n") == 1
    assert not any(map(is_alive, pids))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_it_tells_people_to_type_next_works_as_it_is_printed(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    with subprocess.Popen(
        COMMAND,
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        told: list[str] = []
        for line in process.stdout:
            told.append(line)
            if line.startswith("For programs:"):
                break
        first = next(n for n, line in enumerate(told) if line.startswith("Copy these lines"))
        typed = "".join(line for line in told[first + 1 :] if line.startswith(("  ", "#")))
        assert typed.count("  holdfast ") >= 8
        done = subprocess.run(
            ["bash", "-c", f"set -e\n{typed}"],
            cwd="/",
            env={"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "could not be had" in done.stdout
    assert list(home.iterdir()) == [], "nothing is written into the home directory"


class TestTheProgram:
    """What `holdfast` is called in a line to be copied."""

    def test_is_its_name_where_the_path_leads_to_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        here = installed(tmp_path, monkeypatch)
        monkeypatch.setenv("PATH", str(here.parent))
        assert (program.command(), program.setting_up()) == ("holdfast", [])

    def test_is_found_from_here_and_by_activating_where_the_path_does_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        here = installed(tmp_path, monkeypatch)
        monkeypatch.setenv("PATH", "/usr/bin")
        monkeypatch.chdir(tmp_path)
        assert program.command() == "'my env/bin/holdfast'"
        assert program.setting_up() == [f"export PATH='{here.parent}':$PATH"]
        here.with_name("activate").touch()
        assert program.setting_up() == [f". '{here.with_name('activate')}'"]

    def test_is_a_module_where_there_is_no_program(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        installed(tmp_path, monkeypatch).unlink()
        assert program.command().endswith("/python' -m holdfast")
        assert program.setting_up()[0].startswith("holdfast() {")


def installed(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a blank in its path, whose Python is the one that runs."""
    directory = place / "my env" / "bin"
    directory.mkdir(parents=True)
    here = directory / "holdfast"
    here.touch(0o755)
    monkeypatch.setattr(sys, "executable", str(directory / "python"))
    return here


def test_a_claim_that_does_not_hold_is_named_and_gives_status_1(
    capsys: pytest.CaptureFixture[str],
):
    from holdfast.demo.story import Claim
    from holdfast.demo.telling import Telling

    telling = Telling()
    telling.claim("no table is promised twice", held=False)
    telling.verdict([Claim("it ends", True), Claim("no table is promised twice", False)], 1.0)
    shown = capsys.readouterr().out
    assert "NOT SO: no table is promised twice" in shown
    assert "1 of 2 claims did not hold" in shown


def test_the_sample_restaurant_is_the_one_of_the_examples():
    packaged = (ROOT / "holdfast" / "demo" / "venue.yaml").read_text("utf-8")
    example = (ROOT / "examples" / "trattoria.yaml").read_text("utf-8")
    assert yaml.safe_load(packaged) == yaml.safe_load(example)
