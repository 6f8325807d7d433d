"""What runs beside the faces: timed jobs that never take the process down, and an end without a
trace."""

from __future__ import annotations

import datetime
import gc
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from holdfast.model.errors import HoldfastError, NotFound
from holdfast.node import jobs
from holdfast.node import runtime as runtime_module
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from holdfast.node.runtime import Runtime
from holdfast.node.service import Service
from holdfast.node.timekeeping import Timekeeper
from holdfast.node.witness import STATE_VARIABLE
from tests.kit import Fleet
from tests.node.between import Between
from tests.node.live import PATIENCE_SECONDS, Devices, Loop

NOBODY = "127.0.0.1:9"
"""Where neither a time server nor a hub is."""


@pytest.fixture(autouse=True)
def own_witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))


@pytest.fixture
def start() -> Iterator[Callable[[Service], Runtime]]:
    """Start the runtime of a replica that nobody serves; it is stopped at the end."""
    ends: list[Callable[[], None]] = []

    def begin(replica: Service) -> Runtime:
        replica.settings = msgspec.structs.replace(replica.settings, hub_url=f"http://{NOBODY}")
        loop, runtime = Loop(), Runtime(replica)

        def end() -> None:
            loop.call(runtime.stop)
            loop.close()

        loop.call(runtime.start)
        ends.append(end)
        return runtime

    yield begin
    for end in ends:
        end()


def with_ntp(replica: Service) -> None:
    replica.settings = msgspec.structs.replace(replica.settings, ntp=(NOBODY,))


# --- jobs -----------------------------------------------------------------------------------------


HUB_JOBS = ["lapse", "no-show", "offer", "renew", "settle", "sweep", "witness"]


def test_a_hub_and_a_node_have_their_jobs(fleet: Fleet, start: Callable[[Service], Runtime]):
    desk = fleet.join("desk")
    assert [job["name"] for job in start(fleet.the_hub).jobs.listed()] == HUB_JOBS
    assert [job["name"] for job in start(desk).jobs.listed()] == sorted([*HUB_JOBS, "release"])


def test_a_running_process_says_when_each_job_runs_next(
    fleet: Fleet, start: Callable[[Service], Runtime]
):
    hub = fleet.the_hub
    assert {job["next_ms"] for job in jobs.Jobs(hub).listed()} == {None}
    listed = {job["name"]: job for job in start(hub).jobs.listed()}
    assert 0 < listed["offer"]["next_ms"] < listed["sweep"]["next_ms"]


def test_every_job_runs_when_asked_and_says_how_it_went(
    fleet: Fleet, start: Callable[[Service], Runtime]
):
    with_ntp(fleet.the_hub)
    with mock.patch.object(Timekeeper, "sample") as sampled:
        runtime = start(fleet.the_hub)
        for name in ("ntp", *HUB_JOBS):
            done = runtime.jobs.run(name)
            assert (done["name"], done["ok"]) == (name, True), done
    assert all(job["last"]["ok"] for job in runtime.jobs.listed())
    sampled.assert_called_with((NOBODY,))
    with pytest.raises(
        NotFound, match="there are lapse, no-show, ntp, offer, renew, settle, sweep, witness"
    ):
        runtime.jobs.run("laundry")


def test_a_job_does_its_work(fleet: Fleet, start: Callable[[Service], Runtime]):
    hub, desk = fleet.the_hub, fleet.join("desk")
    at_hub, at_desk = start(hub), start(desk)
    with mock.patch.object(Hub, "settle") as settled:
        at_hub.jobs.run("settle")
    assert {call.args[0] for call in settled.call_args_list} == set(hub.books)
    with mock.patch.object(Node, "settle") as settled:
        at_desk.jobs.run("settle")
    settled.assert_called_once_with(desk.home, [])
    with mock.patch.object(Node, "sweep") as swept:
        at_desk.jobs.run("sweep")
    swept.assert_called_once_with()
    with mock.patch.object(Node, "keep_witness") as kept:
        at_desk.jobs.run("witness")
    kept.assert_called_once_with()


