"""Blocks: all dates and resources or none, over reservations on purpose only, by the house."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import Conflict, Invalid, NotAvailable, NotFound, RoleForbidden
from holdfast.model.ids import uuid_text
from holdfast.node import blocks, holds, inspection
from holdfast.node.requests import BlockRequest, HoldRequest, ReserveRequest
from holdfast.node.service import Service
from tests.kit import DAY, TRATTORIA, Fleet

DIVIDED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [{"holder": "desk", "resources": ["T1", "T2"]}]
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, DIVIDED) as made:
        made.join("desk")
        made.join("kiosk", role="kiosk")
        made.sync_all()
        yield made


def block(replica: Service, *resources: str, **more: Any) -> list[Any]:
    fields = {
        "kind": "maintenance", "starts_at": f"{DAY}T18:00", "ends_at": f"{DAY}T23:00",
    } | more  # fmt: skip
    return blocks.block(
        replica, BlockRequest(venue="trattoria", resources=list(resources), **fields)
    )


def settle(fleet: Fleet) -> None:
    fleet.heal()
    fleet.sync_all()
    fleet.assert_agree()


def test_a_block_takes_the_places_and_gives_them_back(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    fleet.cut("desk")
    (made,) = block(desk, "T1", "T2", reason="repair", note="the lamp fell down")
    assert (made.status, made.assurance) == ("confirmed", "guaranteed")
    for table in ("T1", "T2"):
        with pytest.raises(NotAvailable):
            fleet.reserve(desk, "19:30", [table])
    assert desk.reservations.select(venue="trattoria")[0] == []
    assert [one.id for one in blocks.in_use(desk, "trattoria")] == [made.id]
    settle(fleet)
    blocks.unblock(desk, made.code)
    assert blocks.in_use(desk, "trattoria") == []
    assert fleet.reserve(desk, "19:30", ["T1"]).assurance == "guaranteed"
    settle(fleet)


def test_over_reservations_nothing_is_blocked_unless_somebody_insists(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    there = fleet.reserve(desk, "19:30", ["T1"])
    with pytest.raises(Conflict) as raised:
        block(desk, "T2", "T1")
    assert raised.value.extra["conflicts"] == [uuid_text(there.id)]
    assert there.code in raised.value.detail
    assert blocks.in_use(desk, "trattoria") == [], "not even the free one"
    (made,) = block(desk, "T2", "T1", force=True)
    assert (made.status, made.assurance) == ("confirmed", "guaranteed")
    assert [one.code for one in blocks.conflicts(desk, made)] == [there.code]
    with pytest.raises(Conflict, match="take that block away first"):
        block(desk, "T2")
    assert fleet.now(desk, there).status == "confirmed"
    with pytest.raises(NotAvailable):
        fleet.reserve(desk, "21:30", ["T1"])
    fleet.heal()
    fleet.sync_all()
    assert fleet.now(fleet.the_hub, there).status == "confirmed"
    assert fleet.now(fleet.the_hub, made).status == "confirmed"
    assert fleet.the_hub.rights(fleet.book).now(made.live[0].right) is not None, "not oversold"
    fleet.move(desk, there, time="19:30", resources=["T3"])
    fleet.sync_all()
    assert blocks.conflicts(desk, fleet.now(desk, made)) == []
    with pytest.raises(NotAvailable):
        fleet.reserve(desk, "19:30", ["T1"])


def test_what_was_taken_away_here_is_not_to_be_taken_away_again(fleet: Fleet) -> None:
    """T3 is the hub's: a desk that is cut off asks for it, takes that back, and asks once more."""
    desk = fleet.nodes["desk"]
    fleet.cut("desk")
    (made,) = block(desk, "T3")
    blocks.unblock(desk, made.code)
    with pytest.raises(Conflict, match="has not answered yet") as raised:
        block(desk, "T3")
    assert "take that block away" not in raised.value.detail
    assert raised.value.extra["conflicts"] == [uuid_text(made.id)]
    settle(fleet)
    (again,) = block(desk, "T3")
    settle(fleet)
    assert fleet.now(desk, again).status == "confirmed"
    assert fleet.now(desk, made).status == "cancelled"


