"""Nothing of a guest stands in any file, nor crosses any wire, but inside sealed cards."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from holdfast.model.errors import HoldfastError
from holdfast.model.mapping import ImportRecord
from holdfast.node import (
    blocks,
    guest_desk,
    guest_details,
    guest_marks,
    guest_notes,
    guest_terms,
    holds,
    inspection,
    same_guests,
    service_notes,
    serving,
    upkeep,
    waiting,
)
from holdfast.node.duplicate_guests import duplicates
from holdfast.node.jobs import Jobs
from holdfast.node.requests import (
    BlockRequest,
    HoldRequest,
    OfferRequest,
    PatchRequest,
    ReserveRequest,
    WaitRequest,
)
from holdfast.node.service import Service
from holdfast.sync import messages
from tests import kit
from tests.kit import DAY, TRATTORIA, Fleet, every_view
from tests.privacy.scan import (
    MARK,
    PHONE,
    WIDE,
    files_with,
    guest,
    traces,
    traces_in_files,
    user_id,
)

GUESTS = 2_000
FORGOTTEN = 5
WHOEVER = "agent_" + "0" * 32


def _base64_inside(text: str) -> bytes:
    return b"QUFB" + base64.b64encode(b"12" + text.encode() + b"34")


PLANTED = {
    "as it is": guest(7)["name"].encode(),
    "a word of it": WIDE.encode(),
    "in capitals": f"...{MARK}...".upper().encode(),
    "in UTF-16": guest(7)["requests"].encode("utf-16-le"),
    "in hexadecimal": guest(7)["email"].encode().hex().upper().encode(),
    "in base64": _base64_inside(guest(7)["email"]),
    "in base64 for addresses": base64.urlsafe_b64encode(b"?" + guest(7)["requests"].encode()),
    "in a query": quote(guest(7)["name"]).encode(),
    "in JSON": json.dumps(guest(7)["requests"]).encode(),
    "a number": guest(8)["phone"].encode(),
    "a number in other groups": " ".join(PHONE).encode(),
    "a number in one": PHONE.encode(),
    "a user id": user_id(7).encode(),
}


@pytest.mark.parametrize("form", PLANTED)
def test_what_is_planted_is_found(tmp_path: Path, form: str):
    (tmp_path / "some.db-wal").write_bytes(bytes(4_000) + PLANTED[form] + bytes(4_000))
    (tmp_path / "clean").write_bytes(bytes(range(256)) * 100)
    assert list(traces_in_files(tmp_path)) == [str(tmp_path / "some.db-wal")]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every byte of every message between replicas, uncompressed."""
    heard: list[bytes] = []
    encode = messages.encode

    def recorded(message: object, *, compress: bool = True) -> bytes:
        heard.append(encode(message, compress=False))
        return heard[-1]

    monkeypatch.setattr(kit, "encode", recorded)
    monkeypatch.setattr(serving, "encode", recorded)
    return heard


@pytest.fixture
def town(tmp_path: Path, wire: list[bytes]) -> Iterator[Fleet]:
    venue = copy.deepcopy(TRATTORIA)
    venue["resources"].append({"id": "FIELD", "kind": "pool", "capacity": 10_000})
    with Fleet(tmp_path, venue) as fleet:
        for name, role in (("desk", "front-desk"), ("bar", "front-desk"), ("kiosk", "kiosk")):
            fleet.join(name, role)
        fleet.sync_all()
        yield fleet


def record(n: int) -> ImportRecord:
    return ImportRecord(
        line=n, key=hashlib.sha256(f"{n}".encode()).hexdigest(), starts_at=f"{DAY}T19:30",
        party_size=1, resource="FIELD", user_id=user_id(n), guest=tuple(guest(n).items()),
    )  # fmt: skip


def misuse(replica: Service) -> None:
    """Requests that are refused, with a guest in every place that takes a text."""
    name = guest(1)["name"]
    for refused in (
        lambda: replica.reservations.cancel("RES-2027-AAAAAA", name),
        lambda: replica.reservations.find(name),
        lambda: replica.forgetting.erase(name, name),
        lambda: guest_desk.find(replica, name),
        lambda: guest_notes.add(replica, WHOEVER, name, name, author=name),
        lambda: guest_details.describe(replica, WHOEVER, {"language": name, name: name}),
        lambda: guest_marks.set_flag(replica, WHOEVER, name, True),
        lambda: same_guests.merge(replica, WHOEVER, name),
        lambda: service_notes.read(replica, "trattoria", name, name),
        lambda: service_notes.write(replica, "trattoria", DAY, name, name),
    ):
        try:
            refused()
        except HoldfastError:
            continue


