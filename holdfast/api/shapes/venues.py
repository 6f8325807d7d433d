"""How venues, their resources and what is free look.

A venue is shown as its file with every default spelt out (`holdfast.model.venue.to_document`); what
may be left out when it is put stands in `venue_file`.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from holdfast.api.shapes.common import Date, Identity, Items, Shape, VenueTime, one_of
from holdfast.api.shapes.reservations import Assurance
from holdfast.model import vocabulary
from holdfast.model.approval import CONFIRMATIONS

Clock = Annotated[str, Meta(description="`HH:MM`, the venue's wall clock; `24:00`: a day's end")]
Span = tuple[Clock, Clock]
VenueKind = Annotated[str, one_of(sorted(vocabulary.VENUE_KINDS), description="what it is")]
Counts = Annotated[
    str,
    one_of(sorted(vocabulary.COUNTS), description="`units`: interchangeable, as rooms of a type"),
]


Day = Annotated[
    list[Span] | UnsetType,
    Meta(description="from and to; an end before its start is of the next day"),
]


class Hours(msgspec.Struct, kw_only=True):
    """Opening hours by weekday; a day that is empty or left out: closed."""

    mon: Day = UNSET
    tue: Day = UNSET
    wed: Day = UNSET
    thu: Day = UNSET
    fri: Day = UNSET
    sat: Day = UNSET
    sun: Day = UNSET


class Stays(Shape, kw_only=True):
    """When a night begins and ends."""

    check_in: Clock
    check_out: Clock
    max_nights: Annotated[int, Meta(description="nights of one stay, at most")]


CANCEL_CUTOFF: Final = (
    "from so many minutes before the start on only a supervisor or an admin cancels; "
    "left out: whoever may cancel does so at any time"
)


ADVANCE: Final = "days ahead, at most"
MIN_MINUTES: Final = "minutes of a seating, at least"
MAX_MINUTES: Final = "minutes of a seating, at most"
CONCURRENT: Final = "reservations that one person may have ahead, not over, at most"
MAX_RESCHEDULES: Final = "how often whoever has a reservation may move it to another start"
OFFER_MINUTES: Final = (
    "how long a place that became free is offered to who waits; left out: nobody by itself"
)
MARK_NO_SHOWS: Final = "whether who did not come is marked a no-show by itself"
GRACE: Final = "minutes that a guest without nights may be late before that; left out: 15"
RESERVED_MINUTES: Final = (
    "minutes before a start from which on its table shows as reserved; left out: 60"
)
CLEANING_MINUTES: Final = (
    "minutes that a table shows as being cleaned; left out: until somebody says that it is clean"
)
Confirmation = Annotated[
    str,
    one_of(
        CONFIRMATIONS,
        description="`manual`: what guests reserve by themselves waits for the house's word; "
        "left out: `instant`",
    ),
]
TIERS: Final = "what those of a tier may, by its name: the most that anybody has counts"
TAGS: Final = "the same of those who have a tag"
BLACKOUTS: Final = "periods in which guests are not taken"
SLOT_OVERRIDES: Final = "what holds for the slots of a period alone; the first that matches counts"
SlotKind = Annotated[
    str,
    one_of(
        sorted(vocabulary.SLOT_KINDS),
        description="guests may begin in slots that are `normal`, and in no others",
    ),
]


class PersonLimits(msgspec.Struct, kw_only=True):
    """What one person may; what is left out is as for everybody."""

    advance_days: Annotated[int | UnsetType, Meta(description=ADVANCE)] = UNSET
    concurrent: Annotated[int | UnsetType, Meta(description=CONCURRENT)] = UNSET
    max_reschedules: Annotated[int | UnsetType, Meta(description=MAX_RESCHEDULES)] = UNSET


class Rates(msgspec.Struct, kw_only=True):
    """How many reservations may be made for one person who asks without the staff, at most; what is
    left out is not limited."""

    per_hour: Annotated[int | UnsetType, Meta(description="within 60 minutes")] = UNSET
    per_day: Annotated[int | UnsetType, Meta(description="within 24 hours")] = UNSET
    per_venue_day: Annotated[int | UnsetType, Meta(description="within 24 hours, here")] = UNSET
    per_venue_week: Annotated[int | UnsetType, Meta(description="within 7 days, here")] = UNSET


class Policies(Shape, kw_only=True):
    """What guests may ask for; what is left out is not limited."""

    advance_days: Annotated[int | None, Meta(description=f"{ADVANCE}; null: no limit")]
    cutoff_minutes: Annotated[int, Meta(description="minutes before the start, at least")]
    min_party: Annotated[int, Meta(description="people")]
    max_party: Annotated[int | None, Meta(description="people; null: no limit")]
    hold_minutes: Annotated[int, Meta(description="minutes that a hold lasts")]
    cancel_cutoff_minutes: Annotated[int | UnsetType, Meta(description=CANCEL_CUTOFF)] = UNSET
    min_minutes: Annotated[int | UnsetType, Meta(description=MIN_MINUTES)] = UNSET
    max_minutes: Annotated[int | UnsetType, Meta(description=MAX_MINUTES)] = UNSET
    concurrent: Annotated[int | UnsetType, Meta(description=CONCURRENT)] = UNSET
    max_reschedules: Annotated[int | UnsetType, Meta(description=MAX_RESCHEDULES)] = UNSET
    rates: Rates | UnsetType = UNSET
    waitlist_offer_minutes: Annotated[int | UnsetType, Meta(description=OFFER_MINUTES)] = UNSET
    mark_no_shows: Annotated[bool | UnsetType, Meta(description=MARK_NO_SHOWS)] = UNSET
    no_show_grace_minutes: Annotated[int | UnsetType, Meta(description=GRACE)] = UNSET
    reserved_minutes: Annotated[int | UnsetType, Meta(description=RESERVED_MINUTES)] = UNSET
    cleaning_minutes: Annotated[int | UnsetType, Meta(description=CLEANING_MINUTES)] = UNSET
    tiers: Annotated[dict[str, PersonLimits] | UnsetType, Meta(description=TIERS)] = UNSET
    tags: Annotated[dict[str, PersonLimits] | UnsetType, Meta(description=TAGS)] = UNSET
    confirmation: Confirmation | UnsetType = UNSET


ACCEPTING: Final = (
    "false: people do not reserve by themselves (guests, kiosks, `website`, `app`); left out: true"
)
ACTIVE: Final = (
    "false: it takes nothing new from anybody, and lists leave it out; what is reserved there "
    "stands; left out: true"
)
FEATURED: Final = "true: it stands first in lists; left out: false"
FLOORS: Final = "the plans on which the resources stand, in their order"


class FloorEntry(msgspec.Struct, kw_only=True):
    """A plan on which resources stand."""

    id: Annotated[str, Meta(description="unique in its venue")]
    name: Annotated[str | UnsetType, Meta(description="what people call it")] = UNSET
    image: Annotated[str | UnsetType, Meta(description="address of a picture of it")] = UNSET
    size: Annotated[
        tuple[int, int] | UnsetType, Meta(description="across and down, in its own unit")
    ] = UNSET


PROFILE: Final = "what it tells of itself"
CHECK_IN: Final = "when guests check in by themselves; left out: at any time"
BUSINESS_ACCOUNT: Final = "id in the system of whoever runs it; reservations carry it"


class Address(msgspec.Struct, kw_only=True):
    """Where a venue is."""

    street: Annotated[str | UnsetType, Meta(description="with the number")] = UNSET
    postal_code: Annotated[str | UnsetType, Meta(description="as the post has it")] = UNSET
    city: Annotated[str | UnsetType, Meta(description="town or city")] = UNSET
    region: Annotated[str | UnsetType, Meta(description="province or state")] = UNSET
    country: Annotated[str | UnsetType, Meta(description="ISO 3166: two letters")] = UNSET


class Contact(msgspec.Struct, kw_only=True):
    """How guests reach the house."""

    phone: Annotated[str | UnsetType, Meta(description="of the house")] = UNSET
    email: Annotated[str | UnsetType, Meta(description="of the house")] = UNSET
    website: Annotated[str | UnsetType, Meta(description="an address")] = UNSET


class VenueProfile(msgspec.Struct, kw_only=True):
    """What guests read of a venue."""

    slug: Annotated[str | UnsetType, Meta(description="unique in the tenant")] = UNSET
    description: Annotated[str | UnsetType, Meta(description="a few sentences")] = UNSET
    cuisine: Annotated[list[str] | UnsetType, Meta(description="words such as `roman`")] = UNSET
    price_range: Annotated[int | UnsetType, Meta(description="1, the least, to 4")] = UNSET
    address: Address | UnsetType = UNSET
    geo: Annotated[
        tuple[float, float] | UnsetType, Meta(description="latitude and longitude, in degrees")
    ] = UNSET
    geohash: Annotated[
        str | UnsetType, Meta(description="the same as one word, worked out from `geo`")
    ] = UNSET
    contact: Contact | UnsetType = UNSET
    media: Annotated[list[str] | UnsetType, Meta(description="addresses of pictures")] = UNSET
    features: Annotated[list[str] | UnsetType, Meta(description="words such as `terrace`")] = UNSET
    integrations: Annotated[
        dict[str, str] | UnsetType, Meta(description="its ids in other systems, by their names")
    ] = UNSET


class CheckInTimes(msgspec.Struct, kw_only=True):
    """When guests check in by themselves; the staff checks in whoever is there."""

    opens_minutes: Annotated[
        int | UnsetType, Meta(description="so long before the start; left out: no bound")
    ] = UNSET
    closes_minutes: Annotated[
        int | UnsetType, Meta(description="so long after the start; left out: no bound")
    ] = UNSET


class Furnishing(msgspec.Struct, kw_only=True):
    """What else may be said of a resource; what is left out is not said."""

    combined_capacity: Annotated[
        int | UnsetType,
        Meta(description="people at most where it is put together with others; else their seats"),
    ] = UNSET
    name: Annotated[str | UnsetType, Meta(description="unique in its venue")] = UNSET
    type: Annotated[
        str | UnsetType,
        one_of(sorted(vocabulary.TABLE_TYPES), description="what sort of table it is"),
    ] = UNSET
    features: Annotated[
        list[str] | UnsetType, Meta(description="what one may ask for, such as `window`")
    ] = UNSET
    accessible: Annotated[
        bool | UnsetType, Meta(description="true: by wheelchair; one asks for it as a feature")
    ] = UNSET
    active: Annotated[
        bool | UnsetType, Meta(description="false: it is offered to nobody; left out: true")
    ] = UNSET
    online: Annotated[
        bool | UnsetType,
        Meta(description="false: not for people who reserve by themselves; left out: true"),
    ] = UNSET
    floor: Annotated[str | UnsetType, Meta(description="id of the plan that it stands on")] = UNSET
    position: Annotated[
        tuple[int, int] | UnsetType, Meta(description="across and down, in the plan's unit")
    ] = UNSET
    size: Annotated[
        tuple[int, int] | UnsetType, Meta(description="across and down, in the plan's unit")
    ] = UNSET
    shape: Annotated[
        str | UnsetType, one_of(sorted(vocabulary.SHAPES), description="as the plan shows it")
    ] = UNSET


class ResourceEntry(Furnishing, Shape, kw_only=True):
    """What can be reserved: a table, bay or room; or a pool, which has a `capacity`."""

    id: Annotated[str, Meta(description="unique in its venue")]
    kind: Annotated[str, Meta(description="such as table, bay, room or pool")]
    capacity: Annotated[int | UnsetType, Meta(description="of a pool, in what it counts")] = UNSET
    counts: Counts | UnsetType = UNSET
    seats: Annotated[
        tuple[int, int] | UnsetType,
        Meta(description="fewest and most people; left out: not limited"),
    ] = UNSET
    area: Annotated[str | UnsetType, Meta(description="where it is")] = UNSET
    priority: Annotated[int, Meta(description="the lowest is offered first")]
    combines_with: Annotated[
        list[str] | UnsetType, Meta(description="ids of what may be put together with it")
    ] = UNSET


class AllotmentEntry(Shape, kw_only=True):
    """Who should sell what, as the venue file wishes it."""

    holder: Annotated[str, Meta(description="name of a node, which may join later, or `hub`")]
    resources: Annotated[list[str], Meta(description="ids, or patterns such as `T*`")]
    quantity: Annotated[int | UnsetType, Meta(description="left out: all of it")] = UNSET
    release_minutes: Annotated[
        int | UnsetType, Meta(description="before the start; 0: at the start; left out: never")
    ] = UNSET


class OverbookingEntry(Shape, kw_only=True, rename={"first": "from"}):
    """How much may be sold beyond the capacity on purpose, by a supervisor's override."""

    resources: Annotated[list[str], Meta(description="ids, or patterns such as `T*`")]
    first: Annotated[Date | UnsetType, Meta(description="the first day; left out: no bound")] = (
        UNSET
    )
    until: Annotated[
        Date | UnsetType, Meta(description="the last day, itself among them; left out: no bound")
    ] = UNSET
    limit: Annotated[
        int, Meta(description="beyond the capacity at any instant, at most, as the resource counts")
    ]


