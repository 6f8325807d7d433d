"""A front desk may let the hub read its venue's cards: on purpose, for one venue, until rotated."""

from __future__ import annotations

import copy

import pytest

from holdfast.model.errors import Forbidden, NotFound, RoleForbidden, RuleViolated
from holdfast.model.events import VenueKeyHanded
from holdfast.model.reservation import View
from holdfast.node import guest_desk
from holdfast.node.audit import audit_entries
from tests.kit import TRATTORIA, Fleet
from tests.node.test_forgetting import ANN, book, files_with

BISTRO = TRATTORIA | {"venue": "bistro", "name": "Bistro"}
BOB = {"name": "Bob Stone", "phone": "+44 20 7946 0999"}


@pytest.fixture
def town(fleet: Fleet) -> Fleet:
    """Two venues of one hub, each with a front desk and a guest."""
    fleet.the_hub.import_venue(copy.deepcopy(BISTRO))
    fleet.join("desk")
    fleet.join("other", venue="bistro")
    fleet.sync_all()
    return fleet


@pytest.fixture
def ann(town: Fleet) -> View:
    made = book(town, "desk", "ann", "19:00", ANN)
    town.reserve(town.nodes["other"], "19:00", venue="bistro", user_id="bob", guest=BOB)
    town.sync_all()
    return made


def share(town: Fleet) -> dict[str, object]:
    done = town.nodes["desk"].cards.keys.share_with_hub(town.book)
    town.sync_all()
    return done


def names(town: Fleet, text: str) -> list[str]:
    return [one["guest"]["name"] for one in guest_desk.find(town.the_hub, text)]


def hub_reads(town: Fleet, view: View) -> dict[str, str] | None:
    return town.the_hub.reservations.guest(town.now(town.the_hub, view))


def words(town: Fleet) -> int:
    found = town.the_hub.store.db.conn.execute("SELECT count(*) FROM guest_words").fetchone()
    return int(found[0])


def test_the_hub_reads_nobody_until_a_front_desk_lets_it_and_then_that_venue_alone(
    town: Fleet, ann: View
):
    with pytest.raises(Forbidden, match="share-key"):
        guest_desk.find(town.the_hub, "ann")
    assert hub_reads(town, ann) is None
    assert share(town)["handed_to"] == ["hub"]
    assert names(town, "ann") == ["Ann Smith"]
    assert hub_reads(town, ann) == ANN
    ((name, card, views),) = guest_desk.show(town.the_hub, ann.agent_id)
    assert (name, card["name"], len(views)) == (town.book, "Ann Smith", 1)
    assert names(town, "bob") == [], "another venue's guests stay unread"
    bob = town.nodes["other"].reservations.select(venue="bistro")[0][0]
    assert hub_reads(town, bob) is None
    with pytest.raises(NotFound, match="not read here"):
        guest_desk.show(town.the_hub, bob.agent_id)


def test_what_is_written_after_it_was_let_is_read_too_also_from_a_kiosk(town: Fleet, ann: View):
    share(town)
    town.join("kiosk", "kiosk")
    later = book(town, "kiosk", "carl", "20:00", {"name": "Carl Later"})
    town.sync_all()
    assert hub_reads(town, later) == {"name": "Carl Later"}
    assert words(town) > 0, "the hub's index keeps up by itself"
    assert names(town, "later") == ["Carl Later"]
    assert hub_reads(town, ann) == ANN


def test_it_is_one_entry_that_everybody_keeps_and_asking_again_writes_none(town: Fleet, ann: View):
    share(town)
    share(town)
    hub_life = town.the_hub.identity.incarnation
    for replica in (town.the_hub, town.nodes["desk"]):
        handed = replica.book(town.book).administration.handed[hub_life]
        assert len(handed) == 1
        items, _ = audit_entries(replica, limit=500)
        handovers = (one for one in items if one["kind"] == "venue.key_handed")
        found = [
            one for one in handovers if one["after"]["recipient_incarnation"] == hub_life.hex()
        ]
        assert [(one["node"], one["venue"]) for one in found] == [("desk", "trattoria")]
        assert found[0]["after"]["recipient"] == "hub"


