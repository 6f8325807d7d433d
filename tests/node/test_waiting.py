"""The waitlist: one line for everybody, offers that lapse, a place that is used once."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model import waitlist
from holdfast.model.errors import BadTransition, Gone, Invalid, NotAvailable, RuleViolated
from holdfast.model.reservation import View
from holdfast.node import lapsing, waiting
from holdfast.node.requests import OfferRequest, ReserveRequest, WaitRequest
from holdfast.node.service import Service
from tests.kit import DAY, HOTEL, TRATTORIA, Fleet

SMALL: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "resources": [
        {"id": "T1", "kind": "table", "seats": [1, 2]},
        {"id": "T2", "kind": "table", "seats": [1, 2]},
    ],
    "allotments": [{"holder": "desk", "resources": ["T1"]}],
}
EVENING = f"{DAY}T19:30"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, SMALL) as made:
        for name in ("desk", "bar"):
            made.join(name)
        made.sync_all()
        yield made


def join(replica: Service, party: int = 2, **more: Any) -> View:
    times = {"earliest": "19:30", "latest": "19:30"} | more
    return waiting.join(
        replica, WaitRequest(venue="trattoria", date=DAY, party_size=party, **times)
    )


def line(replica: Service) -> list[tuple[str, int, str]]:
    return [
        (one.view.code, one.position, one.state) for one in waiting.line(replica, "trattoria", DAY)
    ]


def settle(fleet: Fleet) -> None:
    fleet.heal()
    fleet.sync_all()
    fleet.assert_agree()


def test_positions_have_no_gaps_and_are_the_same_everywhere(fleet: Fleet) -> None:
    desk, bar = fleet.nodes["desk"], fleet.nodes["bar"]
    first, second = join(desk), join(desk)
    fleet.clocks.advance(seconds=1)
    urgent = join(bar, priority=0)
    later = join(bar, priority=5)
    settle(fleet)
    wanted = [
        (view.code, at, "waiting") for at, view in enumerate((first, second, urgent, later), 1)
    ]
    assert line(desk) == line(bar) == line(fleet.the_hub) == wanted
    waiting.remove(bar, second.code)
    settle(fleet)
    assert [place[:2] for place in line(desk)] == [
        (first.code, 1), (urgent.code, 2), (later.code, 3),
    ]  # fmt: skip
    assert waiting.place_of(desk, fleet.now(desk, second))[1:] == (0, "removed")


def test_an_offer_holds_a_place_and_is_accepted_once(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = join(desk, guest={"name": "Ann"})
    offered = waiting.offer(desk, view.code, OfferRequest())
    assert (offered.status, offered.assurance) == ("intent", "guaranteed")
    assert line(desk) == [(view.code, 1, "offered")]
    with pytest.raises(BadTransition):
        waiting.offer(desk, view.code, OfferRequest())
    done = waiting.accept(desk, view.code, ReserveRequest())
    assert (done.id, done.status, done.assurance) == (view.id, "confirmed", "guaranteed")
    assert waiting.place_of(desk, done)[1:] == (0, "accepted")
    with pytest.raises(BadTransition):
        waiting.accept(desk, view.code, ReserveRequest())
    settle(fleet)
    assert fleet.now(fleet.the_hub, view).status == "confirmed"


def test_an_offer_that_nobody_takes_lapses_and_the_guest_waits_on(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = join(desk)
    waiting.offer(desk, view.code, OfferRequest(minutes=10))
    fleet.clocks.advance(minutes=10)
    with pytest.raises(Gone):
        waiting.accept(desk, view.code, ReserveRequest())
    assert lapsing.lapse(desk, fleet.book) == 1
    assert lapsing.lapse(desk, fleet.book) == 0
    assert line(desk) == [(view.code, 1, "waiting")]
    with pytest.raises(Gone):
        waiting.accept(desk, view.code, ReserveRequest())
    assert fleet.reserve(desk, EVENING, ["T1"]).assurance == "guaranteed"
    settle(fleet)


def test_a_place_on_the_waitlist_ends_with_the_time_that_was_asked_for(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = join(desk)
    fleet.clocks.advance(hours=24 + 9)
    assert lapsing.lapse(desk, fleet.book) == 0, "it is 19:13"
    fleet.clocks.advance(minutes=30)
    assert lapsing.lapse(desk, fleet.book) == 1
    assert (fleet.now(desk, view).status, line(desk)) == ("expired", [])
    with pytest.raises(Gone):
        waiting.accept(desk, view.code, ReserveRequest())


def test_it_ends_after_a_week_however_far_ahead_the_day_is(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = waiting.join(desk, WaitRequest(venue="trattoria", date="2027-07-30", party_size=2))
    fleet.clocks.advance(hours=7 * 24 - 1)
    assert lapsing.lapse(desk, fleet.book) == 0
    fleet.clocks.advance(hours=1)
    assert lapsing.lapse(desk, fleet.book) == 1
    assert fleet.now(desk, view).status == "expired"


def test_two_devices_that_offer_one_guest_a_place_give_one(fleet: Fleet) -> None:
    """Both cut off, each from its own; the guest takes the second offer, and has only that."""
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    view = join(desk)
    fleet.sync_all()
    fleet.cut("desk", "bar")
    waiting.offer(desk, view.code, OfferRequest(resources=["T1"]))
    fleet.clocks.advance(seconds=5)
    waiting.offer(hub, view.code, OfferRequest(resources=["T2"]))
    taken = waiting.accept(hub, view.code, ReserveRequest())
    assert (taken.status, [one.resource for one in taken.live]) == ("confirmed", ["T2"])
    settle(fleet)
    now = fleet.now(desk, view)
    assert (now.status, [one.resource for one in now.occupying]) == ("confirmed", ["T2"])
    assert fleet.reserve(desk, EVENING, ["T1"]).assurance == "guaranteed"


def test_two_devices_that_accept_for_one_guest_make_one_reservation(fleet: Fleet) -> None:
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    view = join(desk)
    fleet.sync_all()
    fleet.cut("desk", "bar")
    waiting.offer(desk, view.code, OfferRequest(resources=["T1"]))
    waiting.accept(desk, view.code, ReserveRequest())
    fleet.clocks.advance(seconds=5)
    waiting.offer(hub, view.code, OfferRequest(resources=["T2"]))
    waiting.accept(hub, view.code, ReserveRequest())
    settle(fleet)
    now = fleet.now(hub, view)
    assert (now.status, [one.resource for one in now.occupying]) == ("confirmed", ["T1"])


def test_who_was_displaced_stands_before_everybody(fleet: Fleet) -> None:
    desk, bar = fleet.nodes["desk"], fleet.nodes["bar"]
    waits = join(desk)
    fleet.sync_all()
    fleet.cut("bar")
    lost = fleet.reserve(bar, EVENING, ["T1"])
    fleet.reserve(desk, EVENING, ["T1"])
    settle(fleet)
    assert line(desk) == [(lost.code, 1, "displaced"), (waits.code, 2, "waiting")]


def test_who_was_displaced_is_helped_by_a_person_and_may_leave(fleet: Fleet) -> None:
    desk, bar = fleet.nodes["desk"], fleet.nodes["bar"]
    fleet.cut("bar")
    lost = fleet.reserve(bar, EVENING, ["T1"])
    fleet.reserve(desk, EVENING, ["T1"])
    settle(fleet)
    with pytest.raises(BadTransition, match="exceptions resolve"):
        waiting.offer(desk, lost.code, OfferRequest())
    with pytest.raises(Invalid, match=r"--reason .*exceptions resolve"):
        waiting.remove(desk, lost.code)
    assert [place.state for place in waiting.line(desk, "trattoria", lost.service_date)] == [
        "displaced"
    ]
    gone = waiting.remove(desk, lost.code, "found_alternative")
    assert (gone.status, gone.cancel_reason) == ("cancelled", "found_alternative")
    assert line(desk) == []


def test_who_was_displaced_and_leaves_by_themself_gives_no_reason(fleet: Fleet) -> None:
    desk, bar = fleet.nodes["desk"], fleet.nodes["bar"]
    fleet.cut("bar")
    lost = fleet.reserve(bar, EVENING, ["T1"])
    fleet.reserve(desk, EVENING, ["T1"])
    settle(fleet)
    assert waiting.remove(desk, lost.code, by_guest=True).status == "cancelled"


def test_who_has_a_place_leaves_no_waitlist(fleet: Fleet) -> None:
    """Leaving would call the reservation off: that is asked for by its own name."""
    desk = fleet.nodes["desk"]
    view = join(desk)
    waiting.offer(desk, view.code, OfferRequest())
    waiting.accept(desk, view.code, ReserveRequest())
    with pytest.raises(BadTransition):
        waiting.remove(desk, view.code)
    assert fleet.now(desk, view).status == "confirmed"


def test_the_line_of_all_days_goes_day_by_day_from_today_on(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    later = waiting.join(desk, WaitRequest(venue="trattoria", date="2027-06-04", party_size=2))
    today = waiting.join(desk, WaitRequest(venue="trattoria", date="2027-06-02", party_size=2))
    first, second = join(desk), join(desk)
    told = [(one.view.code, one.position) for one in waiting.lines(desk, "trattoria")]
    assert told == [(today.code, 1), (first.code, 1), (second.code, 2), (later.code, 1)]
    fleet.clocks.advance(hours=24)
    told = [(one.view.code, one.position) for one in waiting.lines(desk, "trattoria")]
    assert told == [(first.code, 1), (second.code, 2), (later.code, 1)]


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("party", {"party_size": 13}),
        ("advance", {"date": "2028-06-03"}),
        ("closed", {"date": "2027-12-25"}),
        ("seats", {"party_size": 5}),
    ],
)
def test_nobody_waits_for_what_can_never_be(
    tmp_path: Path, rule: str, changes: dict[str, Any]
) -> None:
    policies = {"max_party": 12, "advance_days": 300}
    document = SMALL | {"policies": policies, "closed": ["2027-12-25"]}
    with Fleet(tmp_path, document) as made:
        wanted: dict[str, Any] = {"venue": "trattoria", "date": DAY, "party_size": 2} | changes
        with pytest.raises(RuleViolated) as raised:
            waiting.join(made.the_hub, WaitRequest(**wanted))
        assert [one["rule"] for one in raised.value.extra["violations"]] == [rule]


def test_places_for_nights_have_no_waitlist(tmp_path: Path) -> None:
    with Fleet(tmp_path, HOTEL) as made:
        hub = made.the_hub
        with pytest.raises(RuleViolated, match="nights"):
            waiting.join(hub, WaitRequest(venue="hotel", date=DAY, party_size=2))
        nights: dict[str, Any] = {"nights": 1, "resources": ["R101"]}
        made.reserve(hub, DAY + "T15:00", **nights)
        with pytest.raises(NotAvailable) as raised:
            made.reserve(hub, DAY + "T15:00", **nights)
        assert raised.value.extra["waitlist_available"] is False


def test_who_finds_nothing_free_is_told_of_the_waitlist(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    for table in ("T1", "T2"):
        fleet.reserve(desk, EVENING, [table])
    with pytest.raises(NotAvailable) as raised:
        fleet.reserve(desk, EVENING)
    assert raised.value.extra["waitlist_available"] is True


def test_nothing_free_is_told_and_so_is_a_time_that_is_over(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    for table in ("T1", "T2"):
        fleet.reserve(desk, EVENING, [table])
    view = join(desk)
    with pytest.raises(NotAvailable):
        waiting.offer(desk, view.code, OfferRequest())
    with pytest.raises(NotAvailable):
        waiting.accept(desk, view.code, ReserveRequest())
    with pytest.raises(Invalid):
        waiting.join(desk, WaitRequest(venue="trattoria", date="2027-06-01", party_size=2))


def test_the_wait_that_is_quoted_grows_with_the_line(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    for table in ("T1", "T2"):
        fleet.reserve(desk, EVENING, [table])
    places = [join(desk, earliest="19:30", latest="23:00") for _ in range(3)]
    now_s = desk.clock.now_ms() // 1000
    quoted = [waiting.quoted_minutes(desk, waiting.place_of(desk, view), now_s) for view in places]
    nine = fleet.now(desk, places[0]).starts_at + 90 * 60
    until_nine = -(-(nine - now_s) // 60)
    assert quoted == [until_nine, until_nine, None], "two tables are free at nine, never three"
    assert waitlist.state_of(places[0]) == "waiting"
