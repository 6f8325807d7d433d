"""Rights under partition: who holds a place sells it guaranteed, and nobody else does.

The numbers are those of the schedules that broke earlier rules. The desk holds T1 and T2 and four
seats of the hall, the kiosk T3; the rest is the hub's.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from holdfast.model.claims import READY
from holdfast.model.errors import (
    Conflict,
    Forbidden,
    HoldfastError,
    NotAvailable,
    NotFound,
    RuleViolated,
)
from holdfast.model.reservation import View
from holdfast.model.rights import Held
from holdfast.node import allotments, returning, standing
from holdfast.node.exchange import Exchange, Peer
from holdfast.node.node import Node
from holdfast.node.service import Service
from tests.kit import DAY, TRATTORIA, Fleet, exchange_once

ALLOTTED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [
        {"holder": "desk", "resources": ["T1", "T2"]},
        {"holder": "kiosk", "resources": ["T3"]},
        {"holder": "desk", "resources": ["HALL"], "quantity": 4},
    ]
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, ALLOTTED) as made:
        made.join("desk")
        made.join("kiosk", role="kiosk")
        made.sync_all()
        yield made


def held(replica: Service, book: str, resource: str) -> list[tuple[str, int]]:
    """(holder, quantity) of the rights to a resource, as a replica knows them."""
    return [
        (replica.name_of(book, one.holder), one.right.quantity)
        for one in replica.rights(book).of_resource(resource)
    ]


def right_of(replica: Service, book: str, resource: str) -> Held:
    (found,) = replica.rights(book).of_resource(resource)
    return found


def only_of(node: Node, message: Any) -> Any:
    """A message that carries nothing but one device's own chain."""
    own = node.identity.incarnation
    frames = tuple(frame for frame in message.frames if frame.incarnation == own)
    return msgspec.structs.replace(message, frames=frames)


def status(view: View) -> tuple[str, str]:
    return view.status, view.assurance


# --- who holds what -------------------------------------------------------------------------------


def test_a_venue_files_wishes_are_granted_to_whom_they_name(fleet: Fleet):
    for replica in fleet.replicas():
        assert held(replica, fleet.book, "T1") == [("desk", 1)]
        assert held(replica, fleet.book, "T3") == [("kiosk", 1)]
        assert held(replica, fleet.book, "HALL") == [("desk", 4)]
        assert held(replica, fleet.book, "T4") == []


def test_a_device_that_joins_later_receives_what_the_file_wishes_for_its_name(tmp_path: Path):
    with Fleet(tmp_path, ALLOTTED) as fleet:
        assert held(fleet.the_hub, fleet.book, "T1") == []
        desk = fleet.join("desk")
        assert held(desk, fleet.book, "T1") == [("desk", 1)]


def test_what_a_device_holds_it_sells_guaranteed_offline(fleet: Fleet):
    desk = fleet.nodes["desk"]
    fleet.cut("desk")
    view = fleet.reserve(desk, "19:00", ["T1"])
    assert status(view) == ("confirmed", "guaranteed")
    assert status(fleet.reserve(desk, "19:00", ["T4"])) == ("commit_pending", "provisional")
    fleet.heal()
    fleet.sync_all()
    assert status(fleet.now(fleet.the_hub, view)) == ("confirmed", "guaranteed")
    fleet.assert_agree()


def test_a_place_that_would_be_guaranteed_is_taken_before_a_better_fit(fleet: Fleet):
    kiosk = fleet.nodes["kiosk"]
    fleet.cut("kiosk")
    # T1 and T2 fit two people better; the kiosk holds T3.
    view = fleet.reserve(kiosk, "19:00", party=2)
    assert [claim.resource for claim in view.live] == ["T3"]
    assert view.assurance == "guaranteed"


def test_of_places_that_fit_alike_the_hubs_is_taken_before_another_devices(fleet: Fleet):
    """T3 is the kiosk's, which is away; the hub's T4 fits as well, although it comes later."""
    desk = fleet.nodes["desk"]
    fleet.cut("kiosk")
    view = fleet.reserve(desk, "19:00", party=3)
    assert [claim.resource for claim in view.claims] == ["T4"]
    fleet.sync(desk)
    assert status(fleet.now(desk, view)) == ("confirmed", "admitted")
    # Where the hub has none that fits as well, another device is asked.
    assert [one.resource for one in fleet.reserve(desk, "19:00", party=3).claims] == ["T3"]


