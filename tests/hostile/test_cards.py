"""Guest cards in the hands of a device that was taken over: it can carry them, and neither show
them to anybody, nor spoil them, nor have them forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from holdfast.model import card_ids
from holdfast.model.entries import Malformed
from holdfast.model.events import (
    GuestDescribed,
    GuestNoted,
    ReservationAmended,
    ReservationCancelled,
    ReservationMoved,
    SealedCard,
    ServiceNotesEdited,
)
from holdfast.model.reservation import View
from holdfast.node import guest_desk, upkeep
from holdfast.node.requests import PatchRequest
from holdfast.store.cards import CardKey
from holdfast.sync.messages import CardKeyItem, ExchangeResponse
from tests.hostile.builders import Attacker, Town, claim, created, entry
from tests.kit import DAY, START_MS
from tests.node.test_forgetting import ANN, book, holders, read

OWN_AGENT = "agent_" + "1" * 32
EARLY = (START_MS - 3_600_000) << 16
"""A stamp before everything that the tests do."""


def item_of(key: CardKey) -> CardKeyItem:
    return CardKeyItem(key.text_digest, key.key_digest, key.sealed, key.sealed_to)


def key_of(town: Town, view: View) -> CardKey:
    assert view.card is not None
    (key,) = town.desk.store.cards.keys(town.book, view.card.id)
    return key


# --- a junk key, before the good one --------------------------------------------------------------


def entry_ahead_of_key(town: Town) -> tuple[View, CardKey]:
    """A card of the desk's whose entry everybody has, and whose key only the desk."""
    ann = book(town.fleet, "desk", "ann", "19:00")
    key = key_of(town, ann)
    with town.desk.transaction():
        town.desk.store.cards.destroy_keys(town.book, key.id)
    town.fleet.sync_all()
    with town.desk.transaction():
        assert town.desk.store.cards.put_key(*key[2:])
    return ann, key


JUNK: dict[str, Callable[[CardKeyItem], CardKeyItem]] = {
    "other bytes": lambda good: msgspec.structs.replace(good, sealed=os.urandom(80)),
    "other bytes, honestly digested": lambda good: msgspec.structs.replace(
        good,
        sealed=bytes(80),
        key_digest=card_ids.key_digest(good.sealed_to, bytes(80)),
    ),
    "said to be sealed to another key": lambda good: msgspec.structs.replace(
        good, sealed_to=os.urandom(32)
    ),
    "a part of the bytes as the key that it is sealed to": lambda good: msgspec.structs.replace(
        good, sealed_to=good.sealed[:32], sealed=good.sealed_to + good.sealed[32:]
    ),
    "of another text": lambda good: msgspec.structs.replace(good, text_digest=bytes(16)),
}


@pytest.mark.parametrize("junk", JUNK)
def test_a_kiosk_that_is_faster_puts_no_junk_in_a_keys_place(town: Town, junk: str) -> None:
    ann, key = entry_ahead_of_key(town)
    town.attacker.send(keys=(JUNK[junk](item_of(key)),))
    assert town.hub.store.cards.keys(town.book, key.id) == [], "not kept under this card"
    town.fleet.sync_all()
    assert holders(town.fleet, ann) == {"hub", "desk", "kiosk"}
    assert [one.sealed for one in town.hub.store.cards.keys(town.book, key.id)] == [key.sealed]
    assert read(town.fleet, "desk", ann) == ANN
    town.assert_alive()


@pytest.mark.parametrize("junk", JUNK)
def test_a_desk_in_bad_hands_puts_none_there_either(town: Town, junk: str) -> None:
    """It may bring keys that it says it sealed anew, which nobody else can tell from junk."""
    bar = town.fleet.join("bar")
    town.fleet.sync_all()
    ann, key = entry_ahead_of_key(town)
    Attacker(town.fleet, bar).send(keys=(JUNK[junk](item_of(key)),))
    town.fleet.sync(town.kiosk)
    town.fleet.sync_all()
    late = town.fleet.join("late")
    town.fleet.sync_all()
    assert read(town.fleet, "desk", ann) == read(town.fleet, "late", ann) == ANN
    for replica in (town.hub, town.desk, town.kiosk, late):
        firsts = [one.first for one in replica.store.cards.keys(town.book, key.id)]
        assert True in firsts, replica.name