def test_the_job_of_releases_gives_back_what_is_due_and_no_more(
    fleet: Fleet, start: Callable[[Service], Runtime]
):
    hub, desk = fleet.the_hub, fleet.join("desk")
    fleet.sync_all()
    hub.granting.grant("trattoria", "desk", ["T1"], release_minutes=120)
    fleet.sync(desk)
    runtime = start(desk)

    def given_back() -> int:
        """The beginning of what is left, as the device itself knows it."""
        assert runtime.jobs.run("release")["ok"]
        (held,) = desk.rights(fleet.book).of_resource("T1")
        return held.start

    first = given_back()
    fleet.clocks.advance(minutes=10)
    assert given_back() == first
    fleet.clocks.advance(minutes=30)
    assert given_back() == first + 30 * 60
    length = desk.tip(fleet.book)[0]
    assert given_back() == first + 30 * 60
    assert desk.tip(fleet.book)[0] == length, "nothing is written for nothing"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (HoldfastError("the card is full"), "the card is full"),
        (OSError(28, "No space left on device"), "OSError; the log says more"),
        (ZeroDivisionError("a mistake"), "ZeroDivisionError; the log says more"),
    ],
)
def test_a_job_that_fails_is_logged_and_runs_again(
    fleet: Fleet,
    start: Callable[[Service], Runtime],
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    said: str,
):
    runtime = start(fleet.the_hub)
    with mock.patch.object(Hub, "keep_witness", side_effect=error):
        done = runtime.jobs.run("witness")
    assert (done["ok"], done["detail"]) == (False, said)
    assert "job witness failed" in caplog.text
    assert runtime.jobs.run("witness")["ok"]


def test_a_timed_job_that_fails_keeps_its_time_table(
    fleet: Fleet, start: Callable[[Service], Runtime], monkeypatch: pytest.MonkeyPatch
):
    runs = threading.Semaphore(0)

    def failing(hub: Hub) -> None:
        runs.release()
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(jobs.Jobs, "_settle", lambda self: failing(self._replica))
    monkeypatch.setattr(jobs, "SETTLE_SECONDS", 0.02)
    start(fleet.the_hub)
    for _ in range(3):
        assert runs.acquire(timeout=PATIENCE_SECONDS)


def test_the_first_time_sample_is_taken_at_once(fleet: Fleet, start: Callable[[Service], Runtime]):
    with_ntp(fleet.the_hub)
    sampled = threading.Event()
    with mock.patch.object(Timekeeper, "sample", side_effect=lambda servers: sampled.set()):
        start(fleet.the_hub)
        assert sampled.wait(PATIENCE_SECONDS)


def test_what_waits_for_an_hour_also_runs_when_a_process_starts(
    fleet: Fleet, start: Callable[[Service], Runtime]
):
    """A device that is switched off every evening would else never come to it."""
    desk = fleet.join("desk")
    ran = {name: threading.Event() for name in ("_sweep", "_renew")}
    with (
        mock.patch.object(jobs.Jobs, "_sweep", lambda self: ran["_sweep"].set()),
        mock.patch.object(jobs.Jobs, "_renew", lambda self: ran["_renew"].set()),
    ):
        start(desk)
        for event in ran.values():
            assert event.wait(PATIENCE_SECONDS)


def test_a_run_that_was_missed_is_caught_up_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch):
    """As after a machine slept: an hourly job was due three hours ago, and twice since."""
    ran: list[str] = []
    again = threading.Event()
    monkeypatch.setattr(jobs.Jobs, "_sweep", lambda self: ran.append("sweep"))
    monkeypatch.setattr(jobs.Jobs, "_offer", lambda self: again.set())
    monkeypatch.setattr(jobs, "OFFER_SECONDS", 3_600)
    monkeypatch.setattr(runtime_module, "AT_START", ())
    loop, runtime = Loop(), Runtime(fleet.the_hub)
    loop.call(runtime.start)

    async def sleep_through(name: str) -> None:
        scheduler = runtime._scheduler
        assert scheduler is not None
        due = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2, minutes=59)
        scheduler.modify_job(name, next_run_time=due)

    try:
        loop.call(lambda: sleep_through("sweep"))
        # One worker does all jobs in turn: when the later one ran, the first had run, and as often
        # as it would.
        loop.call(lambda: sleep_through("offer"))
        assert again.wait(PATIENCE_SECONDS)
        assert ran == ["sweep"]
        listed = {job["name"]: job for job in runtime.jobs.listed()}
        assert listed["sweep"]["next_ms"] > datetime.datetime.now(datetime.UTC).timestamp() * 1000
    finally:
        loop.call(runtime.stop)
        loop.close()


