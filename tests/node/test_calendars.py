"""A venue's calendar at its devices: the same wherever the same is known."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.api import calendar_text
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.feeds import FeedEvent
from holdfast.model.limits import (
    CALENDAR_CANCELLED_DAYS,
    CALENDAR_DAYS_AHEAD,
    CALENDAR_DAYS_BACK,
    CALENDAR_DAYS_MAX,
)
from holdfast.node import allotments, calendars
from holdfast.node.service import Service
from tests import calendar_stories
from tests.kit import HOTEL, START_MS, TRATTORIA, Fleet

DAY_S = 86_400


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    venue = copy.deepcopy(TRATTORIA) | {"allotments": [{"holder": "desk", "resources": ["T1"]}]}
    with Fleet(tmp_path, venue) as made:
        made.join("desk")
        made.sync_all()
        yield made


def events(replica: Service, **asked: object) -> list[FeedEvent]:
    window = {"start": None, "end": None, "resource": None} | asked
    return calendars.feed(replica, "trattoria", **window).events  # type: ignore[arg-type]


def only(replica: Service) -> FeedEvent:
    (found,) = events(replica)
    return found


def test_every_replica_that_has_the_same_entries_gives_the_same_bytes(tmp_path: Path):
    fleet = calendar_stories.bar(tmp_path)
    try:
        feeds = [calendars.feed(one, "bar", None, None, None) for one in fleet.replicas()]
        texts = {calendar_text.calendar(feed.venue, feed.events) for feed in feeds}
        assert len(feeds) == 2 and len(texts) == 1
        reopened = calendars.feed(fleet.reopen("hub"), "bar", None, None, None)
        assert calendar_text.calendar(reopened.venue, reopened.events) in texts
    finally:
        fleet.__exit__()


def test_what_is_asked_for_is_tentative_until_it_is_decided(fleet: Fleet):
    desk = fleet.nodes["desk"]
    fleet.reserve(desk, "19:30", ["T2"])
    asked = only(desk)
    assert (asked.status, asked.summary) == ("TENTATIVE", "Table T2, party of 2, provisional")
    fleet.sync_all()
    decided = only(desk)
    assert (decided.status, decided.uid) == ("CONFIRMED", asked.uid)
    assert decided.sequence > asked.sequence and decided == only(fleet.the_hub)


def test_a_moved_one_keeps_its_name_and_says_that_it_changed(fleet: Fleet):
    hub = fleet.the_hub
    view = fleet.reserve(hub, "19:30", ["T2"])
    before = only(hub)
    fleet.clocks.advance(minutes=5)
    fleet.move(hub, view, time="21:00", resources=["T3"])
    after = only(hub)
    assert after.uid == before.uid and after.location == "T3 (Main)"
    assert after.start == before.start + 90 * 60 and after.sequence > before.sequence
    assert after.changed_ms == before.changed_ms + 5 * 60_000


def test_a_cancelled_one_is_told_as_cancelled_for_thirty_days_and_then_no_more(fleet: Fleet):
    hub = fleet.the_hub
    view = fleet.reserve(hub, "2027-09-01T19:30", ["T2"])
    before = only(hub)
    hub.reservations.cancel(view.code, "guest_request", "guest")
    after = only(hub)
    assert (after.status, after.sequence > before.sequence) == ("CANCELLED", True)
    fleet.clocks.advance(hours=24 * (CALENDAR_CANCELLED_DAYS - 1))
    assert only(hub).status == "CANCELLED"
    fleet.clocks.advance(hours=48)
    assert events(hub) == []


def test_a_place_that_was_taken_back_says_so(fleet: Fleet):
    """A sale that the hub never heard of before it revoked the right is no sale any more."""
    hub, desk = fleet.the_hub, fleet.nodes["desk"]
    fleet.cut("desk")
    fleet.reserve(desk, "19:30", ["T1"])
    sold = only(desk)
    (held,) = hub.rights(fleet.book).of_resource("T1")
    allotments.revoke(hub, held.right.id, "stranded")
    fleet.reserve(hub, "19:30", ["T1"])
    fleet.heal()
    fleet.sync_all()
    lost = next(one for one in events(desk) if one.uid == sold.uid)
    assert (sold.status, lost.status) == ("CONFIRMED", "CANCELLED")
    assert lost.sequence > sold.sequence and events(desk) == events(hub)


# --- the window -----------------------------------------------------------------------------------


def test_without_a_window_it_is_from_thirty_days_back_to_four_hundred_ahead(tmp_path: Path):
    hotel = copy.deepcopy(HOTEL) | {"policies": {"advance_days": 600}}
    with Fleet(tmp_path, hotel) as fleet:
        hub = fleet.the_hub
        today = "2027-06-02"
        last, beyond = "2028-07-06", "2028-07-07"
        for day in (today, last, beyond):
            fleet.reserve(hub, f"{day}T15:00", ["DOUBLE"], nights=20)

        def told() -> list[int]:
            feed = calendars.feed(hub, "hotel", None, None, None)
            return [(one.start - START_MS // 1000) // DAY_S for one in feed.events]

        assert told() == [0, CALENDAR_DAYS_AHEAD]
        # Who came long ago and is still here is in it, and so is who left less than a month ago.
        fleet.clocks.advance(hours=24 * (20 + CALENDAR_DAYS_BACK - 1))
        assert told()[0] == 0
        fleet.clocks.advance(hours=24 * 2)
        assert told()[0] > 0


def test_a_window_has_what_reaches_into_it(fleet: Fleet):
    hub = fleet.the_hub
    fleet.reserve(hub, "19:30", ["T2"])
    one = only(hub)
    for start, end, told in [
        (one.end, one.end + 1, 0),
        (one.end - 1, one.end, 1),
        (one.start - 1, one.start, 0),
        (one.start + 60, one.start + 61, 1),
    ]:
        assert len(events(hub, start=start, end=end)) == told


def test_a_window_that_makes_no_sense_is_refused(fleet: Fleet):
    hub = fleet.the_hub
    now_s = START_MS // 1000
    for asked in (
        {"start": now_s, "end": now_s},
        {"start": now_s, "end": now_s + (CALENDAR_DAYS_MAX + 1) * DAY_S},
    ):
        with pytest.raises(Invalid, match="to: "):
            events(hub, **asked)
    with pytest.raises(Invalid, match="has no 'T9'; it has HALL, T1"):
        events(hub, resource="T9")
    with pytest.raises(NotFound, match="no venue 'nowhere'"):
        calendars.feed(hub, "nowhere", None, None, None)


def test_a_resources_calendar_has_what_takes_place_there(fleet: Fleet):
    hub = fleet.the_hub
    fleet.reserve(hub, "12:00", ["T2"])
    fleet.reserve(hub, "19:30", ["T3", "T4"], party=8)
    counts = {name: len(events(hub, resource=name)) for name in ("T1", "T2", "T3", "T4", "HALL")}
    assert counts == {"T1": 0, "T2": 1, "T3": 1, "T4": 1, "HALL": 0}


def test_a_feed_is_read_while_somebody_writes(fleet: Fleet):
    """In the middle of a transaction the feed is that of before it."""
    hub = fleet.the_hub
    fleet.reserve(hub, "12:00", ["T2"])
    with hub.transaction():
        fleet.reserve(hub, "19:30", ["T2"])
        assert len(events(hub)) == 1
    assert len(events(hub)) == 2
