"""A guest is forgotten: on every device, in whatever order it hears of it, down to the bytes."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import Forbidden, HoldfastError, Invalid, NotFound
from holdfast.model.events import GuestErased, ReservationCreated
from holdfast.model.forgetting import Erasure, Occurrence, covering
from holdfast.model.reservation import View
from holdfast.node import guest_desk, upkeep, waiting
from holdfast.node.exchange import Exchange
from holdfast.node.node import Node
from holdfast.node.requests import OfferRequest, PatchRequest, ReserveRequest, WaitRequest
from holdfast.node.service import Service
from holdfast.store.readonly import ReadOnlyStore
from holdfast.sync import gate
from holdfast.sync.messages import CardKeyItem
from tests.kit import DAY, START_MS, Fleet

ANN = {"name": "Ann Smith", "phone": "+44 20 7946 0018"}
BOB = {"name": "Bob Stone"}


@pytest.fixture
def town(fleet: Fleet) -> Fleet:
    """A hub, two desks that read cards and a kiosk that writes them."""
    fleet.join("desk")
    fleet.join("bar")
    fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    return fleet


def book(fleet: Fleet, where: str, user: str, time: str, guest: dict[str, str] = ANN) -> View:
    return fleet.reserve(fleet.nodes[where], time, user_id=user, guest=guest)


def read(fleet: Fleet, where: str, view: View) -> dict[str, str] | None:
    replica = fleet.nodes[where]
    found = replica.view(view.id)
    assert found is not None
    return replica.reservations.guest(found)


def sealed_keys(replica: Service, view: View) -> list[bytes]:
    found = replica.view(view.id)
    if found is None or found.card is None:
        return []
    return [key.sealed for key in replica.store.cards.keys(view.book, found.card.id)]


def holders(fleet: Fleet, view: View) -> set[str]:
    """The replicas that hold a key of the reservation's card."""
    replicas = [("hub", fleet.the_hub), *fleet.nodes.items()]
    return {name for name, replica in replicas if sealed_keys(replica, view)}


def states(report: list[dict], which: int = -1) -> dict[str, str]:
    return {one["name"]: one["state"] for one in report[which]["devices"]}


def files_with(directory: Path, needle: bytes) -> list[str]:
    return [
        str(path.relative_to(directory))
        for path in sorted(directory.rglob("*"))
        if path.is_file() and needle in path.read_bytes()
    ]


# --- the rule -------------------------------------------------------------------------------------


def erasure(stamp: int, agent: str = "ann", also: frozenset[bytes] = frozenset()) -> Erasure:
    return Erasure(bytes([stamp]) * 16, agent, stamp, also, "", b"")


COVERED = {
    "an earlier card": ([("ann", 5)], [erasure(9)], True),
    "a card of the same moment": ([("ann", 9)], [erasure(9)], True),
    "a later card: the guest came back": ([("ann", 10)], [erasure(9)], False),
    "somebody else's": ([("bob", 5)], [erasure(9)], False),
    "a later card that the writer knew": (
        [("ann", 99)],
        [erasure(9, also=frozenset([b"c"]))],
        True,
    ),
    "written again later": ([("ann", 10), ("ann", 5)], [erasure(9)], True),
    "two erasures": ([("ann", 10)], [erasure(9), erasure(12)], True),
    "nobody was erased": ([("ann", 5)], [], False),
}


@pytest.mark.parametrize("case", COVERED)
def test_an_erasure_covers_what_is_not_later_than_itself(case):
    found, erasures, covered = COVERED[case]
    placed = [Occurrence(agent, stamp) for agent, stamp in found]
    by_agent = {"ann": erasures} if erasures else {}
    assert (covering(b"c", placed, by_agent) is not None) is covered


@given(st.lists(st.tuples(st.sampled_from(["ann", "bob"]), st.integers(1, 9))), st.data())
def test_more_entries_never_bring_a_card_back(found, data):
    placed = [Occurrence(agent, stamp) for agent, stamp in found]
    stamps = data.draw(st.lists(st.integers(1, 9), max_size=3))
    all_of_them = {"ann": [erasure(stamp) for stamp in stamps]}
    part = data.draw(st.integers(0, len(placed)))
    fewer = {"ann": all_of_them["ann"][: data.draw(st.integers(0, len(stamps)))]}
    if covering(b"c", placed[:part], fewer) is not None:
        assert covering(b"c", placed, all_of_them) is not None


