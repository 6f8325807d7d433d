"""At which venue something about a guest is asked or said: what the routes about guests share."""

from __future__ import annotations

import msgspec

from holdfast.api.callers import Caller


class GuestVenueQuery(msgspec.Struct, kw_only=True):
    """At which venue; left out where there is one."""

    venue: str | None = None


def require_venue(caller: Caller, venue: str | None) -> None:
    """Raises Forbidden for a venue that is not this caller's business."""
    if venue is not None:
        caller.require(venue)
