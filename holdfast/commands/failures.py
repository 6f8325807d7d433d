"""How a failure reads: one line for a person, and for what nobody expected a note in the log.

Owns the text of the line. The exit status stands in the error, the mapping of both in `cli`.
"""

from __future__ import annotations

import datetime
import os
import secrets
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from holdfast.model.errors import HoldfastError, Invalid, Unreachable

_SHOWN: Final = 4
"""Alternatives that a line names, three times in the area, or of the kind, that was asked for and
the best place elsewhere; `--json` clients read all of them."""


class Refused(HoldfastError):
    """What the HTTP interface refused: `problem` is its RFC 9457 document."""

    def __init__(self, problem: dict[str, Any], status: int) -> None:
        detail = str(problem.get("detail") or problem.get("title") or f"HTTP status {status}")
        super().__init__(detail, **{k: v for k, v in problem.items() if k != "detail"})
        self.problem = problem
        self.http_status = status


def refusal(problem: Any, status: int) -> HoldfastError:
    """The error for a problem document; `unreachable` has an exit status of its own."""
    if not isinstance(problem, dict):
        return Refused({}, status)
    if str(problem.get("type", "")).endswith(":unreachable"):
        return Unreachable(str(problem.get("detail") or "the hub cannot be reached"))
    return Refused(problem, status)


def is_invalid(error: HoldfastError) -> bool:
    """Whether this says that something could not be understood, here or over HTTP."""
    if isinstance(error, Refused):
        return error.http_status == Invalid.status
    return isinstance(error, Invalid)


def line_of(error: HoldfastError) -> str:
    """The detail, and what of the problem's own members it does not say yet."""
    from holdfast.node.words import sentences

    extra = error.extra
    parts = [
        *(f"{one.get('field')}: {one.get('message')}" for one in _dicts(extra.get("errors"))),
        *(str(one.get("message")) for one in _dicts(extra.get("violations"))),
    ]
    line = error.detail
    missing = [part for part in parts if part not in line and part.split(": ", 1)[-1] not in line]
    if missing:
        line = f"{line.rstrip('.')} ({sentences(missing)})"
    slots = _dicts(extra.get("alternatives") or extra.get("suggestions"))
    more = [f"{said}{_venue_hint(extra)}"] if (said := free_instead(slots)) else []
    if extra.get("waitlist_available"):
        more.append("`holdfast waitlist add` lets them wait for a place of that day")
    return sentences([line, *more])


def free_instead(slots: Iterable[dict[str, Any]]) -> str:
    """What is free instead of what was refused, as part of a line; nothing where nothing is."""
    free = [_slot(one) for one in slots][:_SHOWN]
    return f"free instead: {', '.join(free)}" if free else ""


def _venue_hint(extra: dict[str, Any]) -> str:
    from holdfast.commands.words import venue_hint

    slots = _dicts(extra.get("alternatives") or extra.get("suggestions"))
    return venue_hint(one.get("starts_at") for one in slots)


def problem_of(error: HoldfastError) -> dict[str, Any]:
    """What a program reads of a failure: the document that the HTTP interface answers with."""
    if isinstance(error, Refused) and error.problem:
        return error.problem
    kind = f"urn:holdfast:error:{error.name}"
    return {"type": kind, "status": error.status, "detail": error.detail, **error.extra}


def log_unexpected(error: BaseException) -> str:
    """Note what nobody expected under an id, in the directory's log if there is one."""
    from holdfast.node.logs import exception_text

    identity = secrets.token_hex(4)
    path = _log_path(identity)
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    # The words of the command without their values: those may be a guest's data.
    words = " ".join(word for word in sys.argv[1:3] if word.replace("-", "").isalpha())
    note = f"{at} error {identity} in `holdfast {words}`\n{exception_text(error)}\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(note)
    except OSError as failed:
        return (
            f"unexpected {type(error).__name__} (and {path} cannot be written: {failed.strerror})"
        )
    return f"unexpected {type(error).__name__}; error {identity} in {path} says where"


def _log_path(identity: str) -> Path:
    words = sys.argv[1:]
    named = [words[n + 1] for n, word in enumerate(words[:-1]) if word == "--data"]
    named += [word.partition("=")[2] for word in words if word.startswith("--data=")]
    directory = Path(next(iter(named), os.environ.get("HOLDFAST_DATA") or ""))
    if str(directory) != "." and directory.is_dir():
        log = directory / "log"
        try:
            log.mkdir(mode=0o700, exist_ok=True)
            return log / "commands.log"
        except OSError:
            # A read-only directory: the note goes where every program may write.
            return Path(tempfile.gettempdir()) / f"holdfast-{identity}.log"
    return Path(tempfile.gettempdir()) / f"holdfast-{identity}.log"


def _dicts(value: Any) -> Iterable[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _slot(slot: dict[str, Any]) -> str:
    from holdfast.commands.words import clock_text

    where = " + ".join(map(str, slot.get("resources") or []))
    kind = f" ({slot['resource_kind']})" if slot.get("resource_kind") else ""
    return f"{clock_text(slot.get('starts_at'))} {where}{kind}".strip()
