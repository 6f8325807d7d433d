"""A data directory comes into being: what every one holds, whoever is going to live in it.

Owns the names in it that are nobody else's, and that it is made whole or not at all (`files`). What
makes it a hub's or a node's is written by those two.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

from holdfast.model.errors import DirectoryError
from holdfast.node import files, settings
from holdfast.node.keys import write_secret_text
from holdfast.store.database import FILE_NAME
from holdfast.store.store import Store

ADMIN_TOKEN: Final = "admin-token"  # noqa: S105 - the name of a file
KEYS: Final = "keys"
LOG: Final = "log"


@contextlib.contextmanager
def making(directory: Path, **overrides: Any) -> Generator[Store, None, None]:
    """The store of a directory that is being made; `store.directory` is where it stands meanwhile.

    It gets its name when the block ends well, closed, whole and on disk, and is to be opened there
    like any other: whatever is remembered of a path or a file is then of the final one. Raises
    DirectoryError, and Invalid for settings that cannot be.
    """
    with files.making(directory) as place:
        try:
            (place / KEYS).mkdir(mode=0o700)
            (place / LOG).mkdir(mode=0o700)
        except OSError as error:
            raise DirectoryError(f"{directory} cannot be made ({error.strerror})") from error
        write_secret_text(place / ADMIN_TOKEN, secrets.token_urlsafe(32))
        settings.write_default(place)
        store = Store(place, synchronous=settings.load(place, **overrides).synchronous)
        try:
            yield store
        finally:
            store.close()


def require(directory: Path) -> None:
    """Raises DirectoryError where there is no data directory."""
    if not (directory / FILE_NAME).exists():
        raise DirectoryError(
            f"{directory} holds no Holdfast data; make a hub with `holdfast hub init`, "
            "or a node with `holdfast node join`"
        )
