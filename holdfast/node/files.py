"""Files and directories that stand under their name whole or not at all; and a broom after them.

Owns the way there: what is made stands beside its name first, called after the process that makes
it; it is brought to disk and renamed. A killed process leaves such a thing behind, and the next one
that comes by removes it once its maker is dead. What the bytes mean is the callers' business.

A maker is known by its process id. If another process has got that id since, the leftover stays
until that one is gone as well: it takes room and harms nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Final

from holdfast.model.errors import DirectoryError

log = logging.getLogger("holdfast.files")

_PART: Final = re.compile(r"\.(?P<name>.+)\.(?P<pid>[0-9]+)-\w+\.part(?:-journal|-wal|-shm)?")
"""A file that is being written, with what SQLite puts beside it."""
_MAKING: Final = re.compile(r"\.(?P<name>.+)\.making-(?P<pid>[0-9]+)")
"""A data directory that is being made."""
_SQLITE_SUFFIXES: Final = ("", "-journal", "-wal", "-shm")
_SCRATCH: Final = "holdfast"

_lock = threading.RLock()
_mine: set[str] = set()
"""What this process is making. Where every life of a program has the same id, as in a container,
the id alone does not say whether a leftover is this life's."""


# --- files --------------------------------------------------------------------------------------


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file of mode 600: a reader sees the old one or the new one, whole.

    `durable`: on disk before it takes the old one's place, and in its place when this returns.
    Raises OSError; the old file is as it was then.
    """
    with beside(path) as part:
        with part.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, path)
    if durable:
        sync(path.parent)


@contextlib.contextmanager
def beside(path: Path) -> Generator[Path, None, None]:
    """An empty file of mode 600 in the directory of `path`, to be renamed to it; whatever is still
    there at the end is removed. Raises OSError."""
    sweep(path.parent, path.name)
    with _lock:
        # mkstemp makes the file with mode 600 from its first byte.
        descriptor, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.{os.getpid()}-", suffix=".part"
        )
        made = os.path.realpath(name)
        _mine.add(made)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        for suffix in _SQLITE_SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name + suffix)
        _mine.discard(made)


@contextlib.contextmanager
def scratch() -> Generator[Path, None, None]:
    """A private directory where the system keeps such (`TMPDIR`); it is gone at the end."""
    top = Path(tempfile.gettempdir())
    sweep(top, _SCRATCH)
    with _lock:
        made = tempfile.TemporaryDirectory(prefix=f".{_SCRATCH}.{os.getpid()}-", suffix=".part")
        _mine.add(os.path.realpath(made.name))
    try:
        with made as name:
            yield Path(name)
    finally:
        _mine.discard(os.path.realpath(made.name))


def sync(path: Path) -> None:
    """Bring a file, or the names in a directory, to disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- directories --------------------------------------------------------------------------------


@contextlib.contextmanager
def making(directory: Path) -> Generator[Path, None, None]:
    """A new directory of mode 700 that takes its name when the block ends well; otherwise nothing
    of it is left, and under the name stands what stood there before: nothing, or an empty one.

    Raises DirectoryError, before the block wherever that can be known.
    """
    target = _free_target(directory)
    place = target.with_name(f".{target.name}.making-{os.getpid()}")
    _begin(place, target, directory)
    try:
        yield place
        _take_place(place, target, directory)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    finally:
        _mine.discard(str(place))


def _begin(place: Path, target: Path, directory: Path) -> None:
    with _lock:
        if str(place) in _mine:
            raise DirectoryError(f"{directory} is being made by this process already")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _sweep(target.parent, _MAKING, target.name)
            place.mkdir(mode=0o700)
        except OSError as error:
            raise DirectoryError(
                f"{directory} cannot be made ({error.strerror}); it is made beside its place and "
                f"renamed, so {target.parent} must be writable: name a directory in one that is"
            ) from error
        _mine.add(str(place))


def _free_target(directory: Path) -> Path:
    """Where the directory will really stand. Raises DirectoryError where nothing can be made."""
    try:
        target = directory.resolve()
        if target.exists() and not target.is_dir():
            raise DirectoryError(f"{directory} is a file; choose a new directory")
        if not target.is_dir():
            return target
        if any(target.iterdir()):
            raise DirectoryError(f"{directory} is not empty; choose a new directory")
        if os.path.ismount(target) or target == Path.cwd():
            # Neither can be renamed over: the first not at all, the second under one's feet.
            what = "a mount point" if os.path.ismount(target) else "the directory you are in"
            raise DirectoryError(
                f"{directory} is {what}; name a directory inside it, such as {target / 'data'}"
            )
    except (OSError, RuntimeError) as error:
        raise DirectoryError(f"{directory} cannot be looked at ({error})") from error
    return target


def _take_place(place: Path, target: Path, directory: Path) -> None:
    try:
        for folder, _, names in os.walk(place, topdown=False):
            for name in names:
                sync(Path(folder, name))
            sync(Path(folder))
        # Over an empty directory it is a rename like any other; over a full one it fails.
        os.rename(place, target)
        sync(target.parent)
    except OSError as error:
        raise DirectoryError(
            f"{directory} cannot be put in its place ({error.strerror}); choose a new directory"
        ) from error


# --- the broom ----------------------------------------------------------------------------------


def sweep(directory: Path, name: str | None = None) -> None:
    """Remove what killed processes were writing in a directory; with `name`, of that file alone."""
    _sweep(directory, _PART, name)


def _sweep(directory: Path, form: re.Pattern[str], name: str | None) -> None:
    # What cannot be seen or removed is left to somebody who can: nobody depends on it.
    with contextlib.suppress(OSError):
        for entry in os.scandir(directory):
            found = form.fullmatch(entry.name)
            if found is None or name not in (None, found["name"]):
                continue
            with contextlib.suppress(OSError), _lock:
                if _is_abandoned(entry, int(found["pid"])):
                    _remove(entry)
                    log.info("removed %s, which a process that died left behind", entry.path)


def _is_abandoned(entry: os.DirEntry[str], pid: int) -> bool:
    """Whether it is of this account, and its maker is dead. Raises OSError where it is gone."""
    if entry.stat(follow_symlinks=False).st_uid != os.geteuid():
        return False
    if pid == os.getpid():
        path = os.path.realpath(entry.path)
        return not any(path == made + suffix for made in _mine for suffix in _SQLITE_SUFFIXES)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)
