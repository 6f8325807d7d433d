"""Finding a reservation by what people call it, and writing one entry about it.

Owns how a change that was decided on reaches this replica's chain: what it follows, how many ends
one entry names, and what is said when no replica would take it in. Why it is written is its
callers' business.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from holdfast.model import codes, ids
from holdfast.model.entries import Claim, ClaimId, Malformed
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.events import KIND_BY_EVENT, ClaimEnded, Event
from holdfast.model.forms import made_as
from holdfast.model.limits import CLAIMS_PER_ENTRY_MAX
from holdfast.model.reservation import View, followed
from holdfast.model.roles import require_write
from holdfast.node import lookup

if TYPE_CHECKING:
    from holdfast.node.service import Service


def find(replica: Service, reference: str) -> View:
    """By id or by code, as a person types it. Raises NotFound, Conflict."""
    reservation = ids.parse_uuid(reference)
    if reservation is not None:
        view = replica.view(reservation)
    else:
        code = codes.normalise_code(reference)
        found = lookup.by_code(replica, code) if code else None
        view = replica.view(found[1], found[0]) if found else None
    if view is None or not view.code:
        raise NotFound(f"no reservation {reference} here; it may not have reached this device yet")
    return view


def view_of(replica: Service, reservation: bytes, book: str) -> View:
    """A reservation that is known to be here."""
    view = replica.view(reservation, book)
    assert view is not None
    return view


def venue_of(view: View) -> str:
    """The venue id of a reservation."""
    return view.book.partition("/")[2]


def write(
    replica: Service,
    view: View,
    event: Event,
    *,
    claims: tuple[Claim, ...] = (),
    ends: tuple[ClaimId, ...] = (),
) -> View:
    """Write one entry about a reservation, behind all that is known of it, and return what it is
    then; more ends than one entry names follow in entries of their own. Call inside `transaction`.
    Raises Invalid, RoleForbidden."""
    require_write(replica.identity.role, KIND_BY_EVENT[type(event)], view.id, form=made_as(view))
    named, rest = ends[:CLAIMS_PER_ENTRY_MAX], ends[CLAIMS_PER_ENTRY_MAX:]
    with refused_as_invalid():
        replica.append(
            view.book, event, subject=view.id, follows=followed(view), claims=claims,
            ends=named,
        )  # fmt: skip
    while rest:
        named, rest = rest[:CLAIMS_PER_ENTRY_MAX], rest[CLAIMS_PER_ENTRY_MAX:]
        reason = KIND_BY_EVENT[type(event)].rpartition(".")[2]
        replica.append(view.book, ClaimEnded(reason), subject=view.id, ends=named)
    return view_of(replica, view.id, view.book)


@contextlib.contextmanager
def refused_as_invalid() -> Iterator[None]:
    """What no replica would take in is told to whoever asked for it. Raises Invalid."""
    try:
        yield
    except Malformed as problem:
        raise Invalid(
            f"this cannot be written: {problem}; other devices would refuse it"
        ) from problem
