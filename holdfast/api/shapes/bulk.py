"""How the answer looks to many marks that were asked for at once."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from holdfast.api.shapes.common import Shape, one_of
from holdfast.model import lifecycle

ACTIONS: Final = (
    "approve", "cancel", "check-in", "complete", "confirm", "no-show", "undo-no-show",
)  # fmt: skip


class BulkResult(Shape, kw_only=True):
    """What became of one of them."""

    action: Annotated[str, one_of(ACTIONS, description="what was asked for")]
    reservation: Annotated[str, Meta(description="its id; what was sent where it was not done")]
    done: Annotated[bool, Meta(description="whether it was done")]
    status: Annotated[
        str | None, one_of((*lifecycle.STATUSES, None), description="of the reservation now")
    ]
    error: Annotated[
        str | None,
        Meta(description="the last word of the `type` that it alone would be refused with"),
    ]
    detail: Annotated[str | None, Meta(description="why, a sentence for a person")]


class BulkResults(Shape, kw_only=True):
    """What became of all of them, in the order in which they were asked for."""

    items: list[BulkResult]
