"""Who writes while the hub is out of reach, or has shut the device out, is told what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.support import Run, Running, document, make_hub
from tests.cli.test_story import join, reserve

Serve = Callable[[str, Path], Running]


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return make_hub(tmp_path / "hub")


@pytest.fixture
def hub_process(serve: Serve, hub: Path) -> Running:
    return serve("hub", hub)


@pytest.fixture
def kiosk(run: Run, hub: Path, hub_process: Running, tmp_path: Path) -> Path:
    """A kiosk that has joined; its process does not run."""
    return join(run, hub, hub_process.url, "kiosk", "kiosk", tmp_path / "kiosk")


@pytest.fixture
def shut_out(run: Run, hub: Path, kiosk: Path) -> Path:
    """The same kiosk after the hub has shut it out, and told it so."""
    assert run("hub", "revoke", "kiosk", "--reason", "lost", "--data", hub).exit_code == 0
    refused = run("sync", "now", "--data", kiosk)
    assert refused.exit_code == 1
    assert "shut out" in refused.stderr
    return kiosk


@pytest.mark.parametrize("command", [["node", "status"], ["sync", "status"]], ids=" ".join)
def test_a_device_that_was_shut_out_says_so_and_what_to_do(
    command: list[str], run: Run, shut_out: Path
):
    done = run(*command, "--data", shut_out)
    assert "SHUT OUT by the hub" in done.stdout
    assert "holdfast hub invite --venue trattoria --role kiosk --name kiosk" in done.stdout
    assert "holdfast node rejoin --code CODE" in done.stdout


def test_programs_get_the_reason_beside_a_state_of_the_contract(run: Run, shut_out: Path):
    told = document(run("sync", "status", "--json", "--data", shut_out))
    assert told["state"] == "offline"
    assert told["reason"] == "revoked"
    assert "reaches nobody" in told["detail"]
    assert [line.split()[:3] for line in told["way_out"]] == [
        ["holdfast", "hub", "invite"],
        ["holdfast", "node", "rejoin"],
    ]


def test_the_log_of_the_exchange_says_it_once(run: Run, shut_out: Path):
    run("sync", "now", "--data", shut_out)
    events = document(run("sync", "log", "--json", "--data", shut_out))["items"]
    assert [one["event"] for one in events].count("shut-out") == 1


def test_what_is_written_on_it_is_kept_with_a_warning(run: Run, shut_out: Path):
    done = run(*reserve(shut_out))
    made = document(done)
    assert "reaches nobody" in done.stderr
    assert done.stderr.startswith("warning: ")
    kept = run("reservations", "show", made["code"], "--data", shut_out)
    assert "provisional" in kept.stdout
    cancelled = run(
        *("reservations", "cancel", made["code"], "--reason", "guest_request"),
        *("--data", shut_out),
    )
    assert cancelled.exit_code == 0
    assert "reaches nobody" in cancelled.stderr


def test_a_device_that_was_shut_out_has_nobody_told_that_their_wish_is_noted(
    run: Run, shut_out: Path
):
    told = run(*[word for word in reserve(shut_out) if word != "--json"]).stdout
    assert "We cannot take this booking here." in told
    assert "noted" not in told


def test_the_way_out_works_as_it_is_printed_and_what_waited_goes_out(
    run: Run, hub: Path, shut_out: Path
):
    waiting = document(run(*reserve(shut_out)))["code"]
    way_out = document(run("sync", "status", "--json", "--data", shut_out))["way_out"]
    invite, rejoin = (line.split()[1:] for line in way_out)
    code = run(*invite, "--data", hub).stdout.split()[-1]
    again = [code if word == "CODE" else word for word in rejoin]
    assert run(*again, "--data", shut_out).exit_code == 0
    told = document(run("sync", "now", "--json", "--data", shut_out))
    assert told["books_differing"] == []
    shown = document(run("reservations", "show", waiting, "--json", "--data", hub))
    assert shown["status"] == "confirmed"
    status = document(run("sync", "status", "--json", "--data", shut_out))
    assert (status["reason"], status["queued"]) == (None, 0)


def test_a_device_that_is_heard_says_nothing_of_the_kind(run: Run, kiosk: Path):
    run("sync", "now", "--data", kiosk)
    told = document(run("sync", "status", "--json", "--data", kiosk))
    assert (told["reason"], told["way_out"]) == (None, [])
    assert run(*reserve(kiosk)).stderr == ""


def test_waiting_is_not_silent_where_the_hub_is_out_of_reach(
    run: Run, serve: Serve, kiosk: Path, hub_process: Running
):
    hub_process.stop()
    serve("node", kiosk)
    done = run(*reserve(kiosk, "--wait", 1))
    assert document(done)["assurance"] == "provisional"
    assert "the hub is out of reach" in done.stderr
    assert "provisional" in done.stderr
    assert run(*reserve(kiosk)).stderr == "", "who does not wait is told by the answer"


def test_what_is_confirmed_at_once_is_never_called_provisional(
    run: Run, serve: Serve, hub: Path, hub_process: Running, tmp_path: Path
):
    """Whatever the hub does: paused, out of reach, or the device's own process is not there."""
    desk = join(run, hub, hub_process.url, "desk", "front-desk", tmp_path / "desk")
    run("sync", "now", "--data", desk)
    own = (*reserve(desk, "--wait", 1), "--resource")
    done = run(*own, "T1")
    assert (document(done)["assurance"], done.stderr) == ("guaranteed", "")
    serve("node", desk)
    run("sync", "pause", "--data", desk)
    done = run(*own, "T2")
    assert (document(done)["assurance"], done.stderr) == ("guaranteed", "")
    paused = run(*own, "T3")
    assert document(paused)["assurance"] == "provisional"
    assert paused.stderr.count("provisional") == 1 and "sync resume" in paused.stderr
    run("sync", "resume", "--data", desk)
    hub_process.stop()
    run("reservations", "cancel", document(done)["code"], "--reason", "test", "--data", desk)
    run("sync", "now", "--data", desk)
    done = run(*own, "T2")
    assert document(done)["assurance"] == "guaranteed"
    assert "provisional" not in done.stderr


