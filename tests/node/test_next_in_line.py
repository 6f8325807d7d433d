"""Next in line: what becomes free is offered by itself, once, by whoever has it to give."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from holdfast.model.errors import HoldfastError, Invalid
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import View
from holdfast.model.venue import parse_venue, to_document
from holdfast.node import blocks, lapsing, next_in_line, waiting
from holdfast.node.requests import (
    BlockRequest,
    OfferRequest,
    PatchRequest,
    ReserveRequest,
    WaitRequest,
)
from holdfast.node.service import Service
from tests.kit import DAY, TRATTORIA, Fleet

SMALL: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "policies": {"advance_days": 365, "waitlist_offer_minutes": 10},
    "resources": [
        {"id": "T1", "kind": "table", "seats": [1, 2]},
        {"id": "T2", "kind": "table", "seats": [1, 2]},
        {"id": "BIG", "kind": "table", "seats": [3, 6]},
    ],
    "allotments": [{"holder": "desk", "resources": ["T1"]}],
}
EVENING = f"{DAY}T19:30"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, SMALL) as made:
        for name in ("desk", "bar"):
            made.join(name)
        made.sync_all()
        yield made


def join(replica: Service, party: int = 2, **more: Any) -> View:
    times = {"earliest": "19:30", "latest": "19:30"} | more
    return waiting.join(
        replica, WaitRequest(venue="trattoria", date=DAY, party_size=party, **times)
    )


def states(replica: Service) -> dict[str, str]:
    return {one.view.code: one.state for one in waiting.line(replica, "trattoria", DAY)}


def places(fleet: Fleet, replica: Service, view: View) -> list[str]:
    return [claim.resource for claim in fleet.now(replica, view).live]


def full(fleet: Fleet) -> tuple[View, View]:
    """Both small tables are taken; everybody knows."""
    first = fleet.reserve(fleet.nodes["desk"], EVENING, ["T1"])
    second = fleet.reserve(fleet.the_hub, EVENING, ["T2"])
    fleet.sync_all()
    return first, second


def settle(fleet: Fleet) -> None:
    fleet.heal()
    fleet.sync_all()
    fleet.assert_agree()


def test_what_a_cancellation_frees_is_offered_to_the_first_and_to_nobody_else(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    taken, _ = full(fleet)
    first, second = join(desk), join(desk)
    desk.reservations.cancel(taken.code)
    assert states(desk) == {first.code: "offered", second.code: "waiting"}
    offered = fleet.now(desk, first)
    assert (offered.assurance, places(fleet, desk, first)) == ("guaranteed", ["T1"])
    assert offered.expires_at_ms == desk.clock.now_ms() + 10 * 60_000
    assert next_in_line.offer(desk, fleet.book) == 0, "what was offered is free no more"
    settle(fleet)
    assert states(fleet.the_hub) == {first.code: "offered", second.code: "waiting"}
    assert next_in_line.offer(fleet.the_hub, fleet.book) == 0


def test_an_offer_that_lapses_goes_on_to_the_next_and_comes_back_to_nobody(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    taken, _ = full(fleet)
    first, second = join(desk), join(desk)
    desk.reservations.cancel(taken.code)
    fleet.clocks.advance(minutes=10)
    assert lapsing.lapse(desk, fleet.book) == 1
    assert states(desk) == {first.code: "waiting", second.code: "offered"}
    fleet.clocks.advance(minutes=10)
    assert lapsing.lapse(desk, fleet.book) == 1
    assert next_in_line.offer(desk, fleet.book) == 0, "both let this time go by"
    assert states(desk) == {first.code: "waiting", second.code: "waiting"}
    waiting.offer(desk, first.code, OfferRequest())
    assert states(desk)[first.code] == "offered", "a person may offer it again"
    settle(fleet)


def test_who_lets_three_offers_go_by_is_offered_no_fourth(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = join(desk, earliest="19:00", latest="22:00")
    starts = set()
    for _ in range(3):
        assert states(desk) == {view.code: "offered"}
        starts.add(fleet.now(desk, view).starts_at)
        fleet.clocks.advance(minutes=10)
        lapsing.lapse(desk, fleet.book)
    assert (states(desk), len(starts)) == ({view.code: "waiting"}, 3)
    assert next_in_line.offer(desk, fleet.book) == 0


def test_who_does_not_fit_is_passed_over(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    taken, _ = full(fleet)
    fleet.reserve(fleet.the_hub, EVENING, ["BIG"], party=4)
    fleet.sync_all()
    large, small = join(desk, party=4), join(desk)
    desk.reservations.cancel(taken.code)
    assert states(desk) == {large.code: "waiting", small.code: "offered"}


def test_a_device_offers_only_what_it_has_to_give(fleet: Fleet) -> None:
    desk, bar = fleet.nodes["desk"], fleet.nodes["bar"]
    full(fleet)
    view = join(bar)
    fleet.sync_all()
    assert next_in_line.offer(bar, fleet.book) == 0
    taken = fleet.the_hub.reservations.select(venue="trattoria", resource="T2")[0][0]
    fleet.cut("desk")
    bar.reservations.cancel(taken.code)
    assert states(bar) == {view.code: "waiting"}, "the hub has the table"
    fleet.sync(bar, bar)
    assert places(fleet, bar, view) == ["T2"]
    assert states(desk) == {view.code: "waiting"}, "it has not heard"
    settle(fleet)


def test_two_that_offer_one_party_a_place_while_apart_give_it_one(fleet: Fleet) -> None:
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    one, other = full(fleet)
    view = join(desk)
    fleet.sync_all()
    fleet.cut("desk", "bar")
    desk.reservations.cancel(one.code)
    fleet.clocks.advance(seconds=5)
    hub.reservations.cancel(other.code)
    assert (places(fleet, desk, view), places(fleet, hub, view)) == (["T1"], ["T2"])
    settle(fleet)
    assert len(fleet.now(hub, view).occupying) == 1
    done = waiting.accept(desk, view.code, ReserveRequest())
    settle(fleet)
    assert fleet.now(hub, done).status == "confirmed"
    assert len(fleet.now(hub, view).occupying) == 1


@pytest.mark.parametrize("how", ["lapse", "move", "block", "complete"])
def test_however_a_place_becomes_free(fleet: Fleet, how: str) -> None:
    desk = fleet.nodes["desk"]
    fleet.reserve(fleet.the_hub, EVENING, ["T2"])
    fleet.sync_all()
    if how == "block":
        request = BlockRequest(
            venue="trattoria", kind="maintenance", resources=["T1"],
            starts_at=EVENING, ends_at=f"{DAY}T21:00",
        )  # fmt: skip
        [taken] = blocks.block(desk, request)
    else:
        taken = fleet.reserve(desk, EVENING, ["T1"])
    view = join(desk, earliest="20:30" if how == "complete" else "19:30", latest="20:30")
    assert states(desk) == {view.code: "waiting"}
    if how == "move":
        desk.reservations.amend(taken.code, PatchRequest(starts_at=f"{DAY}T12:00"))
    elif how == "block":
        blocks.unblock(desk, taken.code)
    elif how == "lapse":
        desk.reservations.cancel(taken.code)
        fleet.clocks.advance(minutes=10)
        view = join(desk)
        lapsing.lapse(desk, fleet.book)
    else:
        fleet.clocks.advance(hours=33, minutes=20)
        desk.reservations.check_in(taken.code)
        fleet.clocks.advance(minutes=30)
        desk.reservations.complete(taken.code)
    assert states(desk)[view.code] == "offered"


def test_it_is_found_after_a_restart_too(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    taken, _ = full(fleet)
    view = join(desk)
    with mock.patch.object(next_in_line, "offer", side_effect=HoldfastError("no room")):
        desk.reservations.cancel(taken.code)
    assert states(desk) == {view.code: "waiting"}, "and the cancellation stands"
    again = fleet.crash("desk")
    assert next_in_line.offer_all(again) == 1
    assert next_in_line.offer_all(again) == 0
    assert states(again) == {view.code: "offered"}


def test_for_who_was_displaced_a_place_is_kept_until_a_person_has_seen_to_it(fleet: Fleet) -> None:
    desk, bar, hub = fleet.nodes["desk"], fleet.nodes["bar"], fleet.the_hub
    taken = fleet.reserve(hub, EVENING, ["T2"])
    fleet.sync_all()
    fleet.cut("bar")
    lost = fleet.reserve(bar, EVENING, ["T1"])
    fleet.reserve(desk, EVENING, ["T1"])
    settle(fleet)
    waits = join(hub)
    hub.reservations.cancel(taken.code)
    assert states(hub) == {lost.code: "displaced", waits.code: "waiting"}
    hub.resolve_exception(lost.id, "displaced", "acknowledge", "guest_informed")
    assert states(hub)[waits.code] == "offered"


def test_the_houses_rules_bind_what_it_offers_by_itself(tmp_path: Path) -> None:
    document = SMALL | {
        "policies": {"waitlist_offer_minutes": 10, "cutoff_minutes": 120},
        "covers_per_slot": 3,
        "blackouts": [
            {"from": f"{DAY}T21:00", "to": f"{DAY}T23:00", "name": "late", "resources": ["T*"]}
        ],
    }
    with Fleet(tmp_path, document) as fleet:
        hub = fleet.the_hub
        full_slot, next_one = join(hub), join(hub)
        shut = join(hub, earliest="21:30", latest="21:30")
        assert states(hub) == {
            full_slot.code: "offered", next_one.code: "waiting", shut.code: "waiting",
        }  # fmt: skip
        fleet.clocks.advance(hours=32)
        lapsing.lapse(hub, fleet.book)
        assert states(hub)[next_one.code] == "waiting", "it is too late to reserve for 19:30"
        waiting.offer(hub, next_one.code, OfferRequest())
        assert states(hub)[next_one.code] == "offered", "a person may"


def test_a_venue_that_does_not_ask_for_it_offers_nobody_anything(tmp_path: Path) -> None:
    with Fleet(tmp_path, SMALL | {"policies": {}}) as fleet:
        view = join(fleet.the_hub)
        assert next_in_line.offer_all(fleet.the_hub) == 0
        assert states(fleet.the_hub) == {view.code: "waiting"}


def test_a_party_whose_wish_the_venue_does_not_know_any_more_stops_nobody(fleet: Fleet) -> None:
    hub = fleet.the_hub
    odd = join(hub, resource_kind="table", earliest="12:00", latest="12:00")
    lapsing.lapse(hub, fleet.book)
    changed = copy.deepcopy(SMALL)
    for resource in changed["resources"]:
        resource["kind"] = "bay"
    fleet.clocks.advance(minutes=10)
    lapsing.lapse(hub, fleet.book)
    hub.import_venue(changed)
    waits = join(hub)
    assert states(hub) == {odd.code: "waiting", waits.code: "offered"}


def test_two_with_shares_of_a_pool_offer_different_parties(tmp_path: Path) -> None:
    document = SMALL | {
        "resources": [{"id": "HALL", "kind": "pool", "capacity": 4, "counts": "people"}],
        "allotments": [{"holder": "desk", "resources": ["HALL"], "quantity": 2}],
    }
    with Fleet(tmp_path, document) as fleet:
        desk, hub = fleet.join("desk"), fleet.the_hub
        fleet.sync_all()
        shares = [fleet.reserve(one, EVENING) for one in (desk, hub)]
        fleet.sync_all()
        parties = [join(hub) for _ in range(3)]
        fleet.sync_all()
        desk.reservations.cancel(shares[0].code)
        fleet.sync_all()
        hub.reservations.cancel(shares[1].code)
        fleet.sync_all()
        fleet.assert_agree()
        assert list(states(desk).values()) == ["offered", "offered", "waiting"]
        held = [fleet.now(hub, view).live for view in parties[:2]]
        assert [len(claims) for claims in held] == [1, 1]
        assert len({claims[0].right for claims in held}) == 2, "each from a share of its own"


def test_one_that_cannot_be_offered_its_place_keeps_no_other_from_theirs(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    taken = fleet.reserve(desk, EVENING, ["T1"]), fleet.reserve(desk, f"{DAY}T12:00", ["T1"])
    odd, other = join(desk), join(desk, earliest="12:00", latest="12:00")
    give = waiting.give

    def refusing(replica: Service, venue: VenueIndex, view: View, *rest: Any, **more: Any) -> View:
        if view.id == odd.id:
            raise Invalid("other devices would refuse it")
        return give(replica, venue, view, *rest, **more)

    with mock.patch.object(waiting, "give", refusing):
        for view in taken:
            desk.reservations.cancel(view.code)
    assert states(desk) == {odd.code: "waiting", other.code: "offered"}
    assert next_in_line.offer(desk, fleet.book) == 1


def test_the_policy_is_read_and_written_back() -> None:
    venue = parse_venue(SMALL)
    assert venue.policies.waitlist_offer_minutes == 10
    assert to_document(venue)["policies"]["waitlist_offer_minutes"] == 10
    assert parse_venue(to_document(venue)) == venue
    assert datetime.date.fromisoformat(DAY).weekday() == 3
