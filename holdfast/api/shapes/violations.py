"""How it looks what rules have refused."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from holdfast.api.shapes.common import Date, Items, Shape

Counts = dict[str, int]


class RefusedByRule(Shape, kw_only=True):
    """How often one rule has refused something at this replica, whoever asked."""

    venue: Annotated[str, Meta(description="id of the venue")]
    rule: Annotated[str, Meta(description="its id, as refusals name it")]
    count: Annotated[int, Meta(description="refusals in which it said no")]
    first_day: Annotated[Date, Meta(description="the first day on which it did, of those asked")]
    last_day: Annotated[Date, Meta(description="the last")]
    kinds: Annotated[Counts, Meta(description="by the kind of reservation that was asked for")]
    sources: Annotated[Counts, Meta(description="by the channel")]
    weekdays: Annotated[
        Counts, Meta(description="`mon` to `sun`: by the service date that was asked for")
    ]
    hours: Annotated[
        Counts,
        Meta(description="`00` to `23`: by the hour that was asked for, on the venue's clock"),
    ]


class ViolationReport(Items[RefusedByRule], kw_only=True):
    """What the rules have refused, the most frequent rule first."""
