"""The venue: what the venue file says, checked, with every default filled in.

Owns the shape of a venue and its document form (CONTRACT, "Venue file"). Knows nothing of instants
(`calendar`), of what may be reserved when (`rules`) or of choosing (`offers`). Wall-clock times are
minutes after midnight. All values are immutable and hashable, so that what is worked out from a
venue can be remembered by it.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from holdfast.model.approval import INSTANT
from holdfast.model.limits import NIGHTS_MAX
from holdfast.model.profile import CheckIn, Profile, profile_document
from holdfast.model.vocabulary import WEEKDAYS

DAY_MINUTES: Final = 24 * 60
ACCESSIBLE: Final = "accessible"
"""The feature that a resource has by saying `accessible: true`."""


class Span(msgspec.Struct, frozen=True):
    """Opening hours of one weekday; `closes` is above 1440 where they run past midnight."""

    opens: int
    closes: int


class Stays(msgspec.Struct, frozen=True):
    """When a night begins and ends, in minutes after midnight."""

    check_in: int = 15 * 60
    check_out: int = 11 * 60
    max_nights: int = NIGHTS_MAX


class PersonLimits(msgspec.Struct, frozen=True):
    """What one person may; None: of everybody no limit, of a tier or tag nothing of its own."""

    advance_days: int | None = None
    concurrent: int | None = None
    max_reschedules: int | None = None


class Rates(msgspec.Struct, frozen=True):
    """How many reservations may be made for one person within a time; None: no limit. An hour is 60
    minutes and a day 24 hours, wherever on the clock they begin."""

    per_hour: int | None = None
    per_day: int | None = None
    per_venue_day: int | None = None
    per_venue_week: int | None = None


class Policies(msgspec.Struct, frozen=True):
    """What guests may ask for; None: no limit. `tiers` and `tags` pair a name with what those who
    have it may.

    What the venue does by itself stands here too: `waitlist_offer_minutes` is how long a place that
    became free is offered to who waits (None: nobody is offered one by itself), `mark_no_shows`
    whether who did not come is marked, `no_show_grace_minutes` how late who has no nights may be
    (None: `limits.NO_SHOW_GRACE_MINUTES`). `reserved_minutes` and `cleaning_minutes` are how long
    before a start its table is shown as reserved, and how long one that was left as being cleaned;
    None: an hour, and until somebody says that it is clean. `confirmation`: one of
    `approval.CONFIRMATIONS`.
    """

    advance_days: int | None = None
    cutoff_minutes: int = 0
    min_party: int = 1
    max_party: int | None = None
    hold_minutes: int = 15
    cancel_cutoff_minutes: int | None = None
    min_minutes: int | None = None
    max_minutes: int | None = None
    concurrent: int | None = None
    max_reschedules: int | None = None
    rates: Rates | None = None
    waitlist_offer_minutes: int | None = None
    mark_no_shows: bool = False
    no_show_grace_minutes: int | None = None
    reserved_minutes: int | None = None
    cleaning_minutes: int | None = None
    tiers: tuple[tuple[str, PersonLimits], ...] = ()
    tags: tuple[tuple[str, PersonLimits], ...] = ()
    confirmation: str = INSTANT

    @property
    def of_everybody(self) -> PersonLimits:
        """What a person may of whom nothing is known."""
        return PersonLimits(self.advance_days, self.concurrent, self.max_reschedules)


class Resource(msgspec.Struct, frozen=True):
    """A unit (capacity 1) or a pool (capacity n) of people or of interchangeable units.

    `seats_min` and `seats_max` are the people that one unit takes; `seats_max` None: not limited.
    `combines_with` is as the file has it; `offers` makes it symmetric. `combined_capacity`: the
    people that it takes at most together with others; None: all their seats. `active` False: it is
    offered to nobody. `online` False: not to people who reserve by themselves. `position` and
    `size` are across and down, as the plan of its `floor` counts.
    """

    id: str
    kind: str
    capacity: int = 1
    pool: bool = False
    counts: Literal["people", "units"] = "units"
    seats_min: int = 1
    seats_max: int | None = None
    area: str = ""
    priority: int = 0
    combines_with: tuple[str, ...] = ()
    name: str = ""
    type: str = ""
    features: tuple[str, ...] = ()
    accessible: bool = False
    active: bool = True
    online: bool = True
    combined_capacity: int | None = None
    floor: str = ""
    position: tuple[int, int] | None = None
    size: tuple[int, int] | None = None
    shape: str = ""

    @property
    def all_features(self) -> frozenset[str]:
        """Everything that one may ask for by name."""
        return frozenset((*self.features, ACCESSIBLE) if self.accessible else self.features)

    @property
    def seats(self) -> int | None:
        """The people that one of its units takes, or one place of a pool of people; None: not
        limited."""
        return 1 if self.counts_people else self.seats_max

    @property
    def counts_people(self) -> bool:
        return self.pool and self.counts == "people"

    @property
    def counts_units(self) -> bool:
        return self.pool and self.counts == "units"


class Floor(msgspec.Struct, frozen=True):
    """A plan on which resources stand; `image` is an address, `size` across and down."""

    id: str
    name: str = ""
    image: str = ""
    size: tuple[int, int] | None = None


class AllotmentWish(msgspec.Struct, frozen=True):
    """Who should hold the right to sell what; a wish, which grants fulfil (DESIGN §5.11).

    `resources` are ids or patterns such as `T*`. `quantity` None: all of it. `release_minutes`
    counts back from the start; None: never released.
    """

    holder: str
    resources: tuple[str, ...]
    quantity: int | None = None
    release_minutes: int | None = None


class OverbookingLimit(msgspec.Struct, frozen=True):
    """How much of a resource may be sold beyond its capacity on purpose (DESIGN §5.12).

    `resources` are ids or patterns such as `T*`. `first` and `last` are days; None: no bound.
    """

    resources: tuple[str, ...]
    limit: int
    first: datetime.date | None = None
    last: datetime.date | None = None


class GuestWords(msgspec.Struct, frozen=True):
    """What guests may be known as here, beside the words that every venue has (`vocabulary.TIERS`
    and `TAGS`)."""

    tiers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Bound(msgspec.Struct, frozen=True):
    """Where a period begins or ends: a time on the venue's wall, in minutes after midnight; None:
    the whole day, which is in it."""

    day: datetime.date
    minutes: int | None = None


class Blackout(msgspec.Struct, frozen=True):
    """A period in which guests are not taken. `resources` are ids or patterns; empty: all of the
    venue. What its bounds are as instants, `rules.blackouts` knows."""

    first: Bound
    last: Bound
    name: str
    resources: tuple[str, ...] = ()


class SlotOverride(msgspec.Struct, frozen=True):
    """What is said of the slots that begin in a period; `kind` is one of `vocabulary.SLOT_KINDS`.
    What is None stands as it does at other times. What it means, `slot_overrides` knows."""

    first: Bound
    last: Bound
    kind: str
    min_party: int | None = None
    max_party: int | None = None
    covers_per_slot: int | None = None


class Venue(msgspec.Struct, frozen=True, cache_hash=True):
    """A venue as everybody reads it.

    `seating` pairs the largest party with its minutes, ascending; `hours` has seven entries from
    Monday on, None: never closes; `covers_per_slot` and `covers_at_once` None: as many people may
    begin within a slot, or sit there at one instant, as there are places; `stays` None: no nights.
    `active` False: nobody gets anything new there. `accepting` False: people do not reserve by
    themselves. `featured`: it stands first in lists.
    `business_account` is an id in the system of whoever runs it; empty: none.
    """

    id: str
    name: str
    kind: str
    time_zone: str
    resources: tuple[Resource, ...]
    day_starts_at: int = 0
    slot_minutes: int = 15
    seating: tuple[tuple[int, int], ...] = ((1, 90),)
    buffer_minutes: int = 0
    hours: tuple[tuple[Span, ...], ...] | None = None
    closed: tuple[datetime.date, ...] = ()
    covers_per_slot: int | None = None
    stays: Stays | None = None
    policies: Policies = Policies()
    allotments: tuple[AllotmentWish, ...] = ()
    overbooking: tuple[OverbookingLimit, ...] = ()
    guests: GuestWords = GuestWords()
    blackouts: tuple[Blackout, ...] = ()
    accepting: bool = True
    featured: bool = False
    floors: tuple[Floor, ...] = ()
    profile: Profile = Profile()
    check_in: CheckIn = CheckIn()
    business_account: str = ""
    slot_overrides: tuple[SlotOverride, ...] = ()
    covers_at_once: int | None = None
    active: bool = True


def parse_venue(document: Mapping[str, Any]) -> Venue:
    """Read a venue file (already YAML or JSON values).

    Raises `Invalid` whose `errors` list every field at fault with its path
    (`resources[3].seats`); unknown fields are faults too.
    """
    # The reading is as long as the shape; it stands in its own module and needs this one's names.
    from holdfast.model.venue_file import read

    return read(document)


def to_document(venue: Venue) -> dict[str, Any]:
    """The venue file as JSON values: `parse_venue(to_document(v)) == v`.

    Canonical: equal venues give equal documents, in the order of the contract, and what has a
    default is spelt out, but for what `_later_keys` has.
    """
    document: dict[str, Any] = {
        "venue": venue.id,
        "name": venue.name,
        "kind": venue.kind,
        "time_zone": venue.time_zone,
        "day_starts_at": clock_text(venue.day_starts_at),
        "slot_minutes": venue.slot_minutes,
        "seating_minutes": _seating_document(venue.seating),
        "buffer_minutes": venue.buffer_minutes,
    }
    if venue.hours is not None:
        document["hours"] = {
            day: [[clock_text(span.opens), _closing_text(span.closes)] for span in spans]
            for day, spans in zip(WEEKDAYS, venue.hours, strict=True)
        }
    document["closed"] = [day.isoformat() for day in venue.closed]
    _put(document, "covers_per_slot", venue.covers_per_slot)
    if venue.stays is not None:
        document["stays"] = {
            "check_in": clock_text(venue.stays.check_in),
            "check_out": clock_text(venue.stays.check_out),
            "max_nights": venue.stays.max_nights,
        }
    document["policies"] = _policies_document(venue.policies)
    document["resources"] = [resource_document(resource) for resource in venue.resources]
    document["allotments"] = [_allotment_document(wish) for wish in venue.allotments]
    return document | _later_keys(venue)


def version_tag(venue: Venue) -> str:
    """What differs between two venues that are not the same: 16 hexadecimal digits."""
    return hashlib.sha256(msgspec.json.encode(to_document(venue))).hexdigest()[:16]


def _later_keys(venue: Venue) -> dict[str, Any]:
    """Keys that are left out where they say nothing: readers of before they existed know a venue
    without them."""
    document: dict[str, Any] = {}
    if venue.overbooking:
        document["overbooking"] = [_overbooking_document(one) for one in venue.overbooking]
    if venue.guests != GuestWords():
        document["guests"] = {"tiers": list(venue.guests.tiers), "tags": list(venue.guests.tags)}
    if venue.blackouts:
        document["blackouts"] = [blackout_document(one) for one in venue.blackouts]
    if not venue.accepting:
        document["accepting"] = False
    if venue.featured:
        document["featured"] = True
    if venue.floors:
        document["floors"] = [
            _said(floor, ("id", "name", "image", "size")) for floor in venue.floors
        ]
    if venue.profile != Profile():
        document["profile"] = profile_document(venue.profile)
    if venue.check_in != CheckIn():
        document["check_in"] = msgspec.to_builtins(venue.check_in)
    _put(document, "business_account", venue.business_account or None)
    if venue.slot_overrides:
        document["slot_overrides"] = [_slot_override_document(one) for one in venue.slot_overrides]
    _put(document, "covers_at_once", venue.covers_at_once)
    if not venue.active:
        document["active"] = False
    return document


def _said(struct: msgspec.Struct, names: tuple[str, ...]) -> dict[str, Any]:
    """The named fields that say something else than their default."""
    default = {field.name: field.default for field in msgspec.structs.fields(struct)}
    values = {name: getattr(struct, name) for name in names}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value != default[name]
    }


_RESOURCE_KEYS: Final = (
    "combined_capacity", "name", "type", "features", "accessible", "active", "online", "floor",
    "position", "size", "shape",
)  # fmt: skip


def resource_document(resource: Resource) -> dict[str, Any]:
    """One resource as the venue file and `GET /resources` show it."""
    document: dict[str, Any] = {"id": resource.id, "kind": resource.kind}
    if resource.pool:
        document["capacity"] = resource.capacity
        document["counts"] = resource.counts
    if resource.seats_max is not None:
        document["seats"] = [resource.seats_min, resource.seats_max]
    if resource.area:
        document["area"] = resource.area
    document["priority"] = resource.priority
    if resource.combines_with:
        document["combines_with"] = list(resource.combines_with)
    return document | _said(resource, _RESOURCE_KEYS)


def clock_text(minutes: int) -> str:
    """Minutes after midnight as `HH:MM`; the end of a day is `24:00`."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _closing_text(minutes: int) -> str:
    return clock_text(minutes if minutes <= DAY_MINUTES else minutes - DAY_MINUTES)


