"""Keys of cards that no entry carries: few of each sender, shown, and no honest one is lost."""

from __future__ import annotations

import logging
import os

import pytest

from holdfast.model import card_ids, limits
from holdfast.node import exchange
from holdfast.node.node import Node
from tests.kit import Fleet
from tests.node.test_forgetting import ANN, book, holders

FEW = 5


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule with a small number."""
    monkeypatch.setattr(exchange, "CARD_KEYS_WAITING_MAX", FEW)
    monkeypatch.setattr(exchange, "CARD_KEYS_AGAIN", 2)


@pytest.fixture
def town(fleet: Fleet) -> Fleet:
    fleet.join("desk")
    fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    return fleet


def litter(fleet: Fleet, node: Node, count: int) -> None:
    """Put keys into a device's file that belong to no card."""
    public, junk = node.book(fleet.book).administration.venue_key, b"x" * 512
    digest = card_ids.key_digest(public, junk)
    with node.transaction():
        for _ in range(count):
            assert node.store.cards.put_key(fleet.book, os.urandom(16), digest, public, junk)


def loose(fleet: Fleet, name: str) -> int:
    nodes = fleet.the_hub.admission.nodes()
    found: int = next(one["concerns"]["keys"] for one in nodes if one["name"] == name)
    return found


def test_a_device_can_have_others_keep_few_keys_that_belong_to_nothing(
    town: Fleet, caplog: pytest.LogCaptureFixture
):
    kiosk = town.nodes["kiosk"]
    litter(town, kiosk, 40)
    with caplog.at_level(logging.WARNING):
        town.sync_all(6)
    for replica in (town.the_hub, town.nodes["desk"]):
        assert len(replica.store.cards.keys_since(town.book, 0, 100)) == FEW, replica.name
    assert loose(town, "kiosk") == FEW and loose(town, "desk") == 0
    assert "kiosk sent 35 keys of cards that no entry carries" in caplog.text
    # What is in order goes on beside it, and is no concern of anybody's.
    ann = book(town, "kiosk", "ann", "19:00")
    town.sync_all()
    assert holders(town, ann) == {"hub", "desk", "kiosk"}
    assert loose(town, "kiosk") == FEW


def test_a_long_backlog_brings_every_key_after_its_entry(
    town: Fleet, monkeypatch: pytest.MonkeyPatch
):
    """However many cards a device wrote while it was offline, none of their keys is too many."""
    town.cut("kiosk")
    views = [
        town.reserve(town.nodes["kiosk"], f"1{n % 10}:00", ["HALL"], 1, user_id=f"g{n}", guest=ANN)
        for n in range(4 * FEW)
    ]
    monkeypatch.setattr(exchange, "EXCHANGE_ENTRIES", 2)
    town.heal()
    town.sync_all()
    assert {frozenset(holders(town, view)) for view in views} == {
        frozenset({"hub", "desk", "kiosk"})
    }
    assert loose(town, "kiosk") == 0


def test_a_key_that_was_not_taken_is_offered_again_until_its_entry_has_come(town: Fleet):
    """Its entry comes on another way: the device that passes the key on must not give it up."""
    kiosk, desk = town.nodes["kiosk"], town.nodes["desk"]
    town.cut("desk")
    ann = town.reserve(desk, "19:00", user_id="ann", guest=ANN)
    assert ann.card is not None
    litter(town, kiosk, 2 * FEW)
    (key,) = desk.store.cards.keys(town.book, ann.card.id)
    with kiosk.transaction():
        assert kiosk.store.cards.put_key(*key[2:])
    town.sync_all()
    assert "hub" not in holders(town, ann)
    # The desk itself lost its key; all that is left of it is at the kiosk.
    with desk.transaction():
        desk.store.cards.destroy_keys(town.book, ann.card.id)
    town.heal()
    town.sync_all(2 * FEW)
    assert holders(town, ann) == {"hub", "desk", "kiosk"}
    assert loose(town, "kiosk") == FEW


def test_what_waits_is_claimed_when_its_entry_comes(town: Fleet):
    kiosk, desk = town.nodes["kiosk"], town.nodes["desk"]
    town.cut("desk")
    ann = town.reserve(desk, "19:00", user_id="ann", guest=ANN)
    assert ann.card is not None
    (key,) = desk.store.cards.keys(town.book, ann.card.id)
    with kiosk.transaction():
        assert kiosk.store.cards.put_key(*key[2:])
    town.sync_all()
    assert loose(town, "kiosk") == 1
    town.heal()
    town.sync_all()
    assert loose(town, "kiosk") == 0


def test_the_limit_leaves_room_for_what_an_earlier_version_sends_first():
    assert limits.CARD_KEYS_WAITING_MAX >= 2 * limits.CARD_KEYS_PER_MESSAGE