class GuestWords(Shape, kw_only=True):
    """What guests may be known as at a venue, beside the words that every venue has."""

    tiers: Annotated[list[str], Meta(description="of a membership")]
    tags: Annotated[list[str], Meta(description="what else")]


class BlackoutEntry(Shape, kw_only=True, rename={"first": "from", "last": "to"}):
    """A period in which guests are not taken."""

    first: Annotated[
        str, Meta(description="a date, which is in it, or a time on the venue's wall clock")
    ]
    last: Annotated[str, Meta(description="a date, which is in it, or a time, which is not")]
    name: Annotated[str, Meta(description="what it is called; refusals say so")]
    resources: Annotated[
        list[str] | UnsetType,
        Meta(description="ids, or patterns such as `T*`, that it is about; left out: all"),
    ] = UNSET


class SlotOverrideEntry(Shape, kw_only=True, rename={"first": "from", "last": "to"}):
    """What holds for the slots that begin in a period."""

    first: Annotated[
        str, Meta(description="a date, which is in it, or a time on the venue's wall clock")
    ]
    last: Annotated[str, Meta(description="a date, which is in it, or a time, which is not")]
    kind: SlotKind
    min_party: Annotated[
        int | UnsetType, Meta(description="people, at least; left out: as at other times")
    ] = UNSET
    max_party: Annotated[
        int | UnsetType, Meta(description="people, at most; left out: as at other times")
    ] = UNSET
    covers_per_slot: Annotated[
        int | UnsetType, Meta(description="people who may start at once; left out: the venue's")
    ] = UNSET


