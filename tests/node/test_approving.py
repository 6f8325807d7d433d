"""Who agrees to what guests reserve by themselves, at devices that hear of each other late."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.model.errors import BadTransition, Invalid, RoleForbidden
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View
from holdfast.node import holds, waiting
from holdfast.node.audit import audit_entries
from holdfast.node.doctor import doctor
from holdfast.node.requests import HoldRequest, ReserveRequest, WaitRequest
from holdfast.node.service import Service
from tests.kit import DAY, TRATTORIA, Fleet

POLICIES = {"advance_days": 365, "confirmation": "manual"}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Fleet]:
    """A hub, two desks and a kiosk, which sells T2."""
    allotments = [{"holder": "desk", "resources": ["T1"]}, {"holder": "kiosk", "resources": ["T2"]}]
    with Fleet(tmp_path, TRATTORIA | {"allotments": allotments, "policies": POLICIES}) as fleet:
        for name, role in (("desk", "front-desk"), ("bar", "front-desk"), ("kiosk", "kiosk")):
            fleet.join(name, role)
        fleet.sync_all()
        yield fleet


def asked(town: Fleet, at: str = "kiosk", time: str = "19:30") -> View:
    node = town.nodes[at]
    return node.reservations.create(town.request(time), by_guest=True)


def told(town: Fleet, view: View) -> set[tuple[str, str]]:
    found = [replica.view(view.id) for replica in town.replicas()]
    return {(one.status, one.approval) for one in found if one is not None}


def test_what_a_guest_reserves_has_its_place_and_waits_for_the_houses_word(town: Fleet):
    town.cut("kiosk")
    view = asked(town)
    assert (view.status, view.assurance, view.approval) == ("confirmed", "guaranteed", "pending")
    town.heal("kiosk")
    town.sync_all()
    assert told(town, view) == {("confirmed", "pending")}
    # Two desks that hear nothing of each other both agree; twice is as good as once.
    town.cut("desk")
    town.cut("bar")
    for name in ("desk", "bar", "desk"):
        assert town.nodes[name].reservations.approve(view.code).approval == "approved"
    written = town.now(town.nodes["desk"], view).entries
    assert written == 2, "the second time nothing is written"
    for name in ("desk", "bar"):
        town.heal(name)
    town.sync_all()
    town.assert_agree()
    assert told(town, view) == {("confirmed", "approved")}
    kinds = [one["kind"] for one in audit_entries(town.the_hub, uuid_text(view.id))[0]]
    assert kinds.count("reservation.approved") == 2


@pytest.mark.parametrize("first", ["desk", "bar"])
def test_approved_here_and_cancelled_there_it_is_cancelled(town: Fleet, first: str):
    view = asked(town)
    town.sync_all()
    town.cut("desk")
    town.cut("bar")
    town.nodes["desk"].reservations.approve(view.code)
    town.nodes["bar"].reservations.cancel(view.code, "full", "venue")
    for name in (first, *({"desk", "bar"} - {first})):
        town.heal(name)
        town.sync_all()
    town.sync_all()
    town.assert_agree()
    assert told(town, view) == {("cancelled", "approved")}
    assert not town.the_hub.store.projections.exceptions()


def test_a_provisional_one_is_approved_before_its_holder_has_answered(town: Fleet):
    town.cut("kiosk")
    at_kiosk = town.nodes["kiosk"].reservations
    view = at_kiosk.create(town.request("19:30", ["T1"]), by_guest=True)
    assert (view.status, view.approval) == ("commit_pending", "pending")
    with pytest.raises(RoleForbidden, match="approve what guests reserved by themselves"):
        at_kiosk.approve(view.code)
    town.heal("kiosk")
    town.cut("desk")  # which would answer
    town.sync_all()
    bar = town.nodes["bar"].reservations
    assert bar.approve(view.code).approval == "approved"
    town.heal("desk")
    town.sync_all()
    assert told(town, view) == {("confirmed", "approved")}


def test_whom_the_house_has_not_to_approve(town: Fleet):
    """Staff who book, walk-ins, and what was made before the venue file asked for it."""
    desk = town.nodes["desk"].reservations
    made = [
        desk.create(town.request("12:00")),
        desk.create(town.request("13:30", kind="walk_in"), by_guest=True),
        desk.create(town.request("15:00", source="phone")),
    ]
    assert [one.approval for one in made] == ["", "", ""]
    assert desk.create(town.request("17:00", source="website")).approval == "pending"
    before = desk.approve(made[0].code)
    assert (before.approval, before.entries) == ("", made[0].entries), "nothing is written"
    town.the_hub.import_venue(TRATTORIA)
    town.sync_all()
    assert desk.create(town.request("18:30", source="website")).approval == ""
    assert [one.approval for one in desk.select(approval="pending")[0]] == ["pending"]


def test_what_was_held_or_waited_for_waits_for_the_house_once_it_is_reserved(town: Fleet):
    desk = town.nodes["desk"]
    asking = HoldRequest(venue="trattoria", starts_at=f"{DAY}T19:30", party_size=2)
    hold = holds.place(desk, asking, by_guest=True)
    assert desk.reservations.select(approval="pending")[0] == [], "a hold is no reservation yet"
    view = holds.reserve(desk, hold.code, ReserveRequest(), by_guest=True)
    assert (view.status, view.approval) == ("confirmed", "pending")
    waits = WaitRequest(venue="trattoria", date=DAY, party_size=2)
    assert waiting.join(desk, waits, by_guest=True).approval == "pending"
    assert waiting.join(desk, waits).approval == ""
    assert [one.code for one in desk.reservations.select(approval="pending")[0]] == [view.code]


def test_it_stays_pending_after_its_start_and_is_found_so(town: Fleet):
    first, second, third = (asked(town, "desk", time) for time in ("18:00", "19:30", "21:00"))
    desk: Service = town.nodes["desk"]
    desk.reservations.approve(second.code)
    desk.reservations.cancel(third.code, "guest_request", late=True)
    town.clocks.advance(hours=72)
    for again in (False, True):
        if again:
            desk = town.reopen("desk")
        found, _ = desk.reservations.select(venue="trattoria", approval="pending")
        assert [(one.code, one.status) for one in found] == [(first.code, "confirmed")]
        found, _ = desk.reservations.select(approval="approved")
        assert [one.code for one in found] == [second.code]
    with pytest.raises(BadTransition, match=r"is cancelled; there is nothing left to approve"):
        desk.reservations.approve(third.code)
    with pytest.raises(Invalid, match="pending, approved"):
        desk.reservations.select(approval="asked")
    town.nodes.pop("desk").close()
    (check,) = [one for one in doctor(desk.directory) if one.name == "projections"]
    assert check.ok, check


def test_those_that_wait_are_read_from_their_index(town: Fleet):
    asked(town, "desk")
    plan = town.nodes["desk"].store.db.conn.execute(
        "EXPLAIN QUERY PLAN SELECT view FROM reservations WHERE entries > 0 AND code <> ''"
        " AND form = ? AND approval = 'pending' ORDER BY starts_at, id LIMIT ?", ("", 50)
    ).fetchall()  # fmt: skip
    assert any("reservations_to_approve" in row[3] for row in plan), plan
