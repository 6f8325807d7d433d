"""The venue's key: handed to whoever may read, followed by another when a device is stolen."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from holdfast.model.errors import Conflict, Forbidden, RoleForbidden
from holdfast.model.events import VenueKeyHanded, VenueKeyPublished
from holdfast.model.reservation import View
from holdfast.node import attention, inspection
from holdfast.node.lookup import rfc3339_ms
from holdfast.node.node import Node
from tests.kit import START_MS, Fleet
from tests.node.test_forgetting import ANN, book, files_with, holders, read, sealed_keys

KEYS = 100


@pytest.fixture
def town(fleet: Fleet) -> Fleet:
    fleet.join("desk")
    fleet.join("bar")
    fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    return fleet


def in_force(fleet: Fleet) -> bytes:
    """The public key in force, which all replicas must agree on."""
    found = {r.name: r.book(fleet.book).administration.venue_key for r in fleet.replicas()}
    assert len(set(found.values())) == 1, found
    return found["hub"]


def sealed_to(fleet: Fleet, view: View) -> dict[str, set[bytes]]:
    assert view.card is not None
    return {
        replica.name: {k.sealed_to for k in replica.store.cards.keys(fleet.book, view.card.id)}
        for replica in fleet.replicas()
    }


def rotate(fleet: Fleet, where: str) -> dict:
    return fleet.nodes[where].cards.keys.rotate(fleet.book)


def readers(fleet: Fleet, view: View) -> set[str]:
    return {name for name in fleet.nodes if read(fleet, name, view) is not None}


@pytest.mark.parametrize(
    ("role", "reads"),
    [("front-desk", True), ("venue-server", True), ("kiosk", False), ("channel", False)],
)
def test_only_who_may_read_cards_is_handed_the_key(town: Fleet, role: str, reads: bool):
    ann = book(town, "desk", "ann", "19:00")
    town.join("new", role)
    town.sync_all()
    assert (read(town, "new", ann) == ANN) is reads
    assert list((town.nodes["new"].directory / "keys").glob("venue*.key")) == [] or reads


def test_a_device_that_was_shut_out_is_handed_nothing_more(fleet: Fleet):
    """It joined, and was shut out before anybody could hand it the key."""
    desk, thief = fleet.join("desk"), fleet.join("thief")
    life = thief.identity.incarnation
    fleet.sync(desk)
    assert desk.book(fleet.book).administration.handed.get(life, {}) != {}
    other = fleet.join("other")
    fleet.the_hub.revoke("other", "stolen")
    fleet.nodes.pop("other")
    fleet.sync_all()
    administration = desk.book(fleet.book).administration
    assert other.identity.incarnation in administration.desks
    assert other.identity.incarnation not in administration.handed


def test_a_stolen_desk_reads_nothing_that_comes_after(town: Fleet):
    before = book(town, "kiosk", "ann", "19:00")
    town.sync_all()
    old = in_force(town)
    thief = town.nodes["bar"]
    town.cut("bar")
    town.the_hub.revoke("bar", "stolen")
    town.sync_all()
    done = rotate(town, "desk")
    assert done["handed_to"] == []
    # Until the hub has heard of it, everything goes on under the key that all have.
    assert town.nodes["desk"].book(town.book).administration.venue_key == old
    town.sync_all()
    bar = town.nodes.pop("bar")
    assert in_force(town) != old
    after = book(town, "kiosk", "bob", "20:00")
    town.sync_all()
    for view in (before, after):
        assert set.union(*sealed_to(town, view).values()) == {in_force(town)}
        assert read(town, "desk", view) == ANN
    # What the thief's keys open is in no file of the others any more.
    (stolen,) = sealed_keys(thief, before)
    for replica in town.replicas():
        assert files_with(replica.directory, stolen) == [], replica.name
    assert after.card is not None
    new = town.nodes["desk"].store.cards.keys(town.book, after.card.id)[0]
    readers_of_thief = list(bar.cards.keys.readers(town.book))
    assert (
        bar.cards.keys._sealed_anew(town.book, new, readers_of_thief, readers_of_thief[0]) is None
    )
    bar.close()


def test_the_other_desk_follows_and_a_new_one_gets_the_new_key_alone(town: Fleet):
    ann = book(town, "desk", "ann", "19:00")
    town.sync_all()
    old = in_force(town)
    assert rotate(town, "desk")["handed_to"] == ["bar"]
    town.sync_all()
    late = town.join("late")
    town.sync_all()
    assert readers(town, ann) == {"desk", "bar", "late"}
    handed = late.book(town.book).administration.handed[late.identity.incarnation]
    assert set(handed) == {in_force(town)} and old not in handed


def test_what_was_written_offline_to_the_old_key_is_read_and_sealed_anew(town: Fleet):
    town.cut("kiosk")
    rotate(town, "desk")
    town.sync_all()
    late = book(town, "kiosk", "ann", "19:00")
    old = town.nodes["kiosk"].book(town.book).administration.venue_key
    town.heal()
    town.sync_all()
    assert in_force(town) != old
    assert set.union(*sealed_to(town, late).values()) == {in_force(town)}
    assert readers(town, late) == {"desk", "bar"}


def test_two_desks_that_make_another_key_at_once_agree_on_one(town: Fleet):
    ann = book(town, "kiosk", "ann", "19:00")
    town.sync_all()
    old = in_force(town)
    rotate(town, "desk")
    rotate(town, "bar")
    town.sync_all()
    assert in_force(town) != old
    assert readers(town, ann) == {"desk", "bar"}
    assert set.union(*sealed_to(town, ann).values()) == {in_force(town)}
    rotate(town, "bar")
    town.sync_all()
    assert readers(town, ann) == {"desk", "bar"}


def test_only_a_holder_makes_another_and_only_one_at_a_time(town: Fleet):
    with pytest.raises(Forbidden, match="front desk"):
        rotate(town, "kiosk")
    rotate(town, "desk")
    with pytest.raises(Conflict, match="desk has made a new key"):
        rotate(town, "desk")


def test_a_key_that_follows_none_in_force_never_comes_into_force(town: Fleet):
    bar, before = town.nodes["bar"], in_force(town)
    for follows in (b"", bytes([9]) * 32):
        with bar.transaction():
            public = random.Random(len(follows)).randbytes(32)
            bar.append(town.book, VenueKeyPublished(public, follows))
    kiosk = town.nodes["kiosk"]
    with kiosk.transaction(), pytest.raises(RoleForbidden, match="publish a venue's key"):
        kiosk.append(town.book, VenueKeyPublished(bytes([7]) * 32, before))
    town.sync_all()
    assert in_force(town) == before


def test_no_desk_seals_cards_to_a_key_that_it_does_not_hold(town: Fleet):
    """A front desk in bad hands publishes a key and hands it to nobody."""
    ann = book(town, "desk", "ann", "19:00")
    town.sync_all()
    bar, before = town.nodes["bar"], in_force(town)
    with bar.transaction():
        bar.append(town.book, VenueKeyPublished(bytes([9]) * 32, before))
    town.sync_all()
    assert in_force(town) == bytes([9]) * 32
    assert set.union(*sealed_to(town, ann).values()) == {before}
    assert read(town, "desk", ann) == ANN


def test_a_venue_gets_its_key_back_from_a_stolen_desk_that_put_its_own_in_force(town: Fleet):
    """The desk in bad hands hands its key to nobody; who holds it reads what is written until it
    is shut out, and nothing after that."""
    ann = book(town, "desk", "ann", "19:00")
    bar, before = town.nodes["bar"], in_force(town)
    with bar.transaction():
        bar.append(town.book, VenueKeyPublished(bytes([9]) * 32, before))
    town.sync_all()
    with pytest.raises(Forbidden, match=r"made it \(bar\)"):
        rotate(town, "desk")
    town.cut("bar")
    town.the_hub.revoke("bar", "stolen")
    town.sync_all()
    assert rotate(town, "desk")["follows"] == (bytes([9]) * 32).hex()
    town.sync_all()
    town.nodes.pop("bar").close()
    late = book(town, "kiosk", "bob", "20:00")
    town.sync_all()
    assert in_force(town) not in (before, bytes([9]) * 32)
    assert read(town, "desk", ann) == read(town, "desk", late) == ANN
    assert set.union(*sealed_to(town, ann).values()) == {in_force(town)}


def test_a_venue_whose_only_desk_was_stolen_goes_on_with_another(fleet: Fleet):
    fleet.join("desk")
    fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    fleet.the_hub.revoke("desk", "stolen")
    fleet.nodes.pop("desk").close()
    fleet.join("new")
    fleet.sync_all()
    old = in_force(fleet)
    rotate(fleet, "new")
    fleet.sync_all()
    assert in_force(fleet) != old
    ann = book(fleet, "kiosk", "ann", "19:00")
    fleet.sync_all()
    assert read(fleet, "new", ann) == ANN
    assert set.union(*sealed_to(fleet, ann).values()) == {in_force(fleet)}


def test_a_kiosk_cannot_put_another_key_beside_a_cards(town: Fleet):
    ann = book(town, "desk", "ann", "19:00")
    town.sync_all()
    assert ann.card is not None
    kiosk, before = town.nodes["kiosk"], sealed_keys(town.the_hub, ann)
    (key,) = kiosk.store.cards.keys(town.book, ann.card.id)
    junk = key._replace(sealed=bytes(80), sealed_to=in_force(town)[::-1])
    with kiosk.transaction():
        assert kiosk.store.cards.put_key(*junk[2:])
    town.sync_all()
    assert sealed_keys(town.the_hub, ann) == before


def test_a_person_is_told_to_make_another_key(town: Fleet):
    def open_now() -> list[str]:
        found = inspection.exceptions(town.nodes["desk"])
        return [one["id"] for one in found if one["kind"] == "venue_key_exposed"]

    assert open_now() == []
    town.cut("bar")
    town.the_hub.revoke("kiosk", "stolen")
    town.cut("kiosk")
    town.sync_all()
    assert open_now() == [], "a kiosk holds no key"
    town.the_hub.revoke("bar", "stolen")
    town.sync_all()
    (named,) = open_now()
    [item] = [one for one in inspection.exceptions(town.nodes["desk"]) if one["id"] == named]
    assert item["since"][:10] == rfc3339_ms(START_MS)[:10], "since it was shut out"
    rotate(town, "desk")
    assert open_now() == [named]
    town.sync_all()
    assert open_now() == []


def test_a_person_may_say_that_it_is_in_good_hands(town: Fleet):
    town.cut("bar")
    town.the_hub.revoke("bar", "retired")
    town.sync_all()
    desk = town.nodes["desk"]
    (item,) = inspection.exceptions(desk)
    assert "rotate-key trattoria" in item["detail"]
    attention.resolve(desk, item["id"], "acknowledge", "other")
    assert inspection.exceptions(desk) == []


@pytest.mark.parametrize("seed", range(6))
def test_rotation_and_erasure_in_any_order_leave_no_key_of_who_was_forgotten(
    fleet: Fleet, seed: int
):
    """Devices come and go at random; one is forgotten, the key changes, one stays."""
    chance = random.Random(seed)
    names = ["desk", "bar", "kiosk"]
    for name in names:
        fleet.join(name, "kiosk" if name == "kiosk" else "front-desk")
    fleet.sync_all()
    ann, bob = book(fleet, "kiosk", "ann", "19:00"), book(fleet, "kiosk", "bob", "19:30")
    fleet.sync(fleet.nodes["kiosk"], fleet.nodes[chance.choice(["desk", "bar"])])
    late: list[View] = []
    deeds: list[Callable[[], object]] = [
        lambda: rotate(fleet, chance.choice(["desk", "bar"])),
        lambda: fleet.the_hub.forgetting.erase(ann.agent_id, "guest_request"),
        lambda: late.append(book(fleet, "kiosk", "carol", "20:00")),
    ]
    chance.shuffle(deeds)
    steps: list[Callable[[], object] | None] = [*deeds, *[None] * 12]
    chance.shuffle(steps)
    for step in steps:
        if step is not None:
            step()
            continue
        fleet.cut_off = {name for name in names if chance.random() < 0.4}
        fleet.sync(*(fleet.nodes[name] for name in names if name not in fleet.cut_off))
    fleet.heal()
    fleet.sync_all(5)
    assert holders(fleet, ann) == set()
    for view in (bob, *late):
        assert readers(fleet, view) == {"desk", "bar"}
        assert set.union(*sealed_to(fleet, view).values()) == {in_force(fleet)}
    assert fleet.the_hub.forgetting.report()[0]["complete"]
    fleet.assert_agree()


def test_thousands_of_cards_are_sealed_anew_in_bounded_steps(fleet: Fleet):
    desk = fleet.join("desk")
    fleet.sync_all()
    views = [
        fleet.reserve(desk, f"{8 + n // 10:02}:00", ["HALL"], 1, user_id=f"g{n}", guest=ANN,
                      duration_minutes=30)
        for n in range(KEYS)
    ]  # fmt: skip
    fleet.sync_all()
    assert isinstance(desk, Node)
    rotate(fleet, "desk")
    keys = desk.cards.keys
    fleet.sync(desk)
    while keys.seal_anew(fleet.book, 10):
        pass
    fleet.sync_all()
    assert {frozenset(s) for v in views for s in sealed_to(fleet, v).values()} == {
        frozenset({in_force(fleet)})
    }


def test_junk_that_comes_first_keeps_no_device_from_the_venues_key(town: Fleet):
    """A desk in bad hands writes as the first what nobody but the newcomer can try to open."""
    ann = town.reserve(town.nodes["desk"], "19:00", user_id="ann", guest=ANN)
    town.sync_all()
    late = town.join("late")
    bar, life = town.nodes["bar"], late.identity.incarnation
    with bar.transaction():
        bar.append(town.book, VenueKeyHanded(life, in_force(town), os.urandom(80)))
    town.sync(bar)
    town.sync_all()
    handed = late.book(town.book).administration.handed_by(in_force(town), life)
    assert set(handed) == {bar.identity.incarnation, town.nodes["desk"].identity.incarnation}
    found = late.view(ann.id)
    assert found is not None
    assert late.reservations.guest(found) == ANN


def test_a_venue_with_many_desks_hands_a_key_to_each_twice_and_no_more_often(fleet: Fleet):
    for n in range(5):
        fleet.join(f"desk{n}")
        fleet.sync_all()
    administration = fleet.the_hub.book(fleet.book).administration
    counts = {len(by) for keys in administration.handed.values() for by in keys.values()}
    assert counts and max(counts) <= 2
