"""One-time join codes: how a new device proves that a person at the hub invited it.

Owns the code's form and its check. The code carries an id, a secret and the fingerprint of the
hub's key. The secret never crosses the wire and is not kept at the hub: it is the seed of an
Ed25519 key, with which the device signs the keys that it asks to have certified; the hub keeps the
public half, so that a copy of its database admits nobody. The device believes only a hub whose key
has the fingerprint. Storing offers is the hub's business.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.model.errors import Unauthorised
from holdfast.model.limits import JOIN_CODE_TRIES
from holdfast.model.pseudonyms import ALPHABET, base32
from holdfast.node.identity import fingerprint

ID_BYTES: Final = 5
SECRET_BYTES: Final = 20
"""160 bits: four more characters than 128 would take, and a whole number of them."""
FINGERPRINT_BYTES: Final = 10
"""80 bits: nobody makes a second key with the same ones within the life of a code."""
_BYTES: Final = ID_BYTES + SECRET_BYTES + FINGERPRINT_BYTES
_MISREAD = str.maketrans("ilo", "110")
_KEY: Final = b"holdfast join key 1\x00"
_PROOF: Final = b"holdfast join 1\x00"


class JoinCode(NamedTuple):
    """A code in parts; `text` is what a person copies."""

    id: bytes
    secret: bytes
    fingerprint: bytes
    text: str


class JoinOffer(msgspec.Struct, frozen=True, array_like=True):
    """What the hub keeps of a code: whom it admits, until when, and how many tries are left.

    `verifier` is the public key that belongs to the code's secret.
    """

    id: str
    verifier: bytes
    venue: str
    role: str
    name: str
    expires_at_ms: int
    tries_left: int = JOIN_CODE_TRIES


def make(entropy: bytes, hub_key: Ed25519PublicKey) -> JoinCode:
    """A new code from 25 or more random bytes. Raises ValueError for fewer."""
    if len(entropy) < ID_BYTES + SECRET_BYTES:
        raise ValueError(f"a join code takes {ID_BYTES + SECRET_BYTES} random bytes")
    parts = entropy[:ID_BYTES], entropy[ID_BYTES : ID_BYTES + SECRET_BYTES]
    return _code(*parts, fingerprint(hub_key)[:FINGERPRINT_BYTES])


def _code(code_id: bytes, secret: bytes, hub: bytes) -> JoinCode:
    letters = base32(code_id + secret + hub)
    groups = [letters[i : i + 8] for i in range(0, len(letters), 8)]
    return JoinCode(code_id, secret, hub, "-".join(groups))


def parse(text: str) -> JoinCode:
    """Read a code as typed: case, dashes and spaces do not matter. Raises Unauthorised."""
    letters = "".join(c for c in text.lower() if c.isalnum()).translate(_MISREAD)
    if len(letters) != _BYTES * 8 // 5 or any(c not in ALPHABET for c in letters):
        raise Unauthorised(
            "that is no join code; copy all of the line that `holdfast hub invite` printed"
        )
    number = 0
    for letter in letters:
        number = number << 5 | ALPHABET.index(letter)
    data = number.to_bytes(_BYTES, "big")
    return _code(
        data[:ID_BYTES], data[ID_BYTES : ID_BYTES + SECRET_BYTES], data[ID_BYTES + SECRET_BYTES :]
    )


def _signing_key(secret: bytes) -> Ed25519PrivateKey:
    # A plain hash will do: the secret has 160 random bits, and nothing else is made of it.
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(_KEY + secret).digest())


def proof(secret: bytes, transcript: bytes) -> bytes:
    """What the device sends: a signature over all that it asks for, by the code's key."""
    return _signing_key(secret).sign(_PROOF + transcript)


def check(held: JoinOffer, given: bytes, transcript: bytes) -> bool:
    """Whether somebody who has the code asked for just this. Compares with nothing secret."""
    try:
        Ed25519PublicKey.from_public_bytes(held.verifier).verify(given, _PROOF + transcript)
    except (InvalidSignature, ValueError):
        return False
    return True


def offer(code: JoinCode, venue: str, role: str, name: str, expires_at_ms: int) -> JoinOffer:
    """What the hub keeps of a code that it hands out."""
    verifier = _signing_key(code.secret).public_key().public_bytes_raw()
    return JoinOffer(code.id.hex(), verifier, venue, role, name, expires_at_ms)


def encode_offer(value: JoinOffer) -> bytes:
    """As the hub's database keeps it; `attempt` reads it."""
    return msgspec.msgpack.encode(value)


def decode_offer(data: bytes) -> JoinOffer:
    return msgspec.msgpack.decode(data, type=JoinOffer)


def attempt(
    data: bytes | None, given: bytes, transcript: bytes, now_ms: int
) -> tuple[JoinOffer | None, Unauthorised | None]:
    """Judge one try. Returns the offer as it is to be kept, and why it failed (None: it did not).

    Only a wrong proof uses up a try. The hub destroys the offer when one succeeds.
    """
    if data is None:
        return None, Unauthorised("this join code is unknown or was used; ask for a new one")
    held = decode_offer(data)
    if now_ms >= held.expires_at_ms:
        return held, Unauthorised("this join code has expired; ask for a new one")
    if held.tries_left <= 0:
        return held, Unauthorised("this join code was tried too often; ask for a new one")
    if not check(held, given, transcript):
        left = held.tries_left - 1
        spent = msgspec.structs.replace(held, tries_left=left)
        return spent, Unauthorised(f"this join code is wrong; {left} tries are left")
    return held, None