@pytest.mark.parametrize("where", ["T1", "T3"])
def test_what_is_held_is_reserved_under_a_block_that_came_later(fleet: Fleet, where: str) -> None:
    """T1 is the desk's, which gives it at once; T3 is the hub's, which is asked for it."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    held = holds.place(
        desk,
        HoldRequest(
            venue="trattoria", starts_at=f"{DAY}T19:30", party_size=2, resources=[where]
        ),
    )  # fmt: skip
    fleet.sync_all()
    (made,) = block(hub, where, force=True)
    fleet.sync_all()
    holds.reserve(desk, held.code, ReserveRequest(user_id="u-1"))
    settle(fleet)
    assert [fleet.now(hub, one).status for one in (held, made)] == ["confirmed", "confirmed"]
    assert [one.code for one in blocks.conflicts(hub, fleet.now(hub, made))] == [held.code]
    with pytest.raises(NotAvailable):
        fleet.reserve(desk, "19:30", [where])


def test_a_block_of_a_part_of_a_pool_is_in_nobodys_way_while_there_is_room(fleet: Fleet) -> None:
    hub = fleet.the_hub
    four = fleet.reserve(hub, "19:30", ["HALL"], 4)
    (made,) = block(hub, "HALL", quantity=6)
    assert blocks.conflicts(hub, made) == []
    (more,) = block(hub, "HALL", quantity=1, force=True)
    assert {one.id for one in blocks.conflicts(hub, more)} == {four.id, made.id}
    blocks.unblock(hub, more.code)
    assert blocks.conflicts(hub, fleet.now(hub, more)) == []


def test_several_blocks_are_made_in_one_step_or_none(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    there = fleet.reserve(desk, "19:30", ["T1"])

    def request(table: str, **more: Any) -> BlockRequest:
        return BlockRequest(
            venue="trattoria", kind="training", resources=[table], starts_at=f"{DAY}T18:00",
            ends_at=f"{DAY}T23:00", **more,
        )  # fmt: skip

    with pytest.raises(Conflict) as raised:
        blocks.block_all(desk, [request("T2"), request("T1"), request("T2")])
    error = raised.value
    assert error.extra["conflicts"] == [uuid_text(there.id)]
    assert [one["field"] for one in error.extra["errors"]] == ["items[1]", "items[2]"]
    assert there.code in error.detail and "another item" in error.detail
    with pytest.raises(Invalid) as invalid:
        blocks.block_all(desk, [request("T2"), request("T9"), request("T3", rrule="daily")])
    fields = [one["field"] for one in invalid.value.extra["errors"]]
    assert fields == ["items[1].resources", "items[2].rrule"]
    weeks = [request(table, rrule="FREQ=WEEKLY;COUNT=300") for table in ("T3", "T4")]
    with pytest.raises(Invalid, match="400 dates together"):
        blocks.block_all(desk, weeks)
    assert blocks.in_use(desk, "trattoria") == []
    made = blocks.block_all(
        desk, [request("T2"), request("T1", force=True, rrule="FREQ=DAILY;COUNT=2")]
    )
    assert [len(dates) for dates in made] == [1, 2]
    assert [len(blocks.later(desk, dates[0])) for dates in made] == [0, 2]
    settle(fleet)
    assert len(blocks.in_use(fleet.the_hub, "trattoria")) == 3


def test_a_forced_block_is_asked_of_who_holds_the_place(fleet: Fleet) -> None:
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    there = fleet.reserve(desk, "19:30", ["T1"])
    (made,) = block(hub, "T1", force=True)
    assert (made.status, made.assurance) == ("commit_pending", "provisional")
    fleet.heal()
    fleet.sync_all()
    assert fleet.now(hub, made).status == "confirmed"
    assert fleet.now(hub, there).status == "confirmed"


def test_a_block_that_was_refused_is_told_in_the_words_of_blocks(fleet: Fleet) -> None:
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    fleet.reserve(desk, "19:30", ["T1"])
    (made,) = block(hub, "T1")
    settle(fleet)
    (item,) = inspection.exceptions(hub)
    assert item["kind"] == "displaced"
    assert f"What {made.code} was to take out of use is promised" in item["detail"]
    assert "guest" not in item["detail"]
    blocks.unblock(hub, made.code)
    assert inspection.exceptions(hub) == []


def test_a_recurrence_blocks_the_right_dates_or_none(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    made = block(desk, "T1", rrule="FREQ=WEEKLY;BYDAY=TH,FR;COUNT=5")
    assert [one.service_date for one in made] == [
        "2027-06-03", "2027-06-04", "2027-06-10", "2027-06-11", "2027-06-17",
    ]  # fmt: skip
    assert len({one.form.series for one in made}) == 1
    fleet.reserve(desk, "2027-06-10T19:30", ["T2"])
    with pytest.raises(Conflict):
        block(desk, "T2", rrule="FREQ=DAILY;COUNT=10")
    assert len(blocks.in_use(desk, "trattoria")) == 5
    blocks.unblock(desk, made[2].code, series=True)
    assert [one.service_date for one in blocks.in_use(desk, "trattoria")] == [
        "2027-06-03", "2027-06-04",
    ]  # fmt: skip
    settle(fleet)


def test_only_the_house_takes_places_out_of_use(fleet: Fleet) -> None:
    with pytest.raises(RoleForbidden):
        block(fleet.nodes["kiosk"], "T1")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("kind", {"kind": "party"}),
        ("reason", {"reason": "because Ann said so"}),
        ("ends_at", {"ends_at": f"{DAY}T18:00"}),
        ("rrule", {"rrule": "every week"}),
        ("rrule", {"rrule": "FREQ=WEEKLY"}),
        ("rrule", {"rrule": "FREQ=DAILY;COUNT=900"}),
        ("rrule", {"rrule": "FREQ=HOURLY;COUNT=3"}),
        ("rrule", {"rrule": "FREQ=WEEKLY;BYDAY=XX;COUNT=3"}),
        ("resources", {"resources": ["T9"]}),
    ],
)
def test_what_makes_no_sense_is_named(fleet: Fleet, field: str, changes: dict[str, Any]) -> None:
    desk = fleet.nodes["desk"]
    resources = changes.pop("resources", ["T1"])
    with pytest.raises(Invalid) as raised:
        block(desk, *resources, **changes)
    assert [one["field"] for one in raised.value.extra["errors"]] == [field]


def test_a_reservation_is_no_block(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    with pytest.raises(NotFound):
        blocks.unblock(desk, fleet.reserve(desk, "19:30", ["T1"]).code)