# --- on every device ------------------------------------------------------------------------------


def test_a_guest_is_forgotten_everywhere_and_everybody_says_so(town: Fleet):
    ann = book(town, "kiosk", "ann", "19:00")
    bob = book(town, "kiosk", "bob", "19:30", BOB)
    town.sync_all()
    assert holders(town, ann) == {"hub", "desk", "bar", "kiosk"}
    assert read(town, "bar", ann) == ANN

    town.cut("bar")
    report = town.nodes["desk"].forgetting.erase(ann.agent_id, "guest request")
    assert states(report) == {"hub": "waiting", "bar": "waiting", "desk": "confirmed",
                              "kiosk": "waiting"}  # fmt: skip
    assert read(town, "desk", ann) is None
    town.sync_all()
    report = town.nodes["desk"].forgetting.report(ann.agent_id)
    assert states(report) == {"hub": "confirmed", "bar": "waiting", "desk": "confirmed",
                              "kiosk": "confirmed"}  # fmt: skip
    assert not report[0]["complete"] and holders(town, ann) == {"bar"}

    town.heal()
    town.sync_all()
    for replica in town.replicas():
        report = replica.forgetting.report(ann.agent_id)
        assert report[0]["complete"], replica.name
        assert (report[0]["by"], report[0]["reason"]) == ("desk", "guest_request")
    assert holders(town, ann) == set()
    assert read(town, "bar", bob) == BOB
    # The reservation stays, under the agent id alone.
    assert set(town.shown(ann).values()) == {"confirmed"}
    town.assert_agree()


def test_the_bytes_are_in_no_file(town: Fleet):
    views = [book(town, "desk", f"guest {n}", "19:00", BOB) for n in range(3)]
    town.sync_all()
    keys = [sealed_keys(town.nodes["desk"], view)[0] for view in views]
    backup = town.directory / "elsewhere"
    backup.mkdir()
    upkeep.backup(town.nodes["desk"], backup / "before.backup")
    assert files_with(town.directory, keys[0])
    town.the_hub.forgetting.erase(views[0].agent_id, "retention")
    town.sync_all()
    for replica in town.replicas():
        assert files_with(replica.directory, keys[0]) == [], replica.name
        assert files_with(replica.directory, keys[1]), "the scan finds what lives"
    # What was copied before is beyond reach, and the documents say so.
    assert files_with(backup, keys[0]) == ["before.backup"]


def test_nobody_confirms_while_an_older_state_is_being_read(town: Fleet):
    ann = book(town, "desk", "ann", "19:00")
    town.sync_all()
    desk = town.nodes["desk"]
    with ReadOnlyStore(desk.directory):
        report = desk.forgetting.erase(ann.agent_id, "guest_request")
        assert states(report)["desk"] == "waiting"
        assert read(town, "desk", ann) is None
    desk.forgetting.confirm_all()
    assert states(desk.forgetting.report())["desk"] == "confirmed"


def test_who_comes_back_is_known_again(town: Fleet):
    before = book(town, "desk", "ann", "19:00")
    town.sync_all()
    town.nodes["desk"].forgetting.erase(before.agent_id, "guest_request")
    town.sync_all()
    again = book(town, "kiosk", "ann", "20:00")
    town.sync_all()
    assert again.agent_id == before.agent_id
    assert read(town, "bar", again) == ANN and read(town, "bar", before) is None
    # Asked again, what came since is forgotten too.
    town.nodes["bar"].forgetting.erase(again.agent_id, "guest_request")
    town.sync_all()
    assert holders(town, again) == set()
    assert [one["complete"] for one in town.the_hub.forgetting.report()] == [True, True]


def test_what_a_device_wrote_offline_before_the_erasure_dies_when_it_arrives(town: Fleet):
    known = book(town, "desk", "ann", "19:00")
    town.sync_all()
    town.cut("kiosk")
    offline = book(town, "kiosk", "ann", "20:00")
    town.clocks.advance(minutes=10)
    town.nodes["desk"].forgetting.erase(known.agent_id, "guest_request")
    town.sync_all()
    assert sealed_keys(town.nodes["kiosk"], offline)
    town.heal()
    town.sync_all()
    assert holders(town, offline) == set()
    assert set(town.shown(offline).values()) == {"confirmed"}


