"""Identifiers of things: UUIDs, made from a life, a time and random bytes, or from a key.

Owns their form (RFC 9562 §5.7 and §5.8), and who may name a reservation so. Where lives, times,
randomness and keys come from is the caller's business.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

_IMPORT: Final = b"holdfast import 1\x00"
_RESERVATION: Final = b"holdfast reservation id 1\x00"
_MAKER_BITS: Final = 50
ENTROPY_BYTES: Final = 3


def reservation_id(incarnation: bytes, now_ms: int, entropy: bytes) -> bytes:
    """The id of a reservation that a life makes: a UUID of version 7, 16 bytes.

    48 bits of Unix milliseconds, 24 bits of `entropy` (3 bytes), which must differ among the ids of
    one life and millisecond, and 50 bits that only this life's ids have: the first of a SHA-256
    over the life (`incarnation`, 16 bytes) and the rest. `may_name` says what they are for. Raises
    ValueError for other lengths, or a time that 48 bits do not hold.
    """
    if len(incarnation) != 16 or len(entropy) != ENTROPY_BYTES or not 0 <= now_ms < 1 << 48:
        raise ValueError("an id needs a life of 16 bytes, 48 bits of time and 3 bytes of entropy")
    random = int.from_bytes(entropy, "big")
    high = now_ms << 16 | 0x7 << 12 | random >> 12
    low = 0x2 << 62 | (random & 0xFFF) << _MAKER_BITS | _maker(incarnation, now_ms, entropy)
    return (high << 64 | low).to_bytes(16, "big")


def may_name(reservation: bytes, incarnation: bytes) -> bool:
    """Whether this life may make a reservation under this id.

    Of version 7 it may only what `reservation_id` gives it, so that nobody begins a reservation
    under an id that another device has made and the hub has not answered yet. Of version 8 anybody
    may: every device derives the same id for the same imported record. No other value is an id.

    50 bits are enough. A life is named by its key and a nonce, which its writer may choose: to fit
    one foreign id it would have to search about 2^50 lives, anew for each id, since time and
    entropy take part, and be heard by the hub before the maker is. What it could win is that one
    reservation, which its maker called provisional, is the attacker's, under the attacker's name
    and on its chain; no place is sold twice by it, and what is decided stands anyway.
    """
    if len(reservation) != 16 or len(incarnation) != 16:
        return False
    value = int.from_bytes(reservation, "big")
    version, variant = value >> 76 & 0xF, value >> 62 & 0x3
    if variant != 0x2 or version != 0x7:
        return variant == 0x2 and version == 0x8
    entropy = (value >> 64 & 0xFFF) << 12 | value >> _MAKER_BITS & 0xFFF
    maker = _maker(incarnation, value >> 80, entropy.to_bytes(ENTROPY_BYTES, "big"))
    return value & (1 << _MAKER_BITS) - 1 == maker


def is_derived(reservation: bytes) -> bool:
    """Whether an id is an imported record's: of version 8, which any device derives alike."""
    return len(reservation) == 16 and reservation[6] >> 4 == 0x8


def made_ms(reservation: bytes) -> int | None:
    """When a reservation was made by its maker's clock, in Unix milliseconds, as its id says; None
    for an imported record's, which says no time."""
    if len(reservation) != 16 or reservation[6] >> 4 != 0x7:
        return None
    return int.from_bytes(reservation[:6], "big")


def first_of(ms: int) -> bytes:
    """The least id of version 7 of a millisecond: what was made before it sorts below."""
    return (ms << 80 | 0x7 << 76).to_bytes(16, "big")


def _maker(incarnation: bytes, now_ms: int, entropy: bytes) -> int:
    """What binds an id to the life that makes it: 50 bits."""
    made = hashlib.sha256(_RESERVATION + incarnation + now_ms.to_bytes(6, "big") + entropy)
    return int.from_bytes(made.digest()[:8], "big") >> 64 - _MAKER_BITS


def import_id(book: str, key: str) -> bytes:
    """The id of the reservation that an imported record of this key becomes: a UUID of version 8.

    SHA-256 over the book's name and the key, so that every device gives one record one id, offline,
    and bringing it in a second time finds the first. Fixed for ever: a change would double every
    reservation that was imported before it.
    """
    name = book.encode()
    digest = hashlib.sha256(_IMPORT + len(name).to_bytes(2, "big") + name + key.encode()).digest()
    value = int.from_bytes(digest[:16], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    return (value & ~(0x3 << 62) | 0x2 << 62).to_bytes(16, "big")


def uuid_text(value: bytes) -> str:
    return str(uuid.UUID(bytes=value))


def parse_uuid(text: str) -> bytes | None:
    """The 16 bytes of a UUID's canonical text; None for any other text."""
    try:
        value = uuid.UUID(text)
    except ValueError:
        return None
    return value.bytes if str(value) == text.lower() else None
