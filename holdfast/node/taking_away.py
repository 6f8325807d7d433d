"""What a new version of a venue would take away under the guests of reservations to come (H-61).

Owns that one question. Whoever stands at a resource that the file has no more keeps their
reservation and is shown on no floor, so such a file waits until they have another place. Reads
only; what devices were granted `granting.require_room` asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from holdfast.model.capacity import Profile
from holdfast.model.errors import RuleViolated
from holdfast.model.reservation import BLOCK, View
from holdfast.model.rights import FOREVER
from holdfast.model.venue import Resource, Venue

if TYPE_CHECKING:
    from holdfast.node.hub import Hub

_NAMED: Final = 5
"""Codes that the sentence about one resource has."""


def require_nobody_there(hub: Hub, name: str, present: Venue, venue: Venue) -> None:
    """Raises RuleViolated where `venue` leaves out a resource at which somebody has a place to
    come, or gives it less than is promised ahead at one instant. Blocks are in nobody's way: they
    go with what they keep free."""
    # What this transaction has folded is not on disk yet.
    hub.write_projections()
    capacity = {resource.id: resource.capacity for resource in venue.resources}
    said = [
        sentence
        for resource in present.resources
        if (left := capacity.get(resource.id, 0)) < resource.capacity
        for sentence in _in_the_way(hub, name, resource, left)
    ]
    if said:
        message = (
            " ".join(said) + " Move them first, or leave the resource as it is, with `active: "
            "false` if it is to be offered to nobody any more."
        )
        raise RuleViolated(message, [{"rule": "reserved", "message": message}])


def _in_the_way(hub: Hub, name: str, resource: Resource, left: int) -> Iterator[str]:
    """At most one sentence: who stands there, where that is more than what is left."""
    now_s = hub.clock.now_ms() // 1000
    level = Profile()
    views: dict[bytes, View] = {}
    for claim in hub.store.projections.claims_of(name, resource.id, now_s, FOREVER):
        view = hub.view(claim.reservation, name) if claim.live else None
        if view is not None and (view.form is None or view.form.form != BLOCK):
            level.shift(claim.start, claim.end, claim.quantity)
            views[view.id] = view
    if level.peak(now_s, FOREVER) <= left:
        return
    codes = [view.code for view in sorted(views.values(), key=lambda one: (one.starts_at, one.id))]
    named = ", ".join(codes[:_NAMED])
    more = f" and {len(codes) - _NAMED} more" if len(codes) > _NAMED else ""
    what = f"{resource.id} with {left} left" if left else resource.id
    yield f"{what} is still reserved: {named}{more}."
