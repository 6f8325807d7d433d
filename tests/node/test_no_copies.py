"""A reservation names its venue and its place by their ids, and copies nothing of either."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from holdfast.node import holds
from holdfast.node.requests import HoldRequest, ReserveRequest
from tests.kit import DAY, TRATTORIA, Fleet

SPOT = {"id": "T1", "kind": "table", "seats": [1, 2], "area": "Orangerie", "name": "The corner",
        "type": "booth", "features": ["by_the_window"]}  # fmt: skip
PROFILE = {
    "slug": "osteria-al-ponte", "description": "Roman kitchen by the river.",
    "address": {"street": "Via del Ponte 1", "city": "Trastevere"},
    "geo": [41.8902, 12.4922], "contact": {"phone": "+39 06 5550100"},
}  # fmt: skip
COPIES = (
    "Trattoria da Mario", "Europe/Rome", "ba_1042", "osteria-al-ponte", "Roman kitchen",
    "Via del Ponte", "Trastevere", "41.8902", "sr2yk3bs1", "5550100", "Orangerie", "The corner",
    "booth", "by_the_window",
)  # fmt: skip
WORKED_OUT = ("sr2yk3bs1",)


@pytest.mark.parametrize("by_hold", [False, True])
def test_what_is_kept_of_a_reservation_has_the_ids_alone(tmp_path: Path, by_hold: bool):
    venue = copy.deepcopy(TRATTORIA)
    venue["resources"] = [SPOT, *venue["resources"][1:]]
    with Fleet(tmp_path, venue | {"profile": PROFILE, "business_account": "ba_1042"}) as fleet:
        hub = fleet.the_hub
        assert hub.venue("trattoria").venue.profile.geohash == "sr2yk3bs1"
        if by_hold:
            request = HoldRequest(
                venue="trattoria", starts_at=f"{DAY}T19:00", party_size=2, resources=["T1"]
            )
            made = holds.reserve(hub, holds.place(hub, request).code, ReserveRequest())
        else:
            made = fleet.reserve(hub, "19:00", ["T1"])
        hub.reservations.check_in(made.code)
        connection = hub.store.db.conn
        entries = [row[0] for row in connection.execute("SELECT entry FROM journal")]
        rows = [
            *connection.execute("SELECT * FROM reservations"),
            *connection.execute("SELECT * FROM claims"),
            [entry for entry in entries if made.id in entry],
        ]
        bytes_kept = b"\n".join(
            part if isinstance(part, bytes) else str(part).encode() for row in rows for part in row
        )
        # Whatever is looked for stands where it should: in the venue's own entry.
        assert all(one.encode() in b"".join(entries) for one in COPIES if one not in WORKED_OUT)
        assert b"T1" in bytes_kept and made.id in bytes_kept
        assert [one for one in COPIES if one.encode() in bytes_kept] == []
