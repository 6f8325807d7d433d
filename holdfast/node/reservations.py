"""What people do with reservations at this replica: make, move, amend, cancel, mark, look up.

Owns the way from a request to one entry on this replica's chain: parse with the venue's calendar,
check the venue's rules, choose among what fits and is free, write. On the hub the claim is sold
from its own right and confirmed at once; on a node it asks the hub and stays provisional until
decided. The rules themselves stand in `holdfast.model`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET

from holdfast.model import calendar, codes, ids, lifecycle, rules, vocabulary, wall
from holdfast.model.areas import area_code, area_named
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId, Malformed
from holdfast.model.errors import (
    BadTransition,
    Invalid,
    NotAvailable,
    NotFound,
    RuleViolated,
    Stale,
)
from holdfast.model.events import (
    KIND_BY_EVENT,
    ClaimEnded,
    Event,
    ReservationAmended,
    ReservationAttendanceConfirmed,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCompleted,
    ReservationCreated,
    ReservationMarkedNoShow,
    ReservationMoved,
    ReservationNoShowUndone,
    SealedCard,
)
from holdfast.model.limits import CLAIMS_PER_ENTRY_MAX
from holdfast.model.mapping import ImportRecord
from holdfast.model.metadata import check_metadata
from holdfast.model.offers import Choice, VenueIndex, candidates
from holdfast.model.pseudonyms import agent_id as pseudonym
from holdfast.model.pseudonyms import is_agent_id, walk_in_agent_id
from holdfast.model.reservation import (
    LIVE,
    PENDING,
    STANDBY,
    ClaimView,
    View,
    followed,
    shown_claims,
    standing_claims,
    version_tag,
)
from holdfast.node import offering
from holdfast.node.importing import ImportReport, import_records
from holdfast.node.reasons import reason_code
from holdfast.node.requests import AvailabilityRequest, CreateRequest, PatchRequest

if TYPE_CHECKING:
    from holdfast.node.service import Service

ALTERNATIVES: Final = 3
_PLACING: Final = (
    "starts_at", "party_size", "duration_minutes", "ends_at", "nights", "resources",
    "resource_kind", "area", "quantity",
)  # fmt: skip
"""Fields of a patch that can ask for other claims; any other leaves a pending change alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """When, how long and for how many: a request that the venue's calendar has understood."""

    start: int
    end: int
    nights: int | None
    party_size: int
    quantity: int | None
    buffer: int


