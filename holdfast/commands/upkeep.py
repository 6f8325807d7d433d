"""`holdfast backup`, `restore`, `doctor` and `upgrade`: the care of a data directory."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from holdfast.commands.options import data_option, file_argument, json_option


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@data_option
@json_option
def backup(file: Path, data: Path, as_json: bool) -> None:
    """Write a consistent copy, also while the process runs: holdfast backup FILE --data DIR."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import require_directory
    from holdfast.node.upkeep import backup_directory

    require_directory(data)
    # Reads a snapshot beside the running process: the file belongs to whoever asks for it.
    written = backup_directory(data, file)
    if as_json:
        show_json(written)
    else:
        say(f"The copy is in {file}. It holds keys: keep it as safe as {data} itself.")


@click.command()
@file_argument("file")
@data_option
@json_option
def restore(file: Path, data: Path, as_json: bool) -> None:
    """Make a new data directory from a backup, as another life of the one it was taken from."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import is_hub
    from holdfast.node.upkeep import restore as restore_directory

    restore_directory(file, data)
    role = "hub" if is_hub(data) else "node"
    following = f"holdfast {role} run --data {shlex.quote(str(data))}"
    if as_json:
        show_json({"directory": str(data), "role": role, "next": following})
        return
    say(f"{data} is restored, as another life of the {role}. What was sold since is not in it.")
    say(f"next: {following}")


@click.command()
@data_option
@click.option("--fix", is_flag=True, help="Mend what can be mended without losing anything.")
@json_option
def doctor(data: Path, fix: bool, as_json: bool) -> int:
    """Check database, chains, projections, clock, disk, permissions; status 1: one is bad."""
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
            ["check", "", "detail", "way out"],
            ([c["name"], "ok" if c["ok"] else "BAD", c["detail"], c["way_out"]] for c in checks),
        )
    if bad:
        faults = "; ".join(f"{c['name']}: {c['detail']}, {c['way_out']}" for c in bad)
        remark(f"error: {data} is not sound: {faults}")
    return 1 if bad else 0


@click.command()
@data_option
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
