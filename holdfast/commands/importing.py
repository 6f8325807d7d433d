"""An import: a CSV file or a calendar read by its mapping, sent in batches, summed up for a person.

Owns the reading of the file and the summary. What a row means stands in `holdfast.model.mapping`,
what a record becomes is decided behind the HTTP interface. A line that cannot be read is reported
with its number, and the rest goes in.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from holdfast.model.calendar_file import is_calendar, read_events
from holdfast.model.errors import Invalid
from holdfast.model.limits import (
    BODY_BYTES_MAX,
    CALENDAR_FILE_BYTES_MAX,
    IMPORT_BATCH_RECORDS,
)
from holdfast.model.mapping import (
    ImportMapping,
    ImportRecord,
    Row,
    RowProblem,
    missing_columns,
    read_mapping,
    read_records,
)
from holdfast.model.mapping_file import CALENDAR_COLUMNS
from holdfast.node.words import counted, sentences

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_LINES_SHOWN: Final = 5
_FIRST_LINE_BYTES: Final = 200
_BATCH_BYTES: Final = BODY_BYTES_MAX * 3 // 4
IMPORTED: Final = "imported"
PRESENT: Final = "present"
CANCELLED: Final = "cancelled"


class Tally:
    """What became of the lines: counts by fate and rule, and the lines concerned."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()
        self.left_out: defaultdict[str, list[RowProblem]] = defaultdict(list)
        self.noted: defaultdict[str, list[RowProblem]] = defaultdict(list)
        self.refused: defaultdict[str, list[RowProblem]] = defaultdict(list)

    def problem(self, problem: RowProblem) -> None:
        (self.left_out if problem.left_out else self.noted)[problem.rule].append(problem)

    def document(self, venue: str) -> dict[str, Any]:
        return {
            "venue": venue,
            "imported": self.fates[IMPORTED],
            "already_there": self.fates[PRESENT],
            "cancelled": self.fates[CANCELLED],
            "left_out": sum(len(problems) for problems in self.left_out.values()),
            "refused": sum(len(problems) for problems in self.refused.values()),
            "rules": {
                "left_out": _by_rule(self.left_out),
                "noted": _by_rule(self.noted),
                "refused": _by_rule(self.refused),
            },
        }


def import_file(
    directory: Path, file: Path, mapping_file: Path | None, venue: str | None = None
) -> dict[str, Any]:
    """Bring the rows of the mapping's venue in, or of `venue`; returns the summary. Raises Invalid
    and what the interface raises."""
    from holdfast.commands.output import progress
    from holdfast.commands.session import open_session

    calendar = _is_calendar(file)
    mapping = _mapping(mapping_file, venue, calendar=calendar)
    tally = Tally()
    with open_session(directory) as session, _opened(file) as raw, progress() as bar:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        task = bar.add_task("importing", total=file.stat().st_size, done="")
        if calendar:
            rows = _events(text, file, tally)
        else:
            rows = numbered_rows(csv.DictReader(text), mapping, file, tally)
        for batch in _batches(read_records(mapping, rows), tally):
            _send(session, mapping.venue, batch, tally)
            done = counted(sum(tally.fates.values()), "reservation")
            bar.update(task, completed=raw.tell(), done=done)
    return tally.document(mapping.venue)


def numbered_rows(
    reader: csv.DictReader[str], mapping: ImportMapping, file: Path, tally: Tally
) -> Iterator[tuple[int, Row]]:
    """The rows that can be read, with the line each ends at; the others go to the tally."""
    try:
        header = reader.fieldnames or []
    except csv.Error as error:
        raise Invalid(f"{file} has no readable first line ({error}); is it a CSV file?") from error
    missing = missing_columns(mapping, header)
    if missing:
        raise Invalid(
            f"{file} has no column {', '.join(missing)}, which the mapping {mapping.name!r} needs"
        )
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Only the reader inside has counted the line that it could not read.
            line = reader.reader.line_num
            tally.problem(RowProblem(line, "columns", f"is no CSV: {error}"))
            continue
        if _is_utf8(row):
            yield reader.line_num, row
        else:
            tally.problem(RowProblem(reader.line_num, "encoding", "is not in UTF-8"))


def show_summary(summary: dict[str, Any]) -> None:
    """The summary in words: what went in, and for the rest each rule with its first lines."""
    from holdfast.commands.output import say, show_table

    say(f"{summary['venue']}: {summary['imported']} imported, "
        f"{summary['already_there']} already there, {summary['left_out']} left out, "
        f"{summary['refused']} refused.")  # fmt: skip
    if summary["cancelled"]:
        say(f"Called off here too, as the calendar says: {summary['cancelled']}.")
    words = {"left_out": "left out", "noted": "imported, but odd", "refused": "refused"}
    rows = [
        [rule, words[fate], found["count"], _lines_words(found), found["first"]]
        for fate, rules in summary["rules"].items()
        for rule, found in rules.items()
    ]
    if rows:
        show_table(["rule", "fate", "lines", "which", "the first"], rows)


# --- reading --------------------------------------------------------------------------------------


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise Invalid(f"{file} cannot be read ({error.strerror}); check its mode") from error


