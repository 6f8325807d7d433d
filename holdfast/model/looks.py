"""How what stands on a plan or in a calendar looks: text, icon and colour of each kind (V-22).

Owns the one table. A colour never stands alone: every kind has a word and an icon of its own. There
are five colours, one for what guests and the house reserve and one for each kind of block, each
once for a light ground and once for a dark one. tests/model/test_looks.py measures them: contrast
of at least CONTRAST_MIN with the ground (WCAG 2.2, 1.4.3), and a distance of at least DISTANCE_MIN
between any two (CIE 1976, in L*a*b*), of DISTANCE_BLIND_MIN as people see them who lack a kind of
cone (matrices of Machado, Oliveira and Fernandes, 2009). Pure.
"""

from __future__ import annotations

from typing import Final, NamedTuple

LIGHT_GROUND: Final = "#FFFFFF"
DARK_GROUND: Final = "#121212"
CONTRAST_MIN: Final = 4.5
DISTANCE_MIN: Final = 30.0
DISTANCE_BLIND_MIN: Final = 15.0


class Colour(NamedTuple):
    """A colour as `#RRGGBB` (sRGB), by its ground."""

    name: str
    light: str
    dark: str


BLUE: Final = Colour("blue", "#1F5FBF", "#4F9BFF")
AMBER: Final = Colour("amber", "#A65300", "#D98A1F")
GREEN: Final = Colour("green", "#0A5A3C", "#A8F5D6")
MAGENTA: Final = Colour("magenta", "#A8328F", "#FF7AC6")
GREY: Final = Colour("grey", "#262626", "#8C8C8C")
COLOURS: Final = (BLUE, AMBER, GREEN, MAGENTA, GREY)

RESERVATION: Final = "reservation"
BLOCK: Final = "block"


class Look(NamedTuple):
    """How one kind looks. `of`: what it is a kind of; `icon`: one character of Unicode."""

    of: str
    kind: str
    text: str
    icon: str
    colour: Colour


LOOKS: Final = (
    Look(RESERVATION, "guest", "reservation", "\u25cf", BLUE),
    Look(RESERVATION, "walk_in", "walk-in", "\u25b2", BLUE),
    Look(RESERVATION, "house", "the house", "\u2302", BLUE),
    Look(BLOCK, "maintenance", "maintenance", "\u2692", AMBER),
    Look(BLOCK, "training", "training", "\u270e", GREEN),
    Look(BLOCK, "private_event", "private event", "\u2605", MAGENTA),
    Look(BLOCK, "blocked", "blocked", "\u2715", GREY),
)
"""Every kind of reservation and of block (`vocabulary`), once."""
