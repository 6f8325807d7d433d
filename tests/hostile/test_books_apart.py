"""What a device with a good certificate tries across books, names and quotas, and gains nothing."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.claims import Seen
from holdfast.model.errors import Conflict, RuleViolated
from holdfast.model.events import ReservationAmended, VenueKeyAccepted, VenueKeyPublished
from holdfast.model.limits import ENTRIES_PER_RESERVATION_MAX
from holdfast.node.node import Node
from holdfast.store.store import Store
from tests.hostile.builders import Attacker, Town, claim, created, entry
from tests.kit import START_MS, TRATTORIA, Fleet, assert_same_book


@pytest.fixture
def two_venues(tmp_path: Path) -> Iterator[tuple[Fleet, Node, Node]]:
    with Fleet(tmp_path) as fleet:
        fleet.the_hub.import_venue({**copy.deepcopy(TRATTORIA), "venue": "osteria"})
        yield fleet, fleet.join("desk"), fleet.join("bar", "kiosk", "osteria")


def test_an_id_of_another_venues_reservation_hides_nothing_of_it(
    two_venues: tuple[Fleet, Node, Node],
) -> None:
    fleet, desk, bar = two_venues
    sold = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    Attacker(fleet, bar).write(
        entry(created(party_size=1), subject=sold.id, claims=(claim("T1"),), stamp=1 << 16)
    )
    hub = fleet.the_hub
    assert hub.view(sold.id, "demo/trattoria") == fleet.now(desk, sold)
    assert hub.reservations.find(sold.code).status == "confirmed"
    assert len(hub.reservations.select()[0]) == 1, "the bar's is quarantined and no reservation"
    with pytest.raises(Conflict, match="osteria and trattoria; name the reservation by its code"):
        hub.view(sold.id)
    desk.reservations.cancel(sold.code)
    fleet.sync_all()
    assert hub.reservations.find(sold.code).status == "cancelled"
    for replica, book in ((desk, "demo/trattoria"), (bar, "demo/osteria")):
        assert_same_book([hub, replica], book)


def test_a_reservation_that_came_first_under_a_taken_id_is_the_others_all_the_same(
    two_venues: tuple[Fleet, Node, Node],
) -> None:
    """The thief is heard before the owner: neither stands in the other's way."""
    fleet, desk, bar = two_venues
    sold = fleet.reserve(desk, "19:30", ["T1"])
    Attacker(fleet, bar).write(entry(created(), subject=sold.id, claims=(claim("T1"),)))
    fleet.sync_all()
    assert fleet.the_hub.reservations.find(sold.code).status == "confirmed"
    assert fleet.now(desk, sold).status == "confirmed"


