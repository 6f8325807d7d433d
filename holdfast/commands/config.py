"""`holdfast config`: the settings of a data directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from holdfast.commands.options import Group, directory_option, json_option
from holdfast.commands.words import plain

_FOR_TESTS: Final = ("test_wall",)
"""Settings that nobody sets who runs a house: in the list they stand where they are set alone."""


@click.group(cls=Group)
def config() -> None:
    """The settings of a data directory: config.toml there, and HOLDFAST_… variables."""


@config.command()
@click.argument("name", required=False, metavar="[NAME]")
@directory_option
@json_option
def get(name: str | None, data: Path, as_json: bool) -> None:
    """Show all settings in force, or one."""
    from holdfast.commands.output import say, show_fields, show_json
    from holdfast.commands.session import require_directory
    from holdfast.node.settings import load

    require_directory(data)
    # Read from the directory itself: the file says the same whether the process runs or not.
    settings = load(data).show()
    if name is not None and name not in settings:
        raise click.UsageError(f"{name!r} is not a setting; there are {', '.join(settings)}")
    if as_json:
        show_json(settings if name is None else {name: settings[name]})
    elif name is not None:
        say(_words(settings[name]))
    else:
        shown = {key: value for key, value in settings.items() if value or key not in _FOR_TESTS}
        show_fields((key, _words(value)) for key, value in shown.items())


def _words(value: Any) -> str:
    return "none" if value in ("", [], None) else plain(value)