def _seating_document(seating: tuple[tuple[int, int], ...]) -> int | dict[str, int]:
    if len(seating) == 1:
        return seating[0][1]
    return {str(party): minutes for party, minutes in seating}


def _allotment_document(wish: AllotmentWish) -> dict[str, Any]:
    document: dict[str, Any] = {"holder": wish.holder, "resources": list(wish.resources)}
    _put(document, "quantity", wish.quantity)
    _put(document, "release_minutes", wish.release_minutes)
    return document


def _overbooking_document(one: OverbookingLimit) -> dict[str, Any]:
    document: dict[str, Any] = {"resources": list(one.resources)}
    _put(document, "from", one.first and one.first.isoformat())
    _put(document, "until", one.last and one.last.isoformat())
    document["limit"] = one.limit
    return document


def blackout_document(one: Blackout) -> dict[str, Any]:
    """One blackout as the venue file has it."""
    document: dict[str, Any] = {
        "from": _bound_text(one.first),
        "to": _bound_text(one.last),
        "name": one.name,
    }
    if one.resources:
        document["resources"] = list(one.resources)
    return document


def _slot_override_document(one: SlotOverride) -> dict[str, Any]:
    document: dict[str, Any] = {
        "from": _bound_text(one.first),
        "to": _bound_text(one.last),
        "kind": one.kind,
    }
    return document | _said(one, ("min_party", "max_party", "covers_per_slot"))


def _bound_text(bound: Bound) -> str:
    day = bound.day.isoformat()
    return day if bound.minutes is None else f"{day}T{clock_text(bound.minutes)}"


def _policies_document(policies: Policies) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name in Policies.__struct_fields__:
        value = getattr(policies, name)
        if name in ("tiers", "tags"):
            rows = {one: _given(limits) for one, limits in value}
            _put(document, name, rows or None)
        elif name == "mark_no_shows":
            # Said only where it says something, as all that older readers do not know.
            _put(document, name, value or None)
        elif name == "confirmation":
            _put(document, name, None if value == INSTANT else value)
        else:
            _put(document, name, _given(value) if name == "rates" and value else value)
    return document


def _given(struct: msgspec.Struct) -> dict[str, Any]:
    """The fields of a struct that say something."""
    fields = {name: getattr(struct, name) for name in struct.__struct_fields__}
    return {name: value for name, value in fields.items() if value is not None}


def _put(document: dict[str, Any], name: str, value: object) -> None:
    if value is not None:
        document[name] = value