def test_a_worse_fit_is_not_taken_because_the_hub_holds_it(fleet: Fleet):
    kiosk = fleet.nodes["kiosk"]
    fleet.reserve(kiosk, "19:00", ["T3"])
    view = fleet.reserve(kiosk, "19:00", party=2)
    assert [claim.resource for claim in view.claims] == ["T1"], "T4 is the hub's, and larger"


def test_the_hub_does_not_sell_what_it_granted(fleet: Fleet):
    view = fleet.reserve(fleet.the_hub, "19:00", ["T1"])
    assert status(view) == ("commit_pending", "provisional")
    fleet.sync_all()
    assert status(fleet.now(fleet.the_hub, view)) == ("confirmed", "admitted")
    decision = fleet.now(fleet.the_hub, view).decision
    assert decision is not None
    assert decision.by == "desk"
    fleet.assert_agree()


def test_a_claim_on_anothers_place_is_decided_by_its_holder(fleet: Fleet):
    desk, kiosk = fleet.nodes["desk"], fleet.nodes["kiosk"]
    fleet.cut("desk", "kiosk")
    sold = fleet.reserve(desk, "19:00", ["T1"])
    wish = fleet.reserve(kiosk, "19:30", ["T1"])
    other = fleet.reserve(kiosk, "19:30", ["T2"])
    fleet.heal("kiosk")
    fleet.sync(kiosk)
    # The hub does not answer for the desk.
    assert fleet.now(fleet.the_hub, wish).status == "commit_pending"
    fleet.heal()
    fleet.sync_all()
    assert fleet.now(kiosk, wish).status == "commit_failed"
    decision = fleet.now(kiosk, wish).decision
    assert decision is not None
    assert decision.won == (sold.id,)
    assert status(fleet.now(kiosk, other)) == ("confirmed", "admitted")
    fleet.assert_agree()


def test_shares_of_one_pool_are_sold_apart_and_never_above_it(fleet: Fleet):
    """Schedule 16: of ten seats the desk holds four."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    for _ in range(2):
        assert fleet.reserve(desk, "20:00", ["HALL"], party=2).assurance == "guaranteed"
    assert fleet.reserve(desk, "20:00", ["HALL"], party=2).assurance == "provisional"
    for _ in range(3):
        assert fleet.reserve(hub, "20:00", ["HALL"], party=2).assurance == "guaranteed"
    # The hub has sold its six; what it believes to be free is the desk's.
    assert fleet.reserve(hub, "20:00", ["HALL"], party=2).assurance == "provisional"
    fleet.heal()
    fleet.sync_all()
    fleet.assert_agree()


# --- handing over ---------------------------------------------------------------------------------


def test_a_right_that_is_returned_takes_its_claims_with_it(fleet: Fleet):
    """Schedule 3: the desk sells T1, then returns it, and only then is heard."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    sold = fleet.reserve(desk, "19:00", ["T1"])
    right = right_of(desk, fleet.book, "T1").right.id
    returning.give_back(desk, right)
    assert fleet.reserve(desk, "22:00", ["T1"]).assurance == "provisional"
    fleet.heal()
    fleet.sync_all()
    assert held(hub, fleet.book, "T1") == []
    with pytest.raises(NotAvailable):
        fleet.reserve(hub, "19:00", ["T1"])
    assert fleet.reserve(hub, "12:00", ["T2"]).assurance == "guaranteed", "T2 came back with it"
    assert status(fleet.now(hub, sold)) == ("confirmed", "guaranteed")
    # Its claim is the hub's to end now.
    hub.reservations.cancel(sold.code, "guest_request", "guest")
    assert not fleet.now(hub, sold).live
    fleet.sync_all()
    fleet.assert_agree()


def test_a_place_with_sales_is_granted_with_their_names(tmp_path: Path):
    """Schedule 3, the other way: the hub sells T1, then grants it; only the grant is known."""
    with Fleet(tmp_path, TRATTORIA) as fleet:
        desk = fleet.join("desk")
        fleet.sync_all()
        sold = fleet.reserve(fleet.the_hub, "19:00", ["T1"])
        fleet.the_hub.granting.grant("trattoria", "desk", ["T1"])
        fleet.sync_all()
        fleet.cut("desk")
        with pytest.raises(NotAvailable):
            fleet.reserve(desk, "19:30", ["T1"])
        assert fleet.reserve(desk, "21:00", ["T1"]).assurance == "guaranteed"
        desk.reservations.cancel(sold.code, "guest_request", "guest")
        assert not fleet.now(desk, sold).live, "its new holder ends it"
        fleet.heal()
        fleet.sync_all()
        fleet.assert_agree()


