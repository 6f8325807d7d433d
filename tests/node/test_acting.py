"""For whom a replica acts: what a person asked for names them, what follows from it nobody."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.entries import decode
from holdfast.model.events import EVENT_BY_KIND
from holdfast.model.pseudonyms import agent_id, application_agent_id, staff_agent_id
from holdfast.node import waiting
from holdfast.node.acting import NOBODY, act_for, acting, by_for, handing_over
from holdfast.node.node import Node
from holdfast.node.requests import CreateRequest, WaitRequest
from tests.kit import DAY, TRATTORIA, Fleet

ANNA = staff_agent_id(b"k" * 32, "anna")
BELA = staff_agent_id(b"k" * 32, "bela")
SMALL: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "policies": {"advance_days": 365, "waitlist_offer_minutes": 10},
    "resources": [{"id": "T1", "kind": "table", "seats": [1, 2]}],
    "allotments": [{"holder": "desk", "resources": ["T1"]}],
}
OWN = {
    "chain.certified", "chain.key_changed", "chain.succeeded", "chain.closed", "claim.decided",
    "claim.ended", "codes.granted", "right.granted", "right.returned", "right.revoked",
    "venue.key_published", "venue.key_accepted", "venue.key_handed", "guest.erasure_confirmed",
    "reservation.expired",
}  # fmt: skip
"""Kinds that name nobody, whoever was the occasion."""
RIGHTS = {"right.granted", "right.returned", "right.revoked"}
"""Of these, the kinds that somebody may have asked for by name."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Node]:
    with Fleet(tmp_path, SMALL) as fleet:
        made = fleet.join("desk")
        fleet.sync_all()
        yield made


def written(node: Node) -> list[tuple[str, str]]:
    """The kind of each entry that a node wrote, and whom it names."""
    journal = node.store.journal
    chain = journal.chain(node.home, node.identity.incarnation)
    assert chain is not None
    entries = [decode(data) for data in journal.entries(chain, 0, chain.length)]
    return [(entry.kind, entry.by) for entry in entries]


def test_a_devices_own_acts_name_nobody_and_all_others_do() -> None:
    with acting(ANNA):
        assert {kind for kind in EVENT_BY_KIND if not by_for(kind)} == OWN
        assert {by_for(kind) for kind in EVENT_BY_KIND} == {ANNA, NOBODY}
    assert {by_for(kind) for kind in EVENT_BY_KIND} == {NOBODY}


def test_a_right_names_whoever_hands_it_over_and_nobody_whom_it_only_follows_from() -> None:
    with acting(ANNA):
        with handing_over():
            assert {kind for kind in EVENT_BY_KIND if not by_for(kind)} == OWN - RIGHTS
        assert {by_for(kind) for kind in RIGHTS} == {NOBODY}
        with pytest.raises(KeyError), handing_over():
            raise KeyError
        assert {by_for(kind) for kind in RIGHTS} == {NOBODY}
    with handing_over():
        assert {by_for(kind) for kind in RIGHTS} == {NOBODY}


def test_who_acts_is_an_agent_id_and_ends_with_the_act() -> None:
    for name in ("Anna", ANNA.upper(), ANNA[:-1], f"{ANNA}\n"):
        with pytest.raises(ValueError, match="agent id"), acting(name):
            pass
        with pytest.raises(ValueError, match="agent id"):
            act_for(name)
    with acting(ANNA):
        with acting(BELA):
            assert by_for("reservation.created") == BELA
        with acting(NOBODY):
            assert by_for("reservation.created") == NOBODY
        assert by_for("reservation.created") == ANNA
        with pytest.raises(KeyError), acting(BELA):
            raise KeyError
        assert by_for("reservation.created") == ANNA


def test_another_thread_acts_for_nobody() -> None:
    found = []
    with acting(ANNA):
        thread = threading.Thread(target=lambda: found.append(by_for("reservation.created")))
        thread.start()
        thread.join()
    assert found == [NOBODY]


def test_what_becomes_free_by_a_persons_act_is_offered_by_nobody(desk: Node) -> None:
    taken = CreateRequest(
        venue="trattoria", starts_at=f"{DAY}T19:30", party_size=2, resources=["T1"]
    )
    wanted = WaitRequest(
        venue="trattoria", date=DAY, party_size=2, earliest="19:30", latest="19:30"
    )
    with acting(ANNA):
        first = desk.reservations.create(taken)
    with acting(BELA):
        waiting.join(desk, wanted)
        before = len(written(desk))
        desk.reservations.cancel(first.code)
    after = written(desk)[before:]
    assert after[0] == ("reservation.cancelled", BELA)
    assert ("reservation.moved", NOBODY) in after
    assert [one for one in after[1:] if one[1]] == []


def test_a_login_a_token_and_a_guest_of_one_name_are_three() -> None:
    key = b"k" * 32
    found = {make(key, "anna") for make in (agent_id, staff_agent_id, application_agent_id)}
    assert len(found) == 3
    assert staff_agent_id(b"l" * 32, "anna") != ANNA
    with pytest.raises(ValueError, match="restore its file"):
        staff_agent_id(b"k" * 8, "anna")