def test_thousands_of_guests_leave_nothing_in_clear(town: Fleet, wire: list[bytes]):
    desk, kiosk = town.nodes["desk"], town.nodes["kiosk"]
    half = GUESTS // 2
    for node, numbers in ((town.nodes["bar"], range(half)), (desk, range(half, GUESTS))):
        report = node.reservations.import_records("trattoria", map(record, numbers))
        assert report.imported == half
    town.sync_all()
    live = town.reserve(kiosk, "20:00", user_id=user_id(GUESTS), guest=guest(GUESTS))
    town.sync_all()
    desk.reservations.amend(live.code, PatchRequest(guest=guest(1)))
    desk.reservations.cancel(live.code, "personal_reasons", note=guest(2)["requests"])
    for replica in town.replicas():
        misuse(replica)
    know(town, live.agent_id)
    town.sync_all()
    (found,) = guest_desk.find(desk, guest(3)["phone"])
    assert found["guest"] == guest(3)
    assert len(town.nodes["bar"].cards.index.search(town.book, MARK)) == GUESTS + 2
    agents = [one["agent_id"] for one in guest_desk.find(desk, MARK, FORGOTTEN)]
    assert guest_desk.export(desk, agents[0])["venues"][0]["cards"][0]["guest"]
    for replica in town.replicas():
        upkeep.backup(replica, town.directory / f"{replica.name}.backup")
        page = inspection.export_page(replica, "trattoria", "kiosk")
        (town.directory / f"{replica.name}.page").write_bytes(page)
    (town.directory / "metadata").write_text(json.dumps([r.status() for r in town.replicas()]))

    # Files: databases and their logs, keys, backups, exported pages, witnesses outside.
    assert traces_in_files(town.directory) == {}
    assert sum(len(message) for message in wire) > GUESTS * 500
    assert [number for number, message in enumerate(wire) if traces(message)] == []

    _forget(town, agents)


def test_what_is_held_waits_or_is_out_of_use_leaves_nothing_in_clear(
    town: Fleet, wire: list[bytes], caplog: pytest.LogCaptureFixture
):
    """Holds, the waitlist, blocks, what the house makes of a person, and what rules refuse."""
    caplog.set_level(logging.DEBUG)
    desk, kiosk = town.nodes["desk"], town.nodes["kiosk"]
    agents = []
    for n, node in ((1, kiosk), (2, desk)):
        at, who = f"{DAY}T1{n}:30", {"user_id": user_id(n)}
        held = holds.place(node, _wanted(HoldRequest, starts_at=at, resources=["HALL"], **who))
        holds.reserve(node, held.code, ReserveRequest(guest=guest(n)))
        waits = waiting.join(node, _wanted(WaitRequest, date=DAY, guest=guest(n + 2), **who))
        agents.append(waits.agent_id)
        town.sync_all()
        waiting.offer(desk, waits.code, OfferRequest())
        waiting.accept(desk, waits.code, ReserveRequest(guest=guest(n + 4)))
    block = blocks.block(
        desk,
        BlockRequest(
            venue="trattoria", kind="private_event", resources=["T4"], starts_at=f"{DAY}T09:00",
            ends_at=f"{DAY}T10:00", note=guest(7)["requests"],
        ),
    )[0]  # fmt: skip
    one = guest_terms.restrict(desk, agents[0], "booking-ban", "no_shows")
    guest_terms.set_profile(desk, agents[1], "gold", ["vip"])
    town.sync_all()
    name = guest(8)["name"]
    for replica in town.replicas():
        for refused in (
            lambda r: town.reserve(r, "19:30", party=99, user_id=user_id(9), guest=guest(9)),
            lambda r: town.reserve(r, "19:30", user_id=user_id(1), guest=guest(1)),
            lambda r: waiting.join(r, _wanted(WaitRequest, date=DAY, area=name, guest=guest(1))),
            lambda r: guest_terms.restrict(r, agents[0], "booking-ban", name),
            lambda r: guest_terms.set_profile(r, agents[0], name, [name]),
            lambda r: guest_terms.lift(r, one, name),
            lambda r: holds.reserve(r, name, ReserveRequest(guest=guest(1))),
        ):
            with pytest.raises(HoldfastError):
                refused(replica)
    town.clocks.advance(hours=40)
    for replica in town.replicas():
        for job in ("lapse", "settle", "sweep"):
            assert Jobs(replica).run(job)["ok"]
    town.sync_all()
    assert {"note": guest(7)["requests"]} == desk.reservations.guest(town.now(desk, block))
    assert desk.refusals.report("trattoria")
    for replica in town.replicas():
        upkeep.backup(replica, town.directory / f"{replica.name}.backup")
    (town.directory / "log").write_text(caplog.text)
    assert traces_in_files(town.directory) == {}
    assert [number for number, message in enumerate(wire) if traces(message)] == []
    for agent in (*agents, block.agent_id):
        desk.forgetting.erase(agent, "guest_request")
    town.sync_all()
    for replica in town.replicas():
        assert all(one["complete"] for one in replica.forgetting.report())
        views = every_view(replica, town.book)
        assert {str(replica.reservations.guest(view)) for view in views} == {"None"}
    assert desk.cards.index.search(town.book, MARK) == []


