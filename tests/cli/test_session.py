"""A command finds the directory's process, or does without it; both answer the same."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.commands import session
from holdfast.model.errors import DirectoryError, DirectoryInUse, Unreachable
from holdfast.store.database import DirectoryLock
from tests.cli.support import DAY, DAYS, Run, Running, document, make_hub, program
from tests.cli.test_commands import loaded_after

Serve = Callable[[str, Path], Running]


def reserve(directory: Path, at: str) -> list[object]:
    """The words of a reservation for two at the sample venue."""
    return [
        *("reserve", "--venue", "trattoria", "--party", 2, "--at", at),
        *("--data", directory, "--json"),
    ]


def test_a_command_answers_the_same_whether_the_process_runs_or_not(
    run: Run, serve: Serve, tmp_path: Path
):
    hub = make_hub(tmp_path / "hub")
    made = document(run(*reserve(hub, f"{DAY}T19:30")))
    questions = [
        ["reservations", "show", made["code"]],
        ["reservations", "list", "--date", DAY],
        ["venue", "show", "trattoria"],
        ["books", "show", "trattoria"],
        ["audit", "list", "--reservation", made["id"]],
        ["audit", "verify"],
        ["decision", "verify", made["code"]],
        ["config", "get"],
    ]

    def answers() -> list[tuple[int, str, str]]:
        done = [run(*words, "--json", "--data", hub) for words in questions]
        return [(one.exit_code, one.stdout, one.stderr) for one in done]

    alone = answers()
    running = serve("hub", hub)
    assert running.first_line.startswith("ready http://127.0.0.1:")
    assert session.running_process(hub) is not None
    assert answers() == alone


def test_what_is_written_through_the_process_is_there_without_it(
    run: Run, serve: Serve, tmp_path: Path
):
    hub = make_hub(tmp_path / "hub")
    running = serve("hub", hub)
    made = document(run(*reserve(hub, f"{DAY}T19:30")))
    assert running.stop() == (0, "")
    assert not (hub / "holdfast.run").exists()
    assert document(run("reservations", "show", made["id"], "--json", "--data", hub)) == made


def test_a_key_is_remembered_across_both_ways(run: Run, serve: Serve, tmp_path: Path):
    hub = make_hub(tmp_path / "hub")
    words = [*reserve(hub, f"{DAY}T19:30"), "--key", "once"]
    first = document(run(*words))
    serve("hub", hub)
    assert document(run(*words))["id"] == first["id"]


def test_talking_to_a_running_process_loads_no_web_framework(serve: Serve, tmp_path: Path):
    hub = make_hub(tmp_path / "hub")
    serve("hub", hub)
    program_text = f"""
import contextlib, io
from holdfast.cli import holdfast
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    holdfast.main(["venue", "list", "--data", {str(hub)!r}])
"""
    loaded = loaded_after(program_text)
    assert "httpx" in loaded, "the process was not asked"
    assert loaded & {"litestar", "pycrdt", "uvicorn", "sqlite3"} == set()


def test_ctrl_c_ends_a_process_quietly(serve: Serve, tmp_path: Path):
    running = serve("hub", make_hub(tmp_path / "hub"))
    status, errors = running.stop(signal.SIGINT)
    assert status in (0, 130)
    assert errors.strip() == ""


def test_a_run_file_that_kill_9_left_behind_misleads_nobody(run: Run, tmp_path: Path):
    hub = make_hub(tmp_path / "hub")
    (hub / "holdfast.run").write_text('{"url": "http://127.0.0.1:9", "pid": 1}', "utf-8")
    assert run("venue", "list", "--data", hub).exit_code == 0


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"url": 1}', '{"url": "x", "pid": "y"}']
)
def test_a_run_file_that_is_not_whole_counts_as_none(
    content: str, run: Run, tmp_path_factory: pytest.TempPathFactory
):
    directory = tmp_path_factory.mktemp("run")
    (directory / "holdfast.run").write_text(content, "utf-8")
    assert session.running_process(directory) is None


def test_a_second_process_of_a_directory_is_refused_and_told_where_the_first_is(
    serve: Serve, tmp_path: Path
):
    hub = make_hub(tmp_path / "hub")
    running = serve("hub", hub)
    done = program("hub", "run", "--data", hub, "--port", 0)
    assert done.returncode == 1
    assert running.url in done.stderr


def test_a_directory_that_somebody_else_holds_is_waited_for_and_then_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    hub = make_hub(tmp_path / "hub")
    monkeypatch.setattr(session, "COMMAND_PATIENCE_SECONDS", 0.0)
    lock = DirectoryLock(hub)
    lock.acquire()
    try:
        with pytest.raises(DirectoryInUse, match=str(hub)):
            session.open_session(hub)
    finally:
        lock.release()
    session.open_session(hub).close()


def test_a_proxy_of_the_environment_never_sees_the_admin_token(
    run: Run, serve: Serve, tmp_path: Path
):
    hub = make_hub(tmp_path / "hub")
    serve("hub", hub)
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
    assert run("venue", "list", "--data", hub, **proxies).exit_code == 0


def test_without_the_admin_token_the_way_out_is_named(tmp_path: Path, serve: Serve):
    hub = make_hub(tmp_path / "hub")
    serve("hub", hub)
    (hub / "admin-token").unlink()
    with pytest.raises(DirectoryError, match="admin-token is missing"):
        session.open_session(hub)


def test_a_process_that_dies_under_a_command_is_status_3(serve: Serve, tmp_path: Path):
    hub = make_hub(tmp_path / "hub")
    running = serve("hub", hub)
    with session.open_session(hub) as opened:
        running.stop()
        with pytest.raises(Unreachable, match="is it still running"):
            opened.get("/venues")


def test_a_list_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run):
    hub = make_hub(tmp_path / "hub")
    codes = [document(run(*reserve(hub, f"{day}T19:30")))["code"] for day in DAYS]
    monkeypatch.setattr(session, "LIST_LIMIT_MAX", 1)
    listed = document(run("reservations", "list", "--json", "--data", hub))
    assert [one["code"] for one in listed["items"]] == codes
    assert listed["next"] is None
    two = document(run("reservations", "list", "--limit", 2, "--json", "--data", hub))
    assert [one["code"] for one in two["items"]] == codes[:2]


def test_a_name_with_a_slash_reaches_no_other_path(run: Run, hub: Path):
    done = run("venue", "show", "../status", "--data", hub)
    assert done.exit_code == 1
    assert done.stdout == ""


def test_the_answer_of_a_command_is_json_of_the_interface(run: Run, hub: Path):
    assert json.loads(run("venue", "list", "--json", "--data", hub).stdout)["next"] is None
