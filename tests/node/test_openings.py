"""What is offered: the same whether starts are looked at together or one by one, and had when
somebody takes it."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import HoldfastError
from holdfast.node import blocks, offering
from holdfast.node.requests import BlockRequest
from holdfast.node.service import Service
from tests.kit import DAY, NEXT_DAY, TRATTORIA, Fleet

VENUE: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "buffer_minutes": 10,
    "slot_minutes": 15,
    "hours": TRATTORIA["hours"] | {"thu": [["12:00", "15:00"], ["18:00", "02:00"]]},
    "allotments": [{"holder": "desk", "resources": ["T2", "T3"]}],
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, VENUE) as made:
        made.join("desk")
        made.sync_all()
        yield made


def fill(fleet: Fleet, replica: Service, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(150):
        time = f"{draw.choice((DAY, NEXT_DAY))}T{draw.randrange(12, 24)}:{draw.choice('0134')}5"
        time = time[:-2] + draw.choice(("00", "15", "30", "45"))
        try:
            fleet.reserve(
                replica, time, (), draw.randint(1, 6), duration_minutes=draw.choice((30, 90, 135)),
                kind=draw.choice(("guest", "walk_in")),
                resource_kind=draw.choice(("table", "pool")),
            )  # fmt: skip
        except HoldfastError:
            continue  # That place is taken.


def asked(fleet: Fleet, replica: Service) -> list[Any]:
    return [
        fleet.slots(replica, party, include_full=full, **more)
        for full in (True, False)
        for party in (1, 2, 4, 6)
        for more in (
            {"date": DAY}, {"date": NEXT_DAY, "resource_kind": "pool"},
            {"date": None, "starts_from": f"{DAY}T19:00", "starts_before": f"{NEXT_DAY}T21:10"},
            {"duration_minutes": 200}, {"area": "Main"},
        )
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_together_and_one_by_one_the_same_is_offered(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    desk = fleet.nodes["desk"]
    fill(fleet, desk, seed)
    fleet.sync_all()
    if seed % 2:
        blocks.block(
            desk,
            BlockRequest(
                venue="trattoria", kind="maintenance", resources=["T2"], force=True,
                starts_at=f"{DAY}T13:07", ends_at=f"{DAY}T20:01",
            ),
        )  # fmt: skip
    for replica in (desk, fleet.the_hub):
        together = asked(fleet, replica)
        with monkeypatch.context() as patched:
            patched.setattr(offering, "_openings", lambda *_: None)
            assert asked(fleet, replica) == together
        assert any(slot["resources"] for slots in together for slot in slots)
        assert any(slot.get("reason") == "full" for slots in together for slot in slots)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_offered_is_had_and_what_is_not_is_refused(fleet: Fleet, seed: int) -> None:
    desk, draw = fleet.nodes["desk"], random.Random(seed)
    fill(fleet, desk, seed)
    for _ in range(12):
        party = draw.randint(1, 4)
        slot = draw.choice(fleet.slots(desk, party, include_full=True))
        time = slot["starts_at"][:16]
        if slot["resources"]:
            made = fleet.reserve(desk, time, (), party)
            assert [claim.resource for claim in made.claims] == slot["resources"]
            assert (made.assurance == "guaranteed") is (slot["assurance"] == "guaranteed")
        else:
            with pytest.raises(HoldfastError):
                fleet.reserve(desk, time, (), party)
