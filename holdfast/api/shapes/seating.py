"""How a proposal to seat a service better looks."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from holdfast.api.shapes.common import Date, Identity, Shape, VenueTime, one_of
from holdfast.api.shapes.reservations import Code
from holdfast.node.optimising import GAINS, SOLVERS, STAYS


class SeatingScore(Shape, kw_only=True):
    """How well a service is seated, of the parties that may move; less is better, in this order."""

    unseated: Annotated[int, Meta(description="people without a place")]
    waste: Annotated[int, Meta(description="seats that stay empty at tables that are taken")]
    tables: Annotated[int, Meta(description="tables that are taken, counted party by party")]


class SeatingParty(Shape, kw_only=True):
    """A reservation of the service."""

    id: Identity
    code: Code
    party_size: Annotated[int, Meta(description="people")]
    starts_at: VenueTime


class SeatingMove(SeatingParty, kw_only=True):
    """A party that would go to another place."""

    origin: Annotated[
        list[str], Meta(description="ids of where it is now; empty: it has no place")
    ] = field(name="from")
    target: Annotated[list[str], Meta(description="ids of where it would go")] = field(name="to")
    reason: Annotated[
        str,
        one_of(
            GAINS,
            description=(
                "`seated`: it gets a place; `fits_better`: fewer seats stay empty; `makes_room`: "
                "somebody else gets a better place by it"
            ),
        ),
    ]


class SeatingStay(SeatingParty, kw_only=True):
    """A party that is not moved."""

    reason: Annotated[
        str,
        one_of(
            STAYS,
            description=(
                "`asked_for`: it may not be moved; `held_elsewhere`: another device has its place "
                "to give; `elsewhen`: outside of `from` and `to`"
            ),
        ),
    ]


class SeatingProposal(Shape, kw_only=True):
    """A better seating of a service. Nothing has been moved, until it is accepted."""

    id: Annotated[str, Meta(description="32 hexadecimal digits; it is accepted by them")]
    basis: Annotated[str, Meta(description="digest of what it was worked out from")]
    venue: Annotated[str, Meta(description="id of the venue")]
    date: Date
    solver: Annotated[
        str,
        one_of(SOLVERS, description="`highs`: none is better; `search`: a good one was found"),
    ]
    before: SeatingScore
    after: SeatingScore
    moves: Annotated[list[SeatingMove], Meta(description="empty: nothing better was found")]
    stays: list[SeatingStay]
    unseated: Annotated[
        list[SeatingParty], Meta(description="parties for which there is still no place")
    ]
