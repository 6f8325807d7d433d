"""Fields of the HTTP interface and times in an error, as they are spelled on the command line.

Owns which option stands for which field. A field is only called by an option that the command has,
so that a venue file's `venue` stays what it is. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

import click

from holdfast.commands.words import clock_text, venue_hint

_OPTIONS: Final = {
    "starts_at": "--at",
    "override.reason": "--override",
    "party_size": "--party",
    "actual_party_size": "--party",
    "ends_at": "--until",
    "duration_minutes": "--minutes",
    "force": "--force",
    "resources": "--resource",
    "user_id": "--user",
    "agent_id": "--agent",
    "guest.name": "--guest-name",
    "guest.phone": "--guest-phone",
    "guest.email": "--guest-email",
    "expires_seconds": "--expires",
    "pin": "--pin-stdin",
    "venues": "--venue",
    "permissions": "--may",
    "tags": "--tag",
    "Idempotency-Key": "--key",
}
"""Where the option is not simply called as the field is."""
_SHORT: Final = {"minutes": "--hold-minutes", "rrule": "--repeat"}
"""The same, of fields that are called as an ordinary word is, or differently by another command:
only faults are spelled so."""
_ARGUMENTS: Final = {"q": "TEXT"}
"""Where the argument is not simply called as the field is, in capitals."""
_NAMES: Final = re.compile(
    rf"(?<![\w.'\"-])(?:{'|'.join(sorted(map(re.escape, _OPTIONS), key=len, reverse=True))})"
    r"(?:\[\d+\])?(?![\w.'\"-]*\w)"
)
_TIME: Final = re.compile(
    r"(?<!['\"\w])\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)(?!['\"\w])"
)


_ELSEWHERE: Final = {"resources", "area", "nights", "venue", "venues", "root", "pin"}
"""Fields whose faults no command line shows by itself: a venue, a file or standard input does."""


def as_typed(line: str, errors: Any, options: Collection[str]) -> str:
    """An error's line with options for fields; `errors` are those of an Invalid, `options` the
    command's, with its arguments in capitals. Times with an offset become readable, unless they are
    quoted: then somebody typed them so."""
    for one in errors if isinstance(errors, list) else ():
        field, message = str(one.get("field")), str(one.get("message"))
        typed = _typed(field, options)
        if typed is not None:
            line = line.replace(f"{field}: {message}", f"{typed}: {message}")
    line = _NAMES.sub(
        lambda found: option if (option := _option(found[0])) in options else found[0], line
    )
    return _TIME.sub(lambda found: f"{clock_text(found[0])}{venue_hint([found[0]])}", line)


def is_wrong_usage(errors: Any, options: Collection[str]) -> bool:
    """Whether these faults of an Invalid are all of what was typed, whatever is in the directory:
    an option or an argument of the command that says nothing that can be understood."""
    fields = [str(one.get("field")) for one in errors] if isinstance(errors, list) else []
    return bool(fields) and all(
        _plain_name(field) not in _ELSEWHERE and _typed(field, options) is not None
        for field in fields
    )


def _typed(field: str, options: Collection[str]) -> str | None:
    """What a field is called on this command line; None where it is not typed there."""
    argument = _ARGUMENTS.get(field) or field.upper()
    names = (_SHORT.get(field, ""), _option(field), argument)
    return next((name for name in names if name in options), None)


def _plain_name(field: str) -> str:
    return re.sub(r"\[\d+\]$", "", field)


def _option(field: str) -> str:
    field = _plain_name(field)
    return _OPTIONS.get(field) or f"--{field.replace('_', '-').lower()}"


def called(program: click.Group, words: Sequence[str]) -> tuple[str, set[str]]:
    """The command that these words of a command line call, such as `holdfast queue show`, with its
    options and, in capitals, its arguments; of a group none."""
    command: click.Command | None = program
    path = "holdfast"
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            command = command.get_command(click.Context(command), word)
            path = f"{path} {word}"
    if command is None or isinstance(command, click.Group):
        return path, set()
    options = {option for one in command.params for option in one.opts if option.startswith("--")}
    arguments = {one.human_readable_name for one in command.params} - options
    return path, options | {name.strip("[]").upper() for name in arguments}
