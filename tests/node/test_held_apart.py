"""What is held while devices are apart: nothing is promised that its holder may yet let lapse."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from holdfast.model.capacity import Occupancy
from holdfast.model.errors import BadTransition, Gone, Invalid, RuleViolated, Unreachable
from holdfast.model.reservation import View
from holdfast.node import blocks, holds, lapsing, returning, waiting
from holdfast.node.requests import (
    BlockRequest,
    HoldRequest,
    OfferRequest,
    PatchRequest,
    ReserveRequest,
    WaitRequest,
)
from holdfast.node.service import Service
from tests.kit import DAY, TRATTORIA, Fleet

DIVIDED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [{"holder": "desk", "resources": ["T1", "T2"]}]
}
EVENING = f"{DAY}T19:30"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, DIVIDED) as made:
        for name in ("desk", "bar", "kiosk"):
            made.join(name, role="kiosk" if name == "kiosk" else "front-desk")
        made.sync_all()
        yield made


def hold(replica: Service, *resources: str, party: int = 2, **more: Any) -> View:
    request = HoldRequest(
        venue="trattoria", starts_at=EVENING, party_size=party, resources=list(resources), **more
    )
    return holds.place(replica, request)


def wait(replica: Service, party: int = 2) -> View:
    request = WaitRequest(
        venue="trattoria", date=DAY, party_size=party, earliest="19:30", latest="19:30"
    )
    return waiting.join(replica, request)


def settle(fleet: Fleet) -> None:
    fleet.heal()
    fleet.sync_all(4)
    fleet.assert_agree()


def where(view: View) -> list[str]:
    return [claim.resource for claim in view.live]


def test_a_hold_is_swapped_by_who_placed_it_alone(fleet: Fleet) -> None:
    """Whoever reserves it elsewhere reserves what they know of. Given back it can be by anybody."""
    bar, kiosk, hub = fleet.nodes["bar"], fleet.nodes["kiosk"], fleet.the_hub
    view = hold(bar, "T3")
    fleet.sync_all()
    for other in (kiosk, hub):
        with pytest.raises(BadTransition, match=r"held by bar, which alone may swap"):
            holds.change(other, view.code, PatchRequest(resources=["T4"]))
        with pytest.raises(BadTransition, match="held by bar"):
            fleet.move(other, view, resources=["T4"])
    swapped = holds.change(bar, view.code, PatchRequest(resources=["T4"]))
    settle(fleet)
    assert where(fleet.now(hub, swapped)) == ["T4"]
    assert holds.release(kiosk, view.code).status == "cancelled"


def test_a_hold_that_nobody_has_answered_is_not_swapped(fleet: Fleet) -> None:
    """Its holder may have granted it, and somebody may have reserved it there."""
    kiosk = fleet.nodes["kiosk"]
    fleet.cut("kiosk")
    view = hold(kiosk, "T1")
    with pytest.raises(BadTransition, match="not answered yet; swap it then, or give it back"):
        holds.change(kiosk, view.code, PatchRequest(resources=["T3"]))
    done = holds.reserve(kiosk, view.code, ReserveRequest(user_id="u-1"))
    assert (done.status, done.assurance) == ("commit_pending", "provisional")
    settle(fleet)
    now = fleet.now(kiosk, view)
    assert (now.status, where(now)) == ("confirmed", ["T1"])


def test_a_hold_whose_swap_nobody_has_answered_is_not_reserved(fleet: Fleet) -> None:
    kiosk = fleet.nodes["kiosk"]
    view = hold(kiosk, "T3")
    fleet.sync_all()
    fleet.cut("kiosk")
    kiosk.reservations.amend(view.code, PatchRequest(resources=["T4"]))
    with pytest.raises(BadTransition, match="instead is not answered yet"):
        holds.reserve(kiosk, view.code, ReserveRequest(user_id="u-1"))
    with pytest.raises(BadTransition, match="not answered yet; swap it then"):
        holds.change(kiosk, view.code, PatchRequest(resources=["T1"]))
    settle(fleet)
    done = holds.reserve(kiosk, view.code, ReserveRequest(user_id="u-1"))
    settle(fleet)
    now = fleet.now(kiosk, done)
    assert (now.status, where(now)) == ("confirmed", ["T4"])


def test_one_hold_is_promised_to_one_person(fleet: Fleet) -> None:
    """The bar has not heard that the desk granted it the table; the desk reserves it for Ann."""
    desk, bar = fleet.nodes["desk"], fleet.nodes["bar"]
    made = hold(bar, "T1")
    fleet.sync(bar, desk)
    assert where(fleet.now(desk, made)) == ["T1"]
    fleet.cut("desk", "bar")
    by_desk = holds.reserve(desk, made.code, ReserveRequest(user_id="ann"))
    assert by_desk.assurance == "guaranteed"
    with pytest.raises(BadTransition, match="not answered yet"):
        holds.change(bar, made.code, PatchRequest(resources=["T3"]))
    by_bar = holds.reserve(bar, made.code, ReserveRequest(user_id="ben"))
    assert by_bar.assurance == "provisional"
    settle(fleet)
    now = fleet.now(bar, made)
    assert (now.status, now.agent_id, where(now)) == ("confirmed", by_desk.agent_id, ["T1"])


def test_what_another_asked_for_to_hold_is_not_reserved_before_its_answer(fleet: Fleet) -> None:
    """The hub would sell a place of its own beside the one that the desk may yet grant."""
    bar, hub = fleet.nodes["bar"], fleet.the_hub
    fleet.cut("desk")
    made = hold(bar, "T1")
    fleet.sync(bar)
    with pytest.raises(BadTransition, match="is held by bar: reserve it there"):
        holds.reserve(hub, made.code, ReserveRequest(user_id="ann"))


def test_of_two_offers_that_nobody_has_answered_one_is_accepted(fleet: Fleet) -> None:
    """The kiosk knows of both of them, and neither of their holders has said a word."""
    bar, kiosk, hub = fleet.nodes["bar"], fleet.nodes["kiosk"], fleet.the_hub
    view = wait(kiosk)
    fleet.sync_all()
    fleet.cut("desk", "bar", "kiosk")
    waiting.offer(bar, view.code, OfferRequest(resources=["T1"], minutes=30))
    waiting.offer(kiosk, view.code, OfferRequest(resources=["T2"], minutes=30))
    fleet.heal("bar", "kiosk")
    fleet.sync_all()
    fleet.cut("bar", "kiosk")
    done = waiting.accept(kiosk, view.code, ReserveRequest(user_id="u-1"))
    asked = [claim for claim in done.claims if claim.id.operation == done.reserving]
    assert len(asked) == 1
    settle(fleet)
    now = fleet.now(hub, view)
    assert (now.status, len(now.occupying)) == ("confirmed", 1)


def test_who_accepted_one_of_two_offers_has_the_place_whichever_was_answered(
    fleet: Fleet,
) -> None:
    """The hub, which has T3, hears of the bar's offer of it first; the desk's was accepted."""
    desk, bar, hub = fleet.nodes["desk"], fleet.nodes["bar"], fleet.the_hub
    view = wait(hub)
    fleet.sync_all()
    fleet.cut("desk", "bar")
    waiting.offer(desk, view.code, OfferRequest(resources=["T3"], minutes=30))
    waiting.accept(desk, view.code, ReserveRequest(user_id="u-1"))
    fleet.clocks.advance(seconds=5)
    waiting.offer(bar, view.code, OfferRequest(resources=["T3"], minutes=30))
    fleet.heal("bar")
    fleet.sync(bar)
    assert where(fleet.now(hub, view)) == ["T3"]
    settle(fleet)
    now = fleet.now(desk, view)
    assert (now.status, where(now), len(now.occupying)) == ("confirmed", ["T3"], 1)


def test_an_offer_beside_the_one_that_was_accepted_promises_nothing(fleet: Fleet) -> None:
    """The desk's offer was first; the kiosk, which knows of the bar's alone, accepts that."""
    desk, bar, hub = fleet.nodes["desk"], fleet.nodes["bar"], fleet.the_hub
    kiosk = fleet.nodes["kiosk"]
    hub.granting.grant("trattoria", "bar", ["T3"])
    view = wait(desk)
    fleet.sync_all()
    fleet.cut("desk")
    waiting.offer(desk, view.code, OfferRequest(resources=["T1"]))
    fleet.clocks.advance(seconds=5)
    waiting.offer(bar, view.code, OfferRequest(resources=["T3"], minutes=30))
    fleet.sync_all()
    fleet.cut("bar", "kiosk")
    waiting.accept(kiosk, view.code, ReserveRequest(user_id="u-1"))
    fleet.heal("desk", "kiosk")
    fleet.losing_answers["desk"] = True
    with pytest.raises(Unreachable):
        fleet.sync(desk)
    fleet.cut("desk")
    fleet.sync(kiosk)
    assert where(fleet.now(hub, view)) == ["T1"]
    assert fleet.now(hub, view).status == "commit_pending"
    fleet.clocks.advance(minutes=16)
    assert lapsing.lapse(desk, fleet.book) == 1
    settle(fleet)
    now = fleet.now(hub, view)
    assert (now.status, where(now), len(now.occupying)) == ("confirmed", ["T3"], 1)


def test_of_two_who_reserve_one_hold_the_one_who_was_told_yes_has_it(fleet: Fleet) -> None:
    desk, bar = fleet.nodes["desk"], fleet.nodes["bar"]
    view = hold(bar, "T1")
    fleet.sync_all()
    fleet.cut("desk", "bar")
    done = holds.reserve(desk, view.code, ReserveRequest(user_id="u-ann"))
    fleet.clocks.advance(seconds=5)
    holds.reserve(bar, view.code, ReserveRequest(user_id="u-ben"))
    settle(fleet)
    now = fleet.now(desk, view)
    assert (now.status, now.agent_id) == ("confirmed", done.agent_id)


def test_of_two_who_reserve_the_first_by_the_clock_may_not_be_the_one(fleet: Fleet) -> None:
    desk, bar = fleet.nodes["desk"], fleet.nodes["bar"]
    view = hold(bar, "T1")
    fleet.sync_all()
    fleet.cut("desk", "bar")
    holds.reserve(bar, view.code, ReserveRequest(user_id="u-ben"))
    fleet.clocks.advance(seconds=5)
    done = holds.reserve(desk, view.code, ReserveRequest(user_id="u-ann"))
    settle(fleet)
    now = fleet.now(desk, view)
    assert (now.status, now.agent_id, where(now)) == ("confirmed", done.agent_id, ["T1"])


def test_who_reserves_what_has_lapsed_is_told_no(fleet: Fleet) -> None:
    kiosk, hub = fleet.nodes["kiosk"], fleet.the_hub
    view = hold(kiosk, "T3")
    fleet.sync_all()
    fleet.cut("kiosk")
    fleet.clocks.advance(minutes=14)
    holds.reserve(kiosk, view.code, ReserveRequest(user_id="u-ann"))
    fleet.clocks.advance(minutes=2)
    assert lapsing.lapse(hub, fleet.book) == 1
    settle(fleet)
    now = fleet.now(hub, view)
    assert (now.status, now.occupying) == ("commit_failed", [])
    assert now.decision is not None and now.decision.verdict == "displaced"


def test_a_hold_is_reserved_where_it_was_placed_or_where_its_place_is_held(fleet: Fleet) -> None:
    """Anywhere else it would be a wish that crosses whatever those two do with it meanwhile."""
    bar, kiosk, hub = fleet.nodes["bar"], fleet.nodes["kiosk"], fleet.the_hub
    views = [hold(bar, one) for one in ("T3", "T4")]
    fleet.sync_all()
    with pytest.raises(BadTransition, match="is held by bar: reserve it there"):
        holds.reserve(kiosk, views[0].code, ReserveRequest(user_id="ann"))
    at_hub = holds.reserve(hub, views[0].code, ReserveRequest(user_id="ann"))
    assert (at_hub.status, at_hub.assurance) == ("confirmed", "guaranteed")
    asked = holds.reserve(bar, views[1].code, ReserveRequest(user_id="ben"))
    settle(fleet)
    for view in (at_hub, asked):
        assert fleet.now(kiosk, view).status == "confirmed"


def test_what_is_offered_to_who_waits_is_offered_anew_and_not_moved(fleet: Fleet) -> None:
    hub = fleet.the_hub
    view = wait(hub)
    waiting.offer(hub, view.code, OfferRequest(resources=["T3"], minutes=30))
    with pytest.raises(BadTransition, match="has an offer: another place can be offered"):
        fleet.move(hub, view, resources=["T4"])
    # Accepted, it is a reservation like any other.
    taken = waiting.accept(hub, view.code, ReserveRequest(user_id="ann"))
    assert where(fleet.move(hub, taken, resources=["T4"])) == ["T4"]


def test_a_hold_whose_places_have_two_holders_lapses(fleet: Fleet) -> None:
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    hub.granting.grant("trattoria", "desk", ["T3"])
    (four,) = hub.granting.grant("trattoria", "desk", ["T4"])
    fleet.sync_all()
    view = hold(desk, "T3", "T4", party=6)
    assert view.assurance == "guaranteed"
    returning.give_back(desk, four.right.id)
    fleet.sync_all()
    fleet.clocks.advance(minutes=16)
    for replica in fleet.replicas():
        lapsing.lapse(replica, fleet.book)
    settle(fleet)
    now = fleet.now(hub, view)
    assert (now.status, now.occupying) == ("expired", [])


def test_a_party_that_waits_is_changed_and_waits_on(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = wait(desk)
    waiting.offer(desk, view.code, OfferRequest())
    fleet.clocks.advance(minutes=16)
    assert lapsing.lapse(desk, fleet.book) == 1
    changed = desk.reservations.amend(view.code, PatchRequest(party_size=4))
    assert (changed.party_size, changed.status, changed.occupying) == (4, "intent", [])
    with pytest.raises(Invalid):
        desk.reservations.amend(view.code, PatchRequest(starts_at=EVENING))


@pytest.fixture
def strict() -> Iterator[None]:
    """Replicas of a release that refused who reserved what is held where a block stands over it."""
    with mock.patch.object(Occupancy, "keeps", return_value=False):
        yield


@pytest.mark.usefixtures("strict")
def test_a_hold_for_a_reserving_that_was_refused_ends_whoever_has_it_then(fleet: Fleet) -> None:
    """The desk is revoked before it hears that the hub refused what the desk asked of it."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    view = hold(desk, "T1")
    request = BlockRequest(
        venue="trattoria", kind="maintenance", resources=["T1"], starts_at=EVENING,
        ends_at=f"{DAY}T21:00", force=True,
    )  # fmt: skip
    blocks.block(desk, request)
    assert holds.reserve(desk, view.code, ReserveRequest()).status == "commit_pending"
    fleet.losing_answers["desk"] = True
    with pytest.raises(Unreachable):
        fleet.sync(desk)
    assert fleet.now(hub, view).status == "commit_failed"
    fleet.cut("desk")
    for held in list(hub.rights(fleet.book).active()):
        hub.granting.revoke(held.right.id, "lost")
    hub.settle(fleet.book)
    assert fleet.now(hub, view).occupying == []
    settle(fleet)


