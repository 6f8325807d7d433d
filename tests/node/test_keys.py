"""Key files: whole or not there, for their owner alone, and plain words when one is damaged."""

from __future__ import annotations

import os
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.errors import DirectoryDamaged, DirectoryError
from holdfast.node.keys import read_secret, read_signing_key, write_secret, write_signing_key

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def test_only_the_owner_can_read_a_key_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        write_secret(tmp_path / "secret", b"x")
        write_signing_key(tmp_path / "node.pem", KEY)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}


def test_a_signing_key_is_a_file_that_other_tools_read(tmp_path):
    write_signing_key(tmp_path / "node.pem", KEY)
    pem = (tmp_path / "node.pem").read_bytes()
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert read_signing_key(tmp_path / "node.pem").private_bytes_raw() == KEY.private_bytes_raw()


def test_a_crash_while_writing_leaves_the_old_key(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    write_secret(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(DirectoryError, match="No space left"):
        write_secret(path, b"new")
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["secret"]


def test_a_key_is_on_disk_before_it_takes_the_old_ones_place(tmp_path, monkeypatch):
    done: list[str] = []
    rename = os.replace

    def replace(*paths: str) -> None:
        done.append("replace")
        rename(*paths)

    monkeypatch.setattr(os, "fsync", lambda _: done.append("fsync"))
    monkeypatch.setattr(os, "replace", replace)
    write_secret(tmp_path / "secret", b"x")
    assert done == ["fsync", "replace", "fsync"]


def test_a_missing_key_is_named_with_the_way_out(tmp_path):
    with pytest.raises(DirectoryDamaged, match=r"node\.pem.*backup, or join anew"):
        read_signing_key(tmp_path / "node.pem")
    with pytest.raises(DirectoryDamaged, match=r"sealing\.key"):
        read_secret(tmp_path / "sealing.key")


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(DirectoryError, match="nowhere"):
        write_secret(tmp_path / "nowhere" / "secret", b"x")


PEM = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
DAMAGED = {
    "empty": b"",
    "no key": b"hello\n",
    "cut off": KEY.private_bytes(*PEM, serialization.NoEncryption())[:60],
    "another kind": X25519PrivateKey.from_private_bytes(bytes(32)).private_bytes(
        *PEM, serialization.NoEncryption()
    ),
    "encrypted": KEY.private_bytes(*PEM, serialization.BestAvailableEncryption(b"secret")),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_key_file_is_named(damage, tmp_path):
    write_secret(tmp_path / "node.pem", DAMAGED[damage])
    with pytest.raises(DirectoryDamaged, match=r"node\.pem is not an unencrypted Ed25519 key"):
        read_signing_key(tmp_path / "node.pem")
