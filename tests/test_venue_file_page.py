"""docs/venue-file.md tells of every key that a venue file may have, and as the reader has it."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.model.errors import Invalid
from holdfast.model.limits import VENUE_BYTES_MAX
from holdfast.model.reading import Reader
from holdfast.model.venue import parse_venue, to_document

PAGE = (Path(__file__).parent.parent / "docs" / "venue-file.md").read_text("utf-8")
EXAMPLES = [
    yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
]
HEAD = "| key | what it is | unit or form | needed | default | example |"
LISTS = ("resources", "allotments", "overbooking", "blackouts", "floors", "slot_overrides")
BY_NAME = {"policies.tiers": "policies.tags"}
"""Sections of objects whose keys are the venue's own, and another that has the same."""
Key = tuple[str, str]
"""A section ("" is the venue itself) and the name of a key in it."""


def told() -> dict[Key, list[str]]:
    """What the page says of each key: what it is, unit, needed, default, example."""
    found: dict[Key, list[str]] = {}
    for part in re.split(r"^## ", PAGE, flags=re.M):
        if HEAD not in part:
            continue
        title = part.splitlines()[0]
        section = "" if title == "The venue itself" else title.strip("`")
        for line in part[part.index(HEAD) :].split("\n\n", 1)[0].splitlines()[2:]:
            name, *cells = [cell.strip() for cell in line.removesuffix("|").split("|")[1:]]
            assert (section, name.strip("`")) not in found, name
            found[section, name.strip("`")] = cells
    return found


TOLD = told()


def section_of(path: str) -> str:
    """The section of the page that tells of an object in a venue file."""
    plain = re.sub(r"\[\d+\]", "", path)
    for section, other in BY_NAME.items():
        plain = re.sub(rf"^({re.escape(section)}|{re.escape(other)})\..+", section, plain)
    return plain


def within(section: str, inner: Any) -> Any:
    """A document with something in a section, and with nothing else."""
    if not section:
        return inner
    outer, _, name = section.rpartition(".")
    inner = {"some": inner} if section in BY_NAME else inner
    return within(outer, {name: [inner] if section in LISTS else inner})


def faults(document: dict[str, Any]) -> dict[str, str]:
    try:
        parse_venue(document)
    except Invalid as refused:
        return {error["field"]: error["message"] for error in refused.extra["errors"]}
    return {}


def test_every_key_that_the_reader_asks_for_is_on_the_page_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
):
    asked: set[Key] = set()
    value = Reader.value

    def noted(self: Reader, name: str) -> Any:
        asked.add((section_of(self.path), name))
        return value(self, name)

    monkeypatch.setattr(Reader, "value", noted)
    for example in EXAMPLES:
        parse_venue(example)
    assert set(TOLD) == asked


def test_the_examples_show_every_key_so_that_no_section_stays_unread():
    # What the reader asks for within a section is only seen where an example has the section.
    given: set[Key] = set()

    def note(path: str, entry: Any) -> None:
        for one in entry if isinstance(entry, list) else [entry]:
            for name, inner in one.items() if isinstance(one, dict) else ():
                given.add((section_of(path), str(name)))
                note(f"{path}.{name}".strip("."), inner)

    for example in EXAMPLES:
        note("", example)
    assert {key for key in TOLD if key[0] != "hours"} <= given


def test_the_examples_of_the_tables_can_be_written_so():
    for (section, name), cells in TOLD.items():
        value = yaml.safe_load(cells[4].strip("`"))
        document = copy.deepcopy(EXAMPLES[0])
        if not section:
            document[name] = value
        elif section == "policies":
            document[section][name] = value
        elif section == "policies.tiers":
            document["policies"]["tiers"]["gold"][name] = value
        elif section not in LISTS:
            outer, _, inner = section.rpartition(".")
            (document[outer] if outer else document)[inner] = {name: value}
        elif section == "resources":
            pool = name in ("capacity", "counts")
            document[section][-1 if pool else 0][name] = value
        else:
            document[section][0][name] = value
        # What others refer to may be gone with the value before; the value itself must be right.
        place = name if not section else rf"{section}(\[\d+\])?\.{name}"
        found = faults(document)
        assert not [one for one in found if re.fullmatch(rf"{place}(\W.*)?", one)], found


def test_needed_is_what_the_reader_misses():
    missed = {("", name) for name in faults({}) if not re.search(r"\W", name)}
    sections: dict[str, Any] = {
        "stays": {},
        "policies": {"rates": {}, "tiers": {"gold": {}}},
        "hours": {},
        **{name: [{}] for name in LISTS},
    }
    for path, message in faults(sections).items():
        if "." in path and "is required" in message:
            missed.add((path.partition(".")[0].removesuffix("[0]"), path.partition(".")[2]))
    assert {key for key, cells in TOLD.items() if cells[2] == "yes"} == missed


def test_the_defaults_are_the_readers():
    few = {"venue": "v", "name": "V", "kind": "lodging", "time_zone": "Europe/Rome"}
    resource = {"id": "P", "kind": "pool", "capacity": 5}
    least: Any = to_document(parse_venue({**few, "resources": [resource], "hours": {}}))
    for (section, name), cells in TOLD.items():
        if cells[2] or not cells[3].startswith("`"):
            continue
        said = yaml.safe_load(re.match(r"`([^`]*)`", cells[3])[1])  # type: ignore[index]
        inside = least if not section else least[section]
        assert (inside[0] if section in LISTS else inside)[name] == said, (section, name)


def test_the_bounds_are_the_readers():
    bounded = 0
    for (section, name), cells in TOLD.items():
        document = within(section, {name: 10**9})
        for message in faults(document).values():
            bounds = re.fullmatch(r"must be from (-?\d+) to (\d+), not 1000000000", message)
            if bounds:
                bounded += 1
                assert f"{int(bounds[1]):,} to {int(bounds[2]):,}" in cells[1], (section, name)
    assert bounded
    assert f"{VENUE_BYTES_MAX // 1024} KiB at most" in PAGE
