"""What the faces ask of a replica, as the contract names it: parsed shapes, not yet judged.

Owns the field names and their types. Whether a request makes sense for a venue is judged by
`reservations` with the rules of `holdfast.model`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType


class Override(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A place beyond the capacity, within the venue's limit; `reason` is a code."""

    reason: str


class CreateRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /reservations. One of `duration_minutes`, `ends_at`, `nights`, or none of them.
    `partner_reference`: what a partner, named by `source`, calls it."""

    venue: str
    starts_at: str
    party_size: int
    duration_minutes: int | None = None
    ends_at: str | None = None
    nights: int | None = None
    resources: list[str] = []
    resource_kind: str | None = None
    area: str | None = None
    quantity: int | None = None
    may_move: bool | None = None
    user_id: str | None = None
    agent_id: str | None = None
    guest: dict[str, Any] | None = None
    occasion: str | None = None
    source: str | None = None
    kind: str = "guest"
    metadata: dict[str, Any] = {}
    override: Override | None = None
    features: list[str] = []
    partner_reference: str | None = None


class SeriesRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /reservations/series: a reservation on each date of `rrule`, a recurrence of RFC 5545,
    of which `starts_at` is the first. `each`: those dates that can be had; else all or none."""

    venue: str
    starts_at: str
    party_size: int
    rrule: str
    each: bool = False
    duration_minutes: int | None = None
    ends_at: str | None = None
    nights: int | None = None
    resources: list[str] = []
    resource_kind: str | None = None
    area: str | None = None
    quantity: int | None = None
    may_move: bool | None = None
    user_id: str | None = None
    agent_id: str | None = None
    guest: dict[str, Any] | None = None
    occasion: str | None = None
    source: str | None = None
    kind: str = "guest"
    metadata: dict[str, Any] = {}


class HoldRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /holds: as a reservation; `minutes`: how long."""

    venue: str
    starts_at: str
    party_size: int
    duration_minutes: int | None = None
    ends_at: str | None = None
    nights: int | None = None
    resources: list[str] = []
    resource_kind: str | None = None
    area: str | None = None
    quantity: int | None = None
    may_move: bool | None = None
    user_id: str | None = None
    agent_id: str | None = None
    guest: dict[str, Any] | None = None
    source: str | None = None
    kind: str = "guest"
    minutes: int | None = None
    features: list[str] = []

    def wanted(self) -> CreateRequest:
        """The reservation that it is to become."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        del fields["minutes"]
        return CreateRequest(**fields)


class ReserveRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /holds/{id}/reserve and /waitlist/{id}/accept: who the guest is."""

    user_id: str | None = None
    agent_id: str | None = None
    guest: dict[str, Any] | None = None
    occasion: str | None = None
    source: str | None = None
    may_move: bool | None = None
    metadata: dict[str, Any] = {}


class BlockRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /blocks. `rrule` is a recurrence of RFC 5545, of which each date is a block of its own;
    `quantity`: how much of a pool, left out: all. `force`: over reservations too."""

    venue: str
    kind: str
    resources: list[str]
    starts_at: str
    ends_at: str
    reason: str | None = None
    quantity: int | None = None
    rrule: str | None = None
    force: bool = False
    note: str | None = None


class WaitRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /waitlist: a party that takes any place which starts from `from` to `to` (times of the
    venue, `HH:MM`) of a service date; left out: whenever there is one that day."""

    venue: str
    date: str
    party_size: int
    earliest: str | None = msgspec.field(default=None, name="from")
    latest: str | None = msgspec.field(default=None, name="to")
    area: str | None = None
    resource_kind: str | None = None
    priority: int = 0
    user_id: str | None = None
    agent_id: str | None = None
    guest: dict[str, Any] | None = None
    source: str | None = None


class OfferRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /waitlist/{id}/offer: the first place that fits, or the one that is named."""

    starts_at: str | None = None
    resources: list[str] = []
    minutes: int | None = None


class PatchRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """PATCH /reservations/{id}: any field of POST but `venue`; what is left out stays."""

    starts_at: str | UnsetType = UNSET
    party_size: int | UnsetType = UNSET
    duration_minutes: int | UnsetType | None = UNSET
    ends_at: str | UnsetType | None = UNSET
    nights: int | UnsetType | None = UNSET
    resources: list[str] | UnsetType = UNSET
    resource_kind: str | UnsetType | None = UNSET
    area: str | UnsetType | None = UNSET
    quantity: int | UnsetType | None = UNSET
    may_move: bool | UnsetType = UNSET
    user_id: str | UnsetType | None = UNSET
    agent_id: str | UnsetType | None = UNSET
    guest: dict[str, Any] | UnsetType | None = UNSET
    occasion: str | UnsetType | None = UNSET
    source: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    override: Override | UnsetType | None = UNSET
    features: list[str] | UnsetType = UNSET


class AvailabilityRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """GET /availability: a service date, or a span of times; for the person named, if any. `kind`
    is the kind of reservation that it is asked for: whoever stands there may have what nobody
    could ask for ahead."""

    venue: str
    party_size: int
    kind: str = "guest"
    date: str | None = None
    starts_from: str | None = None
    starts_before: str | None = None
    duration_minutes: int | None = None
    nights: int | None = None
    area: str | None = None
    resource_kind: str | None = None
    quantity: int | None = None
    features: list[str] = []
    include_full: bool = False
    user_id: str | None = None
    agent_id: str | None = None
