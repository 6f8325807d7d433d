"""What people do with reservations at this replica: make, move, amend, cancel, mark, look up.

Owns the list of what can be asked, which the faces see, and the looking up. Making stands in
`reserving`, changing in `amending`, the steps of a reservation's life in `marking`; the rules
themselves in `holdfast.model`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from holdfast.model import lifecycle, moments
from holdfast.model.approval import STATES
from holdfast.model.areas import area_code
from holdfast.model.entries import EPOCH_SECONDS_MAX
from holdfast.model.errors import Invalid
from holdfast.model.events import agent_of
from holdfast.model.mapping import ImportRecord
from holdfast.model.reservation import View, content_of, shown_claims
from holdfast.node import amending, marking, offering, recording, reserving
from holdfast.node.asking import Asked
from holdfast.node.importing import ImportReport, import_records
from holdfast.node.requests import AvailabilityRequest, CreateRequest, PatchRequest
from holdfast.node.restricting import STAFF, Asking

if TYPE_CHECKING:
    from holdfast.node.service import Service


class Reservations:
    """The commands and queries of one replica."""

    def __init__(self, replica: Service) -> None:
        self._r = replica

    # --- making ---------------------------------------------------------------------------------

    def create(
        self, request: CreateRequest, asking: Asking = STAFF, *, by_guest: bool = False
    ) -> View:
        """Make a reservation: confirmed at once where this replica holds the right, else
        provisional. `by_guest`: whoever it is for asks by themself, with nobody of the house
        between. Raises Invalid, RuleViolated, RateLimited, NotAvailable, and Forbidden for a guest
        for whom none is taken."""
        return reserving.create(self._r, request, asking, by_guest=by_guest)

    def import_records(self, venue_id: str, records: Iterable[ImportRecord]) -> ImportReport:
        """Bring another system's reservations in; the same ones again change nothing. Raises
        NotFound."""
        return import_records(self._r, venue_id, records)

    # --- changing -------------------------------------------------------------------------------

    def amend(
        self,
        reference: str,
        patch: PatchRequest,
        if_match: str | None = None,
        asking: Asking = STAFF,
        *,
        by_guest: bool = False,
    ) -> View:
        """Overwrite what the patch names. A change of time, place or quantity that this replica
        may not decide becomes a pending change; the old claim stays meanwhile (§5.6). `by_guest`
        as for `create`."""
        return amending.amend(self._r, reference, patch, if_match, asking, by_guest=by_guest)

    def cancel(
        self,
        reference: str,
        reason: str = "guest_request",
        by: str = "guest",
        note: str | None = None,
        *,
        late: bool = False,
        by_guest: bool = False,
    ) -> View:
        """An intent; the capacity is free when its holder has ended the claim. `late`: whoever
        asks may cancel beyond the venue's limit. Raises RuleViolated for everybody else.
        `by_guest` as for `create`."""
        return marking.cancel(self._r, reference, reason, by, note, late=late, by_guest=by_guest)

    def check_in(
        self, reference: str, actual_party_size: int | None = None, *, by_guest: bool = False
    ) -> View:
        """The guests are here, perhaps fewer or more than were expected. `by_guest` as for
        `create`: then the venue's times for checking in bind. Raises RuleViolated."""
        return marking.check_in(self._r, reference, actual_party_size, by_guest=by_guest)

    def complete(self, reference: str) -> View:
        """The guests have gone; what they had is free from now on, not from the planned end."""
        return marking.complete(self._r, reference)

    def no_show(self, reference: str) -> View:
        """Only after the start: before it nobody can be late."""
        return marking.no_show(self._r, reference)

    def undo_no_show(self, reference: str) -> View:
        """They came after all, as far as that can still be said."""
        return marking.undo_no_show(self._r, reference)

    def confirm(self, reference: str) -> View:
        """The guest said again that they will come; saying it twice changes nothing."""
        return marking.confirm(self._r, reference)

    def approve(self, reference: str) -> View:
        """The house agrees to what a guest reserved by themself; saying it twice changes
        nothing."""
        return marking.approve(self._r, reference)

    # --- looking up -----------------------------------------------------------------------------

    def find(self, reference: str) -> View:
        """By id or by code, as a person types it. Raises NotFound, Conflict."""
        return recording.find(self._r, reference)

    def venue_of(self, view: View) -> str:
        """The venue id of a reservation."""
        return recording.venue_of(view)

    def select(
        self,
        venue: str | None = None,
        date: str | None = None,
        starts_from: int | None = None,
        starts_before: int | None = None,
        status: str | None = None,
        agent_id: str | None = None,
        resource: str | None = None,
        area: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        among: Collection[str] | None = None,
        form: str = "",
        approval: str | None = None,
    ) -> tuple[list[View], str | None]:
        """Views sorted by start, then id, and the cursor of the next page: reservations, or what
        stands as a `form`. With a status in which nothing was reserved yet, what is held and who
        waits. `area`: what has a claim on a resource that is there by the venue file as it is now
        (H-37). `approval`: how it stands with the house's word. `among` names the venues that may
        be looked at; None: all. Raises Invalid."""
        if status is not None and status not in lifecycle.STATUSES:
            raise Invalid.field("status", f"must be one of {', '.join(lifecycle.STATUSES)}")
        if approval not in (None, *STATES):
            raise Invalid.field("approval", f"must be one of {', '.join(STATES)}")
        forms = None if status in (lifecycle.INTENT, lifecycle.EXPIRED) else form
        book = self._r.book_of(venue) if venue is not None else None
        books = None if among is None else [self._r.book_of(one) for one in among]
        there = None if area is None else self._of_area(area, venue, among)
        after = read_cursor(cursor)
        found: list[View] = []
        while True:
            with self._r.lock:
                page = self._r.store.projections.select(
                    book=book, among=books, date=date, starts_from=starts_from,
                    starts_before=starts_before, status=status, agent_id=agent_id, form=forms,
                    after=after, limit=limit + 1, approval=approval,
                )  # fmt: skip
            for view in page:
                taken = {claim.resource for claim in shown_claims(view)}
                if resource is not None and resource not in taken:
                    continue
                if there is None or not taken.isdisjoint(there.get(view.book, ())):
                    found.append(view)
            if len(found) > limit or len(page) <= limit:
                break
            after = (page[-1].starts_at, page[-1].id)
        if len(found) > limit:
            last = found[limit - 1]
            return found[:limit], written_cursor(last)
        return found, None

    def _of_area(
        self, area: str, venue: str | None, among: Collection[str] | None
    ) -> dict[str, frozenset[str]]:
        """The resources of an area by their book, written as in the venue file or as in answers.
        Raises Invalid for what is an area of none of the venues."""
        if venue is None:
            venues = [one for one in self._r.venue_ids() if among is None or one in among]
        else:
            venues = [venue]
        files = [self._r.venue(one).venue for one in venues]
        found = {
            self._r.book_of(file.id): frozenset(
                one.id for one in file.resources if area_code(one.area) == area_code(area)
            )
            for file in files
        }
        if not area_code(area) or not any(found.values()):
            known = sorted({one.area for file in files for one in file.resources if one.area})
            way_out = f"is none of {', '.join(known)}" if known else "is unknown: there are none"
            raise Invalid.field("area", f"{area!r} {way_out}")
        return found

    def availability(
        self, request: AvailabilityRequest, *, by_guest: bool = False
    ) -> list[dict[str, Any]]:
        """The slots of the contract's `GET /availability`, of the person that it names by what they
        may; `by_guest` as for `create`. Raises Invalid, NotFound."""
        venue = self._r.venue(request.venue)
        reserving.check_words(request.kind, None, None, {})
        agent = reserving.named_agent(self._r, request.user_id, request.agent_id)
        asked = Asked(kind=request.kind, agent_id=agent, by_guest=by_guest)
        with self._r.lock:
            slots = offering.slots(self._r, venue, request, asked)
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

    def guest(self, view: View, *, own: bool = False) -> dict[str, Any] | None:
        """The guest card in clear; None where there is none or this replica cannot read it.

        The card of whoever had the reservation before stays with it until another one is given:
        `own` leaves it out, for the guest who has the reservation now.
        """
        if view.card is None:
            return None
        agents = [view.agent_id] if own else self._agents(view)
        return self._r.cards.read(self.venue_of(view), agents, view.card)

    def _agents(self, view: View) -> list[str]:
        """Everybody whose the reservation is or was, whoever has it now first."""
        with self._r.lock:
            record = self._r.record(view.id, view.book)
            events = [content_of(entry) for entry in record.seen] if record is not None else []
        named = {agent for event in events if event is not None and (agent := agent_of(event))}
        return [view.agent_id, *sorted(named - {view.agent_id})]

    def cancellation(self, view: View) -> tuple[int, str] | None:
        """When somebody cancelled it, in Unix milliseconds, and the note, empty where there is none
        or this replica cannot read it; None where nobody cancelled it by an entry of its own."""
        with self._r.lock:
            record = self._r.record(view.id, view.book)
            found = moments.cancelling(record.view, record.seen) if record is not None else None
        if found is None:
            return None
        entry, event = found
        card = None
        if event.note is not None:
            card = self._r.cards.read(self.venue_of(view), self._agents(view), event.note)
        note = (card or {}).get("note")
        return entry.stamp >> 16, note if isinstance(note, str) else ""

    def happened(self, view: View) -> tuple[int, int]:
        """When the guest first said again that they will come, and when they left, in Unix
        milliseconds; 0 for what did not happen, or of which nobody here knows when (H-13, H-16)."""
        with self._r.lock:
            record = self._r.record(view.id, view.book)
        seen = record.seen if record is not None else ()
        return (
            moments.attendance_confirmed_at_ms(seen) if view.attendance_confirmed else 0,
            moments.completed_at_ms(seen) if view.status == lifecycle.COMPLETED else 0,
        )


def written_cursor(last: View) -> str:
    """The cursor of what comes after a reservation in a list by start and id."""
    return f"{last.starts_at}.{last.id.hex()}"


def read_cursor(cursor: str | None) -> tuple[int, bytes] | None:
    """The start and the id of the last of the page before, as `written_cursor` wrote them. Raises
    Invalid."""
    if cursor is None:
        return None
    starts, _, reservation = cursor.partition(".")
    try:
        if abs(int(starts)) <= EPOCH_SECONDS_MAX:
            return int(starts), bytes.fromhex(reservation)
    except ValueError:
        pass  # What is no number is refused like one that is no time.
    raise Invalid.field("cursor", "is not one that this list gave; start again")
