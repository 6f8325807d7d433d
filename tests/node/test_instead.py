"""What is offered instead of what is full: days nearby, other kinds of rooms, and nothing that
would be refused a moment later."""

from __future__ import annotations

import contextlib
import copy
import datetime
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import NotAvailable, RuleViolated
from holdfast.model.reservation import View
from holdfast.model.rules.suggesting import NEARBY_DAYS
from holdfast.node import guest_terms, reserving, series, waiting
from holdfast.node.requests import CreateRequest, SeriesRequest, WaitRequest
from holdfast.node.service import Service
from tests.kit import DAY, HOTEL, TRATTORIA, WEEK, Fleet
from tests.node.test_brute_force import (
    DAYS,
    NOW,
    House,
    block,
    draw_house,
    minute_of,
    moment,
    openings,
    seatings,
    take,
)

TODAY, NEXT_DAY = "2027-06-02", "2027-06-04"
EVENING = [["18:00", "21:00"]]

Small = Callable[..., AbstractContextManager[Fleet]]


class _NotKept(Exception):
    """What was tried is undone."""


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """An osteria of one table, open from six to nine: a day has two seatings."""

    def make(**changes: Any) -> Fleet:
        evenings: dict[str, Any] = dict.fromkeys(WEEK, EVENING)
        file = {
            "venue": "trattoria", "name": "Osteria", "kind": "restaurant",
            "time_zone": "Europe/Rome", "slot_minutes": 30, "seating_minutes": 90,
            "hours": evenings, "policies": {"advance_days": 365},
            "resources": [{"id": "T1", "kind": "table", "seats": [1, 4], "area": "Main"}],
        } | changes  # fmt: skip
        return Fleet(tmp_path, file)

    return make


def fill(fleet: Fleet, *days: str) -> None:
    for day in days:
        for time in ("18:00", "19:30"):
            fleet.reserve(fleet.the_hub, f"{day}T{time}", party=4, kind="house")


def refused(work: Callable[[], Any]) -> NotAvailable:
    with pytest.raises(NotAvailable) as caught:
        work()
    return caught.value


def starts(error: NotAvailable | RuleViolated) -> list[str]:
    return [slot["starts_at"][5:16] for slot in offered(error)]


def offered(error: NotAvailable | RuleViolated) -> list[dict[str, Any]]:
    name = "alternatives" if isinstance(error, NotAvailable) else "suggestions"
    found: list[dict[str, Any]] = error.extra[name]
    return found


def had(fleet: Fleet, replica: Service, slot: dict[str, Any], party: int, **more: Any) -> View:
    """The reservation that an alternative is if it is taken; it is not kept, so that the next one
    can be tried too."""
    wanted = CreateRequest(
        venue=fleet.venue_id, starts_at=slot["starts_at"], party_size=party, **more
    )
    with contextlib.suppress(_NotKept), replica.transaction():
        view = replica.reservations.create(wanted)
        raise _NotKept
    return view


# --- other days -----------------------------------------------------------------------------------


def test_where_the_day_is_full_the_same_hour_of_the_days_beside_it_is_offered(small: Small):
    with small() as fleet:
        fill(fleet, DAY)
        error = refused(lambda: fleet.reserve(fleet.the_hub, "19:30"))
        # The hour that was asked for on the day before and after, and then the nearest to it.
        assert starts(error) == ["06-02T19:00", "06-02T19:30", "06-04T19:30"]
        assert "try one of the alternatives" in error.detail
        for slot in error.extra["alternatives"]:
            had(fleet, fleet.the_hub, slot, 2)


def test_where_the_day_has_little_left_that_comes_first_and_the_rest_from_beside_it(small: Small):
    with small() as fleet:
        fleet.reserve(fleet.the_hub, "19:30")
        error = refused(lambda: fleet.reserve(fleet.the_hub, "19:30"))
        assert starts(error) == ["06-02T19:30", "06-03T18:00", "06-04T19:30"]


