"""How what a venue knows of a guest looks to its staff: visits, flags, notes, merges."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from holdfast.api.shapes.common import (
    Items,
    OperationId,
    Shape,
    UtcTime,
    VenueTime,
    Who,
    one_of,
)
from holdfast.api.shapes.reservations import GuestCard, Status
from holdfast.model import guest_notes
from holdfast.node import duplicate_guests
from holdfast.node.guest_notes import STATES

Agent = Annotated[str, Meta(description="pseudonym of the guest")]
AgentIds = Annotated[
    list[str], Meta(description="every pseudonym of this guest; several where they were merged")
]
Venue = Annotated[str, Meta(description="id of the venue")]
Device = Annotated[str, Meta(description="name of the device where it was said")]
Kind = Annotated[
    str | None,
    one_of(
        (*guest_notes.KINDS, None), description="what it is about; null: it cannot be read here"
    ),
]
Words = Annotated[str | None, Meta(description="what it says; null: it cannot be read here")]
Author = Annotated[
    str | None, Meta(description="member of staff or token that wrote it; null: nobody said")
]
TextState = Annotated[
    str,
    one_of(
        STATES, description="`erased`: its key was destroyed; `unreadable`: its key is not here"
    ),
]


# --- history --------------------------------------------------------------------------------------


class Favourite(Shape, kw_only=True):
    """A word and how many visits it comes in."""

    name: Annotated[str, Meta(description="the word")]
    visits: Annotated[int, Meta(description="how many")]


class GuestHistory(Shape, kw_only=True):
    """What a guest's reservations at a venue say, counted from these and nothing else."""

    agent_id: Agent
    agent_ids: AgentIds
    venue: Venue
    reservations: Annotated[int, Meta(description="how many there are, in whatever status")]
    statuses: Annotated[
        dict[str, int], Meta(description="how many are in each status; they add up to all")
    ]
    visits: Annotated[int, Meta(description="reservations that were completed")]
    no_shows: Annotated[int, Meta(description="times that nobody came")]
    cancellations: Annotated[int, Meta(description="reservations that were called off")]
    late_cancellations: Annotated[
        int,
        Meta(description="of these, after the venue's `cancel_cutoff_minutes` before the start"),
    ]
    to_come: Annotated[int, Meta(description="that begin later and have a place, or may get one")]
    average_party: Annotated[
        float | None, Meta(description="people, of visits; null: there was none")
    ]
    first_visit: VenueTime | None
    last_visit: VenueTime | None
    next: Annotated[VenueTime | None, Meta(description="when the next one to come begins")]
    favourite_areas: Annotated[
        list[Favourite], Meta(description="of visits, the most frequent first; five at most")
    ]
    favourite_resources: Annotated[list[Favourite], Meta(description="ids, as for areas")]
    occasions: Annotated[list[Favourite], Meta(description="codes, as for areas")]


class BookedNow(Shape, kw_only=True):
    """A reservation as support needs it: nothing by which its guest could be reached."""

    code: Annotated[str, Meta(description="what people call it")]
    status: Status
    starts_at: VenueTime
    ends_at: VenueTime
    party_size: Annotated[int, Meta(description="people")]
    resources: Annotated[list[str], Meta(description="ids")]
    starts_in_minutes: Annotated[
        int, Meta(description="until it begins; below 0: since when it has been going on")
    ]


class GuestContext(Shape, kw_only=True):
    """What a guest who calls is most likely to mean: what is now, else what is next."""

    agent_id: Agent
    venue: Venue
    has_booking: Annotated[bool, Meta(description="whether there is one now or to come")]
    booking: Annotated[BookedNow | None, Meta(description="null: there is none to come")]


# --- flags and merges -----------------------------------------------------------------------------


class Flag(Shape, kw_only=True):
    """How the house marks a guest, and who said so last."""

    up: Annotated[bool, Meta(description="whether the guest is marked so")]
    by: Annotated[str | None, Meta(description="name of the device; null: nobody ever said")]
    set_at: UtcTime | None
    set_by: Annotated[
        Who | UnsetType | None,
        Meta(description="who of the house; null: nobody is named; not in an export"),
    ] = UNSET


class GuestFlags(Shape, kw_only=True):
    """How the house marks a guest."""

    agent_id: Agent
    venue: Venue
    vip: Annotated[Flag, Meta(description="to be received with honours")]
    issue: Annotated[Flag, Meta(description="something went wrong before; see the notes")]


