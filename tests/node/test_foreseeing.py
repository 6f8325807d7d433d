"""What devices expect of what the hub has not decided, and that it is no part of the book."""

from __future__ import annotations

from holdfast.node.foreseeing import foreseen
from tests.kit import Fleet, exchange_once


def test_a_device_alone_expects_to_get_what_it_knows_to_be_free(fleet: Fleet):
    desk = fleet.join("desk")
    fleet.cut("desk")
    made = fleet.reserve(desk, "19:30", ["T1"])
    assert foreseen(desk, made) == ("admitted", "likely", "free", ())
    fleet.heal()
    fleet.sync_all()
    assert foreseen(desk, fleet.now(desk, made)) is None


def test_two_devices_that_meet_know_who_asked_first_and_the_hub_decides_so(fleet: Fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.cut("desk", "kiosk")
    first = fleet.reserve(desk, "19:30", ["T1"])
    fleet.clocks.advance(minutes=1)
    late = fleet.reserve(kiosk, "19:30", ["T1"])
    assert foreseen(kiosk, late) == ("admitted", "likely", "free", ())
    exchange_once(desk, kiosk)
    exchange_once(kiosk, desk)
    for replica in (desk, kiosk):
        assert foreseen(replica, fleet.now(replica, first)) == (
            "admitted", "open", "asked-first", (),
        )  # fmt: skip
        assert foreseen(replica, fleet.now(replica, late)) == (
            "displaced", "open", "asked-later", (first.id,),
        )  # fmt: skip
    fleet.heal()
    fleet.sync_all()
    assert fleet.now(desk, first).decision.verdict == "admitted"  # type: ignore[union-attr]
    assert fleet.now(desk, late).decision.verdict == "displaced"  # type: ignore[union-attr]


def test_who_learns_of_a_sale_from_another_device_expects_to_lose(fleet: Fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.cut("kiosk")
    lost = fleet.reserve(kiosk, "19:30", ["T1"])
    sold = fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    fleet.sync(desk)
    exchange_once(kiosk, desk)
    assert foreseen(kiosk, fleet.now(kiosk, lost)) == ("displaced", "likely", "taken", (sold.id,))


def test_a_pending_change_has_a_prognosis_too(fleet: Fleet):
    desk = fleet.join("desk")
    made = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.cut("desk")
    moved = fleet.move(desk, fleet.now(desk, made), resources=["T2"])
    assert moved.pending_change is not None
    assert foreseen(desk, moved) == ("admitted", "likely", "free", ())


def test_replicas_that_expect_different_things_hold_the_same_book(fleet: Fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.cut("desk", "kiosk")
    made = fleet.reserve(desk, "19:30", ["T1"])
    exchange_once(kiosk, desk)
    digest = desk.store.projections.book_digest(fleet.book)
    assert foreseen(desk, made) is not None
    assert desk.store.projections.book_digest(fleet.book) == digest
    assert kiosk.store.projections.book_digest(fleet.book).total == digest.total
