"""`holdfast report`: figures in words, as a document and as a table, from a directory at rest."""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path

import pytest

from tests.cli.support import DAY, DAYS, Run, document, make_hub
from tests.cli.test_narrow import shown


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with two reservations on a day and one on the next, one of which was called off."""
    from click.testing import CliRunner

    from holdfast.cli import holdfast

    hub = make_hub(tmp_path_factory.mktemp("report") / "hub")
    codes = []
    for at, party in ((f"{DAY}T19:30", 2), (f"{DAY}T20:00", 4), (f"{DAYS[1]}T19:30", 3)):
        words = ["reserve", "--venue", "trattoria", "--at", at, "--party", party, "--json"]
        done = CliRunner().invoke(holdfast, [*map(str, words), "--data", str(hub)])
        codes.append(document(done)["code"])
    cancel = ["reservations", "cancel", codes[0], "--reason", "guest_request", "--data", str(hub)]
    assert CliRunner().invoke(holdfast, cancel).exit_code == 0
    return hub


def test_a_day_is_told_in_words(run: Run, busy: Path):
    told = run("report", "day", "--date", DAY, "--data", busy)
    assert told.exit_code == 0
    said = " ".join(told.stdout.split())
    for words in (
        f"trattoria, Tue {DAY}",
        "reservations 2: 1 confirmed, 1 cancelled",
        "parties 1 booked, 0 came",
        "people 4 booked, 0 came",
        "called off 1: 1 by guests",
        "busiest 20:00 (1)",
        "party sizes 1 of 4",
        "T1",
    ):
        assert words in said, (words, said)
    assert "did not come" not in said and "walk-ins" not in said


def test_holds_are_told_in_words(run: Run, busy: Path):
    day = (datetime.date.fromisoformat(DAY) + datetime.timedelta(weeks=1)).isoformat()
    place = ("--venue", "trattoria", "--at", f"{day}T19:30", "--party", 2, "--json")
    first = document(run("holds", "add", *place, "--data", busy))
    document(run("holds", "add", *place, "--data", busy))
    assert run("holds", "reserve", first["code"], "--data", busy).exit_code == 0
    said = " ".join(run("report", "day", "--date", day, "--data", busy).stdout.split())
    assert "holds 2: 1 reserved, 1 open (100.0 % reserved)" in said
    assert "took to book half of the holds" in said
    (line,) = csv.DictReader(
        io.StringIO(run("report", "day", "--date", day, "--csv", "-", "--data", busy).stdout)
    )
    assert (line["holds_made"], line["holds_reserved"], line["holds_conversion"]) == (
        "2", "1", "1.0",
    )  # fmt: skip


def test_a_range_has_all_together_and_a_line_for_each_day(run: Run, busy: Path):
    told = run("report", "range", "--from", DAY, "--to", DAYS[1], "--data", busy).stdout
    assert "3: 2 confirmed, 1 cancelled" in " ".join(told.split())
    rows = {line[:14]: line.split()[2:4] for line in told.splitlines() if line[4:7] == DAY[:3]}
    assert rows == {f"Tue {DAY}": ["1", "4"], f"Wed {DAYS[1]}": ["1", "3"]}


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize(
    "words", [("day", "--date", DAY), ("range", "--from", DAY, "--to", DAYS[2])]
)
def test_it_fits_the_terminal(busy: Path, columns: int, words: tuple[str, ...]):
    lines = shown("report", *words, "--data", busy, COLUMNS=str(columns))
    assert len(lines) > 10
    assert [line for line in lines if len(line) > columns] == []


def test_as_a_document_it_is_what_the_interface_answers(run: Run, busy: Path):
    day = document(run("report", "day", "--date", DAY, "--json", "--data", busy))
    assert (day["venue"], day["date"], day["reservations"]) == ("trattoria", DAY, 2)
    several = document(
        run("report", "range", "--from", DAY, "--to", DAYS[2], "--json", "--data", busy)
    )
    assert [one["reservations"] for one in several["days"]] == [2, 1, 0]


def test_a_table_is_written_to_a_new_file_or_printed(run: Run, busy: Path, tmp_path: Path):
    asked = ("report", "range", "--from", DAY, "--to", DAYS[1], "--data", busy, "--csv")
    file = tmp_path / "figures.csv"
    told = run(*asked, file)
    assert told.stdout == f"2 lines of figures are in {file}.\n"
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))
    assert [(row["date"], row["covers"]) for row in rows] == [(DAY, "4"), (DAYS[1], "3")]
    assert run(*asked, "-").stdout_bytes == file.read_bytes()
    again = run(*asked, file)
    assert (again.exit_code, "name another file" in again.stderr) == (1, True)


def test_what_makes_no_sense_is_wrong_usage(run: Run, busy: Path):
    for words, said in (
        (("day", "--date", "soon"), "--date"),
        (("range", "--from", DAYS[1], "--to", DAY), "--to"),
        (("range", "--from", DAY), "--to"),
        (("day", "--csv", "-", "--json"), "not both"),
    ):
        told = run("report", *words, "--data", busy)
        assert (told.exit_code, said in told.stderr) == (2, True), told.stderr


def test_where_there_are_several_venues_one_is_to_be_named(run: Run, tmp_path: Path):
    hub = make_hub(tmp_path / "hub")
    file = tmp_path / "second.yaml"
    first = (Path(__file__).parent.parent.parent / "examples" / "trattoria.yaml").read_text("utf-8")
    file.write_text(first.replace("venue: trattoria", "venue: second", 1), "utf-8")
    run("venue", "import", file, "--data", hub)
    told = run("report", "day", "--data", hub)
    assert told.exit_code == 2 and "there are second, trattoria" in told.stderr
    assert run("report", "day", "--venue", "second", "--data", hub).exit_code == 0


def test_no_shows_are_told_by_the_week(run: Run, busy: Path):
    asked = ("report", "no-shows", "--from", DAY, "--to", DAYS[2], "--data", busy)
    said = " ".join(run(*asked).stdout.split())
    assert f"trattoria, Tue {DAY}" in said
    assert "nobody did not come more than once" in said
    rows = list(csv.DictReader(io.StringIO(run(*asked, "--csv", "-").stdout, newline="")))
    assert [(row["from"], row["due"], row["rate"]) for row in rows] == [(DAY, "0", "")]
    assert len(document(run("report", "no-shows", "--json", "--data", busy))["weeks"]) == 4
    lines = run(*asked, COLUMNS="80").stdout.splitlines()
    assert len(lines) > 5 and [line for line in lines if len(line) > 80] == []


def test_the_venues_of_a_business_are_added_up(run: Run, tmp_path: Path):
    hub, file = make_hub(tmp_path / "hub"), tmp_path / "venue.yaml"
    first = (Path(__file__).parent.parent.parent / "examples" / "trattoria.yaml").read_text("utf-8")
    for name in ("trattoria", "second"):
        named = first.replace("venue: trattoria", f"venue: {name}", 1)
        file.write_text(f"{named}\nbusiness_account: ba_1042\n", "utf-8")
        assert run("venue", "import", file, "--data", hub).exit_code == 0
    for venue, party in (("trattoria", 2), ("second", 4)):
        asked_for = ["--venue", venue, "--at", f"{DAY}T19:30", "--party", party, "--data", hub]
        assert run("reserve", *asked_for).exit_code == 0
    asked = ("report", "business", "ba_1042", "--from", DAY, "--to", DAY, "--data", hub)
    said = " ".join(run(*asked).stdout.split())
    for words in (f"ba_1042, Tue {DAY} to", "2: 2 confirmed", "people 6 booked", "second 1 4"):
        assert words in said, said
    assert document(run(*asked, "--json"))["covers"] == {"booked": 6, "seated": 0}
    rows = list(csv.DictReader(io.StringIO(run(*asked, "--csv", "-").stdout, newline="")))
    assert [(row["venue"], row["covers"]) for row in rows] == [
        ("second", "4"), ("trattoria", "2"), ("", "6"),
    ]  # fmt: skip
    unknown = run("report", "business", "nobody", "--from", DAY, "--to", DAY, "--data", hub)
    assert unknown.exit_code == 1 and "business_account" in unknown.stderr
