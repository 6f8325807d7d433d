"""Cards on disk: which keys are kept beside which, and that an erased one never comes back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from holdfast.store.cards import Cards
from holdfast.store.database import migrations, open_database

BOOK, AGENT = "city/trattoria", "agent_" + "0" * 32
CARD, OTHER = b"c" * 16, b"o" * 16
FIRST, SECOND = b"1" * 32, b"2" * 32


@pytest.fixture
def cards(tmp_path: Path) -> Iterator[Cards]:
    database = open_database(tmp_path / "holdfast.db")
    yield Cards(database)
    database.close()


def put(cards: Cards, sealed_to: bytes, sealed: bytes = b"s" * 80, further: bool = False) -> bool:
    return cards.put_key(BOOK, CARD, AGENT, sealed_to, sealed, further=further)


def held(cards: Cards) -> list[bytes]:
    return [key.sealed_to for key in cards.keys(BOOK, CARD)]


def test_a_key_is_never_replaced_and_only_a_reader_brings_another(cards: Cards):
    assert put(cards, FIRST)
    assert not put(cards, FIRST, b"t" * 80, further=True)
    assert not put(cards, SECOND)
    assert put(cards, SECOND, further=True)
    assert held(cards) == [FIRST, SECOND]
    assert cards.keys(BOOK, CARD)[0].sealed == b"s" * 80
    assert cards.with_several_keys(BOOK) == [CARD]
    assert cards.destroy_keys(BOOK, CARD, keep=SECOND) == 1
    assert held(cards) == [SECOND]


def test_a_card_has_no_more_keys_than_a_venue(cards: Cards):
    taken = [put(cards, bytes([n]) * 32, further=True) for n in range(40)]
    assert sum(taken) == 16 and taken[16:] == [False] * 24


@pytest.mark.parametrize("further", [False, True])
def test_an_erased_card_takes_no_key_whatever_it_is_sealed_to(cards: Cards, further: bool):
    assert put(cards, FIRST)
    assert cards.erase(BOOK, CARD, b"e" * 16, 7)
    assert not cards.erase(BOOK, CARD, b"f" * 16, 9), "the first stands"
    for sealed_to in (FIRST, SECOND, b""):
        assert not put(cards, sealed_to, further=further)
    assert held(cards) == []
    found = cards.erased(BOOK, CARD)
    assert found is not None and (found.operation, found.at_ms) == (b"e" * 16, 7)
    assert cards.put_key(BOOK, OTHER, AGENT, FIRST, b"s" * 80)
    assert cards.put_key("city/osteria", CARD, AGENT, FIRST, b"s" * 80), "another book's"


def test_what_was_sent_once_is_not_sent_again_under_a_number_that_was_free(cards: Cards):
    put(cards, FIRST)
    (before,) = cards.keys_since(BOOK, 0, 10)
    cards.destroy_keys(BOOK, CARD)
    cards.put_key(BOOK, OTHER, AGENT, FIRST, b"s" * 80)
    (after,) = cards.keys_since(BOOK, before.version, 10)
    assert (after.id, after.version > before.version) == (OTHER, True)


def test_a_book_that_is_read_again_finds_its_index_again(cards: Cards):
    cards.saw(BOOK, CARD, b"p" * 16, b"r" * 16, AGENT, 5)
    cards.saw(BOOK, OTHER, b"q" * 16, b"r" * 16, "", 6)
    (first, second) = cards.to_index(BOOK, 0, 10)
    cards.put_words(first.num, [b"word", b"more"])
    cards.clear_book(BOOK)
    assert cards.placed(BOOK, CARD) == []
    cards.saw(BOOK, OTHER, b"q" * 16, b"r" * 16, "", 6)
    cards.saw(BOOK, CARD, b"p" * 16, b"r" * 16, AGENT, 5)
    assert cards.placed(BOOK, CARD) == [first] and cards.to_index(BOOK, 0, 10) == [second]
    assert cards.with_word(b"word") == [first.num]
    assert cards.placed_of(BOOK, AGENT) == [first]
    assert cards.placed_for_nobody(BOOK) == cards.placed_for_nobody(BOOK, b"r" * 16) == [second]


def test_keys_of_an_earlier_version_are_kept_and_its_erasures_were_none(tmp_path: Path):
    path = tmp_path / "holdfast.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrations.apply(Database(connection), stop_before="m008_guests")
    connection.executemany(
        "INSERT INTO card_keys VALUES (?, ?, ?, ?, ?, ?)",
        [(CARD, BOOK, AGENT, b"s" * 80, 0, 3), (OTHER, BOOK, AGENT, b"t" * 80, 0, 8)],
    )
    connection.close()
    database = open_database(path)
    kept = Cards(database).keys_since(BOOK, 0, 10)
    assert [(key.version, key.id, key.sealed, key.sealed_to) for key in kept] == [
        (3, CARD, b"s" * 80, b""), (8, OTHER, b"t" * 80, b"")
    ]  # fmt: skip
    database.close()
