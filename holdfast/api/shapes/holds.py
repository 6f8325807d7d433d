"""How a hold looks: a place that is kept for some minutes, and what became of it."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from holdfast.api.shapes.common import Items
from holdfast.api.shapes.reservations import GuestCard, Kept


class Hold(Kept, kw_only=True):
    """A place that is kept while a guest pays or types, as far as this replica knows."""

    guest: Annotated[
        GuestCard | UnsetType,
        Meta(description="only where this replica can read the card and the token may"),
    ] = UNSET


class HoldList(Items[Hold], kw_only=True):
    """What is held now, sorted by `starts_at`, then id."""
