"""Passphrases: asked without showing them, or read from standard input where nobody types.

Owns the asking. Nothing here keeps one, and none is ever an argument, which other users could see.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from holdfast.model.errors import Invalid
from holdfast.node.issuing import is_encrypted


def ask_new_passphrase(*, from_stdin: bool) -> bytes:
    """The passphrase for a new file of the root key; empty where nobody gives one: a program that
    runs this and has its standard input open is not waited for. Raises Invalid."""
    if from_stdin:
        return read_passphrase()
    if not sys.stdin.isatty():
        return b""
    text = click.prompt(
        "Passphrase for the file, or nothing to leave it in clear",
        default="", show_default=False, hide_input=True, confirmation_prompt=True, err=True,
    )  # fmt: skip
    return str(text).encode()


def read_passphrase() -> bytes:
    """The passphrase of the root key's file. Raises Invalid where standard input has none."""
    if sys.stdin.isatty():
        text = click.prompt("Passphrase of the root key", hide_input=True, err=True)
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise Invalid.field(
            "passphrase",
            "is needed: type it, or give it on standard input",
        )
    return str(text).encode()


def read_root_file(file: Path) -> tuple[bytes, bytes]:
    """The root key's file, and its passphrase where it is encrypted. Raises Invalid."""
    try:
        pem = file.read_bytes()
    except OSError as error:
        raise Invalid.field("root", f"{file} cannot be read ({error.strerror})") from error
    return pem, read_passphrase() if is_encrypted(pem) else b""
