"""The same reference of a partner, at one device, at several, and at those that were apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import Invalid, NotFound, RoleForbidden
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View
from holdfast.node import attention, inspection, partnering
from holdfast.node.requests import CreateRequest
from holdfast.node.service import Service
from tests.kit import TRATTORIA, Fleet

REFERENCE = "Rossi Mario BK-4711"
KIND = "partner_reference_twice"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Fleet]:
    """A hub, two desks with a table each, a kiosk and a channel."""
    allotments = [{"holder": "desk", "resources": ["T1"]}, {"holder": "bar", "resources": ["T2"]}]
    with Fleet(tmp_path, TRATTORIA | {"allotments": allotments}) as fleet:
        for name, role in (("desk", "front-desk"), ("bar", "front-desk"), ("web", "channel"),
                           ("kiosk", "kiosk")):  # fmt: skip
            fleet.join(name, role)
        fleet.sync_all()
        yield fleet


def request(town: Fleet, time: str = "19:30", **more: Any) -> CreateRequest:
    given = {"source": "partner", "partner_reference": REFERENCE} | more
    return town.request(time, more.pop("resources", ()), **given)


def take(town: Fleet, at: str, time: str = "19:30", **more: Any) -> View:
    replica: Service = town.the_hub if at == "hub" else town.nodes[at]
    return replica.reservations.create(request(town, time, **more))


def raised(replica: Service) -> list[dict[str, Any]]:
    return [one for one in inspection.exceptions(replica) if one["kind"] == KIND]


def test_taken_twice_at_one_device_and_at_any_that_has_heard_it_is_one(town: Fleet):
    made = take(town, "web")
    assert take(town, "web").id == made.id
    assert take(town, "web", "12:00", party=4).id == made.id, "another body changes nothing"
    town.sync_all()
    for name in ("hub", "desk", "bar", "web"):
        assert take(town, name, "13:00").id == made.id
    town.nodes["bar"].reservations.cancel(made.code, late=True)
    town.sync_all()
    again = take(town, "desk")
    assert (again.id, again.status) == (made.id, "cancelled")
    assert len(town.the_hub.reservations.select()[0]) == 1
    # Another partner, another reference, another case: others.
    for more in ({"source": "agency"}, {"partner_reference": "4712"},
                 {"partner_reference": REFERENCE.lower()}):  # fmt: skip
        assert take(town, "desk", "15:00", **more).id != made.id
    for _ in range(2):
        assert take(town, "desk", "17:00", partner_reference=None, source="phone").id != made.id


def test_it_is_found_by_its_reference_after_a_restart_and_a_fold_anew(town: Fleet):
    made = take(town, "desk")
    town.sync_all()
    town.reopen("bar")
    for replica in (town.the_hub, town.nodes["desk"], town.nodes["bar"]):
        replica.refold(town.book)
        assert [one.id for one in partnering.find(replica, "trattoria", REFERENCE)] == [made.id]
        for nothing in (("trattoria", REFERENCE, "agency"), ("trattoria", "BK-4711", None)):
            assert partnering.find(replica, *nothing) == []
    with pytest.raises(NotFound):
        partnering.find(town.the_hub, "nowhere", REFERENCE)
    with pytest.raises(Invalid, match="must be one of agency, corporate, partner"):
        partnering.find(town.the_hub, "trattoria", REFERENCE, "phone")


@pytest.mark.parametrize("first", ["desk", "bar"])
def test_two_devices_that_were_apart_keep_both_and_a_person_is_asked_once(town: Fleet, first: str):
    town.cut("desk")
    town.cut("bar")
    early = take(town, "desk")
    town.clocks.advance(minutes=1)
    late = take(town, "bar", "20:00")
    for name in (first, *({"desk", "bar"} - {first})):
        town.heal(name)
        town.sync_all()
    town.sync_all()
    town.assert_agree()
    items = [raised(replica) for replica in town.replicas()]
    assert all(found == items[0] for found in items) and len(items[0]) == 1
    (item,) = items[0]
    assert (item["subject"], item["others"]) == (uuid_text(late.id), [uuid_text(early.id)])
    assert early.code in item["detail"] and late.code in item["detail"]
    assert item["actions"] == ["cancel", "keep-both", "acknowledge"]
    assert {one.status for one in town.the_hub.reservations.select()[0]} == {"confirmed"}
    assert take(town, "hub").id == early.id, "the first is meant from now on"
    attention.resolve(town.nodes["desk"], item["id"], "cancel", "duplicate")
    town.sync_all()
    town.assert_agree()
    assert [raised(replica) for replica in town.replicas()] == [[]] * len(town.replicas())
    gone = town.now(town.the_hub, late)
    assert (gone.status, gone.cancel_reason, gone.cancelled_by) == (
        "cancelled", "duplicate", "venue",
    )  # fmt: skip


def test_whoever_keeps_both_is_asked_no_more_and_a_third_asks_anew(town: Fleet):
    town.cut("desk", "bar")
    take(town, "desk")
    town.clocks.advance(minutes=1)
    late = take(town, "bar", "20:00")
    town.heal("desk", "bar")
    town.cut("web")
    town.sync_all()
    attention.resolve(town.the_hub, f"{uuid_text(late.id)}.{KIND}", "keep-both", "two_parties")
    town.sync_all()
    assert raised(town.nodes["bar"]) == []
    # The one that was the spare sits down; what was said stands.
    town.nodes["bar"].reservations.check_in(late.code)
    assert raised(town.nodes["bar"]) == []
    take(town, "web", "14:00")
    town.heal("web")
    town.sync_all()
    (item,) = raised(town.the_hub)
    assert len(item["others"]) == 2


def test_a_reference_needs_a_partners_source_and_a_device_that_may_say_it(town: Fleet):
    for source in (None, "phone", "website"):
        with pytest.raises(Invalid, match="give it with a source, agency or corporate or partner"):
            take(town, "desk", source=source)
    for wrong in ("", "x" * 129, "a\nb"):
        with pytest.raises(Invalid, match="partner_reference") as said:
            take(town, "desk", partner_reference=wrong)
        assert "a\nb" not in str(said.value)
    with pytest.raises(RoleForbidden, match="takes no partner's reference"):
        take(town, "kiosk")
    assert town.the_hub.reservations.select()[0] == []


def test_it_stands_nowhere_in_clear(town: Fleet):
    take(town, "desk")
    town.sync_all()
    for replica in town.replicas():
        replica.store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for file in replica.directory.rglob("*"):
            if file.is_file():
                data = file.read_bytes().lower()
                assert b"rossi" not in data and b"bk-4711" not in data, file