class Merge(Shape, kw_only=True):
    """Somebody said that two pseudonyms are one guest."""

    id: OperationId
    agent_ids: Annotated[list[str], Meta(description="the two")]
    by: Device
    made_at: UtcTime


class SamePerson(Shape, kw_only=True):
    """Who is one guest at a venue."""

    agent_id: Agent
    venue: Venue
    agent_ids: AgentIds
    merges: Annotated[list[Merge], Meta(description="that count, the oldest first")]


class DuplicateGuest(Shape, kw_only=True):
    """One of two who may be one guest."""

    agent_id: Agent
    guest: Annotated[GuestCard, Meta(description="the newest card")]
    reservations: Annotated[int, Meta(description="how many reservations")]
    last_code: Annotated[str | None, Meta(description="code of the one that starts last")]


class Duplicate(Shape, kw_only=True):
    """Two guests whose cards agree."""

    venue: Venue
    by: Annotated[
        list[Annotated[str, one_of(duplicate_guests.BY)]],
        Meta(description="what agrees, in whatever spelling"),
    ]
    guests: Annotated[list[DuplicateGuest], Meta(description="the two")]


class DuplicateList(Items[Duplicate], kw_only=True):
    """Pairs of guests who may be one, and are not merged."""


# --- notes and preferences ------------------------------------------------------------------------


class NoteWithdrawn(Shape, kw_only=True):
    """That a note stands no more."""

    by: Device
    withdrawn_at: UtcTime


class GuestNote(Shape, kw_only=True):
    """What staff noted about a guest."""

    id: OperationId
    version: Annotated[str, Meta(description="the ETag of the note as it is, for `If-Match`")]
    agent_id: Agent
    venue: Venue
    state: TextState
    kind: Kind
    text: Words
    author: Author
    alert: Annotated[bool, Meta(description="whoever receives the guest is to be told")]
    by: Device
    made_at: UtcTime
    changed_at: Annotated[UtcTime | None, Meta(description="null: it is as it was written")]
    withdrawn: Annotated[NoteWithdrawn | None, Meta(description="null: it stands")]
    written_by: Annotated[
        Who | UnsetType | None,
        Meta(description="who wrote it as it is; null: nobody is named; not in an export"),
    ] = UNSET
    withdrawn_by: Annotated[
        Who | UnsetType | None,
        Meta(description="who withdrew it; as `written_by`"),
    ] = UNSET


class GuestNoteList(Items[GuestNote], kw_only=True):
    """Notes about a guest, the oldest first."""


class NoteVersion(Shape, kw_only=True):
    """What a note said from some time on."""

    by: Device
    written_at: UtcTime
    state: TextState
    kind: Kind
    text: Words
    author: Author


class ExportedNote(GuestNote, kw_only=True):
    """A note with all that it ever said."""

    versions: Annotated[list[NoteVersion], Meta(description="the oldest first")]


class FieldSaid(Shape, kw_only=True):
    """Who said one field last."""

    field: Annotated[str, Meta(description="its name")]
    by: Device
    said_at: UtcTime


_SWITCH = "null: nobody asked"


class GuestPreferences(Shape, kw_only=True):
    """What a guest prefers, eats and agrees to, as the venue knows it."""

    agent_id: Agent
    venue: Venue
    preferences: Annotated[str | None, Meta(description="in words")]
    dietary: Annotated[str | None, Meta(description="what the guest does not eat, in words")]
    language: Annotated[str | None, Meta(description="a language tag such as it or pt-BR")]
    time_zone: Annotated[str | None, Meta(description="a time zone such as Europe/Rome")]
    email: Annotated[bool | None, Meta(description=f"may be sent e-mail; {_SWITCH}")]
    sms: Annotated[bool | None, Meta(description=f"may be sent text messages; {_SWITCH}")]
    whatsapp: Annotated[bool | None, Meta(description=f"may be sent WhatsApp messages; {_SWITCH}")]
    marketing: Annotated[
        bool | None, Meta(description=f"agreed to be sent what they did not ask for; {_SWITCH}")
    ]
    said: Annotated[
        list[FieldSaid], Meta(description="of each field that has a value: when, and where")
    ]


class Description(Shape, kw_only=True):
    """What was said of a guest's preferences at one time."""

    by: Device
    said_at: UtcTime
    fields: Annotated[
        dict[str, Any] | None,
        Meta(description="null: it was erased, or its key is not here"),
    ]
