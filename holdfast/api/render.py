"""How what a replica holds looks as JSON: the contract's field names and forms, written once.

Owns the rendering of reservations, tokens, staff and venues into the structs of `shapes`.
Decides nothing, and adds a guest's card only where the caller says that it may.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from holdfast.api.shapes import access, fleet, reservations, venues
from holdfast.api.shapes.common import Who
from holdfast.model import wall
from holdfast.model.claims import ClaimView, Decision
from holdfast.model.entries import EPOCH_SECONDS_MAX
from holdfast.model.errors import NotFound
from holdfast.model.figures import cancelled_in_time
from holdfast.model.forms import form_now
from holdfast.model.hlc import Stamp
from holdfast.model.ids import uuid_text
from holdfast.model.profile import CheckIn
from holdfast.model.reservation import View, shown_claims
from holdfast.model.series import series_of
from holdfast.model.sitting import seated_at
from holdfast.model.venue import Venue, to_document
from holdfast.model.venue_defaults import UNLIMITED
from holdfast.node import actors, promised
from holdfast.node.foreseeing import foreseen, waits_for
from holdfast.node.known_guests import known_as
from holdfast.node.visitors import visitor
from holdfast.store.logins import StaffRow
from holdfast.store.records import Token

if TYPE_CHECKING:
    from holdfast.api.face import Replica

UTC_VENUE = Venue(id="utc", name="UTC", kind="spot", time_zone="UTC", resources=())


def render_reservation(
    replica: Replica,
    view: View,
    *,
    with_guest: bool,
    whole: bool = False,
    with_note: bool = False,
    to_guest: bool = False,
    with_agent: bool = True,
    with_others: bool = True,
    with_visitor: bool = False,
    with_known: bool = False,
    with_who: bool = False,
) -> reservations.Reservation:
    """A reservation as the contract has it. `guest` only where it may and can be read; `whole` adds
    when it was cancelled, confirmed again and over, `with_note` the venue's note about a
    cancellation; without `with_agent` it says nothing of whose it is, without `with_others` of no
    other reservation, and nothing of the house's own: its accounts, the names of its devices;
    `with_visitor` adds what the house knows of them, `with_known` whom else it
    knows by the same number or address, `with_who` who of the house received them."""
    venue_id = view.book.partition("/")[2]
    venue = venue_or_utc(replica, venue_id)
    claims = shown_claims(view)
    with_house = with_others and not to_guest
    confirmed_ms, left_ms = replica.reservations.happened(view) if whole else (None, None)
    came_by, left_by = actors.receivers(replica, view) if with_who else (UNSET, UNSET)
    return reservations.Reservation(
        id=uuid_text(view.id),
        code=view.code,
        venue=venue_id,
        service_date=view.service_date,
        starts_at=wall.format_time(venue, view.starts_at),
        ends_at=wall.format_time(venue, view.ends_at),
        party_size=view.party_size,
        nights=view.nights or None,
        resources=[claim.resource for claim in claims],
        claims=render_claims(venue, claims, with_holder=with_house),
        status=view.status,
        assurance=view.assurance,
        pending_change=_pending_change(venue, view),
        kind=view.kind,
        source=view.source,
        occasion=view.occasion or None,
        area=view.area or None,
        resource_kind=view.resource_kind or None,
        may_move=view.may_move,
        agent_id=view.agent_id if with_agent else None,
        stamp=stamp_text(view.stamp, view.stamp_node),
        made_by=view.made_by if with_house else "",
        made_at=wall.format_time(venue, view.made_at_ms // 1000),
        expires_at=_moment(venue, view.expires_at_ms) if form_now(view) else None,
        sync=replica.reservations.sync_state(view),
        decision=render_decision(view.decision, with_won=with_others, with_by=with_house),
        waits_for=waits_for(replica, view),
        prognosis=_prognosis(replica, view, with_won=with_others),
        business_account=(venue.business_account or None) if with_house else None,
        check_in=_check_in(venue, view),
        attendance_confirmed=view.attendance_confirmed,
        attendance_confirmed_at=_told_moment(venue, confirmed_ms),
        actual_party_size=view.actual_party_size or None,
        checked_in_at=_moment(venue, view.checked_in_at_ms),
        checked_in_by=who(came_by),
        completed_at=_told_moment(venue, left_ms),
        completed_by=who(left_by),
        seated_at=seated_at(view),
        no_show_at=_moment(venue, view.no_show_at_ms),
        cancelled=_cancellation(replica, venue, view, whole, with_note),
        exceptions=[kind for kind, _ in view.exceptions],
        approval=view.approval or None,
        series=series_of(view) or None,
        override=reservations.OverrideUsed(reason=view.override) if view.override else None,
        lost_promise=_lost(replica, view),
        metadata=view.metadata,
        guest=guest_card(replica, view, own=to_guest) if with_guest else UNSET,
        visitor=_visitor(replica, view) if with_visitor and not to_guest else UNSET,
        known_as=known_guests(replica, view) if with_known and not to_guest else UNSET,
    )


def _lost(replica: Replica, view: View) -> reservations.LostPromise | None:
    found = promised.lost(replica, view)
    return None if found is None else msgspec.convert(found, reservations.LostPromise)


def who(found: actors.Actor | UnsetType | None) -> Who | UnsetType | None:
    """Who did something, of an answer that may leave it out."""
    if isinstance(found, actors.Actor):
        return Who(agent_id=found.agent_id, name=found.name)
    return found


def _visitor(replica: Replica, view: View) -> reservations.Visitor | UnsetType:
    found = visitor(replica, view)
    return UNSET if found is None else msgspec.convert(found, reservations.Visitor)


def known_guests(replica: Replica, view: View) -> list[reservations.KnownGuest] | UnsetType:
    """Who else has a number or an address of a reservation's card; left out where nobody has, so
    that most answers are what the stream tells of them."""
    found = known_as(replica, view)
    return msgspec.convert(found, list[reservations.KnownGuest]) if found else UNSET


def render_claims(
    venue: Venue, claims: Iterable[ClaimView], *, with_holder: bool = True
) -> list[reservations.Claim]:
    """What is taken, and when; without `with_holder` it does not say whose right it is."""
    return [
        reservations.Claim(
            resource=claim.resource,
            quantity=claim.quantity,
            starts_at=wall.format_time(venue, claim.start),
            ends_at=wall.format_time(venue, claim.end - claim.buffer),
            holder=(claim.holder or None) if with_holder else None,
        )
        for claim in claims
    ]


def guest_card(replica: Replica, view: View, *, own: bool) -> reservations.GuestCard | UnsetType:
    """The card's known fields, as texts: whoever sealed it may have put in anything."""
    card = replica.reservations.guest(view, own=own)
    if card is None:
        return UNSET
    return known_card(card)