def test_days_that_are_closed_full_or_too_far_ahead_are_passed_over(small: Small):
    hours = WEEK | dict.fromkeys(WEEK, EVENING) | {"fri": []}
    with small(hours=hours, closed=["2027-06-05"], policies={"advance_days": 5}) as fleet:
        fill(fleet, TODAY, DAY)
        error = refused(lambda: fleet.reserve(fleet.the_hub, "18:00"))
        assert starts(error) == ["06-06T18:00", "06-06T18:30", "06-06T19:00"]
        fill(fleet, "2027-06-06", "2027-06-07")
        error = refused(lambda: fleet.reserve(fleet.the_hub, "18:00"))
        assert error.extra["alternatives"] == [], "the 8th is further ahead than may be reserved"
        assert "try another time or day" in error.detail


def test_no_further_than_a_week_is_looked(small: Small):
    with small() as fleet:
        first = datetime.date.fromisoformat(TODAY)
        fill(fleet, *(f"{first + datetime.timedelta(days=n)}" for n in range(NEARBY_DAYS + 2)))
        error = refused(lambda: fleet.reserve(fleet.the_hub, "18:00"))
        assert error.extra["alternatives"] == [], "the 10th is taken, and the 11th is further"
        error = refused(lambda: fleet.reserve(fleet.the_hub, f"{NEXT_DAY}T18:00"))
        assert starts(error) == ["06-11T18:00", "06-11T18:30", "06-11T19:00"]


def test_whoever_moves_is_offered_days_nearby_too(small: Small):
    with small() as fleet:
        fill(fleet, DAY)
        view = fleet.reserve(fleet.the_hub, f"{NEXT_DAY}T19:30")
        error = refused(lambda: fleet.move(fleet.the_hub, view, time="19:30"))
        # What they have on Friday is none.
        assert starts(error) == ["06-02T19:00", "06-02T19:30"]
        fleet.move(fleet.the_hub, view, time=f"{TODAY}T19:00")


def test_whoever_named_a_place_is_offered_places_of_its_kind(tmp_path: Path):
    file = copy.deepcopy(HOTEL) | {"kind": "centre", "hours": WEEK, "seating_minutes": 60}
    file["resources"] = [
        {"id": "T1", "kind": "table"}, {"id": "B1", "kind": "bay"}, {"id": "B2", "kind": "bay"},
    ]  # fmt: skip
    del file["stays"]
    with Fleet(tmp_path, file) as fleet:
        fleet.reserve(fleet.the_hub, "19:30", ["B1"])
        error = refused(lambda: fleet.reserve(fleet.the_hub, "19:30", ["B1"]))
        places = {one for slot in error.extra["alternatives"] for one in slot["resources"]}
        assert places <= {"B1", "B2"}


def test_it_says_whether_they_may_wait_and_of_nights_nobody_does(small: Small, tmp_path: Path):
    with small() as fleet:
        fill(fleet, DAY)
        assert refused(lambda: fleet.reserve(fleet.the_hub, "18:00")).extra["waitlist_available"]
    with Fleet(tmp_path / "inn", HOTEL) as fleet:
        stay: dict[str, Any] = {"resource_kind": "suite", "nights": 1}
        fleet.reserve(fleet.the_hub, "15:00", **stay)
        error = refused(lambda: fleet.reserve(fleet.the_hub, "15:00", **stay))
        assert not error.extra["waitlist_available"]


# --- nights ---------------------------------------------------------------------------------------


def test_nights_that_are_full_may_be_had_near_it_or_in_a_room_of_another_kind(tmp_path: Path):
    with Fleet(tmp_path, HOTEL) as fleet:
        hub = fleet.the_hub
        for _ in range(2):
            fleet.reserve(hub, "2027-06-05T15:00", ["DOUBLE"], nights=3)
        error = refused(lambda: fleet.reserve(hub, "2027-06-05T15:00", nights=2))
        *near, other = error.extra["alternatives"]
        assert [slot["starts_at"][:10] for slot in near] == [TODAY, DAY, "2027-06-08"]
        assert all(slot["resources"] == ["DOUBLE"] for slot in near)
        assert (other["starts_at"][:10], other["ends_at"][:10]) == ("2027-06-05", "2027-06-07")
        assert (other["resources"], other["resource_kind"]) == (["R101"], "suite")
        for slot in near:
            had(fleet, hub, slot, 2, nights=2)
        had(fleet, hub, other, 2, nights=2, resource_kind="suite")


def test_a_party_that_no_room_of_the_kind_takes_is_offered_another_kind(tmp_path: Path):
    with Fleet(tmp_path, HOTEL) as fleet:
        with pytest.raises(RuleViolated) as caught:
            fleet.reserve(fleet.the_hub, "15:00", party=4, nights=2)
        (other,) = caught.value.extra["suggestions"]
        assert (other["resources"], other["resource_kind"]) == (["R101"], "suite")