def test_a_card_that_a_fast_clock_has_dated_is_forgotten_too(town: Fleet):
    town.nodes["kiosk"].last_stamp += 3_600_000 << 16
    ahead = book(town, "kiosk", "ann", "19:00")
    town.sync_all()
    desk = town.nodes["desk"]
    desk.forgetting.erase(ahead.agent_id, "guest_request")
    (found,) = desk.book(town.book).administration.erasures[ahead.agent_id]
    assert found.also and found.stamp < ahead.stamp
    town.sync_all()
    assert holders(town, ahead) == set()


def test_every_version_of_a_card_and_the_note_of_a_cancellation(town: Fleet):
    ann = book(town, "desk", "ann", "19:00")
    desk = town.nodes["desk"]
    first = sealed_keys(desk, ann)
    desk.reservations.amend(ann.code, PatchRequest(guest={"name": "Ann Stone"}))
    second = sealed_keys(desk, ann)
    desk.reservations.cancel(ann.code, "personal_reasons", note="Ann is in hospital")
    cards = {one.id for one in desk.store.cards.placed_of(town.book, ann.agent_id)}
    assert len(cards) == 3 and first != second
    town.sync_all()
    town.nodes["bar"].forgetting.erase(ann.agent_id, "guest_request")
    town.sync_all()
    for replica in town.replicas():
        assert [replica.store.cards.keys(town.book, card) for card in cards] == [[]] * 3
    found = desk.view(ann.id)
    assert found is not None
    cancellation = desk.reservations.cancellation(found)
    assert cancellation is not None and cancellation[1] == ""


def test_a_reservation_that_went_to_somebody_else_keeps_their_card(town: Fleet):
    view = book(town, "desk", "ann", "19:00")
    desk = town.nodes["desk"]
    desk.reservations.amend(view.code, PatchRequest(user_id="bob", guest=BOB))
    desk.forgetting.erase(view.agent_id, "guest_request")
    town.sync_all()
    assert read(town, "bar", view) == BOB
    bob = town.now(desk, view).agent_id
    desk.forgetting.erase(bob, "guest_request")
    town.sync_all()
    assert holders(town, view) == set()


def test_a_reservation_shows_the_card_of_who_had_it_until_they_are_forgotten(town: Fleet):
    """Who gets it is another person: what is known of the one before is not theirs to take out."""
    view = book(town, "desk", "ann", "19:00")
    desk = town.nodes["desk"]
    bob = desk.reservations.amend(view.code, PatchRequest(user_id="bob")).agent_id
    desk.forgetting.erase(bob, "guest_request")
    town.sync_all()
    assert read(town, "bar", view) == ANN
    assert guest_desk.export(desk, bob)["venues"][0]["cards"] == []
    desk.forgetting.erase(view.agent_id, "guest_request")
    town.sync_all()
    assert holders(town, view) == set()


# --- in any order ---------------------------------------------------------------------------------


def test_details_that_were_given_while_waiting_are_forgotten_with_who_took_the_place(town: Fleet):
    """Nobody waits under one id and is known by name under another."""
    desk = town.nodes["desk"]
    wish = WaitRequest(venue="trattoria", date=DAY, party_size=2, guest={"name": "Wanda Waits"})
    waits = waiting.join(desk, wish)
    town.sync_all()
    waiting.offer(town.the_hub, waits.code, OfferRequest())
    town.sync_all()
    with pytest.raises(Invalid, match="send them again"):
        waiting.accept(desk, waits.code, ReserveRequest(user_id="wanda"))
    again = ReserveRequest(user_id="wanda", guest={"name": "Wanda Waits"})
    accepted = waiting.accept(desk, waits.code, again)
    town.sync_all()
    assert desk.reservations.guest(accepted) == {"name": "Wanda Waits"}
    exported = guest_desk.export(desk, accepted.agent_id)
    assert [one["guest"] for one in exported["venues"][0]["cards"]] == [{"name": "Wanda Waits"}]
    desk.forgetting.erase(accepted.agent_id, "guest_request")
    assert desk.reservations.guest(town.now(desk, waits)) is None