def test_a_paused_node_asks_no_time_server(fleet: Fleet, start: Callable[[Service], Runtime]):
    desk = fleet.join("desk")
    with_ntp(desk)
    desk.pause()
    with mock.patch.object(Timekeeper, "sample") as sampled:
        runtime = start(desk)
        assert runtime.jobs.run("ntp")["ok"]
        sampled.assert_not_called()
        desk.resume()
        runtime.jobs.run("ntp")
        sampled.assert_called_with((NOBODY,))


def test_a_time_server_that_does_not_answer_holds_no_writer_up(
    fleet: Fleet, start: Callable[[Service], Runtime]
):
    desk = fleet.join("desk")
    with_ntp(desk)
    asked, answer = threading.Event(), threading.Event()

    def silent(servers: Any) -> None:
        asked.set()
        answer.wait(PATIENCE_SECONDS)

    with mock.patch.object(Timekeeper, "sample", side_effect=silent):
        runtime = start(desk)
        assert asked.wait(PATIENCE_SECONDS)
        try:
            written = runtime.executor.submit(fleet.reserve, desk, "19:30", ["T1"])
            assert written.result(PATIENCE_SECONDS).status == "commit_pending"
        finally:
            answer.set()


# --- the end --------------------------------------------------------------------------------------


def test_stopping_waits_for_a_job_that_runs_and_begins_no_other(fleet: Fleet):
    with_ntp(fleet.the_hub)
    asked, answer, over = threading.Event(), threading.Event(), threading.Event()

    def slow(servers: Any) -> None:
        asked.set()
        answer.wait(PATIENCE_SECONDS)
        over.set()

    loop, runtime = Loop(), Runtime(fleet.the_hub)
    pausing = threading.Event()
    pause = AsyncIOScheduler.pause

    def paused(scheduler: AsyncIOScheduler) -> None:
        pause(scheduler)
        pausing.set()

    async def stop() -> bool:
        await runtime.stop()
        return over.is_set()

    with (
        mock.patch.object(Timekeeper, "sample", side_effect=slow),
        mock.patch.object(AsyncIOScheduler, "pause", paused),
    ):
        loop.call(runtime.start)
        assert asked.wait(PATIENCE_SECONDS)
        stopping = threading.Thread(target=lambda: results.append(loop.call(stop)))
        results: list[bool] = []
        stopping.start()
        assert pausing.wait(PATIENCE_SECONDS)
        # That it goes on waiting has no event; who did not wait would be gone by then.
        stopping.join(0.3)
        assert stopping.is_alive()
        answer.set()
        stopping.join(PATIENCE_SECONDS)
    assert results == [True], "the job was over when the runtime had stopped"
    assert loop.tasks() == []
    loop.close()


@pytest.mark.filterwarnings("error::ResourceWarning")
@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("live", ["pass", 403, "drop"])
def test_a_stopped_device_leaves_no_thread_task_or_socket(
    tmp_path: Path, live: int | str, caplog: pytest.LogCaptureFixture
):
    before = set(threading.enumerate())
    with Devices(tmp_path) as devices:
        way = Between(devices.url, devices.bell, live)
        try:
            node = devices.joined("desk", way.url, poll_seconds=0.1)
            loop, runtime = Loop(), Runtime(node)
            devices.until(lambda: node.last_exchange_at_ms > 0)
            loop.call(runtime.start)
            devices.until(lambda: node.sync_status()["state"] == "connected")
            with caplog.at_level(logging.WARNING):
                loop.call(runtime.stop)
            assert loop.tasks() == []
            assert (node.listeners, node.controls, node.live_state) == ([], [], None)
            loop.close()
            node.close()
            devices.until(lambda: way.live_open == 0)
        finally:
            way.close()
    gc.collect()
    assert {thread for thread in threading.enumerate() if thread not in before} == set()
    assert [record.getMessage() for record in caplog.records] == []


def test_a_device_that_waits_for_the_hub_stops_at_once(tmp_path: Path):
    with Devices(tmp_path) as devices:
        node = devices.joined("desk")
        before = set(threading.enumerate())
    loop, runtime = Loop(), Runtime(node)
    loop.call(runtime.start)
    devices.until(lambda: node.last_error)
    loop.call(runtime.stop)
    assert loop.tasks() == []
    loop.close()
    node.close()
    assert {one for one in threading.enumerate() if one not in before} == set()