@pytest.mark.parametrize("restart", [False, True], ids=["at once", "over a restart"])
@pytest.mark.parametrize("order", list(permutations(["entry", "junk", "key"])))
def test_the_order_in_which_junk_key_and_entry_come_decides_nothing(
    town: Town, order: tuple[str, ...], restart: bool
) -> None:
    town.fleet.cut("desk")
    ann = book(town.fleet, "desk", "ann", "19:00")
    key = key_of(town, ann)
    good = item_of(key)
    for what in order:
        if what == "entry":
            with town.desk.transaction():
                town.desk.store.cards.destroy_keys(town.book, key.id)
            town.fleet.heal()
            town.fleet.sync(town.desk)
            with town.desk.transaction():
                town.desk.store.cards.put_key(*key[2:])
        elif what == "junk":
            town.attacker.send(keys=tuple(made(good) for made in JUNK.values()))
        else:
            town.attacker.send(keys=(good,))
        if restart:
            town.fleet.crash("hub")
    (kept,) = town.fleet.the_hub.store.cards.keys(town.book, key.id)
    assert kept.sealed == key.sealed
    assert not town.fleet.the_hub.store.cards.lacks_key(*key[2:])
    town.fleet.sync_all()
    assert holders(town.fleet, ann) == {"hub", "desk", "kiosk"}
    assert read(town.fleet, "desk", ann) == ANN


def test_the_key_of_a_card_whose_entry_has_not_come_waits_over_a_restart(town: Town) -> None:
    town.fleet.cut("desk")
    ann = book(town.fleet, "desk", "ann", "19:00")
    town.attacker.send(keys=(item_of(key_of(town, ann)),))
    assert town.hub.store.cards.waiting_by_sender(town.book) == {"kiosk": 1}
    town.fleet.crash("hub")
    with town.desk.transaction():
        assert ann.card is not None
        town.desk.store.cards.destroy_keys(town.book, ann.card.id)
    town.fleet.heal()
    town.fleet.sync_all()
    assert town.fleet.the_hub.store.cards.waiting_by_sender(town.book) == {}
    assert read(town.fleet, "desk", ann) == ANN, "it has its key from the hub again"


def test_a_kiosk_hands_a_rebuilt_hub_no_key_that_it_cannot_vouch_for(town: Town) -> None:
    """After another key of the venue the first sealed ones are gone; those that follow come from
    who reads cards."""
    ann = book(town.fleet, "kiosk", "ann", "19:00")
    town.fleet.sync_all()
    town.desk.cards.keys.rotate(town.book)
    town.fleet.sync_all()
    anew = key_of(town, ann)
    assert not anew.first
    town.fleet.wipe_hub()
    junk = msgspec.structs.replace(item_of(anew), sealed=os.urandom(80))
    Attacker(town.fleet, town.kiosk).send(keys=(junk,))
    assert ann.card is not None
    assert town.fleet.the_hub.store.cards.keys(town.book, ann.card.id) == []
    town.fleet.sync_all()
    assert [k.sealed for k in town.fleet.the_hub.store.cards.keys(town.book, ann.card.id)] == [
        anew.sealed
    ]
    assert read(town.fleet, "desk", ann) == ANN


# --- a card that was copied -----------------------------------------------------------------------


def write(attacker: Attacker, card: SealedCard, agent: str, stamp: int = 0) -> ExchangeResponse:
    """A reservation of the attacker's with a card that it took from somebody else's."""
    made = created(agent_id=agent, code="RES-2027-AAAAAB", card=card)
    changes = {"stamp": stamp} if stamp else {}
    return attacker.write(entry(made, subject=attacker.new_id(), claims=(claim("T3"),), **changes))


def reasons(answer: ExchangeResponse) -> list[str]:
    return [reason for _, _, _, reason in answer.verdicts]


def test_anothers_card_in_a_reservation_that_a_kiosk_makes_up_is_none(town: Town) -> None:
    ann = book(town.fleet, "desk", "ann", "19:00")
    town.fleet.sync_all()
    assert ann.card is not None
    for agent in (OWN_AGENT, ann.agent_id):
        assert set(reasons(write(town.attacker, ann.card, agent))) == {"card-foreign"}
    town.fleet.sync_all()
    assert len(town.desk.store.cards.placed(town.book, ann.card.id)) == 1
    assert town.desk.reservations.guest(ann) == ANN
    assert [one["agent_id"] for one in guest_desk.find(town.desk, "ann")] == [ann.agent_id]
    ((exported,),) = [one["cards"] for one in guest_desk.export(town.desk, ann.agent_id)["venues"]]
    assert exported["guest"] == ANN


