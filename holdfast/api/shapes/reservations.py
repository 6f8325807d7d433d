"""How a reservation looks to whoever asks, and the guest's card in it."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, field

from holdfast.api.shapes.common import (
    Identity,
    Items,
    OperationState,
    Shape,
    StampText,
    VenueTime,
    Who,
    one_of,
)
from holdfast.model import (
    approval,
    guest_notes,
    lifecycle,
    lost_promises,
    restrictions,
    vocabulary,
)
from holdfast.model.prognosis import CERTAINTIES

Status = Annotated[
    str, one_of(lifecycle.STATUSES, description="where it stands in a reservation's life")
]
Assurance = Annotated[
    str,
    one_of(
        ("guaranteed", "admitted", "provisional", "none"),
        description=(
            "`guaranteed`: sold from a right held by the writer; `admitted`: the holder of the "
            "place said yes; `provisional`: it has not answered yet; `none`: no place is held"
        ),
    ),
]


Occasion = Annotated[str, one_of(sorted(vocabulary.OCCASIONS), description="what is celebrated")]
Code = Annotated[
    str, Meta(description="what people call it: `RES-YYYY-` and six or eight characters")
]
VenueId = Annotated[str, Meta(description="id of the venue")]
ServiceDate = Annotated[
    str,
    Meta(
        description=(
            "`YYYY-MM-DD`: the venue's day that it belongs to, which may begin after midnight"
        )
    ),
]
WaitsFor = Annotated[
    str | None,
    Meta(
        description=(
            "name of the device that decides what is not decided yet, or `hub`; null: nothing waits"
        )
    ),
]


class Claim(Shape, kw_only=True):
    """A part of the venue's capacity that the reservation takes, and when."""

    resource: Annotated[str, Meta(description="id of the resource")]
    quantity: Annotated[int, Meta(description="people or units, as the resource counts; 1 of one")]
    starts_at: VenueTime
    ends_at: Annotated[VenueTime, Meta(description="without the buffer that is kept after it")]
    holder: Annotated[
        str | None,
        Meta(description="whose right it is sold from; null: not decided yet, or not told"),
    ]


class PendingChange(Shape, kw_only=True):
    """A change onto capacity that is not held here: asked for, not decided. The old place stays."""

    starts_at: VenueTime
    ends_at: VenueTime
    resources: Annotated[list[str], Meta(description="ids of the resources asked for")]


class Decision(Shape, kw_only=True):
    """The answer of whoever holds the right to the place; it is final."""

    verdict: Annotated[
        str,
        one_of(
            ("admitted", "moved", "displaced"),
            description="`moved`: to an equal or larger place; `displaced`: a person must call",
        ),
    ]
    by: Annotated[str, Meta(description="name of the holder; empty: not told")]
    stamp: StampText
    reason: Annotated[str, Meta(description="a code")]
    won: Annotated[
        list[str], Meta(description="ids of reservations that hold what could not be had")
    ]
    from_resources: Annotated[
        list[str], Meta(description="ids of the resources that were asked for, where it was moved")
    ] = field(name="from")


class Prognosis(Shape, kw_only=True):
    """What this device expects the holder to decide: a guess from what it knows, and no promise."""

    verdict: Annotated[
        str,
        one_of(
            ("admitted", "moved", "displaced"),
            description="what is expected; as in a decision",
        ),
    ]
    certainty: Annotated[
        str,
        one_of(
            CERTAINTIES,
            description=(
                "`likely`: only what this device does not know could change it; `open`: others ask "
                "for the same place, and who reaches the holder first counts"
            ),
        ),
    ]
    reason: Annotated[str, one_of(sorted(vocabulary.PROGNOSIS_REASONS), description="a code")]
    won: Annotated[list[str], Meta(description="ids of reservations that stand in the way")]


class OverrideUsed(Shape, kw_only=True):
    """It was sold beyond the capacity, on purpose."""

    reason: Annotated[
        str, one_of(sorted(vocabulary.OVERRIDE_REASONS), description="why it may have the place")
    ]


class LostPromise(Shape, kw_only=True):
    """The guest was told that it is booked, and the promise does not stand."""

    how: Annotated[
        str,
        one_of(
            lost_promises.HOW,
            description="`revoked`: the allotment that it was sold from; `shut_out`: the "
            "device that gave it; `closed`: a copied or restored life of that device; `recovered`: "
            "the hub was restored or rebuilt, and had not heard of it",
        ),
    ]
    by: Annotated[str, Meta(description="name of the device that had given it")]
    words: Annotated[str, Meta(description="the same for a person")]


