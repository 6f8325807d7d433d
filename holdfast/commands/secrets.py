"""Passphrases: asked without showing them, or read from standard input where nobody types.

Owns the asking. Nothing here keeps one, and none is ever an argument, which other users could see.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from holdfast.model.errors import Invalid
from holdfast.node.issuing import is_encrypted


def read_passphrase(*, twice: bool = False) -> bytes:
    """A passphrase of the root key's file; `twice` for a new one. Raises Invalid where standard
    input has none."""
    if sys.stdin.isatty():
        text = click.prompt(
            "Passphrase of the root key", hide_input=True, confirmation_prompt=twice, err=True
        )
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise Invalid.field(
            "passphrase",
            "is needed: type it, or give it on standard input; --plain writes the key in clear",
        )
    return str(text).encode()


def read_root_file(file: Path) -> tuple[bytes, bytes]:
    """The root key's file, and its passphrase where it is encrypted. Raises Invalid."""
    try:
        pem = file.read_bytes()
    except OSError as error:
        raise Invalid.field("root", f"{file} cannot be read ({error.strerror})") from error
    return pem, read_passphrase() if is_encrypted(pem) else b""
