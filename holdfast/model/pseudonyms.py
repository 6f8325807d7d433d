"""Agent ids: the pseudonyms under which the system knows people (DESIGN §8).

Owns their form, how one is derived, and the lower-case base32 that codes share. The user id itself
is an argument and stored nowhere; without the tenant's pseudonym key nobody can test a guess.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base32 in lower case: no i, l, o, u."""
AGENT_BYTES: Final = 20
KEY_BYTES_MIN: Final = 16
"""A shorter key (a cut-off key file, say) would make pseudonyms that can be guessed."""

_PAIRS: Final = tuple(first + second for first in ALPHABET for second in ALPHABET)
"""Ten bits at a time: an agent id is made for every reservation."""
_PREFIX: Final = "agent_"
_FORM: Final = re.compile(r"agent_[0-9a-hjkmnp-tv-z]{32}\Z")
BEGINNING_CHARS_MIN: Final = 6
"""So many characters after `agent_` make it unlikely that two people are meant."""
_BEGINNING: Final = re.compile(rf"agent_[0-9a-hjkmnp-tv-z]{{{BEGINNING_CHARS_MIN},32}}\Z")
AGENT_ID_CHARS: Final = len(_PREFIX) + 32
_GUEST: Final = b"holdfast agent 1\x00"
_STAFF: Final = b"holdfast staff 1\x00"
_APPLICATION: Final = b"holdfast application 1\x00"
"""Who is meant by a text: a user id is nobody's login, and a login no token's name."""


def base32(data: bytes) -> str:
    """Crockford base32 of bytes whose bits are a multiple of five, most significant first."""
    number = int.from_bytes(data, "big")
    bits = len(data) * 8
    odd = "" if bits % 10 == 0 else ALPHABET[number >> bits - 5 & 31]
    return odd + "".join([_PAIRS[number >> 10 * i & 1023] for i in range(bits // 10 - 1, -1, -1)])


def agent_id(pseudonym_key: bytes, user_id: str) -> str:
    """The pseudonym of a user: 160 bits of HMAC-SHA-256 under the tenant's key, as 32 characters.

    Two devices of one tenant give the same person the same id, offline. A user id counts as it is
    written: case and accents make another person. Raises ValueError for a key that is too short.
    """
    return _pseudonym(pseudonym_key, _GUEST, user_id)


def staff_agent_id(pseudonym_key: bytes, login: str) -> str:
    """The pseudonym of a member of staff, from the name that they log in by in the form in which it
    is compared: whoever logs in by the same name at two devices of a tenant is one person. Raises
    ValueError for a key that is too short."""
    return _pseudonym(pseudonym_key, _STAFF, login)


def application_agent_id(pseudonym_key: bytes, name: str) -> str:
    """The pseudonym of a program that calls with a token, from the token's name. Raises ValueError
    for a key that is too short."""
    return _pseudonym(pseudonym_key, _APPLICATION, name)


def _pseudonym(pseudonym_key: bytes, domain: bytes, text: str) -> str:
    if len(pseudonym_key) < KEY_BYTES_MIN:
        raise ValueError(
            f"the pseudonym key has fewer than {KEY_BYTES_MIN} bytes; restore its file"
        )
    mac = hmac.digest(pseudonym_key, domain + text.encode(), hashlib.sha256)
    return _PREFIX + base32(mac[:AGENT_BYTES])


def walk_in_agent_id(entropy: bytes) -> str:
    """The id of somebody who gave no user id, from 20 random bytes. Raises ValueError."""
    if len(entropy) != AGENT_BYTES:
        raise ValueError(f"a walk-in's agent id takes {AGENT_BYTES} random bytes")
    return _PREFIX + base32(entropy)


def beginning_of(text: str) -> str | None:
    """The beginning of an agent id that was typed for the whole, without the mark that stands for
    the rest in lists; None for what is none, or too short to tell people apart."""
    typed = text.strip().rstrip("…").lower()
    return typed if _BEGINNING.match(typed) else None


def is_agent_id(text: str) -> bool:
    """Whether this is written as an agent id; nobody can tell whose, or whether it is anybody's."""
    return _FORM.match(text) is not None
