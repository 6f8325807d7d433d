"""Changing a reservation: what is written over, and whether that asks for another place.

Owns the reading of a patch against what stands, and the move. A change of time, place or quantity
that this replica may not decide becomes a pending change; the old claim stays meanwhile (DESIGN
§5.6).
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import UNSET

from holdfast.model import calendar, lifecycle, series, waitlist, wall
from holdfast.model.areas import area_asked, area_code, area_named
from holdfast.model.claims import DEAD, ENDED, PENDING, STANDBY, ClaimView
from holdfast.model.entries import ClaimId
from holdfast.model.errors import BadTransition, Invalid, RuleViolated, Stale
from holdfast.model.events import ReservationAmended, ReservationMoved, SealedCard
from holdfast.model.offers import Choice, VenueIndex, candidates, is_tight, named_choice
from holdfast.model.reservation import View, shown_claims, standing_claims, version_tag
from holdfast.model.sitting import sitting
from holdfast.node import (
    banned_contacts,
    holding_apart,
    offering,
    overriding,
    placing,
    recording,
    reserving,
    restricting,
)
from holdfast.node.asking import Asked, Place, proposal
from holdfast.node.requests import PatchRequest
from holdfast.node.restricting import STAFF, Asking

if TYPE_CHECKING:
    from holdfast.node.service import Service


_PLACING: Final = (
    "starts_at", "party_size", "duration_minutes", "ends_at", "nights", "resources",
    "resource_kind", "area", "quantity", "features",
)  # fmt: skip
"""Fields of a patch that can ask for other claims; any other leaves a pending change alone."""
_WISHES: Final = ("party_size", "resource_kind", "area")
"""Those of them that say what place is wanted, and not which."""


class _Move(NamedTuple):
    """Where a reservation goes; `beyond`: beyond the capacity, there being no room."""

    place: Place
    choice: Choice
    beyond: bool = False


def amend(
    replica: Service,
    reference: str,
    patch: PatchRequest,
    if_match: str | None = None,
    asking: Asking = STAFF,
    *,
    by_guest: bool = False,
) -> View:
    """Overwrite what the patch names, and move the reservation where that asks for it. `asking`:
    what whoever asks may be told of a guest who is restricted; `by_guest`: whoever has it asks by
    themself. Raises Stale, Invalid, RuleViolated, NotAvailable, BadTransition, Forbidden."""
    override = overriding.reason_of(replica, patch.override or None)
    with replica.transaction():
        view = recording.find(replica, reference)
        check_match(view, if_match)
        venue = replica.venue(recording.venue_of(view))
        fields = _amended_fields(replica, venue, view, patch)
        card = None
        if patch.guest is not UNSET and patch.guest:
            agent = str(fields.get("agent_id", view.agent_id))
            # Whose card it is stands beside it, for whoever is asked to forget them.
            fields["agent_id"] = agent
            card = reserving.sealed_card(replica, venue, agent, patch.guest)
        moved = _moved(replica, venue, view, patch, fields, asking, by_guest)
        if moved is None:
            if fields.get("agent_id", view.agent_id) != view.agent_id:
                restricting.require(
                    replica, venue, fields["agent_id"], str(fields.get("kind", view.kind)),
                    start=view.starts_at, exclude=view.id, asking=asking,
                )  # fmt: skip
            overriding.require_place(override, any_placing(patch))
            if fields or card:
                lifecycle.check_step("amended", view.status, view.code)
                _require_contact(replica, venue, view, patch, fields, asking)
                recording.write(replica, view, ReservationAmended(fields, card))
            return recording.view_of(replica, view.id, view.book)
        lifecycle.check_step("moved", view.status, view.code)
        _require_answered(view)
        holding_apart.require_swappable(replica, view)
        _require_contact(replica, venue, view, patch, fields, asking)
        _write_move(replica, venue, view, moved, fields, card, override=override, by_guest=by_guest)
        return recording.view_of(replica, view.id, view.book)


def _require_contact(
    replica: Service, venue: VenueIndex, view: View, patch: PatchRequest, fields: dict[str, Any],
    asking: Asking,
) -> None:  # fmt: skip
    """A guest gives no contact later that they would have been refused with. Who corrects a number
    at the desk is told whose it is, and knows."""
    if patch.guest is not UNSET and not asking.told:
        banned_contacts.require(
            replica, venue, str(fields.get("agent_id", view.agent_id)), patch.guest, view.kind,
            asking=asking,
        )  # fmt: skip


def walk(replica: Service, reference: str, resources: Sequence[str]) -> View:
    """Record that the guests of a reservation sit at other resources now, and ask for these for
    the rest of their time.

    That they sit there is a fact: it is recorded although the place is promised to somebody else,
    or too small for them. Whether the place is theirs its holder decides. Raises BadTransition
    unless they are checked in, Invalid, RuleViolated for where they sit already.
    """
    with replica.transaction():
        view = recording.find(replica, reference)
        if view.status != lifecycle.CHECKED_IN:
            raise BadTransition(
                f"{view.code} is {lifecycle.called(view.status)}; only guests who are checked in "
                "can go to another place",
                view.status,
            )
        venue = replica.venue(recording.venue_of(view))
        sits = sitting(view)
        if sits is not None and {place[0] for place in sits.places} == set(resources):
            message = f"The guests of {view.code} sit at {' and '.join(resources)} already."
            raise RuleViolated(message, [{"rule": "same-place", "message": message}])
        present = standing_claims(view) or shown_claims(view)
        place = _new_place(venue, view, PatchRequest(), present)
        choice = named_choice(
            venue, view.actual_party_size or place.party_size, place.quantity, resources
        )
        place, free = _walked_to(replica, venue, view, place, choice)
        _write_move(replica, venue, view, _Move(place, choice), {}, None, walked=True, sold=free)
        return recording.view_of(replica, view.id, view.book)


def _walked_to(
    replica: Service, venue: VenueIndex, view: View, place: Place, choice: Choice
) -> tuple[Place, bool]:
    """For how long they ask for where they sit, and whether it is free for so long, as known here:
    their whole time, or from now on where somebody sat there before."""
    now_s = replica.clock.now_ms() // 1000 // 60 * 60
    ignoring = {claim.id for claim in view.claims}
    for start in (place.start, now_s):
        if place.start <= start < place.end:
            found = offering.first_free(
                replica, venue, [choice], start, place.end + place.buffer, ignoring=ignoring
            )
            if found is not None:
                return dataclasses.replace(place, start=start), True
    return place, False


def check_match(view: View, if_match: str | None) -> None:
    """Raises Stale where `if_match` names another version of it."""
    if if_match is not None and if_match.strip('"') not in (version_tag(view), "*"):
        raise Stale(f"{view.code} was changed meanwhile; read it again and repeat the change")


def _require_answered(view: View) -> None:
    """Raises BadTransition for what was reserved from a hold or an offer whose holder has not said
    yet that it was (DESIGN §5.10). Somebody else may have reserved it too: a place of one's own
    would be promised under a name that it may not have."""
    if any(
        claim.id.operation == view.reserving and claim.state in (PENDING, STANDBY)
        for claim in view.claims
    ):
        raise BadTransition(
            f"whether {view.code} could be reserved is not answered yet; move it then, or cancel "
            "it and reserve another place",
            view.status,
        )


def _amended_fields(
    replica: Service, venue: VenueIndex, view: View, patch: PatchRequest
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in ("may_move", "source", "kind", "metadata", "party_size"):
        value = getattr(patch, name)
        if value is not UNSET:
            fields[name] = value
    if "metadata" in fields:
        # Whoever writes what else is known of it takes it out of no series.
        fields["metadata"] = series.named(fields["metadata"], series.series_of(view))
    for name in ("occasion", "resource_kind"):
        value = getattr(patch, name)
        if value is not UNSET:
            fields[name] = value or ""
    if patch.area is not UNSET:
        fields["area"] = area_code(area_asked(venue, patch.area))
    user_id = None if patch.user_id is UNSET else patch.user_id
    agent = None if patch.agent_id is UNSET else patch.agent_id
    if user_id is not None or agent is not None:
        fields["agent_id"] = reserving.agent_of(replica, user_id, agent)
    if int(fields.get("party_size", 1)) < 1:
        raise Invalid.field("party_size", f"must be at least 1, not {fields['party_size']}")
    reserving.check_words(
        fields.get("kind", view.kind), fields.get("source"), fields.get("occasion") or None,
        fields.get("metadata", {}),
    )  # fmt: skip
    return {name: value for name, value in fields.items() if getattr(view, name) != value}


def _moved(
    replica: Service,
    venue: VenueIndex,
    view: View,
    patch: PatchRequest,
    fields: dict[str, Any],
    asking: Asking,
    by_guest: bool,
) -> _Move | None:
    """The new place and choice, where the patch needs other claims than the present ones."""
    if not any_placing(patch):
        return None
    present = standing_claims(view) or shown_claims(view)
    if waitlist.is_waiting(view) and waitlist.state_of(view) == waitlist.WAITING:
        _require_no_place(view, patch)
        return None
    place = _new_place(venue, view, patch, present)
    wanted = () if patch.resources is UNSET else tuple(patch.resources)
    choice = None if wanted else _kept(venue, view, place, present, fields)
    if choice is not None and patch.features is not UNSET:
        choice = choice if _has(venue, choice, patch.features) else None
    same_time = present and all(
        (c.start, c.end) == (place.start, place.end + place.buffer) for c in present
    )
    if choice is not None and same_time and _places(present) == _chosen(choice):
        return None
    # What was refused or ended may be asked for again by its name.
    stands = any(c.state not in (ENDED, DEAD) for c in present)
    if wanted and same_time and stands and tuple(c.resource for c in present) == wanted:
        listed = candidates(
            venue, place.party_size, place.quantity, None, None, wanted,
            one_chair_more=bool(patch.override),
        )  # fmt: skip
        same = next(iter(listed))
        # A chair more is put there by a move, which says on whose word.
        if _places(present) == _chosen(same) and not is_tight(same, place.party_size):
            return None
    guest = str(fields.get("agent_id", view.agent_id))
    area = area_named(venue, str(fields.get("area", view.area)))
    resource_kind = str(fields.get("resource_kind", view.resource_kind)) or _kind_of(venue, present)
    asked = Asked(
        str(fields.get("kind", view.kind)), str(fields.get("source", view.source)), guest, by_guest,
        wanted, resource_kind, area or None, view, _time_of(present),
        () if patch.features is UNSET else tuple(patch.features),
    )  # fmt: skip
    given, began = guest != view.agent_id, min((claim.start for claim in present), default=None)
    limits = restricting.check(
        replica, venue, guest, asked.kind,
        start=place.start if given or place.start != began else None,
        takes_one=given, exclude=view.id, asking=asking,
    )  # fmt: skip
    placing.check_rules(replica, venue, place, asked, limits, plain=asking.plain)
    ignoring = {claim.id for claim in view.claims}
    end = place.end + place.buffer
    wished = proposal(place, asked)
    had = [claim.resource for claim in present]
    if choice is not None and offering.left_open(venue, wished, [choice], had):
        kept = offering.first_free(replica, venue, [choice], place.start, end, ignoring=ignoring)
        if kept is not None:
            return _free_move(replica, venue, patch, place, kept, ignoring)
    fitting = candidates(
        venue, place.party_size, place.quantity, resource_kind, area or None, wanted,
        below_minimum=asked.kind != "guest", one_chair_more=bool(patch.override),
        features=asked.features,
    )  # fmt: skip
    choices = placing.permitted(replica, venue, place, asked, list(fitting))
    found = offering.first_free(replica, venue, choices, place.start, end, ignoring=ignoring)
    if found is not None:
        return _free_move(replica, venue, patch, place, found, ignoring)
    if patch.override and choices:
        least = overriding.least_overbooked(
            replica, venue, choices, place.start, end, ignoring=ignoring
        )
        return _Move(place, least, True)
    raise placing.not_available(replica, venue, place, asked, choices, plain=asking.plain)


def _time_of(claims: Sequence[ClaimView]) -> tuple[int, int] | None:
    """When they begin and end, without what is kept free after them."""
    if not claims:
        return None
    return min(claim.start for claim in claims), max(claim.end - claim.buffer for claim in claims)


def _free_move(
    replica: Service,
    venue: VenueIndex,
    patch: PatchRequest,
    place: Place,
    choice: Choice,
    ignoring: Collection[ClaimId],
) -> _Move:
    """A move to where enough is left in all; who insists has it although no holder has so much."""
    beyond = bool(patch.override) and overriding.goes_beyond(
        replica, venue, choice, place.start, place.end + place.buffer, ignoring=ignoring
    )
    return _Move(place, choice, beyond)


def _require_no_place(view: View, patch: PatchRequest) -> None:
    """Who waits has no place yet: how many they are, and where they like to sit, can change."""
    for name in _PLACING:
        if getattr(patch, name) is not UNSET and name not in (
            "party_size",
            "resource_kind",
            "area",
        ):
            raise Invalid.field(
                name, f"{view.code} waits and has no place yet; leave the line and join it again"
            )


def any_placing(patch: PatchRequest) -> bool:
    """Whether a patch names anything that can ask for another place."""
    return any(getattr(patch, name) is not UNSET for name in _PLACING)


def _new_place(
    venue: VenueIndex, view: View, patch: PatchRequest, claims: Sequence[ClaimView]
) -> Place:
    """Where the patch leads from `claims`: the pending change if there is one, for what the
    patch leaves out was asked for there last."""
    party = view.party_size if patch.party_size is UNSET else patch.party_size
    began = min((c.start for c in claims), default=view.starts_at)
    ended = max((c.end - c.buffer for c in claims), default=view.ends_at)
    nights = view.nights
    if nights and (began, ended) != (view.starts_at, view.ends_at):
        nights = max(1, round((ended - began) / 86_400))
    quantity: int | None = None
    if patch.quantity is not UNSET:
        quantity = patch.quantity
    elif claims:
        resource = venue.resource(claims[0].resource)
        if resource is not None and resource.counts_units:
            quantity = sum(claim.quantity for claim in claims)
    given = {
        name: None if (value := getattr(patch, name)) is UNSET else value
        for name in ("duration_minutes", "ends_at", "nights")
    }
    buffer = venue.venue.buffer_minutes * 60
    if patch.starts_at is UNSET and not any(v is not None for v in given.values()):
        return Place(began, ended, nights or None, party, quantity, buffer)
    starts = wall.format_time(venue.venue, began) if patch.starts_at is UNSET else patch.starts_at
    if not any(v is not None for v in given.values()):
        if nights:
            given["nights"] = nights
        else:
            given["duration_minutes"] = (ended - began) // 60
    interval = calendar.reservation_interval(
        venue.venue, starts, party,
        duration_minutes=given["duration_minutes"], ends_at=given["ends_at"],
        nights=given["nights"],
    )  # fmt: skip
    return Place(interval.start, interval.end, interval.nights, party, quantity, buffer)


def _kept(
    venue: VenueIndex,
    view: View,
    place: Place,
    present: Sequence[ClaimView],
    fields: dict[str, Any],
) -> Choice | None:
    """The present resources as a choice for the new place, if they still suit."""
    resources = tuple(claim.resource for claim in present)
    if not resources or "resource_kind" in fields:
        return None
    area = area_named(venue, str(fields.get("area", "")))
    if area and any((r := venue.resource(name)) is None or r.area != area for name in resources):
        return None
    with contextlib.suppress(Invalid, RuleViolated):
        return next(
            iter(
                candidates(
                    venue, place.party_size, place.quantity, None, None, resources,
                    below_minimum=True,
                )
            )
        )  # fmt: skip
    return None


def _write_move(
    replica: Service,
    venue: VenueIndex,
    view: View,
    move: _Move,
    fields: dict[str, Any],
    card: SealedCard | None,
    *,
    walked: bool = False,
    sold: bool = True,
    override: str = "",
    by_guest: bool = False,
) -> None:
    """On the hub the new claim replaces the old in one entry; on a node, or where it is not to be
    `sold`, it stands by."""
    place, changed = move.place, dict(fields)
    date = calendar.service_date(venue.venue, place.start).isoformat()
    # Beside a pending change even what stays is written: that change may be granted first.
    standing = [c.id for c in standing_claims(view)]
    if standing or date != view.service_date:
        changed["service_date"] = date
    if standing or (place.nights or 0) != view.nights:
        changed["nights"] = place.nights or 0
    if standing:
        changed["party_size"] = place.party_size
    written = placing.claims_of(
        replica, venue, place, move.choice, view, sold=sold, override=override, beyond=move.beyond
    )
    event = ReservationMoved(changed, card, walked, written.override, by_guest)
    recording.write(replica, view, event, claims=written.claims, ends=written.ends)


def _has(venue: VenueIndex, choice: Choice, features: Sequence[str]) -> bool:
    """Whether every resource of a choice has all of the features."""
    return all(
        venue.resource_by_id[one].all_features.issuperset(features) for one in choice.resources
    )


def _kind_of(venue: VenueIndex, claims: Sequence[ClaimView]) -> str | None:
    """The kind of what is had already: who has a suite is not moved to a room unasked."""
    resource = venue.resource(claims[0].resource) if claims else None
    return resource.kind if resource is not None else None


def _places(claims: Sequence[ClaimView]) -> set[tuple[str, int]]:
    return {(claim.resource, claim.quantity) for claim in claims}


def _chosen(choice: Choice) -> set[tuple[str, int]]:
    return set(zip(choice.resources, choice.quantities, strict=True))
