"""What is granted to nobody is the hub's, and is named with how much of it and until when."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from holdfast.node import allotments, hub_rest
from tests.kit import TRATTORIA, Fleet

ALLOTTED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [
        {"holder": "desk", "resources": ["T1", "T2"]},
        {"holder": "desk", "resources": ["HALL"], "quantity": 4},
    ]
}


def told(replica: Any) -> list[tuple[list[str], int | None, bool, bool]]:
    return [
        (one["resources"], one["quantity"], bool(one["valid_from"]), bool(one["valid_until"]))
        for one in hub_rest.rest(replica, "trattoria")
    ]


def test_what_no_grant_names_is_the_hubs_and_of_a_pool_what_is_left(tmp_path: Path):
    with Fleet(tmp_path, ALLOTTED) as fleet:
        desk = fleet.join("desk")
        fleet.sync_all()
        for replica in (fleet.the_hub, desk):
            assert told(replica) == [
                (["T3", "T4"], None, False, False),
                (["HALL"], 6, False, False),
            ]


def test_a_grant_with_an_end_is_the_hubs_again_from_there(tmp_path: Path):
    with Fleet(tmp_path, TRATTORIA) as fleet:
        fleet.join("desk")
        wanted = allotments.Wanted(
            "trattoria", "desk", ["T1"], from_date="2027-06-10", until_date="2027-06-12"
        )
        allotments.grant(fleet.the_hub, wanted)
        rest = hub_rest.rest(fleet.the_hub, "trattoria")
        [until, since] = [one for one in rest if one["resources"] == ["T1"]]
        assert (until["valid_from"], until["valid_until"][:10]) == (None, "2027-06-10")
        assert (since["valid_from"][:10], since["valid_until"]) == ("2027-06-13", None)


def test_a_device_names_the_places_that_it_may_sell(tmp_path: Path):
    with Fleet(tmp_path, ALLOTTED) as fleet:
        desk = fleet.join("desk")
        fleet.sync_all()
        assert allotments.own_document(desk)["places"] == [
            {"resources": ["T1", "T2"], "quantity": None, "until": None},
            {"resources": ["HALL"], "quantity": 4, "until": None},
        ]
