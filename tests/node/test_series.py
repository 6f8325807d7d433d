"""Recurring reservations: the right dates, all or none, at the same time by the wall clock."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model import series as model
from holdfast.model.errors import Conflict, Invalid, NotFound, RuleViolated
from holdfast.model.reservation import View
from holdfast.model.wall import format_time
from holdfast.node import series
from holdfast.node.requests import PatchRequest, SeriesRequest
from holdfast.node.service import Service
from tests.kit import HOTEL, TRATTORIA, Fleet

DIVIDED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [{"holder": "desk", "resources": ["T1", "T2"]}]
}
FRIDAY = "2027-06-04T19:30"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, DIVIDED) as made:
        made.join("desk")
        made.sync_all()
        yield made


def wanted(rrule: str = "FREQ=WEEKLY;COUNT=4", **more: Any) -> SeriesRequest:
    shape: dict[str, Any] = {"venue": "trattoria", "starts_at": FRIDAY, "party_size": 2}
    return SeriesRequest(**(shape | {"rrule": rrule, "resources": ["T1"]} | more))


def starts(replica: Service, views: list[View]) -> list[str]:
    venue = replica.venue(views[0].book.partition("/")[2]).venue
    return [format_time(venue, view.starts_at) for view in views]


def cancel(replica: Service, reference: str) -> list[View]:
    return series.cancel_rest(replica, reference, replica.reservations.cancel)


def test_a_rule_yields_its_dates_each_confirmed_by_itself(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    made = series.create(desk, wanted(guest={"name": "Ann"}))
    assert made.refused == []
    assert starts(desk, made.views) == [
        f"2027-06-{day}T19:30:00+02:00" for day in ("04", "11", "18", "25")
    ]
    assert {view.assurance for view in made.views} == {"guaranteed"}
    assert len({view.agent_id for view in made.views}) == 1
    assert len({model.series_of(view) for view in made.views}) == 1
    fleet.sync_all()
    fleet.assert_agree()
    found = series.of(fleet.the_hub, made.views[2].code)
    assert [view.id for view in found] == [view.id for view in made.views]


def test_local_times_stay_local_over_the_change_of_the_clock(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    made = series.create(desk, wanted(starts_at="2027-10-22T19:30", rrule="FREQ=WEEKLY;COUNT=3"))
    assert starts(desk, made.views) == [
        "2027-10-22T19:30:00+02:00", "2027-10-29T19:30:00+02:00", "2027-11-05T19:30:00+01:00",
    ]  # fmt: skip
    until = series.create(
        desk,
        wanted(
            starts_at="2027-10-29T12:00", ends_at="2027-10-29T13:00", resources=["T2"],
            rrule="FREQ=WEEKLY;UNTIL=20271105",
        ),
    )  # fmt: skip
    venue = desk.venue("trattoria").venue
    assert [format_time(venue, view.ends_at) for view in until.views] == [
        "2027-10-29T13:00:00+02:00", "2027-11-05T13:00:00+01:00",
    ]  # fmt: skip


def test_one_date_that_cannot_be_had_refuses_all_and_says_what_could(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    fleet.reserve(desk, "2027-06-11T19:00", ["T1"])
    before = desk.tip(fleet.book)
    with pytest.raises(Conflict) as refused:
        series.create(desk, wanted(resources=["T1"]))
    assert desk.tip(fleet.book) == before, "nothing was written"
    [date] = refused.value.extra["refused"]
    assert (date["starts_at"], date["error"]) == ("2027-06-11T19:30:00+02:00", "not-available")
    assert date["alternatives"]
    assert "1 of 4 dates" in refused.value.detail
    assert fleet.reserve(desk, FRIDAY, ["T1"]).status == "confirmed"


def test_with_each_what_can_be_had_is_made(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    fleet.reserve(desk, "2027-06-11T19:00", ["T1"])
    made = series.create(desk, wanted(each=True))
    assert [text[:10] for text in starts(desk, made.views)] == [
        "2027-06-04", "2027-06-18", "2027-06-25",
    ]  # fmt: skip
    [(_, error)] = made.refused
    assert error.name == "not-available"
    with pytest.raises(Conflict):
        series.create(
            desk, wanted(each=True, starts_at="2027-06-11T19:30", rrule="FREQ=DAILY;COUNT=1")
        )


def test_the_rules_are_asked_for_every_date(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    with pytest.raises(Conflict) as refused:
        series.create(desk, wanted(rrule="FREQ=MONTHLY;COUNT=14"))
    assert {one["error"] for one in refused.value.extra["refused"]} == {"rule-violated"}
    made = series.create(desk, wanted(rrule="FREQ=MONTHLY;COUNT=14", each=True))
    assert (len(made.views), len(made.refused)) == (12, 2), "365 days ahead"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rrule": "every friday"}, "rrule"),
        ({"rrule": "FREQ=WEEKLY"}, "rrule"),
        ({"rrule": "FREQ=HOURLY;COUNT=2"}, "rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=401"}, "rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=2", "ends_at": "2027-06-05T20:00"}, "rrule"),
        ({"party_size": 0}, "party_size"),
    ],
)
def test_what_is_no_series_is_refused_whole(
    fleet: Fleet, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        series.create(fleet.nodes["desk"], wanted(**(changes | {"each": True})))
    assert refused.value.extra["errors"][0]["field"] == field


def test_the_rest_of_a_series_is_called_off_from_one_date_on(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    made = series.create(desk, wanted())
    other = series.create(desk, wanted(resources=["T2"]))
    desk.reservations.cancel(made.views[3].code)
    gone = cancel(desk, made.views[1].code)
    assert [view.id for view in gone] == [made.views[1].id, made.views[2].id]
    shown = [view.status for view in series.of(desk, made.views[0].code)]
    assert shown == ["confirmed", "cancelled", "cancelled", "cancelled"]
    assert {view.status for view in series.of(desk, other.views[0].code)} == {"confirmed"}
    alone = fleet.reserve(desk, "2027-07-02T19:30", ["T1"])
    assert [view.id for view in cancel(desk, alone.code)] == [alone.id]
    with pytest.raises(NotFound, match="belongs to no series"):
        series.of(desk, alone.code)


def test_of_a_rest_that_may_not_be_called_off_nothing_is(tmp_path: Path) -> None:
    document = DIVIDED | {"policies": {"cancel_cutoff_minutes": 2880}}
    with Fleet(tmp_path, document) as fleet:
        hub = fleet.the_hub
        made = series.create(hub, wanted(starts_at="2027-06-04T09:30"))
        with pytest.raises(RuleViolated):
            cancel(hub, made.views[0].code)
        assert {view.status for view in series.of(hub, made.views[0].code)} == {"confirmed"}


def test_a_date_that_is_changed_stays_and_one_that_is_given_away_leaves(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    made = series.create(desk, wanted(metadata={"crm.contact": "crm:4711"}))
    first, second = made.views[:2]
    desk.reservations.amend(first.code, PatchRequest(metadata={"crm.contact": "crm:4712"}))
    desk.reservations.amend(second.code, PatchRequest(user_id="somebody-else"))
    assert [view.id for view in series.of(desk, first.code)] == [
        view.id for view in made.views if view.id != second.id
    ]
    assert fleet.now(desk, first).metadata["crm.contact"] == "crm:4712"


def test_stays_recur_too(tmp_path: Path) -> None:
    with Fleet(tmp_path, HOTEL) as fleet:
        hub = fleet.the_hub
        request = SeriesRequest(
            venue="hotel", starts_at="2027-06-04", party_size=2, nights=2,
            rrule="FREQ=WEEKLY;COUNT=3", resources=["R101"],
        )  # fmt: skip
        made = series.create(hub, request)
        assert [view.nights for view in made.views] == [2, 2, 2]
        assert starts(hub, made.views)[2] == "2027-06-18T15:00:00+02:00"