class Reservations:
    """The commands and queries of one replica."""

    def __init__(self, replica: Service) -> None:
        self._r = replica

    # --- making ---------------------------------------------------------------------------------

    def create(self, request: CreateRequest) -> View:
        """Make a reservation: confirmed at once where this replica holds the right, else
        provisional. Raises Invalid, RuleViolated, NotAvailable."""
        venue = self._r.venue(request.venue)
        place = self._place(venue, request)
        self._check_words(request.kind, request.source, request.occasion, request.metadata)
        agent = self._agent(request.user_id, request.agent_id)
        self._check_rules(venue, place, request.kind)
        with self._r.transaction():
            choice = self._choose(venue, place, request)
            reservation = ids.uuid7(self._r.clock.now_ms(), os.urandom(10))
            book = self._r.book_of(request.venue)
            card = self._card(venue, agent, request.guest)
            event = ReservationCreated(
                agent_id=agent,
                party_size=place.party_size,
                code=self.next_code(venue, book, self._r.clock.now_ms() // 1000),
                service_date=calendar.service_date(venue.venue, place.start).isoformat(),
                kind=request.kind,
                source=request.source or ("walk_in" if request.kind == "walk_in" else "direct"),
                may_move=not request.resources if request.may_move is None else request.may_move,
                resource_kind=request.resource_kind or "",
                area=area_code(request.area or ""),
                occasion=request.occasion or "",
                nights=place.nights or 0,
                card=card,
                metadata=request.metadata,
            )
            claims = self._claims(place, choice, ())
            with refused_as_invalid():
                self._r.append(book, event, subject=reservation, claims=claims)
            return self._view(reservation, book)

    def _place(self, venue: VenueIndex, request: CreateRequest) -> Place:
        if request.party_size < 1:
            raise Invalid.field("party_size", f"must be at least 1, not {request.party_size}")
        interval = calendar.reservation_interval(
            venue.venue,
            request.starts_at,
            request.party_size,
            duration_minutes=request.duration_minutes,
            ends_at=request.ends_at,
            nights=request.nights,
        )
        return Place(
            interval.start, interval.end, interval.nights, request.party_size, request.quantity,
            venue.venue.buffer_minutes * 60,
        )  # fmt: skip

    def _check_words(
        self, kind: str, source: str | None, occasion: str | None, metadata: dict[str, Any]
    ) -> None:
        problems = []
        for field, value, allowed in (
            ("kind", kind, vocabulary.RESERVATION_KINDS),
            ("source", source, vocabulary.SOURCES),
            ("occasion", occasion, vocabulary.OCCASIONS),
        ):
            if value is not None and value not in allowed:
                message = f"must be one of {', '.join(sorted(allowed))}"
                problems.append({"field": field, "message": message})
        problem = check_metadata(metadata) if metadata else None
        if problem:
            problems.append({"field": "metadata", "message": problem})
        if problems:
            detail = "; ".join(f"{p['field']}: {p['message']}" for p in problems)
            raise Invalid(detail, problems)

    def _agent(self, user_id: str | None, agent: str | None) -> str:
        if user_id is not None and agent is not None:
            raise Invalid.field("agent_id", "give user_id or agent_id, not both")
        if user_id is not None:
            if not user_id:
                raise Invalid.field("user_id", "must not be empty; leave it out for a walk-in")
            return pseudonym(self._r.identity.pseudonym_key, user_id)
        if agent is not None:
            if not is_agent_id(agent):
                raise Invalid.field("agent_id", "must be agent_ and 32 characters")
            return agent
        return walk_in_agent_id(os.urandom(20))

    def _check_rules(
        self, venue: VenueIndex, place: Place, kind: str, exclude: bytes = b""
    ) -> None:
        pacing = 0
        if venue.venue.covers_per_slot is not None and place.nights is None:
            pacing = offering.covers_in_slot(self._r, venue, place.start, exclude)
        found = rules.violations(
            venue.venue,
            rules.Proposal(place.party_size, place.start, place.end, kind, place.nights),
            self._r.clock.now_ms() // 1000,
            pacing,
        )
        if found:
            raise RuleViolated(
                " ".join(violation["message"] for violation in found),
                found,
                self._alternatives(venue, place),
            )

    def _choose(self, venue: VenueIndex, place: Place, request: CreateRequest) -> Choice:
        choices = candidates(
            venue,
            place.party_size,
            place.quantity,
            request.resource_kind,
            request.area,
            tuple(request.resources),
            below_minimum=request.kind != "guest",
        )
        choice = offering.first_free(self._r, venue, choices, place.start, place.end + place.buffer)
        if choice is None:
            raise self._not_available(venue, place, request.resources)
        return choice

    def _not_available(
        self, venue: VenueIndex, place: Place, resources: Sequence[str]
    ) -> NotAvailable:
        what = " and ".join(resources) if resources else f"a place for {place.party_size}"
        when = wall.format_time(venue.venue, place.start)[:16].replace("T", " ")
        alternatives = self._alternatives(venue, place)
        way_out = "try one of the alternatives" if alternatives else "try another time or day"
        return NotAvailable(
            f"{what} at {when} is not free at {venue.venue.name}; {way_out}", alternatives
        )

    def _alternatives(self, venue: VenueIndex, place: Place) -> list[dict[str, Any]]:
        """The nearest free slots of the same service date."""
        request = AvailabilityRequest(
            venue=venue.venue.id,
            party_size=place.party_size,
            date=calendar.service_date(venue.venue, place.start).isoformat(),
            duration_minutes=None if place.nights else (place.end - place.start) // 60,
            nights=place.nights,
            quantity=place.quantity,
        )
        with contextlib.suppress(Invalid, RuleViolated):
            slots = offering.slots(self._r, venue, request)
            slots.sort(key=lambda slot: abs(slot.start - place.start))
            near = sorted(slots[:ALTERNATIVES], key=lambda slot: slot.start)
            return [offering.render_slot(venue, slot) for slot in near]
        return []

    def _claims(
        self, place: Place, choice: Choice, replaces: Sequence[ClaimId]
    ) -> tuple[Claim, ...]:
        """The claims of a choice: from the own right on the hub, asked of the hub on a node."""
        right = HUB_RIGHT if self._r.sells else b""
        made = []
        for index, (resource, quantity) in enumerate(
            zip(choice.resources, choice.quantities, strict=True)
        ):
            old = replaces[min(index, len(replaces) - 1)] if replaces else None
            made.append(
                Claim(
                    resource, place.start, place.end + place.buffer, quantity, place.buffer, right,
                    b"", None if self._r.sells else old,
                )
            )  # fmt: skip
        return tuple(made)

    def next_code(self, venue: VenueIndex, book: str, made_s: int) -> str:
        """The next code of this incarnation: its chain position under a granted prefix, with the
        venue-local year of making."""
        position = self._r.tip(book)[0] + 1
        year = wall.local_date(venue.venue, made_s).year
        prefixes = self._r.book(book).administration.prefixes.get(self._r.identity.incarnation, ())
        round_, counter = divmod(position, codes.COUNTERS)
        if round_ < len(prefixes):
            return codes.code(year, prefixes[round_], counter, self._r.identity.pseudonym_key)
        return codes.fallback_code(
            year, self._r.identity.incarnation, position, self._r.identity.pseudonym_key
        )

    def _card(
        self, venue: VenueIndex, agent: str, guest: dict[str, Any] | None
    ) -> SealedCard | None:
        """Seal what is known of the guest; the card's key goes into the key store, not the page."""
        if not guest:
            return None
        return self._r.cards.seal(venue.venue.id, agent, guest)

    def import_records(self, venue_id: str, records: Iterable[ImportRecord]) -> ImportReport:
        """Bring another system's reservations in; the same ones again change nothing. Raises
        NotFound."""
        return import_records(self._r, venue_id, records)

    # --- changing -------------------------------------------------------------------------------

    def amend(self, reference: str, patch: PatchRequest, if_match: str | None = None) -> View:
        """Overwrite what the patch names. A change of time, place or quantity that this replica
        may not decide becomes a pending change; the old claim stays meanwhile (§5.6)."""
        with self._r.transaction():
            view = self.find(reference)
            self._check_match(view, if_match)
            venue = self._r.venue(self.venue_of(view))
            fields = self._amended_fields(venue, view, patch)
            card = None
            if patch.guest is not UNSET and patch.guest:
                agent = str(fields.get("agent_id", view.agent_id))
                card = self._card(venue, agent, patch.guest)
            moved = self._moved(venue, view, patch, fields)
            if moved is None:
                if fields or card:
                    lifecycle.check_step("amended", view.status, view.code)
                    self._write(view, ReservationAmended(fields, card))
                return self._view(view.id, view.book)
            lifecycle.check_step("moved", view.status, view.code)
            place, choice = moved
            self._write_move(venue, view, place, choice, fields, card)
            return self._view(view.id, view.book)

    def _check_match(self, view: View, if_match: str | None) -> None:
        if if_match is not None and if_match.strip('"') not in (version_tag(view), "*"):
            raise Stale(f"{view.code} was changed meanwhile; read it again and repeat the change")

    def _amended_fields(self, venue: VenueIndex, view: View, patch: PatchRequest) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name in ("may_move", "source", "kind", "metadata", "party_size"):
            value = getattr(patch, name)
            if value is not UNSET:
                fields[name] = value
        for name in ("occasion", "resource_kind"):
            value = getattr(patch, name)
            if value is not UNSET:
                fields[name] = value or ""
        if patch.area is not UNSET:
            fields["area"] = area_code(patch.area or "")
            if fields["area"] and not area_named(venue, fields["area"]):
                raise Invalid.field("area", f"{patch.area!r} is no area of {venue.venue.name}")
        user_id = None if patch.user_id is UNSET else patch.user_id
        agent = None if patch.agent_id is UNSET else patch.agent_id
        if user_id is not None or agent is not None:
            fields["agent_id"] = self._agent(user_id, agent)
        if int(fields.get("party_size", 1)) < 1:
            raise Invalid.field("party_size", f"must be at least 1, not {fields['party_size']}")
        self._check_words(
            fields.get("kind", view.kind), fields.get("source"), fields.get("occasion") or None,
            fields.get("metadata", {}),
        )  # fmt: skip
        return {name: value for name, value in fields.items() if getattr(view, name) != value}

    def _moved(
        self, venue: VenueIndex, view: View, patch: PatchRequest, fields: dict[str, Any]
    ) -> tuple[Place, Choice] | None:
        """The new place and choice, where the patch needs other claims than the present ones."""
        if not any(getattr(patch, name) is not UNSET for name in _PLACING):
            return None
        present = standing_claims(view) or shown_claims(view)
        place = self._new_place(venue, view, patch, present)
        wanted = () if patch.resources is UNSET else tuple(patch.resources)
        choice = None if wanted else self._kept(venue, view, place, present, fields)
        same_time = present and all(
            (c.start, c.end) == (place.start, place.end + place.buffer) for c in present
        )
        if choice is not None and same_time and _places(present) == _chosen(choice):
            return None
        if wanted and same_time and tuple(c.resource for c in present) == wanted:
            listed = candidates(venue, place.party_size, place.quantity, None, None, wanted)
            if _places(present) == _chosen(next(iter(listed))):
                return None
        kind = str(fields.get("kind", view.kind))
        self._check_rules(venue, place, kind, view.id)
        ignoring = {claim.id for claim in view.claims}
        end = place.end + place.buffer
        if choice is not None:
            kept = offering.first_free(
                self._r, venue, [choice], place.start, end, ignoring=ignoring
            )
            if kept is not None:
                return place, kept
        area = area_named(venue, str(fields.get("area", view.area)))
        choices = candidates(
            venue, place.party_size, place.quantity,
            str(fields.get("resource_kind", view.resource_kind)) or _kind_of(venue, present),
            area or None, wanted,
            below_minimum=kind != "guest",
        )  # fmt: skip
        found = offering.first_free(self._r, venue, choices, place.start, end, ignoring=ignoring)
        if found is None:
            raise self._not_available(venue, place, wanted)
        return place, found

    def _new_place(
        self, venue: VenueIndex, view: View, patch: PatchRequest, claims: Sequence[ClaimView]
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
        starts = (
            wall.format_time(venue.venue, began) if patch.starts_at is UNSET else patch.starts_at
        )
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
        self,
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
        if area and any(
            (r := venue.resource(name)) is None or r.area != area for name in resources
        ):
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
        self,
        venue: VenueIndex,
        view: View,
        place: Place,
        choice: Choice,
        fields: dict[str, Any],
        card: SealedCard | None,
    ) -> None:
        """On the hub the new claim replaces the old in one entry; on a node it stands by."""
        changed = dict(fields)
        date = calendar.service_date(venue.venue, place.start).isoformat()
        # Beside a pending change even what stays is written: that change may be granted first.
        standing = [c.id for c in standing_claims(view)]
        if standing or date != view.service_date:
            changed["service_date"] = date
        if standing or (place.nights or 0) != view.nights:
            changed["nights"] = place.nights or 0
        if standing:
            changed["party_size"] = place.party_size
        current = standing or [c.id for c in view.claims if c.state in (LIVE, PENDING)]
        ends = tuple(c.id for c in view.claims if c.state in (LIVE, PENDING, STANDBY))
        self._write(
            view,
            ReservationMoved(changed, card),
            claims=self._claims(place, choice, current),
            ends=ends if self._r.sells else (),
        )

    # --- marking --------------------------------------------------------------------------------

    def cancel(
        self,
        reference: str,
        reason: str = "guest_request",
        by: str = "guest",
        note: str | None = None,
    ) -> View:
        """An intent; the capacity is free when its holder has ended the claim."""
        code = reason_code(reason, vocabulary.CANCEL_REASONS, has_note=True)
        if by not in vocabulary.CANCELLED_BY:
            allowed = ", ".join(sorted(vocabulary.CANCELLED_BY))
            raise Invalid.field("by", f"must be one of {allowed}")
        with self._r.transaction():
            view = self._step("cancelled", reference)
            venue = self._r.venue(self.venue_of(view))
            sealed = self._card(venue, view.agent_id, {"note": note} if note else None)
            ends = tuple(c.id for c in view.claims if c.state in (LIVE, PENDING, STANDBY))
            return self._write(
                view, ReservationCancelled(code, by, sealed), ends=ends if self._r.sells else ()
            )

    def check_in(self, reference: str, actual_party_size: int | None = None) -> View:
        if actual_party_size is not None and actual_party_size < 1:
            raise Invalid.field("actual_party_size", "must be at least 1")
        with self._r.transaction():
            view = self._step("checked_in", reference)
            return self._write(view, ReservationCheckedIn(actual_party_size or 0))

    def complete(self, reference: str) -> View:
        with self._r.transaction():
            view = self._step("completed", reference)
            now_s = self._r.clock.now_ms() // 1000
            ends = tuple(c.id for c in view.live if c.end > now_s)
            return self._write(view, ReservationCompleted(), ends=ends if self._r.sells else ())

    def no_show(self, reference: str) -> View:
        """Only after the start: before it nobody can be late."""
        with self._r.transaction():
            view = self._step("no_show", reference)
            if self._r.clock.now_ms() // 1000 < view.starts_at:
                venue = self._r.venue(self.venue_of(view))
                start = wall.format_time(venue.venue, view.starts_at)
                message = f"{view.code} begins at {start}; a no-show can be marked from then on."
                raise RuleViolated(message, [{"rule": "not-started", "message": message}])
            return self._write(view, ReservationMarkedNoShow())

    def undo_no_show(self, reference: str) -> View:
        with self._r.transaction():
            view = self._step("no_show_undone", reference)
            hours = (self._r.clock.now_ms() - view.no_show_at_ms) / 3_600_000
            if view.no_show_at_ms and hours > lifecycle.NO_SHOW_REVERSIBLE_HOURS:
                message = (
                    f"{view.code} was marked a no-show {int(hours)} hours ago; "
                    f"it can be undone for {lifecycle.NO_SHOW_REVERSIBLE_HOURS} hours."
                )
                raise RuleViolated(message, [{"rule": "no-show-final", "message": message}])
            return self._write(view, ReservationNoShowUndone())

    def confirm(self, reference: str) -> View:
        """The guest said again that they will come; saying it twice changes nothing."""
        with self._r.transaction():
            view = self._step("attendance_confirmed", reference)
            if view.attendance_confirmed:
                return view
            return self._write(view, ReservationAttendanceConfirmed())

    def _step(self, name: str, reference: str) -> View:
        view = self.find(reference)
        if name == "checked_in" and view.status == lifecycle.CHECKED_IN:
            raise BadTransition(f"{view.code} is checked in already", view.status)
        lifecycle.check_step(name, view.status, view.code)
        return view

    def _write(
        self,
        view: View,
        event: Event,
        *,
        claims: tuple[Claim, ...] = (),
        ends: tuple[ClaimId, ...] = (),
    ) -> View:
        named, rest = ends[:CLAIMS_PER_ENTRY_MAX], ends[CLAIMS_PER_ENTRY_MAX:]
        with refused_as_invalid():
            self._r.append(
                view.book, event, subject=view.id, follows=followed(view), claims=claims,
                ends=named,
            )  # fmt: skip
        while rest:
            named, rest = rest[:CLAIMS_PER_ENTRY_MAX], rest[CLAIMS_PER_ENTRY_MAX:]
            reason = KIND_BY_EVENT[type(event)].rpartition(".")[2]
            self._r.append(view.book, ClaimEnded(reason), subject=view.id, ends=named)
        return self._view(view.id, view.book)

    # --- looking up -----------------------------------------------------------------------------

    def find(self, reference: str) -> View:
        """By id or by code, as a person types it. Raises NotFound, Conflict."""
        reservation = ids.parse_uuid(reference)
        if reservation is not None:
            view = self._r.view(reservation)
        else:
            code = codes.normalise_code(reference)
            found = self._r.by_code(code) if code else None
            view = self._r.view(found[1], found[0]) if found else None
        if view is None or not view.code:
            raise NotFound(
                f"no reservation {reference} here; it may not have reached this device yet"
            )
        return view

    def _view(self, reservation: bytes, book: str) -> View:
        view = self._r.view(reservation, book)
        assert view is not None
        return view

    def venue_of(self, view: View) -> str:
        """The venue id of a reservation."""
        return view.book.partition("/")[2]

    def select(
        self,
        venue: str | None = None,
        date: str | None = None,
        starts_from: int | None = None,
        starts_before: int | None = None,
        status: str | None = None,
        agent_id: str | None = None,
        resource: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[list[View], str | None]:
        """Views sorted by start, then id, and the cursor of the next page. Raises Invalid."""
        if status is not None and status not in lifecycle.STATUSES:
            raise Invalid.field("status", f"must be one of {', '.join(lifecycle.STATUSES)}")
        book = self._r.book_of(venue) if venue is not None else None
        after = _read_cursor(cursor)
        found: list[View] = []
        while True:
            with self._r.lock:
                page = self._r.store.projections.select(
                    book=book, date=date, starts_from=starts_from, starts_before=starts_before,
                    status=status, agent_id=agent_id, after=after, limit=limit + 1,
                )  # fmt: skip
            for view in page:
                if resource is None or any(c.resource == resource for c in shown_claims(view)):
                    found.append(view)
            if len(found) > limit or len(page) <= limit:
                break
            after = (page[-1].starts_at, page[-1].id)
        if len(found) > limit:
            last = found[limit - 1]
            return found[:limit], f"{last.starts_at}.{last.id.hex()}"
        return found, None

    def availability(self, request: AvailabilityRequest) -> list[dict[str, Any]]:
        """The slots of the contract's `GET /availability`. Raises Invalid, NotFound."""
        venue = self._r.venue(request.venue)
        with self._r.lock:
            slots = offering.slots(self._r, venue, request)
        return [offering.render_slot(venue, slot) for slot in slots]

    def sync_state(self, view: View) -> str:
        """The fate of the newest operation written here about this reservation."""
        if not self._r.keeps_queue:
            return "merged"
        with self._r.lock:
            record = self._r.record(view.id, view.book)
            if record is None:
                return "merged"
            own = self._r.identity.incarnation
            places = [seen.n for seen in record.seen if seen.node == own]
            chain = self._r.store.journal.chain(record.book, own)
            if not places or chain is None:
                return "merged"
            return self._r.store.queue.state_at(chain.id, max(places)) or "merged"

    def guest(self, view: View) -> dict[str, Any] | None:
        """The guest card in clear; None where there is none or this replica cannot read it."""
        if view.card is None:
            return None
        return self._r.cards.read(self.venue_of(view), view.agent_id, view.card)


@contextlib.contextmanager
def refused_as_invalid() -> Iterator[None]:
    """What no replica would take in is told to whoever asked for it. Raises Invalid."""
    try:
        yield
    except Malformed as problem:
        raise Invalid(
            f"this cannot be written: {problem}; other devices would refuse it"
        ) from problem


def _kind_of(venue: VenueIndex, claims: Sequence[ClaimView]) -> str | None:
    """The kind of what is had already: who has a suite is not moved to a room unasked."""
    resource = venue.resource(claims[0].resource) if claims else None
    return resource.kind if resource is not None else None


def _places(claims: Sequence[ClaimView]) -> set[tuple[str, int]]:
    return {(claim.resource, claim.quantity) for claim in claims}


def _chosen(choice: Choice) -> set[tuple[str, int]]:
    return set(zip(choice.resources, choice.quantities, strict=True))


def _read_cursor(cursor: str | None) -> tuple[int, bytes] | None:
    if cursor is None:
        return None
    starts, _, reservation = cursor.partition(".")
    try:
        return int(starts), bytes.fromhex(reservation)
    except ValueError as error:
        raise Invalid.field("cursor", "is not one that this list gave; start again") from error
