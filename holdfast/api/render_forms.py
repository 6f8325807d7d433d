"""How what is no reservation looks as JSON: holds, blocks, and parties that wait.

Owns the rendering of these into the structs of `shapes`. A note or a guest's card is added only
where the caller says that it may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from holdfast.api.render import (
    guest_card,
    known_guests,
    render_claims,
    render_reservation,
    venue_or_utc,
    who,
)
from holdfast.api.shapes.blocks import Block, Occurrence
from holdfast.api.shapes.holds import Hold
from holdfast.api.shapes.waitlist import Offer, WaitingParty
from holdfast.model import waitlist, wall
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View, shown_claims
from holdfast.model.venue import Venue
from holdfast.node import actors, blocks, waiting
from holdfast.node.foreseeing import waits_for

if TYPE_CHECKING:
    from holdfast.api.face import Replica

_OUT_OF_USE: Final = "blocked"
"""What a block is for where that is the house's own business: one of the words for it."""


def render_hold(
    replica: Replica,
    view: View,
    *,
    with_guest: bool = False,
    to_guest: bool = False,
    with_agent: bool = True,
    with_others: bool = True,
) -> Hold:
    """A hold, or what became of it; as `render_reservation`."""
    shown = render_reservation(
        replica, view, with_guest=with_guest, to_guest=to_guest, with_agent=with_agent,
        with_others=with_others,
    )  # fmt: skip
    return Hold(**{name: getattr(shown, name) for name in Hold.__struct_fields__})


def render_block(
    replica: Replica,
    view: View,
    *,
    with_note: bool = False,
    with_others: bool = True,
    dates: Sequence[View] | None = None,
    names: Mapping[str, str] | None = None,
) -> Block:
    """A block; `dates` are those of its series that stand. Without `with_others` it does not say
    what for, nor over which reservations it stands; without `names`, those of people that are known
    here, not who made it."""
    assert view.form is not None
    venue_id = view.book.partition("/")[2]
    venue = venue_or_utc(replica, venue_id)
    claims = shown_claims(view)
    card = replica.reservations.guest(view) if with_note else None
    note = (card or {}).get("note")
    over = blocks.conflicts(replica, view) if with_others else []
    return Block(
        id=uuid_text(view.id),
        code=view.code,
        venue=venue_id,
        service_date=view.service_date,
        kind=view.form.use if with_others else _OUT_OF_USE,
        reason=view.form.reason or None if with_others else None,
        resources=[claim.resource for claim in claims],
        starts_at=wall.format_time(venue, view.starts_at),
        ends_at=wall.format_time(venue, view.ends_at),
        claims=render_claims(venue, claims),
        status=view.status,
        assurance=view.assurance,
        waits_for=waits_for(replica, view),
        series=view.form.series.hex() or None,
        conflicts=[uuid_text(one.id) for one in over],
        made_by=view.made_by,
        made_at=wall.format_time(venue, view.made_at_ms // 1000),
        created_by=UNSET if names is None else who(actors.maker(replica, view, names)),
        sync=replica.reservations.sync_state(view),
        note=note if isinstance(note, str) else UNSET,
        occurrences=UNSET if dates is None else [_occurrence(venue, one) for one in dates],
    )


def _occurrence(venue: Venue, view: View) -> Occurrence:
    return Occurrence(
        id=uuid_text(view.id),
        code=view.code,
        starts_at=wall.format_time(venue, view.starts_at),
        ends_at=wall.format_time(venue, view.ends_at),
    )


def render_waiting(
    replica: Replica,
    place: waitlist.Place,
    *,
    with_guest: bool = False,
    to_guest: bool = False,
    with_agent: bool = True,
    with_known: bool = False,
) -> WaitingParty:
    """A party in the line, or what became of it; without `with_agent` it does not say who, and to a
    guest not at which device; `with_known` adds whom the house knows by the same number or
    address."""
    view, form = place.view, place.view.form
    venue_id = view.book.partition("/")[2]
    venue = venue_or_utc(replica, venue_id)
    waits = waitlist.is_waiting(view) and form is not None
    first, last = (form.earliest, form.latest) if waits and form else (view.starts_at,) * 2
    now_s = replica.clock.now_ms() // 1000
    until = waitlist.waits_until_ms(view) if waits and form and place.position else 0
    return WaitingParty(
        id=uuid_text(view.id),
        code=view.code,
        venue=venue_id,
        date=view.service_date,
        earliest=wall.format_time(venue, first),
        latest=wall.format_time(venue, last),
        party_size=view.party_size,
        area=view.area or None,
        resource_kind=view.resource_kind or None,
        position=place.position,
        state=place.state,
        status=view.status,
        priority=form.priority if waits and form else 0,
        quoted_minutes=waiting.quoted_minutes(replica, place, now_s),
        offer=_offer(replica, venue, place),
        agent_id=view.agent_id if with_agent else None,
        made_by="" if to_guest else view.made_by,
        made_at=wall.format_time(venue, view.made_at_ms // 1000),
        expires_at=wall.format_time(venue, until // 1000) if until else None,
        sync=replica.reservations.sync_state(view),
        guest=guest_card(replica, view, own=to_guest) if with_guest else UNSET,
        known_as=known_guests(replica, view) if with_known else UNSET,
    )


def _offer(replica: Replica, venue: Venue, place: waitlist.Place) -> Offer | None:
    view = place.view
    if place.state != waitlist.OFFERED:
        return None
    return Offer(
        starts_at=wall.format_time(venue, view.starts_at),
        ends_at=wall.format_time(venue, view.ends_at),
        resources=[claim.resource for claim in shown_claims(view)],
        expires_at=wall.format_time(venue, view.expires_at_ms // 1000),
        assurance=view.assurance,
        waits_for=waits_for(replica, view),
    )
