"""Reservation codes: RES-YYYY- and six characters that no two devices can give out twice.

Owns their form and what a person may type for one (CONTRACT). The hub grants each incarnation
prefixes of two characters; the other four are a keyed permutation of a counter of 20 bits, so that
codes neither collide nor count aloud. A device without a prefix left makes eight characters from a
keyed hash: their length keeps them apart from the others, and 40 bits from one another.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from holdfast.model.limits import CODE_PREFIXES

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
COUNTERS: Final = 1 << 20
"""Codes under one prefix: four characters of five bits."""

_ROUNDS: Final = 4
_HALF: Final = 10
_MASK: Final = (1 << _HALF) - 1
_CODE = re.compile(r"RES-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{6}(?:[0-9A-HJKMNP-TV-Z]{2})?\Z")
_MISREAD = str.maketrans("ILO", "110")


def _characters(number: int, count: int) -> str:
    return "".join(ALPHABET[number >> 5 * i & 31] for i in reversed(range(count)))


def permute(counter: int, key: bytes, prefix: int = 0) -> int:
    """A bijection of [0, 2^20): a balanced Feistel network of four rounds with keyed BLAKE2s.

    The prefix takes part, so that two devices' n-th codes have nothing in common.
    """
    left, right = counter >> _HALF, counter & _MASK
    for round_ in range(_ROUNDS):
        left, right = right, left ^ _mixed(round_, right, key, prefix)
    return left << _HALF | right


def unpermute(value: int, key: bytes, prefix: int = 0) -> int:
    """The counter that `permute` made the value of."""
    left, right = value >> _HALF, value & _MASK
    for round_ in reversed(range(_ROUNDS)):
        left, right = right ^ _mixed(round_, left, key, prefix), left
    return left << _HALF | right


def _mixed(round_: int, half: int, key: bytes, prefix: int) -> int:
    digest = hashlib.blake2s(
        bytes((round_, half >> 8, half & 0xFF, prefix >> 8, prefix & 0xFF)),
        key=key[:32],
        digest_size=2,
    ).digest()
    return int.from_bytes(digest, "big") & _MASK


def read_code(code: str, key: bytes) -> tuple[int, int] | None:
    """(prefix, counter) of a six-character code; None for an eight-character one, or for none.

    So a code leads to its reservation without an index: the prefix names the incarnation, the
    counter the entry of its chain that made the reservation.
    """
    letters = code[9:]
    if len(letters) != 6 or not is_code(code):
        return None
    number = 0
    for letter in letters:
        number = number << 5 | ALPHABET.index(letter)
    prefix = number >> 20
    return prefix, unpermute(number & COUNTERS - 1, key, prefix)


def code(year: int, prefix: int, counter: int, key: bytes) -> str:
    """The code of the counter-th reservation under a prefix (0-1023). Raises ValueError."""
    if not (0 <= year <= 9999 and 0 <= prefix < CODE_PREFIXES and 0 <= counter < COUNTERS):
        raise ValueError("year, prefix or counter out of range")
    return f"RES-{year:04d}-{_characters(prefix, 2)}{_characters(permute(counter, key, prefix), 4)}"


def fallback_code(year: int, incarnation: bytes, counter: int, key: bytes) -> str:
    """Eight characters for an incarnation without a prefix: 40 bits of a keyed hash.

    Unlike the shorter form these are unique only by chance: of 10,000 such codes in one tenant two
    are equal once in 20,000 tenants. Raises ValueError.
    """
    if not 0 <= year <= 9999:
        raise ValueError("year out of range")
    digest = hashlib.blake2s(
        incarnation + counter.to_bytes(8, "big"), key=key[:32], digest_size=5
    ).digest()
    return f"RES-{year:04d}-{_characters(int.from_bytes(digest, 'big'), 8)}"


def is_code(text: str) -> bool:
    """Whether this is written exactly as a code is printed."""
    return _CODE.match(text) is not None


def normalise_code(text: str) -> str | None:
    """A code as a person typed it (lower case, no dashes, I or L for 1, O for 0); None if none."""
    plain = "".join(c for c in text.upper() if c.isalnum())
    if not plain.startswith("RES") or len(plain) not in (13, 15):
        return None
    digits = plain[3:].translate(_MISREAD)
    found = f"RES-{digits[:4]}-{digits[4:]}"
    return found if is_code(found) else None
