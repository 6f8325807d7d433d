"""How the tables of a venue stand on devices that hear of each other, or do not."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import BadTransition, Invalid, NotFound, RoleForbidden
from holdfast.model.floor import Table
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View
from holdfast.node import blocks, tables
from holdfast.node.audit import audit_entries
from holdfast.node.requests import BlockRequest
from holdfast.node.service import Service
from tests.kit import NEXT_DAY, TRATTORIA, Fleet

TODAY = "2027-06-02"  # 10:13 in Rome


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    venue = copy.deepcopy(TRATTORIA)
    venue["allotments"] = [{"holder": "desk", "resources": ["T*"]}]
    venue["policies"] |= {"reserved_minutes": 30}
    with Fleet(tmp_path, venue) as fleet:
        fleet.join("desk")
        fleet.sync_all()
        yield fleet


def reserve(fleet: Fleet, at: str, resource: str = "T1", **more: Any) -> View:
    return fleet.reserve(fleet.nodes["desk"], f"{TODAY}T{at}", [resource], **more)


def table(replica: Service, resource: str = "T1") -> Table:
    return tables.one(replica, "trattoria", resource)


def state(fleet: Fleet, resource: str = "T1") -> str:
    return table(fleet.nodes["desk"], resource).state


def mark(fleet: Fleet, wanted: str, resource: str = "T1", replica: Service | None = None) -> str:
    return tables.mark(replica or fleet.nodes["desk"], "trattoria", resource, wanted).state


def test_a_table_goes_through_its_evening(fleet: Fleet):
    assert state(fleet) == "available"
    view = reserve(fleet, "11:00")
    assert table(fleet.nodes["desk"]).next == view
    assert state(fleet) == "available"
    fleet.clocks.advance(minutes=20)
    assert state(fleet) == "reserved"
    assert mark(fleet, "occupied") == "occupied"
    now = fleet.now(fleet.nodes["desk"], view)
    assert (now.status, table(fleet.nodes["desk"]).since_ms) == ("checked_in", now.checked_in_at_ms)
    fleet.clocks.advance(minutes=60)
    assert mark(fleet, "cleaning") == "cleaning"
    assert fleet.now(fleet.nodes["desk"], view).status == "completed"
    assert mark(fleet, "available") == "available"
    assert mark(fleet, "available") == "available"
    kinds = [one["kind"] for one in audit_entries(fleet.nodes["desk"], limit=500)[0]]
    assert kinds.count("resource.cleaned") == 1


def test_who_is_late_is_awaited_until_marked_as_a_no_show_or_their_time_is_over(fleet: Fleet):
    view, other = reserve(fleet, "11:00"), reserve(fleet, "11:00", "T2")
    fleet.clocks.advance(minutes=100)
    assert (state(fleet), state(fleet, "T2")) == ("reserved", "reserved")
    fleet.nodes["desk"].reservations.no_show(uuid_text(view.id))
    assert (state(fleet), state(fleet, "T2")) == ("available", "reserved")
    fleet.clocks.advance(minutes=60)
    assert fleet.now(fleet.nodes["desk"], other).status == "confirmed"
    assert state(fleet, "T2") == "available"


def test_a_jump_is_refused_and_writes_nothing(fleet: Fleet):
    desk = fleet.nodes["desk"]
    before = desk.tip(fleet.book)
    for wanted in ("reserved", "occupied", "cleaning"):
        with pytest.raises(BadTransition) as refused:
            mark(fleet, wanted)
        assert refused.value.present_status == "available"
    with pytest.raises(Invalid, match="available, reserved, occupied, cleaning"):
        mark(fleet, "dirty")
    with pytest.raises(NotFound, match="tables list"):
        mark(fleet, "available", "T99")
    assert desk.tip(fleet.book) == before


def seat(fleet: Fleet, resource: str = "T1") -> View:
    view = reserve(fleet, "10:30", resource)
    fleet.nodes["desk"].reservations.check_in(uuid_text(view.id))
    return view


def leave(fleet: Fleet, view: View, replica: Service | None = None) -> None:
    (replica or fleet.nodes["desk"]).reservations.complete(uuid_text(view.id))


def test_what_was_left_is_cleaned_until_somebody_says_so_or_the_day_is_over(fleet: Fleet):
    view = seat(fleet)
    leave(fleet, view)
    fleet.clocks.advance(hours=12)
    assert state(fleet) == "cleaning"
    fleet.clocks.advance(hours=6)
    assert state(fleet) == "available"


def test_a_venue_may_say_how_long_cleaning_takes(fleet: Fleet):
    changed = copy.deepcopy(TRATTORIA)
    changed["policies"] |= {"cleaning_minutes": 15}
    changed["allotments"] = [{"holder": "desk", "resources": ["T*"]}]
    fleet.the_hub.import_venue(changed)
    fleet.sync_all()
    leave(fleet, seat(fleet))
    fleet.clocks.advance(minutes=14)
    assert state(fleet) == "cleaning"
    fleet.clocks.advance(minutes=2)
    assert state(fleet) == "available"


def test_cleaning_keeps_nobody_from_reserving_the_table(fleet: Fleet):
    leave(fleet, seat(fleet))
    assert state(fleet) == "cleaning"
    assert reserve(fleet, "10:30", "T1").status == "confirmed"


def test_who_sits_there_is_shown_before_what_was_left_and_whose_it_is(fleet: Fleet):
    leave(fleet, seat(fleet))
    second = seat(fleet)
    assert state(fleet) == "occupied"
    assert table(fleet.nodes["desk"]).party[0].id == second.id


def test_guests_are_where_they_went(fleet: Fleet):
    view = seat(fleet)
    fleet.move(fleet.nodes["desk"], view, resources=["T2"])
    assert (state(fleet), state(fleet, "T2")) == ("available", "occupied")


def test_whose_visit_nobody_ended_does_not_sit_there_on_the_next_day(fleet: Fleet):
    seat(fleet)
    fleet.clocks.advance(hours=20)
    assert state(fleet) == "available"


def test_a_broken_table_is_out_of_use_says_why_and_is_offered_to_nobody(fleet: Fleet):
    desk = fleet.nodes["desk"]
    blocks.block(
        desk,
        BlockRequest(
            venue="trattoria", kind="maintenance", reason="broken", resources=["T1"],
            starts_at=f"{TODAY}T10:00", ends_at=f"{TODAY}T15:00",
        ),
    )  # fmt: skip
    found = table(desk)
    assert found.state == "blocked" and found.block is not None and found.block.form is not None
    assert (found.block.form.use, found.block.form.reason) == ("maintenance", "broken")
    assert fleet.slots(desk, date=TODAY)[0]["resources"] == ["T2"]
    with pytest.raises(BadTransition):
        mark(fleet, "available")
    fleet.clocks.advance(hours=5)
    assert state(fleet) == "available"


def test_a_bar_says_how_much_of_it_is_taken(fleet: Fleet):
    hub = fleet.the_hub
    here = fleet.reserve(hub, f"{TODAY}T10:30", ["HALL"], party=6)
    hub.reservations.check_in(uuid_text(here.id))
    fleet.reserve(hub, f"{TODAY}T10:30", ["HALL"], party=3)
    found = table(hub, "HALL")
    assert (found.state, found.taken, found.promised) == ("available", 6, 3)
    fleet.reserve(hub, f"{TODAY}T10:30", ["HALL"], party=1)
    assert table(hub, "HALL").state == "reserved"


def test_a_table_is_seen_at_another_instant_too(fleet: Fleet):
    view = reserve(fleet, "20:00")
    at = view.starts_at - 60
    found = {one.resource.id: one for one in tables.shown(fleet.nodes["desk"], "trattoria", at)}
    assert (found["T1"].state, found["T1"].due) == ("reserved", (view,))
    later = tables.shown(fleet.nodes["desk"], "trattoria", view.ends_at + 1)
    assert later[0].state == "available"


# --- several devices ------------------------------------------------------------------------------


def everywhere(fleet: Fleet, resource: str = "T1") -> set[str]:
    return {table(replica, resource).state for replica in fleet.replicas()}


def test_a_clean_table_is_clean_everywhere_once_they_meet(fleet: Fleet):
    view = seat(fleet)
    fleet.sync_all()
    fleet.cut("desk")
    leave(fleet, view)
    assert mark(fleet, "available") == "available"
    assert table(fleet.the_hub).state == "occupied"
    fleet.heal("desk")
    fleet.sync_all()
    assert everywhere(fleet) == {"available"}
    fleet.assert_agree()


def test_two_devices_that_say_so_without_each_other_agree(fleet: Fleet):
    view = seat(fleet)
    leave(fleet, view)
    fleet.sync_all()
    fleet.cut("desk")
    assert mark(fleet, "available") == "available"
    assert mark(fleet, "available", replica=fleet.the_hub) == "available"
    fleet.heal("desk")
    fleet.sync_all()
    assert everywhere(fleet) == {"available"}


def test_the_later_of_leaving_and_cleaning_counts_in_whatever_order_they_come(fleet: Fleet):
    """The hub cleans what the desk's guests left; meanwhile others came to the desk, and left."""
    leave(fleet, seat(fleet))
    fleet.sync_all()
    fleet.cut("desk")
    assert mark(fleet, "available", replica=fleet.the_hub) == "available"
    fleet.clocks.advance(minutes=5)
    leave(fleet, seat(fleet))
    assert state(fleet) == "cleaning"
    fleet.heal("desk")
    fleet.sync_all()
    assert everywhere(fleet) == {"cleaning"}
    for replica in fleet.replicas():
        replica.refold(fleet.book)
    assert everywhere(fleet) == {"cleaning"}
    mark(fleet, "available")
    fleet.sync_all()
    assert everywhere(fleet) == {"available"}


