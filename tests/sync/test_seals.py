"""Chains and seals: what was sealed cannot be changed, moved elsewhere, cut or continued unseen."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from holdfast.sync.seals import (
    chain_next,
    chain_run,
    chain_start,
    client_id,
    seal_message,
    sign_seal,
    verify_seal,
)
from tests.vectors_crypto import vectors

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
BOOK = "city/trattoria"
INCARNATION = bytes(range(16))
HEAD = hashlib.sha256(b"head").digest()
ENTRIES = st.lists(st.binary(max_size=64), max_size=8)
INCARNATIONS = st.binary(min_size=16, max_size=16)
BOOKS = st.text("abc/-", min_size=1, max_size=6)


@pytest.mark.parametrize("known", vectors()["chains"])
def test_a_chains_hashes_never_change_with_the_software(known):
    start = chain_start(known["book"], bytes.fromhex(known["incarnation"]))
    assert start.hex() == known["start"]
    hashes = chain_run(start, [bytes.fromhex(entry) for entry in known["entries"]])
    assert [value.hex() for value in hashes] == known["hashes"]


@pytest.mark.parametrize("known", vectors()["seals"])
def test_a_seal_is_judged_the_same_for_ever(known):
    head, incarnation = bytes.fromhex(known["head"]), bytes.fromhex(known["incarnation"])
    seal = bytes.fromhex(known["seal"])
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(known["public_key"]))
    found = verify_seal(public, known["book"], incarnation, known["n"], head, seal)
    assert found is known["good"]
    if known["good"]:
        message = seal_message(known["book"], incarnation, known["n"], head)
        assert message.hex() == known["message"]
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(known["private_key"]))
        assert sign_seal(private, known["book"], incarnation, known["n"], head) == seal


@pytest.mark.parametrize("known", vectors()["page_client_ids"])
def test_a_pages_client_id_never_changes_with_the_software(known):
    found = client_id(known["book"], bytes.fromhex(known["incarnation"]), known["page"])
    assert found == known["client_id"]


@given(ENTRIES, ENTRIES)
def test_a_chain_in_pieces_is_the_chain_in_one(first, second):
    start = chain_start(BOOK, INCARNATION)
    whole = chain_run(start, first + second)
    head = (chain_run(start, first) or [start])[-1]
    assert whole == chain_run(start, first) + chain_run(head, second)
    for entry in second:
        head = chain_next(head, entry)
    assert head == (whole or [start])[-1]


@given(ENTRIES, ENTRIES)
def test_two_different_histories_have_different_heads(one, other):
    start = chain_start(BOOK, INCARNATION)
    heads = [(chain_run(start, entries) or [start])[-1] for entries in (one, other)]
    # Boundaries count as well: ["ab"] and ["a", "b"] are two histories.
    assert (heads[0] == heads[1]) == (one == other)


@given(BOOKS, BOOKS, INCARNATIONS, INCARNATIONS)
def test_each_writer_has_a_chain_of_its_own_in_each_book(book, other, incarnation, second):
    same = (book, incarnation) == (other, second)
    assert (chain_start(book, incarnation) == chain_start(other, second)) == same
    assert (client_id(book, incarnation, 0) == client_id(other, second, 0)) == same


FIELDS = st.tuples(
    BOOKS, INCARNATIONS, st.integers(0, 2**64 - 1), st.binary(min_size=32, max_size=32)
)


@given(FIELDS, FIELDS)
def test_no_two_seals_sign_the_same_bytes(one, other):
    assert (seal_message(*one) == seal_message(*other)) == (one == other)


def test_a_seal_says_nothing_of_a_chain_start_or_a_page():
    """Each kind of hash and signature has a tag of its own, so that none can stand for another."""
    message = seal_message(BOOK, INCARNATION, 0, HEAD)
    assert message.startswith(b"holdfast seal 1\x00")
    assert chain_start(BOOK, INCARNATION) != hashlib.sha256(message[: -8 - 32]).digest()


@pytest.mark.parametrize("position", range(64))
def test_a_seal_with_any_byte_changed_is_no_seal(position):
    seal = bytearray(sign_seal(KEY, BOOK, INCARNATION, 7, HEAD))
    assert verify_seal(PUBLIC, BOOK, INCARNATION, 7, HEAD, bytes(seal))
    seal[position] ^= 0x01
    assert not verify_seal(PUBLIC, BOOK, INCARNATION, 7, HEAD, bytes(seal))


def test_a_seal_holds_for_nothing_but_what_it_names():
    seal = sign_seal(KEY, BOOK, INCARNATION, 7, HEAD)
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    for position in range(32):
        head = bytes(b ^ (i == position) for i, b in enumerate(HEAD))
        assert not verify_seal(PUBLIC, BOOK, INCARNATION, 7, head, seal)
    for position in range(16):
        incarnation = bytes(b ^ (i == position) for i, b in enumerate(INCARNATION))
        assert not verify_seal(PUBLIC, BOOK, incarnation, 7, HEAD, seal)
    assert not verify_seal(PUBLIC, "city/trattorib", INCARNATION, 7, HEAD, seal)
    assert not verify_seal(PUBLIC, "town/trattoria", INCARNATION, 7, HEAD, seal)
    assert not verify_seal(PUBLIC, BOOK, INCARNATION, 8, HEAD, seal)
    assert not verify_seal(stranger, BOOK, INCARNATION, 7, HEAD, seal)


@pytest.mark.parametrize(
    ("book", "incarnation", "n", "head", "seal"),
    [
        (BOOK, INCARNATION, -1, HEAD, bytes(64)),
        (BOOK, INCARNATION, 1 << 64, HEAD, bytes(64)),
        (BOOK, INCARNATION[:15], 1, HEAD, bytes(64)),
        (BOOK, INCARNATION + b"\0", 1, HEAD, bytes(64)),
        (BOOK, INCARNATION, 1, HEAD[:31], bytes(64)),
        (BOOK, INCARNATION, 1, b"", bytes(64)),
        (BOOK, INCARNATION, 1, HEAD, b""),
        (BOOK, INCARNATION, 1, HEAD, bytes(65)),
        ("x" * 70_000, INCARNATION, 1, HEAD, bytes(64)),
        ("\ud800", INCARNATION, 1, HEAD, bytes(64)),
    ],
)
def test_nonsense_from_a_hostile_device_is_refused_and_stops_nothing(
    book, incarnation, n, head, seal
):
    assert verify_seal(PUBLIC, book, incarnation, n, head, seal) is False


@given(st.binary(max_size=80))
def test_random_bytes_are_no_seal(seal):
    assert not verify_seal(PUBLIC, BOOK, INCARNATION, 1, HEAD, seal)


@given(BOOKS, INCARNATIONS, st.integers(0, 2**32))
def test_a_client_id_fits_every_implementation_of_yjs(book, incarnation, page):
    assert 0 < client_id(book, incarnation, page) < 1 << 53


def test_the_pages_of_a_chain_have_client_ids_of_their_own():
    assert len({client_id(BOOK, INCARNATION, page) for page in range(10_000)}) == 10_000
