"""When a venue sells its places, service date by service date, and how much of that was taken.

Owns what figures mean by open time. The calendar's opening hours run on past midnight; here each
minute belongs to one service date, so that dates add up to a range. Pure.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from holdfast.model import calendar
from holdfast.model.venue import Venue
from holdfast.model.wall import day_exists, wall_to_epoch

_ONE_DAY = datetime.timedelta(days=1)
_LOOKED_BACK = 8
"""Days before a date whose hours may still run: of a venue that never closes, `open_spans` gives a
week at a time."""


class OpenTime:
    """The open time of service dates in a row, first to last."""

    def __init__(self, venue: Venue, first: datetime.date, last: datetime.date) -> None:
        self.dates = [first + n * _ONE_DAY for n in range((last - first).days + 1)]
        self.minutes: list[int] = []
        """Of each date."""
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._number: list[int] = []
        for number, day in enumerate(self.dates):
            windows = open_windows(venue, day)
            self.minutes.append(sum((end - start) // 60 for start, end in windows))
            for start, end in windows:
                self._starts.append(start)
                self._ends.append(end)
                self._number.append(number)

    def taken(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """(number of a date, minutes) of what [start, end), epoch seconds, takes of open time."""
        place = bisect_right(self._ends, start)
        while place < len(self._starts) and self._starts[place] < end:
            seconds = min(end, self._ends[place]) - max(start, self._starts[place])
            yield self._number[place], seconds // 60
            place += 1


def open_windows(venue: Venue, day: datetime.date) -> Sequence[tuple[int, int]]:
    """The spans [start, end), epoch seconds, of a service date in which places are sold, in order.

    Of a lodging it is the night: from check-in of the date to check-out of the next, so that a room
    that is taken every night is taken all the time; a date on which nobody can arrive has none. Of
    any other venue it is what its hours open of the service date, whichever date's hours they are.
    """
    if venue.stays is not None and venue.kind == "lodging":
        if day in venue.closed or not day_exists(venue, day):
            return ()
        return (
            (
                wall_to_epoch(venue, day, venue.stays.check_in),
                wall_to_epoch(venue, day + _ONE_DAY, venue.stays.check_out),
            ),
        )
    first, last = calendar.service_day(venue, day)
    if venue.hours is None and not venue.closed:
        return ((first, last),) if first < last else ()
    within = [
        (max(opens, first), min(closes, last))
        for back in range(-1, _LOOKED_BACK + 1)
        for opens, closes in calendar.open_spans(venue, day - back * _ONE_DAY)
        if opens < last and closes > first
    ]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(within):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
