"""The log of a data directory: `DIR/log/holdfast.log`, rotating, as text or as JSON lines.

Owns where log records go and how they look. Knows nothing of what is logged, but keeps one rule
for all: an exception is logged by its kind and place, its message only where that cannot quote what
somebody wrote (DESIGN §8). `HOLDFAST_LOG=json` asks for JSON lines.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import traceback
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

from holdfast.model.errors import DirectoryError
from holdfast.model.limits import LOG_FILE_BYTES, LOG_FILES_KEPT

DIRECTORY_NAME: Final = "log"
FILE_NAME: Final = "holdfast.log"
FORMAT_VARIABLE: Final = "HOLDFAST_LOG"

_MESSAGE_IS_SAFE: Final = (
    AttributeError, ImportError, MemoryError, NameError, NotImplementedError, OSError,
    RecursionError,
)  # fmt: skip
"""Exceptions whose messages speak of files and code; those of others may quote a guest's data."""
_QUIET: Final = ("apscheduler", "asyncio", "httpcore", "httpx", "litestar", "uvicorn", "websockets")
"""Libraries of which only warnings are of interest: some log every URL."""
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def set_up_logging(directory: Path, level: str = "INFO") -> None:
    """Send all log records of this process to the directory's log; a second call moves them.

    `level` is for Holdfast's own records. Raises DirectoryError where the log cannot be written.
    """
    handler = _handler(directory / DIRECTORY_NAME)
    as_json = os.environ.get(FORMAT_VARIABLE, "").strip().lower() == "json"
    handler.setFormatter(JsonLines() if as_json else Lines())
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _LogFile)]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("holdfast").setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


def exception_text(error: BaseException) -> str:
    """An exception with its causes: kinds and places in the code, without data of people."""
    return "\n".join(_exception_lines(error, set()))


class Lines(logging.Formatter):
    """`2026-07-01T19:30:00.123Z INFO holdfast.sync: words`."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage().replace("\n", "\n  ")
        line = f"{_time_text(record)} {record.levelname} {record.name}: {text}"
        extra = _extra(record)
        if extra:
            line += " " + " ".join(f"{name}={value}" for name, value in extra.items())
        if record.exc_info and record.exc_info[1] is not None:
            line += "\n" + exception_text(record.exc_info[1])
        return line


class JsonLines(logging.Formatter):
    """One JSON object per record: `at`, `level`, `logger`, `message`, what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, Any] = {
            "at": _time_text(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info and record.exc_info[1] is not None:
            document["exception"] = exception_text(record.exc_info[1])
        return json.dumps(document, ensure_ascii=False, default=str)


class _LogFile(RotatingFileHandler):
    """A rotating file that only its owner may read."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding="utf-8", line_buffering=True)


def _handler(log: Path) -> _LogFile:
    try:
        log.mkdir(mode=0o700, exist_ok=True)
        return _LogFile(
            log / FILE_NAME,
            maxBytes=LOG_FILE_BYTES,
            backupCount=LOG_FILES_KEPT,
            encoding="utf-8",
        )
    except OSError as error:
        raise DirectoryError(
            f"{log} cannot be written ({error.strerror}); check its owner and mode, and its disk"
        ) from error


def _time_text(record: logging.LogRecord) -> str:
    # The machine's clock, not the node's: logs are compared with those of other programs.
    at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _exception_lines(error: BaseException, seen: set[int]) -> list[str]:
    seen.add(id(error))
    lines = [
        f"  {frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    kind = type(error).__qualname__
    message = f": {error}" if isinstance(error, _MESSAGE_IS_SAFE) else ""
    lines.append(f"  {kind}{message}")
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and id(cause) not in seen:
        lines += ["  because of", *_exception_lines(cause, seen)]
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            lines += ["  with", *_exception_lines(inner, seen)]
    return lines
