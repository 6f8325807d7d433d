"""What this replica may sell now, and whom it asks for the rest.

Owns the one place where a clock meets a right: a right that releases ends for sales when the
clock's latest time reaches the release, and an undisciplined clock sells none of it (DESIGN §3,
§5.7). Who holds a right is `model.rights`'s to say; that no capacity depends on any clock, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from holdfast.model.claims import OCCUPYING, ClaimView, wish_of
from holdfast.model.deciding import GrantedStock, HubStock, Stock
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.offers import VenueIndex
from holdfast.model.overbooking import Overbooking, overbooker
from holdfast.model.reservation import View
from holdfast.model.rights import HUB, Held

if TYPE_CHECKING:
    from holdfast.node.service import Service


class Terms(NamedTuple):
    """On what terms claims can be had: sold from rights of one's own (one for each claim), or asked
    of one holder. `overbooked`: not all of them within what there is."""

    rights: tuple[bytes, ...]
    asks: bytes
    overbooked: bool = False

    @property
    def guaranteed(self) -> bool:
        return bool(self.rights)


def stock(replica: Service, book: str, venue: VenueIndex) -> Stock:
    """What this replica has to sell in a book, if it may sell at all."""
    occupancy = replica.store.projections.occupancy(book)
    if replica.account == HUB:
        return HubStock(venue, occupancy)
    return GrantedStock(
        replica.rights(book), replica.account, occupancy, lambda held: may_sell(replica, held)
    )


def stock_of(replica: Service, book: str, venue: VenueIndex, holder: bytes) -> Stock:
    """What another holder has to sell, as far as this replica knows."""
    occupancy = replica.store.projections.occupancy(book)
    if holder == HUB:
        return HubStock(venue, occupancy)
    return GrantedStock(replica.rights(book), holder, occupancy, lambda held: held.start)


def beyond(
    replica: Service, book: str, venue: VenueIndex, *, blocking: bool = False
) -> Overbooking:
    """What this replica may sell beyond the capacity, where somebody asks for it who may."""
    return Overbooking(
        venue, replica.rights(book), replica.account, replica.store.projections.occupancy(book),
        lambda held: may_sell(replica, held), blocking=blocking,
    )  # fmt: skip


def may_sell(replica: Service, held: Held) -> int:
    """The first start that may still be sold from a right, in epoch seconds, on the venue's slots:
    what lies before it is released. What goes back at its start (0 minutes) is past by then, and
    nobody sells the past: the clock is not asked."""
    release = held.right.release_minutes
    if release <= 0:
        return held.start
    now = replica.clock.interval()
    venue = replica.book(replica.book_of(replica.identity.venue)).administration.venue
    if now.state == "undisciplined" or venue is None:
        return held.end
    slot = venue.venue.slot_minutes * 60
    begun = (now.latest // 1000 + release * 60) // slot * slot
    return min(max(held.start, begun + slot), held.end)


def may_answer(replica: Service, book: str, claims: Iterable[ClaimView]) -> bool:
    """Whether this replica answers claims that it was asked for: not from a right whose instants
    are about to go back, nor before its clock can tell. The hub answers once they are back."""
    if replica.account == HUB:
        return True
    rights = replica.rights(book)
    return all(
        any(
            claim.start >= may_sell(replica, held) and claim.quantity <= held.right.quantity
            for held in rights.of_holder(replica.account, claim.resource, claim.start, claim.end)
        )
        for claim in claims
    )


def answering_by(replica: Service, book: str, claims: Iterable[ClaimView]) -> tuple[bytes, ...]:
    """The right by which this device answers each claim, as its word names it (empty: it has none
    to all of it); the hub names none."""
    if replica.account == HUB:
        return ()
    rights = replica.rights(book)
    return tuple(rights.answers_by(replica.account, wish_of(claim)) for claim in claims)


def holds(replica: Service, book: str, claim: ClaimView) -> bool:
    """Whether this replica is the one that ends a granted claim."""
    return replica.rights(book).holder(claim.id, claim.right, claim.end) == replica.account


def own_ends(replica: Service, view: View, claims: Iterable[ClaimView]) -> tuple[ClaimId, ...]:
    """Of claims that a step asks to end, those that this replica may end in the same entry."""
    if not replica.may_decide(view.book):
        return ()
    return tuple(
        claim.id
        for claim in claims
        if (claim.state in OCCUPYING and holds(replica, view.book, claim))
        or (claim.state not in OCCUPYING and replica.account == HUB and not claim.asks)
    )


def terms(
    replica: Service,
    venue: VenueIndex,
    claims: Iterable[Claim],
    ignoring: Collection[ClaimId] = (),
    *,
    sell: bool = True,
    override: bool = False,
    blocking: bool = False,
) -> Terms:
    """How the claims of one operation are written: from rights of one's own if each can be (and
    `sell` says so), else asked of the one holder that has the right to all of them, else of the
    hub. `override`: there is no room, and they may be had beyond the capacity: from whoever alone
    may overbook all of them; `blocking`: to take them out of use."""
    book = replica.book_of(venue.venue.id)
    rights = replica.rights(book)
    wanted = tuple(claims)
    own = stock(replica, book, venue) if sell and replica.may_decide(book) else None
    if own is not None:
        found = [own.right_for(claim, ignoring) for claim in wanted]
        if all(right is not None for right in found):
            return Terms(tuple(right or HUB_RIGHT for right in found if right is not None), b"")
        if override:
            more = beyond(replica, book, venue, blocking=blocking)
            found = [
                more.right_for(claim, ignoring) if right is None else right
                for claim, right in zip(wanted, found, strict=True)
            ]
            if all(right is not None for right in found):
                sold = tuple(right or HUB_RIGHT for right in found if right is not None)
                return Terms(sold, b"", True)
    if override:
        only = {overbooker(rights, one.resource, one.start, one.end) for one in wanted}
        return Terms((), (only.pop() or HUB) if len(only) == 1 else HUB)
    if not rights:
        return Terms((), HUB)
    holders = [
        {
            held.holder
            for held in rights.of_resource(claim.resource)
            if held.covers(claim.resource, claim.start, claim.end)
            and held.right.quantity >= claim.quantity
            and (held.holder != replica.account or not sell)
        }
        for claim in wanted
    ]
    shared = set.intersection(*holders) if holders else set()
    return Terms((), min(shared) if shared else HUB)
