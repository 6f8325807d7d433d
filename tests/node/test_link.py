"""The live link on real sockets: what one device writes the others see, whatever lies between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from holdfast.node import allotments, exchange, link
from holdfast.node.link import Link
from holdfast.sync import retry
from tests.node.between import Between
from tests.node.live import QUICK, Devices, HubProcess, RingingNode, Running, reserve

pytestmark = pytest.mark.usefixtures("own_witness")

EXCHANGE = "/sync/v1/exchange"


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that no test outlives: what happens does not happen by waiting."""
    monkeypatch.setattr(retry, "RETRY_BASE_SECONDS", 10_000.0)
    monkeypatch.setattr(retry, "RETRY_CAP_SECONDS", 10_000.0)


# --- live -----------------------------------------------------------------------------------------


def test_what_one_device_writes_another_sees_without_anybody_asking(devices: Devices):
    desk, bar = devices.node("desk"), devices.node("bar")
    view = desk.reserve("19:30", "T1")
    devices.until(bar.sees(view))
    devices.until(desk.sees(view))
    there = bar.reserve("19:30", "T2")
    devices.until(desk.sees(there))
    at_hub = reserve(devices.hub, "21:00", "T1")
    devices.until(desk.sees(at_hub))
    devices.until(bar.sees(at_hub))


def test_a_grant_is_heard_at_once_and_so_is_what_the_device_gives_back(devices: Devices):
    desk = devices.node("desk")
    hub, book = devices.hub, desk.node.home
    (granted,) = hub.granting.grant("trattoria", "desk", ["T1"], release_minutes=240)
    devices.until(lambda: desk.node.rights(book).now(granted.right.id))

    def released() -> bool:
        held = hub.rights(book).now(granted.right.id)
        return held is not None and held.start > granted.start

    done = desk.runtime.executor.submit(desk.runtime.jobs.run, "release")
    assert done.result()["ok"]
    devices.until(released)
    desk.runtime.executor.submit(allotments.give_back, desk.node, granted.right.id).result()
    devices.until(lambda: hub.rights(book).now(granted.right.id) is None)


def test_an_operation_costs_one_message_and_one_piece_of_news_for_every_other_device(
    devices: Devices, between: Callable[..., Between]
):
    ways = [between(), between(), between()]
    desk, bar, terrace = (
        devices.node(name, way.url)
        for name, way in zip(("desk", "bar", "terrace"), ways, strict=True)
    )
    before = settled(devices, ways, desk, bar, terrace)
    views = [desk.reserve("19:30", "T1")]
    devices.until(bar.sees(views[0]))
    after = settled(devices, ways, desk, bar, terrace)
    spent = [
        (way["out"] - old["out"], way["in"] - old["in"])
        for way, old in zip(after, before, strict=True)
    ]
    assert spent == [(1, 1), (0, 1), (0, 1)], "(requests, answers and news) of desk, bar, terrace"


def settled(devices: Devices, ways: list[Between], *all_of: Running) -> list[dict[str, int]]:
    """How many messages crossed, once all have the same and nobody has anything to say."""

    def same() -> bool:
        return all(one.at_rest() for one in all_of) and (
            len({digest(one.node) for one in all_of} | {digest(devices.hub)}) == 1
        )

    while True:
        devices.until(same, "all have the same entries")
        frames = [dict(way.frames) for way in ways]
        if same() and frames == [dict(way.frames) for way in ways]:
            return frames


def digest(replica: Any) -> bytes:
    with replica.lock:
        return exchange.Exchange(replica).heads_digest(f"{replica.identity.tenant}/trattoria")


def test_news_that_comes_in_pieces_comes_whole_and_once(
    devices: Devices, between: Callable[..., Between], monkeypatch: pytest.MonkeyPatch
):
    way = between()
    desk = devices.node("desk", way.url)
    before = settled(devices, [way], desk)[0]
    monkeypatch.setattr(exchange, "EXCHANGE_ENTRIES", 4)
    hub = devices.hub
    with hub.transaction():
        views = [reserve(hub, f"{hour:02}:00", "T1") for hour in range(9, 23, 2)]
    devices.until(lambda: all(desk.sees(view)() for view in views))
    after = settled(devices, [way], desk)[0]
    # Seven entries, four to a message; a device that asked on top would be told twice.
    assert (after["in"] - before["in"], after["out"] - before["out"]) == (2, 0)


