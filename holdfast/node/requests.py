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
    """POST /reservations. One of `duration_minutes`, `ends_at`, `nights`, or none of them."""

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


class AvailabilityRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """GET /availability: a service date, or a span of times; for the person named, if any."""

    venue: str
    party_size: int
    date: str | None = None
    starts_from: str | None = None
    starts_before: str | None = None
    duration_minutes: int | None = None
    nights: int | None = None
    area: str | None = None
    resource_kind: str | None = None
    quantity: int | None = None
    include_full: bool = False
    user_id: str | None = None
    agent_id: str | None = None
