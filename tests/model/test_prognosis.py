"""Promises of the prognosis: the holder's rule on what is known, and plain where it is open."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.model.capacity import Held, Occupancy
from holdfast.model.claims import LIVE, PENDING, STANDBY, Seen
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    ClaimDecided,
    ClaimEnded,
    Event,
    ReservationCancelled,
    ReservationCreated,
    ReservationMoved,
    encode_content,
)
from holdfast.model.limits import RIVALS_JUDGED_MAX
from holdfast.model.offers import VenueIndex
from holdfast.model.prognosis import Prognosis, Waiting, prognosis
from holdfast.model.reservation import View, fold
from holdfast.model.venue import parse_venue

VENUE = VenueIndex(
    parse_venue(
        {
            "venue": "v", "name": "V", "kind": "restaurant", "time_zone": "UTC",
            "hours": {"mon": [["10:00", "22:00"]]},
            "resources": [
                {"id": "T1", "kind": "table", "seats": [1, 2]},
                {"id": "T2", "kind": "table", "seats": [1, 2]},
                {"id": "T3", "kind": "table", "seats": [1, 2]},
                {"id": "HALL", "kind": "pool", "capacity": 100, "counts": "people"},
            ],
        }
    )
)  # fmt: skip
DESK, HUB = b"D" * 16, b"H" * 16


class World:
    """Reservations by letter, and what a device knows of them."""

    def __init__(self) -> None:
        self.seen: dict[bytes, list[Seen]] = {}

    def write(
        self, name: str, event: Event, stamp: int, *claims: Claim, by: bytes = DESK,
        ends: tuple[ClaimId, ...] = (), follows: tuple[bytes, ...] = (),
    ) -> Seen:  # fmt: skip
        entries = self.seen.setdefault(self.id(name), [])
        operation = self.id(name)[:8] + (len(entries) + 1).to_bytes(8, "big")
        entry = Seen(
            operation, KIND_BY_EVENT[type(event)], stamp << 16, by, "x", by == HUB, follows, claims,
            ends, encode_content(event),
        )  # fmt: skip
        entries.append(entry)
        return entry

    @staticmethod
    def id(name: str) -> bytes:
        return name.encode().ljust(16, b".")

    def asks(
        self, name: str, stamp: int, resource: str = "T1", start: int = 100, end: int = 200,
        quantity: int = 1, by: bytes = DESK, **more: Any,
    ) -> Seen:  # fmt: skip
        event = ReservationCreated(
            "agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03", resource_kind="table", **more
        )
        right = HUB_RIGHT if by == HUB else b""
        return self.write(name, event, stamp, Claim(resource, start, end, quantity, 0, right),
                          by=by)  # fmt: skip

    def sold(self, name: str, resource: str = "T1", **more: Any) -> Seen:
        return self.asks(name, 1, resource, by=HUB, **more)

    def view(self, name: str) -> View:
        return fold(self.id(name), self.seen[self.id(name)])

    def waiting(self, reservation: bytes) -> list[Waiting]:
        view = fold(reservation, self.seen[reservation])
        kinds = {one.operation: one for one in self.seen[reservation]}
        return [
            Waiting(
                (claim.stamp, kinds[claim.id.operation].node, claim.id.operation), view,
                kinds[claim.id.operation].kind == "reservation.created",
            )
            for claim in view.claims
            if claim.state in (PENDING, STANDBY)
        ]  # fmt: skip

    def occupancy(self) -> Occupancy:
        def load(resource: str, start: int, end: int) -> list[Held]:
            return [
                Held(claim.id, claim.start, claim.end, claim.quantity, claim.state == LIVE, id_)
                for id_ in self.seen
                for claim in fold(id_, self.seen[id_]).claims
                if claim.state in (LIVE, PENDING, STANDBY) and claim.resource == resource
                and claim.start < end and claim.end > start
            ]  # fmt: skip

        return Occupancy(load)

    def of(self, name: str) -> Prognosis | None:
        return prognosis(self.waiting(self.id(name)), VENUE, self.occupancy(), self.waiting)


@pytest.fixture
def world() -> World:
    return World()


def test_what_is_free_is_likely_to_be_had(world: World):
    world.asks("a", 10)
    world.sold("b", start=200, end=300)
    assert world.of("a") == ("admitted", "likely", "free", ())


def test_what_was_decided_has_no_prognosis(world: World):
    world.sold("a")
    asked = world.asks("b", 10, "T2")
    world.write("b", ClaimDecided(asked.operation, "displaced", "taken"), 11, by=HUB)
    assert world.of("a") is world.of("b") is None


def test_what_is_sold_is_not_likely_to_be_had_and_who_has_it_is_named(world: World):
    world.sold("b")
    world.asks("a", 10)
    assert world.of("a") == ("displaced", "likely", "taken", (world.id("b"),))


def test_who_may_be_moved_is_expected_elsewhere(world: World):
    world.sold("b")
    world.asks("a", 10, may_move=True)
    assert world.of("a") == ("moved", "likely", "taken", (world.id("b"),))


def test_of_two_that_ask_for_one_table_the_order_of_asking_says_who_and_it_is_open(world: World):
    world.asks("a", 10)
    world.asks("b", 11)
    assert world.of("a") == ("admitted", "open", "asked-first", ())
    assert world.of("b") == ("displaced", "open", "asked-later", (world.id("a"),))


def test_who_asks_in_vain_is_in_nobodys_way(world: World):
    """b asks for T1 until 250, and a has it until 200: so c, from 200, is in b's way alone."""
    world.asks("a", 10, start=100, end=200)
    world.asks("b", 11, start=150, end=250)
    world.asks("c", 12, start=200, end=300)
    assert world.of("b") == ("displaced", "open", "asked-later", (world.id("a"),))
    assert world.of("c") == ("admitted", "open", "asked-first", ())


