"""Fields of the HTTP interface and times in an error, as they are spelled on the command line.

Owns which option stands for which field. A field is only called by an option that the command has,
so that a venue file's `venue` stays what it is. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

import click

from holdfast.commands.words import clock_text

_OPTIONS: Final = {
    "starts_at": "--at",
    "party_size": "--party",
    "actual_party_size": "--party",
    "duration_minutes": "--minutes",
    "resources": "--resource",
    "user_id": "--user",
    "guest.name": "--guest-name",
    "guest.phone": "--guest-phone",
    "guest.email": "--guest-email",
    "expires_seconds": "--expires",
    "pin": "--pin-stdin",
    "venues": "--venue",
    "permissions": "--may",
    "Idempotency-Key": "--key",
}
"""Where the option is not simply called as the field is."""
_NAMES: Final = re.compile(
    rf"(?<![\w.'\"-])(?:{'|'.join(sorted(map(re.escape, _OPTIONS), key=len, reverse=True))})"
    r"(?:\[\d+\])?(?![\w.'\"-]*\w)"
)
_TIME: Final = re.compile(
    r"(?<!['\"\w])\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)(?!['\"\w])"
)


def as_typed(line: str, errors: Any, options: Collection[str]) -> str:
    """An error's line with options for fields; `errors` are those of an Invalid, `options` the
    command's. Times with an offset become readable, unless they are quoted: then somebody typed
    them so."""
    for one in errors if isinstance(errors, list) else ():
        field, message = str(one.get("field")), str(one.get("message"))
        option = _option(field)
        if option in options:
            line = line.replace(f"{field}: {message}", f"{option}: {message}")
    line = _NAMES.sub(
        lambda found: option if (option := _option(found[0])) in options else found[0], line
    )
    return _TIME.sub(lambda found: clock_text(found[0]), line)


def _option(field: str) -> str:
    field = re.sub(r"\[\d+\]$", "", field)
    return _OPTIONS.get(field) or f"--{field.replace('_', '-')}"


def options_of(program: click.Group, words: Sequence[str]) -> set[str]:
    """The options of the command that these words of a command line call; none for a group."""
    command: click.Command | None = program
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            command = command.get_command(click.Context(command), word)
    if command is None or isinstance(command, click.Group):
        return set()
    return {option for one in command.params for option in one.opts if option.startswith("--")}
