"""Agent ids: the pseudonyms under which the system knows people (DESIGN §8).

Owns their form and how one is derived. The user id itself is an argument and stored nowhere; without
the tenant's pseudonym key nobody can test a guess.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base32 in lower case: no i, l, o, u."""
AGENT_BYTES: Final = 20

_PREFIX: Final = "agent_"
_FORM: Final = re.compile(r"agent_[0-9a-hjkmnp-tv-z]{32}\Z")
_DOMAIN: Final = b"holdfast agent 1\x00"


def base32(data: bytes) -> str:
    """Crockford base32 of bytes whose bits are a multiple of five, most significant first."""
    number = int.from_bytes(data, "big")
    length = len(data) * 8 // 5
    return "".join(ALPHABET[number >> 5 * i & 31] for i in reversed(range(length)))


def agent_id(pseudonym_key: bytes, user_id: str) -> str:
    """The pseudonym of a user: HMAC-SHA-256 under the tenant's key, 160 bits of it as 32 characters.

    Two devices of one tenant give the same person the same id, offline.
    """
    mac = hmac.digest(pseudonym_key, _DOMAIN + user_id.encode(), hashlib.sha256)
    return _PREFIX + base32(mac[:AGENT_BYTES])


def walk_in_agent_id(entropy: bytes) -> str:
    """The id of somebody who gave no user id, from 20 random bytes."""
    if len(entropy) != AGENT_BYTES:
        raise ValueError(f"a walk-in's agent id takes {AGENT_BYTES} random bytes")
    return _PREFIX + base32(entropy)


def is_agent_id(text: str) -> bool:
    return _FORM.match(text) is not None