CARRIED: dict[str, Callable[[SealedCard, str], object]] = {
    "made": lambda card, agent: created(agent_id=agent, code="RES-2027-AAAAAB", card=card),
    "amended": lambda card, agent: ReservationAmended({"agent_id": agent}, card),
    "amended for nobody": lambda card, agent: ReservationAmended({}, card),
    "moved": lambda card, agent: ReservationMoved({"agent_id": agent}, card),
    "a note": lambda card, agent: ReservationCancelled("other", "venue", card, agent),
    "a note about nobody": lambda card, agent: ReservationCancelled("other", "venue", card),
    "noted of a person": lambda card, agent: GuestNoted(agent, card, True),
    "described": lambda card, agent: GuestDescribed(agent, card),
    "notes of a service": lambda card, agent: ServiceNotesEdited(DAY, "", agent, card),
}


@pytest.mark.parametrize("kind", CARRIED)
@pytest.mark.parametrize("whose", ["the copier's guest", "the guest"])
@pytest.mark.parametrize("schema", [1, 2], ids=["now", "a later version's"])
def test_who_has_its_own_guest_forgotten_takes_nobodys_card_along(
    town: Town, kind: str, whose: str, schema: int
) -> None:
    """Wherever the copy stands, and whatever time it claims: the card lives until its own guest
    asks."""
    town.desk.forgetting.erase(book(town.fleet, "desk", "ann", "18:00").agent_id, "guest_request")
    ann = book(town.fleet, "desk", "ann", "19:00")
    town.fleet.sync_all()
    assert ann.card is not None
    agent = OWN_AGENT if whose == "the copier's guest" else ann.agent_id
    own = town.attacker.new_id()
    copied = entry(CARRIED[kind](ann.card, agent), subject=own, stamp=EARLY, schema=schema)  # type: ignore[arg-type]
    town.attacker.write(entry(created(agent_id=agent, code="RES-2027-AAAAAB"), subject=own), copied)
    town.fleet.sync_all()
    town.desk.forgetting.erase(OWN_AGENT if agent == OWN_AGENT else book_nobody(town), "other")
    town.fleet.sync_all()
    assert holders(town.fleet, ann) == {"hub", "desk", "kiosk"}
    assert read(town.fleet, "desk", ann) == ANN
    # When Ann herself asks, it dies everywhere.
    town.desk.forgetting.erase(ann.agent_id, "guest_request")
    town.fleet.sync_all()
    assert holders(town.fleet, ann) == set()
    town.assert_alive()


def book_nobody(town: Town) -> str:
    """Somebody else to forget."""
    return book(town.fleet, "desk", "bob", "21:00").agent_id


def test_a_card_copied_into_a_backup_s_book_is_judged_alike_when_it_is_folded_anew(
    town: Town, tmp_path: Path
) -> None:
    ann = book(town.fleet, "desk", "ann", "19:00")
    town.fleet.sync_all()
    assert ann.card is not None
    write(town.attacker, ann.card, OWN_AGENT)
    town.fleet.sync_all()
    upkeep.backup(town.desk, tmp_path / "desk.backup")
    for replica in (town.hub, town.desk, town.kiosk):
        replica.refold(town.book)
        assert [one.agent_id for one in replica.store.cards.placed(town.book, ann.card.id)] == [
            ann.agent_id
        ]
    town.fleet.nodes.pop("desk").close()
    upkeep.restore(tmp_path / "desk.backup", town.fleet.directory / "desk again")
    town.fleet.open("desk", town.fleet.directory / "desk again")
    town.fleet.sync_all()
    assert read(town.fleet, "desk", ann) == ANN


def test_nobody_writes_a_card_that_a_merge_would_refuse(town: Town) -> None:
    ann = book(town.fleet, "desk", "ann", "19:00")
    town.fleet.sync_all()
    with pytest.raises(Malformed, match="card-foreign"), town.kiosk.transaction():
        made = created(agent_id=ann.agent_id, code="RES-2027-AAAAAB", card=ann.card)
        town.kiosk.append(town.book, made, subject=town.attacker.new_id())


# --- who had the reservation before ---------------------------------------------------------------


def test_who_gets_a_reservation_is_not_shown_the_card_of_who_had_it_before(town: Town) -> None:
    """Any device may pass a reservation on; whoever has it then may have a token and ask."""
    ann = book(town.fleet, "desk", "ann", "19:00")
    town.fleet.sync_all()
    town.kiosk.reservations.amend(ann.code, PatchRequest(agent_id=OWN_AGENT))
    town.fleet.sync_all()
    passed = town.desk.view(ann.id)
    assert passed is not None and passed.agent_id == OWN_AGENT
    assert town.desk.reservations.guest(passed, own=True) is None
    assert town.desk.reservations.guest(passed) == ANN, "the house sees whose card it is"
    assert guest_desk.show(town.desk, OWN_AGENT)[0][1] == {}