def test_a_backlog_that_takes_many_messages_arrives_whole(
    devices: Devices, monkeypatch: pytest.MonkeyPatch
):
    node = devices.joined("desk")
    node.pause()
    monkeypatch.setattr(exchange, "EXCHANGE_ENTRIES", 4)
    views = [reserve(node, f"{hour:02}:00", "T1") for hour in range(8, 22, 2)]
    assert {view.status for view in views} == {"commit_pending"}
    desk = devices.run(node)
    node.resume()
    devices.until(lambda: all(desk.sees(view)() for view in views))
    devices.until(desk.connected)


def test_a_connected_device_with_nothing_to_say_says_nothing(
    devices: Devices, between: Callable[..., Between]
):
    way = between()
    desk, bar = devices.node("desk", way.url), devices.node("bar")
    settled(devices, [way], desk, bar)
    rounds, frames = (desk.node.rounds, bar.node.rounds), dict(way.frames)
    turns = mock.Mock(wraps=desk.link._until_woken)
    with (
        mock.patch.object(desk.link, "_until_woken", turns),
        pytest.raises(AssertionError, match="never"),
        mock.patch("tests.node.live.PATIENCE_SECONDS", 3.0),
    ):
        # The only wait of these tests that is meant to come to its end.
        devices.until(lambda: dict(way.frames) != frames, "never")
    assert (desk.node.rounds, bar.node.rounds) == rounds
    assert turns.call_count == 0


