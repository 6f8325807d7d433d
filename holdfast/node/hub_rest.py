"""What is granted to nobody, so that the hub sells it: the other half of the list of allotments.

Owns the adding up of grants for people to look at. Who may sell what, `model.rights` says; nothing
is decided here.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from holdfast.model import wall
from holdfast.model.rights import FOREVER, Held

if TYPE_CHECKING:
    from holdfast.node.service import Service


def rest(replica: Service, venue_id: str) -> list[dict[str, Any]]:
    """What the hub sells of a venue from now on, in the order of the venue file: `resources` that
    stand alike, `quantity` of each (None: all there is), from when (None: now) and until when
    (None: without an end). Raises NotFound for a venue that is not known here."""
    with replica.lock:
        index = replica.venue(venue_id)
        rights = replica.rights(replica.book_of(venue_id))
        now = replica.clock.now_ms() // 1000
        alike: dict[tuple[int | None, int, int], list[str]] = {}
        for resource in index.venue.resources:
            granted = [one for one in rights.of_resource(resource.id) if one.end > now]
            for start, end, left in _spans(granted, resource.capacity, now):
                quantity = None if left == resource.capacity else left
                alike.setdefault((quantity, start, end), []).append(resource.id)
    return [
        {
            "venue": venue_id,
            "resources": resources,
            "quantity": quantity,
            "valid_from": None if start <= now else wall.format_time(index.venue, start),
            "valid_until": None if end >= FOREVER else wall.format_time(index.venue, end),
        }
        for (quantity, start, end), resources in alike.items()
    ]


def _spans(granted: list[Held], capacity: int, now: int) -> list[tuple[int, int, int]]:
    """(from, to, how much) of what nobody was granted, from now on; touching spans of one amount
    are one."""
    instants = {now, FOREVER}
    for held in granted:
        instants.update(at for at in (held.start, held.end) if now < at < FOREVER)
    cuts = sorted(instants)
    found: list[tuple[int, int, int]] = []
    for start, end in itertools.pairwise(cuts):
        taken = sum(one.right.quantity for one in granted if one.start <= start and end <= one.end)
        left = capacity - taken
        if left <= 0:
            continue
        joins = bool(found) and found[-1][1:] == (start, left)
        found.append((found.pop()[0] if joins else start, end, left))
    return found
