"""A device's decision on its own place is shown, explained and checked like the hub's."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.model.errors import NotFound
from holdfast.node.decisions import verify_decision
from holdfast.node.foreseeing import waits_for
from holdfast.node.inspection import queue_item
from tests.kit import TRATTORIA, Fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    allotted = copy.deepcopy(TRATTORIA)
    allotted["allotments"] = [{"holder": "desk", "resources": ["T1", "T2"]}]
    with Fleet(tmp_path, allotted) as made:
        made.join("desk")
        made.join("kiosk", role="kiosk")
        made.sync_all()
        yield made


def test_a_devices_decision_holds_wherever_it_is_looked_at(fleet: Fleet):
    desk, kiosk = fleet.nodes["desk"], fleet.nodes["kiosk"]
    fleet.cut("desk", "kiosk")
    sold = fleet.reserve(desk, "19:00", ["T1"])
    wish = fleet.reserve(kiosk, "19:30", ["T1"])
    with pytest.raises(NotFound, match="still waits"):
        verify_decision(kiosk, wish.code)
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        found = verify_decision(replica, wish.code)
        assert found["ok"], found
        assert (found["verdict"], found["by"]) == ("displaced", "desk")
        assert [won["code"] for won in found["winners"]] == [sold.code]


def test_the_queue_shows_what_a_device_decided(fleet: Fleet):
    wish = fleet.reserve(fleet.the_hub, "19:00", ["T1"])
    fleet.sync_all()
    kiosk = fleet.nodes["kiosk"]
    asked = fleet.reserve(kiosk, "21:00", ["T1"])
    (operation,) = kiosk.store.queue.select(state="queued")
    assert operation.subject == asked.id
    fleet.sync_all()
    decision = queue_item(kiosk, operation)["decision"]
    assert decision is not None
    assert (decision["verdict"], decision["by"]) == ("admitted", "desk")
    assert verify_decision(kiosk, wish.code)["by"] == "desk"


def test_who_is_asked_is_named_until_it_has_answered(fleet: Fleet):
    desk, kiosk, hub = fleet.nodes["desk"], fleet.nodes["kiosk"], fleet.the_hub
    fleet.cut("desk", "kiosk")
    of_desk = fleet.reserve(kiosk, "19:00", ["T1"])
    of_hub = fleet.reserve(kiosk, "19:00", ["T3"])
    own = fleet.reserve(desk, "21:00", ["T1"])
    assert waits_for(kiosk, of_desk) == "desk"
    assert waits_for(kiosk, of_hub) == "hub"
    assert waits_for(desk, own) is None
    fleet.heal("kiosk")
    fleet.sync(kiosk)
    assert waits_for(hub, fleet.now(hub, of_desk)) == "desk"
    assert waits_for(hub, fleet.now(hub, of_hub)) is None
    moved = fleet.move(hub, of_hub, resources=["T2"])
    assert waits_for(hub, moved) == "desk", "a change waits too"
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        assert waits_for(replica, fleet.now(replica, of_desk)) is None
        assert waits_for(replica, fleet.now(replica, of_hub)) is None
