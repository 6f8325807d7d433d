"""Where a recovery of the hub stands, over HTTP: looking ends nothing."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from holdfast.node import witness
from holdfast.node.hub import Hub
from tests.api.conftest import calling
from tests.kit import TRATTORIA, Fleet

pytestmark = pytest.mark.anyio


async def test_a_restored_hub_tells_whom_it_has_not_heard_and_goes_on_by_a_word_alone(
    tmp_path: Path,
):
    with Fleet(tmp_path, TRATTORIA) as fleet:
        desk = fleet.join("desk")
        fleet.sync_all()
        snapshot = fleet.copy("hub", "snapshot")
        fleet.reserve(fleet.the_hub, "19:30", ["T1"])
        fleet.sync(desk)
        async with calling(fleet.the_hub) as client:
            told = (await client.get("/hub/recovery")).json()
            assert (told["state"], told["missing"], told["before"]) == ("serving", {}, [])
        fleet.the_hub.close()
        fleet.clocks.advance(minutes=5)
        with mock.patch.object(witness, "check", return_value=[]):
            hub = fleet.open("hub", snapshot)
        assert isinstance(hub, Hub)
        fleet.reserve(hub, "12:00", ["T1"])
        fleet.hub = hub
        desk.reset_peer()
        fleet.sync(desk)
        async with calling(hub) as client:
            told = (await client.get("/hub/recovery")).json()
            assert (told["state"], list(told["missing"])) == ("recovering", ["trattoria"])
            fleet.sync(desk)
            told = (await client.get("/hub/recovery")).json()
            assert (told["state"], told["missing"]) == ("recovering", {"trattoria": []})
            assert (await client.post("/hub/recover", json={})).json()["state"] == "serving"
            told = (await client.get("/hub/recovery")).json()
            assert (told["state"], told["missing"]) == ("serving", {})
