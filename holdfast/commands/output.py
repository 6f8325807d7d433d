"""How answers are printed: one JSON document, or tables that fit the terminal.

Owns standard output. With `--json` nothing else is written there; colours appear only on a
terminal, and a pipe gets lines as long as they need to be, so that no id is ever cut.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import click

from holdfast.commands.words import (
    clock_text,
    day_text,
    moment_text,
    plain,
    shortened,
    time_text,
    venue_hint,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_PIPE_WIDTH: Final = 100_000
_WHOLE_CHARS: Final = 23
"""A time with its zone has so many characters: what is no longer is not broken over lines."""
_WORD_CHARS: Final = 20
"""Narrower than this, a column of sentences is no longer read but spelled."""
_GAP: Final = 2
_UNBROKEN: Final = re.compile(r"(?:[^\s`]|`[^`]*`|`)+")
"""A word, or a command between backticks with what adjoins it."""


class Column(NamedTuple):
    """A column of a table, and what becomes of it where a terminal is too narrow for all of them.

    `short`: its values are cut to so many characters, which is enough to recognise an id; 0: never.
    `drop`: it is left out, the column with the highest number first; 0: never. `below`: instead of
    being left out it goes under each row. `least`: so wide sentences must be to be read, rather
    than broken after every other word. A pipe and `--json` get everything.
    """

    name: str
    short: int = 0
    drop: int = 0
    below: bool = False
    least: int = 0


def show_json(document: Any) -> None:
    """Print one JSON document."""
    unicode = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(document, indent=2, ensure_ascii=not unicode))


def show_table(
    columns: Sequence[str | Column],
    rows: Iterable[Sequence[Any]],
    *,
    empty: str = "nothing",
    by_day: Literal["venue", "here"] | None = None,
) -> None:
    """Print rows under their headings, or the words for none. Columns without a value are left out.

    Of the first column, which identifies the row, and of short values such as times nothing is
    broken over lines; the others share what room there is. Where a terminal has too little of it,
    columns are shortened and left out as they say, and if that is not enough, each row becomes a
    list of names and values. `by_day`: the first column are RFC 3339 times in order, at a venue or
    of machines (shown on the reader's clock); a terminal shows each day once, above its rows.
    """
    all_rows = [list(row) for row in rows]
    if not all_rows:
        say(empty)
        return
    named = [column if isinstance(column, Column) else Column(column) for column in columns]
    days, times, hint = _days_and_times(all_rows, by_day)
    cells = [[clock_text(plain(cell)) for cell in row] for row in all_rows]
    if by_day == "here":
        for row, one in zip(cells, all_rows, strict=True):
            row[0] = moment_text(one[0])
    table = _Table(named, cells)
    if not table.fit(_console().width, first=max(map(len, times)) if times else None):
        table.show_one_by_one()
    elif days:
        for row, time in zip(table.rows, times, strict=True):
            row[0] = time
        first = 0
        for day, group in itertools.groupby(days):
            count = len(list(group))
            _print(_emphasised(f"\n{day}" if first else f"{day}{hint}"))
            table.show(first, first + count, header=not first)
            first += count
    else:
        table.show(0, len(table.rows), header=True)


def _days_and_times(rows: list[list[Any]], by_day: str | None) -> tuple[list[str], list[str], str]:
    """The day and the time of each row, and whose clock they are on; nothing for a pipe."""
    if by_day is None or not sys.stdout.isatty():
        return [], [], ""
    if by_day == "venue":
        times = [str(row[0]) for row in rows]
        return [day_text(t) for t in times], [time_text(t) for t in times], venue_hint(times)
    moments = [moment_text(row[0]) for row in rows]
    hint = f" ({moments[0][20:]})"
    return [day_text(t) for t in moments], [t[11:19] for t in moments], hint


class _Table:
    """Cells as texts, and how wide each column may be."""

    def __init__(self, columns: Sequence[Column], rows: list[list[str]]) -> None:
        self.columns = columns
        self.rows = rows
        self._shown = [n for n in range(len(columns)) if n == 0 or any(row[n] for row in rows)]
        self._below: list[int] = []
        self._whole: list[bool] = []
        self._widths: list[int] = []

    def fit(self, room: int, first: int | None) -> bool:
        """Shorten and leave out what must be; False where that is not enough. `first`: the width
        of the first column's values, if not as they are."""
        self._measure(first)
        if self._needed() > room:
            for n, column in enumerate(self.columns):
                for row in self.rows:
                    row[n] = shortened(row[n], column.short) if column.short else row[n]
            self._measure(first)
        while self._needed() > room:
            least = max(self._shown, key=lambda n: self.columns[n].drop)
            if not self.columns[least].drop:
                return False
            self._shown.remove(least)
            if self.columns[least].below:
                self._below.insert(0, least)
            self._measure(first)
        self._share(room)
        return True

    def _measure(self, first: int | None) -> None:
        self._widths, self._whole = [], []
        for n in self._shown:
            longest = max(cell_len(row[n]) for row in self.rows)
            longest = first if n == 0 and first is not None else longest
            keep = n == 0 or bool(self.columns[n].short)
            self._whole.append(keep or longest <= _WHOLE_CHARS)
            self._widths.append(max(len(self.columns[n].name), longest))

    def _needed(self) -> int:
        least = [
            width if whole else min(width, max(_WORD_CHARS, self.columns[n].least))
            for n, width, whole in zip(self._shown, self._widths, self._whole, strict=True)
        ]
        return sum(least) + _GAP * (len(least) - 1)

    def _share(self, room: int) -> None:
        """What is left over for the columns of sentences, the short ones first."""
        gaps = _GAP * (len(self._widths) - 1)
        pairs = zip(self._widths, self._whole, strict=True)
        left = room - gaps - sum(width for width, whole in pairs if whole)
        broken = [n for n, whole in enumerate(self._whole) if not whole]
        for place, n in enumerate(sorted(broken, key=lambda n: self._widths[n])):
            self._widths[n] = min(self._widths[n], left // (len(broken) - place))
            left -= self._widths[n]

    def show(self, first: int, end: int, *, header: bool) -> None:
        rows = self.rows[first:end]
        if not self._below:
            self._show_rows(rows, header=header)
            return
        for number, row in enumerate(rows):
            self._show_rows([row], header=header and not number)
            for n in self._below:
                if row[n]:
                    say(f"{self.columns[n].name}: {row[n]}", indent=_GAP)

    def _show_rows(self, rows: list[list[str]], *, header: bool) -> None:
        widths = list(zip(self._shown, self._widths, strict=True))
        if all(cell_len(row[n]) <= width for row in rows for n, width in widths):
            self._show_unbroken(rows, widths, header=header)
        else:
            self._show_folded(rows, header=header)

    def _show_unbroken(
        self, rows: list[list[str]], widths: list[tuple[int, int]], *, header: bool
    ) -> None:
        """Nothing is broken over lines: thousands of rows are out at once this way."""

        def line(cells: Sequence[str]) -> str:
            padded = (cells[n] + " " * (width - cell_len(cells[n])) for n, width in widths)
            return (" " * _GAP).join(padded).rstrip()

        if header:
            _print(_emphasised(line([column.name for column in self.columns])))
        click.echo("\n".join(map(line, rows)))

    def _show_folded(self, rows: list[list[str]], *, header: bool) -> None:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", show_header=header)
        for n, width, whole in zip(self._shown, self._widths, self._whole, strict=True):
            table.add_column(self.columns[n].name, overflow="fold", no_wrap=whole, width=width)
        for row in rows:
            table.add_row(*(Text(row[n]) for n in self._shown))
        _print(table)

    def show_one_by_one(self) -> None:
        for number, row in enumerate(self.rows):
            if number:
                click.echo("")
            show_fields((column.name, row[n]) for n, column in enumerate(self.columns))


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


def say(line: str, *, indent: int = 0) -> None:
    """Print a sentence for a person on standard output, broken between words where a terminal is
    too narrow for it. `indent`: so many blanks before each of its lines."""
    for part in _fitting(plain(line), sys.stdout, indent):
        click.echo(part)


def copied(lines: Iterable[str]) -> None:
    """Print lines that hold commands to be copied: nothing breaks them."""
    for line in lines:
        click.echo(plain(line))


def remark(line: str) -> None:
    """Print a sentence for a person on standard error, beside the data, as `say` does."""
    for part in _fitting(plain(line), sys.stderr, 0):
        click.echo(part, err=True)


def _fitting(line: str, stream: Any, indent: int) -> list[str]:
    """A sentence in lines that a terminal has room for; a pipe gets it in one. What stands between
    backticks is a command to be copied, and stays in one line."""
    before = " " * indent
    if not stream.isatty():
        return [before + line]
    room = shutil.get_terminal_size().columns
    lines: list[str] = []
    for word in _UNBROKEN.findall(line):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(before + word)
    return lines or [before]


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


def cell_len(text: str) -> int:
    """How many columns of a terminal a text takes."""
    from rich.cells import cell_len as measured

    return measured(text)


def _emphasised(text: str) -> Any:
    from rich.text import Text

    return Text(text, "bold")


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