def _is_calendar(file: Path) -> bool:
    with _opened(file) as raw:
        first = raw.readline(_FIRST_LINE_BYTES).decode("utf-8-sig", "replace")
    return is_calendar(file.name, first)


def _events(text: IO[str], file: Path, tally: Tally) -> Iterator[tuple[int, Row]]:
    """The events that can be read, with the line each begins at; the others go to the tally."""
    if file.stat().st_size > CALENDAR_FILE_BYTES_MAX:
        most = CALENDAR_FILE_BYTES_MAX // 2**20
        raise Invalid(f"{file} is larger than {most} MB; export a shorter time at once")
    # Not `splitlines`: texts of people have separators of other kinds inside.
    lines = text.read().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not any(line.strip().upper() == "BEGIN:VCALENDAR" for line in lines):
        raise Invalid(
            f"{file} has no line BEGIN:VCALENDAR; is it a calendar (iCalendar, RFC 5545)?"
        )
    for found in read_events(lines):
        if isinstance(found, RowProblem):
            tally.problem(found)
        else:
            yield found


def _mapping(file: Path | None, venue: str | None, *, calendar: bool) -> ImportMapping:
    """The mapping of a file, or for a calendar what holds without one."""
    if file is not None:
        mapping = _read_mapping(file, venue, calendar=calendar)
    elif calendar and venue is not None:
        mapping = read_mapping({"venue": venue}, calendar=True)
    elif calendar:
        raise Invalid("whose calendar it is must be said: --venue V, or --map with a mapping")
    else:
        raise Invalid("a CSV file needs a mapping of its columns: --map MAP.toml (docs/import.md)")
    return mapping


def _read_mapping(file: Path, venue: str | None, *, calendar: bool) -> ImportMapping:
    try:
        document = tomllib.loads(file.read_text("utf-8-sig"))
        if venue is not None:
            document = {**document, "venue": venue}
        mapping = read_mapping(document, calendar=calendar)
        if calendar and (unknown := missing_columns(mapping, CALENDAR_COLUMNS)):
            raise Invalid(
                f"{file} names the column {', '.join(unknown)}, which no event has; an event has "
                f"{', '.join(CALENDAR_COLUMNS)}"
            )
        return mapping
    except OSError as error:
        raise Invalid(f"{file} cannot be read ({error.strerror}); check its mode") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} is no TOML: {error}") from error
    except Invalid as error:
        if "errors" not in error.extra:
            raise
        raise Invalid(f"{file}: {error.detail}", error.extra["errors"]) from error


def _is_utf8(row: Row) -> bool:
    # What was no UTF-8 came in as surrogates, which cannot be written again.
    try:
        for value in row.values():
            for text in value if isinstance(value, list) else [value or ""]:
                text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _batches(
    found: Iterator[ImportRecord | RowProblem], tally: Tally
) -> Iterator[list[tuple[ImportRecord, bytes]]]:
    """Records with their lines of NDJSON, as many as one request takes."""
    batch: list[tuple[ImportRecord, bytes]] = []
    size = 0
    for one in found:
        if isinstance(one, RowProblem):
            tally.problem(one)
            continue
        line = msgspec.json.encode(one)
        if batch and (len(batch) >= IMPORT_BATCH_RECORDS or size + len(line) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((one, line))
        size += len(line) + 1
    if batch:
        yield batch


# --- sending --------------------------------------------------------------------------------------


def _send(
    session: Session, venue: str, batch: list[tuple[ImportRecord, bytes]], tally: Tally
) -> None:
    """One request, and what became of its records: `imported`, `present` and `cancelled` are
    counts, `left_out` and `refused` are problems by line, `unreadable` are lines of the request."""
    answer = session.request(
        "POST",
        "/reservations/import",
        params={"venue": venue},
        content=b"".join(line + b"\n" for _, line in batch),
    )
    report = answer.data
    for fate in (IMPORTED, PRESENT, CANCELLED):
        tally.fates[fate] += report[fate]
    gone: set[int] = set()
    for one in report["left_out"]:
        problem = msgspec.convert(one, RowProblem)
        tally.problem(problem)
        gone |= {problem.line} if problem.left_out else set()
    for one in report["refused"]:
        problem = msgspec.convert(one, RowProblem)
        tally.refused[problem.rule].append(problem)
        gone.add(problem.line)
    for one in report.get("unreadable", []):
        record = batch[one["number"] - 1][0]
        message = sentences(f"{fault['field']}: {fault['message']}" for fault in one["errors"])
        tally.refused["record"].append(RowProblem(record.line, "record", message))
        gone.add(record.line)
    for record, _ in batch:
        # What is odd about a line that did not come in is nobody's concern.
        for note in record.notes if record.line not in gone else ():
            tally.problem(note)


def _by_rule(problems: dict[str, list[RowProblem]]) -> dict[str, Any]:
    return {
        rule: {
            "count": len(found),
            "lines": [problem.line for problem in found[:_LINES_SHOWN]],
            "first": found[0].message,
        }
        for rule, found in sorted(problems.items())
    }


def _lines_words(found: dict[str, Any]) -> str:
    more = ", …" if found["count"] > len(found["lines"]) else ""
    return f"line {', '.join(map(str, found['lines']))}{more}"
