"""What a person must look at can be answered, and what no answer ends says so."""

from __future__ import annotations

import pytest

from holdfast.model.errors import Invalid, NotFound, RuleViolated
from holdfast.model.events import ReservationAmended
from holdfast.node import attention
from holdfast.node.inspection import exceptions
from holdfast.node.lookup import rfc3339_ms
from tests.kit import START_MS, Fleet
from tests.node.test_queue import write_unchecked


def quarantined(fleet: Fleet) -> tuple[str, bytes]:
    """A desk's operation that the hub set aside: (the exception's id, the operation)."""
    desk = fleet.join("desk")
    good = fleet.reserve(desk, "19:30", ["T1"])
    bad = write_unchecked(fleet, desk, good, ReservationAmended({"occasion": "for dear Anna"}))
    desk.sync()
    return f"{bad.hex()}.quarantined", bad


def test_a_quarantined_entry_that_was_looked_at_is_open_no_more_on_this_device(fleet: Fleet):
    open_one, _ = quarantined(fleet)
    hub = fleet.the_hub
    assert [(item["id"], item["actions"]) for item in exceptions(hub)] == [
        (open_one, ["acknowledge"])
    ]
    attention.resolve(hub, open_one, "acknowledge", "guest_called")
    assert exceptions(hub) == []
    with pytest.raises(NotFound, match="may have been resolved"):
        attention.resolve(hub, open_one, "acknowledge", "guest_called")
    again = fleet.reopen("hub")
    assert exceptions(again) == [], "a restart forgets nothing"


def test_an_entry_can_be_withdrawn_only_where_it_was_written(fleet: Fleet):
    open_one, operation = quarantined(fleet)
    with pytest.raises(Invalid, match="must be one of acknowledge"):
        attention.resolve(fleet.the_hub, open_one, "withdraw", "typing_error")
    assert "queue withdraw" in exceptions(fleet.the_hub)[0]["detail"]
    fleet.nodes["desk"].withdraw(operation, "typing_error")
    fleet.sync_all()
    assert exceptions(fleet.the_hub) == []


def test_a_reason_that_is_no_code_changes_nothing(fleet: Fleet):
    open_one, _ = quarantined(fleet)
    for reason in ("", "Anna called, she is sorry!", "x" * 65, "mario_rossi", "Mario Rossi"):
        with pytest.raises(Invalid, match=r"called_guest.*`other` always") as said:
            attention.resolve(fleet.the_hub, open_one, "acknowledge", reason)
        assert "mario" not in str(said.value).lower(), "a name is not carried on into a log"
    assert [item["id"] for item in exceptions(fleet.the_hub)] == [open_one]


def test_two_hubs_cannot_be_acknowledged_away(fleet: Fleet):
    copies = [fleet.copy("hub", name) for name in ("one", "two")]
    desk = fleet.join("desk")
    for directory in copies:
        fleet.stop_hub()
        fleet.open("hub", directory).recover()  # type: ignore[attr-defined]
        desk.reset_peer()
        if directory == copies[0]:
            fleet.sync(desk)
    with pytest.raises(RuleViolated, match="two hubs"):
        fleet.sync(desk)
    [item] = [item for item in exceptions(desk) if item["kind"] == "two_hubs"]
    assert item["since"][:10] == rfc3339_ms(START_MS)[:10], "it began with the second of the two"
    with pytest.raises(RuleViolated, match="Stop one of them"):
        attention.resolve(desk, item["id"], "acknowledge", "seen")
    assert item in exceptions(desk)


def test_a_revocation_for_no_code_shuts_nobody_out(fleet: Fleet):
    fleet.join("desk")
    fleet.sync_all()
    for reason in ("he took it home!", "mario_rossi"):
        with pytest.raises(Invalid, match=r"stolen.*`other` always"):
            fleet.the_hub.revoke("desk", reason)
    assert [node["revoked"] for node in fleet.the_hub.nodes()] == [False]
