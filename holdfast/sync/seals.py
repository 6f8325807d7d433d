"""Chains and seals: the running hash over what one incarnation wrote, and the signature over it.

Owns both formats for ever (docs/protocol.md). Pure: keys and bytes in, bytes out.

    incarnation = SHA-256("holdfast incarnation 1" 0x00 key nonce), its first 16 bytes
    h(0) = SHA-256("holdfast chain 1" 0x00 len(book) book incarnation)
    h(n) = SHA-256(h(n-1) entry(n))
    seal = Ed25519("holdfast seal 1" 0x00 len(book) book incarnation n h(n))

with `key` the Ed25519 key that the chain begins with and `nonce` 16 random bytes; lengths have two
bytes and n eight, big-endian; incarnations have 16 bytes and hashes 32, so that no two different
seals sign the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.sync import signing

_INCARNATION: Final = b"holdfast incarnation 1\x00"
_CHAIN: Final = b"holdfast chain 1\x00"
_SEAL: Final = b"holdfast seal 1\x00"
_PAGE: Final = b"holdfast page 1\x00"
_CLIENT_BITS: Final = 53
"""What every implementation of Yjs can hold in a client id."""
_INCARNATION_BYTES: Final = 16
NONCE_BYTES: Final = 16
_HASH_BYTES: Final = 32


def _scope(tag: bytes, book: str, incarnation: bytes) -> bytes:
    name = book.encode()
    return tag + len(name).to_bytes(2, "big") + name + incarnation


def incarnation_of(key: bytes, nonce: bytes) -> bytes:
    """The name of a life: 16 bytes that follow from the public key (raw) it begins with.

    Bound to the key, so that nobody can begin a chain under the name of another device's life
    before that device is heard. `nonce` (16 random bytes) tells the lives of one key apart.
    """
    return hashlib.sha256(_INCARNATION + key + nonce).digest()[:_INCARNATION_BYTES]


def chain_start(book: str, incarnation: bytes) -> bytes:
    """The hash before the first entry."""
    return hashlib.sha256(_scope(_CHAIN, book, incarnation)).digest()


def chain_next(head: bytes, entry: bytes) -> bytes:
    """The hash after one more entry."""
    return hashlib.sha256(head + entry).digest()


def chain_run(head: bytes, entries: Iterable[bytes]) -> list[bytes]:
    """The hash after each of the entries."""
    sha256 = hashlib.sha256
    hashes = []
    for entry in entries:
        head = sha256(head + entry).digest()
        hashes.append(head)
    return hashes


def seal_message(book: str, incarnation: bytes, n: int, head: bytes) -> bytes:
    """What a seal signs: this chain, so many entries, this head. Raises ValueError."""
    if len(incarnation) != _INCARNATION_BYTES or len(head) != _HASH_BYTES or not 0 <= n < 1 << 64:
        raise ValueError("an incarnation has 16 bytes, a head 32, and a count is not negative")
    return _scope(_SEAL, book, incarnation) + n.to_bytes(8, "big") + head


def sign_seal(key: Ed25519PrivateKey, book: str, incarnation: bytes, n: int, head: bytes) -> bytes:
    """64 bytes that vouch for the first n entries of a chain. Raises ValueError."""
    return signing.sign(key, seal_message(book, incarnation, n, head))


def verify_seal(
    key: Ed25519PublicKey, book: str, incarnation: bytes, n: int, head: bytes, seal: bytes
) -> bool:
    """Whether this key sealed just that. Never raises: all of it may come from a hostile device."""
    try:
        message = seal_message(book, incarnation, n, head)
    except (ValueError, OverflowError):
        return False
    return signing.holds(key, seal, message)


def client_id(book: str, incarnation: bytes, page: int) -> int:
    """The document client id of a page: 53 bits of SHA-256, never 0."""
    digest = hashlib.sha256(_scope(_PAGE, book, incarnation) + page.to_bytes(8, "big")).digest()
    return int.from_bytes(digest[:8], "big") >> 64 - _CLIENT_BITS or 1
