"""Figures of a replica's venues and guests, read beside whoever writes.

Owns which reservations a question about figures has to read; what each figure means stands in
`holdfast.model.figures`. A device knows what it has heard of: figures of two replicas are equal
when they hold the same entries.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from holdfast.model import calendar, figures, no_show_weeks, turnover
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.figure_lines import line
from holdfast.model.limits import (
    FIGURES_BUSINESS_VENUES_MAX,
    FIGURES_DAYS_MAX,
    NO_SHOW_GUESTS_MAX,
    NO_SHOW_WEEKS,
)
from holdfast.model.pseudonyms import is_agent_id
from holdfast.model.reservation import View
from holdfast.model.venue import Venue
from holdfast.node.same_guests import agents_of
from holdfast.node.service import Service
from holdfast.store.snapshot import Snapshot


def of_service(replica: Service, venue_id: str, date: str | None) -> dict[str, Any]:
    """The figures of one service date; None: of today's. Raises NotFound, Invalid."""
    venue, snapshot = _opened(replica, venue_id)
    with snapshot:
        day = _today(replica, venue) if date is None else calendar.parse_date(date)
        whole, _, resources = _computed(replica, venue, snapshot, day, day)
    return {
        "venue": venue_id,
        "date": day.isoformat(),
        **whole.figures(venue.day_starts_at),
        "resources": resources,
    }


def of_range(replica: Service, venue_id: str, first: str, last: str) -> dict[str, Any]:
    """The figures of service dates, the last one included, and a line for each. Raises NotFound,
    Invalid for dates that make no range, or one of more than FIGURES_DAYS_MAX."""
    begin, end = _range(first, last)
    venue, snapshot = _opened(replica, venue_id)
    with snapshot:
        whole, days, resources = _computed(replica, venue, snapshot, begin, end)
    return {
        "venue": venue_id,
        "from": first,
        "to": last,
        **whole.figures(venue.day_starts_at),
        "resources": resources,
        "days": [
            {"date": (begin + datetime.timedelta(days=n)).isoformat(), **line(day.figures())}
            for n, day in enumerate(days)
        ],
    }


def of_tables(replica: Service, venue_id: str, first: str, last: str) -> dict[str, Any]:
    """The turn-over of the tables on service dates, as `of_range`."""
    begin, end = _range(first, last)
    venue, snapshot = _opened(replica, venue_id)
    with snapshot:
        book = replica.book_of(venue.id)
        between = figures.reaches(venue, begin, end, snapshot.longest_seconds(book))
        found = turnover.compute(venue, begin, end, snapshot.reservations(book, *between))
    return {"venue": venue_id, "from": first, "to": last, **found}


def of_no_shows(
    replica: Service, venue_id: str, first: str | None, last: str | None
) -> dict[str, Any]:
    """Who did not come, week by week of service dates; `last` None: until today, `first` None: of
    NO_SHOW_WEEKS weeks, the last of them that of `last`. Raises as `of_range`."""
    venue, snapshot = _opened(replica, venue_id)
    with snapshot:
        end = _today(replica, venue) if last is None else calendar.parse_date(last, "to")
        monday = end - datetime.timedelta(days=end.weekday(), weeks=NO_SHOW_WEEKS - 1)
        begin, end = _range(first or monday.isoformat(), end.isoformat())
        book = replica.book_of(venue.id)
        between = figures.reaches(venue, begin, end, snapshot.longest_seconds(book))
        views = (told.view for told in snapshot.reservations(book, *between))
        person_of = _person_of(replica, book, snapshot)
        found = no_show_weeks.compute(begin, end, views, person_of, NO_SHOW_GUESTS_MAX)
    return {"venue": venue_id, "from": begin.isoformat(), "to": end.isoformat(), **found}


def _person_of(replica: Service, book: str, snapshot: Snapshot) -> Callable[[str], str]:
    """One agent id for all of a person, always the same one."""
    merged = snapshot.merged(book)

    def person_of(agent: str) -> str:
        if agent not in merged:
            return agent
        with replica.lock:
            return min(agents_of(replica, book, agent))

    return person_of


def of_venues(
    replica: Service, venue_ids: Collection[str], first: str, last: str
) -> list[dict[str, Any]]:
    """A line for each of some venues, of service dates by its own calendar, as `of_range`."""
    begin, end = _range(first, last)
    lines = []
    for venue_id in venue_ids:
        venue, snapshot = _opened(replica, venue_id)
        with snapshot:
            whole, _, _ = _computed(replica, venue, snapshot, begin, end)
        lines.append({"venue": venue_id, "name": venue.name, **line(whole.figures())})
    return lines


def of_volume(replica: Service, venue_ids: Collection[str]) -> list[dict[str, Any]]:
    """What some venues have on their own service date of now, in its week (Monday to Sunday) and in
    its calendar month: `date` and, under `today`, `week` and `month`, service dates and counts."""
    lines = []
    for venue_id in venue_ids:
        venue, snapshot = _opened(replica, venue_id)
        with snapshot:
            today = _today(replica, venue)
            periods = _periods(today)
            begin = min(first for first, _ in periods.values())
            end = max(last for _, last in periods.values())
            _, days, _ = _computed(replica, venue, snapshot, begin, end)
        counted = {
            name: _added(days[(first - begin).days : (last - begin).days + 1])
            | {"from": first.isoformat(), "to": last.isoformat()}
            for name, (first, last) in periods.items()
        }
        lines.append({"venue": venue_id, "name": venue.name, "date": today.isoformat(), **counted})
    return lines