def test_a_place_is_granted_again_only_when_a_person_says_so(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    returning.give_back(desk, right_of(desk, fleet.book, "T1").right.id)
    fleet.sync_all()
    assert held(hub, fleet.book, "T1") == []
    assert hub.granting.fulfil(fleet.book) == 0
    assert hub.granting.fulfil(fleet.book, again="desk") == 1
    fleet.sync_all()
    assert held(desk, fleet.book, "T1") == [("desk", 1)]
    fleet.assert_agree()


def test_nobody_is_granted_what_another_holds_or_what_is_not_there(fleet: Fleet):
    granting = fleet.the_hub.granting
    with pytest.raises(RuleViolated, match="T1 is desk's"):
        granting.grant("trattoria", "kiosk", ["T1"])
    with pytest.raises(RuleViolated, match="HALL has 6 left"):
        granting.grant("trattoria", "kiosk", ["HALL"], 7)
    with pytest.raises(NotFound, match="no device 'bar'"):
        granting.grant("trattoria", "bar", ["T4"])
    with pytest.raises(HoldfastError, match="none that is called so"):
        granting.grant("trattoria", "kiosk", ["X*"])


def test_a_grant_by_dates_holds_for_these_dates_alone(fleet: Fleet):
    kiosk, hub = fleet.nodes["kiosk"], fleet.the_hub
    hub.granting.grant("trattoria", "kiosk", ["T4"], from_date=DAY, until_date=DAY)
    fleet.sync_all()
    fleet.cut("kiosk")
    assert fleet.reserve(kiosk, "19:00", ["T4"], party=3).assurance == "guaranteed"
    assert fleet.reserve(kiosk, "2027-06-04T19:00", ["T4"], party=3).assurance == "provisional"
    assert fleet.reserve(hub, "2027-06-05T19:00", ["T4"], party=3).assurance == "guaranteed"


def test_a_table_with_more_sales_than_one_grant_names_is_granted_in_stretches(tmp_path: Path):
    with Fleet(tmp_path, TRATTORIA) as fleet:
        desk = fleet.join("desk")
        with fleet.the_hub.transaction():
            for day in range(10, 24):
                for hour in (8, 10, 12, 14, 16):
                    fleet.reserve(fleet.the_hub, f"2027-06-{day}T{hour:02}:00", ["T1"])
        rights = fleet.the_hub.granting.grant("trattoria", "desk", ["T1"])
        assert len(rights) == 2
        fleet.sync_all()
        assert [held.end for held in rights[:1]] == [rights[1].start]
        fleet.cut("desk")
        with pytest.raises(NotAvailable):
            fleet.reserve(desk, "2027-06-23T16:30", ["T1"])
        assert fleet.reserve(desk, "2027-06-23T18:00", ["T1"]).assurance == "guaranteed"


# --- deciding -------------------------------------------------------------------------------------


def test_what_the_holder_admitted_before_it_returned_stays(fleet: Fleet):
    """Schedule 10: the hub has the desk's pages and not the kiosk's."""
    desk, kiosk, hub = fleet.nodes["desk"], fleet.nodes["kiosk"], fleet.the_hub
    fleet.cut("desk", "kiosk")
    wish = fleet.reserve(kiosk, "19:00", ["T1"])
    exchange_once(kiosk, desk)
    assert fleet.now(desk, wish).status == "confirmed"
    returning.give_back(desk, right_of(desk, fleet.book, "T1").right.id)
    # The desk's own chain alone reaches the hub.
    request = Exchange(desk).request(Peer(desk.home, heads={}))
    Exchange(hub).answer(only_of(desk, request))
    assert held(hub, fleet.book, "T1") == []
    with pytest.raises(NotAvailable):
        fleet.reserve(hub, "19:00", ["T1"])
    fleet.heal()
    fleet.sync_all()
    assert status(fleet.now(hub, wish)) == ("confirmed", "admitted")
    fleet.assert_agree()


def test_a_decision_that_comes_before_its_grant_counts_in_the_end(fleet: Fleet):
    """Schedule 13: the kiosk has the desk's pages, and the hub's grant not yet."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    bar = fleet.join("bar")
    fleet.cut("bar")
    hub.granting.grant("trattoria", "desk", ["T4"])
    fleet.sync(desk)
    sold = fleet.reserve(desk, "19:00", ["T4"], party=3)
    assert sold.assurance == "guaranteed"
    peer = Peer(bar.home)
    request = Exchange(bar).request(peer)
    response = Exchange(desk).answer(request)
    Exchange(bar).absorb(peer, request, only_of(desk, response))
    assert fleet.now(bar, sold).status == "commit_pending", "nobody knows yet whose T4 is"
    fleet.reopen("bar")
    bar = fleet.nodes["bar"]
    fleet.heal()
    fleet.sync_all()
    assert status(fleet.now(bar, sold)) == ("confirmed", "guaranteed")
    fleet.assert_agree()


def test_a_right_that_was_returned_is_not_asked_any_more(fleet: Fleet):
    """Schedule 16: the asked one has returned its share meanwhile; the hub answers."""
    desk, kiosk, hub = fleet.nodes["desk"], fleet.nodes["kiosk"], fleet.the_hub
    fleet.cut("kiosk")
    wish = fleet.reserve(kiosk, "19:00", ["T1"])
    returning.give_back(desk, right_of(desk, fleet.book, "T1").right.id)
    fleet.sync(desk)
    fleet.heal()
    fleet.sync_all()
    decision = fleet.now(hub, wish).decision
    assert decision is not None
    assert (decision.by, decision.verdict) == ("hub", "admitted")
    fleet.assert_agree()


# --- taking back ----------------------------------------------------------------------------------


def test_what_was_sold_beyond_the_head_that_a_revocation_names_is_asked_of_the_hub(fleet: Fleet):
    """Schedule 14: the desk, cut off, sells T1; the hub has revoked and resold it."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    known = fleet.reserve(desk, "12:00", ["T1"])
    fleet.sync_all()
    fleet.cut("desk")
    sold = fleet.reserve(desk, "19:00", ["T1"])
    hub.granting.revoke(right_of(hub, fleet.book, "T1").right.id, "stranded")
    resold = fleet.reserve(hub, "19:00", ["T1"])
    assert resold.assurance == "guaranteed"
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        assert fleet.now(replica, sold).status == "commit_failed"
        assert dict(fleet.now(replica, sold).exceptions)
        assert status(fleet.now(replica, resold)) == ("confirmed", "guaranteed")
        assert status(fleet.now(replica, known)) == ("confirmed", "guaranteed")
    fleet.assert_agree()


def test_a_device_that_is_shut_out_has_no_rights_any_more(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    fleet.reserve(desk, "19:00", ["T1"])
    hub.revoke("desk", "stolen")
    assert held(hub, fleet.book, "T1") == []
    assert fleet.reserve(hub, "19:00", ["T1"]).assurance == "guaranteed"


def test_a_device_that_knows_that_it_is_shut_out_promises_nothing(fleet: Fleet):
    """It goes on writing, and asks the hub; what it would promise is void already."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    hub.revoke("desk", "stolen")
    with pytest.raises(Forbidden):
        desk.sync()
    view = fleet.reserve(desk, "19:00", ["T1"])
    assert (view.status, view.assurance) == ("commit_pending", "provisional")
    assert allotments.own(desk).resources == 0


def test_a_hub_that_answers_again_gives_a_device_its_word_back(fleet: Fleet):
    desk = fleet.nodes["desk"]
    desk.failed_round(standing.refusal("desk", "trattoria"))
    assert fleet.reserve(desk, "19:00", ["T1"]).assurance == "provisional"
    desk.sync()
    assert fleet.reserve(desk, "21:00", ["T1"]).assurance == "guaranteed"


def test_a_restored_device_sells_nothing_guaranteed_until_it_is_granted_again(fleet: Fleet):
    """Schedule 4: backed up, sold and merged, restored, sold again while cut off."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    backup = fleet.copy("desk", "backup")
    desk = fleet.nodes["desk"]
    first = fleet.reserve(desk, "19:00", ["T1"])
    fleet.sync_all()
    desk.close()
    restored = fleet.open("desk", backup)
    assert isinstance(restored, Node)
    fleet.cut("desk")
    again = fleet.reserve(restored, "19:00", ["T1"])
    assert status(again) == ("commit_pending", "provisional")
    fleet.heal()
    fleet.sync_all()
    assert status(fleet.now(hub, first)) == ("confirmed", "guaranteed")
    assert fleet.now(hub, again).status == "commit_failed"
    assert held(hub, fleet.book, "T1") == []
    hub.granting.fulfil(fleet.book, again="desk")
    fleet.sync_all()
    assert held(restored, fleet.book, "T1") == [("desk", 1)]
    assert fleet.reserve(restored, "22:00", ["T1"]).assurance == "guaranteed"
    fleet.sync_all()
    fleet.assert_agree()


def test_of_two_copies_that_sell_one_place_one_sale_stands_everywhere(fleet: Fleet):
    """Schedule 5: a copied directory, both copies cut off; the branches reach replicas in different
    orders."""
    hub, kiosk = fleet.the_hub, fleet.nodes["kiosk"]
    clone = fleet.clone_unnoticed("desk", "clone")
    desk = fleet.nodes["desk"]
    fleet.cut("desk", "clone", "kiosk")
    one = fleet.reserve(desk, "19:00", ["T1"])
    fleet.clocks.advance(seconds=1)
    two = fleet.reserve(clone, "19:00", ["T1"])
    exchange_once(kiosk, clone)
    fleet.sync_all()
    fleet.heal("desk")
    fleet.sync_all()
    fleet.heal()
    fleet.sync_all(5)
    fates = {fleet.now(hub, one).status, fleet.now(hub, two).status}
    assert fates == {"confirmed", "commit_failed"}
    fleet.assert_agree()


def test_a_wiped_hub_learns_from_its_devices_what_it_had_granted(fleet: Fleet):
    """Schedule 6: the hub granted T1 to the desk, is wiped, and the desk sells meanwhile."""
    desk = fleet.nodes["desk"]
    fleet.sync_all()
    hub = fleet.wipe_hub()
    sold = fleet.reserve(desk, "19:00", ["T1"])
    assert sold.assurance == "guaranteed"
    fleet.sync_all()
    assert hub.exchange_state == "recovering"
    hub.recover()
    assert hub.exchange_state == "serving"
    assert held(hub, fleet.book, "T1") == [("desk", 1)]
    assert fleet.reserve(hub, "21:00", ["T1"]).assurance == "provisional"
    with pytest.raises(NotAvailable):
        fleet.reserve(hub, "19:30", ["T1"])
    fleet.sync_all()
    fleet.assert_agree()


def test_a_corrected_clock_takes_its_rights_along(fleet: Fleet):
    """Schedule 15: the desk's clock is 40 minutes ahead, sells, and is put right."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    fleet.clocks.off_ms["desk"] = 40 * 60_000
    sold = fleet.reserve(desk, "19:00", ["T1"])
    fleet.heal()
    fleet.sync_all()
    assert status(fleet.now(hub, sold)) == ("confirmed", "guaranteed")
    fleet.clocks.off_ms["desk"] = 0
    fleet.sync_all()
    desk.check_clock()
    fleet.sync_all()
    later = fleet.reserve(desk, "21:00", ["T1"])
    assert later.assurance == "guaranteed"
    fleet.sync_all()
    assert status(fleet.now(hub, later)) == ("confirmed", "guaranteed")
    fleet.assert_agree()


# --- releases -------------------------------------------------------------------------------------


@pytest.fixture
def releasing(tmp_path: Path) -> Iterator[Fleet]:
    venue = copy.deepcopy(TRATTORIA)
    venue["allotments"] = [{"holder": "desk", "resources": ["T1"], "release_minutes": 120}]
    with Fleet(tmp_path, venue) as made:
        made.join("desk")
        made.sync_all()
        yield made


def test_a_holder_stops_selling_at_the_release_and_the_hub_waits_for_its_return(releasing: Fleet):
    """Schedule 2: the hub's clock passes the release while the desk is cut off."""
    fleet, desk, hub = releasing, releasing.nodes["desk"], releasing.the_hub
    fleet.cut("desk")
    sold = fleet.reserve(desk, "19:00", ["T1"])
    assert sold.assurance == "guaranteed"
    fleet.clocks.advance(hours=31)  # 17:13 of the day: 19:00 is released
    with pytest.raises(NotAvailable):
        fleet.reserve(desk, "18:30", ["T1"])
    assert fleet.reserve(hub, "19:00", ["T1"]).assurance == "provisional"
    assert returning.release(desk) == 1
    assert returning.release(desk) == 0, "nothing more before the next slot"
    fleet.heal()
    fleet.sync_all()
    assert status(fleet.now(hub, sold)) == ("confirmed", "guaranteed")
    fleet.assert_agree()


def test_a_start_before_the_release_is_the_hubs_and_one_after_it_the_holders(releasing: Fleet):
    """Schedule 11: [19:00, 20:30) and [20:00, 21:30) are not both sold."""
    fleet, desk, hub = releasing, releasing.nodes["desk"], releasing.the_hub
    fleet.clocks.advance(hours=31, minutes=30)  # 17:43: released up to 19:30
    assert returning.release(desk) == 1
    fleet.sync_all()
    window = right_of(hub, fleet.book, "T1")
    assert window.start > window.right.start
    # It needs instants of both: neither sells it alone.
    across = fleet.reserve(hub, "19:00", ["T1"])
    assert across.assurance == "provisional"
    fleet.cut("desk")
    assert fleet.reserve(desk, "20:00", ["T1"]).assurance == "guaranteed"
    early = fleet.reserve(hub, "18:00", ["T1"], duration_minutes=60)
    assert early.assurance == "guaranteed"
    fleet.heal()
    fleet.sync_all()
    assert fleet.now(hub, across).status == "commit_failed"
    fleet.assert_agree()


# --- moves across holders -------------------------------------------------------------------------


def test_a_move_to_anothers_place_keeps_the_old_one_until_it_is_granted(fleet: Fleet):
    """Schedule 7: the hub moves c1 from its T4 to the desk's T1, and the desk has just sold T1."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    c1 = fleet.reserve(hub, "19:00", ["T4"])
    fleet.sync_all()
    fleet.cut("desk")
    fleet.reserve(desk, "19:00", ["T1"])
    moved = fleet.move(hub, c1, resources=["T1"])
    assert moved.pending_change is not None
    assert [claim.resource for claim in moved.live] == ["T4"]
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        assert [claim.resource for claim in fleet.now(replica, c1).live] == ["T4"]
        assert fleet.now(replica, c1).pending_change is None
    fleet.assert_agree()


def test_a_granted_move_changes_places_once_the_old_holder_gives_way(fleet: Fleet):
    desk, hub, kiosk = fleet.nodes["desk"], fleet.the_hub, fleet.nodes["kiosk"]
    c1 = fleet.reserve(hub, "19:00", ["T4"])
    fleet.sync_all()
    fleet.cut("desk", "kiosk")
    fleet.move(kiosk, c1, resources=["T1"])
    exchange_once(kiosk, desk)
    states = {claim.resource: claim.state for claim in fleet.now(desk, c1).claims}
    assert states["T1"] == READY, "granted, and the hub has not given T4 up yet"
    assert fleet.now(desk, c1).status == "confirmed"
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        assert [claim.resource for claim in fleet.now(replica, c1).live] == ["T1"]
    assert fleet.reserve(hub, "19:00", ["T4"]).assurance == "guaranteed"
    fleet.sync_all()
    fleet.assert_agree()


def test_a_holder_moves_a_foreign_reservation_to_its_own_place(fleet: Fleet):
    """The new place counts at once and waits beside the old one for its holder."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    c1 = fleet.reserve(hub, "19:00", ["T4"])
    fleet.sync_all()
    fleet.cut("desk")
    moved = fleet.move(desk, c1, resources=["T1"])
    assert [claim.resource for claim in moved.live] == ["T4"]
    with pytest.raises(NotAvailable):
        fleet.reserve(desk, "19:00", ["T1"])
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        assert [claim.resource for claim in fleet.now(replica, c1).live] == ["T1"]
    fleet.assert_agree()


def test_of_two_moves_to_two_holders_exactly_one_is_picked(fleet: Fleet):
    """Schedule 7: two devices move c1 to different places; the place that is not picked is free."""
    desk, hub, kiosk = fleet.nodes["desk"], fleet.the_hub, fleet.nodes["kiosk"]
    c1 = fleet.reserve(hub, "19:00", ["T4"])
    fleet.sync_all()
    fleet.cut("desk", "kiosk")
    fleet.move(desk, c1, resources=["T1"])
    fleet.clocks.advance(seconds=1)
    fleet.move(kiosk, c1, resources=["T3"])
    fleet.heal()
    fleet.sync_all(4)
    places = {tuple(c.resource for c in fleet.now(r, c1).live) for r in fleet.replicas()}
    assert places == {("T1",)}
    assert not [c for c in fleet.now(hub, c1).occupying if c.resource != "T1"]
    assert fleet.reserve(kiosk, "19:00", ["T3"], party=3).assurance == "guaranteed"
    fleet.sync_all()
    fleet.assert_agree()


def test_a_move_that_meets_a_cancel_frees_both_places(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    c1 = fleet.reserve(hub, "19:00", ["T4"])
    fleet.sync_all()
    fleet.cut("desk")
    fleet.move(desk, c1, resources=["T1"])
    hub.reservations.cancel(c1.code, "guest_request", "guest")
    fleet.heal()
    fleet.sync_all(4)
    for replica in fleet.replicas():
        assert fleet.now(replica, c1).status == "cancelled"
        assert not fleet.now(replica, c1).occupying
    fleet.assert_agree()


def test_a_place_with_several_lives_of_its_holder_is_granted_to_none(fleet: Fleet):
    fleet.clone_unnoticed("desk", "clone")
    hub = fleet.the_hub
    desk, clone = fleet.nodes["desk"], fleet.nodes["clone"]
    fleet.reserve(desk, "12:00", ["T1"])
    fleet.reserve(clone, "14:00", ["T1"])
    fleet.sync_all(5)
    with pytest.raises(Conflict, match="several lives"):
        hub.granting.grant("trattoria", "desk", ["T4"])


def test_a_capacity_is_not_lowered_below_what_devices_were_granted(fleet: Fleet):
    smaller = copy.deepcopy(ALLOTTED)
    smaller["resources"][-1]["capacity"] = 3
    with pytest.raises(RuleViolated, match="HALL: 4 granted to devices, 3 would be left"):
        fleet.the_hub.import_venue(smaller)
    smaller["resources"][-1]["capacity"] = 4
    fleet.the_hub.import_venue(smaller)


def test_a_device_that_is_shut_out_gets_nothing_back_through_its_next_life(fleet: Fleet):
    """The stolen desk's clock is corrected after it was shut out; another device passes it on."""
    desk, kiosk, hub = fleet.nodes["desk"], fleet.nodes["kiosk"], fleet.the_hub
    fleet.cut("desk", "kiosk")
    hub.revoke("desk", "stolen")
    resold = fleet.reserve(hub, "19:00", ["T1"])
    assert resold.assurance == "guaranteed"
    desk._next_life("clock_corrected", announce=True)
    sold = fleet.reserve(desk, "19:00", ["T1"])
    exchange_once(kiosk, desk)
    fleet.heal("kiosk")
    fleet.sync(kiosk)
    fleet.sync(kiosk)
    for replica in (hub, kiosk):
        assert fleet.now(replica, sold).status == "commit_failed"
        assert status(fleet.now(replica, resold)) == ("confirmed", "guaranteed")


def test_a_place_that_was_released_and_granted_to_another_is_not_sold_by_the_hub(tmp_path: Path):
    with Fleet(tmp_path, TRATTORIA) as fleet:
        fleet.join("desk")
        kiosk, hub = fleet.join("kiosk", role="kiosk"), fleet.the_hub
        fleet.sync_all()
        sold = fleet.reserve(hub, "19:00", ["T1"])
        hub.granting.grant("trattoria", "desk", ["T1"], release_minutes=3 * 24 * 60)
        fleet.sync_all()
        assert right_of(hub, fleet.book, "T1").start > sold.live[0].end, "released at once"
        hub.granting.grant("trattoria", "kiosk", ["T1"], from_date=DAY, until_date=DAY)
        hub.granting.grant("trattoria", "kiosk", ["T2"])
        fleet.sync_all()
        fleet.reserve(kiosk, "19:00", ["T2"])
        account = kiosk.rights(fleet.book).account(sold.live[0].id, b"", sold.live[0].end)
        assert account is not None
        assert kiosk.name_of(fleet.book, account.holder) == "kiosk"
        with pytest.raises(NotAvailable):
            fleet.reserve(kiosk, "19:30", ["T1"])
        fleet.sync_all()
        assert status(fleet.now(kiosk, sold))[0] == "confirmed"
        fleet.assert_agree()
