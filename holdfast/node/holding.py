"""What a holder of rights does after a merge: decide what is asked of it, end what was requested.

Owns when and in which order (DESIGN §5.4-§5.6), on the hub and on a device alike; what the answer
is, `model.deciding` says, and who holds what, `model.rights`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.model import deciding, lifecycle
from holdfast.model.claims import PENDING, STANDBY, ClaimView
from holdfast.model.entries import ClaimId
from holdfast.model.events import ClaimDecided, ClaimEnded
from holdfast.model.limits import (
    BACKLOG_PATIENCE_SECONDS,
    CLAIMS_PER_ENTRY_MAX,
    DECISIONS_PER_TRANSACTION,
    HEADS_PER_DECISION_MAX,
    TOUCHED_EARLY_MAX,
)
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import BLOCK, View, claims_to_end, picked
from holdfast.model.rights import HUB
from holdfast.node import overriding, selling
from holdfast.store.projections import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.node.service import Service


_TURNS: Final = 4
"""How often one reservation is looked at in a row; what is left then waits for the next time."""


class Holding:
    def __init__(self, replica: Service) -> None:
        self._r = replica
        self._backlogs: dict[tuple[str, bytes], float] = {}
        self._relied: dict[str, dict[int, bytes]] = {}
        self._rights: dict[str, tuple[int, int]] = {}
        self._others: dict[str, set[bytes]] = {}
        self._touched_early: dict[tuple[str, bytes], dict[bytes, None]] = {}

    def forget(self) -> None:
        """What was named in decisions that were not kept is to be named again."""
        self._relied.clear()
        self._rights.clear()
        self._others.clear()

    def backlog(self, name: str, sender: bytes, reservations: Iterable[bytes]) -> None:
        """A piece came in and more will: nothing of its sender is decided before the last one."""
        key = (name, sender)
        self._backlogs[key] = self._r.clock.monotonic_ms() + BACKLOG_PATIENCE_SECONDS * 1000
        # What this piece cancelled is freed with the last one, which need not touch it again.
        early = self._touched_early.setdefault(key, {})
        if len(early) < TOUCHED_EARLY_MAX:
            early.update(dict.fromkeys(reservations))

    def backlog_over(self, name: str, sender: bytes) -> None:
        self._backlogs.pop((name, sender), None)

    def all_told(self, name: str) -> None:
        """Whoever knows everything has told all of it: nobody's backlog is waited for any more."""
        for key in [key for key in self._backlogs if key[0] == name]:
            del self._backlogs[key]

    def touched(self, name: str, sender: bytes, reservations: Iterable[bytes]) -> list[bytes]:
        """After the last piece of a sender: all reservations that its pieces touched, to `settle`
        with."""
        early = self._touched_early.pop((name, sender), {})
        return [*early, *reservations]

    def settle(self, name: str, touched: list[bytes] | None = None) -> int:
        """Decide what waits and end what is to be freed. Returns how many entries that took.

        `touched` are the reservations that may ask for an end; None: look at all.
        """
        if not self._r.may_decide(name):
            return 0
        administration = self._r.book(name).administration
        rights = (administration.rights.changes, len(administration.closes))
        everything = touched is None
        if self._rights.get(name) != rights:
            # What another held may be this replica's to decide and to end now.
            everything, self._rights[name] = True, rights
            self._others.pop(name, None)
        decided = self._decide_all(name)
        written = len(decided)
        with self._r.transaction():
            # What was refused may have had a place that was only held for it.
            asking = dict.fromkeys((*(touched or ()), *decided))
            now_s = self._r.clock.now_ms() // 1000
            if everything:
                statuses = (*lifecycle.ENDS_CLAIMS, lifecycle.COMMIT_FAILED)
                self._r.write_projections()
                asking.update(
                    dict.fromkeys(self._r.store.projections.ending(name, statuses, now_s))
                )
            for reservation in asking:
                # What gives way to one move may leave another that was granted without a place to
                # take.
                for _ in range(_TURNS):
                    record = self._r.record(reservation, name)
                    if record is None:
                        break
                    ended = self._end_requested(name, record.view, now_s)
                    written += ended
                    if not ended:
                        break
        return written

    def _decide_all(self, name: str) -> list[bytes]:
        """Decide every claim asked of this holder, in stamp order, in transactions of bounded size.
        What another one is asked is not looked at again before rights move. Returns the
        reservations, once for each entry."""
        venue = self._r.book(name).administration.venue
        if venue is None:
            return []
        with self._r.lock:
            waiting = self._r.store.projections.undecided(name)
            late = self._behind_backlog(name)
            if self._r.account != HUB and any(book == name for book, _ in self._backlogs):
                # Whoever tells a device something passes on what others wrote.
                return []
            others = self._others.setdefault(name, set())
            others.intersection_update([row[2] for row in waiting] if others else ())
            decidable = [row for row in waiting if row[1] not in late and row[2] not in others]
            decided: list[bytes] = []
            for start in range(0, len(decidable), DECISIONS_PER_TRANSACTION):
                some = decidable[start : start + DECISIONS_PER_TRANSACTION]
                with self._r.transaction():
                    heads = self._relied_on(name)
                    self._r.store.projections.preload(name, [row[3] for row in some])
                    for _, _, operation, reservation in some:
                        if self._decide_one(name, venue, operation, reservation, heads):
                            decided.append(reservation)
            return decided

    def await_backlogs(self, name: str) -> None:
        """After a start: what is undecided may be the first half of a backlog, whose rest cancels
        some of it. Its writers are waited for like any backlog (§5.4)."""
        until = self._r.clock.monotonic_ms() + BACKLOG_PATIENCE_SECONDS * 1000
        for _, writer, _, _ in self._r.store.projections.undecided(name):
            self._backlogs[name, writer] = until

    def _behind_backlog(self, name: str) -> set[bytes]:
        """Incarnations whose backlog is still coming in: a later piece may cancel (§5.4)."""
        now = self._r.clock.monotonic_ms()
        for key in [key for key, until in self._backlogs.items() if until < now]:
            del self._backlogs[key]
        senders = {sender for book, sender in self._backlogs if book == name}
        authors = self._r.book(name).authors
        names = {authors[sender].info.name for sender in senders if sender in authors}
        return {inc for inc, author in authors.items() if author.info.name in names} | senders

    def _relied_on(self, name: str) -> tuple[tuple[bytes, int, bytes], ...]:
        """The heads that moved since the last decisions here: with those named before, all that
        this decision was made in sight of."""
        named = self._relied.setdefault(name, {})
        own = self._r.identity.incarnation
        moved = []
        for chain in self._r.store.journal.chains(name):
            if chain.incarnation != own and named.get(chain.id) != chain.head:
                named[chain.id] = chain.head
                moved.append((chain.incarnation, chain.length, chain.head[:8]))
        return tuple(moved[:HEADS_PER_DECISION_MAX])

    def _decide_one(
        self,
        name: str,
        venue: VenueIndex,
        operation: bytes,
        reservation: bytes,
        heads: tuple[tuple[bytes, int, bytes], ...],
    ) -> int:
        record = self._r.record(reservation, name)
        if record is None:
            return 0
        view = record.view
        wished = [claim for claim in view.claims if claim.id.operation == operation]
        asked = [claim for claim in wished if claim.state in (PENDING, STANDBY)]
        if not asked:
            return 0
        answerer = deciding.answerer(self._r.rights(name), view, operation)
        if answerer != self._r.account or not self._r.has_room(name, reservation):
            # Also where somebody had this device answer until no word of its more would count: that
            # reservation waits until the right is the hub's again, and nothing else does.
            self._others[name].add(operation)
            return 0
        if view.status in (lifecycle.CANCELLED, lifecycle.EXPIRED) or (
            view.status == lifecycle.NO_SHOW and view.no_show_at_ms
        ):
            # Given up before it was decided: it gets its end and displaces nobody (§5.4).
            reason = "no_show" if view.status == lifecycle.NO_SHOW else "cancelled"
            self._end(name, view, tuple(claim.id for claim in asked), reason)
            return 1
        made = view.making and self._is_making(record, operation)
        # What reserves a hold takes its place, whether it names it or not; so does what asks for
        # the place of a no-show anew, also of guests who are seated there already.
        takes_over = operation == view.reserving and view.status in (
            lifecycle.COMMIT_PENDING, lifecycle.CHECKED_IN,
        )  # fmt: skip
        if (made and operation != view.making) or (
            view.live and not takes_over and all(claim.replaces is None for claim in asked)
        ):
            # One record that was brought in on two devices: a reservation has one place.
            self._end(name, view, tuple(claim.id for claim in asked), "superseded")
            return 1
        stock = selling.stock(self._r, name, venue)
        if not selling.may_answer(self._r, name, asked):
            return 0
        own = {claim.id for claim in view.live if selling.holds(self._r, name, claim)}
        occupancy = self._r.store.projections.occupancy(name)
        verdict = deciding.decide(view, operation, venue, stock, occupancy, own)
        if verdict.verdict == "displaced" and overriding.override_in(self._r, record, operation):
            # Only what has no room is looked for beyond the capacity.
            blocking = view.form is not None and view.form.form == BLOCK
            beyond = selling.beyond(self._r, name, venue, blocking=blocking)
            verdict = deciding.decide(view, operation, venue, stock, occupancy, own, beyond)
        if not view.code and verdict.verdict == "admitted":
            verdict = verdict._replace(verdict="displaced", reason="quarantined", ends=())
        by: tuple[bytes, ...] = ()
        if verdict.verdict != "admitted":
            by = selling.answering_by(self._r, name, wished)
        self._r.append(
            name,
            ClaimDecided(
                operation, verdict.verdict, verdict.reason, verdict.won, heads,
                verdict.from_resources, by,
            ),
            subject=view.id,
            claims=verdict.claims,
            ends=verdict.ends,
        )  # fmt: skip
        return 1

    @staticmethod
    def _is_making(record: Record, operation: bytes) -> bool:
        return any(
            seen.operation == operation and seen.kind == "reservation.created"
            for seen in record.seen
        )

    def _end_requested(self, name: str, view: View, now_s: int) -> int:
        """End what was asked to end and is held here, and what gives way to a move (§5.6)."""
        written = 0
        ending = claims_to_end(view, now_s)
        if ending:
            rights = self._r.rights(name)
            own = [
                claim
                for claim in ending
                if (
                    deciding.answerer(rights, view, claim.id.operation) == self._r.account
                    if claim.state in (PENDING, STANDBY)
                    else selling.holds(self._r, name, claim)
                )
            ]
            if view.status in lifecycle.ENDS_CLAIMS:
                written += self._end_all(name, view, own, view.status)
            else:
                standing = view.live[0].id.operation if view.live else b""
                written += self._end_all(name, view, own, "superseded", standing)
        if view.status not in lifecycle.ENDS_CLAIMS and (pick := picked(view)) is not None:
            favour, old = pick
            own = [claim for claim in old if selling.holds(self._r, name, claim)]
            written += self._end_all(name, view, own, "moved", favour)
        return written

    def _end_all(
        self, name: str, view: View, ending: list[ClaimView], reason: str, favour: bytes = b""
    ) -> int:
        claims = tuple(claim.id for claim in ending)
        written = 0
        for start in range(0, len(claims), CLAIMS_PER_ENTRY_MAX):
            if not self._r.has_room(name, view.id):
                break
            self._end(name, view, claims[start : start + CLAIMS_PER_ENTRY_MAX], reason, favour)
            written = 1
        return written

    def _end(
        self,
        name: str,
        view: View,
        claims: tuple[ClaimId, ...],
        reason: str,
        favour: bytes = b"",
    ) -> None:
        by: tuple[bytes, ...] = ()
        waiting = {one.id: one for one in view.claims if one.state in (PENDING, STANDBY)}
        if self._r.account != HUB and not waiting.keys().isdisjoint(claims):
            named = selling.answering_by(self._r, name, waiting.values())
            by_claim = dict(zip(waiting, named, strict=True))
            by = tuple(by_claim.get(claim, b"") for claim in claims)
        self._r.append(name, ClaimEnded(reason, favour, by), subject=view.id, ends=claims)
