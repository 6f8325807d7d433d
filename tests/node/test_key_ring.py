"""Private keys in the operating system's key ring, where there is one and it is wanted."""

from __future__ import annotations

import base64
import builtins
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import DirectoryDamaged, DirectoryError
from holdfast.node import doctor, settings
from holdfast.node.hub import Hub
from holdfast.node.issuing import ROOT_KEY
from holdfast.node.keys import in_ring, read_secret, remove_secret, write_secret
from holdfast.node.upkeep import backup_directory, restore
from tests.kit import TENANT, TRATTORIA

keyring = pytest.importorskip("keyring", reason='pip install "holdfast[keyring]"')
backend = pytest.importorskip("keyring.backend")


class Ring(backend.KeyringBackend):  # type: ignore[misc, name-defined]
    """A key ring in memory, as another backend of the library."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.fails: Exception | None = None

    def _work(self) -> None:
        if self.fails is not None:
            raise self.fails

    def set_password(self, service: str, username: str, password: str) -> None:
        self._work()
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        self._work()
        return self.kept.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        self._work()
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("no such password")


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ring]:
    monkeypatch.setenv("HOLDFAST_STATE", str(tmp_path / "state"))
    before, made = keyring.get_keyring(), Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def keys(tmp_path: Path, ring: Ring) -> Path:
    """The keys of a directory whose setting is the key ring."""
    place = tmp_path / "desk" / "keys"
    place.mkdir(parents=True)
    settings.set_value(place.parent, "key_store", "keyring")
    return place


def hub_in_ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setenv("HOLDFAST_KEY_STORE", "keyring")
    hub = Hub.init(tmp_path / "hub", TENANT)
    hub.import_venue(dict(TRATTORIA))
    return hub


def test_a_key_is_in_the_ring_and_its_file_names_the_entry(keys: Path, ring: Ring) -> None:
    write_secret(keys / "node.pem", b"secret")
    assert read_secret(keys / "node.pem") == b"secret"
    assert in_ring(keys / "node.pem")
    assert b"secret" not in (keys / "node.pem").read_bytes()
    assert [base64.b64decode(text) for text in ring.kept.values()] == [b"secret"]
    assert {service for service, _ in ring.kept} == {"holdfast"}


def test_another_key_in_its_place_takes_the_old_one_out_of_the_ring(keys: Path, ring: Ring) -> None:
    for key in (b"old", b"new"):
        write_secret(keys / "node.pem", key)
    assert read_secret(keys / "node.pem") == b"new"
    assert len(ring.kept) == 1
    remove_secret(keys / "node.pem")
    assert not ring.kept
    assert not (keys / "node.pem").exists()


def test_what_is_no_key_stays_a_file(keys: Path, ring: Ring) -> None:
    write_secret(keys.parent / "admin-token", b"token")
    assert (keys.parent / "admin-token").read_bytes() == b"token"
    assert not ring.kept


def test_a_hub_lives_with_its_keys_in_the_ring(
    tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = hub_in_ring(tmp_path, monkeypatch)
    hub.renew(new_key=True)
    key = hub.identity.key.private_bytes_raw()
    hub.export_root(tmp_path / "root.pem", b"a few good words", remove=True)
    hub.close()
    directory = tmp_path / "hub"
    for path in (directory / "keys").iterdir():
        assert in_ring(path), path
        assert b"PRIVATE KEY" not in path.read_bytes()
    assert not any(name.endswith(ROOT_KEY) for _, name in ring.kept), "it was taken away"
    # What says where a key is, is its file: the setting is asked for new ones alone.
    monkeypatch.delenv("HOLDFAST_KEY_STORE")
    again = Hub.open(directory)
    assert again.identity.key.private_bytes_raw() == key
    again.close()


def test_a_backup_has_the_keys_and_another_machine_needs_no_ring_of_ours(
    tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = hub_in_ring(tmp_path, monkeypatch)
    key = hub.identity.key.private_bytes_raw()
    hub.close()
    backup_directory(tmp_path / "hub", tmp_path / "backup")
    monkeypatch.delenv("HOLDFAST_KEY_STORE")
    ring.kept.clear()
    restore(tmp_path / "backup", tmp_path / "again")
    assert not ring.kept
    restored = Hub.open(tmp_path / "again")
    assert restored.identity.key.private_bytes_raw() == key
    restored.close()


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (keyring.errors.KeyringLocked("locked"), "is locked: unlock it"),
        (keyring.errors.NoKeyringError("none"), "no key ring here"),
        (keyring.errors.InitError("no bus"), "does not do what it is asked"),
        (keyring.errors.PasswordSetError("full"), "does not do what it is asked"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_ring_that_is_locked_or_missing_is_said_and_nothing_is_lost(
    keys: Path, ring: Ring, failure: Exception, said: str
) -> None:
    write_secret(keys / "node.pem", b"the key")
    ring.fails = failure
    with pytest.raises(DirectoryError, match=said):
        read_secret(keys / "node.pem")
    with pytest.raises(DirectoryError, match="HOLDFAST_KEY_STORE=file"):
        write_secret(keys / "node.pem", b"another")
    with pytest.raises(DirectoryError):
        remove_secret(keys / "node.pem")
    ring.fails = None
    assert read_secret(keys / "node.pem") == b"the key"


def test_a_key_that_is_in_anothers_ring_is_named(keys: Path, ring: Ring) -> None:
    write_secret(keys / "node.pem", b"the key")
    for damaged in ("", "no base64!"):
        ring.kept = dict.fromkeys(ring.kept, damaged)
        with pytest.raises(DirectoryDamaged, match=r"node\.pem stands for is not in this account"):
            read_secret(keys / "node.pem")
    ring.kept.clear()
    with pytest.raises(DirectoryDamaged, match="restore a backup"):
        read_secret(keys / "node.pem")


def test_without_the_library_it_is_said_what_to_install(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "keyring":
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DirectoryError, match=r"pip install \"holdfast\[keyring\]\""):
        write_secret(keys / "node.pem", b"the key")
    assert not (keys / "node.pem").exists()


def checks(directory: Path, *, fix: bool = False) -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.doctor(directory, fix)}


def test_the_doctor_tells_where_the_keys_are_and_moves_them(
    tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hub.init(tmp_path / "hub", TENANT).close()
    directory = tmp_path / "hub"
    assert checks(directory)["key store"].detail.startswith("the keys are in files")
    settings.set_value(directory, "key_store", "keyring")
    found = checks(directory)["key store"]
    assert not found.ok
    assert "node.pem" in found.detail
    assert "doctor --fix" in found.way_out
    ring.fails = keyring.errors.KeyringLocked("locked")
    assert not checks(directory, fix=True)["key store"].ok
    ring.fails = None
    assert checks(directory, fix=True)["key store"].ok
    assert checks(directory)["key store"].detail.startswith("the keys are in the key ring")
    assert ring.kept
    ring.fails = keyring.errors.KeyringLocked("locked")
    assert "unlock it" in checks(directory)["key store"].detail
    ring.fails = None
    settings.set_value(directory, "key_store", "file")
    assert checks(directory, fix=True)["key store"].ok
    assert not ring.kept
    for path in (directory / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    Hub.open(directory).close()
