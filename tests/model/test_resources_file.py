"""What a venue file may say of its tables: kept as written, and faults named where they stand."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.model.errors import Duplicate, Invalid
from holdfast.model.offers import VenueIndex, candidates
from holdfast.model.venue import parse_venue, to_document

WHOLE = {
    "id": "T1", "kind": "table", "seats": [2, 4], "area": "Main", "combines_with": ["T2"],
    "combined_capacity": 7, "name": "The corner", "type": "booth", "features": ["quiet", "window"],
    "accessible": True, "active": False, "online": False, "floor": "ground", "position": [0, 25],
    "size": [80, 90], "shape": "round",
}  # fmt: skip


def venue(*resources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "venue": "corner", "name": "Corner", "kind": "restaurant", "time_zone": "Europe/Rome",
        "floors": [{"id": "ground", "name": "Ground floor", "image": "/g.svg", "size": [900, 500]}],
        "resources": list(resources), **changes,
    }  # fmt: skip


def table(identity: str, /, **changes: Any) -> dict[str, Any]:
    return {"id": identity, "kind": "table", "seats": [1, 4], **changes}


def test_what_is_said_of_a_table_is_read_back_and_what_is_not_is_left_out():
    read = parse_venue(venue(WHOLE, table("T2")))
    document = to_document(read)
    assert parse_venue(document) == read
    assert document["resources"][0] == WHOLE | {"priority": 0}
    assert document["resources"][1] == table("T2") | {"priority": 0}
    assert document["floors"] == venue()["floors"]
    assert not {"accepting", "featured"} & document.keys()


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"name": "T2"}, "resources[0].name", "already the name or id of resources[1]"),
        ({"type": "sofa"}, "resources[0].type", "is not one of bar, booth"),
        ({"features": ["Sea view"]}, "resources[0].features[0]", "a word of a-z"),
        ({"features": ["accessible"]}, "resources[0].features[0]", "`accessible: true`"),
        ({"accessible": "yes"}, "resources[0].accessible", "must be true or false"),
        ({"floor": "roof"}, "resources[0].floor", "there is no floor 'roof'"),
        ({"position": [1]}, "resources[0].position", "must be a pair"),
        ({"position": [-1, 2]}, "resources[0].position", "must be from 0"),
        ({"combined_capacity": 7}, "resources[0].combined_capacity", "combines with no other"),
    ],
)
def test_a_fault_is_told_with_its_place(changes: dict[str, Any], field: str, message: str):
    with pytest.raises(Invalid) as caught:
        parse_venue(venue(table("T1", **changes), table("T2")))
    told = {error["field"]: error["message"] for error in caught.value.extra["errors"]}
    assert list(told) == [field]
    assert message in told[field]


def test_two_tables_with_one_number_or_one_name_are_refused():
    for twice in ({"id": "T1"}, {"name": "Corner"}):
        with pytest.raises(Invalid, match="already"):
            parse_venue(venue(table("T1", name="Corner"), table("T2") | twice))


def offered(party: int, *resources: dict[str, Any]) -> list[str]:
    index = VenueIndex(parse_venue(venue(*resources)))
    return ["+".join(choice.resources) for choice in candidates(index, party)]


def test_tables_put_together_take_as_many_as_the_file_says():
    pair = (table("T1", combines_with=["T2"]), table("T2"), table("T3"))
    assert offered(8, *pair) == ["T1+T2"]
    fewer = (pair[0] | {"combined_capacity": 7}, pair[1], pair[2])
    assert offered(8, *fewer) == []
    # Seven get the pair that is listed, and no other two tables.
    assert offered(7, *fewer) == ["T1+T2"]
    more = (pair[0] | {"combined_capacity": 10}, pair[1], pair[2])
    assert offered(10, *more) == ["T1+T2"]
    both = (pair[0] | {"combined_capacity": 10}, pair[1] | {"combined_capacity": 9}, pair[2])
    assert offered(9, *both) == ["T1+T2"]
    assert offered(10, *both) == []


def test_a_table_out_of_use_is_not_put_together_with_others_either():
    assert offered(8, table("T1", combines_with=["T2"]), table("T2", active=False)) == []


@pytest.mark.parametrize("second", [{"id": "T1"}, {"id": "T2", "name": "T1"}])
def test_a_name_that_stands_there_twice_is_a_conflict_unless_more_is_wrong(second: dict[str, Any]):
    document = {
        "venue": "corner", "name": "Corner", "kind": "restaurant", "time_zone": "Europe/Rome",
        "resources": [{"id": "T1", "kind": "table"}, {"kind": "table"} | second],
    }  # fmt: skip
    with pytest.raises(Duplicate) as conflict:
        parse_venue(document)
    assert (conflict.value.status, conflict.value.name) == (409, "conflict")
    (error,) = conflict.value.extra["errors"]
    assert error["field"] == f"resources[1].{'name' if 'name' in second else 'id'}"
    with pytest.raises(Invalid) as invalid:
        parse_venue(document | {"slot_minutes": 0})
    assert (invalid.value.status, len(invalid.value.extra["errors"])) == (422, 2)
