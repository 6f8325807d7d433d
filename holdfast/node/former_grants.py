"""What a person had granted by hand to a device's earlier life, as commands that grant it again.

Owns that list. `allotments grant --again` gives a device what the venue file wishes; what stands in
no file is known from the book alone, and only a person may say that nothing was sold from it that a
lost directory knows (DESIGN §5.8).
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from holdfast.model import calendar
from holdfast.model.rights import FOREVER, Right
from holdfast.node.granting import wishes

if TYPE_CHECKING:
    from holdfast.node.hub import Hub

_CLOSED = "closed"


def commands(hub: Hub, venue_id: str, holder: str) -> list[str]:
    """One command for each grant that ended with an earlier life of the device, has time left, and
    that neither the venue file wishes for it nor the device holds now; the oldest first."""
    with hub.lock:
        index, book = hub.venue(venue_id), hub.book_of(venue_id)
        rights, now_s = hub.rights(book), hub.clock.now_ms() // 1000
        wished = {
            resource.id
            for _, wish, matching in wishes(index)
            for resource in matching
            if wish.holder == holder
        }
        found: dict[str, None] = {}
        for right in sorted(rights.by_id.values(), key=lambda one: (one.stamp, one.id)):
            ended = rights.ended(right.id)
            if ended is None or ended.how != _CLOSED or right.end <= now_s:
                continue
            if hub.name_of(book, right.holder) != holder:
                continue
            left = [
                one
                for one in right.resources
                if one not in wished
                and not any(hub.name_of(book, h.holder) == holder for h in rights.of_resource(one))
            ]
            if left:
                found[_command(hub, venue_id, holder, right, left)] = None
    return list(found)


def _command(hub: Hub, venue_id: str, holder: str, right: Right, resources: list[str]) -> str:
    venue = hub.venue(venue_id).venue
    words = ["holdfast", "allotments", "grant", "--venue", venue_id, "--holder", holder]
    for resource in resources:
        words += ["--resource", resource]
    if not right.whole and any(one.pool for one in venue.resources if one.id in resources):
        words += ["--quantity", str(right.quantity)]
    if right.end < FOREVER:
        words += ["--until", calendar.service_date(venue, right.end - 1).isoformat()]
    if right.release_minutes >= 0:
        words += ["--release-minutes", str(right.release_minutes)]
    return shlex.join(words)


def sentence(hub: Hub, venue_id: str, holder: str) -> str:
    """The same as the end of a message; empty where there is none."""
    found = commands(hub, venue_id, holder)
    if not found:
        return ""
    return (
        f" A person had granted more to an earlier life of {holder}, which the venue file does not"
        f" name; to grant it again: {'; '.join(f'`{one}`' for one in found)}"
    )
