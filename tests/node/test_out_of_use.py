"""What is out of use is called so, by one rule wherever it is asked; why, is for the house."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import NotAvailable
from holdfast.node import blocks
from holdfast.node.requests import BlockRequest
from holdfast.node.service import Service
from tests.kit import DAY, HOTEL, Fleet

TABLES = ("T1", "T2", "T3", "T4")


def block(replica: Service, *resources: str, **more: Any) -> None:
    fields = {
        "venue": replica.venue_ids()[0], "kind": "maintenance",
        "starts_at": f"{DAY}T18:00", "ends_at": f"{DAY}T23:00",
    } | more  # fmt: skip
    blocks.block(replica, BlockRequest(resources=list(resources), **fields))


def refused(fleet: Fleet, *resources: str, time: str = "19:30", **more: Any) -> NotAvailable:
    with pytest.raises(NotAvailable) as caught:
        fleet.reserve(fleet.the_hub, time, resources, **more)
    return caught.value


def slot(fleet: Fleet, time: str = "19:30", **more: Any) -> dict[str, Any]:
    slots = fleet.slots(fleet.the_hub, include_full=True, **more)
    return next(one for one in slots if one["starts_at"][11:16] == time)


def test_a_table_that_is_named_and_blocked_is_out_of_use_and_the_house_reads_why(fleet: Fleet):
    block(fleet.the_hub, "T1", reason="repair")
    error = refused(fleet, "T1")
    assert error.extra["reason"] == "blocked"
    assert error.detail == (
        "T1 at 2027-06-03 19:30 (Europe/Rome) is out of use at Trattoria da Mario (maintenance: "
        "repair, until 2027-06-03 23:00); try one of the alternatives"
    )
    (told,) = error.extra["blocks"]
    assert (told["kind"], told["reason"], told["resources"]) == ("maintenance", "repair", ["T1"])
    assert (told["starts_at"][11:16], told["ends_at"][11:16]) == ("18:00", "23:00")
    assert error.extra["alternatives"]


@pytest.mark.parametrize("more", [{"source": "website"}, {"source": "app"}])
def test_whoever_reserves_by_themself_reads_that_it_is_out_of_use_and_not_why(
    fleet: Fleet, more: dict[str, Any]
):
    block(fleet.the_hub, "T1", reason="repair")
    error = refused(fleet, "T1", **more)
    assert (error.extra["reason"], "blocks" in error.extra) == ("blocked", False)
    assert "is out of use at Trattoria da Mario; try" in error.detail
    assert "repair" not in error.detail


def test_what_others_have_is_full_and_not_out_of_use(fleet: Fleet):
    fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    error = refused(fleet, "T1")
    assert (error.extra["reason"], "blocks" in error.extra) == ("full", False)
    assert "is not free" in error.detail


def test_without_a_name_it_is_out_of_use_where_all_that_would_do_is(fleet: Fleet):
    block(fleet.the_hub, "T1", "T2", "T3")
    fleet.reserve(fleet.the_hub, "19:30", ["T4"])
    assert refused(fleet).extra["reason"] == "full", "T4 is in use, and taken"
    assert slot(fleet)["reason"] == "full"
    block(fleet.the_hub, "T4", force=True)
    error = refused(fleet)
    assert error.extra["reason"] == "blocked"
    assert error.detail.startswith("every place for 2 at 2027-06-03 19:30")
    shown = slot(fleet)
    assert shown["reason"] == "blocked"
    assert shown["blocks"] == error.extra["blocks"]
    assert {one for block in shown["blocks"] for one in block["resources"]} == set(TABLES)


def test_a_table_is_out_of_use_also_where_somebody_sits_who_stays(fleet: Fleet):
    fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    block(fleet.the_hub, "T1", force=True)
    assert refused(fleet, "T1").extra["reason"] == "blocked"
    assert refused(fleet, "T1", time="17:00").extra["reason"] == "blocked", "18:00 is too soon"


def test_a_pool_of_which_a_part_is_blocked_is_full_for_whom_the_rest_would_do(fleet: Fleet):
    hub = fleet.the_hub
    block(hub, "HALL", quantity=6)
    fleet.reserve(hub, "19:30", ["HALL"], party=3)
    assert refused(fleet, "HALL", party=4).extra["reason"] == "full"
    assert refused(fleet, "HALL", party=5).extra["reason"] == "blocked"


def test_when_the_block_is_over_or_ended_it_says_nothing_any_more(fleet: Fleet):
    hub = fleet.the_hub
    block(hub, "T1", ends_at=f"{DAY}T19:30")
    fleet.reserve(hub, "19:30", ["T1"])
    assert refused(fleet, "T1").extra["reason"] == "full"
    assert refused(fleet, "T1", time="18:30").extra["reason"] == "blocked"
    (standing,) = blocks.in_use(hub, "trattoria")
    blocks.unblock(hub, standing.code)
    assert refused(fleet, "T1", time="18:30").extra["reason"] == "full"


def test_what_is_moved_onto_a_blocked_table_is_told_so_too(fleet: Fleet):
    hub = fleet.the_hub
    block(hub, "T1", kind="blocked")
    view = fleet.reserve(hub, "19:30", ["T2"])
    with pytest.raises(NotAvailable) as caught:
        fleet.move(hub, view, resources=["T1"])
    assert caught.value.extra["reason"] == "blocked"
    assert "(until 2027-06-03 23:00)" in caught.value.detail, "it is used for nothing"


def test_a_room_is_out_of_use_for_the_nights_that_a_block_takes(tmp_path: Path):
    with Fleet(tmp_path, HOTEL) as fleet:
        hub = fleet.the_hub
        block(hub, "R101", starts_at=f"{DAY}T08:00", ends_at="2027-06-05T08:00")
        kind: dict[str, Any] = {"resource_kind": "suite", "nights": 2}
        assert refused(fleet, time="15:00", **kind).extra["reason"] == "blocked"
        assert slot(fleet, "15:00", **kind)["reason"] == "blocked"
        fleet.reserve(hub, "2027-06-05T15:00", **kind)
