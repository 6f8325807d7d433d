"""What a device guaranteed by itself can be checked by anybody: its right, its chain, its sum."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import NotFound
from holdfast.node import allotments
from holdfast.node.decisions import verify_decision
from tests.kit import TRATTORIA, Fleet

ALLOTTED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [
        {"holder": "desk", "resources": ["T1"]},
        {"holder": "desk", "resources": ["HALL"], "quantity": 4},
    ]
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, ALLOTTED) as made:
        made.join("desk")
        made.sync_all()
        yield made


def test_a_guaranteed_sale_holds_here_before_it_is_sent_and_everywhere_after(fleet: Fleet):
    desk = fleet.nodes["desk"]
    fleet.cut("desk")
    sold = fleet.reserve(desk, "19:00", ["T1"])
    found = verify_decision(desk, sold.code)
    assert found["ok"], found["notes"]
    assert found["checks"]["written_here"], "nobody has sealed it yet, and nobody needs to"
    assert found["why"].startswith("guaranteed by desk's allotment of T1 (")
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        found = verify_decision(replica, sold.code)
        assert found["ok"], found["notes"]
        assert (found["verdict"], found["by"]) == ("guaranteed", "desk")
        assert set(found["checks"]) >= {"chain", "certificate", "grant", "right", "not_oversold"}


def test_several_sales_of_one_pool_and_of_the_hub_hold(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    views = [
        fleet.reserve(desk, "19:00", ["HALL"], party=2),
        fleet.reserve(desk, "19:30", ["HALL"], party=2),
        fleet.reserve(hub, "19:00", ["HALL"], party=6),
    ]
    fleet.sync_all()
    for view in views:
        for replica in fleet.replicas():
            found = verify_decision(replica, view.code)
            assert found["ok"], found["notes"]
    assert verify_decision(desk, views[2].code)["why"].startswith("guaranteed by the hub")


def test_a_sale_whose_allotment_was_returned_since_still_holds(fleet: Fleet):
    """The right is judged where the sale stands in the seller's chain, not by what is held now."""
    desk = fleet.nodes["desk"]
    sold = fleet.reserve(desk, "19:00", ["T1"])
    [held] = desk.rights(fleet.book).of_resource("T1")
    allotments.give_back(desk, held.right.id)
    fleet.sync_all()
    for replica in fleet.replicas():
        found = verify_decision(replica, sold.code)
        assert found["ok"], found["notes"]


def test_a_chain_that_was_altered_is_said(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    sold = fleet.reserve(desk, "19:00", ["T1"])
    fleet.sync_all()
    [chain] = hub.store.journal.branches(fleet.book, desk.identity.incarnation)
    with hub.transaction():
        hub.store.db.conn.execute(
            "UPDATE journal SET entry = CAST(entry || x'00' AS BLOB) WHERE n = 2 AND chain = ?",
            (chain.id,),
        )
    found = verify_decision(hub, sold.code)
    assert not found["ok"]
    assert not found["checks"]["chain"]
    assert any("the chain up to the sale" in note for note in found["notes"])


def test_what_has_no_place_any_more_was_decided_by_nobody(fleet: Fleet):
    desk = fleet.nodes["desk"]
    sold = fleet.reserve(desk, "19:00", ["T1"])
    desk.reservations.cancel(sold.code)
    with pytest.raises(NotFound, match="needed none"):
        verify_decision(desk, sold.code)