def test_an_answer_that_does_not_come_in_time_is_told_once_at_the_end(
    run: Run, serve: Serve, hub: Path, hub_process: Running, kiosk: Path, tmp_path: Path
):
    """The hub is there, and the holder of the place, another device, is not."""
    desk = join(run, hub, hub_process.url, "desk", "front-desk", tmp_path / "desk")
    run("sync", "now", "--data", desk)
    run("sync", "now", "--data", kiosk)
    serve("node", kiosk)
    wait_until_connected(run, kiosk)
    done = run(*reserve(kiosk, "--wait", 1, "--resource", "T1"))
    made = document(done)
    assert (made["assurance"], made["waits_for"]) == ("provisional", "desk")
    [line] = done.stderr.splitlines()
    assert line.startswith("note: no answer came within 1 s. ")
    assert f"{made['code']} stays provisional until desk answers" in line


def wait_until_connected(run: Run, directory: Path) -> None:
    """A node that has just started is connected as soon as one exchange by hand went well."""
    assert run("sync", "now", "--data", directory).exit_code == 0
    assert document(run("sync", "status", "--json", "--data", directory))["state"] == "connected"


def test_nobody_waits_for_a_process_that_does_not_run(run: Run, kiosk: Path):
    done = run(*reserve(kiosk, "--wait", 10))
    assert document(done)["assurance"] == "provisional"
    assert "nothing to wait for" in done.stderr
    assert f"holdfast sync now --data {kiosk}" in done.stderr


def test_the_hub_itself_has_nobody_to_wait_for(run: Run, hub: Path):
    done = run(*reserve(hub, "--wait", 1))
    assert document(done)["assurance"] == "guaranteed"
    assert done.stderr == ""


def test_an_operation_is_found_by_its_first_letters_and_by_its_reservation(run: Run, kiosk: Path):
    made = document(run(*reserve(kiosk)))
    whole = document(run("queue", "list", "--json", "--data", kiosk))["items"][-1]["id"]
    for name in (whole, whole[:8], f"{whole[:8]}…", made["code"]):
        assert document(run("queue", "show", name, "--json", "--data", kiosk))["id"] == whole
    for name in ("RES-2026-AAAAAA", "zzzzzzzz", whole[:2]):
        assert run("queue", "show", name, "--data", kiosk).exit_code == 1


