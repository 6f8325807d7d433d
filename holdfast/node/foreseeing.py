"""Of a reservation that nobody has decided yet: who is asked, and the prognosis.

Owns the gathering of what waits, from what this replica knows; the guess itself is
`model.prognosis`. It reads and changes nothing, and is made anew whenever somebody looks.
"""

from __future__ import annotations

from holdfast.model import lifecycle
from holdfast.model.claims import PENDING, STANDBY
from holdfast.model.deciding import answerer
from holdfast.model.prognosis import Prognosis, Waiting, prognosis
from holdfast.model.reservation import View
from holdfast.model.rights import HUB
from holdfast.node.identity import HUB_ROLE
from holdfast.node.overriding import override_in
from holdfast.node.service import Service
from holdfast.store.projections import Record

_AHEAD = lifecycle.OPEN_STATUSES | {lifecycle.INTENT, lifecycle.CHECKED_IN}


def waits_for(replica: Service, view: View) -> str | None:
    """The name of who answers what a reservation or its change waits for, as far as this replica
    knows who holds what; of several, whose answer was asked first. None where nothing waits."""
    undecided = [claim for claim in view.claims if claim.state in (PENDING, STANDBY)]
    if not undecided or view.status not in _AHEAD:
        return None
    first = min(undecided, key=lambda claim: (claim.stamp, claim.id))
    with replica.lock:
        holder = answerer(replica.rights(view.book), view, first.id.operation)
    return HUB_ROLE if holder == HUB else replica.name_of(view.book, holder)


def foreseen(replica: Service, view: View) -> Prognosis | None:
    """What this replica expects of a reservation or of the change that it waits for; None where
    nothing waits, or where the venue is not known yet."""
    if not view.pending or view.status not in _AHEAD:
        return None
    with replica.lock:
        venue = replica.book(view.book).administration.venue
        record = replica.record(view.id, view.book)
        if venue is None or record is None:
            return None

        def waiting(reservation: bytes) -> list[Waiting]:
            found = replica.record(reservation, view.book)
            return _waiting(replica, found) if found is not None else []

        occupancy = replica.store.projections.occupancy(view.book)
        rights = replica.rights(view.book)
        return prognosis(_waiting(replica, record), venue, occupancy, waiting, rights)


def _waiting(replica: Service, record: Record) -> list[Waiting]:
    """The operations of a reservation whose claims nobody has decided."""
    undecided = {
        claim.id.operation: claim.stamp
        for claim in record.view.claims
        if claim.state in (PENDING, STANDBY)
    }
    return [
        Waiting(
            (undecided[entry.operation], entry.node, entry.operation),
            record.view,
            entry.kind == "reservation.created",
            bool(override_in(replica, record, entry.operation)),
        )
        for entry in {entry.operation: entry for entry in record.seen}.values()
        if entry.operation in undecided
    ]