def test_a_hold_that_was_reserved_from_a_right_that_was_gone_is_asked_for(fleet: Fleet) -> None:
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    view = hold(desk, "T1")
    fleet.sync_all()
    fleet.cut("desk")
    for held in list(hub.rights(fleet.book).active()):
        hub.granting.revoke(held.right.id, "lost")
    assert holds.reserve(desk, view.code, ReserveRequest()).status == "confirmed"
    settle(fleet)
    now = fleet.now(hub, view)
    assert (now.status, now.assurance, where(now)) == ("confirmed", "admitted", ["T1"])
    assert len(now.occupying) == 1


def test_a_hold_that_was_asked_for_and_reserved_in_one_breath_may_be_moved(fleet: Fleet) -> None:
    desk, kiosk = fleet.nodes["desk"], fleet.nodes["kiosk"]
    fleet.cut("kiosk")
    view = hold(kiosk, "T1", may_move=True)
    holds.reserve(kiosk, view.code, ReserveRequest(user_id="u-1"))
    fleet.reserve(desk, EVENING, ["T1"])
    settle(fleet)
    now = fleet.now(kiosk, view)
    assert (now.status, where(now), len(now.occupying)) == ("confirmed", ["T2"], 1)
    assert now.decision is not None and now.decision.verdict == "moved"


