"""Every kind can be told from every other, on light and on dark, and without its colour too."""

from __future__ import annotations

import itertools

import pytest

from holdfast.model import looks, vocabulary
from holdfast.model.looks import COLOURS, DARK_GROUND, LIGHT_GROUND, LOOKS

Triple = tuple[float, float, float]

SEEN_AS: dict[str, tuple[Triple, Triple, Triple]] = {
    "by most": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    # Of linear sRGB, at full severity.
    "without long cones": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "without middle cones": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "without short cones": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip
TO_XYZ: tuple[Triple, Triple, Triple] = (
    (0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505),
)  # fmt: skip
WHITE: Triple = (0.9505, 1.0, 1.089)


def linear(colour: str) -> Triple:
    def channel(at: int) -> float:
        value = int(colour[at : at + 2], 16) / 255
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    return channel(1), channel(3), channel(5)


def times(rows: tuple[Triple, Triple, Triple], of: Triple) -> Triple:
    first, second, third = (sum(a * b for a, b in zip(row, of, strict=True)) for row in rows)
    return first, second, third


def contrast(one: str, other: str) -> float:
    dark, light = sorted(times(TO_XYZ, linear(each))[1] for each in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(colour: Triple) -> Triple:
    def root(value: float) -> float:
        return float(value ** (1 / 3)) if value > 0.008856 else 7.787 * value + 16 / 116

    x, y, z = (
        root(max(value, 0) / white)
        for value, white in zip(times(TO_XYZ, colour), WHITE, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, seen: str) -> float:
    def seen_as(colour: str) -> Triple:
        red, green, blue = (min(max(v, 0), 1) for v in times(SEEN_AS[seen], linear(colour)))
        return lab((red, green, blue))

    return float(
        sum((a - b) ** 2 for a, b in zip(seen_as(one), seen_as(other), strict=True)) ** 0.5
    )


def test_black_on_white_has_the_contrast_that_the_standard_says():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_every_kind_has_a_look_of_its_own_without_its_colour():
    kinds = {(look.of, look.kind) for look in LOOKS}
    assert kinds == {(looks.RESERVATION, kind) for kind in vocabulary.RESERVATION_KINDS} | {
        (looks.BLOCK, kind) for kind in vocabulary.BLOCK_KINDS
    }
    assert len({look.text for look in LOOKS}) == len({look.icon for look in LOOKS}) == len(LOOKS)
    assert len(kinds) == len(LOOKS)
    assert {look.colour for look in LOOKS} == set(COLOURS)
    blocked = [look.colour for look in LOOKS if look.of == looks.BLOCK]
    assert len(set(blocked)) == len(blocked) == 4


@pytest.mark.parametrize(("ground", "which"), [(LIGHT_GROUND, "light"), (DARK_GROUND, "dark")])
def test_five_colours_can_be_read_and_told_apart(ground: str, which: str):
    shown = [str(getattr(colour, which)) for colour in COLOURS]
    assert len(shown) == 5
    for colour in shown:
        assert contrast(colour, ground) >= looks.CONTRAST_MIN, colour
    for one, other in itertools.combinations(shown, 2):
        assert distance(one, other, "by most") >= looks.DISTANCE_MIN, (one, other)
        for seen in SEEN_AS:
            assert distance(one, other, seen) >= looks.DISTANCE_BLIND_MIN, (one, other, seen)
