"""How answers are printed: one JSON document, or tables that fit the terminal.

Owns standard output. With `--json` nothing else is written there; colours appear only on a
terminal, and a pipe gets lines as long as they need to be, so that no id is ever cut.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands.words import clock_text, plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_PIPE_WIDTH: Final = 100_000
_WHOLE_CHARS: Final = 16
"""A date with a time has so many characters."""
_WORD_CHARS: Final = 20
"""Narrower than this, a column of sentences is no longer read but spelled."""


def show_json(document: Any) -> None:
    """Print one JSON document."""
    unicode = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(document, indent=2, ensure_ascii=not unicode))


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "nothing"
) -> None:
    """Print rows under their headings, or the words for none. Columns without a value are left out.

    Of the first column, which identifies the row, and of short values such as times nothing is
    broken over lines; the others share what room there is. Where a terminal has too little of it,
    each row becomes a list of names and values.
    """
    from rich.table import Table
    from rich.text import Text

    cells = [[plain(cell) for cell in row] for row in rows]
    if not cells:
        click.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    shown = [n for n in range(len(columns)) if n == 0 or any(row[n] for row in cells)]
    needed = 2 * (len(shown) - 1)
    for n in shown:
        longest = max(len(row[n]) for row in cells)
        whole = n == 0 or longest <= _WHOLE_CHARS
        table.add_column(columns[n], overflow="fold", no_wrap=whole)
        needed += max(len(columns[n]), longest if whole else _WORD_CHARS)
    if needed > _console().width:
        _show_one_by_one([columns[n] for n in shown], [[row[n] for n in shown] for row in cells])
        return
    for row in cells:
        table.add_row(*(Text(row[n]) for n in shown))
    _print(table)


def _show_one_by_one(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for n, row in enumerate(rows):
        if n:
            click.echo("")
        show_fields(zip(names, row, strict=True))


def show_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """Print names and values, one pair a line; pairs without a value are left out."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        if value not in (None, "", [], {}):
            table.add_row(Text(name), Text(clock_text(plain(value))))
    _print(table)


def show_document(document: dict[str, Any]) -> None:
    """Print an object of any shape as names and values; inner objects get dotted names."""
    show_fields(_flattened("", document))


def say(line: str) -> None:
    """Print a line for a person on standard output."""
    click.echo(plain(line))


def remark(line: str) -> None:
    """Print a line for a person on standard error, beside the data."""
    click.echo(plain(line), err=True)


def progress() -> Progress:
    """A progress bar on standard error; silent where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[done]}"),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr, markup=False, highlight=False),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _flattened(prefix: str, document: dict[str, Any]) -> list[tuple[str, Any]]:
    fields: list[tuple[str, Any]] = []
    for name, value in document.items():
        words = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, dict) and value:
            fields += _flattened(f"{words}.", value)
        else:
            fields.append((words, value))
    return fields


def _print(table: Any) -> None:
    console = _console()
    if console.is_terminal:
        console.print(table)
        return
    # Rich fills each line up to its column's width; a pipe is spared the blanks at the end.
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def _console() -> Console:
    from rich.console import Console

    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        force_terminal=terminal,
        width=None if terminal else _PIPE_WIDTH,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
    )