def _periods(today: datetime.date) -> dict[str, tuple[datetime.date, datetime.date]]:
    monday = today - datetime.timedelta(days=today.weekday())
    month = today.replace(day=1)
    next_month = (month + datetime.timedelta(days=31)).replace(day=1)
    return {
        "today": (today, today),
        "week": (monday, monday + datetime.timedelta(days=6)),
        "month": (month, next_month - datetime.timedelta(days=1)),
    }


def _added(days: Collection[figures.Tally]) -> dict[str, Any]:
    found = [line(day.figures()) for day in days]
    return {name: sum(one[name] for one in found) for name in ("reservations", "parties", "covers")}


def venues_of_business(replica: Service, account: str) -> list[str]:
    """The venues here whose venue file names that business account (S-17), by id. Raises
    NotFound where there is none, Invalid for more than FIGURES_BUSINESS_VENUES_MAX."""
    with replica.lock:
        found = [
            one for one in replica.venue_ids()
            if account and replica.venue(one).venue.business_account == account
        ]  # fmt: skip
    if not found:
        raise NotFound(
            f"no venue here has the business account {account!r}; `business_account` in a venue "
            "file names it"
        )
    if len(found) > FIGURES_BUSINESS_VENUES_MAX:
        raise Invalid.field(
            "account",
            f"has {len(found)} venues, more than the {FIGURES_BUSINESS_VENUES_MAX} that are added "
            "up at once; ask for the figures of each",
        )
    return sorted(found)


def of_business(replica: Service, account: str, first: str, last: str) -> dict[str, Any]:
    """The figures of all venues of a business together, each on service dates of its own calendar,
    and a line for each: counts are the sums of the venues', shares are worked out from the sums,
    and a median is that of all reservations. Raises as `of_range` and `venues_of_business`."""
    begin, end = _range(first, last)
    whole = figures.Tally()
    lines = []
    for venue_id in venues_of_business(replica, account):
        venue, snapshot = _opened(replica, venue_id)
        with snapshot:
            tally, _, _ = _computed(replica, venue, snapshot, begin, end)
        whole.absorb(tally)
        lines.append({"venue": venue_id, "name": venue.name, **line(tally.figures())})
    return {
        "business_account": account,
        "from": first,
        "to": last,
        **whole.figures(),
        "venues": lines,
    }


def of_agent(
    replica: Service, agent_id: str, among: Collection[str] | None = None
) -> dict[str, Any]:
    """How many reservations a guest has in each status, as lists of them would show; `among` names
    the venues that may be looked at, None: all. Raises Invalid for what is no agent id."""
    if not is_agent_id(agent_id):
        raise Invalid.field("agent_id", "is no agent id, such as reservations show it")
    books = None if among is None else [replica.book_of(one) for one in among]
    with Snapshot(replica.store.path) as snapshot:
        found = snapshot.statuses_of(agent_id, books)
    statuses: Counter[str] = Counter()
    venues: dict[str, Counter[str]] = {}
    for book, status, many in found:
        statuses[status] += many
        venues.setdefault(book.partition("/")[2], Counter())[status] += many
    return {
        "agent_id": agent_id,
        **_counted(statuses),
        "venues": [{"venue": name, **_counted(venues[name])} for name in sorted(venues)],
    }


def _counted(statuses: Counter[str]) -> dict[str, Any]:
    return {"reservations": statuses.total(), "statuses": figures.in_life(statuses)}


def _opened(replica: Service, venue_id: str) -> tuple[Venue, Snapshot]:
    with replica.lock:
        # No transaction ends meanwhile: both are of one state.
        return replica.venue(venue_id).venue, Snapshot(replica.store.path)


def _computed(
    replica: Service,
    venue: Venue,
    snapshot: Snapshot,
    first: datetime.date,
    last: datetime.date,
) -> tuple[figures.Tally, list[figures.Tally], list[dict[str, Any]]]:
    book = replica.book_of(venue.id)
    between = figures.reaches(venue, first, last, snapshot.longest_seconds(book))
    whole, days, resources = figures.compute(
        venue, first, last, snapshot.reservations(book, *between),
        _came_before(replica, book, snapshot),
    )  # fmt: skip
    limits = snapshot.refused(book, first.isoformat(), last.isoformat(), figures.LIMITED)
    for day, rule, number in limits:
        for tally in (whole, days[(datetime.date.fromisoformat(day) - first).days]):
            tally.add_refusals(rule, number)
    return whole, days, resources


def _came_before(replica: Service, book: str, snapshot: Snapshot) -> Callable[[View], bool]:
    """Whether whoever a reservation is for had begun a visit there before, under any agent id."""
    merged = snapshot.merged(book)

    def came_before(view: View) -> bool:
        agents: tuple[str, ...] = (view.agent_id,)
        if view.agent_id in merged:
            with replica.lock:
                agents = agents_of(replica, book, view.agent_id)
        first = snapshot.first_visit(book, agents)
        return first is not None and first < view.starts_at

    return came_before


def _today(replica: Service, venue: Venue) -> datetime.date:
    return calendar.service_date(venue, replica.clock.now_ms() // 1_000)


def _range(first: str, last: str) -> tuple[datetime.date, datetime.date]:
    begin, end = calendar.parse_date(first, "from"), calendar.parse_date(last, "to")
    if end < begin:
        raise Invalid.field("to", "is before from")
    if (end - begin).days >= FIGURES_DAYS_MAX:
        raise Invalid.field("to", f"makes more than {FIGURES_DAYS_MAX} days; ask for fewer")
    return begin, end