@pytest.mark.parametrize("order", list(itertools.permutations(["entry", "key", "erasure"])))
def test_the_order_of_arrival_decides_nothing(fleet: Fleet, order: tuple[str, ...]):
    """Entry, key and erasure reach a device one by one; the last of them finds the key gone."""
    desk, bar = fleet.join("desk"), fleet.join("bar")
    fleet.sync_all()
    fleet.cut("bar")
    ann = fleet.reserve(desk, "19:00", user_id="ann", guest=ANN)
    card = ann.card
    assert card is not None
    (key,) = desk.store.cards.keys(fleet.book, card.id)
    item = CardKeyItem(key.text_digest, key.key_digest, key.sealed, key.sealed_to)
    fleet.sync(desk)
    fleet.the_hub.forgetting.erase(ann.agent_id, "guest_request")
    # The desk's chain brings the entry, the hub's the erasure.
    chains = {"entry": desk.identity.incarnation, "erasure": fleet.the_hub.identity.incarnation}
    for what in order:
        with bar.transaction():
            if what == "key":
                Exchange(bar)._take_keys(fleet.book, [item], further=True)
            else:
                source = desk if what == "entry" else fleet.the_hub
                skip = {c.incarnation for c in source.store.journal.chains(fleet.book)}
                frames, _ = Exchange(source).frames_lacking(fleet.book, {}, skip - {chains[what]})
                bar.merge(fleet.book, frames)
    assert bar.store.cards.keys(fleet.book, card.id) == []
    assert bar.store.cards.erased(fleet.book, card.id) is not None
    with bar.transaction():
        Exchange(bar)._take_keys(fleet.book, [item], further=True)
    assert bar.store.cards.keys(fleet.book, card.id) == [], "nothing brings it back"


def test_a_card_in_an_entry_that_was_set_aside_is_forgotten_too(town: Fleet, monkeypatch):
    """The entry never counts, here or anywhere; its bytes and its key were kept all the same."""
    kiosk, known = town.nodes["kiosk"], book(town, "desk", "ann", "19:00")
    with kiosk.transaction():
        card = kiosk.cards.seal("trattoria", known.agent_id, ANN)
        made = ReservationCreated(known.agent_id, 0, "RES-2027-AAAAAA", "2027-06-03", card=card)
        monkeypatch.setattr(gate, "check_content", lambda *_: None)
        subject = kiosk.reservation_ids.next(kiosk.identity.incarnation, START_MS)
        kiosk.append(town.book, made, subject=subject)
        monkeypatch.undo()
    town.sync_all()
    assert [v[3:] for v in town.the_hub.store.journal.quarantined(town.book)] == [
        ("quarantined", "party-size")
    ]  # fmt: skip
    assert town.the_hub.store.cards.keys(town.book, card.id)
    town.nodes["desk"].forgetting.erase(known.agent_id, "guest_request")
    town.sync_all()
    for replica in town.replicas():
        assert replica.store.cards.keys(town.book, card.id) == [], replica.name


def test_an_erasure_by_a_kiosk_counts_for_nothing(town: Fleet):
    ann = book(town, "desk", "ann", "19:00")
    town.sync_all()
    kiosk = town.nodes["kiosk"]
    with pytest.raises(Forbidden, match="front desk or at the hub"):
        kiosk.forgetting.erase(ann.agent_id, "guest_request")
    with kiosk.transaction():
        kiosk.append(town.book, GuestErased(ann.agent_id, "guest_request"))
    town.sync_all()
    assert holders(town, ann) == {"hub", "desk", "bar", "kiosk"}
    assert town.the_hub.forgetting.report() == []


