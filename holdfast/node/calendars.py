"""The events of a venue's calendar, read beside whoever writes.

Owns the default window of a feed and the join of a snapshot with what the book says of rights. What
an event is stands in `holdfast.model.feeds`.
"""

from __future__ import annotations

import datetime
from typing import NamedTuple

from holdfast.model import calendar, feeds
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.forms import WAITLIST, form_now
from holdfast.model.limits import (
    CALENDAR_CANCELLED_DAYS,
    CALENDAR_DAYS_AHEAD,
    CALENDAR_DAYS_BACK,
    CALENDAR_DAYS_MAX,
)
from holdfast.model.reservation import View
from holdfast.model.venue import Venue
from holdfast.model.wall import DAY_SECONDS
from holdfast.node.service import Service
from holdfast.store.snapshot import Snapshot


class Feed(NamedTuple):
    venue: Venue
    events: list[feeds.FeedEvent]


def feed(
    replica: Service, venue_id: str, start: int | None, end: int | None, resource: str | None
) -> Feed:
    """The events that touch [start, end), epoch seconds; None: as far back and ahead of today as
    the limits say. `resource` None: of all.

    Raises NotFound for a venue that is not here, Invalid for a resource that it has not, and for a
    window that is too long or ends before it begins.
    """
    with replica.lock:
        # No transaction ends meanwhile: both are of one state.
        index = replica.venue(venue_id)
        book = replica.book_of(venue_id)
        administration = replica.book(book).administration
        standing = feeds.standing(administration.rights, administration.closes)
        snapshot = Snapshot(replica.store.path)
    with snapshot:
        window = _window(index.venue, replica.clock.now_ms() // 1000, start, end)
        if resource is not None:
            if index.resource(resource) is None:
                known = ", ".join(sorted(index.resource_by_id))
                raise Invalid.field("resource", f"{venue_id} has no {resource!r}; it has {known}")
            window = window._replace(resource=resource)
        earliest = window.start - snapshot.longest_seconds(book)
        rows = snapshot.reservations(book, earliest, window.end)
        return Feed(index.venue, list(feeds.events(index, rows, window, standing)))


def single(replica: Service, view: View) -> Feed:
    """One reservation as its guest's calendar has it: the same event as in the venue's feed, told
    in a guest's words. Raises NotFound for who has no place yet that they could come to."""
    with replica.lock:
        index = replica.venue(view.book.partition("/")[2])
        administration = replica.book(view.book).administration
        standing = feeds.standing(administration.rights, administration.closes)
        snapshot = Snapshot(replica.store.path)
    with snapshot:
        row = snapshot.reservation(view.book, view.id)
    if row is None or (form_now(row.view) == WAITLIST and not row.view.occupying):
        raise NotFound(f"{view.code} has no place yet; a calendar can have it once it has")
    event = feeds.event(index, row, standing)
    return Feed(index.venue, [feeds.to_guest(index, row.view, event)])


def _window(venue: Venue, now_s: int, start: int | None, end: int | None) -> feeds.Window:
    """The window that is asked for. It moves once a day, so that a feed in which nothing happened
    stays the same."""
    today = calendar.service_date(venue, now_s)

    def day(offset: int) -> int:
        return calendar.service_day(venue, today + datetime.timedelta(days=offset))[0]

    first = day(-CALENDAR_DAYS_BACK) if start is None else start
    last = day(CALENDAR_DAYS_AHEAD + 1) if end is None else end
    if last <= first:
        raise Invalid.field("to", "must be after from")
    if last - first > CALENDAR_DAYS_MAX * DAY_SECONDS:
        raise Invalid.field("to", f"is more than {CALENDAR_DAYS_MAX} days after from")
    return feeds.Window(first, last, day(-CALENDAR_CANCELLED_DAYS) * 1_000)
