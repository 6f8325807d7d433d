"""Handing out rights and taking them back: what only the hub may write (DESIGN §5.7, §5.11).

Owns the wishes of the venue file, grants by command and revocations: which instants of a resource
can be granted without cutting a claim in two, which live claims pass with them, and how many
grants that takes. That the sum of all rights and sales stays within the capacity follows from here.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.model import calendar, wall
from holdfast.model.capacity import Profile
from holdfast.model.entries import Claim
from holdfast.model.errors import Conflict, Invalid, NotFound, RuleViolated
from holdfast.model.events import RightGranted, RightRevoked
from holdfast.model.limits import CLAIMS_PER_ENTRY_MAX
from holdfast.model.offers import VenueIndex
from holdfast.model.rights import FOREVER, Held
from holdfast.model.venue import AllotmentWish, Resource, Venue
from holdfast.model.vocabulary import RIGHT_REVOKE_REASONS
from holdfast.node import holding_apart
from holdfast.node.books import BookState
from holdfast.node.holding_apart import Kept
from holdfast.node.reasons import reason_code
from holdfast.store.projections import StoredClaim
from holdfast.sync.seals import chain_start

if TYPE_CHECKING:
    from holdfast.node.hub import Hub


HUB_HOLDER: Final = "hub"
"""What the venue file calls the hub, where it names holders."""


class Request(NamedTuple):
    """What somebody is to hold: `quantity` None: all of it; `release_minutes` -1: never released.
    Instants are epoch seconds."""

    holder: str
    resources: tuple[str, ...]
    quantity: int | None
    start: int
    end: int
    release_minutes: int = -1


class _Piece(NamedTuple):
    """A stretch of one resource that can be granted whole, with the claims that pass with it.
    `whole`: it is all that there is of the resource."""

    resource: str
    quantity: int
    start: int
    end: int
    claims: tuple[StoredClaim, ...]
    whole: bool


class _Pieces(NamedTuple):
    """What can be granted, why the rest cannot, and whether some of it can once nobody has it
    held any more."""

    pieces: list[_Piece]
    missing: list[str]
    postponed: bool


class Granting:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._fulfilled: dict[str, tuple[object, ...]] = {}

    def forget(self) -> None:
        """A transaction failed: what was granted in it was not."""
        self._fulfilled.clear()

    # --- wishes -----------------------------------------------------------------------------------

    def fulfil(self, name: str, again: str = "") -> int:
        """Grant what the venue file wishes and nobody holds. Returns how many grants that took.

        Who had a right to a resource once gets it again only when a person says so (`again` names
        the holder): its last life may have made sales that exist on paper alone (§5.8).
        """
        administration = self._hub.book(name).administration
        venue = administration.venue
        if venue is None or not venue.venue.allotments or not self._hub.may_decide(name):
            return 0
        state = (
            administration.venue_order, len(self._hub.book(name).authors),
            administration.rights.changes, len(administration.closes), len(administration.revoked),
        )  # fmt: skip
        if not again and self._fulfilled.get(name) == state:
            return 0
        granted, postponed = 0, False
        for _, request in self._wished(venue):
            if again not in ("", request.holder):
                continue
            life = self._life(name, request.holder)
            if life is None:
                continue
            fresh = [
                resource
                for resource in request.resources
                if not self._has(name, life, resource)
                and (again or not self._had(name, request.holder, resource))
            ]
            some = self._pieces(name, venue, request._replace(resources=tuple(fresh)))
            granted += self._grant(name, life, request.release_minutes, some.pieces)
            postponed |= some.postponed
        if not (again or postponed):
            # With `again` the wishes of one holder alone were looked at.
            self._fulfilled[name] = (*state[:2], administration.rights.changes, *state[3:])
        return granted

    def again(self, venue_id: str, holder: str) -> list[bytes]:
        """Grant a device what the venue file wishes for it, also what it had once and is its no
        more: a person says that nothing was sold from it that only a lost directory knows. Returns
        the rights. Raises NotFound, Conflict, RuleViolated."""
        venue = self._hub.venue(venue_id)
        name = self._hub.book_of(venue_id)
        if all(wish.holder != holder for wish in venue.venue.allotments):
            raise NotFound(
                f"the venue file of {venue_id} wishes nothing for {holder!r}; grant it by name: "
                "`holdfast allotments grant --resource`"
            )
        with self._hub.transaction():
            self._hub.require_writing(name)
            self._require_life(name, holder)
            before = set(self._hub.rights(name).by_id)
            self.fulfil(name, again=holder)
            return self._new(name, before)

    def _new(self, name: str, before: set[bytes]) -> list[bytes]:
        active = self._hub.rights(name).active()
        return [held.right.id for held in active if held.right.id not in before]

    def why_not(self, name: str, number: int, resources: Collection[str]) -> list[str]:
        """Why these resources of a wish (its number in the venue file) cannot be granted now, in
        sentences; none for those that can."""
        venue = self._hub.book(name).administration.venue
        if venue is None:
            return []
        with self._hub.transaction():
            for place, request in self._wished(venue):
                if place == number:
                    some = tuple(one for one in request.resources if one in resources)
                    return self._pieces(name, venue, request._replace(resources=some)).missing
        return []

    def _wished(self, venue: VenueIndex) -> Iterator[tuple[int, Request]]:
        """What devices are to hold by the venue file, with the number of the wish."""
        start = self._from_now(venue)
        for number, wish, matching in wishes(venue):
            if wish.holder != HUB_HOLDER and matching:
                release = -1 if wish.release_minutes is None else wish.release_minutes
                ids = tuple(one.id for one in matching)
                yield (
                    number,
                    Request(wish.holder, ids, wish.quantity, start, FOREVER, release),
                )

    def _from_now(self, venue: VenueIndex) -> int:
        """The beginning of today's service day: what is granted without a date holds from then."""
        now_s = self._hub.clock.now_ms() // 1000
        return calendar.service_day(venue.venue, calendar.service_date(venue.venue, now_s))[0]

    def _has(self, name: str, life: bytes, resource: str) -> bool:
        return any(held.holder == life for held in self._hub.rights(name).of_resource(resource))

    def _had(self, name: str, holder: str, resource: str) -> bool:
        authors = self._hub.book(name).authors
        return any(
            resource in right.resources
            and (author := authors.get(right.holder)) is not None
            and author.info.name == holder
            for right in self._hub.rights(name).by_id.values()
        )

    def _life(self, name: str, holder: str) -> bytes | None:
        """The one life of a device that may be granted something; None: none yet, or several."""
        lives = lives_of(self._hub.book(name), holder)
        return lives[0] if len(lives) == 1 else None

    # --- by command -------------------------------------------------------------------------------

    def grant(
        self,
        venue_id: str,
        holder: str,
        resources: Sequence[str],
        quantity: int | None = None,
        from_date: str | None = None,
        until_date: str | None = None,
        release_minutes: int | None = None,
    ) -> list[Held]:
        """Hand resources (ids or patterns) to a device: from a service date on, up to and with
        another. Returns the rights. Raises NotFound, Invalid, Conflict, RuleViolated."""
        venue = self._hub.venue(venue_id)
        name = self._hub.book_of(venue_id)
        found = matched(venue, resources)
        if not found:
            raise Invalid.field("resources", f"{venue_id} has none that is called so")
        start = (
            self._from_now(venue)
            if from_date is None
            else calendar.service_day(venue.venue, wall.parse_date(from_date))[0]
        )
        end = (
            FOREVER
            if until_date is None
            else calendar.service_day(venue.venue, wall.parse_date(until_date))[1]
        )
        if start >= end:
            raise Invalid.field("until", "must not be before from")
        release = -1 if release_minutes is None else release_minutes
        with self._hub.transaction():
            life = self._require_life(name, holder)
            request = Request(holder, tuple(one.id for one in found), quantity, start, end, release)
            pieces, missing, _ = self._pieces(name, venue, request)
            if missing:
                message = " ".join(missing)
                raise RuleViolated(message, [{"rule": "not-free", "message": message}])
            before = set(self._hub.rights(name).by_id)
            self._grant(name, life, release, pieces)
            return [held for held in self._hub.rights(name).active() if held.right.id not in before]

    def _require_life(self, name: str, holder: str) -> bytes:
        life = self._life(name, holder)
        if life is not None:
            return life
        book = self._hub.book(name)
        lives = [one for one, author in book.authors.items() if author.info.name == holder]
        if not lives:
            raise NotFound(
                f"no device {holder!r} was heard in this venue yet; it must connect once before "
                "it can hold anything"
            )
        raise Conflict(
            f"{holder} has several lives, or was shut out: revoke what is not in use with "
            f"`holdfast hub revoke`, or let it connect, and try again"
        )

    def revoke(self, right: bytes, reason: str) -> None:
        """Take a right back: what its holder wrote beyond the head that this hub holds is no sale
        (§5.7, §5.12). Raises NotFound, Invalid, RuleViolated."""
        code = reason_code(reason, RIGHT_REVOKE_REASONS)
        with self._hub.transaction():
            for name in self._hub.books:
                held = self._hub.rights(name).now(right)
                if held is not None:
                    entries, head = 0, chain_start(name, held.holder)
                    if self._hub.store.journal.chain(name, held.holder) is not None:
                        chain = self._hub.standing(name, held.holder)
                        entries, head = chain.length, chain.head
                    self._hub.append(name, RightRevoked(right, held.holder, entries, head, code))
                    return
        raise NotFound("no such allotment is in force; `holdfast allotments list` shows what is")

    def require_room(self, name: str, venue: Venue) -> None:
        """What was granted stays so when the venue changes: a capacity is lowered out of the hub's
        own share alone (§5.11). Raises RuleViolated."""
        levels: dict[str, Profile] = {}
        for held in self._hub.rights(name).active():
            for resource in held.right.resources:
                level = levels.setdefault(resource, Profile())
                level.shift(held.start, held.end, held.right.quantity)
        capacity = {resource.id: resource.capacity for resource in venue.resources}
        short = [
            f"{resource}: {most} granted to devices, {capacity.get(resource, 0)} would be left."
            for resource, level in sorted(levels.items())
            if (most := level.peak(0, FOREVER)) > capacity.get(resource, 0)
        ]
        if short:
            message = " ".join(short) + (
                " Let the devices return them, or revoke them, with `holdfast allotments` first."
            )
            raise RuleViolated(message, [{"rule": "granted", "message": message}])

    # --- what can be granted ----------------------------------------------------------------------

    def _pieces(self, name: str, venue: VenueIndex, request: Request) -> _Pieces:
        """What of a request can be granted now, and why the rest cannot, in words."""
        found = _Pieces([], [], False)
        pieces, missing = found.pieces, found.missing
        # What this transaction has folded is not on disk yet; `kept_places` writes it.
        kept = holding_apart.kept_places(self._hub, name)
        for resource_id in request.resources:
            resource = venue.resource_by_id[resource_id]
            try:
                pieces += (
                    self._share(name, resource, request)
                    if resource.pool
                    else self._whole(name, resource, request, kept.get(resource_id, ()))
                )
            except Conflict as conflict:
                missing.append(conflict.detail)
                found = found._replace(postponed=found.postponed or resource_id in kept)
        return found

    def _share(self, name: str, resource: Resource, request: Request) -> list[_Piece]:
        """A share of a pool, out of what is left of it throughout. Raises Conflict."""
        wanted = resource.capacity if request.quantity is None else request.quantity
        rights = self._hub.rights(name)
        level = Profile()
        for held in rights.of_resource(resource.id):
            level.shift(held.start, held.end, held.right.quantity)
        for claim in self._claims(name, resource.id, request.start, request.end):
            account = rights.account(claim.id, claim.right, claim.end)
            last = claim.end if account is None else min(account.start, claim.end)
            if claim.start < last:
                level.shift(claim.start, last, claim.quantity)
        free = resource.capacity - level.peak(request.start, request.end)
        if free < wanted:
            raise Conflict(f"{resource.id} has {max(free, 0)} left to hand out, not {wanted}.")
        whole = wanted == resource.capacity
        return [_Piece(resource.id, wanted, request.start, request.end, (), whole)]

    def _whole(
        self, name: str, resource: Resource, request: Request, kept: Iterable[Kept]
    ) -> list[_Piece]:
        """A unit, with the claims that pass to its new holder; what stands across its beginning or
        end stays the hub's, and so do those instants. Raises Conflict, also where a part of it is
        `kept` for somebody: it would be another's by the time that they reserve it."""
        for held in self._hub.rights(name).of_resource(resource.id):
            if held.start < request.end and request.start < held.end:
                holder = self._hub.name_of(name, held.holder)
                raise Conflict(
                    f"{resource.id} is {holder}'s (allotment {held.right.id.hex()}); it must give "
                    "it back, or it must be revoked, first."
                )
        start, end = request.start, request.end
        for one in kept:
            if one.start < end and start < one.end:
                raise Conflict(
                    f"{resource.id} is kept for somebody ({one.code}), who has not reserved it "
                    "yet; grant it when they have, when it has lapsed, or when it is given back."
                )
        inside: list[StoredClaim] = []
        for claim in sorted(
            self._claims(name, resource.id, start, end), key=lambda one: (one.start, one.end)
        ):
            if claim.start < start:
                start = max(start, claim.end)
            else:
                inside.append(claim)
        # Where one was overbooked, what stays at the end may keep another back that overlaps it.
        while inside and (last := max(inside, key=lambda one: one.end)).end > end:
            end = min(end, last.start)
            inside = [claim for claim in inside if claim.start < end]
        if start >= end:
            raise Conflict(f"{resource.id} is taken throughout.")
        pieces = []
        while True:
            count = _cut(inside)
            some, inside = inside[:count], inside[count:]
            until = inside[0].start if inside else end
            pieces.append(_Piece(resource.id, 1, start, until, tuple(some), True))
            if not inside:
                return pieces
            start = until

    def _claims(self, name: str, resource: str, start: int, end: int) -> list[StoredClaim]:
        """The granted claims of a resource that touch [start, end)."""
        found = self._hub.store.projections.claims_of(name, resource, start, end)
        return [claim for claim in found if claim.live]

    def _grant(self, name: str, life: bytes, release_minutes: int, pieces: Iterable[_Piece]) -> int:
        """Write as few grants as these pieces need: alike in time and quantity, and with no more
        claims than one entry names."""
        alike: dict[tuple[int, int, int, bool], list[_Piece]] = {}
        for piece in pieces:
            key = (piece.start, piece.end, piece.quantity, piece.whole)
            alike.setdefault(key, []).append(piece)
        chain = self._hub.store.journal.chain(name, life)
        since = 0 if chain is None else self._hub.standing(name, life).length
        written = 0
        for (start, end, quantity, whole), group in alike.items():
            for together in _batches(group):
                claims = [claim for piece in together for claim in piece.claims]
                event = RightGranted(
                    life,
                    tuple(piece.resource for piece in together),
                    quantity,
                    start,
                    end,
                    release_minutes,
                    self._hub.rights(name).last_end(piece.resource for piece in together),
                    tuple((one.reservation, one.id.operation, one.id.index) for one in claims),
                    whole,
                    since,
                )
                handed = tuple(
                    Claim(one.resource, one.start, one.end, one.quantity, right=one.right)
                    for one in claims
                )
                self._hub.append(name, event, claims=handed)
                written += 1
        return written