def test_one_certificate_begins_only_so_many_chains(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("holdfast.node.books.CHAINS_PER_CERTIFICATE_MAX", 4)
    with Town(tmp_path) as town:
        town.attacker.write(entry(created(), subject=town.attacker.new_id()))
        answer = town.attacker.send(*(town.attacker.another_chain() for _ in range(6)))
        assert [reason for _, _, reason in answer.refused] == ["too-many-chains"] * 3
        forks = [
            town.attacker.frame_of(
                [*town.attacker.chain[:1], entry(created(), subject=town.attacker.new_id())]
            )
            for _ in range(2)
        ]
        answer = town.attacker.send(*forks)
        assert [reason for _, _, reason in answer.refused] == ["too-many-chains"] * 2
        other = town.fleet.join("other")
        sold = town.fleet.reserve(other, "2027-06-06T12:00", ["T2"])
        town.fleet.sync(other, town.desk)
        assert town.fleet.now(town.desk, sold).status == "confirmed"
        assert_same_book([town.hub, town.desk, other], town.book)


def test_a_branch_of_a_long_chain_keeps_nothing_twice(town: Town) -> None:
    attacker, journal = town.attacker, town.hub.store.journal
    long = [entry(created(), subject=town.attacker.new_id()) for _ in range(60)]
    attacker.write(*long)
    rows = journal.last_seq
    held = attacker.chain
    for _ in range(3):
        held = [*held[:-1], entry(created(), subject=town.attacker.new_id()), held[-1]]
        attacker.send(attacker.frame_of(held))
    assert len(journal.branches(town.book, attacker.incarnation)) == 4
    # Two entries of its own each, and the hub's word on which branch counts.
    assert journal.last_seq - rows == 2 * 3 + 1


def test_of_one_writers_entries_about_a_reservation_the_first_ones_count_in_any_order(
    tmp_path: Path,
) -> None:
    """What is kept depends on the chain and not on the order of arrival; the hub is not limited."""
    writers = [bytes([1]) * 16, bytes([2]) * 16]
    number = itertools.count()
    seen = [
        Seen(
            next(number).to_bytes(16, "big"), "reservation.amended", n << 16, writer, "desk",
            False, (), (), (), b"", n,
        )
        for writer in writers for n in range(ENTRIES_PER_RESERVATION_MAX + 40)
    ]  # fmt: skip
    kept = []
    for seed in range(3):
        random.Random(seed).shuffle(seen)
        store = Store(_new(tmp_path / str(seed)), synchronous="OFF")
        for one in seen:
            store.projections.see("demo/trattoria", bytes(16), one, limited=True)
        record = store.projections.get("demo/trattoria", bytes(16))
        assert record is not None
        kept.append({one.operation for one in record.seen})
        assert max(one.n for one in record.seen) == ENTRIES_PER_RESERVATION_MAX - 1
        store.close()
    assert kept[0] == kept[1] == kept[2]
    assert len(kept[0]) == 2 * ENTRIES_PER_RESERVATION_MAX


def test_a_device_that_has_written_enough_about_a_reservation_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.store.projections.ENTRIES_PER_RESERVATION_MAX", 5)
    with Fleet(tmp_path) as fleet:
        desk = fleet.join("desk")
        view = fleet.reserve(desk, "19:30", ["T3"], party=2)
        for party in (3, 2, 3, 2):
            fleet.move(desk, view, party_size=party)
        with pytest.raises(RuleViolated, match="another device"):
            fleet.move(desk, view, party_size=4)
        fleet.sync_all()
        assert fleet.now(fleet.the_hub, view).party_size == 2
        fleet.assert_agree()


def test_an_administrative_entry_with_a_reservation_as_its_subject_is_not_about_it(
    town: Town,
) -> None:
    before = town.now(town.sold)
    key = X25519PrivateKey.generate().public_key().public_bytes_raw()
    town.attacker.write(entry(VenueKeyPublished(key), subject=town.sold.id))
    assert town.now(town.sold) == before
    town.assert_alive()


def test_a_second_making_of_a_reservation_is_given_nothing(town: Town) -> None:
    """The id of a displaced reservation, made anew by another device, brings no place."""
    town.fleet.reserve(town.hub, "2027-06-05T19:30", ["T3"])
    lost = town.fleet.reserve(town.desk, "2027-06-05T19:30", ["T3"])
    town.fleet.sync(town.desk)
    assert town.now(lost).status == "commit_failed"
    town.attacker.write(entry(created(), subject=lost.id, claims=(claim("T4"),)))
    assert town.now(lost).status == "commit_failed"
    assert not town.now(lost).live
    town.assert_alive()


def test_a_key_with_a_stamp_from_the_past_does_not_replace_the_venues(tmp_path: Path) -> None:
    with Fleet(tmp_path) as fleet:
        desk, other = fleet.join("desk"), fleet.join("other")
        fleet.sync_all()
        own = desk.book(fleet.book).administration.venue_key
        assert own in fleet.the_hub.book(fleet.book).administration.accepted
        forged = X25519PrivateKey.generate().public_key().public_bytes_raw()
        Attacker(fleet, other).write(entry(VenueKeyPublished(forged), stamp=1 << 16))
        fleet.sync_all()
        for replica in (fleet.the_hub, desk):
            assert replica.book(fleet.book).administration.venue_key == own


def test_the_hub_alone_brings_no_key_into_force(tmp_path: Path) -> None:
    with Fleet(tmp_path) as fleet:
        desk = fleet.join("desk")
        fleet.sync_all()
        own = desk.book(fleet.book).administration.venue_key
        hubs = X25519PrivateKey.generate().public_key().public_bytes_raw()
        with fleet.the_hub.transaction():
            fleet.the_hub.append(fleet.book, VenueKeyAccepted(hubs))
        fleet.sync_all()
        assert desk.book(fleet.book).administration.venue_key == own


def test_changes_by_many_devices_stay_within_their_own_share(town: Town) -> None:
    """One device's flood leaves every other device its own changes of the reservation."""
    (leaf,) = town.now(town.sold).leaves
    flood = [
        entry(
            ReservationAmended({"party_size": 1}), subject=town.sold.id, follows=(leaf,),
            stamp=(START_MS + number) << 16,
        )
        for number in range(ENTRIES_PER_RESERVATION_MAX + 5)
    ]  # fmt: skip
    town.attacker.write(*flood)
    town.fleet.sync(town.desk)
    town.fleet.move(town.desk, town.sold, party_size=2)
    town.fleet.sync(town.desk)
    assert town.now(town.sold).party_size == 2
    town.assert_alive()


def _new(directory: Path) -> Path:
    directory.mkdir()
    return directory
