"""How guests look to who may read them, and how it stands with those who are forgotten."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from holdfast.api.shapes.books import Change
from holdfast.api.shapes.common import Items, OperationId, Shape, UtcTime, one_of
from holdfast.api.shapes.guest_desk import (
    Agent,
    AgentIds,
    Description,
    ExportedNote,
    GuestFlags,
    GuestHistory,
    GuestNote,
    GuestPreferences,
    Merge,
    Venue,
)
from holdfast.api.shapes.reservations import GuestCard, Reservation
from holdfast.api.shapes.restrictions import GuestProfile, Restriction
from holdfast.node.forgetting import STATES
from holdfast.node.guest_desk import CARD_STATES, FITS

Erased = Annotated[
    list[str], Meta(description="those of the pseudonyms that were to be forgotten once")
]


class FoundGuest(Shape, kw_only=True):
    """A guest who fits what was looked for."""

    agent_id: Agent
    venue: Venue
    fit: Annotated[
        str,
        one_of(
            FITS.values(),
            description="`exact`: whole words, or a telephone number; `beginning`: of a word",
        ),
    ]
    guest: Annotated[GuestCard, Meta(description="the newest card")]
    reservations: Annotated[int, Meta(description="how many reservations")]
    last_code: Annotated[str | None, Meta(description="code of the one that starts last")]


class FoundGuests(Items[FoundGuest], kw_only=True):
    """Guests who fit, the best first."""


class NamedGuest(Shape, kw_only=True):
    """A guest by the pseudonym alone."""

    agent_id: Agent
    reservations: Annotated[int, Meta(description="how many reservations")]
    last_code: Annotated[str | None, Meta(description="code of the one that starts last")]


class NamedGuests(Items[NamedGuest], kw_only=True):
    """Guests whose pseudonym begins so, in its order."""


class Guest(Shape, kw_only=True):
    """A guest: the newest card, the reservations, and what else the venue knows."""

    agent_id: Agent
    venue: Venue
    guest: Annotated[GuestCard | None, Meta(description="null: there is none, or it was erased")]
    reservations: Annotated[list[Reservation], Meta(description="by their start")]
    agent_ids: AgentIds
    erased: Erased
    merges: Annotated[list[Merge], Meta(description="that make these pseudonyms one guest")]
    history: Annotated[GuestHistory | None, Meta(description="null: the venue's file is not here")]
    flags: GuestFlags
    details: Annotated[GuestPreferences, Meta(description="what the guest prefers and agrees to")]
    notes: Annotated[list[GuestNote], Meta(description="that stand, the oldest first")]


class ExportedCard(Shape, kw_only=True):
    """One version of a guest's card."""

    agent_id: Agent
    card: Annotated[str, Meta(description="its id: 32 hexadecimal digits")]
    written_at: UtcTime
    by: Annotated[str, Meta(description="name of the device that wrote it")]
    reservation: Annotated[
        str, Meta(description="code or id of the reservation that it is part of")
    ]
    state: Annotated[
        str,
        one_of(
            CARD_STATES,
            description="`erased`: its key was destroyed; `unreadable`: its key is not here",
        ),
    ]
    guest: Annotated[
        dict[str, Any] | None, Meta(description="its fields; null where it is not readable")
    ]


class ExportedReservation(Shape, kw_only=True):
    """A reservation with its history."""

    id: Annotated[str, Meta(description="UUID")]
    code: Annotated[str, Meta(description="what people call it")]
    changes: Annotated[list[Change], Meta(description="every change, the oldest first")]


class ExportedErasure(Shape, kw_only=True):
    """That the guest was to be forgotten."""

    asked_at: UtcTime
    by: Annotated[str, Meta(description="name of the device where it was asked")]
    reason: Annotated[str | None, Meta(description="a code")]


class ExportedVenue(Shape, kw_only=True):
    """What one venue has of a guest."""

    venue: Venue
    name: Annotated[str | None, Meta(description="what people call the venue")]
    cards: list[ExportedCard]
    reservations: list[ExportedReservation]
    erasures: list[ExportedErasure]
    restrictions: list[Restriction]
    profile: GuestProfile
    agent_ids: AgentIds
    erased: Erased
    merges: list[Merge]
    flags: GuestFlags
    details: GuestPreferences
    notes: list[ExportedNote]
    descriptions: Annotated[
        list[Description], Meta(description="all that was ever said of the details")
    ]


class GuestExport(Shape, kw_only=True):
    """Everything that this device has of a guest."""

    format: Annotated[str, Meta(description="the name of this form")]
    version: Annotated[int, Meta(description="raised where an earlier reader would misread it")]
    exported_at: UtcTime
    exported_by: Annotated[str, Meta(description="name of the device")]
    agent_id: Agent
    venues: list[ExportedVenue]


class ErasingDevice(Shape, kw_only=True):
    """How it stands with one device."""

    name: Annotated[str, Meta(description="of the device")]
    role: Annotated[str, Meta(description="such as front-desk or hub")]
    state: Annotated[
        str,
        one_of(
            STATES,
            description=(
                "`confirmed`: it has destroyed what it held; `waiting`: it has not said so yet; "
                "`shut_out`: what it holds nobody will hear of"
            ),
        ),
    ]
    confirmed_at: UtcTime | None
    last_seen_at: Annotated[UtcTime | None, Meta(description="null: never, as far as known here")]


class Erasure(Shape, kw_only=True):
    """A guest who is to be forgotten, and which devices have done so."""

    id: OperationId
    agent_id: Agent
    venue: Venue
    reason: Annotated[str | None, Meta(description="a code")]
    by: Annotated[str, Meta(description="name of the device where it was asked")]
    asked_at: UtcTime
    counts: Annotated[
        bool,
        Meta(
            description="false: its device had been shut out when it wrote it, so that it destroys"
            " nothing; if the guest did ask, erase again"
        ),
    ]
    complete: Annotated[bool, Meta(description="it counts, and every device has confirmed")]
    devices: list[ErasingDevice]


class ErasureList(Items[Erasure], kw_only=True):
    """Erasures, the oldest first."""


class SharedKey(Shape, kw_only=True):
    """The venue's key in force, which the hub may read this venue's cards by from now on."""

    venue: Venue
    public_key: Annotated[str, Meta(description="64 hexadecimal digits")]
    handed_to: Annotated[list[str], Meta(description="`hub`: it gets the key with an exchange")]


class RotatedKey(Shape, kw_only=True):
    """A key that will take the place of the venue's present one."""

    venue: Venue
    public_key: Annotated[str, Meta(description="64 hexadecimal digits")]
    follows: Annotated[str, Meta(description="the one in force until the hub has heard of this")]
    handed_to: Annotated[list[str], Meta(description="names of the devices that get it")]
