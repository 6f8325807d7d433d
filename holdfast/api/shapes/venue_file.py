"""The venue file as it may be put: what has a default may be left out.

Owns the description alone; the file is read, and every fault in it named, by
`holdfast.model.venue_file`.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from holdfast.api.shapes.common import Date
from holdfast.api.shapes.venues import (
    ACCEPTING,
    ACTIVE,
    ADVANCE,
    BLACKOUTS,
    BUSINESS_ACCOUNT,
    CANCEL_CUTOFF,
    CHECK_IN,
    CLEANING_MINUTES,
    CONCURRENT,
    FEATURED,
    FLOORS,
    GRACE,
    MARK_NO_SHOWS,
    MAX_MINUTES,
    MAX_RESCHEDULES,
    MIN_MINUTES,
    OFFER_MINUTES,
    PROFILE,
    RESERVED_MINUTES,
    SLOT_OVERRIDES,
    TAGS,
    TIERS,
    AllotmentEntry,
    BlackoutEntry,
    CheckInTimes,
    Clock,
    Confirmation,
    Counts,
    FloorEntry,
    Furnishing,
    Hours,
    OverbookingEntry,
    PersonLimits,
    Rates,
    SlotOverrideEntry,
    VenueKind,
    VenueProfile,
)
from holdfast.model.limits import NIGHTS_MAX

OF_TABLES: Final = "null: no limit; left out: none either, but where the first place is a table"


class StaysFile(msgspec.Struct, kw_only=True):
    """When a night begins and ends."""

    check_in: Clock = "15:00"
    check_out: Clock = "11:00"
    max_nights: Annotated[int, Meta(description="nights of one stay, at most")] = NIGHTS_MAX


class PoliciesFile(msgspec.Struct, kw_only=True, frozen=True):
    """What guests may ask for."""

    advance_days: Annotated[int | None, Meta(description=f"{ADVANCE}; {OF_TABLES} 90")] = None
    cutoff_minutes: Annotated[int, Meta(description="minutes before the start, at least")] = 0
    min_party: Annotated[int, Meta(description="people")] = 1
    max_party: Annotated[int | None, Meta(description=f"people; {OF_TABLES} 12")] = None
    hold_minutes: Annotated[int, Meta(description="minutes that a hold lasts")] = 15
    cancel_cutoff_minutes: Annotated[int | None, Meta(description=CANCEL_CUTOFF)] = None
    min_minutes: Annotated[int | None, Meta(description=MIN_MINUTES)] = None
    max_minutes: Annotated[int | None, Meta(description=MAX_MINUTES)] = None
    concurrent: Annotated[int | None, Meta(description=CONCURRENT)] = None
    max_reschedules: Annotated[int | None, Meta(description=MAX_RESCHEDULES)] = None
    rates: Rates | None = None
    waitlist_offer_minutes: Annotated[int | None, Meta(description=OFFER_MINUTES)] = None
    mark_no_shows: Annotated[bool | None, Meta(description=MARK_NO_SHOWS)] = None
    no_show_grace_minutes: Annotated[int | None, Meta(description=GRACE)] = None
    reserved_minutes: Annotated[int | None, Meta(description=RESERVED_MINUTES)] = None
    cleaning_minutes: Annotated[int | None, Meta(description=CLEANING_MINUTES)] = None
    tiers: Annotated[dict[str, PersonLimits] | None, Meta(description=TIERS)] = None
    tags: Annotated[dict[str, PersonLimits] | None, Meta(description=TAGS)] = None
    confirmation: Confirmation | None = None


class ResourceFile(Furnishing, msgspec.Struct, kw_only=True):
    """What can be reserved: a table, bay or room; or a pool, which needs a `capacity`."""

    id: Annotated[str, Meta(description="unique in its venue")]
    kind: Annotated[str, Meta(description="such as table, bay, room or pool")]
    capacity: Annotated[int | None, Meta(description="of a pool, in what it counts")] = None
    counts: Annotated[Counts | None, Meta(description="of a pool; by default people")] = None
    seats: Annotated[
        tuple[int, int] | None, Meta(description="fewest and most people; left out: not limited")
    ] = None
    area: Annotated[str, Meta(description="where it is")] = ""
    priority: Annotated[int, Meta(description="the lowest is offered first")] = 0
    combines_with: Annotated[
        list[str], Meta(description="ids of what may be put together with it")
    ] = []


class GuestWordsFile(msgspec.Struct, kw_only=True):
    """What guests may be known as, beside the words that every venue has."""

    tiers: Annotated[list[str], Meta(description="words of a-z, 0-9 and _")] = []
    tags: Annotated[list[str], Meta(description="words of a-z, 0-9 and _")] = []


class VenueFile(msgspec.Struct, kw_only=True):
    """A venue file (YAML or JSON on the command line, JSON here)."""

    venue: Annotated[str | UnsetType, Meta(description="its id: as the path says, or left out")] = (
        UNSET
    )
    name: Annotated[str, Meta(description="what people call it")]
    kind: VenueKind
    time_zone: Annotated[str, Meta(description="IANA, such as Europe/Rome")]
    day_starts_at: Annotated[Clock, Meta(description="`HH:MM`: when a service date begins")] = (
        "00:00"
    )
    slot_minutes: Annotated[
        int, Meta(description="minutes between start times that are offered")
    ] = 15
    seating_minutes: Annotated[
        int | dict[str, int],
        Meta(description="length by default, in minutes; or by the largest party that it is for"),
    ] = 90
    buffer_minutes: Annotated[int, Meta(description="minutes kept free after each seating")] = 0
    hours: Annotated[Hours | None, Meta(description="left out: never closes")] = None
    closed: Annotated[list[Date], Meta(description="dates on which it does not open")] = []
    covers_per_slot: Annotated[
        int | None, Meta(description="people who may start within one slot; left out: no limit")
    ] = None
    covers_at_once: Annotated[
        int | None, Meta(description="people who may sit there at once; left out: no limit")
    ] = None
    stays: Annotated[StaysFile | None, Meta(description="left out: nights at a lodging alone")] = (
        None
    )
    policies: Annotated[PoliciesFile, Meta(description="what guests may ask for")] = PoliciesFile()
    resources: Annotated[list[ResourceFile], Meta(description="at least one")]
    allotments: Annotated[
        list[AllotmentEntry],
        Meta(description="the first that matches counts; what matches nothing is the hub's"),
    ] = []
    overbooking: Annotated[
        list[OverbookingEntry] | UnsetType,
        Meta(description="the first that matches counts; what matches nothing is never overbooked"),
    ] = UNSET
    guests: Annotated[
        GuestWordsFile | UnsetType,
        Meta(description="words for guests' tiers and tags, beside those that every venue has"),
    ] = UNSET
    blackouts: Annotated[list[BlackoutEntry] | UnsetType, Meta(description=BLACKOUTS)] = UNSET
    active: Annotated[bool | UnsetType, Meta(description=ACTIVE)] = UNSET
    accepting: Annotated[bool | UnsetType, Meta(description=ACCEPTING)] = UNSET
    featured: Annotated[bool | UnsetType, Meta(description=FEATURED)] = UNSET
    floors: Annotated[list[FloorEntry] | UnsetType, Meta(description=FLOORS)] = UNSET
    profile: Annotated[VenueProfile | UnsetType, Meta(description=PROFILE)] = UNSET
    check_in: Annotated[CheckInTimes | UnsetType, Meta(description=CHECK_IN)] = UNSET
    business_account: Annotated[str | UnsetType, Meta(description=BUSINESS_ACCOUNT)] = UNSET
    slot_overrides: Annotated[
        list[SlotOverrideEntry] | UnsetType, Meta(description=SLOT_OVERRIDES)
    ] = UNSET