@pytest.mark.usefixtures("strict")
def test_what_was_held_for_a_reserving_is_free_as_soon_as_that_is_refused(fleet: Fleet) -> None:
    """The hub decides by its timer, with nothing merged: whose backlog came in part is waited
    for."""
    kiosk, hub = fleet.nodes["kiosk"], fleet.the_hub
    view = hold(kiosk, "T3")
    fleet.sync_all()
    request = BlockRequest(
        venue="trattoria", kind="training", resources=["T3"], starts_at=EVENING,
        ends_at=f"{DAY}T21:00", force=True,
    )  # fmt: skip
    blocks.block(hub, request)
    holds.reserve(kiosk, view.code, ReserveRequest())
    hub.holding.backlog(fleet.book, kiosk.identity.incarnation, [])
    with mock.patch.object(hub.holding, "backlog_over"):
        fleet.sync(kiosk)
    assert fleet.now(hub, view).status == "commit_pending"
    hub.holding.all_told(fleet.book)
    hub.settle(fleet.book, [])
    assert (fleet.now(hub, view).status, fleet.now(hub, view).occupying) == ("commit_failed", [])
    settle(fleet)


def test_a_hold_with_no_room_for_another_entry_keeps_no_other_from_lapsing(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    full, other = hold(desk, "T1"), hold(desk, "T2")
    fleet.clocks.advance(minutes=16)
    with mock.patch.object(desk, "has_room", lambda name, subject: subject != full.id):
        assert lapsing.lapse(desk, fleet.book) == 1
    assert fleet.now(desk, other).status == "expired"


def test_an_offer_that_nobody_granted_in_time_cannot_be_accepted_any_more(fleet: Fleet) -> None:
    hub = fleet.the_hub
    view = wait(hub)
    fleet.cut("desk")
    waiting.offer(hub, view.code, OfferRequest(resources=["T1"]))
    fleet.clocks.advance(minutes=16)
    with pytest.raises(Gone):
        waiting.accept(hub, view.code, ReserveRequest())


def test_a_table_does_not_change_hands_while_somebody_reserves_what_is_held_there(
    fleet: Fleet,
) -> None:
    """The desk asked for the table while the bar, which is cut off, reserved the hold on it."""
    bar, hub = fleet.nodes["bar"], fleet.the_hub
    view = hold(bar, "T3", may_move=True)
    fleet.sync_all()
    fleet.cut("bar")
    holds.reserve(bar, view.code, ReserveRequest(user_id="u-1"))
    with pytest.raises(RuleViolated, match="kept for somebody"):
        hub.granting.grant("trattoria", "desk", ["T3"])
    settle(fleet)
    now = fleet.now(hub, view)
    assert (now.status, now.assurance) == ("confirmed", "admitted")
    assert len(hub.granting.grant("trattoria", "desk", ["T3"])) == 1


def test_what_was_reserved_unanswered_is_given_no_place_of_ones_own(tmp_path: Path) -> None:
    """Seed 50572: the bar holds what is the desk's, and moved its guest to its own place before
    anybody had answered: they were told that they have a place, and then it was another's who had
    reserved the same hold."""
    venue = copy.deepcopy(DIVIDED)
    venue["allotments"].append({"holder": "bar", "resources": ["T3"]})
    with Fleet(tmp_path, venue) as fleet:
        desk, bar = (fleet.join(name) for name in ("desk", "bar"))
        fleet.sync_all()
        fleet.cut("desk")
        made = hold(bar, "T1")
        assert made.assurance == "provisional"
        fleet.sync(bar)
        fleet.cut("bar")
        fleet.clocks.advance(seconds=1)
        at_bar = holds.reserve(bar, made.code, ReserveRequest(user_id="bob"))
        assert at_bar.assurance == "provisional"
        with pytest.raises(BadTransition, match="not answered yet"):
            fleet.move(bar, at_bar, resources=["T3"])
        # What is no place may be changed, and it can be given up.
        assert fleet.move(bar, at_bar, occasion="date").status == "commit_pending"
        settle(fleet)
        told = {fleet.now(one, made).agent_id for one in fleet.replicas()}
        assert len(told) == 1
        settled = fleet.now(desk, made)
        assert settled.status == "confirmed"
        # Answered, it moves like any other.
        moved = fleet.move(bar, settled, resources=["T3"])
        settle(fleet)
        assert [one.resource for one in fleet.now(desk, moved).live] == ["T3"]


def test_what_was_accepted_stands_before_an_older_offer_that_nobody_took(tmp_path: Path) -> None:
    """Seed 51583: the bar knows neither of the hub's offer nor that it lapsed at the desk, whose
    table it is; its guest accepts another one and is told that it is theirs."""
    venue = copy.deepcopy(DIVIDED)
    venue["allotments"].append({"holder": "bar", "resources": ["T3"]})
    with Fleet(tmp_path, venue) as fleet:
        desk, bar = (fleet.join(name) for name in ("desk", "bar"))
        fleet.sync_all()
        guest = wait(fleet.the_hub)
        fleet.sync(bar)
        fleet.cut("bar")
        waiting.offer(fleet.the_hub, guest.code, OfferRequest(resources=["T1"], minutes=30))
        fleet.sync(desk)
        assert [one.resource for one in fleet.now(desk, guest).live] == ["T1"]
        fleet.cut("desk")
        fleet.clocks.advance(minutes=35)
        assert lapsing.lapse(desk, fleet.book) == 1
        waiting.offer(bar, guest.code, OfferRequest(resources=["T3"]))
        taken = waiting.accept(bar, guest.code, ReserveRequest(user_id="ann"))
        assert (taken.status, taken.assurance) == ("confirmed", "guaranteed")
        fleet.heal("bar")
        fleet.sync(bar)
        for replica in (bar, fleet.the_hub):
            now = fleet.now(replica, guest)
            assert (now.status, [one.resource for one in now.live]) == ("confirmed", ["T3"])
        settle(fleet)
        assert fleet.now(desk, guest).status == "confirmed"
        assert [one.resource for one in fleet.now(desk, guest).occupying] == ["T3"]