def test_an_exception_is_found_by_the_reservation_that_it_is_about(
    run: Run, hub: Path, kiosk: Path
):
    lost = document(run(*reserve(kiosk, "--resource", "T1")))
    assert run(*reserve(hub, "--resource", "T1")).exit_code == 0
    run("sync", "now", "--data", kiosk)
    shown = run("exceptions", "show", lost["code"], "--data", hub)
    assert "displaced" in shown.stdout
    assert lost["code"] in run("exceptions", "list", "--data", hub).stdout
    done = run(
        *("exceptions", "resolve", lost["code"], "--action", "acknowledge"),
        *("--reason", "guest_called", "--data", hub),
    )
    assert (done.exit_code, done.stdout) == (0, "Resolved.\n"), done.stderr
    assert "nothing open" in run("exceptions", "show", lost["code"], "--data", hub).stderr


def test_who_invites_a_name_that_is_in_use_is_told_what_that_means(
    run: Run, hub: Path, kiosk: Path
):
    def invited() -> str:
        done = run(
            *("hub", "invite", "--venue", "trattoria", "--role", "kiosk", "--name", "kiosk"),
            *("--data", hub),
        )
        assert done.exit_code == 0
        return done.stderr

    assert "trattoria has a device kiosk already" in invited()
    assert run("hub", "revoke", "kiosk", "--reason", "broken", "--data", hub).exit_code == 0
    assert invited() == ""


def test_an_exception_is_resolved_by_what_its_screen_offers(run: Run, hub: Path, kiosk: Path):
    lost = document(run(*reserve(kiosk, "--resource", "T1")))["code"]
    assert run(*reserve(hub, "--resource", "T1")).exit_code == 0
    run("sync", "now", "--data", kiosk)
    shown = run("exceptions", "show", lost, "--data", hub).stdout
    for action in ("move", "cancel", "refund-later", "acknowledge"):
        assert f"--action {action} " in shown
    answer = ("exceptions", "resolve", lost, "--reason", "called_guest", "--data", hub)
    refused = run(*answer, "--action", "move")
    assert refused.exit_code == 1
    assert "name the place" in refused.stderr
    done = run(*answer, "--action", "move", "--resource", "T2").stdout
    assert done.startswith("Resolved.\n"), done
    told = [line.split(maxsplit=1) for line in done.splitlines()]
    for field in (["code", lost], ["state", "confirmed (guaranteed)"], ["where", "T2"]):
        assert field in told, done
    assert "tell the guest  " in done
    moved = document(run("reservations", "show", lost, "--json", "--data", hub))
    assert (moved["status"], moved["resources"]) == ("confirmed", ["T2"])
    listed = run("audit", "list", "--reservation", lost, "--data", hub).stdout
    assert "resolved displaced" in " ".join(listed.split())


def test_what_waits_for_the_hub_says_what_is_expected(run: Run, kiosk: Path):
    made = document(run(*reserve(kiosk, "--resource", "T1")))
    assert made["prognosis"]["certainty"] == "likely"
    shown = run("reservations", "show", made["code"], "--data", kiosk).stdout
    assert "likely to be had (the place was free)" in shown
    run("sync", "now", "--data", kiosk)
    assert "expected" not in run("reservations", "show", made["code"], "--data", kiosk).stdout


def test_an_exchange_with_nothing_to_send_says_so_and_who_sends(
    run: Run, serve: Serve, kiosk: Path
):
    """After a pause what waited goes out by itself, and a round by hand then has nothing left."""
    run(*reserve(kiosk))
    assert run("sync", "now", "--data", kiosk).stdout.split()[:2] == ["sent", "1"]
    assert "0, nothing was waiting\n" in run("sync", "now", "--data", kiosk).stdout
    run("sync", "pause", "--data", kiosk)
    run(*reserve(kiosk))
    resumed = run("sync", "resume", "--data", kiosk).stdout
    assert "`holdfast sync now` sends what waits" in resumed
    serve("node", kiosk)
    wait_until_connected(run, kiosk)
    assert "0, nothing was waiting: this device sends by itself" in (
        run("sync", "now", "--data", kiosk).stdout
    )
    resumed = run("sync", "resume", "--data", kiosk).stdout
    assert "what waited is sent by itself" in resumed
