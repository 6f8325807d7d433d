"""Marking who did not come, by itself, where the venue asks for it.

Owns the act; who is due, `model.no_shows` says. Of each reservation one replica judges: whoever
holds its place, or the hub where that is a device which may not judge. A clock that does not know
how wrong it is marks nobody, as it releases nothing (`returning`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.model import lifecycle, no_shows
from holdfast.model.reservation import View
from holdfast.model.rights import HUB
from holdfast.model.roles import RESERVED, may_write
from holdfast.node import marking

if TYPE_CHECKING:
    from holdfast.node.service import Service

_PAGE = 500
_MARK = "reservation.no_show"


def mark(replica: Service, name: str) -> int:
    """Mark who is due in a book. Returns how many were."""
    index = replica.book(name).administration.venue
    now_s = _surely_past(replica)
    if (
        index is None
        or not index.venue.policies.mark_no_shows
        or now_s is None
        or not replica.may_decide(name)
    ):
        return 0
    with replica.transaction():
        due = no_shows.plan(
            index.venue,
            _began(replica, name, now_s),
            now_s,
            lambda view: _judges(replica, view),
            lambda: _heard_s(replica, name),
        )
        due = [view for view in due if replica.has_room(name, view.id)]
        for view in due:
            marking.judge_no_show(replica, view)
    return len(due)


def mark_all(replica: Service) -> int:
    """Mark who is due in any book. Returns how many were."""
    with replica.lock:
        names = list(replica.books)
    return sum(mark(replica, name) for name in names)


def _surely_past(replica: Service) -> int | None:
    """The instant that is past whatever the clock is off by, in epoch seconds; None: it cannot
    tell. The hub that has no time servers is what the tenant's clocks agree on."""
    now = replica.clock.interval()
    if now.state != "undisciplined":
        return now.earliest // 1000
    if replica.account == HUB and not replica.settings.ntp:
        return now.best // 1000
    return None


def _began(replica: Service, name: str, now_s: int) -> list[View]:
    """The confirmed reservations that began of late, all of them."""
    replica.write_projections()
    found: list[View] = []
    after = None
    while True:
        page = replica.store.projections.select(
            book=name, status=lifecycle.CONFIRMED, starts_from=now_s - no_shows.REACH_SECONDS,
            starts_before=now_s, after=after, limit=_PAGE,
        )  # fmt: skip
        found += page
        if len(page) < _PAGE:
            return found
        after = (page[-1].starts_at, page[-1].id)


def _judges(replica: Service, view: View) -> bool:
    """Whether it is for this replica to say that somebody did not come."""
    if not view.live:
        return False
    first = min(view.live, key=lambda claim: claim.id)
    holder = replica.rights(view.book).holder(first.id, first.right, first.end)
    if holder != HUB:
        author = replica.book(view.book).authors.get(holder)
        if author is None or not may_write(author.role, _MARK, view.id):
            holder = HUB
    return holder == replica.account and may_write(_role(replica), _MARK, view.id)


def _role(replica: Service) -> str:
    return replica.role if replica.account == HUB else replica.identity.role


def _heard_s(replica: Service, name: str) -> int | None:
    """Until when this replica has heard every device where guests are checked in, in epoch seconds;
    None where it is no hub, or there are none."""
    seen_ms: dict[str, int] = {}
    for device in replica.devices_joined(name):
        if not device.revoked and device.role in RESERVED["reservation.checked_in"]:
            seen_ms[device.name] = max(seen_ms.get(device.name, 0), device.last_seen_ms)
    return min(seen_ms.values()) // 1000 if seen_ms else None