def test_another_key_takes_it_back(town: Fleet, ann: View):
    share(town)
    assert names(town, "ann") == ["Ann Smith"] and words(town) > 0
    town.nodes["desk"].cards.keys.rotate(town.book)
    town.sync_all()
    after = book(town, "desk", "dora", "21:00", {"name": "Dora After"})
    town.sync_all()
    assert hub_reads(town, ann) is None and hub_reads(town, after) is None
    assert words(town) == 0, "the hub keeps no words of guests whom it may not read"
    with pytest.raises(Forbidden, match="share-key"):
        guest_desk.find(town.the_hub, "ann")
    assert [one["guest"]["name"] for one in guest_desk.find(town.nodes["desk"], "ann")] == [
        "Ann Smith"
    ]
    share(town)
    assert names(town, "ann") == ["Ann Smith"], "and it may be let again"


def test_the_venues_key_is_on_no_disk_of_the_hub(town: Fleet, ann: View):
    share(town)
    assert names(town, "ann") == ["Ann Smith"]
    private = town.nodes["desk"].cards.keys.private_key()
    assert private is not None
    assert files_with(town.the_hub.directory, private.private_bytes_raw()) == []
    again = town.reopen("hub")
    assert [one["guest"]["name"] for one in guest_desk.find(again, "ann")] == ["Ann Smith"]


def test_who_was_forgotten_is_forgotten_by_the_hub_too(town: Fleet, ann: View):
    share(town)
    town.nodes["desk"].forgetting.erase(ann.agent_id, "guest_request")
    town.sync_all()
    assert names(town, "ann") == [] and hub_reads(town, ann) is None
    assert words(town) == 0
    assert all(report["complete"] for report in town.the_hub.forgetting.report(ann.agent_id))


def test_only_a_front_desk_lets_the_hub_and_the_hub_makes_no_key_of_its_own(town: Fleet, ann: View):
    kiosk = town.join("kiosk", "kiosk")
    town.sync_all()
    for replica in (kiosk, town.the_hub):
        with pytest.raises(Forbidden, match="front desk"):
            replica.cards.keys.share_with_hub(town.book)
    share(town)
    for ask in (town.the_hub.cards.keys.rotate, town.the_hub.cards.keys.share_with_hub):
        with pytest.raises(Forbidden, match="front desk"):
            ask(town.book)


def test_a_kiosk_that_is_handed_the_key_reads_nothing_all_the_same(town: Fleet, ann: View):
    """A device in bad hands may hand it to anybody; an honest kiosk opens no card with it."""
    kiosk, desk = town.join("kiosk", "kiosk"), town.nodes["desk"]
    town.sync_all()
    private = desk.cards.keys.private_key()
    assert private is not None
    with desk.transaction():
        desk.cards.keys._hand(
            town.book, kiosk.identity.incarnation, kiosk.identity.sealing_public, private
        )
    town.sync_all()
    assert kiosk.book(town.book).administration.handed[kiosk.identity.incarnation]
    assert kiosk.reservations.guest(town.now(kiosk, ann)) is None


def test_a_hub_of_another_life_is_let_nothing_until_a_front_desk_says_so_again(
    town: Fleet, ann: View
):
    share(town)
    assert names(town, "ann") == ["Ann Smith"]
    restored = town.copy("hub", "restored")
    town.stop_hub()
    town.open("hub", restored)
    town.sync_all()
    with pytest.raises(RuleViolated, match="hub recover"):
        guest_desk.find(town.the_hub, "ann")
    assert hub_reads(town, ann) is None and words(town) == 0
    assert town.the_hub.recover()["state"] == "serving"
    town.sync_all()
    assert hub_reads(town, ann) is None
    share(town)
    assert names(town, "ann") == ["Ann Smith"]


def test_nothing_but_an_entry_lets_the_hub_read(town: Fleet, ann: View):
    """One who pretends to be a front desk: a kiosk's entry hands nothing over."""
    kiosk = town.join("kiosk", "kiosk")
    town.sync_all()
    public = town.the_hub.book(town.book).administration.venue_key
    with pytest.raises(RoleForbidden, match="hand a venue's key on"), kiosk.transaction():
        kiosk.append(
            town.book,
            VenueKeyHanded(town.the_hub.identity.incarnation, public, b"x" * 80),
        )
    town.sync_all()
    assert hub_reads(town, ann) is None
    assert town.the_hub.identity.incarnation not in (
        town.the_hub.book(town.book).administration.handed
    )