class Venue(Shape, kw_only=True):
    """A venue file with every default spelt out."""

    venue: Annotated[str, Meta(description="its id")]
    name: Annotated[str, Meta(description="what people call it")]
    kind: VenueKind
    time_zone: Annotated[str, Meta(description="IANA, such as Europe/Rome")]
    day_starts_at: Annotated[Clock, Meta(description="`HH:MM`: when a service date begins")]
    slot_minutes: Annotated[int, Meta(description="minutes between start times that are offered")]
    seating_minutes: Annotated[
        int | dict[str, int],
        Meta(description="length by default, in minutes; or by the largest party that it is for"),
    ]
    buffer_minutes: Annotated[int, Meta(description="minutes kept free after each seating")]
    hours: Annotated[Hours | UnsetType, Meta(description="left out: never closes")] = UNSET
    closed: Annotated[list[Date], Meta(description="dates on which it does not open")]
    covers_per_slot: Annotated[
        int | UnsetType,
        Meta(description="people who may start within one slot; left out: no limit"),
    ] = UNSET
    covers_at_once: Annotated[
        int | UnsetType, Meta(description="people who may sit there at once; left out: no limit")
    ] = UNSET
    stays: Annotated[Stays | UnsetType, Meta(description="left out: no nights")] = UNSET
    policies: Policies
    resources: list[ResourceEntry]
    allotments: list[AllotmentEntry]
    overbooking: Annotated[
        list[OverbookingEntry] | UnsetType,
        Meta(description="the first that matches counts; what matches nothing is never overbooked"),
    ] = UNSET
    guests: Annotated[GuestWords | UnsetType, Meta(description="left out: no words of its own")] = (
        UNSET
    )
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


