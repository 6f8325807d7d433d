"""A hub, a front desk and a cut network, told by commands in processes of their own."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import DAY, PROGRAM, ROOT, Run, Running, document, make_hub, program

Serve = Callable[[str, Path], Running]
Desk = tuple[Path, Path, Running]


def join(run: Run, hub: Path, url: str, name: str, role: str, directory: Path) -> Path:
    """A node made by the commands that `hub invite` leads to."""
    invited = program(
        *("hub", "invite", "--venue", "trattoria", "--role", role, "--name", name, "--data", hub)
    )
    code = invited.stdout.split()[-1]
    joined = program("node", "join", url, "--code", code, "--data", directory)
    assert joined.returncode == 0, joined.stderr
    assert f"holdfast node run --data {directory}" in joined.stdout
    return directory


@pytest.fixture
def desk(run: Run, serve: Serve, tmp_path: Path) -> Desk:
    """A served hub and a front desk that has joined it: (hub, desk, the hub's process)."""
    hub = make_hub(tmp_path / "hub")
    running = serve("hub", hub)
    return hub, join(run, hub, running.url, "desk", "front-desk", tmp_path / "desk"), running


def reserve(directory: Path, *words: object) -> list[object]:
    return [
        *("reserve", "--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2),
        *words,
        *("--json", "--data", directory),
    ]


def test_what_the_desk_holds_is_guaranteed_while_the_hub_is_gone(run: Run, desk: Desk):
    hub, front, running = desk
    running.stop()
    shown = run("reserve", "--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2,
                "--wait", 5, "--data", front)  # fmt: skip
    assert shown.exit_code == 0, shown.stderr
    assert "confirmed (guaranteed)" in shown.stdout
    made = document(run("reservations", "list", "--json", "--data", front))["items"][0]
    assert made["resources"] == ["T1"], "its own before any other that fits"
    asked = run("reserve", "--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2,
                "--resource", "T1", "--data", hub)  # fmt: skip
    assert "waiting for desk (provisional)" in asked.stdout


def test_what_the_hub_asks_of_the_desk_is_the_desks_to_decide(run: Run, serve: Serve, desk: Desk):
    hub, front, _ = desk
    won = document(run(*reserve(front, "--resource", "T1")))
    lost = document(run(*reserve(hub, "--resource", "T1")))
    assert (lost["status"], lost["waits_for"]) == ("commit_pending", "desk")
    for _ in range(2):
        assert run("sync", "now", "--data", front).exit_code == 0
    shown = run("reservations", "show", lost["code"], "--data", hub).stdout
    assert "could not be had" in shown
    assert f"{won['code']} (confirmed (guaranteed), T1)" in shown
    checked = document(run("decision", "verify", lost["code"], "--json", "--data", hub))
    assert (checked["ok"], checked["by"], checked["verdict"]) == (True, "desk", "displaced")


def test_for_the_rest_offline_is_provisional_and_the_exchange_decides(run: Run, desk: Desk):
    hub, front, _ = desk
    made = document(run(*reserve(front, "--resource", "T3")))
    assert (made["status"], made["assurance"]) == ("commit_pending", "provisional")
    shown = run("reservations", "show", made["code"], "--data", front).stdout
    assert "waiting for the hub (provisional)" in shown
    assert document(run("queue", "stats", "--json", "--data", front))["counts"]["queued"] >= 1
    done = document(run("sync", "now", "--json", "--data", front))
    assert done["pushed"] >= 1
    after = document(run("reservations", "show", made["code"], "--json", "--data", front))
    assert (after["status"], after["assurance"]) == ("confirmed", "admitted")
    there = document(run("reservations", "show", made["id"], "--json", "--data", hub))
    assert there["status"] == "confirmed"
    checked = document(run("decision", "verify", made["code"], "--json", "--data", front))
    assert checked["ok"] is True


def test_a_hub_that_is_gone_is_status_3_and_nothing_is_lost(run: Run, desk: Desk):
    _, front, running = desk
    running.stop()
    made = document(run(*reserve(front)))
    done = run("sync", "now", "--data", front)
    assert done.exit_code == 3
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert document(run("reservations", "show", made["id"], "--json", "--data", front)) is not None


def test_a_pause_cuts_the_network_until_it_is_ended(run: Run, desk: Desk):
    _, front, _ = desk
    assert document(run("sync", "pause", "--json", "--data", front))["state"] == "paused"
    assert run("sync", "now", "--data", front).exit_code == 3
    assert run("sync", "resume", "--data", front).exit_code == 0
    assert run("sync", "now", "--data", front).exit_code == 0


def test_guest_data_can_stay_out_of_the_list_of_processes(run: Run, desk: Desk, tmp_path: Path):
    _, front, _ = desk
    card = {"name": "Ann [bold]Smith", "phone": "+39061234567"}
    made = document(run(*reserve(front, "--guest", "-"), stdin=json.dumps(card)))
    assert made["guest"]["name"] == "Ann [bold]Smith"
    file = tmp_path / "guest.json"
    file.write_text(json.dumps({"name": "Bo"}), "utf-8")
    again = document(run(*reserve(front, "--guest", file)))
    assert again["guest"]["name"] == "Bo"
    shown = run("reservations", "list", "--data", front)
    assert "Ann [bold]Smith" in shown.stdout
    log = "".join(path.read_text("utf-8") for path in (front / "log").iterdir())
    assert "Ann" not in log
    assert "061234567" not in log


@pytest.mark.parametrize("content", ["", "[]", "{", '"Ann Smith"'])
def test_a_guest_file_that_is_none_is_refused_without_being_quoted(
    content: str, run: Run, hub: Path
):
    done = run(*reserve(hub, "--guest", "-"), stdin=content)
    assert done.exit_code == 2
    assert "Ann" not in done.stderr


def test_the_life_of_a_reservation_by_commands(run: Run, desk: Desk):
    hub, _, _ = desk
    made = document(run(*reserve(hub, "--resource", "T3")))
    code = made["code"]

    def step(*words: object) -> str:
        after = document(run("reservations", *words, "--json", "--data", hub))
        return str(after["status"])

    moved = document(
        run("reservations", "move", code, "--at", f"{DAY}T20:30", "--json", "--data", hub)
    )
    assert moved["starts_at"].startswith(f"{DAY}T20:30:00+0")
    assert step("check-in", code, "--party", 3) == "checked_in"
    assert step("complete", code) == "completed"
    other = document(run(*reserve(hub, "--resource", "T4")))
    assert (
        step("cancel", other["code"], "--reason", "guest_request", "--by", "guest") == "cancelled"
    )
    refused = run("reservations", "check-in", other["code"], "--data", hub)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: ")


def test_what_is_taken_is_refused_with_what_is_free_instead(run: Run, hub: Path):
    assert run(*reserve(hub, "--resource", "T8")).exit_code in (0, 1)
    first = run(*reserve(hub, "--resource", "T1"))
    assert first.exit_code == 0, first.stderr
    second = run(*reserve(hub, "--resource", "T1"))
    assert second.exit_code == 1
    assert "T1" in second.stderr
    assert re.search(rf"free instead: \w{{3}} {DAY}", second.stderr)


def test_the_queue_and_a_page_can_be_taken_out_as_files(run: Run, desk: Desk, tmp_path: Path):
    _, front, _ = desk
    document(run(*reserve(front)))
    target = tmp_path / "queue.json"
    assert run("queue", "export", target, "--data", front).exit_code == 0
    assert json.loads(target.read_text("utf-8"))["items"]
    assert target.stat().st_mode & 0o077 == 0
    assert run("queue", "export", target, "--data", front).exit_code == 2, "nothing is overwritten"
    page = tmp_path / "page.bin"
    done = run("books", "export", "trattoria", page, "--node", "desk", "--data", front)
    assert done.exit_code == 0, done.stderr
    from pycrdt import Array, Doc

    opened: Any = Doc()
    opened["entries"] = entries = Array[Any]()
    opened.apply_update(page.read_bytes())
    assert len(entries) > 0


def test_a_backup_of_a_running_hub_verifies_and_becomes_another_life(
    run: Run, desk: Desk, tmp_path: Path
):
    hub, _, _ = desk
    made = document(run(*reserve(hub)))
    file, restored = tmp_path / "hub.backup", tmp_path / "restored"
    assert run("backup", file, "--data", hub).exit_code == 0
    assert document(run("audit", "verify", file, "--json"))["ok"] is True
    done = run("restore", file, "--data", restored)
    assert done.exit_code == 0, done.stderr
    again = document(run("reservations", "show", made["id"], "--json", "--data", restored))
    assert again["code"] == made["code"]
    refused = run("restore", file, "--data", restored)
    assert refused.exit_code == 1
    assert "not empty" in refused.stderr


def test_a_damaged_record_is_found_and_named(run: Run, hub: Path, tmp_path: Path):
    file = tmp_path / "copy"
    assert run("backup", file, "--data", hub).exit_code == 0
    import sqlite3

    with sqlite3.connect(file) as database:
        entry = database.execute("SELECT seq, entry FROM journal ORDER BY seq").fetchall()[1]
        changed = entry[1][:-1] + bytes([entry[1][-1] ^ 1])
        database.execute("UPDATE journal SET entry = ? WHERE seq = ?", (changed, entry[0]))
    database.close()
    done = run("audit", "verify", file)
    assert done.exit_code == 1
    assert "entry 2" in done.stderr
    assert json.loads(run("audit", "verify", file, "--json").stdout)["ok"] is False


def test_two_commands_at_once_both_get_through(hub: Path):
    words = [str(word) for word in ("token", "create", "--role", "staff", "--data", hub, "--json")]
    started = [
        subprocess.Popen([*PROGRAM, *words, "--name", name], cwd=ROOT, stdout=subprocess.PIPE)
        for name in ("one", "two")
    ]
    outputs = [one.communicate(timeout=60)[0] for one in started]
    assert [one.returncode for one in started] == [0, 0]
    assert {json.loads(text)["name"] for text in outputs} == {"one", "two"}


def test_a_nodes_process_is_ready_without_its_hub(serve: Serve, desk: Desk, run: Run):
    _, front, hub_process = desk
    hub_process.stop()
    running = serve("node", front)
    assert running.first_line.startswith("ready http://127.0.0.1:")
    made = document(run(*reserve(front, "--resource", "T3")))
    assert made["status"] == "commit_pending"
    done = run("sync", "now", "--data", front)
    assert done.exit_code == 3, done.output
    status, errors = running.stop()
    assert (status, errors) == (0, "")