def test_a_silent_link_looks_whether_the_hub_is_there_and_has_the_same(
    devices: Devices, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(link, "KEEP_ALIVE_SECONDS", 0.05)
    desk = devices.node("desk")
    rounds, asked_at = desk.node.rounds, desk.node.last_exchange_at_ms
    devices.until(lambda: desk.node.rounds >= rounds + 3)
    devices.until(lambda: desk.node.last_exchange_at_ms > asked_at)
    assert desk.state == "connected"


# --- the hub goes and comes -----------------------------------------------------------------------


def test_a_link_comes_back_by_itself_when_the_hub_does_and_pushes_what_waited(
    tmp_path: Path, soon: None
):
    with Devices(tmp_path) as devices:
        node = devices.joined("desk")
    process = HubProcess(tmp_path / "hub")
    try:
        node.set_hub(process.url)
        desk = Running(node, devices.bell)
        try:
            devices.until(desk.connected)
            process.kill()
            devices.until(lambda: desk.state in ("offline", "backing_off"))
            waiting = desk.reserve("19:30", "T1")
            assert (waiting.status, desk.node.sync_status()["queued"]) == ("commit_pending", 1)
            # Longer than the breaker lets through: it must come back from there as well.
            devices.until(lambda: desk.link._breaker.opened_at is not None)
            assert desk.state == "backing_off"
            assert "cannot be reached" in desk.node.last_error
            process = HubProcess(tmp_path / "hub", process.port)
            devices.until(desk.sees(waiting))
            devices.until(desk.connected)
            assert desk.node.last_error == ""
        finally:
            desk.stop()
    finally:
        process.kill()


def test_a_hub_that_stops_in_good_order_lets_go_of_its_devices_at_once(tmp_path: Path, late: None):
    with Devices(tmp_path) as devices:
        desk = Running(devices.joined("desk"), devices.bell)
        devices.until(desk.connected)
    try:
        devices.until(lambda: desk.state == "offline")
        assert "closed the connection" in desk.node.last_error
    finally:
        desk.stop()


def test_retry_kicks_a_link_that_waits(devices: Devices, late: None):
    way = Between(devices.url, devices.bell)
    desk = devices.node("desk", way.url)
    port = int(way.url.rpartition(":")[2])
    way.close()
    devices.until(lambda: desk.state == "offline")
    waiting = desk.reserve("19:30", "T1")
    way = Between(devices.url, devices.bell, port=port)
    try:
        assert desk.node.retry() == 1
        devices.until(desk.sees(waiting))
        devices.until(desk.connected)
    finally:
        way.close()


def test_an_exchange_that_somebody_asks_for_wakes_a_link_that_waits(devices: Devices, late: None):
    way = Between(devices.url, devices.bell)
    desk = devices.node("desk", way.url)
    port = int(way.url.rpartition(":")[2])
    way.close()
    devices.until(lambda: desk.state == "offline")
    way = Between(devices.url, devices.bell, port=port)
    try:
        desk.node.sync()
        devices.until(desk.connected)
    finally:
        way.close()


def test_a_node_told_another_address_dials_it_at_once(
    devices: Devices, between: Callable[..., Between], late: None
):
    desk = devices.node("desk")
    way = between()
    assert way.upgrades == 0
    desk.node.set_hub(way.url)
    devices.until(lambda: way.frames["in"] > 0)
    view = desk.reserve("19:30", "T1")
    devices.until(desk.sees(view))
    assert way.frames["out"] >= 2


# --- by hand --------------------------------------------------------------------------------------


def test_a_pause_hangs_up_at_once_survives_a_restart_and_resume_dials_at_once(
    devices: Devices, between: Callable[..., Between], late: None
):
    way = between()
    node = devices.joined("desk", way.url)
    desk = Running(node, devices.bell)
    try:
        devices.until(desk.connected)
        desk.node.pause()
        assert desk.state == "paused"
        devices.until(lambda: way.live_open == 0, "the connection is gone")
        tries = way.upgrades
        waiting = desk.reserve("19:30", "T1")
        assert waiting.status == "commit_pending"
    finally:
        desk.stop()

    again = RingingNode.open(node.directory, hub_url=way.url, **QUICK)
    assert isinstance(again, RingingNode)
    desk = devices.run(again)
    assert desk.state == "paused"
    assert (way.upgrades, way.live_open) == (tries, 0)
    desk.node.resume()
    devices.until(desk.sees(waiting))
    devices.until(desk.connected)
    assert way.upgrades == tries + 1


def test_a_pause_between_two_looks_is_not_overlooked(
    devices: Devices, between: Callable[..., Between], monkeypatch: pytest.MonkeyPatch
):
    way = between()
    node = devices.joined("desk", way.url)
    node.pause()
    desk = devices.run(node)
    seen = link.Link._is_paused

    def pausing(self: Link) -> bool:
        """Somebody pauses right after the link has looked, which is when it has no session."""
        found = seen(self)
        if not found:
            monkeypatch.setattr(link.Link, "_is_paused", seen)
            node.pause()
        return found

    monkeypatch.setattr(link.Link, "_is_paused", pausing)
    node.resume()
    devices.until(lambda: desk.link.state == "paused" and node.paused)
    assert way.upgrades == 0


# --- the hub refuses ------------------------------------------------------------------------------


def test_a_device_that_is_shut_out_hears_so_at_once_and_goes_on_selling(
    devices: Devices, soon: None
):
    desk, bar = devices.node("desk"), devices.node("bar")
    devices.hub.revoke("desk", "stolen")
    devices.until(lambda: "desk was shut out of trattoria" in desk.node.last_error)
    devices.until(lambda: desk.state == "backing_off")
    sold = desk.reserve("19:30", "T1")
    assert (sold.status, desk.node.sync_status()["queued"]) == ("commit_pending", 1)
    # Nothing more reaches it, and the others are not held up by it.
    secret = bar.reserve("21:00", "T2")
    devices.until(bar.sees(secret))
    assert desk.node.view(secret.id) is None
    assert "ask the operator" in desk.node.last_error
    assert devices.hub.view(sold.id) is None


def test_a_device_that_was_shut_out_while_it_was_away_is_told_why(devices: Devices, late: None):
    node = devices.joined("desk")
    devices.hub.revoke("desk", "stolen")
    desk = devices.run(node)
    devices.until(lambda: desk.node.last_error)
    assert "desk was shut out of trattoria; ask the operator of the hub" in desk.node.last_error
    assert desk.state == "offline"


def test_a_mistake_in_a_round_does_not_end_the_link(
    devices: Devices, late: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    desk = devices.node("desk")
    monkeypatch.setattr(Link, "_news", mock.Mock(side_effect=ZeroDivisionError("a mistake")))
    view = reserve(devices.hub, "19:30", "T1")
    devices.until(lambda: "the link to the hub failed" in caplog.text)
    monkeypatch.undo()
    desk.node.retry()
    devices.until(desk.sees(view))


# --- no WebSocket ---------------------------------------------------------------------------------


@pytest.mark.parametrize("live", [400, 403, 404, 426, 502, "drop"])
def test_where_no_websocket_comes_through_a_device_polls(
    devices: Devices, between: Callable[..., Between], live: int | str
):
    way = between(live)
    desk = devices.node("desk", way.url, poll_seconds=0.1)
    assert (way.upgrades, desk.node.last_error) == (1, "")
    # What is written here goes at once, what is written elsewhere comes with the next poll.
    view = desk.reserve("19:30", "T1")
    devices.until(desk.sees(view))
    elsewhere = reserve(devices.hub, "21:00", "T1")
    devices.until(desk.sees(elsewhere))
    asked = way.requests[EXCHANGE]
    devices.until(lambda: way.requests[EXCHANGE] >= asked + 3)
    assert (way.upgrades, desk.state) == (1, "connected")
    assert "polling" in {event for _, event, _ in desk.node.sync_log()}


def test_an_upgrade_that_is_swallowed_is_given_up_and_the_device_polls(
    devices: Devices, between: Callable[..., Between], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(link, "CONNECT_TIMEOUT_SECONDS", 0.2)
    way = between("swallow")
    desk = devices.node("desk", way.url, poll_seconds=3_600)
    view = desk.reserve("19:30", "T1")
    devices.until(desk.sees(view))
    assert desk.state == "connected"


def test_a_device_that_polls_sends_what_is_written_at_once(
    devices: Devices, between: Callable[..., Between], late: None
):
    way = between(403)
    desk = devices.node("desk", way.url, poll_seconds=3_600)
    asked = way.requests[EXCHANGE]
    view = desk.reserve("19:30", "T1")
    devices.until(desk.sees(view))
    devices.until(desk.connected)
    assert way.requests[EXCHANGE] == asked + 1


def test_a_device_that_polls_goes_live_again_when_it_can(
    devices: Devices, between: Callable[..., Between], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(link, "LIVE_AGAIN_SECONDS", 0.3)
    way = between(502)
    desk = devices.node("desk", way.url, poll_seconds=0.1)
    devices.until(lambda: way.upgrades >= 3)
    assert desk.state == "connected", "a refused try is no cut"
    way.live = "pass"
    devices.until(lambda: way.frames["in"] > 0)
    devices.until(desk.connected)
    asked = way.requests[EXCHANGE]
    view = reserve(devices.hub, "19:30", "T1")
    devices.until(desk.sees(view))
    assert way.requests[EXCHANGE] == asked, "live news needs no request"


def test_a_pause_ends_polling_and_resume_begins_it_again(
    devices: Devices, between: Callable[..., Between], late: None
):
    way = between(403)
    desk = devices.node("desk", way.url, poll_seconds=0.1)
    desk.node.pause()
    devices.until(lambda: desk.link.state == "paused")
    asked, tries = way.requests[EXCHANGE], way.upgrades
    waiting = desk.reserve("19:30", "T1")
    assert waiting.status == "commit_pending"
    desk.node.resume()
    devices.until(desk.sees(waiting))
    assert (way.requests[EXCHANGE] > asked, way.upgrades) == (True, tries + 1)


def test_when_polling_fails_too_the_error_says_what_the_hub_said(
    devices: Devices, between: Callable[..., Between], late: None
):
    way = between(403)
    node = devices.joined("desk", way.url)
    devices.hub.revoke("desk", "stolen")
    desk = devices.run(node)
    devices.until(lambda: desk.node.last_error)
    assert "desk was shut out of trattoria" in desk.node.last_error
    assert desk.state == "offline"
