"""Identifiers of things: UUIDs, made from a time and random bytes, or from a key, that are given.

Owns their form (RFC 9562 §5.7 and §5.8). Where times, randomness and keys come from is the caller's
business.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

_IMPORT: Final = b"holdfast import 1\x00"


def uuid7(now_ms: int, entropy: bytes) -> bytes:
    """16 bytes: 48 bits of Unix milliseconds, version, variant, 74 bits of `entropy` (10 bytes)."""
    random = int.from_bytes(entropy[:10], "big")
    high = (now_ms & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | (random >> 68) & 0x0FFF
    low = 0x8000_0000_0000_0000 | random & 0x3FFF_FFFF_FFFF_FFFF
    return (high << 64 | low).to_bytes(16, "big")


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
