"""The operating system's key ring: where private keys lie if the setting `key_store` says so.

Owns the way to the `keyring` library, an optional part (`pip install "holdfast[keyring]"`), and
the small file that stands in a key's place and names its entry. Which keys there are is nothing
that it knows.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

from holdfast.model.errors import DirectoryDamaged, DirectoryError

SERVICE: Final = "holdfast"
_MARK: Final = b"holdfast: this key is in the key ring, as "
_USE_FILES: Final = 'or keep keys in files: key_store = "file" (HOLDFAST_KEY_STORE=file)'


def reference(entry: str) -> bytes:
    """What stands in a key's file instead of the key."""
    return _MARK + entry.encode() + b"\n"


def entry_of(data: bytes) -> str:
    """The entry that a key's file names; empty where the file is the key itself."""
    return data.removeprefix(_MARK).decode().strip() if data.startswith(_MARK) else ""


def put(name: str, data: bytes) -> str:
    """Put a key into the ring, as a new entry, whose name it returns. Raises DirectoryError."""
    entry = f"{secrets.token_hex(16)}/{name}"
    with _explained() as ring:
        ring.set_password(SERVICE, entry, base64.b64encode(data).decode())
    return entry


def get(entry: str, path: Path) -> bytes:
    """The key that the file at `path` stands for. Raises DirectoryError where the ring is missing
    or locked, DirectoryDamaged where it has no such key."""
    with _explained() as ring:
        text = ring.get_password(SERVICE, entry)
    try:
        return base64.b64decode(text or "", validate=True) if text else _lost(path)
    except ValueError:
        return _lost(path)


def _lost(path: Path) -> bytes:
    raise DirectoryDamaged(
        f"the key that {path} stands for is not in this account's key ring; run as the account "
        "that made the directory, restore a backup, or join anew"
    )


def drop(entry: str) -> None:
    """Remove a key from the ring; one that is not there is removed. Raises DirectoryError."""
    with _explained() as ring:
        if ring.get_password(SERVICE, entry) is not None:
            ring.delete_password(SERVICE, entry)


@contextlib.contextmanager
def _explained() -> Generator[Any, None, None]:
    """The library, whose failures become words. Raises DirectoryError."""
    try:
        import keyring
        from keyring import errors
    except ImportError as error:
        raise DirectoryError(
            "keys are to lie in the key ring, and its library is not installed: `pip install "
            f'"holdfast[keyring]"`, {_USE_FILES}'
        ) from error
    try:
        yield keyring
    except errors.KeyringLocked as error:
        raise DirectoryError(
            f"the key ring is locked: unlock it, as by logging in at the desktop, {_USE_FILES}"
        ) from error
    except errors.NoKeyringError as error:
        raise DirectoryError(
            f"this account has no key ring here, as without a desktop session; {_USE_FILES}"
        ) from error
    except errors.KeyringError as error:
        raise DirectoryError(
            f"the key ring does not do what it is asked ({type(error).__name__}); see that it "
            f"runs, {_USE_FILES}"
        ) from error
