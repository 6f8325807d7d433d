"""Identifiers of things: UUIDs of version 7, made from a time and random bytes that are given.

Owns their form (RFC 9562 §5.7). Where the time and the randomness come from is the caller's business.
"""

from __future__ import annotations

import uuid


def uuid7(now_ms: int, entropy: bytes) -> bytes:
    """16 bytes: 48 bits of Unix milliseconds, version, variant, 74 bits of `entropy` (10 bytes)."""
    random = int.from_bytes(entropy[:10], "big")
    high = (now_ms & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | (random >> 68) & 0x0FFF
    low = 0x8000_0000_0000_0000 | random & 0x3FFF_FFFF_FFFF_FFFF
    return (high << 64 | low).to_bytes(16, "big")


def uuid_text(value: bytes) -> str:
    return str(uuid.UUID(bytes=value))


def parse_uuid(text: str) -> bytes | None:
    """The 16 bytes of a UUID's canonical text; None for any other text."""
    try:
        value = uuid.UUID(text)
    except ValueError:
        return None
    return value.bytes if str(value) == text.lower() else None
