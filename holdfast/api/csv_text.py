"""Tables as CSV: RFC 4180, and nothing in them that a spreadsheet takes for a formula.

Owns the form and nothing of what is told.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

MEDIA_TYPE: Final = "text/csv"
"""In UTF-8, which the answer says beside it."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a text begins that spreadsheets work out instead of showing it."""


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A header line and a line for each row; None is an empty cell. A text that a spreadsheet would
    take for a formula begins with an apostrophe, which it takes for a text."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
