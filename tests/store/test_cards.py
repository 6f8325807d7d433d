"""Cards on disk: which keys are kept beside which, and that an erased one never comes back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from holdfast.model.card_ids import card_id, key_digest
from holdfast.store.cards import Cards
from holdfast.store.database import migrations, open_database

BOOK, AGENT, SOMEBODY = "city/trattoria", "agent_" + "0" * 32, "agent_" + "1" * 32
FIRST, SECOND = b"1" * 32, b"2" * 32
SEALED, ANEW, JUNK = b"s" * 80, b"a" * 80, b"j" * 80
DIGESTS = (b"t" * 16, key_digest(FIRST, SEALED))
"""Of a card whose first key is `SEALED`, to the venue's first key."""
CARD = card_id(*DIGESTS)
OTHERS = (b"u" * 16, key_digest(FIRST, SEALED))
OTHER = card_id(*OTHERS)


@pytest.fixture
def cards(tmp_path: Path) -> Iterator[Cards]:
    database = open_database(tmp_path / "holdfast.db")
    yield Cards(database)
    database.close()


def put(cards: Cards, sealed_to: bytes, sealed: bytes = SEALED) -> bool:
    return cards.put_key(BOOK, *DIGESTS, sealed_to, sealed)


def held(cards: Cards) -> list[tuple[bytes, bytes]]:
    return [(key.sealed_to, key.sealed) for key in cards.keys(BOOK, CARD)]


def test_a_key_is_never_replaced_and_those_to_other_keys_of_the_venue_stand_beside_it(
    cards: Cards,
):
    assert put(cards, FIRST)
    assert not put(cards, FIRST, JUNK) and not put(cards, FIRST)
    assert put(cards, SECOND, ANEW)
    assert not put(cards, SECOND, JUNK), "of keys that were sealed anew the first that came"
    assert held(cards) == [(FIRST, SEALED), (SECOND, ANEW)]
    assert [key.first for key in cards.keys(BOOK, CARD)] == [True, False]
    assert cards.with_several_keys(BOOK) == [CARD]
    assert cards.destroy_keys(BOOK, CARD, keep=SECOND) == 1
    assert held(cards) == [(SECOND, ANEW)]


def test_the_first_key_takes_the_place_of_what_pretends_to_be_it(cards: Cards):
    assert put(cards, FIRST, JUNK)
    cards.wait_for_entry(BOOK, CARD, FIRST, "desk")
    assert put(cards, FIRST)
    assert held(cards) == [(FIRST, SEALED)]
    assert cards.waiting_of(BOOK, "desk") == 0, "what waited is gone"


def test_a_card_has_no_more_keys_than_a_venue_but_always_room_for_the_first(cards: Cards):
    taken = [put(cards, bytes([n]) * 32, ANEW) for n in range(40)]
    assert sum(taken) == 16 and taken[16:] == [False] * 24
    assert put(cards, FIRST)


def test_an_erased_card_takes_no_key_whatever_it_is_sealed_to(cards: Cards):
    assert put(cards, FIRST)
    assert cards.erase(BOOK, CARD, b"e" * 16, 7)
    assert not cards.erase(BOOK, CARD, b"f" * 16, 9), "the first stands"
    for sealed_to in (FIRST, SECOND):
        assert not put(cards, sealed_to)
    assert held(cards) == []
    found = cards.erased(BOOK, CARD)
    assert found is not None and (found.operation, found.at_ms) == (b"e" * 16, 7)
    assert cards.put_key(BOOK, *OTHERS, FIRST, SEALED)
    assert cards.put_key("city/osteria", *DIGESTS, FIRST, SEALED), "another book's"


def test_what_was_sent_once_is_not_sent_again_under_a_number_that_was_free(cards: Cards):
    put(cards, FIRST)
    (before,) = cards.keys_since(BOOK, 0, 10)
    cards.destroy_keys(BOOK, CARD)
    cards.put_key(BOOK, *OTHERS, FIRST, SEALED)
    (after,) = cards.keys_since(BOOK, before.version, 10)
    assert (after.id, after.version > before.version) == (OTHER, True)


def test_a_book_that_is_read_again_finds_its_index_again(cards: Cards):
    cards.saw(BOOK, CARD, b"p" * 16, b"r" * 16, AGENT, 5)
    cards.saw(BOOK, OTHER, b"q" * 16, b"r" * 16, SOMEBODY, 6)
    (first, second) = cards.to_index(BOOK, 0, 10)
    cards.put_words(first.num, [(b"word", True), (b"more", False)])
    cards.clear_book(BOOK)
    assert cards.placed(BOOK, CARD) == []
    cards.saw(BOOK, OTHER, b"q" * 16, b"r" * 16, SOMEBODY, 6)
    cards.saw(BOOK, CARD, b"p" * 16, b"r" * 16, AGENT, 5)
    assert cards.placed(BOOK, CARD) == [first] and cards.to_index(BOOK, 0, 10) == [second]
    assert cards.with_word(b"word") == [first.num]
    assert cards.placed_of(BOOK, AGENT) == [first]
    assert cards.placed_of(BOOK, SOMEBODY) == [second]


def test_keys_of_an_earlier_version_open_nothing_and_their_numbers_do_not_come_again(
    tmp_path: Path,
):
    """A reader's cursor counts by these numbers: one that began anew would pass over new keys."""
    path = tmp_path / "holdfast.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrations.apply(Database(connection), stop_before="m008_guests")
    connection.executemany(
        "INSERT INTO card_keys VALUES (?, ?, ?, ?, ?, ?)",
        [(b"c" * 16, BOOK, AGENT, SEALED, 0, 3), (b"o" * 16, BOOK, AGENT, SEALED, 0, 8)],
    )
    connection.close()
    database = open_database(path)
    cards = Cards(database)
    assert cards.keys_since(BOOK, 0, 10) == []
    assert put(cards, FIRST)
    assert [key.version for key in cards.keys(BOOK, CARD)] == [9]
    database.close()
