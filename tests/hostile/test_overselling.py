"""A holder that sells more than it has: each sale fits its right, all of them together do not."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from holdfast.model.entries import ClaimId
from holdfast.model.events import (
    ClaimDecided,
    ClaimEnded,
    ReservationAttendanceConfirmed,
    RightReturned,
)
from holdfast.model.rights import Held
from holdfast.model.vocabulary import OVERSOLD
from holdfast.node import overselling
from holdfast.node.conduct import KINDS
from holdfast.node.inspection import exceptions
from tests.hostile.builders import EVENING, Attacker, Town, claim, created, entry
from tests.kit import START_MS, TRATTORIA, Fleet

HOUR = 3_600


@pytest.fixture
def right(town: Town) -> Held:
    """T4, which the attacker's kiosk holds."""
    (held,) = town.hub.granting.grant("trattoria", "kiosk", ["T4"])
    town.fleet.sync_all()
    return held


def sale(
    town: Town,
    right: Held,
    subject: bytes,
    start: int = EVENING,
    override: str = "",
    **changes: object,
) -> bytes:
    wanted = claim(
        right.right.resources[0], start=start, end=start + HOUR, right=right.right.id, **changes
    )
    code = f"RES-2027-{subject.hex()[-6:].upper()}"
    return entry(created(code=code, override=override), subject=subject, claims=(wanted,))


def state(town: Town, subject: bytes) -> tuple[str, str]:
    views = [replica.view(subject) for replica in (town.hub, town.desk)]
    assert views[0] is not None
    assert views[0] == views[1]
    return views[0].status, views[0].assurance


def oversold(town: Town, right: Held) -> bool:
    ends = [replica.rights(town.book).ended(right.right.id) for replica in (town.hub, town.desk)]
    assert ends[0] == ends[1]
    return ends[0] is not None and ends[0].reason == OVERSOLD


