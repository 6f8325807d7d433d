"""`holdfast backup`, `restore`, `doctor` and `upgrade`: the care of a data directory."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Final

import click

from holdfast.commands.options import directory_option, file_argument, json_option

_CHECKED: Final = {
    "lock": "in use",
    "schema": "version",
    "chains": "record",
    "unsealed": "signatures",
    "projections": "what is shown",
    "guest index": "finding guests",
    "permissions": "secrets",
    "rules": "rules that were added",
    "write-ahead log": "new changes",
}
"""The doctor's checks as a person calls them; the others are called what they are."""


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@directory_option
@json_option
def backup(file: Path, data: Path, as_json: bool) -> None:
    """Write a consistent copy, also while the process runs.

    \b
    Such as:
      holdfast backup desk.backup --data desk
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import require_directory
    from holdfast.node.upkeep import backup_directory

    require_directory(data)
    replaced = file.is_file() and file.stat().st_size > 0
    # Reads a snapshot beside the running process: the file belongs to whoever asks for it.
    written = backup_directory(data, file)
    if as_json:
        show_json(written)
    else:
        earlier = " The earlier backup there was replaced." if replaced else ""
        say(f"The copy is in {file}.{earlier} It holds keys: keep it as safe as {data} itself.")


@click.command()
@file_argument("file")
@directory_option
@json_option
def restore(file: Path, data: Path, as_json: bool) -> None:
    """Make a new data directory from a backup, as another life of the one it was taken from."""
    from holdfast.commands.output import copied, say, show_json
    from holdfast.commands.session import is_hub
    from holdfast.node.upkeep import restore as restore_directory

    restore_directory(file, data)
    role = "hub" if is_hub(data) else "node"
    following = f"holdfast {role} run --data {shlex.quote(str(data))}"
    if as_json:
        show_json({"directory": str(data), "role": role, "next": following})
        return
    say(f"{data} is restored, as another life of the {role}. What was sold since is not in it.")
    if role == "node":
        say("It shows no guest's name until it has exchanged with the hub once.")
    copied([f"next: {following}"])


@click.command()
@directory_option
@click.option("--fix", is_flag=True, help="Mend what can be mended without losing anything.")
@json_option
def doctor(data: Path, fix: bool, as_json: bool) -> int:
    """Check a data directory, also beside its running process; status 1: something is bad.

    Looks at the database, at whether all that was written is there and unaltered, at what is shown,
    the clock, the disk, and who may read the keys. Each line says what it means and what to do.

    \b
    Such as:
      holdfast doctor --data desk
    """
    from holdfast.commands.audit import as_document
    from holdfast.commands.output import remark, show_json, show_table
    from holdfast.commands.session import require_directory
    from holdfast.node.upkeep import doctor as examine

    require_directory(data)
    checks = [as_document(check) for check in examine(data, fix)]
    bad = [check for check in checks if not check["ok"]]
    if as_json:
        show_json({"ok": not bad, "checks": checks})
    else:
        show_table(
            ["checked", "", "which means"],
            ([_name(c), "ok" if c["ok"] else "BAD", _meaning(c)] for c in checks),
        )
    if bad:
        names = ", ".join(map(_name, bad))
        remark(f"error: {data} is not sound: {names}; each has its way out above")
    return 1 if bad else 0


@click.command()
@directory_option
@click.option("--check", is_flag=True, required=True, help="Look only; change nothing.")
@json_option
def upgrade(data: Path, check: bool, as_json: bool) -> int:
    """Whether this version can use the directory, and what it would change in it."""
    from holdfast.commands.audit import as_document
    from holdfast.commands.output import show_document, show_json
    from holdfast.commands.session import require_directory
    from holdfast.node.upkeep import upgrade_check

    require_directory(data)
    found = as_document(upgrade_check(data))
    if as_json:
        show_json(found)
    else:
        show_document(found)
    return 0 if found.get("ok", True) else 1


def _name(check: dict[str, Any]) -> str:
    return _CHECKED.get(check["name"], str(check["name"]))


def _meaning(check: dict[str, Any]) -> str:
    if not check["way_out"]:
        return str(check["detail"])
    return f"{check['detail'].rstrip('.')}. TO DO: {check['way_out']}"