def test_a_mark_outlives_a_restart_and_is_told_in_the_audit(fleet: Fleet):
    leave(fleet, seat(fleet))
    mark(fleet, "available")
    desk = fleet.reopen("desk")
    assert table(desk).state == "available"
    (said,) = [
        one for one in audit_entries(desk, limit=500)[0] if one["kind"] == "resource.cleaned"
    ]
    assert (said["node"], said["after"]) == ("desk", {"resource": "T1"})


def test_a_kiosk_may_say_so_and_a_channel_may_not(fleet: Fleet):
    leave(fleet, seat(fleet))
    kiosk, channel = fleet.join("kiosk", "kiosk"), fleet.join("shop", "channel")
    fleet.sync_all()
    assert table(channel).state == "cleaning"
    with pytest.raises(RoleForbidden, match="say that a table is clean"):
        mark(fleet, "available", replica=channel)
    assert mark(fleet, "available", replica=kiosk) == "available"
    fleet.sync_all()
    assert everywhere(fleet) == {"available"}


def test_tomorrow_is_another_day(fleet: Fleet):
    view = fleet.reserve(fleet.nodes["desk"], f"{NEXT_DAY}T12:00", ["T1"])
    assert view.status == "confirmed"
    assert table(fleet.nodes["desk"]).next is None
