"""A fault of a venue file is told with its line and column, in YAML and in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.commands.venue_files import Position, VenueFile, read_venue_file
from holdfast.model.errors import Invalid
from holdfast.model.venue import parse_venue
from tests.cli.support import Run, make_hub

GOOD = """\
venue: trattoria
name: Trattoria da Mario
kind: restaurant
time_zone: Europe/Rome
seating_minutes: {2: 90, 4: 120}
hours:
  mon: [["18:00", "23:00"]]
policies:
  max_party: 8
  concurrent: 2
  tiers: {gold.plus: {concurrent: 4}}
resources:
  - id: T1
    kind: table
    seats: [1, 4]
  - {id: T2, kind: table, seats: [1, 4], combines_with: [T1]}
allotments:
  - holder: desk
    resources: [T1]
blackouts:
  - from: 2027-12-24
    to: 2027-12-26
    name: Christmas
"""
"""Lines 1 to 23; each fault of the table below changes one of them."""

FAULTS = [
    # what stands there now, instead of what; the field, and its line and column
    ("unknown field", "name: Trattoria da Mario", "nmae: Mario", "nmae", (2, 1)),
    ("unknown field inside", "    kind: table", "    kind: table\n    colour: red",
     "resources[0].colour", (15, 5)),
    ("unknown field in braces", "kind: table, seats: [1, 4], c", "kind: table, hue: red, c",
     "resources[1].hue", (16, 27)),
    ("missing field", "    kind: table\n", "", "resources[0].kind", (13, 5)),
    ("missing at the top", "time_zone: Europe/Rome\n", "", "time_zone", (1, 1)),
    ("wrong type", "  max_party: 8", "  max_party: many", "policies.max_party", (9, 3)),
    ("text for a list", "    resources: [T1]", "    resources: T1", "allotments[0].resources",
     (19, 5)),
    ("list for an object", 'hours:\n  mon: [["18:00", "23:00"]]', "hours: [1]", "hours", (6, 1)),
    ("out of range", "  max_party: 8", "  max_party: 0", "policies.max_party", (9, 3)),
    ("out of range in a key of numbers", "4: 120", "4: 0", "seating_minutes.4", (5, 26)),
    ("no such word", "kind: restaurant", "kind: restaurang", "kind", (3, 1)),
    ("no time zone", "Europe/Rome", "Europe/Roma", "time_zone", (4, 1)),
    ("no time of day", '"18:00"', '"18.00"', "hours.mon[0][0]", (7, 10)),
    ("no date", "from: 2027-12-24", "from: Christmas", "blackouts[0].from", (21, 5)),
    ("ends before it begins", "to: 2027-12-26", "to: 2027-12-20", "blackouts[0].to", (22, 5)),
    ("duplicate resource", "{id: T2", "{id: T1", "resources[1].id", (16, 6)),
    ("no such resource", "combines_with: [T1]", "combines_with: [T9]",
     "resources[1].combines_with[0]", (16, 58)),
    ("no resource of an allotment", "    resources: [T1]", "    resources: [T9]",
     "allotments[0].resources[0]", (19, 17)),
    ("no area", "    seats: [1, 4]", '    area: "!"', "resources[0].area", (15, 5)),
    ("no such floor", "    seats: [1, 4]", "    floor: cellar", "resources[0].floor", (15, 5)),
    ("a key of their own with a dot", "concurrent: 4", "concurrent: none",
     "policies.tiers.gold.plus.concurrent", (11, 23)),
    ("two fields that do not fit", "  max_party: 8", "  max_party: 2\n  min_party: 4",
     "policies.max_party", (9, 3)),
    ("unquoted no", "kind: restaurant", "kind: no", "kind", (3, 1)),
]  # fmt: skip


def read(tmp_path: Path, text: str, name: str = "") -> VenueFile:
    name = name or ("venue.json" if text.startswith("{") else "venue.yaml")
    (tmp_path / name).write_text(text, "utf-8")
    return read_venue_file(tmp_path / name)


def fault(found: VenueFile) -> tuple[Any, str]:
    """The first error of the venue file, placed, with the line for a person."""
    with pytest.raises(Invalid) as caught:
        parse_venue(found.document)
    error = found.located(caught.value)
    return error.extra["errors"], error.detail


def test_what_is_right_has_no_fault(tmp_path: Path):
    assert parse_venue(read(tmp_path, GOOD).document).id == "trattoria"


@pytest.mark.parametrize(
    ("old", "new", "field", "at"), [one[1:] for one in FAULTS], ids=[one[0] for one in FAULTS]
)
def test_each_fault_names_its_line_and_column(
    tmp_path: Path, old: str, new: str, field: str, at: tuple[int, int]
):
    assert GOOD.count(old) >= 1
    errors, detail = fault(read(tmp_path, GOOD.replace(old, new, 1)))
    places = {one["field"]: (one["line"], one["column"]) for one in errors}
    assert places[field] == at, (places, detail)
    assert f"venue.yaml:{at[0]}:{at[1]}: {field}: " in detail


def test_all_faults_are_told_at_once(tmp_path: Path):
    text = GOOD.replace("kind: restaurant", "kind: x").replace("max_party: 8", "max_party: x")
    errors, detail = fault(read(tmp_path, text))
    assert len(errors) == 2
    assert "venue.yaml:3:1: kind: " in detail and "venue.yaml:9:3: policies.max_party: " in detail


@pytest.mark.parametrize("indent", [2, "\t"])
def test_faults_of_json_have_their_places_too(tmp_path: Path, indent: int | str):
    document = read(tmp_path, GOOD).document
    document["resources"][0]["seats"] = "many"
    text = json.dumps(document, indent=indent)
    lines = text.split("\n")
    (line,) = [n for n, one in enumerate(lines, 1) if '"many"' in one]
    errors, _ = fault(read(tmp_path, text, "venue.json"))
    assert [(one["field"], one["line"]) for one in errors] == [("resources[0].seats", line)]
    assert errors[0]["column"] == lines[line - 1].index('"') + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("venue: a\nname: [b\n", "venue.yaml:3:1: is no YAML or JSON"),
        ('{"venue": "a",\n "name": }', "venue.json:2:10: is no YAML or JSON"),
        ('{"venue": "a",\n "venue": "b"}', "venue.json:2:2: venue stands here twice"),
        (
            "venue: a\nname: b\nvenue: c\n",
            "venue.yaml:3:1: venue stands here twice, first at line 1",
        ),
        ("- a\n", "holds no venue"),
        ("", "holds no venue"),
        ("venue: a\nname: &x [*x]\n", "nested too deeply"),
        ("venue: a\nclosed: [2026-13-40]\n", "put it in quotes"),
    ],
)
def test_what_is_no_venue_file_at_all_is_told_with_its_place(tmp_path: Path, text: str, said: str):
    with pytest.raises(Invalid) as caught:
        read(tmp_path, text)
    assert said in caught.value.detail


def test_a_field_that_is_nowhere_stands_where_it_would(tmp_path: Path):
    found = read(tmp_path, GOOD)
    assert found.position("profile.slug") == Position(1, 1)
    assert found.position("resources[9].id") == Position(12, 1)
    assert found.position("allotments[0].quantity") == Position(18, 5)


def test_the_command_says_the_place_to_people_and_to_programs(run: Run, tmp_path: Path):
    hub, file = make_hub(tmp_path / "hub"), tmp_path / "venue.yaml"
    file.write_text(GOOD.replace("seats: [1, 4]", "seats: four", 1), "utf-8")
    told = run("venue", "import", file, "--data", hub)
    assert told.exit_code == 1
    assert f"{file}:15:5: resources[0].seats: " in told.stderr
    assert told.stderr.count("\n") == 1
    asked = run("venue", "import", file, "--json", "--data", hub)
    (one,) = json.loads(asked.stdout)["errors"]
    assert (one["field"], one["line"], one["column"]) == ("resources[0].seats", 15, 5)
