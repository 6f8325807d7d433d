"""An import brings in what it can read, and says line by line what it could not, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.commands import importing, session
from holdfast.model.errors import Invalid
from tests.cli.support import DAY, ROOT, Run, make_hub

HOTELS = ROOT / "examples" / "hotels"
MAPPING = """
name = "desk"
venue = "trattoria"
key = ["number"]
user = "person"
[starts_at]
column = "when"
[party]
columns = ["people"]
"""
HEADER = "number,when,people,person\n"


class FakeInterface:
    """Stands for the HTTP interface: remembers what it got and refuses what a test names."""

    def __init__(self, directory: Path) -> None:
        self.keys: set[str] = set()
        self.batches: list[list[dict[str, Any]]] = []
        self.refuse: set[int] = set()

    def __enter__(self) -> FakeInterface:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def request(
        self, method: str, path: str, *, params: dict[str, str], content: bytes
    ) -> session.Answer:
        assert (method, path, params) == ("POST", "/reservations/import", {"venue": "trattoria"})
        records = [json.loads(line) for line in content.splitlines()]
        self.batches.append(records)
        refused = [
            {"line": one["line"], "rule": "not-available", "message": "T1 is taken"}
            for one in records
            if one["line"] in self.refuse
        ]
        taken = [one for one in records if one["line"] not in self.refuse]
        present = sum(one["key"] in self.keys for one in taken)
        self.keys |= {one["key"] for one in taken}
        report = {
            "imported": len(taken) - present,
            "present": present,
            "cancelled": 0,
            "left_out": [],
            "refused": refused,
            "unreadable": [],
        }
        return session.Answer(200, report, {})


@pytest.fixture
def interface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeInterface:
    fake = FakeInterface(tmp_path)
    monkeypatch.setattr(session, "open_session", lambda _: fake)
    return fake


@pytest.fixture
def bring_in(tmp_path: Path, interface: FakeInterface) -> Callable[[bytes | str], dict[str, Any]]:
    """Import a file of this content and return the summary."""
    mapping = tmp_path / "map.toml"
    mapping.write_text(MAPPING, "utf-8")

    def call(content: bytes | str) -> dict[str, Any]:
        file = tmp_path / "rows.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return importing.import_file(tmp_path, file, mapping)

    return call


BringIn = Callable[[bytes | str], dict[str, Any]]


def test_the_same_file_again_changes_nothing(bring_in: BringIn):
    rows = HEADER + "1,2026-12-01T19:30,2,a\n2,2026-12-01T20:00,4,b\n"
    first, again = bring_in(rows), bring_in(rows)
    assert (first["imported"], first["already_there"]) == (2, 0)
    assert (again["imported"], again["already_there"]) == (0, 2)


def test_a_line_that_cannot_be_read_is_named_with_its_number_and_the_rest_goes_in(
    bring_in: BringIn,
):
    rows = (
        HEADER.encode()
        + b"1,2026-12-01T19:30,2,a\n"
        + b"2,tomorrow,2,a\n"
        + b"3,2026-12-01T19:30,two,a\n"
        + b"4,2026-12-01T19:30,2,a,b,c\n"
        + b"5,2026-12-01T19:30,2,\xff\xfe\n"
        + b"6,2026-12-01T19:30,0,a\n"
        + b'7,"2026-12-01T19:30",2,"a\nb"\n'
        + b"8,2026-12-01T19:30,2,z\n"
    )
    summary = bring_in(rows)
    assert summary["imported"] == 3
    assert summary["left_out"] == 5
    lines = {rule: found["lines"] for rule, found in summary["rules"]["left_out"].items()}
    assert lines == {"date": [3], "number": [4], "columns": [5], "encoding": [6], "nobody": [7]}


def test_a_line_too_long_for_any_reader_is_left_out_alone(bring_in: BringIn):
    rows = HEADER + "1,2026-12-01T19:30,2," + "x" * 200_000 + "\n2,2026-12-01T20:00,2,b\n"
    summary = bring_in(rows)
    assert (summary["imported"], summary["left_out"]) == (1, 1)
    assert summary["rules"]["left_out"]["columns"]["lines"] == [2]


def test_what_the_venue_refuses_is_counted_by_rule_with_its_lines(
    bring_in: BringIn, interface: FakeInterface
):
    interface.refuse = {2, 4}
    rows = HEADER + "".join(f"{n},2026-12-01T19:30,2,a\n" for n in range(4))
    summary = bring_in(rows)
    assert (summary["imported"], summary["refused"]) == (2, 2)
    assert summary["rules"]["refused"] == {
        "not-available": {"count": 2, "lines": [2, 4], "first": "T1 is taken"}
    }


def test_a_large_file_goes_in_batches_of_bounded_size(bring_in: BringIn, interface: FakeInterface):
    rows = HEADER + "".join(f"{n},2026-12-01T19:30,2,a\n" for n in range(1_201))
    assert bring_in(rows)["imported"] == 1_201
    assert [len(batch) for batch in interface.batches] == [500, 500, 201]


def test_a_file_without_a_column_of_the_mapping_is_refused_before_anything_goes_in(
    bring_in: BringIn, interface: FakeInterface
):
    with pytest.raises(Invalid, match=r"no column people, when"):
        bring_in("number,person\n1,a\n")
    assert interface.batches == []


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"\xff\xd8\xff"])
def test_a_file_that_is_no_csv_is_refused(content: bytes, bring_in: BringIn):
    with pytest.raises(Invalid, match=r"rows\.csv"):
        bring_in(content)


def test_a_byte_order_mark_of_a_spreadsheet_does_not_matter(bring_in: BringIn):
    rows = b"\xef\xbb\xbf" + HEADER.encode() + b"1,2026-12-01T19:30,2,a\r\n"
    assert bring_in(rows)["imported"] == 1


def test_a_mapping_that_is_wrong_is_named_with_its_fields(run: Run, hub: Path, tmp_path: Path):
    mapping, rows = tmp_path / "map.toml", tmp_path / "rows.csv"
    rows.write_text(HEADER, "utf-8")
    mapping.write_text('name = "x"\nnonsense = 1\n', "utf-8")
    done = run("reservations", "import", rows, "--map", mapping, "--data", hub)
    assert done.exit_code == 1
    assert str(mapping) in done.stderr
    assert "nonsense" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_summary_reads_as_words(bring_in: BringIn, capsys: pytest.CaptureFixture[str]):
    rows = HEADER + "".join(f"{n},never,2,a\n" for n in range(9))
    importing.show_summary(bring_in(rows))
    shown = capsys.readouterr().out
    assert "trattoria: 0 imported, 0 already there, 9 left out, 0 refused." in shown
    assert "line 2, 3, 4, 5, 6, …" in shown


def test_the_excerpt_of_the_hotels_comes_in_and_again_changes_nothing(run: Run, tmp_path: Path):
    hub = make_hub(tmp_path / "hub")
    assert run("venue", "import", HOTELS / "hotel-city.yaml", "--data", hub).exit_code == 0
    words = ["reservations", "import", HOTELS / "excerpt.csv", "--map", HOTELS / "hotel-city.toml"]
    first = json.loads(run(*words, "--json", "--data", hub).stdout)
    again = json.loads(run(*words, "--json", "--data", hub).stdout)
    assert first["imported"] > 50
    assert first["left_out"] > 0
    assert (again["imported"], again["already_there"]) == (0, first["imported"])


# --- calendars ------------------------------------------------------------------------------------

CALENDAR = f"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//old//booking//EN
BEGIN:VEVENT
UID:1@old.example
DTSTART;TZID=Europe/Rome:{DAY.replace("-", "")}T193000
DTEND;TZID=Europe/Rome:{DAY.replace("-", "")}T210000
SUMMARY:Rossi\\, 4 gu
 ests
ATTENDEE;CN=Anna Rossi:mailto:anna@example.org
END:VEVENT
BEGIN:VEVENT
UID:2@old.example
DTSTART:{DAY.replace("-", "")}T200000
SUMMARY:Bianchi
END:VEVENT
BEGIN:VEVENT
UID:3@old.example
DTSTART;VALUE=DATE:{DAY.replace("-", "")}
SUMMARY:A whole day
END:VEVENT
END:VCALENDAR
"""


