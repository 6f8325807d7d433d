"""A replica to read from, whether the directory's process runs or not.

Owns the way to it: a snapshot of the database in a private temporary directory, opened with the
directory's own identity, and removed afterwards. What needs Python objects instead of the HTTP
interface (pages as files, decisions with their evidence) reads from there; nothing can be written
back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.node.replica import Replica


@contextlib.contextmanager
def read_replica(directory: Path) -> Generator[Replica, None, None]:
    """The directory's books as they are now. Raises DirectoryError and its children."""
    from holdfast.commands.session import DATABASE_NAME, require_directory
    from holdfast.node import local_identity
    from holdfast.node.files import scratch
    from holdfast.node.replica import Replica
    from holdfast.node.timekeeping import Timekeeper
    from holdfast.store.readonly import ReadOnlyStore
    from holdfast.store.store import Store

    require_directory(directory)
    with scratch() as copy:
        with ReadOnlyStore(directory) as source:
            source.copy_to(copy / DATABASE_NAME)
        store = Store(copy)
        try:
            identity = local_identity.load(directory, store.records)
            replica = Replica(store, identity, Timekeeper())
        except BaseException:
            store.close()
            raise
        try:
            yield replica
        finally:
            replica.close()