def test_a_space_for_a_car_is_no_room(tmp_path: Path):
    file = copy.deepcopy(HOTEL)
    file["resources"].append({"id": "P1", "kind": "parking"})
    with Fleet(tmp_path, file) as fleet:
        stay: dict[str, Any] = {"nights": 2, "kind": "house"}
        for _ in range(2):
            fleet.reserve(fleet.the_hub, "15:00", ["DOUBLE"], **stay)
        fleet.reserve(fleet.the_hub, "15:00", ["R101"], **stay)
        error = refused(lambda: fleet.reserve(fleet.the_hub, "15:00", nights=2))
        assert all("resource_kind" not in slot for slot in error.extra["alternatives"])


# --- all of it, reckoned again --------------------------------------------------------------------


def service_day(minute: int) -> int:
    return (minute - 4 * 60) // 1440


def possible_days(house: House, party: int) -> dict[int, set[int]]:
    """The starts that a party may have, by service day."""
    found: dict[int, set[int]] = {}
    for at in range(NOW, DAYS * 1440):
        if seatings(house, at, party):
            found.setdefault(service_day(at), set()).add(at)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_every_alternative_can_be_had_and_no_nearer_day_has_been_passed_over(
    tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    house = draw_house(draw)
    # Tables are to be what is short, and not the pace.
    for limit in ("covers_per_slot", "covers_at_once"):
        house.file.pop(limit, None)
    with Fleet(tmp_path, house.file) as fleet:
        hub = fleet.the_hub
        step = house.file["slot_minutes"]
        offered_at = [at for opens, closes in openings(house) for at in range(opens, closes, step)]
        for turn in range(120):
            if turn % 12 == 5:
                block(house, hub, draw)
            take(house, fleet, hub, draw.choice(offered_at), draw.randint(1, 6))
        full = 0
        for party in (1, 2, 4, 6):
            possible = possible_days(house, party)
            for start in draw.sample(offered_at, 25):
                try:
                    had(fleet, hub, {"starts_at": moment(start)}, party)
                except RuleViolated as error:
                    for slot in offered(error):
                        had(fleet, hub, slot, party)
                except NotAvailable as error:
                    full += 1
                    instead = offered(error)
                    for slot in instead:
                        had(fleet, hub, slot, party)
                    days = [service_day(minute_of(slot["starts_at"])) for slot in instead]
                    wanted = service_day(start)
                    enough, far = 0, -1
                    while enough < 3 and far < NEARBY_DAYS:
                        far += 1
                        around = {wanted - far, wanted + far}
                        enough += sum(len(possible.get(day, ())) for day in around)
                    case = (moment(start), party, days)
                    assert len(instead) == min(enough, 3), case
                    assert all(abs(day - wanted) <= far for day in days), case
        assert full > 3


@pytest.mark.parametrize("seed", range(3))
def test_nights_that_are_offered_instead_can_be_had(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    file = copy.deepcopy(HOTEL)
    file["resources"].append({"id": "R201", "kind": "family", "seats": [2, 5]})
    first = datetime.date.fromisoformat(DAY)
    with Fleet(tmp_path, file) as fleet:
        hub = fleet.the_hub
        others = near = 0
        for _ in range(80):
            night = f"{first + datetime.timedelta(days=draw.randrange(8))}T15:00"
            party, nights = draw.randint(1, 4), draw.randint(1, 4)
            kind = draw.choice(("room", "suite", "family"))
            try:
                fleet.reserve(hub, night, (), party, nights=nights, resource_kind=kind)
            except (NotAvailable, RuleViolated) as error:
                for slot in offered(error):
                    of = slot.get("resource_kind", kind)
                    view = had(fleet, hub, slot, party, nights=nights, resource_kind=of)
                    assert [claim.resource for claim in view.claims] == slot["resources"]
                    if of == kind:
                        near += 1
                        continue
                    others += 1
                    assert slot["starts_at"][:10] == night[:10]
        assert others > 3 and near > 10


def test_nothing_is_offered_further_ahead_than_this_guest_may(tmp_path: Path) -> None:
    """The limit of a person is asked of other areas and kinds too, not of other days alone."""
    with Fleet(tmp_path, HOTEL) as fleet:
        hub = fleet.the_hub
        agent = reserving.agent_of(hub, "ann", None)
        assert agent
        guest_terms.restrict(hub, agent, "max-advance-days", "no_shows", value=2)
        with pytest.raises(RuleViolated) as refused:
            fleet.reserve(hub, "2027-06-10T15:00", nights=2, user_id="ann")
        found = refused.value.extra["suggestions"]
        assert found
        assert max(one["starts_at"][:10] for one in found) <= "2027-06-04"


def test_what_is_full_far_ahead_is_not_answered_with_a_day_far_before(tmp_path: Path) -> None:
    one_table = copy.deepcopy(TRATTORIA) | {
        "policies": {"advance_days": 30}, "resources": TRATTORIA["resources"][:1],
    }  # fmt: skip
    with Fleet(tmp_path, one_table) as fleet:
        hub = fleet.the_hub
        fleet.reserve(hub, "2027-12-01T19:30", kind="house")
        with pytest.raises(NotAvailable) as refused:
            fleet.reserve(hub, "2027-12-01T19:30", kind="house")
        assert refused.value.extra["alternatives"] == []


def test_a_series_is_not_offered_what_its_own_dates_take(tmp_path: Path) -> None:
    one_table = copy.deepcopy(TRATTORIA) | {"resources": TRATTORIA["resources"][:1]}
    with Fleet(tmp_path, one_table) as fleet:
        hub = fleet.the_hub
        for time in ("17:30", "19:00", "20:30", "22:00"):
            fleet.reserve(hub, f"2027-06-04T{time}")
        made = series.create(
            hub,
            SeriesRequest(
                venue="trattoria", starts_at=f"{DAY}T19:00", party_size=2,
                rrule="FREQ=DAILY;COUNT=4", each=True,
            ),
        )  # fmt: skip
        (refused,) = made.refused
        offered = refused.error.extra["alternatives"]
        assert offered
        for slot in offered:
            taken = fleet.reserve(hub, slot["starts_at"][:16])
            assert taken.status == "confirmed"
            hub.reservations.cancel(taken.code, late=True)


def test_an_area_without_the_usual_kind_offers_what_it_has(tmp_path: Path) -> None:
    """A restaurant with simulators: who asks for that area asks for a bay."""
    bays = [
        {"id": f"BAY-{n}", "kind": "bay", "seats": [1, 2], "area": "Sims"} for n in (1, 2)
    ]  # fmt: skip
    venue = copy.deepcopy(TRATTORIA) | {"resources": [*TRATTORIA["resources"], *bays]}
    with Fleet(tmp_path, venue) as fleet:
        hub = fleet.the_hub
        assert all(slot["resources"] == ["BAY-1"] for slot in fleet.slots(hub, area="Sims"))
        taken = [fleet.reserve(hub, "19:30", area="Sims") for _ in range(2)]
        assert [view.live[0].resource for view in taken] == ["BAY-1", "BAY-2"]
        with pytest.raises(NotAvailable) as refused:
            fleet.reserve(hub, "19:30", area="Sims")
        offered = refused.value.extra["alternatives"]
        assert {one["resources"][0] for one in offered if one["starts_at"][11:16] != "19:30"} <= {
            "BAY-1", "BAY-2",
        }  # fmt: skip
        waits = waiting.join(
            hub,
            WaitRequest(
                venue="trattoria", date=DAY, party_size=2, earliest="19:00", latest="21:00",
                area="Sims",
            ),
        )  # fmt: skip
        assert waits.status == "intent"


def test_who_moves_is_not_offered_what_they_have(tmp_path: Path) -> None:
    venue = copy.deepcopy(TRATTORIA) | {"resources": TRATTORIA["resources"][:2]}
    with Fleet(tmp_path, venue) as fleet:
        hub = fleet.the_hub
        fleet.reserve(hub, "19:30", ["T1"])
        view = fleet.reserve(hub, "19:30", ["T2"])
        with pytest.raises(NotAvailable) as refused:
            fleet.move(hub, view, resources=["T1"])
        offered = refused.value.extra["alternatives"]
        assert offered
        assert ("19:30", ["T2"]) not in [
            (one["starts_at"][11:16], one["resources"]) for one in offered
        ]
