"""Bytes at random, and good bytes damaged at random: every reader gives an answer or its own error.

A failing example is printed with the blob that replays it; tools/fuzz.py searches for longer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import HoldfastError
from tools import fuzz

# Damaged certificates make the library warn of what it will refuse one day; here that is expected.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "vectors.json").read_text("utf-8")
)


def seeds(target: str) -> list[bytes]:
    return fuzz.seeds(VECTORS)[target]


def damaged(good: list[bytes]) -> st.SearchStrategy[bytes]:
    """A good input with a few bytes changed, cut out, doubled or put in."""

    @st.composite
    def draw_one(draw: Any) -> bytes:
        data = bytearray(draw(st.sampled_from(good)))
        for _ in range(draw(st.integers(1, 4))):
            at = draw(st.integers(0, max(len(data) - 1, 0)))
            match draw(st.integers(0, 3)):
                case 0 if data:
                    data[at] = draw(st.integers(0, 255))
                case 1:
                    del data[at : at + draw(st.integers(1, 40))]
                case 2:
                    data[at:at] = data[at : at + draw(st.integers(1, 40))]
                case _:
                    data[at:at] = draw(st.binary(max_size=9))
        return bytes(data)

    return draw_one()


@pytest.mark.parametrize("target", sorted(fuzz.TARGETS))
def test_a_reader_never_fails_otherwise_than_with_its_own_error(target: str) -> None:
    run = fuzz.TARGETS[target]

    @settings(max_examples=600)
    @given(st.one_of(st.binary(max_size=300), damaged(seeds(target))))
    def check(data: bytes) -> None:
        run(data)

    check()


@pytest.mark.parametrize("target", sorted(fuzz.TARGETS))
def test_the_good_inputs_are_read(target: str) -> None:
    """Fuzzing that never gets past the first byte would find nothing."""
    assert any(fuzz.TARGETS[target](data) for data in seeds(target))


def test_errors_of_readers_are_the_products_own() -> None:
    assert all(issubclass(error, (HoldfastError, ValueError)) for error in fuzz.EXPECTED), (
        fuzz.EXPECTED
    )