@pytest.mark.parametrize("at_once", [True, False])
def test_the_sale_that_no_longer_fits_and_those_after_it_are_asked_of_the_hub(
    town: Town, right: Held, at_once: bool
) -> None:
    first, second, later = (town.attacker.new_id() for _ in range(3))
    sales = [
        sale(town, right, first),
        sale(town, right, second, EVENING + HOUR // 2),
        sale(town, right, later, EVENING + 5 * HOUR),
    ]
    if at_once:
        town.attacker.write(*sales)
    else:
        for one in sales:
            town.attacker.write(one)
    town.fleet.sync(town.desk)
    assert state(town, first) == ("confirmed", "guaranteed")
    assert state(town, second)[0] == "commit_failed"
    assert state(town, later) == ("confirmed", "admitted")
    assert oversold(town, right)
    for replica in (town.hub, town.desk):
        (item,) = [one for one in exceptions(replica) if one["kind"] == "oversold"]
        assert "kiosk sold more of T4 than it had" in item["detail"]
        before = replica.store.projections.book_digest(town.book).total
        replica.refold(town.book)
        assert replica.store.projections.book_digest(town.book).total == before
    town.assert_alive()


def test_what_it_admits_for_others_is_added_up_as_well(town: Town, right: Held) -> None:
    town.fleet.cut("desk")
    wishes = [town.fleet.reserve(town.desk, "2027-06-05T19:30", ["T4"], party=3)]
    wishes.append(town.fleet.reserve(town.desk, "2027-06-05T22:00", ["T4"], party=3))
    town.fleet.heal("desk")
    exchange = town.attacker.send()
    assert not exchange.verdicts
    asked = [wish.pending[0] for wish in wishes]
    own = town.attacker.new_id()
    start = asked[0].start
    town.attacker.write(
        sale(town, right, own, start),
        *(
            entry(
                ClaimDecided(one.id.operation, "admitted", "free"),
                subject=wish.id,
                claims=(claim("T4", start=one.start, end=one.end, right=right.right.id),),
            )
            for one, wish in zip(asked, wishes, strict=True)
        ),
    )
    town.fleet.sync_all()
    assert state(town, own) == ("confirmed", "guaranteed")
    assert state(town, wishes[0].id)[0] == "commit_failed"
    assert state(town, wishes[1].id) == ("confirmed", "admitted")
    assert oversold(town, right)
    town.assert_alive()


def test_whoever_made_room_first_has_sold_nothing_twice(town: Town, right: Held) -> None:
    first, second = town.attacker.new_id(), town.attacker.new_id()
    town.attacker.write(sale(town, right, first))
    view = town.hub.view(first)
    assert view is not None
    ended = (ClaimId(view.live[0].id.operation, 0),)
    town.attacker.write(
        entry(ClaimEnded("cancelled"), subject=first, ends=ended), sale(town, right, second)
    )
    town.fleet.sync(town.desk)
    assert state(town, second) == ("confirmed", "guaranteed")
    assert not oversold(town, right)
    town.assert_alive()


def test_a_share_of_a_pool_is_sold_up_to_its_quantity(town: Town) -> None:
    (held,) = town.hub.granting.grant("trattoria", "kiosk", ["HALL"], 4)
    town.fleet.sync_all()
    subjects = [town.attacker.new_id() for _ in range(3)]
    town.attacker.write(*(sale(town, held, one, quantity=2) for one in subjects[:2]))
    town.fleet.sync(town.desk)
    assert not oversold(town, held)
    town.attacker.write(sale(town, held, subjects[2], quantity=1))
    town.fleet.sync(town.desk)
    assert oversold(town, held)
    assert [state(town, one) for one in subjects[:2]] == [("confirmed", "guaranteed")] * 2
    assert state(town, subjects[2])[0] in ("confirmed", "commit_failed"), "the hub's own share says"
    town.assert_alive()


def test_what_was_handed_over_with_the_right_counts_against_it(town: Town) -> None:
    sold = town.fleet.reserve(town.hub, "2027-06-05T19:30", ["T4"], party=3)
    (held,) = town.hub.granting.grant("trattoria", "kiosk", ["T4"])
    town.fleet.sync_all()
    start = sold.live[0].start
    subject = town.attacker.new_id()
    town.attacker.write(sale(town, held, subject, start))
    town.fleet.sync(town.desk)
    assert town.now(sold).status == "confirmed"
    assert state(town, subject)[0] == "commit_failed"
    assert oversold(town, held)
    town.assert_alive()


def test_whoever_gives_the_right_back_in_the_same_breath_has_oversold_it(
    town: Town, right: Held
) -> None:
    first, second = town.attacker.new_id(), town.attacker.new_id()
    town.attacker.write(
        sale(town, right, first),
        sale(town, right, second),
        entry(RightReturned((right.right.id,), 0)),
    )
    town.fleet.sync(town.desk)
    assert state(town, first) == ("confirmed", "guaranteed")
    assert state(town, second)[0] == "commit_failed"
    assert oversold(town, right)
    town.assert_alive()


def test_a_life_that_is_closed_for_its_fork_has_oversold_before(town: Town, right: Held) -> None:
    first, second, third = (town.attacker.new_id() for _ in range(3))
    town.attacker.send(
        town.attacker.frame(sale(town, right, first), sale(town, right, second)),
        town.attacker.frame(sale(town, right, third, EVENING + 9 * HOUR)),
    )
    town.fleet.sync(town.desk, town.desk)
    assert state(town, second)[0] == "commit_failed"
    assert oversold(town, right)


def test_a_backlog_that_never_ends_is_added_up_piece_by_piece(town: Town, right: Held) -> None:
    first, second = town.attacker.new_id(), town.attacker.new_id()
    for subject in (first, second):
        town.attacker.send(town.attacker.frame(sale(town, right, subject)), more=True)
    town.fleet.sync(town.desk)
    assert oversold(town, right)
    town.fleet.clocks.advance(minutes=5)
    town.fleet.sync(town.desk, town.desk)
    assert state(town, first) == ("confirmed", "guaranteed")
    assert state(town, second)[0] == "commit_failed"


def test_what_came_while_the_hub_recovered_is_added_up_when_it_goes_on(
    town: Town, right: Held
) -> None:
    copied = town.fleet.copy("hub", "restored")
    town.fleet.the_hub.close()
    town.fleet.open("hub", copied)
    town.hub = town.fleet.the_hub
    first, second = town.attacker.new_id(), town.attacker.new_id()
    town.attacker.write(sale(town, right, first), sale(town, right, second))
    town.fleet.sync(town.desk)
    assert town.hub.recover(proceed=True)["state"] == "serving"
    views = [town.hub.view(subject) for subject in (first, second)]
    assert [view.status for view in views if view] == ["confirmed", "commit_failed"]


def test_what_a_hub_that_died_did_not_add_up_is_added_up_at_its_start(
    town: Town, right: Held
) -> None:
    first, second = town.attacker.new_id(), town.attacker.new_id()
    with mock.patch.object(overselling, "take_back", return_value=0):
        town.attacker.write(sale(town, right, first), sale(town, right, second))
    town.hub = town.fleet.reopen("hub")  # type: ignore[assignment]
    town.fleet.sync(town.desk)
    assert state(town, first) == ("confirmed", "guaranteed")
    assert state(town, second)[0] == "commit_failed"
    assert oversold(town, right)


def test_a_kiosk_has_no_word_of_the_house_that_excuses_it(town: Town, right: Held) -> None:
    subjects = [town.attacker.new_id() for _ in range(3)]
    town.attacker.write(*(sale(town, right, one, override="vip_guest") for one in subjects))
    town.fleet.sync(town.desk)
    assert state(town, subjects[0]) == ("confirmed", "guaranteed")
    assert [state(town, one)[0] for one in subjects[1:]] == ["commit_failed"] * 2
    assert oversold(town, right)
    town.assert_alive()


@pytest.mark.parametrize(("lowered", "stand"), [(False, 2), (True, 2)])
def test_a_desk_overbooks_as_far_as_any_venue_file_allowed(
    tmp_path: Path, lowered: bool, stand: int
) -> None:
    """Also where the limit has been lowered since: the desk may not have heard of it."""
    venue = TRATTORIA | {"overbooking": [{"resources": ["T4"], "limit": 1}]}
    with Fleet(tmp_path, venue) as fleet:
        desk, hub = fleet.join("desk"), fleet.the_hub
        (held,) = hub.granting.grant("trattoria", "desk", ["T4"])
        fleet.sync_all()
        if lowered:
            hub.import_venue(TRATTORIA)
        thief = Attacker(fleet, desk)
        subjects = [thief.new_id() for _ in range(4)]
        wanted = claim("T4", right=held.right.id)
        thief.write(
            *(
                entry(created(override="vip_guest"), subject=one, claims=(wanted,))
                for one in subjects
            )
        )
        views = [hub.view(one) for one in subjects]
        assert [view.status for view in views if view] == (
            ["confirmed"] * stand + ["commit_failed"] * (4 - stand)
        )


def test_a_second_branch_brings_no_ended_claim_back(
    town: Town, right: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one writer only so many entries about a reservation count: those of another branch, which
    stand earlier, must not push the end of a claim out."""
    monkeypatch.setattr("holdfast.store.projections.ENTRIES_PER_RESERVATION_MAX", 4)
    subject, before = town.attacker.new_id(), len(town.attacker.chain)
    sold = sale(town, right, subject)
    town.attacker.write(sold)
    view = town.hub.view(subject)
    assert view is not None
    said = [
        entry(ReservationAttendanceConfirmed(), subject=subject, stamp=(START_MS << 16) + n)
        for n in range(1, 5)
    ]
    ended = entry(
        ClaimEnded("cancelled"),
        subject=subject,
        ends=(view.live[0].id,),
        stamp=(START_MS << 16) + 9,
    )
    town.attacker.write(*said[:2], ended, entry(RightReturned((right.right.id,), 0)))
    (desks,) = town.hub.granting.grant("trattoria", "desk", ["T4"])
    town.fleet.sync(town.desk)
    again = town.fleet.reserve(town.desk, "2027-06-03T22:30", ["T4"], party=3)
    assert again.assurance == "guaranteed" and again.live[0].right == desks.right.id
    town.attacker.send(town.attacker.frame_of([*town.attacker.chain[:before], sold, *said[2:]]))
    town.fleet.sync(town.desk, town.desk)
    for replica in (town.hub, town.desk):
        found = replica.view(subject)
        assert found is not None and not found.live
    assert town.now(again).status == "confirmed"
    town.fleet.nodes.pop("kiosk").close()
    town.fleet.assert_agree()


def test_the_fleet_view_tells_what_there_is_against_a_device(town: Town, right: Held) -> None:
    sales = [sale(town, right, town.attacker.new_id()) for _ in range(2)]
    town.attacker.write(*sales, entry(created(code="not a code"), subject=town.attacker.new_id()))
    town.attacker.send(town.attacker.frame(b"x", seal=b"no seal"))
    concerns = {one["name"]: one["concerns"] for one in town.hub.nodes()}
    nothing = dict.fromkeys(KINDS, 0)
    assert concerns["desk"] == nothing
    assert concerns["kiosk"] == nothing | {"quarantined": 1, "refused": 1, "oversold": 1}