REFUSED: dict[str, tuple[str | None, str, type[HoldfastError]]] = {
    "somebody unknown": ("agent_" + "0" * 32, "guest_request", NotFound),
    "no agent id": ("ann", "guest_request", Invalid),
    "own words": (None, "because Ann asked", Invalid),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_erased_is_said_and_nothing_is_written(town: Fleet, case: str):
    ann = book(town, "desk", "ann", "19:00")
    agent, reason, error = REFUSED[case]
    desk = town.nodes["desk"]
    before = desk.tip(town.book)
    with pytest.raises(error) as caught:
        desk.forgetting.erase(agent or ann.agent_id, reason)
    assert "Ann asked" not in str(caught.value)
    assert desk.tip(town.book) == before


# --- other lives ----------------------------------------------------------------------------------


def restored(fleet: Fleet, name: str, backup: Path) -> Node:
    """A device goes on from a backup in a new directory."""
    fleet.nodes.pop(name).close()
    upkeep.restore(backup, fleet.directory / f"{name} again")
    opened = fleet.open(name, fleet.directory / f"{name} again")
    assert isinstance(opened, Node)
    return opened


def test_an_old_backup_opens_no_card_until_it_has_heard_who_was_forgotten(town: Fleet):
    ann, bob = book(town, "desk", "ann", "19:00"), book(town, "desk", "bob", "19:30", BOB)
    town.sync_all()
    upkeep.backup(town.nodes["bar"], town.directory / "bar.backup")
    town.nodes["desk"].forgetting.erase(ann.agent_id, "guest_request")
    town.sync_all()
    town.cut("bar")
    bar = restored(town, "bar", town.directory / "bar.backup")
    assert bar.cards.locked
    assert read(town, "bar", ann) is None and read(town, "bar", bob) is None
    # Its earlier life had confirmed; this one has the keys again and has not.
    assert states(town.the_hub.forgetting.report())["bar"] == "confirmed"
    town.heal()
    town.sync_all()
    assert read(town, "bar", bob) == BOB
    assert holders(town, ann) == set()
    report = town.the_hub.forgetting.report()
    assert report[0]["complete"] and states(report)["bar"] == "confirmed"
    assert bar.identity.incarnation in town.the_hub.book(town.book).administration.confirmed[
        bytes.fromhex(report[0]["id"])
    ]  # fmt: skip


def test_a_hub_that_is_rebuilt_hears_it_from_its_devices(town: Fleet):
    ann = book(town, "desk", "ann", "19:00")
    town.sync_all()
    town.nodes["desk"].forgetting.erase(ann.agent_id, "guest_request")
    town.sync_all()
    town.wipe_hub()
    town.sync_all()
    town.the_hub.recover()
    town.sync_all()
    report = town.the_hub.forgetting.report()
    assert report[0]["complete"], report
    assert holders(town, ann) == set()


def test_a_device_that_was_shut_out_is_told_apart(town: Fleet):
    ann = book(town, "desk", "ann", "19:00")
    town.sync_all()
    town.cut("bar")
    town.the_hub.revoke("bar", "stolen")
    town.nodes["desk"].forgetting.erase(ann.agent_id, "guest_request")
    town.sync_all()
    report = town.nodes["desk"].forgetting.report()
    assert states(report) == {"hub": "confirmed", "bar": "shut_out", "desk": "confirmed",
                              "kiosk": "confirmed"}  # fmt: skip
    assert not report[0]["complete"]


def test_it_survives_a_crash_between_destroying_and_confirming(town: Fleet, monkeypatch):
    ann = book(town, "desk", "ann", "19:00")
    town.sync_all()
    desk = town.nodes["desk"]
    monkeypatch.setattr(type(desk.store), "scrub", lambda _: False)
    desk.forgetting.erase(ann.agent_id, "guest_request")
    monkeypatch.undo()
    town.crash("desk")
    town.sync_all()
    assert town.the_hub.forgetting.report()[0]["complete"]
    assert holders(town, ann) == set()


def test_a_book_that_is_folded_anew_forgets_alike(town: Fleet):
    ann, bob = book(town, "desk", "ann", "19:00"), book(town, "kiosk", "bob", "19:30", BOB)
    town.sync_all()
    town.the_hub.forgetting.erase(ann.agent_id, "guest_request")
    town.sync_all()
    for replica in town.replicas():
        columns = "id, operation, reservation, agent_id, stamp"
        query = f"SELECT {columns} FROM cards ORDER BY operation"
        before = replica.store.db.conn.execute(query).fetchall()
        replica.refold(town.book)
        assert replica.store.db.conn.execute(query).fetchall() == before
    assert holders(town, ann) == set()
    assert read(town, "bar", bob) == BOB


def test_thousands_of_others_leave_no_copy_behind(fleet: Fleet):
    """Pages of the database split and merge as rows come and go; no copy of a key is left."""
    desk = fleet.join("desk")
    fleet.sync_all()
    ann = fleet.reserve(desk, "19:00", user_id="ann", guest=ANN)
    (key,) = sealed_keys(desk, ann)
    cards = desk.store.cards
    with desk.transaction():
        for n in range(3_000):
            cards.put_key(
                fleet.book, os.urandom(16), os.urandom(16), os.urandom(32), os.urandom(80)
            )
            if n == 1_500:
                desk.append(fleet.book, GuestErased(ann.agent_id))
    desk.forgetting.confirm_all()
    assert files_with(desk.directory, key[:40]) == [] and files_with(desk.directory, key[40:]) == []
