"""Merging checks one signature a batch, whatever is in it: over HTTP and the live channel alike."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from holdfast.node import http_signatures
from holdfast.node.identity import verify_certificate
from holdfast.node.node import Node
from holdfast.node.serving import LiveSession
from holdfast.sync import gate, seals
from holdfast.sync.live_keys import LiveKeys
from holdfast.sync.messages import ExchangeRequest, ExchangeResponse, decode, encode
from tests.kit import Fleet

BATCHES = (1, 12, 60)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often it was asked whether a signature holds, of seals and of requests and answers."""
    asked: Counter[str] = Counter()
    check_seal, verify = seals.verify_seal, http_signatures._verify

    def counted_seal(*arguments: Any) -> bool:
        asked["seals"] += 1
        return check_seal(*arguments)

    def counted_verify(*arguments: Any) -> Any:
        asked["messages"] += 1
        return verify(*arguments)

    monkeypatch.setattr(gate, "verify_seal", counted_seal)
    monkeypatch.setattr(http_signatures, "_verify", counted_verify)
    return asked


class LiveWire:
    """The live channel's way from a node to the hub: its session, without the socket."""

    def __init__(self, fleet: Fleet, node: Node, loop: asyncio.AbstractEventLoop) -> None:
        sender = verify_certificate(node.identity.certificates, node.identity.root)
        keys = LiveKeys(b"k" * 32, b"k" * 32)
        self.session = LiveSession(fleet.the_hub, sender, loop, keys, False)

    def exchange(self, request: ExchangeRequest) -> ExchangeResponse:
        return decode(self.session.receive(encode(request)), ExchangeResponse)

    def close(self) -> None:
        self.session.close()


def push(fleet: Fleet, desk: Node, checked: Counter[str], count: int) -> dict[str, int]:
    """What one exchange of so many operations asks for, both sides together."""
    for n in range(count):
        time = f"2027-06-{3 + n // 20:02}T{12 + n // 4 % 5 * 2}:00"
        fleet.reserve(desk, time, [f"T{1 + n % 4}"])
    checked.clear()
    assert desk.sync()["pushed"] == count
    found = dict(checked)
    assert fleet.the_hub.reservations.select(status="confirmed", limit=500)[0][count - 1 :]
    return found


def test_a_batch_that_is_pushed_costs_one_check_and_not_one_for_each_operation(
    tmp_path: Path, checked: Counter[str]
):
    found = {}
    for count in BATCHES:
        with Fleet(tmp_path / str(count)) as fleet:
            desk = fleet.join("desk")
            fleet.sync_all()
            found[count] = push(fleet, desk, checked, count)
    # The desk's entries have one seal, and so have the hub's decisions about them; each message of
    # the exchange is signed once.
    assert [cost["seals"] for cost in found.values()] == [2] * len(BATCHES), found
    assert len({cost["messages"] for cost in found.values()}) == 1, found


def test_a_batch_over_the_live_channel_costs_one_check_and_its_messages_none(
    tmp_path: Path, checked: Counter[str], monkeypatch: pytest.MonkeyPatch
):
    found = {}
    loop = asyncio.new_event_loop()
    try:
        for count in BATCHES:
            with Fleet(tmp_path / str(count)) as fleet:
                desk = fleet.join("desk")
                fleet.sync_all()
                wire = LiveWire(fleet, desk, loop)
                with monkeypatch.context() as patch:
                    patch.setattr(desk, "transport", lambda wire=wire: wire)
                    found[count] = push(fleet, desk, checked, count)
                wire.close()
    finally:
        loop.close()
    assert found == {count: {"seals": 2} for count in BATCHES}


def test_what_the_hub_passes_on_to_others_costs_them_one_check_a_writer(
    tmp_path: Path, checked: Counter[str]
):
    found = {}
    for count in BATCHES:
        with Fleet(tmp_path / str(count)) as fleet:
            desk, bar = fleet.join("desk"), fleet.join("bar")
            fleet.sync_all()
            push(fleet, desk, checked, count)
            checked.clear()
            assert bar.sync()["pulled"] >= 2 * count
            found[count] = checked["seals"]
    # One for what the desk wrote, one for what the hub decided.
    assert found == dict.fromkeys(BATCHES, 2)
