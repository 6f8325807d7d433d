"""Key files: written whole or not at all, readable by their owner alone.

Owns DIR/keys and the admin token as files. A key may lie in the operating system's key ring
instead, by the setting `key_store`: its file then names the entry, so that each key says for itself
where it is. What the keys are for is their users' business.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.model.errors import DirectoryDamaged, DirectoryError
from holdfast.node import files, key_ring, settings
from holdfast.node.files import replace_file

SECRET_MODE: Final = 0o600
_PEM_END: Final = b"-----END PRIVATE KEY-----\n"


def write_secret(path: Path, data: bytes) -> None:
    """Write a file of mode 600, durably and whole or not at all; of a key, in the key ring where
    the directory's setting says so. Raises DirectoryError."""
    before = _entry_at(path)
    kept = key_ring.reference(key_ring.put(path.name, data)) if _wants_ring(path) else data
    try:
        replace_file(path, kept)
    except OSError as error:
        raise DirectoryError(f"{path} cannot be written ({error.strerror})") from error
    if before:
        key_ring.drop(before)


def _wants_ring(path: Path) -> bool:
    keys = next((parent for parent in path.parents if parent.name == "keys"), None)
    return keys is not None and settings.load(keys.parent).key_store == "keyring"


def _entry_at(path: Path) -> str:
    """The entry of the key ring that a file names; empty for any other file, and for none."""
    try:
        return key_ring.entry_of(path.read_bytes())
    except OSError:
        return ""


def in_ring(path: Path) -> bool:
    """Whether a key lies in the key ring."""
    return bool(_entry_at(path))


def move_secret(path: Path) -> None:
    """Put a key where the setting says that keys lie. Raises DirectoryError."""
    write_secret(path, read_secret(path))


def is_misplaced(path: Path) -> bool:
    """Whether a key lies elsewhere than the setting says."""
    return in_ring(path) is not _wants_ring(path)


def write_secret_text(path: Path, text: str) -> None:
    write_secret(path, text.encode() + b"\n")


def read_secret(path: Path) -> bytes:
    """Raises DirectoryDamaged where the file is missing or cannot be read, DirectoryError where
    the key ring is locked or missing that it names."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DirectoryDamaged(
            f"{path} cannot be read ({error.strerror}); restore it from a backup, or join anew"
        ) from error
    entry = key_ring.entry_of(data)
    return key_ring.get(entry, path) if entry else data


def has_secret(path: Path) -> bool:
    return path.exists()


def remove_secret(path: Path) -> None:
    """Raises DirectoryError where it cannot be removed; one that is not there is removed."""
    entry = _entry_at(path)
    if entry:
        key_ring.drop(entry)
    try:
        path.unlink(missing_ok=True)
        files.sync(path.parent)
    except OSError as error:
        raise DirectoryError(f"{path} cannot be removed ({error.strerror})") from error


def signing_key_pem(key: Ed25519PrivateKey, passphrase: bytes = b"") -> bytes:
    """An Ed25519 key as PKCS 8 PEM, which other tools read; encrypted where a passphrase is
    given."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption(),
    )


def write_signing_key(path: Path, key: Ed25519PrivateKey) -> None:
    """As unencrypted PKCS 8 PEM. Raises DirectoryError."""
    write_secret(path, signing_key_pem(key))


def write_signing_keys(path: Path, keys: Iterable[Ed25519PrivateKey]) -> None:
    """Several in one file, in their order. Raises DirectoryError."""
    write_secret(path, b"".join(signing_key_pem(key) for key in keys))


def read_signing_keys(path: Path) -> list[Ed25519PrivateKey]:
    """Raises DirectoryDamaged."""
    parts = read_secret(path).split(_PEM_END)
    return [parse_signing_key(part + _PEM_END, str(path)) for part in parts if part.strip()]


def parse_signing_key(pem: bytes, name: str) -> Ed25519PrivateKey:
    """Raises DirectoryDamaged for anything but an unencrypted Ed25519 key in PEM."""
    key = None
    with contextlib.suppress(ValueError, TypeError):
        key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise DirectoryDamaged(f"{name} is not an unencrypted Ed25519 key in PEM")
    return key


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    return parse_signing_key(read_secret(path), str(path))