def wishes(venue: VenueIndex) -> Iterator[tuple[int, AllotmentWish, list[Resource]]]:
    """The wishes of the venue file by their numbers in it, with what each is about: the first that
    matches a resource takes it; of a pool several may take shares."""
    taken: set[str] = set()
    for number, wish in enumerate(venue.venue.allotments, 1):
        matching = [
            resource
            for resource in matched(venue, wish.resources)
            if resource.pool or resource.id not in taken
        ]
        taken.update(resource.id for resource in matching if not resource.pool)
        yield number, wish, matching


def lives_of(book: BookState, holder: str) -> list[bytes]:
    """The lives of a device that go on, as far as the book says: neither closed, nor shut out, nor
    followed by another. More than one: a copy, or a restored directory whose old life was not heard
    of yet."""
    administration = book.administration
    return [
        incarnation
        for incarnation, author in book.authors.items()
        if author.info.name == holder
        and not author.info.is_hub
        and incarnation not in administration.closes
        and not administration.is_revoked(author.bearer)
        and incarnation not in administration.succeeded
    ]


def matched(venue: VenueIndex, patterns: Sequence[str]) -> list[Resource]:
    """The resources that ids or patterns such as `T*` name, in the venue's order."""
    return [
        resource
        for resource in venue.venue.resources
        if any(fnmatch.fnmatchcase(resource.id, pattern) for pattern in patterns)
    ]


def _cut(claims: Sequence[StoredClaim]) -> int:
    """How many of these claims, sorted by start, one grant takes without cutting one in two: as
    many as an entry names. Raises Conflict where more than that overlap each other."""
    if len(claims) <= CLAIMS_PER_ENTRY_MAX:
        return len(claims)
    ends, cut = 0, 0
    for count, claim in enumerate(claims[: CLAIMS_PER_ENTRY_MAX + 1]):
        if claim.start >= ends:
            cut = count
        ends = max(ends, claim.end)
    if not cut:
        raise Conflict(
            f"{claims[0].resource} is overbooked by more than one grant can name; grant it from a "
            "later date on."
        )
    return cut


def _batches(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    together: list[_Piece] = []
    claims = 0
    for piece in pieces:
        if together and claims + len(piece.claims) > CLAIMS_PER_ENTRY_MAX:
            yield together
            together, claims = [], 0
        together.append(piece)
        claims += len(piece.claims)
    if together:
        yield together
