"""Guest cards: only the venue reads them, under the guest they belong to, as they were written."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import card_ids
from holdfast.model.errors import Invalid
from holdfast.model.limits import CARD_BYTES_MAX
from holdfast.node.cards import (
    FIELDS,
    SealedCard,
    accept_key,
    check_card,
    hand_key,
    open_card,
    seal_card,
)
from tests.vectors_crypto import vectors

VENUE_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
DESK_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
STRANGER = X25519PrivateKey.from_private_bytes(bytes(32))
PLACE = {"venue": "city/trattoria", "agent_id": "agent_" + "0" * 32}
LIFE = bytes(range(16))
CARD = {"name": "Zoë Ångström", "phone": "+39 055 123", "email": "zoe@example.org"}
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=35)


def seal(card=CARD, **change) -> SealedCard:
    return seal_card(card, VENUE_KEY.public_key(), **{**PLACE, "life": LIFE, **change})


SEALED = seal()


def read(sealed: SealedCard = SEALED, key: X25519PrivateKey = VENUE_KEY, **change):
    return open_card(sealed, key, **{**PLACE, **change})


@pytest.mark.parametrize("known", vectors()["cards"])
def test_a_card_is_readable_for_ever(known):
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(known["venue_private_key"]))
    bound = {"venue": known["venue"], "agent_id": known["agent_id"]}
    sealed = SealedCard(*(bytes.fromhex(known[part]) for part in SealedCard._fields))
    assert open_card(sealed, key, **bound) == known["card"]
    life, entropy = bytes.fromhex(known["life"]), bytes.fromhex(known["entropy"])
    again = seal_card(known["card"], key.public_key(), **bound, life=life, entropy=entropy)
    assert again[:2] == sealed[:2]
    assert again.sealed_key != sealed.sealed_key  # HPKE draws a key of its own each time
    text = card_ids.text_digest(life, known["agent_id"], sealed.ciphertext)
    first = card_ids.key_digest(key.public_key().public_bytes_raw(), sealed.sealed_key)
    assert [text.hex(), first.hex()] == [known["text_digest"], known["key_digest"]]
    assert card_ids.card_id(text, first).hex() == known["card_id"]


@pytest.mark.parametrize("known", vectors()["handed_venue_keys"])
def test_a_venues_key_that_was_handed_on_is_readable_for_ever(known):
    own = X25519PrivateKey.from_private_bytes(bytes.fromhex(known["recipient_private_key"]))
    found = accept_key(bytes.fromhex(known["sealed"]), own, known["venue"])
    assert found is not None
    assert found.private_bytes_raw().hex() == known["venue_private_key"]


@given(st.dictionaries(st.sampled_from(["name", "language", "requests", "dietary", "note"]), TEXT))
def test_the_venue_reads_what_was_written(card):
    written = {field: text.strip() for field, text in card.items() if text.strip()}
    assert read(seal(card)) == written


def test_nobody_else_reads_it():
    assert read(key=STRANGER) is None
    assert b"Zo" not in SEALED.ciphertext


@pytest.mark.parametrize("change", [{"venue": "city/osteria"}, {"agent_id": "agent_" + "1" * 32}])
def test_a_card_cannot_be_shown_as_another_guests_or_venues(change):
    assert read(**change) is None


@pytest.mark.parametrize("part", SealedCard._fields)
def test_a_card_with_any_byte_changed_is_not_read(part):
    whole = getattr(SEALED, part)
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 0x01
        assert read(SEALED._replace(**{part: bytes(changed)})) is None, f"{part}[{position}]"
    for cut in range(len(whole)):
        assert read(SEALED._replace(**{part: whole[:cut]})) is None, f"{part}[:{cut}]"
    assert read(SEALED._replace(**{part: whole + b"\0"})) is None


def test_parts_of_two_cards_do_not_fit_together():
    other = seal({"name": "Bob"})
    for part in SealedCard._fields:
        assert read(SEALED._replace(**{part: getattr(other, part)})) is None


def test_without_its_key_a_card_is_gone():
    """Erasure: the sealed key is destroyed everywhere, the ciphertext stays in the histories."""
    assert read(SEALED._replace(sealed_key=b"")) is None


def test_two_cards_of_one_guest_share_nothing():
    again = seal()
    assert all(one != other for one, other in zip(SEALED, again, strict=True))


def test_the_length_of_a_card_says_little():
    lengths = {len(seal({"name": "x" * n}).ciphertext) for n in range(1, 52)}
    assert lengths == {12 + 64 + 16}
    assert len(seal({"name": "x" * 54}).ciphertext) == 12 + 128 + 16


@pytest.mark.parametrize("length", [0, 43, 45])
def test_a_card_takes_exactly_its_entropy(length):
    with pytest.raises(ValueError, match="44 random bytes"):
        seal(entropy=bytes(length))


FAULTS = {
    "an unknown field": ({"shoe_size": "44"}, ["guest.shoe_size"]),
    "no text": ({"name": 7}, ["guest.name"]),
    "a list of other things": ({"dietary": [1]}, ["guest.dietary"]),
    "no at": ({"email": "zoe.example.org"}, ["guest.email"]),
    "two ats": ({"email": "zoe@@example.org"}, ["guest.email"]),
    "nobody at": ({"email": "@example.org"}, ["guest.email"]),
    "at nowhere": ({"email": "zoe@"}, ["guest.email"]),
    "a space within": ({"email": "zoe and bob@example.org"}, ["guest.email"]),
    "no digits": ({"phone": "ask Bob"}, ["guest.phone"]),
    "a terminal's language": ({"name": "\x1b[2J"}, ["guest.name"]),
    "half a character": ({"name": "\ud800"}, ["guest.name"]),
    "several at once": ({"name": 7, "email": "x", "note": "ok"}, ["guest.name", "guest.email"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_card_that_cannot_be_right_is_refused_field_by_field(fault):
    card, fields = FAULTS[fault]
    with pytest.raises(Invalid) as caught:
        seal(card)
    assert [problem["field"] for problem in caught.value.extra["errors"]] == fields


@pytest.mark.parametrize("field", [name for name in FIELDS if name not in ("email", "phone")])
def test_each_field_has_a_limit(field):
    assert check_card({field: "x" * FIELDS[field]})
    with pytest.raises(Invalid, match=f"{field} has at most {FIELDS[field]}"):
        check_card({field: "x" * (FIELDS[field] + 1)})


def test_a_card_as_a_whole_has_a_limit_too():
    with pytest.raises(Invalid, match=str(CARD_BYTES_MAX)):
        seal({"requests": "漢" * 2_000, "dietary": "漢" * 1_000})


def test_a_refusal_repeats_nothing_of_the_guest():
    """Errors are logged, and logs hold no personal data."""
    with pytest.raises(Invalid) as caught:
        seal({"email": "zoe.angstrom", "phone": "Zoe's", "name": "Ångström" * 100})
    told = f"{caught.value.detail}{caught.value.extra}"
    assert not any(secret in told for secret in ("zoe", "Zoe", "Ångström"))


def test_what_a_form_leaves_empty_is_left_out():
    form: dict[str, object] = {
        "name": " Zoë ",
        "phone": "",
        "email": "  ",
        "note": None,
        "dietary": [],
    }
    assert check_card(form) == {"name": "Zoë"}


def test_several_lines_and_lists_are_fine():
    card = {"requests": "a window,\na high chair", "dietary": ["no nuts", "vegan"]}
    assert check_card(card) == {**card, "dietary": "no nuts, vegan"}


def test_a_front_desk_hands_the_venues_key_to_the_next_one_only():
    handed = hand_key(VENUE_KEY, DESK_KEY.public_key(), "city/trattoria")
    taken = accept_key(handed, DESK_KEY, "city/trattoria")
    assert taken is not None
    assert read(key=taken) == CARD
    assert accept_key(handed, STRANGER, "city/trattoria") is None
    assert accept_key(handed, DESK_KEY, "city/osteria") is None


def test_a_handed_key_with_any_byte_changed_is_not_taken():
    handed = hand_key(VENUE_KEY, DESK_KEY.public_key(), "city/trattoria")
    for position in range(len(handed)):
        changed = bytearray(handed)
        changed[position] ^= 0x01
        assert accept_key(bytes(changed), DESK_KEY, "city/trattoria") is None
        assert accept_key(handed[:position], DESK_KEY, "city/trattoria") is None


def test_a_cards_key_cannot_pass_for_the_venues_key():
    assert accept_key(SEALED.sealed_key, VENUE_KEY, "city/trattoria") is None
