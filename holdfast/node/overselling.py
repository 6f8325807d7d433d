"""The hub's answer to a holder that sold more than it has: it takes the right back at that sale.

Owns the proof and the act (DESIGN §4.7, §5.1). Every entry of such a holder is well formed, and
each sale fits the right by itself; only all of them together do not. The holder's own chain shows
it: among the claims that were sold from the right or handed over with it and still stand, in the
order in which the chain granted them, the first that does not fit beside those before it. Claims
that ended in between are not looked at, so that nobody is accused for what had made room by then.
Nor is what the one overbooker of a place sold on purpose, up to the highest limit that the venue
ever had for that day: it may not have heard of a lower one yet. Whether the holder still has the
right makes no difference: who oversells and gives back has oversold. The right is revoked at
the head before that entry; what was sold from there on is asked of the hub, like after any
revocation, and stays where there is room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from holdfast.model import overbooking
from holdfast.model.administration import read_venue
from holdfast.model.capacity import DAY_SECONDS, Profile, days
from holdfast.model.claims import OCCUPYING, ClaimView, Seen
from holdfast.model.events import RightRevoked, VenueConfigured
from holdfast.model.reservation import BLOCK, View, granting_entry
from holdfast.model.rights import FOREVER, Right
from holdfast.model.roles import OVERRIDERS
from holdfast.model.vocabulary import OVERSOLD
from holdfast.sync import gate
from holdfast.sync.seals import chain_start

if TYPE_CHECKING:
    from holdfast.node.hub import Hub

_Places = set[tuple[str, int]]
"""Resources and days (UTC, from the epoch)."""


class _Sale(NamedTuple):
    """A claim that counts against a right; `place` orders sales as their chains do: by the life
    that wrote it and the number of its entry, (-1, 0) where the claim was handed over. `insists`:
    somebody who may asked for it beyond the capacity."""

    place: tuple[int, int]
    claim: ClaimView
    insists: bool


def take_back(hub: Hub, name: str, touched: Iterable[bytes]) -> int:
    """Revoke every right that turns out to be oversold by what was merged about the `touched`
    reservations; call inside a transaction. Returns how many were."""
    return _revoke(hub, name, _suspects(hub, name, touched))


def take_all_back(hub: Hub, name: str) -> int:
    """The same for all that is held here: after a start, and where a hub that recovered goes on,
    nobody remembers what was merged before. Call inside a transaction."""
    rights = hub.rights(name)
    if not rights:
        return 0
    hub.write_projections()
    levels: dict[tuple[bytes, str], Profile] = {}
    places: dict[tuple[bytes, str], _Places] = {}
    for claim in hub.store.projections.standing(name, hub.clock.now_ms() // 1000):
        for right in rights.behind(claim.id, claim.right):
            key = (right.id, claim.resource)
            levels.setdefault(key, Profile()).shift(claim.start, claim.end, claim.quantity)
            places.setdefault(key, set()).update(_places(claim.resource, claim.start, claim.end))
    suspects: dict[bytes, _Places] = {}
    for (right_id, resource), level in levels.items():
        if level.peak(0, FOREVER) > rights.by_id[right_id].quantity:
            suspects.setdefault(right_id, set()).update(places[right_id, resource])
    return _revoke(hub, name, suspects)


def _revoke(hub: Hub, name: str, suspects: dict[bytes, _Places]) -> int:
    revoked = 0
    for right, places in suspects.items():
        rights = hub.rights(name)
        ended = rights.ended(right)
        if ended is not None and ended.how == "revoked":
            continue
        first = _first_too_many(hub, name, rights.by_id[right], places)
        if first is None:
            continue
        life, n = first
        chain = hub.standing(name, life)
        head = hub.store.journal.hash_at(chain, n - 1) or chain_start(name, life)
        hub.append(name, RightRevoked(right, life, n - 1, head, OVERSOLD))
        revoked += 1
    return revoked


def _suspects(hub: Hub, name: str, touched: Iterable[bytes]) -> dict[bytes, _Places]:
    """By right, the places where more than it has may count against it."""
    rights = hub.rights(name)
    found: dict[bytes, _Places] = {}
    if not rights:
        return found
    occupancy = hub.store.projections.occupancy(name)
    for reservation in dict.fromkeys(touched):
        record = hub.record(reservation, name)
        for claim in record.view.claims if record is not None else ():
            if claim.state not in OCCUPYING:
                continue
            for right in rights.behind(claim.id, claim.right):
                held = rights.now(right.id)
                # Of a right that somebody holds the account says at once that there is room.
                if held is None or held.start > claim.start or occupancy.free(
                    claim.resource, right.quantity, claim.start, claim.end, account=right.id
                ) < 0:  # fmt: skip
                    places = _places(claim.resource, claim.start, claim.end)
                    found.setdefault(right.id, set()).update(places)
    return found


def _places(resource: str, start: int, end: int) -> Iterable[tuple[str, int]]:
    return ((resource, day) for day in days(start, end))


def _first_too_many(hub: Hub, name: str, right: Right, places: _Places) -> tuple[bytes, int] | None:
    """The entry, as (life, number), by which a right was sold beyond its quantity; None where no
    entry of its holders shows it."""
    rights, authors = hub.rights(name), hub.book(name).authors
    lives = rights.lives(right.holder)
    sales: dict[object, _Sale] = {}
    occupancy = hub.store.projections.occupancy(name)
    for resource, day in sorted(places):
        for one in occupancy.overlapping(resource, day * DAY_SECONDS, (day + 1) * DAY_SECONDS):
            if not one.live or one.claim in sales:
                continue
            record = hub.record(one.reservation, name)
            assert record is not None
            claim = next(claim for claim in record.view.claims if claim.id == one.claim)
            form = record.view.form
            if form is not None and form.form == BLOCK and claim.override:
                # What was taken out of use by force was sold to nobody, and stands over what was.
                continue
            if right not in rights.behind(claim.id, claim.right):
                continue
            # What was sold from another right, or from none, came with this one.
            sold = claim.right == right.id
            entry = _first_of(record.seen, record.view, claim, lives) if sold else None
            place = (-1, 0) if entry is None else _place(entry, lives)
            # Whoever asked insists, not whoever has the place and answers, a kiosk perhaps.
            asker = next((s.node for s in record.seen if s.operation == claim.id.operation), b"")
            author = authors.get(asker)
            insists = claim.override and author is not None and author.info.role in OVERRIDERS
            sales[one.claim] = _Sale(place, claim, insists)
    levels: dict[str, Profile] = {}
    for sale in sorted(sales.values(), key=lambda one: (one.place, one.claim.id)):
        claim = sale.claim
        level = levels.setdefault(claim.resource, Profile())
        too_many = level.peak(claim.start, claim.end) + claim.quantity > right.quantity
        if too_many and sale.place[0] >= 0:
            beyond = _highest_limit(hub, name, claim) if sale.insists and right.whole else 0
            if level.peak(claim.start, claim.end) + claim.quantity > right.quantity + beyond:
                return lives[sale.place[0]], sale.place[1]
        level.shift(claim.start, claim.end, claim.quantity)
    return None


def _first_of(
    seen: Sequence[Seen], view: View, claim: ClaimView, lives: Sequence[bytes]
) -> Seen | None:
    """The entry by which a place was granted that its reservation has had since, by claims of which
    each took the place of the one before: what came between did not take it away."""
    entry = granting_entry(seen, claim, lives)
    for _ in view.claims:
        if entry is None:
            return None
        before = next((one for one in view.claims if _is_kept(one, claim, entry)), None)
        earlier = granting_entry(seen, before, lives) if before is not None else None
        if earlier is None or _place(earlier, lives) >= _place(entry, lives):
            return entry
        entry = earlier
    return entry


def _place(entry: Seen, lives: Sequence[bytes]) -> tuple[int, int]:
    return lives.index(entry.node), entry.n


def _is_kept(before: ClaimView, claim: ClaimView, entry: Seen) -> bool:
    """Whether an entry ended a claim of the same right that had all of a place."""
    return (
        before.id in entry.ends
        and before.right == claim.right
        and before.resource == claim.resource
        and before.start <= claim.start
        and before.end >= claim.end
        and before.quantity >= claim.quantity
    )


def _highest_limit(hub: Hub, name: str, claim: ClaimView) -> int:
    """How far beyond the capacity any venue file of this book ever let somebody sell this place."""
    highest = 0
    authors = hub.book(name).authors
    for row in hub.store.journal.administration(name):
        chain = hub.store.journal.chain_by_id(row.chain)
        author = authors.get(chain.incarnation)
        event = gate.judge(chain.incarnation, row.n, row.hash, row.entry).event
        if author is None or not author.info.is_hub or not isinstance(event, VenueConfigured):
            continue
        venue = read_venue(event)
        if venue is not None:
            allowed = overbooking.limit(venue.venue, claim.resource, claim.start, claim.end)
            highest = max(highest, allowed)
    return highest
