"""The live channel's keys: agreed by two, known to nobody else, good for one row of messages."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import Unauthorised
from holdfast.sync import live_keys
from holdfast.sync.live_keys import LiveKeys
from tests.vectors_crypto import vectors

NODE = X25519PrivateKey.from_private_bytes(bytes(range(32)))
HUB = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
SIGNATURE = "holdfast=:AAAA:"


def public(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def both(signature: str = SIGNATURE) -> tuple[LiveKeys, LiveKeys]:
    """The node's side and the hub's."""
    return (
        live_keys.for_node(NODE, public(HUB), signature),
        live_keys.for_hub(HUB, public(NODE), signature),
    )


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), max_size=20))
def test_what_either_side_says_the_other_hears_in_order(said):
    node, hub = both()
    for to_hub, message in said:
        speaker, hearer = (node, hub) if to_hub else (hub, node)
        sealed = speaker.seal(message)
        assert len(sealed) == len(message) + 16
        assert hearer.open(sealed) == message


def test_nothing_opens_but_the_next_message_of_the_other_side():
    node, hub = both()
    first, second = node.seal(b"first"), node.seal(b"second")
    _, elsewhere = both("holdfast=:BBBB:")
    refused = [second, first[:-1], first + b"\0", b"", b"first", hub.seal(b"first")]
    refused += [first[:i] + bytes([first[i] ^ 1]) + first[i + 1 :] for i in range(len(first))]
    for other in refused:
        with pytest.raises(Unauthorised, match=r"message 0 .* does not open"):
            hub.open(other)
    assert hub.open(first) == b"first"
    for repeated in (first, node.seal(b"third")):
        with pytest.raises(Unauthorised, match=r"message 1 .* does not open"):
            hub.open(repeated)
    assert hub.open(second) == b"second"
    with pytest.raises(Unauthorised):
        elsewhere.open(first)


def test_equal_messages_never_look_alike():
    node, hub = both()
    assert len({side.seal(b"the same") for side in (node, hub) for _ in range(50)}) == 100


SMALL_ORDER = [
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]
"""The points whose secret is all zeros with every key (RFC 7748, 6.1)."""


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_key_whose_secret_everybody_knows_is_refused(point):
    for side in (live_keys.for_node, live_keys.for_hub):
        with pytest.raises(Unauthorised, match="is no key"):
            side(NODE, bytes.fromhex(point), SIGNATURE)


def test_a_key_is_written_as_it_is_read():
    assert live_keys.read_key(live_keys.write_key(NODE)) == public(NODE)


@pytest.mark.parametrize("text", ["", "AAAA", "no base64!", "é", "A" * 44, "A" * 100_000])
def test_a_header_that_holds_no_key_is_refused(text):
    with pytest.raises(Unauthorised, match="carries no key of 32 bytes"):
        live_keys.read_key(text)


@pytest.mark.parametrize("known", vectors()["live_channels"])
def test_a_live_channel_is_understood_for_ever(known):
    node, hub = (
        X25519PrivateKey.from_private_bytes(bytes.fromhex(known[f"{side}_private_key"]))
        for side in ("node", "hub")
    )
    assert (public(node).hex(), public(hub).hex()) == (known["node_key"], known["hub_key"])
    secret = live_keys.agree(node, public(hub))
    assert secret == live_keys.agree(hub, public(node))
    assert secret.hex() == known["secret"]
    derived = live_keys.derive(secret, public(node), public(hub), known["signature"])
    assert [key.hex() for key in derived] == [known["to_hub"], known["to_node"]]
    sides = {
        "hub": live_keys.for_hub(hub, public(node), known["signature"]),
        "node": live_keys.for_node(node, public(hub), known["signature"]),
    }
    for row in known["messages"]:
        speaker, hearer = ("node", "hub") if row["to"] == "hub" else ("hub", "node")
        message, sealed = bytes.fromhex(row["message"]), bytes.fromhex(row["sealed"])
        assert sides[speaker].seal(message) == sealed
        assert sides[hearer].open(sealed) == message


# --- an independent peer: RFC 5869 and the form of docs/protocol.md by hand -----------------------


def test_another_implementation_of_the_document_comes_to_the_same():
    node, hub = both()
    secret = NODE.exchange(X25519PublicKey.from_public_bytes(public(HUB)))
    info = b"holdfast live 1\x00" + public(NODE) + public(HUB)
    info += hashlib.sha256(SIGNATURE.encode()).digest()
    extracted = hmac.digest(bytes(32), secret, "sha256")
    to_hub = hmac.digest(extracted, info + b"\x01", "sha256")
    to_node = hmac.digest(extracted, to_hub + info + b"\x02", "sha256")
    for count in range(3):
        nonce = bytes(4) + count.to_bytes(8, "big")
        said, told = (ChaCha20Poly1305(key).encrypt(nonce, b"x", b"") for key in (to_hub, to_node))
        assert hub.open(said) == b"x"
        assert node.open(told) == b"x"
