"""Figures of a venue that was at work: the desk's evening, and what other replicas know of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import Gone, Invalid, NotFound, RateLimited, RuleViolated
from holdfast.model.figure_lines import line
from holdfast.model.limits import FIGURES_DAYS_MAX
from holdfast.model.pseudonyms import agent_id
from holdfast.node import holds, lapsing, reporting, same_guests
from holdfast.node.requests import HoldRequest, ReserveRequest
from holdfast.node.service import Service
from tests.kit import DAY, HOTEL, NEXT_DAY, TRATTORIA, Fleet, every_view

ANNA = agent_id(b"k" * 32, "anna")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    venue = copy.deepcopy(TRATTORIA) | {"allotments": [{"holder": "desk", "resources": ["T1"]}]}
    with Fleet(tmp_path, venue) as made:
        made.join("desk")
        made.sync_all()
        yield made


def evening(fleet: Fleet) -> None:
    """From 2 June 10:13 on: five for the next day, one of which is asked for, one for another."""
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    stays = fleet.reserve(hub, "12:00", ["T2"], agent_id=ANNA, source="phone")
    fleet.reserve(desk, "19:00", ["T1"], agent_id=ANNA)
    off = fleet.reserve(hub, "19:00", ["T3"], party=4)
    missed = fleet.reserve(hub, "12:00", ["HALL"], party=6)
    fleet.reserve(hub, f"{NEXT_DAY}T12:00", ["T2"], agent_id=ANNA)
    fleet.sync_all()
    fleet.clocks.advance(hours=25, minutes=52)  # to 12:05 of the day
    hub.reservations.cancel(off.code, "guest_request", "guest")
    hub.reservations.check_in(stays.code, 1)
    hub.reservations.no_show(missed.code)
    fleet.clocks.advance(minutes=40)
    hub.reservations.complete(stays.code)
    fleet.reserve(desk, "14:00", ["T2"], kind="walk_in", source="walk_in")


def service(replica: Service, date: str | None = DAY) -> dict[str, Any]:
    return reporting.of_service(replica, "trattoria", date)


def test_an_evening_at_work(fleet: Fleet):
    evening(fleet)
    fleet.sync_all()
    found = service(fleet.the_hub)
    assert found["statuses"] == {
        "confirmed": 2, "completed": 1, "cancelled": 1, "no_show": 1,
    }  # fmt: skip
    assert found["parties"] == {"booked": 4, "seated": 1}
    assert found["covers"] == {"booked": 2 + 2 + 6 + 2, "seated": 1}
    assert found["no_shows"] == {"parties": 1, "covers": 6, "rate": 0.5}
    assert found["cancellations"]["in_time"] == 1
    turn = found["turn_minutes"]
    assert (turn["parties"], turn["median"], turn["planned_median"]) == (1, 40.0, 90.0)
    # Who left early holds no place any more, and so does who called off.
    assert found["assurances"] == {"guaranteed": 1, "admitted": 1, "none": 3}
    assert found["sources"] == {"direct": 3, "phone": 1, "walk_in": 1}
    # 08:00 to 24:00; four tables and the hall's ten places.
    open_minutes = 16 * 60
    use = {one["resource"]: one["booked_minutes"] for one in found["resources"]}
    assert use == {"T1": 90, "T2": 180, "T3": 0, "T4": 0, "HALL": 540}
    assert found["utilisation"]["open_minutes"] == 14 * open_minutes
    assert found["utilisation"]["booked_minutes"] == 810


def test_figures_are_equal_where_the_same_is_known_and_only_there(fleet: Fleet):
    evening(fleet)
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    assert service(desk) != service(hub)
    fleet.sync_all()
    assert service(desk) == service(hub)
    assert service(fleet.reopen("hub")) == service(desk)


def test_a_range_has_a_line_for_each_date_which_add_up(fleet: Fleet):
    evening(fleet)
    found = reporting.of_range(fleet.the_hub, "trattoria", DAY, NEXT_DAY)
    assert [one["date"] for one in found["days"]] == [DAY, NEXT_DAY]
    for day in found["days"]:
        alone = service(fleet.the_hub, day["date"])
        assert (day["reservations"], day["covers"]) == (
            alone["reservations"], alone["covers"]["booked"],
        )  # fmt: skip
    for name in ("reservations", "parties", "covers", "booked_minutes"):
        together = {
            "reservations": found["reservations"], "parties": found["parties"]["booked"],
            "covers": found["covers"]["booked"],
            "booked_minutes": found["utilisation"]["booked_minutes"],
        }[name]  # fmt: skip
        assert sum(one[name] for one in found["days"]) == together


def test_without_a_date_it_is_today(fleet: Fleet):
    assert service(fleet.the_hub, None)["date"] == "2027-06-02"
    fleet.clocks.advance(hours=24)
    assert service(fleet.the_hub, None)["date"] == DAY


def test_a_guest_who_came_long_before_takes_the_nights_of_a_day(tmp_path: Path):
    with Fleet(tmp_path, HOTEL) as fleet:
        hub = fleet.the_hub
        fleet.reserve(hub, "2027-06-03T15:00", ["R101"], nights=30)
        night = reporting.of_service(hub, "hotel", "2027-06-20")
        assert night["reservations"] == 0
        rates = {one["resource"]: one["rate"] for one in night["resources"]}
        assert rates == {"DOUBLE": 0.0, "R101": 1.0}
        after = reporting.of_service(hub, "hotel", "2027-07-03")
        assert {one["rate"] for one in after["resources"]} == {0.0}


def test_each_venue_has_its_own_figures_and_they_are_those_of_its_range(fleet: Fleet):
    evening(fleet)
    hub = fleet.the_hub
    hub.import_venue(copy.deepcopy(HOTEL))
    fleet.reserve(hub, f"{DAY}T15:00", ["R101"], venue="hotel", nights=2)
    lines = reporting.of_venues(hub, hub.venue_ids(), DAY, NEXT_DAY)
    assert [one["venue"] for one in lines] == ["hotel", "trattoria"]
    for one in lines:
        whole = reporting.of_range(hub, one["venue"], DAY, NEXT_DAY)
        assert one["reservations"] == whole["reservations"]
        assert one["utilisation"] == whole["utilisation"]["rate"]
        listed = every_view(hub, hub.book_of(one["venue"]))
        assert one["reservations"] == len(listed)


def test_no_shows_are_counted_by_the_week_and_guests_who_stay_away_again_by_pseudonym(
    fleet: Fleet,
):
    """Thursday 3 June, and the Monday after it: twice the same person, under two agent ids."""
    hub, monday, other = fleet.the_hub, "2027-06-07", agent_id(b"k" * 32, "anna, by telephone")
    missed = [
        fleet.reserve(hub, "12:00", ["T3"], agent_id=ANNA, party=3),
        fleet.reserve(hub, f"{monday}T12:00", ["T2"], agent_id=other),
        fleet.reserve(hub, f"{monday}T12:00", ["T3"], party=4),
    ]
    came = fleet.reserve(hub, f"{monday}T15:00", ["T2"], agent_id=ANNA)
    fleet.reserve(hub, f"{monday}T19:00", ["T2"], agent_id=ANNA)  # is still to come
    house = fleet.reserve(hub, f"{monday}T15:00", ["T3"], kind="house")
    fleet.clocks.advance(hours=125)  # Monday afternoon
    for view in missed:
        hub.reservations.no_show(view.code)
    hub.reservations.check_in(came.code)
    hub.reservations.no_show(house.code)
    found = reporting.of_no_shows(hub, "trattoria", DAY, monday)
    assert [
        (one["week"], one["from"], one["to"], one["due"], one["parties"], one["covers"])
        for one in found["weeks"]
    ] == [("2027-W22", DAY, "2027-06-06", 1, 1, 3), ("2027-W23", monday, monday, 3, 2, 6)]
    assert (found["due"], found["parties"], found["rate"]) == (4, 3, 0.75)
    assert found["repeated"] == []
    same_guests.merge(hub, ANNA, other)
    (again,) = reporting.of_no_shows(hub, "trattoria", DAY, monday)["repeated"]
    assert again == {"agent_id": min(ANNA, other), "no_shows": 2, "came": 1, "last": monday}
    by_itself = reporting.of_no_shows(hub, "trattoria", None, None)
    assert (by_itself["from"], by_itself["to"]) == ("2027-05-17", monday)
    assert [one["due"] for one in by_itself["weeks"]] == [0, 0, 1, 3]
    assert by_itself["weeks"][0]["rate"] is None


def test_booking_by_a_hold_took_as_long_as_the_guest_did(fleet: Fleet):
    """One hold was reserved after 42 seconds and one after 3 minutes; one is given back, one lapses
    and one is open: 2 of 4. A reservation without a hold takes no time."""
    hub = fleet.the_hub

    def held(table: str) -> str:
        return holds.place(
            hub,
            HoldRequest(
                venue="trattoria", starts_at=f"{DAY}T19:00", party_size=2, resources=[table]
            ),
        ).code

    first, second, back, lapses = held("T2"), held("T3"), held("T4"), held("HALL")
    fleet.clocks.advance(seconds=42)
    holds.reserve(hub, first, ReserveRequest())
    fleet.clocks.advance(seconds=138)
    taken = holds.reserve(hub, second, ReserveRequest())
    hub.reservations.cancel(taken.code, "guest_request", "guest")
    holds.release(hub, back)
    fleet.clocks.advance(minutes=30)
    assert lapsing.lapse(hub, fleet.book) == 1
    with pytest.raises(Gone):
        holds.reserve(hub, lapses, ReserveRequest())
    held("T4")
    fleet.reserve(hub, "12:00", ["T3"])
    found = service(hub)
    assert found["holds"] == {
        "made": 5, "reserved": 2, "given_back": 1, "lapsed": 1, "refused": 0, "open": 1,
        "conversion": 0.5,
    }  # fmt: skip
    assert found["time_to_book_seconds"] == {"holds": 2, "median": 111.0, "mean": 111.0}
    assert found["reservations"] == 3
    fleet.sync_all()
    assert service(fleet.nodes["desk"])["holds"] == found["holds"]


def test_what_the_limits_of_a_person_refused_is_what_the_report_of_refusals_says(tmp_path: Path):
    """On 2 June two more than one may have ahead, one of which came too fast as well; on 3 June one
    that came too fast; what is refused for another reason is none of them."""
    policies = {"advance_days": 365, "max_party": 4, "concurrent": 1, "rates": {"per_hour": 1}}
    with Fleet(tmp_path, copy.deepcopy(TRATTORIA) | {"policies": policies}) as fleet:
        hub = fleet.the_hub

        def asked(time: str, *, by_guest: bool = True, party: int = 2) -> None:
            request = fleet.request(time, agent_id=ANNA, party=party)
            hub.reservations.create(request, by_guest=by_guest)

        def refused(time: str, **more: Any) -> None:
            with pytest.raises((RuleViolated, RateLimited)):
                asked(time, **more)

        asked(f"{DAY}T08:00")
        refused(f"{NEXT_DAY}T12:00")
        fleet.clocks.advance(hours=2)
        refused(f"{NEXT_DAY}T12:00")
        fleet.clocks.advance(hours=22)
        asked(f"{NEXT_DAY}T12:00")
        hub.reservations.cancel(
            hub.reservations.select(limit=9)[0][-1].code, "guest_request", "guest"
        )
        refused(f"{NEXT_DAY}T13:00")
        refused(f"{NEXT_DAY}T14:00", party=5)
        found = reporting.of_range(hub, "trattoria", "2027-06-02", DAY)
        counted = {
            one["rule"]: one["count"]
            for one in hub.refusals.report("trattoria", "2027-06-02", NEXT_DAY)
        }
        assert found["rate_limits"] == {
            "rates": counted["rates"], "concurrent": counted["concurrent"], "reschedules": 0,
        }  # fmt: skip
        assert found["rate_limits"]["concurrent"] == 2
        days = [(one["limited_rates"], one["limited_concurrent"]) for one in found["days"]]
        assert days == [(1, 2), (2, 0)]
        assert service(hub)["rate_limits"] == {"rates": 2, "concurrent": 0, "reschedules": 0}
        assert reporting.of_venues(hub, ["trattoria"], NEXT_DAY, NEXT_DAY)[0]["limited_rates"] == 0


def test_a_business_is_the_sum_of_its_venues_and_no_mean_of_them(fleet: Fleet):
    """Half of who was due at one venue came, and all who were due at the other."""
    evening(fleet)
    hub = fleet.the_hub
    hub.import_venue(copy.deepcopy(TRATTORIA) | {"business_account": "ba_1"})
    second = {"venue": "second", "name": "Second", "business_account": "ba_1", "allotments": []}
    hub.import_venue(copy.deepcopy(TRATTORIA) | second)
    hub.import_venue(copy.deepcopy(HOTEL) | {"business_account": "ba_2"})
    for table in ("T1", "T2", "T3"):
        come = fleet.reserve(hub, "14:30", [table], venue="second", kind="walk_in")
        hub.reservations.check_in(come.code)
    found = reporting.of_business(hub, "ba_1", DAY, NEXT_DAY)
    assert [one["venue"] for one in found["venues"]] == ["second", "trattoria"]
    # Who came and who did not: 1 of 2, and 3 of 3.
    assert [one["no_show_rate"] for one in found["venues"]] == [0.0, 0.5]
    assert found["no_shows"] == {"parties": 1, "covers": 6, "rate": 0.2}
    total = line(found)
    of_each = [
        line(reporting.of_range(hub, one["venue"], DAY, NEXT_DAY)) for one in found["venues"]
    ]
    for one, alone in zip(found["venues"], of_each, strict=True):
        assert one == {"venue": one["venue"], "name": one["name"], **alone}
    shares = ("_rate", "_mean", "_median", "_conversion", "utilisation")
    counts = [name for name in total if not name.endswith(shares)]
    assert len(counts) > 30
    for name in counts:
        assert total[name] == sum(one[name] for one in of_each), name
    assert total["reservations"] == sum(
        len(every_view(hub, hub.book_of(one))) for one in ("trattoria", "second")
    )
    assert total["utilisation"] == round(total["booked_minutes"] / total["open_minutes"], 4)
    with pytest.raises(NotFound, match="no venue here has the business account 'ba_3'"):
        reporting.of_business(hub, "ba_3", DAY, DAY)


def test_a_guests_counts_are_those_of_the_list(fleet: Fleet):
    evening(fleet)
    fleet.sync_all()
    hub = fleet.the_hub
    hub.import_venue(copy.deepcopy(HOTEL))
    fleet.reserve(hub, f"{DAY}T15:00", ["R101"], venue="hotel", agent_id=ANNA)
    found = reporting.of_agent(hub, ANNA)
    listed, _ = hub.reservations.select(agent_id=ANNA, limit=100)
    assert found["reservations"] == len(listed) == 4
    for status, many in found["statuses"].items():
        assert many == sum(view.status == status for view in listed)
    assert {one["venue"]: one["reservations"] for one in found["venues"]} == {
        "hotel": 1, "trattoria": 3,
    }  # fmt: skip
    narrowed = reporting.of_agent(hub, ANNA, ["hotel"])
    assert (narrowed["reservations"], [one["venue"] for one in narrowed["venues"]]) == (
        1,
        ["hotel"],
    )
    nobody = reporting.of_agent(hub, agent_id(b"k" * 32, "nobody"))
    assert (nobody["reservations"], nobody["statuses"], nobody["venues"]) == (0, {}, [])


def test_what_makes_no_sense_is_refused(fleet: Fleet):
    hub = fleet.the_hub
    with pytest.raises(NotFound, match="no venue 'nowhere'"):
        reporting.of_service(hub, "nowhere", DAY)
    with pytest.raises(Invalid, match="date"):
        service(hub, "soon")
    with pytest.raises(Invalid, match="to: is before from"):
        reporting.of_range(hub, "trattoria", NEXT_DAY, DAY)
    with pytest.raises(Invalid, match=f"more than {FIGURES_DAYS_MAX} days"):
        reporting.of_range(hub, "trattoria", "2020-01-01", "2024-01-01")
    with pytest.raises(Invalid, match="agent_id: is no agent id"):
        reporting.of_agent(hub, "anna")


def test_figures_are_read_while_somebody_writes(fleet: Fleet):
    hub = fleet.the_hub
    with hub.transaction():
        fleet.reserve(hub, "19:00", ["T2"])
        assert service(hub)["reservations"] == 0
    assert service(hub)["reservations"] == 1


def test_how_often_each_table_was_taken_and_for_how_long(fleet: Fleet):
    """A party for two moves to the garden, another sits at two tables, a third is still here."""
    hub, minutes = fleet.the_hub, fleet.clocks.advance
    pair = fleet.reserve(hub, "12:00", ["T3", "T4"], party=6)
    two = fleet.reserve(hub, "12:00", ["T2"])
    stays = fleet.reserve(hub, "14:00", ["T2"], kind="walk_in", source="walk_in")
    bar = fleet.reserve(hub, "12:00", ["HALL"], party=3)
    fleet.clocks.advance(hours=25, minutes=52)  # to 12:05 of the day
    for view in (pair, two, bar):
        hub.reservations.check_in(view.code)
    minutes(minutes=40)
    hub.reservations.complete(two.code)
    hub.reservations.complete(bar.code)
    minutes(minutes=40)
    hub.reservations.complete(pair.code)
    hub.reservations.check_in(stays.code, 1)
    fleet.move(hub, stays, resources=["T4"])
    found = reporting.of_tables(hub, "trattoria", DAY, NEXT_DAY)
    assert found["open_days"] == 2
    shown = {one["resource"]: one for one in found["tables"]}
    told = {
        name: (one["parties"], one["covers"], one["turns_per_day"], one["minutes"]["mean"])
        for name, one in shown.items()
    }
    assert told == {
        "T1": (0, 0, 0.0, None),
        "T2": (1, 2, 0.5, 40.0),
        "T3": (1, 6, 0.5, 80.0),
        "T4": (2, 7, 1.0, 80.0),
    }
    areas = {one["area"]: one for one in found["areas"]}
    # The pair sits in both areas, and is one party in each of them and in all.
    assert (areas["Main"]["parties"], areas["Main"]["tables"]) == (2, 3)
    assert (areas["Garden"]["parties"], areas["Garden"]["minutes"]["parties"]) == (2, 1)
    assert (found["parties"], found["covers"], found["minutes"]["median"]) == (3, 9, 60.0)
    assert found["turns_per_day"] == round(3 / (4 * 2), 2)
    nothing = reporting.of_tables(hub, "trattoria", NEXT_DAY, NEXT_DAY)
    assert (nothing["parties"], nothing["minutes"]) == (
        0, {"parties": 0, "median": None, "mean": None},
    )  # fmt: skip


def test_a_table_s_own_turn_over_needs_dates_that_make_a_range(fleet: Fleet):
    with pytest.raises(Invalid, match="is before from"):
        reporting.of_tables(fleet.the_hub, "trattoria", NEXT_DAY, DAY)
    with pytest.raises(NotFound):
        reporting.of_tables(fleet.the_hub, "bistro", DAY, DAY)


def test_a_guest_comes_again_under_whatever_agent_id(fleet: Fleet):
    """Twice on a day as themself, and once under another id that turned out to be theirs."""
    hub, other = fleet.the_hub, agent_id(b"k" * 32, "anna, by telephone")

    def visit(hour: str, agent: str) -> None:
        view = fleet.reserve(hub, f"{DAY}T{hour}", ["T2"], agent_id=agent)
        hub.reservations.check_in(view.code)
        fleet.clocks.advance(minutes=10)
        hub.reservations.complete(view.code)
        fleet.clocks.advance(minutes=80)

    fleet.clocks.advance(hours=25, minutes=40)  # to shortly before noon of the day
    visit("12:00", ANNA)
    assert service(hub)["repeats"] == {"parties": 0, "rate": 0.0}
    visit("14:00", ANNA)
    visit("16:00", other)
    assert service(hub)["repeats"] == {"parties": 1, "rate": 0.3333}
    same_guests.merge(hub, ANNA, other)
    assert service(hub)["repeats"] == {"parties": 2, "rate": 0.6667}