class VenueList(Items[Venue], kw_only=True):
    """Venues by id, those that are featured first."""


class Resource(ResourceEntry, kw_only=True):
    """A resource, with the venue that it is of."""

    venue: Annotated[str, Meta(description="id of the venue")]


class VenueBlackout(BlackoutEntry, kw_only=True, rename={"first": "from", "last": "to"}):
    """A blackout, with the venue that it is of, and its instants."""

    venue: Annotated[str, Meta(description="id of the venue")]
    starts_at: VenueTime
    ends_at: Annotated[
        str,
        Meta(
            description="the first instant after it; where nights are sold, whole days end with "
            "their night",
            extra_json_schema={"format": "date-time"},
        ),
    ]


class BlackoutList(Items[VenueBlackout], kw_only=True):
    """Blackouts, by venue, in order of time."""


class ResourceList(Items[Resource], kw_only=True):
    """Resources, by venue, in the order of its file."""


BlockKind = Annotated[
    str,
    one_of(
        sorted(vocabulary.BLOCK_KINDS),
        description="what the places are used for; `blocked`: for nothing",
    ),
]
BlockReason = Annotated[
    str | None, one_of(sorted(vocabulary.BLOCK_REASONS), description="why; null: nobody said")
]


class OutOfUse(Shape, kw_only=True):
    """A block that is why nothing is free; only for the house."""

    id: Identity
    kind: BlockKind
    reason: BlockReason
    resources: Annotated[list[str], Meta(description="ids of all that it takes")]
    starts_at: VenueTime
    ends_at: VenueTime