def known_card(card: dict[str, Any]) -> reservations.GuestCard:
    """A card's known fields, as texts."""
    known = reservations.GuestCard.__struct_fields__
    return reservations.GuestCard(
        **{name: card[name] for name in known if isinstance(card.get(name), str)}
    )


def _cancellation(
    replica: Replica, venue: Venue, view: View, whole: bool, with_note: bool
) -> reservations.Cancellation | None:
    if not view.cancel_reason:
        return None
    shown = reservations.Cancellation(reason=view.cancel_reason, by=view.cancelled_by)
    found = replica.reservations.cancellation(view) if whole else None
    if found is not None:
        at_ms, note = found
        shown.at = wall.format_time(venue, at_ms // 1000)
        shown.in_time = cancelled_in_time(venue, view, at_ms // 1000)
        if note and with_note:
            shown.note = note
    return shown


def venue_or_utc(replica: Replica, venue_id: str) -> Venue:
    """The venue, or UTC for one whose configuration has not arrived yet (a gap, DESIGN §4.10)."""
    try:
        return replica.venue(venue_id).venue
    except NotFound:
        return UTC_VENUE


def _moment(venue: Venue, ms: int) -> str | None:
    return wall.format_time(venue, ms // 1000) if ms else None


def _told_moment(venue: Venue, ms: int | None) -> str | UnsetType | None:
    """The same of what an answer may leave out: not asked for."""
    return UNSET if ms is None else _moment(venue, ms)


def _check_in(venue: Venue, view: View) -> reservations.CheckInWindow | None:
    if venue.check_in == CheckIn():
        return None
    opens, closes = venue.check_in.window(view.starts_at)
    return reservations.CheckInWindow(
        opens_at=None if opens is None else wall.format_time(venue, opens),
        closes_at=None if closes is None else wall.format_time(venue, closes),
    )


def _pending_change(venue: Venue, view: View) -> reservations.PendingChange | None:
    change = view.pending_change
    if change is None:
        return None
    return reservations.PendingChange(
        starts_at=wall.format_time(venue, change["starts_at"]),
        ends_at=wall.format_time(venue, change["ends_at"]),
        resources=list(change["resources"]),
    )


def render_decision(
    decision: Decision | None, *, with_won: bool = True, with_by: bool = True
) -> reservations.Decision | None:
    """A holder's answer, and whose with `with_by`; `won` are the reservations that hold what could
    not be had."""
    if decision is None:
        return None
    return reservations.Decision(
        verdict=decision.verdict,
        by=decision.by if with_by else "",
        stamp=stamp_text(decision.stamp, decision.node),
        reason=decision.reason,
        won=[uuid_text(won) for won in decision.won] if with_won else [],
        from_resources=list(decision.from_resources),
    )


def _prognosis(replica: Replica, view: View, *, with_won: bool) -> reservations.Prognosis | None:
    found = foreseen(replica, view)
    if found is None:
        return None
    return reservations.Prognosis(
        verdict=found.verdict,
        certainty=found.certainty,
        reason=found.reason,
        won=[uuid_text(won) for won in found.won] if with_won else [],
    )


def stamp_text(packed: int, node: bytes) -> str:
    return str(Stamp.unpack(packed, node.hex()))


def utc_text(ms: int) -> str:
    """Milliseconds as RFC 3339 in UTC, for what happened at no venue."""
    seconds = min(max(ms // 1000, 0), EPOCH_SECONDS_MAX)
    at = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return at.replace(microsecond=ms % 1000 * 1000).isoformat(timespec="milliseconds")[:-6] + "Z"


def with_times(value: Any) -> Any:
    """JSON values in which every `…_at_ms` became `…_at`, RFC 3339 in UTC; 0 is null."""
    if isinstance(value, dict):
        shown: dict[str, Any] = {}
        for name, inner in value.items():
            if name.endswith("_at_ms") and (inner is None or isinstance(inner, int)):
                shown[name.removesuffix("_ms")] = utc_text(inner) if inner else None
            else:
                shown[name] = with_times(inner)
        return shown
    if isinstance(value, list):
        return [with_times(inner) for inner in value]
    return value


def render_token(token: Token) -> fleet.Token:
    """A token without its secret, which nobody keeps."""
    return fleet.Token(**_token_fields(token))


def render_new_token(token: Token, secret: str | None) -> fleet.NewToken:
    """A token with its secret, which is shown this once."""
    return fleet.NewToken(**_token_fields(token), token=secret)


def _token_fields(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "agent_id": token.agent_id or None,
        "venues": list(token.venues),
        "permissions": list(token.permissions),
        "made_at": utc_text(token.made_at_ms),
        "expires_at": _utc_or_none(token.expires_at_ms),
        "used_at": _utc_or_none(token.used_at_ms),
        "revoked_at": _utc_or_none(token.revoked_at_ms),
    }


def _utc_or_none(ms: int) -> str | None:
    return utc_text(ms) if ms else None


def render_staff(row: StaffRow, locked_until_ms: int) -> access.StaffMember:
    """A member of staff, without anything of the PIN."""
    return access.StaffMember(
        name=row.name,
        role=row.role,
        made_at=utc_text(row.made_at_ms),
        used_at=_utc_or_none(row.used_at_ms),
        locked_until=_utc_or_none(locked_until_ms),
    )


def render_venue(venue: Venue, *, to_guest: bool = False) -> venues.Venue:
    """The venue file with every default spelt out; to a guest without what is the house's own."""
    document = to_document(venue)
    # Said, so that a file which is read, changed and put back still has no limit.
    document["policies"] = dict.fromkeys(UNLIMITED) | document["policies"]
    if venue.profile.geohash:
        document["profile"]["geohash"] = venue.profile.geohash
    if to_guest:
        document = {key: value for key, value in document.items() if key not in _OF_THE_HOUSE}
        document["allotments"] = []
        policies = document["policies"].items()
        document["policies"] = {key: one for key, one in policies if key not in _OF_SOME_GUESTS}
        if "profile" in document:
            profile = document["profile"].items()
            document["profile"] = {key: one for key, one in profile if key != "integrations"}
    return msgspec.convert(document, venues.Venue)


_OF_THE_HOUSE: Final = frozenset({"overbooking", "guests", "business_account"})
"""How far it oversells, what it calls its guests, and whose books it is in."""
_OF_SOME_GUESTS: Final = frozenset({"tiers", "tags"})
"""What it lets those do whom it calls so."""
