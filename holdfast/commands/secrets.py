"""Passphrases: asked without showing them, or read from standard input where nobody types.

Owns the asking. Nothing here keeps one, and none is ever an argument, which other users could see.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from holdfast.model.errors import Invalid

Command = TypeVar("Command", bound=Callable[..., Any])


def ask_new_passphrase(*, from_stdin: bool) -> bytes:
    """The passphrase for a new file of the root key; empty where nobody gives one: a program that
    runs this and has its standard input open is not waited for. Raises Invalid."""
    if from_stdin:
        return read_passphrase(from_stdin=True)
    if not sys.stdin.isatty():
        return b""
    text = click.prompt(
        "Passphrase for the file, or nothing to leave it in clear",
        default="", show_default=False, hide_input=True, confirmation_prompt=True, err=True,
    )  # fmt: skip
    return str(text).encode()


def passphrase_option(command: Command) -> Command:
    """`--passphrase-stdin`, for a command that may need the passphrase of the root key's file."""
    return click.option(
        "--passphrase-stdin",
        is_flag=True,
        help="Read the passphrase from standard input, one line, also at a terminal.",
    )(command)


def read_passphrase(*, from_stdin: bool) -> bytes:
    """The passphrase of the root key's file: asked for at a terminal, unless it is to be read
    `from_stdin`. Raises Invalid where standard input has none."""
    if sys.stdin.isatty() and not from_stdin:
        text = click.prompt("Passphrase of the root key", hide_input=True, err=True)
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise Invalid.field(
            "passphrase",
            "is needed: type it at a terminal, or give it as a line of standard input"
            " (--passphrase-stdin)",
        )
    return str(text).encode()


def read_root_file(file: Path, *, from_stdin: bool) -> tuple[bytes, bytes]:
    """The root key's file, and its passphrase where it is encrypted, as `read_passphrase` has it.
    Raises Invalid."""
    from holdfast.node.issuing import is_encrypted

    try:
        pem = file.read_bytes()
    except OSError as error:
        raise Invalid.field("root", f"{file} cannot be read ({error.strerror})") from error
    return pem, read_passphrase(from_stdin=from_stdin) if is_encrypted(pem) else b""
