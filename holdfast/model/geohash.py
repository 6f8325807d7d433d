"""Geohashes: a place on earth as a short word, of which places nearby share the beginning.

The public algorithm (Niemeyer 2008): longitude and latitude are halved in turn, each half is a bit,
and five bits are a letter. Pure.
"""

from __future__ import annotations

import re
from typing import Final

LETTERS: Final = "0123456789bcdefghjkmnpqrstuvwxyz"
CHARACTERS: Final = 9
"""Of a venue: a cell of about five metres."""
WORD: Final = re.compile(f"[{LETTERS}]{{1,{CHARACTERS}}}")
MEANS: Final = f"a geohash: 1 to {CHARACTERS} of {LETTERS}"


def encode(latitude: float, longitude: float, characters: int = CHARACTERS) -> str:
    """The geohash of a place in degrees."""
    bounds = [[-180.0, 180.0], [-90.0, 90.0]]
    value = 0
    for bit in range(5 * characters):
        low_high, at = bounds[bit % 2], (longitude, latitude)[bit % 2]
        middle = sum(low_high) / 2
        upper = at >= middle
        low_high[0 if upper else 1] = middle
        value = value << 1 | upper
    return "".join(LETTERS[value >> 5 * n & 31] for n in reversed(range(characters)))
