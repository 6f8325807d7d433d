"""A person's reservations at a venue: listed, and what they say (features H-20, H-38, H-47, V-48).

Owns these questions and their answers. Whoever was merged is one person in them; the figures are
`model.guest_history`'s. They rest on pseudonyms alone and need no key, but no device tells them at
which anybody may stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.model import guest_history, lifecycle, restrictions
from holdfast.model.errors import Invalid
from holdfast.model.limits import LIST_LIMIT, LIST_LIMIT_MAX
from holdfast.model.reservation import View
from holdfast.node.guest_scope import Sees, everywhere, require_agent, require_house, venue_meant
from holdfast.node.lookup import venue_time
from holdfast.node.reservations import read_cursor, written_cursor
from holdfast.node.same_guests import agents_of
from holdfast.store.projections import Record

if TYPE_CHECKING:
    from holdfast.node.service import Service


def history(
    replica: Service, agent: str, *, venue: str | None = None, sees: Sees = everywhere
) -> dict[str, Any]:
    """What somebody's reservations at a venue say. Raises Invalid, NotFound, Forbidden."""
    require_house(replica)
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    return history_at(replica, replica.book_of(index.venue.id), agent)


def history_at(replica: Service, book: str, agent: str) -> dict[str, Any]:
    """The same of a book whose venue is known."""
    venue = book.partition("/")[2]
    index = replica.venue(venue)

    def area_of(resource: str) -> str:
        found = index.resource(resource)
        return found.area if found is not None else ""

    with replica.lock:
        agents = agents_of(replica, book, agent)
        now_s = replica.clock.now_ms() // 1000
        told = _records(replica, book, agents)
        found = guest_history.history(index.venue, told, area_of, now_s)
    instants = {
        name: venue_time(replica, venue, view.starts_at) if (view := found[name]) else None
        for name in ("first_visit", "last_visit", "next")
    }
    return {"agent_id": agent, "venue": venue, "agent_ids": sorted(agents), **found, **instants}


def _records(replica: Service, book: str, agents: tuple[str, ...]) -> list[Record]:
    views = every_reservation(replica, book, agents)
    replica.store.projections.preload(book, (view.id for view in views))
    found = (replica.store.projections.get(book, view.id) for view in views)
    return [one for one in found if one is not None]


def every_reservation(replica: Service, book: str, agents: tuple[str, ...]) -> list[View]:
    """All of a person's reservations in a book, by their start. Call under the lock."""
    found: list[View] = []
    after: tuple[int, bytes] | None = None
    while True:
        page = replica.store.persons.reservations(book, agents, after=after, limit=LIST_LIMIT_MAX)
        found += page
        if len(page) < LIST_LIMIT_MAX:
            return found
        after = (page[-1].starts_at, page[-1].id)


def reservations(
    replica: Service,
    agent: str,
    *,
    venue: str | None = None,
    status: str | None = None,
    starts_from: int | None = None,
    starts_before: int | None = None,
    limit: int = LIST_LIMIT,
    cursor: str | None = None,
    sees: Sees = everywhere,
) -> tuple[list[View], str | None]:
    """A person's reservations at a venue by their start, and the cursor of the next page. What is
    held, and who waits, is none. Raises Invalid, NotFound, Forbidden."""
    require_house(replica)
    if status is not None and status not in lifecycle.STATUSES:
        raise Invalid.field("status", f"must be one of {', '.join(lifecycle.STATUSES)}")
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    book = replica.book_of(index.venue.id)
    with replica.lock:
        found = replica.store.persons.reservations(
            book, agents_of(replica, book, agent), status=status, starts_from=starts_from,
            starts_before=starts_before, after=read_cursor(cursor), limit=limit + 1,
        )  # fmt: skip
    if len(found) > limit:
        return found[:limit], written_cursor(found[limit - 1])
    return found, None


def context(
    replica: Service, agent: str, *, venue: str | None = None, sees: Sees = everywhere
) -> tuple[View | None, int | None]:
    """The reservation that somebody who calls is most likely to mean, and in how many minutes it
    begins (below 0: since when it has been going on): the one that is now, else the next. None:
    there is none. Raises Invalid, NotFound, Forbidden."""
    require_house(replica)
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    book = replica.book_of(index.venue.id)
    with replica.lock:
        now_s = replica.clock.now_ms() // 1000
        views = every_reservation(replica, book, agents_of(replica, book, agent))
    found = [
        view for view in views if view.status in restrictions.TAKES_ONE and view.ends_at > now_s
    ]
    if not found:
        return None, None
    return found[0], (found[0].starts_at - now_s) // 60
