"""A hub and devices that are nothing but the model: chains of entries, and who knows which.

Owns writers that sell, ask, decide, end and hand over by `holdfast.model` alone, as the node's code
does around it; and observers to which any entry may come at any time. Knows no store, no page and
no clock but a counter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from holdfast.model import lifecycle
from holdfast.model.capacity import Held, Occupancy
from holdfast.model.claims import LIVE, OCCUPYING, PENDING, READY, STANDBY, ClaimView, Seen, wish_of
from holdfast.model.deciding import GrantedStock, HubStock, Stock, answerer, decide
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    ClaimDecided,
    ClaimEnded,
    Event,
    NodeRevoked,
    RightGranted,
    RightReturned,
    RightRevoked,
    encode_content,
)
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import (
    View,
    claims_to_end,
    fold,
    followed,
    picked,
    standing_claims,
)
from holdfast.model.rights import HUB as HUBS
from holdfast.model.rights import Rights
from tests.model.plain import HUB, Word

NAMES: Final = {HUB: "hub", b"D" * 16: "desk", b"K" * 16: "kiosk", b"M" * 16: "liar"}


class Observer:
    """Somebody to whom entries come, in any order, some of them twice."""

    def __init__(self) -> None:
        self.words: dict[bytes, Word] = {}
        self.rights = Rights()
        self.seen: dict[bytes, list[Seen]] = {}

    def receive(self, words: Iterable[Word]) -> None:
        for word in words:
            if word.operation not in self.words:
                self.words[word.operation] = word
                self._fold_rights(word)
            for reservation, seen in _seen(word):
                self.seen.setdefault(reservation, []).append(seen)

    def _fold_rights(self, word: Word) -> None:
        event = word.event
        if isinstance(event, RightReturned):
            self.rights.returned(word.node, word.n, word.stamp, word.operation, event)
        elif word.node != HUB:
            return
        elif isinstance(event, RightGranted):
            self.rights.granted(word.operation, word.stamp, event)
        elif isinstance(event, RightRevoked):
            self.rights.revoked(word.stamp, word.operation, event)
        elif isinstance(event, NodeRevoked):
            for incarnation, entries, _ in event.heads:
                self.rights.shut_out(incarnation, entries, word.stamp)

    def view(self, reservation: bytes) -> View:
        return fold(reservation, self.seen[reservation], self.rights)

    def views(self) -> list[View]:
        return [self.view(reservation) for reservation in sorted(self.seen)]

    def chain(self, node: bytes) -> list[Word]:
        """What is known of a chain without a gap."""
        known = {word.n: word for word in self.words.values() if word.node == node}
        found: list[Word] = []
        while len(found) + 1 in known:
            found.append(known[len(found) + 1])
        return found


class Writer(Observer):
    """A hub or a device: what it writes follows from what it knows."""

    def __init__(self, node: bytes, venue: VenueIndex) -> None:
        super().__init__()
        self.node, self.venue = node, venue
        self.account = HUBS if node == HUB else node
        self.last = 0

    def write(
        self,
        now: int,
        event: Event,
        *,
        subject: bytes = b"",
        claims: tuple[Claim, ...] = (),
        ends: tuple[ClaimId, ...] = (),
        follows: tuple[bytes, ...] | None = None,
    ) -> Word:
        """One more entry at the end of the own chain, in sight of all that is known."""
        self.last = max(self.last + 1, now)
        n = len(self.chain(self.node)) + 1
        if follows is None:
            follows = followed(self.view(subject)) if subject in self.seen else ()
        word = Word(
            self.node, n, self.last << 16, self.node[:8] + n.to_bytes(8, "big"), event, subject,
            follows, claims, ends,
        )  # fmt: skip
        self.receive([word])
        return word

    # --- selling --------------------------------------------------------------------------------

    def occupancy(self) -> Occupancy:
        rows: dict[str, list[Held]] = {}
        for view in self.views():
            for claim in view.claims:
                if claim.state in OCCUPYING or claim.state in (PENDING, STANDBY):
                    rows.setdefault(claim.resource, []).append(self._held(view, claim))

        def load(resource: str, start: int, end: int) -> list[Held]:
            return [one for one in rows.get(resource, ()) if one.start < end and one.end > start]

        return Occupancy(
            load,
            lambda resource: [
                (held.start, held.end, held.right.quantity)
                for held in self.rights.of_resource(resource)
            ],
        )

    def _held(self, view: View, claim: ClaimView) -> Held:
        live = claim.state in OCCUPYING
        base = Held(claim.id, claim.start, claim.end, claim.quantity, live, view.id)
        held = self.rights.account(claim.id, claim.right, claim.end) if live else None
        return base if held is None else base._replace(account=held.right.id, split=held.start)

    def stock(self, occupancy: Occupancy) -> Stock:
        if self.node == HUB:
            return HubStock(self.venue, occupancy)
        return GrantedStock(self.rights, self.node, occupancy, lambda held: held.start)

    def placed(
        self, wanted: Sequence[Claim], view: View | None = None
    ) -> tuple[tuple[Claim, ...], tuple[ClaimId, ...]]:
        """Claims as they are written, and what ends with them: sold from one's own, else asked of
        the one holder that has the right to all of them, else of the hub."""
        live, waiting = ([], []) if view is None else (view.live, view.pending)
        own = self.own_ends(live)
        if view is None or len(own) < len(live):
            own = ()
        elif not any(claim.state == READY for claim in view.claims):
            own += self.own_ends(waiting)
        stock = self.stock(self.occupancy())
        sold = [stock.right_for(claim, own) for claim in wanted]
        standing = [] if view is None else standing_claims(view)
        named = [claim.id for claim in standing or [*live, *waiting]]
        if None not in sold:
            named = [claim.id for claim in [*standing, *live, *waiting] if claim.id not in own]
        asks = b"" if None not in sold else self._whom(wanted)
        made = tuple(
            replace(
                claim,
                right=b"" if None in sold else sold[index] or HUB_RIGHT,
                asks=asks,
                replaces=named[min(index, len(named) - 1)] if named else None,
            )
            for index, claim in enumerate(wanted)
        )
        return made, () if None in sold else own

    def _whom(self, wanted: Iterable[Claim]) -> bytes:
        holders = [
            {
                held.holder
                for held in self.rights.of_resource(claim.resource)
                if held.covers(claim.resource, claim.start, claim.end)
                and held.right.quantity >= claim.quantity
                and held.holder != self.account
            }
            for claim in wanted
        ]
        return min(set.intersection(*holders), default=HUBS)

    def holds(self, claim: ClaimView) -> bool:
        return self.rights.holder(claim.id, claim.right, claim.end) == self.account

    def own_ends(self, claims: Iterable[ClaimView]) -> tuple[ClaimId, ...]:
        return tuple(
            claim.id
            for claim in claims
            if (claim.state in OCCUPYING and self.holds(claim))
            or (claim.state not in OCCUPYING and self.node == HUB and not claim.asks)
        )

    # --- what a holder owes ---------------------------------------------------------------------

    def settle(self, now: int) -> int:
        """Decide what is asked of this holder, in the order of the stamps; end what is to end."""
        asked = sorted(
            {
                (claim.stamp, claim.id.operation, view.id)
                for view in self.views()
                for claim in view.pending
            }
        )
        written = sum(self._decide(now, operation, one) for _, operation, one in asked)
        for reservation in sorted(self.seen):
            for _ in range(4):
                ended = self._end_requested(now, reservation)
                written += ended
                if not ended:
                    break
        return written

    def _answers(self, view: View, operation: bytes) -> bool:
        return answerer(self.rights, view, operation) == self.account

    def _answers_by(self, claims: Sequence[ClaimView]) -> tuple[bytes, ...]:
        """The rights that a device names where it answers for what was never granted."""
        if self.node == HUB:
            return ()
        return tuple(
            self.rights.answers_by(self.account, wish_of(claim))
            if claim.state in (PENDING, STANDBY)
            else b""
            for claim in claims
        )

    def _decide(self, now: int, operation: bytes, reservation: bytes) -> int:
        view = self.view(reservation)
        asked = [claim for claim in view.pending if claim.id.operation == operation]
        if not asked or not self._answers(view, operation):
            return 0
        ids = tuple(claim.id for claim in asked)
        if view.status == lifecycle.CANCELLED:
            event = ClaimEnded("cancelled", by=self._answers_by(asked))
            self.write(now, event, subject=reservation, ends=ids)
            return 1
        if not view.making:
            # Its making is not here yet: as at a gate, nothing is judged before.
            return 0
        occupancy = self.occupancy()
        own: Collection[ClaimId] = {claim.id for claim in view.live if self.holds(claim)}
        verdict = decide(view, operation, self.venue, self.stock(occupancy), occupancy, own)
        by = () if verdict.verdict == "admitted" else self._answers_by(asked)
        answer = ClaimDecided(operation, verdict.verdict, verdict.reason, verdict.won, by=by)
        self.write(
            now, answer, subject=reservation, claims=verdict.claims, ends=verdict.ends, follows=()
        )
        return 1

    def _end_requested(self, now: int, reservation: bytes) -> int:
        view = self.view(reservation)
        ending: list[ClaimView] = []
        for claim in claims_to_end(view, 0):
            waits = claim.state in (PENDING, STANDBY)
            if self._answers(view, claim.id.operation) if waits else self.holds(claim):
                ending.append(claim)
        over = view.status in lifecycle.ENDS_CLAIMS
        favour = b"" if over or not view.live else view.live[0].id.operation
        pick = None if over else picked(view)
        if not ending and pick is not None:
            favour = pick[0]
            ending = [claim for claim in pick[1] if self.holds(claim)]
        if ending:
            event = ClaimEnded("superseded", favour, self._answers_by(ending))
            ids = tuple(claim.id for claim in ending)
            self.write(now, event, subject=reservation, ends=ids, follows=())
        return len(ending)

    # --- handing over ---------------------------------------------------------------------------

    def grant(
        self, now: int, to: bytes, resource: str, quantity: int, start: int, end: int
    ) -> Word | None:
        """What of [start, end) the hub can hand out, with the claims in it; None: nothing."""
        unit = self.venue.resource_by_id[resource].capacity == 1
        claims = sorted(
            (
                (claim, view.id)
                for view in self.views()
                for claim in view.occupying
                if claim.resource == resource and claim.start < end and start < claim.end
            ),
            key=lambda one: (one[0].start, one[0].id),
        )
        if not unit:
            free = self.occupancy().free(
                resource, self.venue.resource_by_id[resource].capacity, start, end, account=HUBS
            )
            if free < quantity:
                return None
            return self.write(now, RightGranted(to, (resource,), quantity, start, end))
        if any(h.start < end and start < h.end for h in self.rights.of_resource(resource)):
            return None
        for claim, _ in claims:
            if claim.start < start:
                start = max(start, claim.end)
            elif claim.end > end:
                end = min(end, claim.start)
        inside = [one for one in claims if start <= one[0].start and one[0].end <= end]
        if start >= end:
            return None
        handed = tuple((view, claim.id.operation, claim.id.index) for claim, view in inside)
        envelope = tuple(replace(wish_of(claim), right=claim.right) for claim, _ in inside)
        event = RightGranted(to, (resource,), 1, start, end, handed=handed)
        return self.write(now, event, claims=envelope)


def _seen(word: Word) -> list[tuple[bytes, Seen]]:
    """An entry as the reservations see it: a grant of the hub is one of each that it hands over."""
    event = word.event
    base = Seen(
        word.operation, KIND_BY_EVENT[type(event)], word.stamp, word.node, NAMES[word.node],
        word.node == HUB, word.follows, word.claims, word.ends, encode_content(event), word.n,
    )  # fmt: skip
    if not isinstance(event, RightGranted):
        return [(word.subject, base)] if word.subject else []
    if word.node != HUB:
        return []
    parts: dict[bytes, list[int]] = {}
    for place, (reservation, _, _) in enumerate(event.handed):
        parts.setdefault(reservation, []).append(place)
    return [
        (
            reservation,
            replace(
                base,
                claims=tuple(word.claims[place] for place in places),
                content=encode_content(
                    replace(event, handed=tuple(event.handed[place] for place in places))
                ),
            ),
        )
        for reservation, places in parts.items()
    ]


def live_operations(view: View) -> set[bytes]:
    return {claim.id.operation for claim in view.claims if claim.state == LIVE}