class Cancellation(Shape, kw_only=True):
    """Why, and on whose side."""

    reason: Annotated[
        str,
        one_of(
            sorted(vocabulary.CANCEL_REASONS),
            description="`withdrawn`: its writer gave up the operation that made it",
        ),
    ]
    by: Annotated[str, one_of(sorted(vocabulary.CANCELLED_BY), description="on whose side")]
    at: Annotated[VenueTime | UnsetType, Meta(description="when; not in lists")] = UNSET
    in_time: Annotated[
        bool | UnsetType,
        Meta(
            description="whether that was before the venue's `cancel_cutoff_minutes`, without one "
            "before the start; not in lists"
        ),
    ] = UNSET
    note: Annotated[
        str | UnsetType,
        Meta(
            description="the sealed note, for the venue's people where it can be read; not in lists"
        ),
    ] = UNSET


class GuestCard(Shape, kw_only=True):
    """Who comes, as written on the card; what was not given is left out."""

    name: Annotated[str | UnsetType, Meta(description="as the guest is called")] = UNSET
    phone: Annotated[str | UnsetType, Meta(description="telephone number")] = UNSET
    email: Annotated[str | UnsetType, Meta(description="e-mail address")] = UNSET
    language: Annotated[str | UnsetType, Meta(description="BCP 47, such as it")] = UNSET
    requests: Annotated[str | UnsetType, Meta(description="what the guest asks for")] = UNSET
    dietary: Annotated[str | UnsetType, Meta(description="what the guest may not eat")] = UNSET
    note: Annotated[str | UnsetType, Meta(description="what the venue's people noted")] = UNSET


class Kept(Shape, kw_only=True):
    """What reservations and holds have in common, as far as this replica knows."""

    id: Identity
    code: Code
    venue: VenueId
    service_date: ServiceDate
    starts_at: VenueTime
    ends_at: VenueTime
    party_size: Annotated[int, Meta(description="people")]
    nights: Annotated[int | None, Meta(description="null: no stay of nights")]
    resources: Annotated[list[str], Meta(description="ids, in the order of `claims`")]
    claims: list[Claim]
    status: Status
    assurance: Assurance
    pending_change: PendingChange | None
    kind: Annotated[
        str,
        one_of(
            sorted(vocabulary.RESERVATION_KINDS),
            description="`walk_in`: stands at the desk; `house`: the venue's own use",
        ),
    ]
    source: Annotated[str, one_of(sorted(vocabulary.SOURCES), description="the channel")]
    area: Annotated[str | None, Meta(description="the area asked for")]
    resource_kind: Annotated[str | None, Meta(description="the kind of resource asked for")]
    may_move: Annotated[
        bool, Meta(description="the holder may give an equal or larger place instead")
    ]
    agent_id: Annotated[
        str | None,
        Meta(description="pseudonym of the guest; null at a screen that anybody stands at"),
    ]
    stamp: Annotated[StampText, Meta(description="its latest timestamp")]
    made_by: Annotated[
        str, Meta(description="name of the node that made it; empty: not told, as to guests")
    ]
    made_at: VenueTime
    expires_at: Annotated[
        VenueTime | None,
        Meta(
            description="until when it is held, or waits, while nobody has reserved it; else null"
        ),
    ]
    sync: OperationState
    decision: Decision | None
    waits_for: WaitsFor
    prognosis: Prognosis | None


class Alert(Shape, kw_only=True):
    """A note of which whoever receives the guest is to be told."""

    note: Annotated[str, Meta(description="id of the note: 32 hexadecimal digits")]
    kind: Annotated[
        str | None, one_of((*guest_notes.KINDS, None), description="null: it cannot be read here")
    ]
    text: Annotated[str | None, Meta(description="null: it cannot be read here")]


class Visitor(Shape, kw_only=True):
    """What the venue knows of whoever the reservation is for: for its staff alone."""

    visits: Annotated[
        int, Meta(description="completed visits at this venue, this one included once it is over")
    ]
    repeat: Annotated[bool, Meta(description="came before")]
    no_shows: Annotated[int, Meta(description="times that nobody came")]
    vip: Annotated[bool, Meta(description="to be received with honours")]
    issue: Annotated[bool, Meta(description="something went wrong before; see the notes")]
    alerts: Annotated[list[Alert], Meta(description="the newest first, ten at most")]


class KnownGuest(Visitor, kw_only=True):
    """A guest of another agent id who has a number or an address of this reservation's card."""

    agent_id: Annotated[str, Meta(description="pseudonym; `POST /guests/{id}/merge` joins them")]
    by: Annotated[
        list[Annotated[str, one_of(("email", "phone"), description="a field of the card")]],
        Meta(description="what they have in common"),
    ]
    restrictions: Annotated[
        list[Annotated[str, one_of(restrictions.KINDS, description="see `GET /restrictions`")]],
        Meta(
            description="what binds that guest now; it does not bind this reservation, which was "
            "made before, elsewhere, or by a supervisor's word"
        ),
    ]


