"""PINs at rest: slow to try, and worth nothing without this device's own key."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from holdfast.model.errors import Invalid
from holdfast.node import pins
from holdfast.node.pins import Pins


@pytest.fixture
def kept_in(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    return tmp_path


def test_the_right_pin_is_right_and_no_other_nor_anybody_elses(kept_in: Path):
    kept = Pins(kept_in).hashed("zoe", "4711")
    again = Pins(kept_in)
    assert again.is_right("zoe", "4711", kept)
    for staff_id, pin in [("zoe", "4712"), ("zoe", "04711"), ("ugo", "4711"), ("zoe", "")]:
        assert not again.is_right(staff_id, pin, kept), (staff_id, pin)
    assert not again.is_right("zoe", "4711", None)


def test_two_of_one_pin_are_kept_differently(kept_in: Path):
    assert Pins(kept_in).hashed("zoe", "4711") != Pins(kept_in).hashed("zoe", "4711")


def test_the_database_alone_does_not_tell_a_pin(kept_in: Path, tmp_path: Path):
    """Whoever has the row and tries every PIN finds none: the pepper stands in a file."""
    kept = Pins(kept_in).hashed("zoe", "4711")
    elsewhere = tmp_path / "thief"
    (elsewhere / "keys").mkdir(parents=True)
    assert not Pins(elsewhere).is_right("zoe", "4711", kept)
    pepper = kept_in / "keys" / pins.PEPPER_FILE
    assert pepper.stat().st_mode & 0o777 == 0o600
    assert len(pepper.read_bytes()) == 32


def test_the_parameters_stand_beside_the_hash_and_others_are_still_read(
    kept_in: Path, monkeypatch: pytest.MonkeyPatch
):
    kept = Pins(kept_in).hashed("zoe", "4711")
    assert kept.startswith("scrypt$15$8$1$")
    monkeypatch.setattr(pins, "_LOG_N", 10)
    assert Pins(kept_in).is_right("zoe", "4711", kept)
    assert Pins(kept_in).hashed("zoe", "4711").startswith("scrypt$10$8$1$")


def test_the_hash_is_scrypt_over_the_peppered_pin(kept_in: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[dict[str, int]] = []

    class Watched:
        def __init__(self, **parameters: int) -> None:
            asked.append(parameters)
            self._real = Scrypt(**parameters)  # type: ignore[arg-type]

        def derive(self, secret: bytes) -> bytes:
            assert b"4711" not in secret
            return self._real.derive(secret)

    monkeypatch.setattr(pins, "Scrypt", Watched)
    Pins(kept_in).hashed("zoe", "4711")
    ((parameters),) = asked
    assert (parameters["n"], parameters["r"], parameters["p"]) == (2**15, 8, 1)


@pytest.mark.parametrize("pin", ["", "123", "12345678901", "12 4", "abcd", "-123", "١٢٣٤"])
def test_what_is_no_pin_is_refused_and_not_quoted(kept_in: Path, pin: str):
    with pytest.raises(Invalid) as refused:
        Pins(kept_in).hashed("zoe", pin)
    assert not pin.strip() or pin not in refused.value.detail


def test_names_are_counted_under_what_does_not_tell_them(kept_in: Path, tmp_path: Path):
    mark = Pins(kept_in).mark("zoë")
    assert mark == Pins(kept_in).mark("zoë") != Pins(kept_in).mark("ugo")
    elsewhere = tmp_path / "thief"
    (elsewhere / "keys").mkdir(parents=True)
    assert Pins(elsewhere).mark("zoë") != mark
