"""A card's entry, its keys and junk of every kind, in whatever order they come: who reads cards
reads it in the end, and nothing is kept that nobody vouches for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.model import card_ids
from holdfast.model.reservation import View
from holdfast.node import cards
from holdfast.node.exchange import Exchange
from holdfast.node.node import Node
from holdfast.node.requests import PatchRequest
from holdfast.store.cards import CardKey
from holdfast.sync.messages import CardKeyItem
from tests.kit import Fleet
from tests.node.test_forgetting import ANN, read


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The venue has another key; a kiosk has not heard of it and goes on sealing to the old one.
    What the other desk gets is up to the test."""
    with Fleet(tmp_path_factory.mktemp("town")) as fleet:
        desk = fleet.join("desk")
        fleet.join("bar")
        fleet.join("kiosk", "kiosk")
        fleet.sync_all()
        fleet.cut("kiosk")
        desk.cards.keys.rotate(fleet.book)
        fleet.sync_all()
        assert fleet.nodes["bar"].cards.keys.in_force(fleet.book) is not None
        fleet.cut("bar", "desk")
        for name, time in (("kiosk", "19:00"), ("desk", "20:00")):
            fleet.reserve(fleet.nodes[name], time, user_id=name)
        yield fleet


def item_of(key: CardKey, **changes: bytes) -> CardKeyItem:
    item = CardKeyItem(key.text_digest, key.key_digest, key.sealed, key.sealed_to)
    return msgspec.structs.replace(item, **changes)


class Deliveries:
    """What may come of one card, and from whom."""

    def __init__(self, fleet: Fleet, writer: str) -> None:
        self.fleet, self.writer = fleet, fleet.nodes[writer]
        (booked,), _ = self.writer.reservations.select()
        self.view: View = self.writer.reservations.amend(booked.code, PatchRequest(guest=ANN))
        assert self.view.card is not None
        (self.key,) = self.writer.store.cards.keys(fleet.book, self.view.card.id)
        self.anew = self._sealed_anew()

    @property
    def bar(self) -> Node:
        return self.fleet.nodes["bar"]

    def _sealed_anew(self) -> CardKeyItem:
        """As an honest desk seals it to the key in force."""
        desk = self.fleet.nodes["desk"]
        private = desk.cards.keys.in_force(self.fleet.book)
        assert private is not None
        public = private.public_key()
        made = next(
            sealed
            for reader in desk.cards.keys.readers(self.fleet.book)
            if (sealed := cards.seal_key_anew(
                self.key.sealed, reader, public, self.fleet.book, self.key.text_digest
            ))
        )  # fmt: skip
        return item_of(self.key, sealed=made, sealed_to=public.public_bytes_raw())

    def entry(self) -> None:
        journal = self.writer.store.journal
        skip = {c.incarnation for c in journal.chains(self.fleet.book)}
        lacking = Exchange(self.writer).frames_lacking
        frames, more = lacking(self.fleet.book, {}, skip - {self.writer.identity.incarnation})
        assert not more
        with self.bar.transaction():
            self.bar.merge(self.fleet.book, frames)

    def _keys(self, *items: CardKeyItem, further: bool, sender: str | None) -> None:
        exchange = Exchange(self.bar)
        with self.bar.transaction():
            exchange._take_keys(self.fleet.book, items, further=further, sender=sender)

    def first_by_a_kiosk(self) -> None:
        self._keys(item_of(self.key), further=False, sender="kiosk")

    def first_by_the_hub(self) -> None:
        self._keys(item_of(self.key), further=True, sender=None)

    def anew_by_a_desk(self) -> None:
        self._keys(self.anew, further=True, sender="desk")

    def junk_by_a_kiosk(self) -> None:
        junk = bytes(80)
        other = card_ids.key_digest(self.key.sealed_to, junk)
        self._keys(
            item_of(self.key, sealed=os.urandom(80)),
            item_of(self.key, sealed_to=self.anew.sealed_to),
            item_of(self.key, sealed=junk, sealed_to=self.anew.sealed_to),
            item_of(self.key, sealed=junk, key_digest=other),
            item_of(self.key, text_digest=os.urandom(16)),
            further=False,
            sender="kiosk",
        )

    def junk_by_a_desk(self) -> None:
        """In the place of the first key. In that of one sealed anew nobody can tell it."""
        self._keys(item_of(self.key, sealed=os.urandom(80)), further=True, sender="desk")

    def restart(self) -> None:
        self.fleet.crash("bar")


KEYS = ["first_by_a_kiosk", "first_by_the_hub", "anew_by_a_desk"]
OTHERS = [*KEYS, "entry", "junk_by_a_kiosk", "junk_by_a_desk", "restart"]


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    st.sampled_from(["kiosk", "desk"]),
    st.sampled_from(KEYS),
    st.lists(st.sampled_from(OTHERS), max_size=6),
    st.randoms(use_true_random=False),
)
def test_in_every_order_the_card_opens_and_no_junk_is_kept(
    town: Fleet, writer: str, key: str, others: list[str], order
) -> None:
    of_card = Deliveries(town, writer)
    deliveries = ["entry", key, *others]
    # Junk in the place of the first key is told by the first key alone.
    if "junk_by_a_desk" in deliveries:
        deliveries.append("first_by_the_hub")
    order.shuffle(deliveries)
    for name in deliveries:
        getattr(of_card, name)()
    bar, card = of_card.bar, of_card.key.id
    kept = {(key.sealed_to, key.sealed) for key in bar.store.cards.keys(town.book, card)}
    good = (of_card.key, of_card.anew)
    assert kept and kept <= {(key.sealed_to, key.sealed) for key in good}
    assert read(town, "bar", of_card.view) == ANN
    bar.cards.keys.seal_anew(town.book)
    (last,) = bar.store.cards.keys(town.book, card)
    assert last.sealed_to == bar.book(town.book).administration.venue_key
    assert read(town, "bar", of_card.view) == ANN
