"""Join codes: one person's invitation admits one device, once, to the hub that made it."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import Unauthorised
from holdfast.model.limits import JOIN_CODE_TRIES
from holdfast.node.identity import fingerprint
from holdfast.node.join_codes import attempt, check, encode_offer, make, offer, parse, proof
from tests.vectors_crypto import vectors

HUB = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
OTHER_HUB = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
CODE = make(bytes(range(25)), HUB)
TRANSCRIPT = b"the device's keys, its incarnation and the code's id"
NOW = 1_800_000_000_000
EXPIRES = NOW + 3_600_000
OFFER = offer(CODE, "trattoria", "kiosk", "kiosk-1", EXPIRES)
STORED = encode_offer(OFFER)


@pytest.mark.parametrize("known", vectors()["join_codes"])
def test_a_code_never_changes_with_the_software(known):
    hub = Ed25519PublicKey.from_public_bytes(bytes.fromhex(known["hub_public_key"]))
    transcript = bytes.fromhex(known["transcript"])
    made = make(bytes.fromhex(known["entropy"]), hub)
    held = offer(made, "v", "kiosk", "k", EXPIRES)
    assert made == parse(known["code"])
    assert known == {
        "entropy": known["entropy"],
        "hub_public_key": known["hub_public_key"],
        "code": made.text,
        "id": made.id.hex(),
        "secret": made.secret.hex(),
        "fingerprint": made.fingerprint.hex(),
        "verifier": held.verifier.hex(),
        "transcript": known["transcript"],
        "proof": proof(made.secret, transcript).hex(),
    }


@given(st.binary(min_size=25, max_size=40), st.randoms(use_true_random=False))
def test_a_code_is_understood_as_people_type_it(entropy, random):
    made = make(entropy, HUB)
    typed = made.text.translate(
        str.maketrans({"0": random.choice("0Oo"), "1": random.choice("1IiLl")})
    ).replace("-", random.choice(["-", "", " ", " - "]))
    assert parse(f" {random.choice([str.lower, str.upper])(typed)}\n") == made


def test_a_code_is_one_word_that_survives_a_double_click_and_a_shell():
    assert set(CODE.text) <= set("0123456789abcdefghjkmnpqrstvwxyz-")
    assert [len(group) for group in CODE.text.split("-")] == [8] * 7


@pytest.mark.parametrize(
    "text",
    ["", "hello", CODE.text[:-1], CODE.text + "0", CODE.text[:-1] + "u", CODE.text[:-1] + "²",
     CODE.text + CODE.text],
)  # fmt: skip
def test_what_is_no_code_is_refused_with_the_way_out(text):
    with pytest.raises(Unauthorised, match="holdfast hub invite"):
        parse(text)


def test_a_code_names_the_hub_that_made_it():
    assert fingerprint(HUB).startswith(CODE.fingerprint)
    assert len(CODE.fingerprint) >= 10
    assert not fingerprint(OTHER_HUB).startswith(CODE.fingerprint)


@pytest.mark.parametrize("length", [0, 16, 24])
def test_a_code_is_never_made_of_too_little_entropy(length):
    with pytest.raises(ValueError, match="25 random bytes"):
        make(bytes(length), HUB)


def test_the_right_code_admits_the_device_it_was_meant_for():
    held, failure = attempt(STORED, proof(CODE.secret, TRANSCRIPT), TRANSCRIPT, NOW)
    assert failure is None
    assert held is not None
    assert (held.venue, held.role, held.name) == ("trattoria", "kiosk", "kiosk-1")


def test_neither_the_wire_nor_the_hubs_database_holds_the_secret():
    sent = proof(CODE.secret, TRANSCRIPT)
    assert CODE.secret not in STORED
    assert CODE.secret not in sent
    # What the hub keeps is no secret either: used as one it admits nobody.
    assert not check(OFFER, proof(OFFER.verifier, TRANSCRIPT), TRANSCRIPT)


@pytest.mark.parametrize("position", range(64))
def test_a_proof_with_any_byte_changed_is_wrong(position):
    given = bytearray(proof(CODE.secret, TRANSCRIPT))
    given[position] ^= 1
    assert not check(OFFER, bytes(given), TRANSCRIPT)


@pytest.mark.parametrize("position", range(len(TRANSCRIPT)))
def test_a_proof_is_for_the_keys_that_were_sent_with_it(position):
    """Whoever stands in between cannot have a key of their own certified."""
    changed = bytearray(TRANSCRIPT)
    changed[position] ^= 1
    assert not check(OFFER, proof(CODE.secret, TRANSCRIPT), bytes(changed))


@given(st.binary(max_size=70))
def test_random_bytes_are_no_proof(given_bytes):
    assert not check(OFFER, given_bytes, TRANSCRIPT)


def test_each_code_admits_by_its_own_secret_only():
    other = make(bytes(range(1, 26)), HUB)
    assert not check(OFFER, proof(other.secret, TRANSCRIPT), TRANSCRIPT)


def test_five_wrong_tries_use_a_code_up():
    stored = STORED
    for left in reversed(range(JOIN_CODE_TRIES)):
        held, failure = attempt(stored, bytes(64), TRANSCRIPT, NOW)
        assert held is not None
        assert held.tries_left == left
        assert f"{left} tries" in str(failure)
        stored = encode_offer(held)
    held, failure = attempt(stored, proof(CODE.secret, TRANSCRIPT), TRANSCRIPT, NOW)
    assert "tried too often" in str(failure)
    assert held is not None
    assert held.tries_left == 0


def test_a_try_that_succeeds_after_wrong_ones_is_good():
    held, _ = attempt(STORED, b"", TRANSCRIPT, NOW)
    assert held is not None
    again, failure = attempt(
        encode_offer(held), proof(CODE.secret, TRANSCRIPT), TRANSCRIPT, EXPIRES - 1
    )
    assert failure is None
    assert again == held


@pytest.mark.parametrize("given_proof", [proof(CODE.secret, TRANSCRIPT), bytes(64)])
def test_an_expired_code_admits_nobody_and_counts_no_tries(given_proof):
    held, failure = attempt(STORED, given_proof, TRANSCRIPT, EXPIRES)
    assert "expired" in str(failure)
    assert held == OFFER


def test_a_used_code_is_an_unknown_code():
    held, failure = attempt(None, proof(CODE.secret, TRANSCRIPT), TRANSCRIPT, NOW)
    assert held is None
    assert "unknown or was used" in str(failure)


def test_a_verifier_that_is_no_key_admits_nobody():
    broken = msgspec.structs.replace(OFFER, verifier=b"too short")
    assert not check(broken, proof(CODE.secret, TRANSCRIPT), TRANSCRIPT)
