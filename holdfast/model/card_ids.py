"""What a guest card's id stands for: who wrote it, whose it is, its ciphertext, its first key.

Owns that commitment. A card whose id does not fit its entry is none: nobody puts another's card
into an entry of their own, under whatever guest. The first sealed key of a card is told from any
other bytes by everybody, with the venue's key or without, also before the card itself has come.
Pure.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

CARD_ID_BYTES: Final = 16
DIGEST_BYTES: Final = 16
"""Of each digest below its first bytes: who wants another card, or another key, under an id that an
honest device made has 2^128 to try. Who makes two under one id himself (2^64) harms only a card
that he wrote."""
SEALED_TO_BYTES: Final = 32

_TEXT: Final = b"holdfast card text 1\x00"
_KEY: Final = b"holdfast card seal 1\x00"
_ID: Final = b"holdfast card id 1\x00"


def text_digest(life: bytes, agent_id: str, ciphertext: bytes) -> bytes:
    """Of a card that this life of a device sealed for this guest. `life` has 16 bytes, an agent id
    38 characters: nothing can pass from one part into another."""
    return sha256(b"".join((_TEXT, life, agent_id.encode(), ciphertext))).digest()[:DIGEST_BYTES]


def key_digest(sealed_to: bytes, sealed: bytes) -> bytes:
    """Of a card's key as it was sealed first, to this public key of the venue (32 bytes)."""
    return sha256(b"".join((_KEY, sealed_to, sealed))).digest()[:DIGEST_BYTES]


def card_id(text: bytes, key: bytes) -> bytes:
    """The id of the card with these two digests."""
    return sha256(b"".join((_ID, text, key))).digest()[:CARD_ID_BYTES]
