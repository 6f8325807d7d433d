"""Why nothing can be had at a venue at some time, as a host says it to a guest.

Owns these phrases; the rules stand in `holdfast.model`. Pure.
"""

from __future__ import annotations

import datetime
from typing import Any, Final

from holdfast.model import calendar
from holdfast.model.errors import Invalid
from holdfast.model.limits import PARTY_MAX
from holdfast.model.offers import VenueIndex, most_people
from holdfast.model.slot_overrides import covers_limit, is_closed, override_at, party_limits
from holdfast.model.venue import Policies, Venue

_PHRASES: Final = {
    "past": "already past",
    "full": "taken",
    "blocked": "out of use",
    "inactive": "out of service, nothing new is taken",
    "hours": "not open so long",
    "slot": "between two start times",
    "closed": "closed on that day",
    "duration": "no possible length",
    "blackouts": "no reservations are taken then",
    "slot-override": "nobody begins then, or not so many",
    "concurrent": "this guest has as many ahead as one may have",
    "online": "not reserved online",
    "rates": "too many were made for this guest of late",
}


def reason_words(
    reason: Any, venue: Venue, party: int, area: str | None = None, starts_at: str | None = None
) -> str:
    """The `reason` of a slot in a few words, such as `for at most 12 people`; a code without words
    is shown with blanks, and none as nothing. `starts_at`: of that slot, RFC 3339; left out: what
    is said of the venue."""
    code = str(reason or "")
    policies = venue.policies
    at_s = calendar.local_to_epoch(venue, starts_at) if starts_at else None
    if code == "party":
        return _party_words(venue, party, area or "")
    if code == "cutoff":
        return f"too soon: taken until {policies.cutoff_minutes} min before the start"
    if code == "advance":
        return f"too far ahead: taken {policies.advance_days} days ahead at the most"
    if code == "duration" and (policies.min_minutes or policies.max_minutes):
        return _length_words(policies)
    if code == "pacing":
        limit = covers_limit(venue, at_s) if at_s is not None else venue.covers_per_slot
        return f"too many would come at once: {limit} people may start together"
    if code == "seated":
        return f"too many would be there at once: {venue.covers_at_once} people may sit here"
    if code == "slot-override" and at_s is not None:
        return _override_words(venue, party, at_s)
    if code == "nights" and venue.stays is not None:
        return f"for 1 to {venue.stays.max_nights} nights"
    return _PHRASES.get(code) or code.replace("-", " ").replace("_", " ")


def slot_words(slot: dict[str, Any], venue: Venue, party: int, area: str | None = None) -> str:
    """The same of a slot of `GET /availability`, with what it is out of use for."""
    words = reason_words(slot.get("reason"), venue, party, area, slot.get("starts_at"))
    blocks = slot.get("blocks") or []
    why = dict.fromkeys(said for block in blocks if (said := _block_words(block)))
    return f"{words}: {', '.join(why)}" if why else words


def _block_words(block: dict[str, Any]) -> str:
    what = "" if block.get("kind") == "blocked" else str(block.get("kind") or "")
    said = dict.fromkeys(one for one in (what, str(block.get("reason") or "")) if one)
    return " – ".join(said).replace("_", " ")


def _override_words(venue: Venue, party: int, at_s: int) -> str:
    override = override_at(venue, at_s)
    if override is not None and is_closed(override):
        return f"nobody begins then: {override.kind.replace('_', ' ')}"
    least, most = party_limits(venue, at_s)
    return f"then for at least {least}" if party < least else f"then for at most {most}"


def _length_words(policies: Policies) -> str:
    bounds = [
        f"{minutes} min at {'least' if least else 'most'}"
        for minutes, least in ((policies.min_minutes, True), (policies.max_minutes, False))
        if minutes is not None
    ]
    return f"not for so long: {', '.join(bounds)}"


def _party_words(venue: Venue, party: int, area: str) -> str:
    policies = venue.policies
    largest = PARTY_MAX if policies.max_party is None else policies.max_party
    if party > largest:
        return f"for at most {largest} people"
    if party < policies.min_party:
        return f"for at least {policies.min_party} people"
    index = VenueIndex(venue)
    most = most_people(index, index.usual_kind(area), area)
    if most is not None and party > most:
        return f"no place takes {party}; the largest takes {most}"
    return f"no place is for {party}"


def no_times_words(venue: Venue, date: str | None) -> str:
    """Why a venue has no start time at all on a service date, or in a span of time."""
    try:
        day = datetime.date.fromisoformat(date or "")
        first, _ = calendar.service_day(venue, day)
    except (ValueError, OverflowError, Invalid):
        return f"{venue.name} has no start time then"
    hours = calendar.describe_hours(venue, first)
    if hours.startswith("closed"):
        return f"{venue.name} is {hours}"
    return f"{venue.name} has no start time then, for so long: {hours} on {day:%A} {day}"
