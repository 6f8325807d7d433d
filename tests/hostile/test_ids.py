"""Reservation ids in hands that follow no rule: nobody makes what another device has named."""

from __future__ import annotations

import pytest

from holdfast.model.ids import import_id
from holdfast.node import reserving
from tests.hostile.builders import EVENING, Attacker, Town, claim, created, entry
from tests.kit import START_MS


@pytest.mark.parametrize("first", ["owner", "thief"])
def test_the_id_of_a_reservation_that_waits_is_nobody_elses_to_make(town: Town, first: str) -> None:
    """A making from the past, under an id that the hub has not answered, is named in its verdict
    and stands before nobody."""
    asked = town.fleet.reserve(town.desk, "2027-06-05T19:30", ["T3"], party=4)
    early = claim("T4", start=EVENING - 50_000, end=EVENING - 40_000)
    theft = entry(created(), subject=asked.id, claims=(early,), stamp=1 << 16)
    frame = town.attacker.frame(theft)
    with town.desk.transaction():
        merged = town.desk.merge(town.book, [frame])
    assert [(verdict, reason) for _, _, verdict, reason in merged.verdicts] == [
        ("quarantined", "id-foreign")
    ]
    shown = town.fleet.now(town.desk, asked)
    assert (shown.making, shown.code, shown.made_by) == (asked.making, asked.code, "desk")
    assert (shown.starts_at, shown.party_size) == (asked.starts_at, 4), "its time is its own"
    if first == "owner":
        town.fleet.sync(town.desk)
    answer = town.attacker.write(theft) if first == "thief" else town.attacker.send(frame)
    if first == "thief":
        assert [row[2:] for row in answer.verdicts] == [("quarantined", "id-foreign")]
        heard = town.hub.view(asked.id)
        assert heard is not None and not heard.live and not heard.making
        town.fleet.sync(town.desk)
    after = town.now(asked)
    assert (after.status, after.making, after.code) == ("confirmed", asked.making, asked.code)
    assert [claim.resource for claim in after.live] == ["T3"]
    assert after.starts_at == asked.starts_at
    assert dict(after.exceptions) == {}
    town.assert_alive()


def test_a_making_of_an_imported_records_id_is_everybodys_and_the_decided_one_stands(
    town: Town,
) -> None:
    """Two devices that bring in one record derive one id: neither is quarantined."""
    subject = import_id(town.book, "sevenrooms:4711")
    other = town.fleet.join("other")
    for desk, resource in ((town.desk, "T3"), (other, "T4")):
        event = created(
            code=reserving.next_code(
                desk, desk.venue(town.fleet.venue_id), town.book, START_MS // 1000
            )
        )
        with desk.transaction():
            desk.append(town.book, event, subject=subject, claims=(claim(resource),))
    town.fleet.sync(other)
    thief = Attacker(town.fleet, town.fleet.join("thief"))
    answer = thief.write(entry(created(), subject=subject, claims=(claim("T2"),), stamp=1 << 16))
    assert answer.verdicts == ()
    town.fleet.sync(town.desk, other, town.desk)
    for replica in (town.hub, town.desk, other):
        view = replica.view(subject)
        assert view is not None and view.status == "confirmed"
        assert (view.made_by, [held.resource for held in view.live]) == ("other", ["T4"])
    town.assert_alive()
