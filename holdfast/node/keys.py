"""Key files: written whole or not at all, readable by their owner alone.

Owns DIR/keys and the admin token as files. What the keys are for is their users' business.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.model.errors import DirectoryDamaged, DirectoryError
from holdfast.node import files
from holdfast.node.files import replace_file

SECRET_MODE: Final = 0o600
_PEM_END: Final = b"-----END PRIVATE KEY-----\n"


def write_secret(path: Path, data: bytes) -> None:
    """Write a file of mode 600, durably and whole or not at all. Raises DirectoryError."""
    try:
        replace_file(path, data)
    except OSError as error:
        raise DirectoryError(f"{path} cannot be written ({error.strerror})") from error


def write_secret_text(path: Path, text: str) -> None:
    write_secret(path, text.encode() + b"\n")


def read_secret(path: Path) -> bytes:
    """Raises DirectoryDamaged where the file is missing or cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DirectoryDamaged(
            f"{path} cannot be read ({error.strerror}); restore it from a backup, or join anew"
        ) from error


def has_secret(path: Path) -> bool:
    return path.exists()


def remove_secret(path: Path) -> None:
    """Raises DirectoryError where it cannot be removed; one that is not there is removed."""
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