def _wanted(shape: type[Any], **fields: Any) -> Any:
    return shape(venue="trattoria", party_size=2, **fields)


def know(town: Fleet, agent: str) -> None:
    """What two desks note of a guest, with a person's words in every field that takes any."""
    desk, bar = town.nodes["desk"], town.nodes["bar"]
    note = guest_notes.add(
        desk, agent, "dietary", guest(4)["requests"], alert=True, author=guest(5)["name"]
    )
    guest_details.describe(
        desk, agent, {"preferences": guest(6)["requests"], "dietary": guest(6)["dietary"]}
    )
    town.sync_all()
    guest_notes.change(bar, note, text=guest(7)["requests"], author=guest(8)["name"], agent=agent)
    guest_details.describe(bar, agent, {"dietary": guest(9)["dietary"], "sms": False})
    town.sync_all()
    assert guest_notes.alerts_at(desk, town.book, agent)[0]["text"] == guest(7)["requests"]
    assert guest_details.details(desk, agent)["dietary"] == guest(9)["dietary"]
    assert duplicates(desk, limit=5)
    tell(town)


def tell(town: Fleet) -> None:
    """What staff tell each other about a service, edited at both desks."""
    for name, text in (("desk", guest(10)["requests"]), ("bar", f"{guest(11)['name']} is late")):
        node = town.nodes[name]
        known = service_notes.read(node, "trattoria", DAY, "dinner")
        service_notes.write(
            node, "trattoria", DAY, f"{text}\n{known.text}", known.tag, service="dinner",
            author=guest(12)["name"],
        )  # fmt: skip
        town.sync_all()
    told = service_notes.read(town.nodes["desk"], "trattoria", DAY, "dinner")
    assert guest(10)["requests"] in told.text and guest(11)["name"] in told.text


def _forget(town: Fleet, agents: list[str]) -> None:
    desk = town.nodes["desk"]
    keys = [
        key.sealed
        for agent in agents
        for placed in desk.store.cards.placed_of(town.book, agent)
        for key in desk.store.cards.keys(town.book, placed.id)
    ]
    assert len(keys) >= FORGOTTEN
    for agent in agents:
        desk.forgetting.erase(agent, "guest_request")
    town.sync_all()
    directories = [replica.directory for replica in town.replicas()]
    for key in keys:
        assert files_with(key, *directories) == []
        assert files_with(key[:32], *directories) == [] == files_with(key[32:], *directories)
    for replica in town.replicas():
        assert all(one["complete"] for one in replica.forgetting.report())
        views = [one for one in every_view(replica, town.book) if one.agent_id in agents]
        assert len(views) >= FORGOTTEN
        assert {str(replica.reservations.guest(view)) for view in views} == {"None"}