class CheckInWindow(Shape, kw_only=True):
    """When guests check in by themselves, as the venue file says today."""

    opens_at: VenueTime | None
    closes_at: VenueTime | None


class Reservation(Kept, kw_only=True):
    """A reservation as it is now, as far as this replica knows."""

    business_account: Annotated[
        str | None,
        Meta(description="the venue's own, as its file says today; null: none, or not told"),
    ]
    check_in: Annotated[CheckInWindow | None, Meta(description="null: at any time")]
    occasion: Occasion | None
    attendance_confirmed: Annotated[
        bool, Meta(description="the guest said again that they will come")
    ]
    attendance_confirmed_at: Annotated[
        VenueTime | UnsetType | None,
        Meta(description="when, the first time; null: they did not; not in lists"),
    ] = UNSET
    actual_party_size: Annotated[
        int | None, Meta(description="people who came; null: not told, or as expected")
    ]
    checked_in_at: VenueTime | None
    checked_in_by: Annotated[
        Who | UnsetType | None,
        Meta(description="who received them; null: nobody is named; for staff, and not in lists"),
    ] = UNSET
    completed_at: Annotated[
        VenueTime | UnsetType | None,
        Meta(
            description="when the guests left; null: they did not, or another system says nothing "
            "of when; not in lists"
        ),
    ] = UNSET
    completed_by: Annotated[
        Who | UnsetType | None,
        Meta(description="who saw them leave; as `checked_in_by`"),
    ] = UNSET
    seated_at: Annotated[
        list[str],
        Meta(
            description=(
                "ids of the resources to which the guests went, whoever these belong to; empty: "
                "they sit at `resources`"
            )
        ),
    ]
    no_show_at: VenueTime | None
    cancelled: Cancellation | None
    exceptions: Annotated[
        list[str], Meta(description="kinds of what a person must look at; see `GET /exceptions`")
    ]
    approval: Annotated[
        str | None,
        one_of(
            (*approval.STATES, None),
            description="the house's word, where the guest reserved by themself and the venue file "
            "asks for one; null: it needs none (any more)",
        ),
    ]
    series: Annotated[
        str | None,
        Meta(description="32 hexadecimal digits, the same for all dates of a series; null: alone"),
    ]
    override: Annotated[
        OverrideUsed | None, Meta(description="null: its place is within the capacity")
    ]
    lost_promise: Annotated[
        LostPromise | None,
        Meta(description="it was promised and has no place now; null: no promise was lost"),
    ]
    metadata: Annotated[dict[str, Any], Meta(description="as given by whoever made it")]
    guest: Annotated[
        GuestCard | UnsetType,
        Meta(description="only where this replica can read the card and the token may"),
    ] = UNSET
    visitor: Annotated[
        Visitor | UnsetType,
        Meta(description="only for staff, at a front desk, a venue's server or the hub"),
    ] = UNSET
    known_as: Annotated[
        list[KnownGuest] | UnsetType,
        Meta(
            description=(
                "who has the same number or address under another agent id, who came most often "
                "first; left out where nobody has, and only for staff, where cards are read; not "
                "in lists"
            )
        ),
    ] = UNSET


class ReservationList(Items[Reservation], kw_only=True):
    """Reservations, sorted by `starts_at`, then id."""


class ImportedLine(Shape, kw_only=True):
    """What is odd about a record."""

    line: Annotated[int, Meta(description="its number in the file that it came from")]
    rule: Annotated[str, Meta(description="a code")]
    message: Annotated[str, Meta(description="a sentence for a person")]
    left_out: Annotated[bool, Meta(description="false: it was imported all the same")]


class FieldError(Shape, kw_only=True):
    """One field at fault."""

    field: Annotated[str, Meta(description="name or path, such as `resources[1]`")]
    message: Annotated[str, Meta(description="a sentence for a person")]


class UnreadableLine(Shape, kw_only=True):
    """A line of the body that is no record."""

    number: Annotated[int, Meta(description="of the line in the body, from 1")]
    errors: list[FieldError]


class ImportResult(Shape, kw_only=True):
    """What became of each record."""

    imported: Annotated[int, Meta(description="records that became reservations")]
    present: Annotated[int, Meta(description="records that were here before")]
    cancelled: Annotated[
        int, Meta(description="records that were here, and are cancelled now: a calendar says so")
    ]
    left_out: list[ImportedLine]
    refused: Annotated[
        list[ImportedLine],
        Meta(description="may go in when the reason is gone: import again"),
    ]
    unreadable: list[UnreadableLine]