def test_who_was_moved_out_of_the_way_is_in_the_way_there(world: World):
    world.sold("x", "T1")
    world.sold("y", "T3")
    world.asks("a", 10, "T1", may_move=True)
    world.asks("b", 9, "T1", start=150, end=160)
    world.asks("c", 11, "T1", start=50, end=110, may_move=True)
    assert world.of("b") == ("displaced", "likely", "taken", (world.id("x"),))
    found = world.of("c")
    assert found is not None
    assert (found.verdict, found.certainty) == ("displaced", "open"), "a is given T2, the only one"


def test_who_cancelled_is_no_rival(world: World):
    asked = world.asks("a", 10)
    gone = ReservationCancelled("guest_request", "guest")
    world.write("a", gone, 11, follows=(asked.operation,))
    world.asks("b", 12)
    assert world.of("a") is None
    assert world.of("b") == ("admitted", "likely", "free", ())
    world.write("a", ClaimEnded("cancelled"), 13, by=HUB, ends=(ClaimId(asked.operation, 0),))
    assert world.of("b") == ("admitted", "likely", "free", ())


def test_a_change_is_judged_as_if_the_place_it_leaves_were_free(world: World):
    sold = world.sold("a", start=100, end=200)
    claim = Claim("T1", 150, 250, replaces=ClaimId(sold.operation, 0))
    world.write("a", ReservationMoved(), 10, claim, follows=(sold.operation,))
    assert world.of("a") == ("admitted", "likely", "free", ())
    world.sold("b", start=200, end=300)
    assert world.of("a") == ("displaced", "likely", "taken", (world.id("b"),))


def test_a_second_wish_that_cannot_be_had_leaves_the_first(world: World):
    asked = world.asks("a", 10)
    world.sold("b", "T2")
    claim = Claim("T2", 100, 200, replaces=ClaimId(asked.operation, 0))
    world.write("a", ReservationMoved(), 11, claim, follows=(asked.operation,))
    assert world.of("a") == ("admitted", "likely", "free", ())


def test_a_pool_that_has_room_for_all_is_open_to_nobody(world: World):
    for number in range(9):
        world.asks(f"{number}", 10 + number, "HALL", quantity=10)
    assert world.of("8") == ("admitted", "likely", "free", ())


def test_the_last_seats_of_a_pool_go_to_those_who_asked_first(world: World):
    world.sold("x", "HALL", quantity=80)
    for number in range(3):
        world.asks(f"{number}", 10 + number, "HALL", quantity=10)
    verdicts = [found.verdict for n in range(3) if (found := world.of(f"{n}"))]
    assert verdicts == ["admitted", "admitted", "displaced"]


def test_where_very_many_ask_it_is_said_to_be_open_and_nobody_is_judged(world: World):
    for number in range(RIVALS_JUDGED_MAX + 2):
        world.asks(f"{number}", 10 + number, "HALL", quantity=5)
    assert world.of("0") == ("admitted", "open", "contested", ())


def test_the_guess_changes_nothing_that_it_looks_at(world: World):
    world.asks("a", 10)
    world.asks("b", 11)
    occupancy = world.occupancy()
    before = occupancy.overlapping("T1", 100, 200)
    for name in "ab":
        prognosis(world.waiting(world.id(name)), VENUE, occupancy, world.waiting)
    assert occupancy.overlapping("T1", 100, 200) == before
    assert occupancy.free("T1", 1, 100, 200, account=b"") == 1