class Slot(Shape, kw_only=True):
    """A start time, and what it would be."""

    starts_at: VenueTime
    ends_at: VenueTime
    resources: Annotated[list[str], Meta(description="the best choice; empty: cannot be had")]
    assurance: Assurance
    remaining: Annotated[
        int, Meta(description="free units or places; 1 where only tables put together would do")
    ]
    reason: Annotated[
        str | UnsetType,
        Meta(
            description="why it cannot be had: a rule, `party`, `full`, or `blocked` where all "
            "that would do is out of use; with `include=full`"
        ),
    ] = UNSET
    blocks: Annotated[
        list[OutOfUse] | UnsetType,
        Meta(description="where the reason is `blocked`: by what; only for the house"),
    ] = UNSET
    resource_kind: Annotated[
        str | UnsetType,
        Meta(description="of an alternative: its kind, where that is another than was asked for"),
    ] = UNSET
    override: Annotated[
        SlotKind | UnsetType, Meta(description="where the reason is `slot-override`: which")
    ] = UNSET


class SlotCovers(Shape, kw_only=True):
    """A slot, and the covers that begin in it: `available` = `total` − `reserved` − `pending`."""

    starts_at: VenueTime
    ends_at: VenueTime
    total: Annotated[
        int | None,
        Meta(
            description="guests who may begin in it: the limit (`covers_per_slot`), else the seats "
            "in use; 0: closed; null: not limited"
        ),
    ]
    reserved: Annotated[int, Meta(description="people who begin in it, of what stands")]
    pending: Annotated[
        int, Meta(description="the same of what is not decided yet, of holds, and of offers")
    ]
    available: Annotated[
        int | None,
        Meta(description="below 0: so many more begin than may; null: not limited"),
    ]
    override: SlotKind
    min_party: Annotated[int, Meta(description="people, at least")]
    max_party: Annotated[int | None, Meta(description="people, at most; null: not limited")]
    blackout: Annotated[
        str | None, Meta(description="name of the blackout of all the venue that it begins in")
    ]


class SlotList(Shape, kw_only=True):
    """The slots of a service, in order of time."""

    venue: Annotated[str, Meta(description="id of the venue")]
    date: Date
    items: list[SlotCovers]


class Availability(Shape, kw_only=True):
    """What can be had, in order of time."""

    slots: list[Slot]