def test_a_calendar_needs_no_mapping_and_again_changes_nothing(run: Run, tmp_path: Path):
    hub, file, mapping = make_hub(tmp_path / "hub"), tmp_path / "export.ics", tmp_path / "map.toml"
    file.write_bytes(CALENDAR.replace("\n", "\r\n").encode())
    words = ["reservations", "import", file, "--venue", "trattoria", "--json", "--data", hub]
    # Whom it names could be read by nobody yet: no front desk has joined.
    alone = json.loads(run(*words).stdout)
    assert alone["rules"]["refused"]["no_venue_key"]["lines"] == [4, 12]
    mapping.write_text("guest = {}\n", "utf-8")
    first, again = (json.loads(run(*words, "--map", mapping).stdout) for _ in range(2))
    assert (first["imported"], first["left_out"], first["refused"]) == (2, 1, 0)
    assert first["rules"]["left_out"]["whole_days"]["lines"] == [17]
    assert first["rules"]["noted"]["party_assumed"]["lines"] == [12]
    assert (again["imported"], again["already_there"]) == (0, 2)
    listed = run("reservations", "list", "--date", DAY, "--json", "--data", hub)
    found = json.loads(listed.stdout)["items"]
    assert [(one["starts_at"][11:16], one["party_size"]) for one in found] == [
        ("19:30", 4),
        ("20:00", 2),
    ]
    for path in (one for one in hub.rglob("*") if one.is_file()):
        assert b"Rossi" not in path.read_bytes(), path


