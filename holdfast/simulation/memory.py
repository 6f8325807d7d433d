"""What a simulated world works out once only: signatures, and the tables of an empty database.

Owns no judgement. A signature that was made in this process, or has held once, holds for the same
key and the same bytes; anything else meets the real check, and so does whatever hostile devices
make up. A new disk begins as a copy of a file that the product itself has made.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.store import database
from holdfast.sync import signing


@contextlib.contextmanager
def installed() -> Generator[None, None, None]:
    """Inside, production code remembers; what it remembers is forgotten at the end."""
    known: set[tuple[bytes, bytes, bytes]] = set()
    empty = _empty_database()
    sign, holds, opened = signing.sign, signing.holds, database.open_database

    def signed(key: Ed25519PrivateKey, message: bytes) -> bytes:
        signature = sign(key, message)
        known.add((key.public_key().public_bytes_raw(), message, signature))
        return signature

    def held(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
        said = (key.public_bytes_raw(), message, signature)
        if said in known:
            return True
        if not holds(key, signature, message):
            return False
        known.add(said)
        return True

    def open_database(path: Path, **options: Any) -> Any:
        if not path.exists():
            path.write_bytes(empty)
        return opened(path, **options)

    with (
        mock.patch.object(signing, "sign", signed),
        mock.patch.object(signing, "holds", held),
        mock.patch.object(database, "open_database", open_database),
    ):
        yield


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory(prefix="holdfast-simulation-") as directory:
        path = Path(directory, database.FILE_NAME)
        database.open_database(path).close()
        return path.read_bytes()