def test_what_a_calendar_called_off_is_said(run: Run, tmp_path: Path):
    hub, file = make_hub(tmp_path / "hub"), tmp_path / "export.ics"
    mapping = tmp_path / "map.toml"
    mapping.write_text('venue = "trattoria"\n[guest]\n', "utf-8")
    words = ["reservations", "import", file, "--map", mapping, "--data", hub]
    file.write_text(CALENDAR, "utf-8")
    assert run(*words).exit_code == 0
    file.write_text(CALENDAR.replace("SUMMARY:Bianchi", "STATUS:CANCELLED\nSEQUENCE:1"), "utf-8")
    for called_off in (True, False):
        shown = run(*words).stdout
        assert ("Called off here too, as the calendar says: 1." in shown) is called_off


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.csv", HEADER, "--map MAP.toml"),
        ("export.ics", CALENDAR, "--venue V"),
        ("export", CALENDAR, "--venue V"),
    ],
)
def test_what_is_missing_to_read_a_file_is_said(
    run: Run, hub: Path, tmp_path: Path, name: str, content: str, said: str
):
    (tmp_path / name).write_text(content, "utf-8")
    done = run("reservations", "import", tmp_path / name, "--data", hub)
    assert done.exit_code == 1
    assert said in done.stderr


def test_a_calendar_that_is_none_and_a_column_that_no_event_has_are_refused(
    run: Run, hub: Path, tmp_path: Path
):
    file, mapping = tmp_path / "export.ics", tmp_path / "map.toml"
    mapping.write_text('venue = "trattoria"\n[guest]\nname = "customer"\n', "utf-8")
    file.write_text(HEADER, "utf-8")
    words = ["reservations", "import", file, "--data", hub]
    assert "BEGIN:VCALENDAR" in run(*words, "--venue", "trattoria").stderr
    assert "column customer, which no event has" in run(*words, "--map", mapping).stderr
