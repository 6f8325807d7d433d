"""On which terms a person reserves: restrictions, made and lifted, tier and tags.

Owns these commands and their answers as JSON values. Each is an entry in the book of one venue and
counts there. That restrictions are kept to where somebody writes is `restricting`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from holdfast.model import restrictions, vocabulary, wall
from holdfast.model.errors import Invalid, NotFound, RuleViolated
from holdfast.model.events import GuestProfiled, GuestRestricted, GuestRestrictionLifted
from holdfast.model.limits import (
    RESTRICTION_VALUE_MAX,
    RESTRICTIONS_PER_GUEST_MAX,
    TAGS_PER_GUEST_MAX,
)
from holdfast.model.offers import VenueIndex
from holdfast.model.restrictions import Lift, Restriction
from holdfast.node import restricting
from holdfast.node.guest_scope import (
    Sees,
    books_seen,
    everywhere,
    require_agent,
    venue_meant,
    writer_at,
)
from holdfast.node.reasons import reason_code
from holdfast.node.recording import refused_as_invalid
from holdfast.node.same_guests import agents_of
from holdfast.store.restrictions import Placed

if TYPE_CHECKING:
    from holdfast.node.replica import Replica
    from holdfast.node.service import Service

# --- restricting ----------------------------------------------------------------------------------


def restrict(
    replica: Service,
    agent: str,
    kind: str,
    reason: str,
    *,
    value: int | None = None,
    until: str | None = None,
    venue: str | None = None,
    sees: Sees = everywhere,
) -> str:
    """Limit what a person may reserve at a venue, and return the restriction's id.

    `until` is a time, or a date for the midnight that it begins with; left out: until it is lifted.
    `venue` may be left out where there is one. Raises Invalid, NotFound, RuleViolated, and
    Forbidden at a device whose word would count for nothing.
    """
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    number = _value(kind, value)
    code = reason_code(reason, vocabulary.RESTRICT_REASONS)
    book = replica.book_of(index.venue.id)
    with replica.transaction():
        until_ms = _until_ms(replica, index, until)
        if len(restricting.in_force(replica, book, agent)) >= RESTRICTIONS_PER_GUEST_MAX:
            message = (
                f"{RESTRICTIONS_PER_GUEST_MAX} restrictions of this guest are in force; lift one "
                "that adds nothing (`holdfast guests restrictions`)"
            )
            raise RuleViolated(message, [{"rule": "too-many-restrictions", "message": message}])
        event = GuestRestricted(agent, kind, code, number, until_ms)
        with refused_as_invalid():
            return replica.append(book, event).operation.hex()


def _value(kind: str, value: int | None) -> int:
    if kind not in restrictions.KINDS:
        raise Invalid.field("restriction", f"must be one of {', '.join(restrictions.KINDS)}")
    if kind not in restrictions.WITH_VALUE:
        if value:
            needing = " and ".join(restrictions.WITH_VALUE)
            raise Invalid.field("value", f"is for {needing} alone")
        return 0
    least = 1 if kind == restrictions.MAX_CONCURRENT else 0
    if value is None or not least <= value <= RESTRICTION_VALUE_MAX:
        what = "reservations at a time" if least else "days ahead"
        message = f"must be from {least} to {RESTRICTION_VALUE_MAX}: how many {what}"
        none = f"; for none at all say {restrictions.BAN}" if least else ""
        raise Invalid.field("value", message + none)
    return value


def _until_ms(replica: Service, index: VenueIndex, until: str | None) -> int:
    if until is None:
        return 0
    if wall.DATE_PATTERN.fullmatch(until):
        until_s = wall.wall_to_epoch(index.venue, wall.parse_date(until, "until"), 0)
    else:
        until_s = wall.local_to_epoch(index.venue, until, "until")
    if until_s * 1000 <= replica.clock.now_ms():
        raise Invalid.field("until", f"{until} is over; left out, it is until it is lifted")
    return until_s * 1000


def lift(
    replica: Service, restriction: str, reason: str, *, agent: str = "", sees: Sees = everywhere
) -> str:
    """Let a restriction bind no more, and return its id; one that is lifted stays so. `agent`: only
    one of this person's. Raises Invalid, NotFound, Forbidden."""
    with replica.transaction():
        book, found = _find(replica, restriction, agent, sees)
        code = reason_code(reason, vocabulary.LIFT_REASONS)
        if not restricting.lifts_of(replica, book, [found]):
            with refused_as_invalid():
                replica.append(book, GuestRestrictionLifted(found.id, code))
        return found.id.hex()


def _find(replica: Service, restriction: str, agent: str, sees: Sees) -> tuple[str, Restriction]:
    for book in books_seen(replica, sees):
        placed = replica.store.restrictions.find(book, _operation(restriction))
        found = [] if placed is None else restricting.counting(replica, book, [placed])
        for one in found:
            if not agent or one.said.agent_id in agents_of(replica, book, agent):
                return book, one.said
    raise NotFound(
        f"no restriction {restriction} is known here; `holdfast guests restrictions` lists them"
    )


def _operation(text: str) -> bytes:
    """The operation of an id; none, where it is no id."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


# --- tier and tags --------------------------------------------------------------------------------


def profile(
    replica: Service, agent: str, *, venue: str | None = None, sees: Sees = everywhere
) -> dict[str, Any]:
    """What a venue knows a person as; nothing, where nobody ever said. Raises Invalid, NotFound."""
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    with replica.lock:
        return profile_at(replica, replica.book_of(index.venue.id), agent)


def profile_at(replica: Replica, book: str, agent: str) -> dict[str, Any]:
    """The profile of a person that stands in a book. Call under the lock."""
    said = {one.said: one for one in restricting.profiles_placed(replica, book, agent)}
    found = restrictions.profile_of(said)
    shown: dict[str, Any] = {"agent_id": agent, "venue": book.partition("/")[2]}
    if found is None:
        return shown | {"tier": None, "tags": [], "by": None, "set_at_ms": None}
    return shown | {
        "tier": found.tier or None,
        "tags": list(found.tags),
        "by": _writer(replica, book, said[found]),
        "set_at_ms": found.stamp >> 16,
    }


def set_profile(
    replica: Service,
    agent: str,
    tier: str | None,
    tags: Sequence[str],
    *,
    venue: str | None = None,
    sees: Sees = everywhere,
) -> dict[str, Any]:
    """Say what a person is known as, whole: what is left out is taken away. Raises as
    `restrict`."""
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    known = _named(index, tier or "", list(dict.fromkeys(tags)))
    book = replica.book_of(index.venue.id)
    with replica.transaction():
        present = restrictions.profile_of(restricting.profiles_of(replica, book, agent))
        stands = (present.tier, present.tags) if present is not None else ("", ())
        # The same once more would be kept by everybody, for ever, and say nothing.
        if known != stands:
            with refused_as_invalid():
                replica.append(book, GuestProfiled(agent, *known))
        return profile_at(replica, book, agent)


def _named(index: VenueIndex, tier: str, tags: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Tier and tags, each a word of our list or of the venue's own: what anybody types about a
    person stays for ever. Raises Invalid."""
    if len(tags) > TAGS_PER_GUEST_MAX:
        raise Invalid.field("tags", f"are {TAGS_PER_GUEST_MAX} at most")
    own, policies = index.venue.guests, index.venue.policies
    if tier:
        tier = _word("tier", tier, vocabulary.TIERS.union(own.tiers, dict(policies.tiers)))
    known = vocabulary.TAGS.union(own.tags, dict(policies.tags))
    words = (_word(f"tags[{place}]", tag, known) for place, tag in enumerate(tags))
    return tier, tuple(dict.fromkeys(words))


def _word(field: str, typed: str, words: Iterable[str]) -> str:
    known = {_plain(word): word for word in words}
    word = known.get(_plain(typed))
    if word is None:
        some = ", ".join(sorted(known.values()))
        message = (
            f"must be one of {some}; a venue file may name more, under `guests` and `policies`"
        )
        raise Invalid.field(field, message)
    return word


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.lower()).strip("_")


# --- showing --------------------------------------------------------------------------------------


def listed(
    replica: Service, agent: str | None = None, *, sees: Sees = everywhere
) -> list[dict[str, Any]]:
    """The restrictions of a person, or of everybody, the oldest first, with what became of each.
    Raises Invalid."""
    if agent is not None:
        require_agent(agent)
    with replica.lock:
        items = [
            (one.stamp, item)
            for book in books_seen(replica, sees)
            for one, item in _items(replica, book, agent)
        ]
    return [item for _, item in sorted(items, key=lambda each: (each[0], each[1]["id"]))]


def items_at(replica: Replica, book: str, agent: str) -> list[dict[str, Any]]:
    """The restrictions of a person in a book, the oldest first. Call under the lock."""
    return [item for _, item in _items(replica, book, agent)]


def _items(
    replica: Replica, book: str, agent: str | None
) -> Iterable[tuple[Restriction, dict[str, Any]]]:
    stored = replica.store.restrictions
    found = restricting.placed(replica, book, agent)
    lifts = stored.lifts(book, (one.said.id for one in found))
    by_restriction: dict[bytes, list[Placed[Lift]]] = {}
    for lift in restricting.counting(replica, book, lifts):
        by_restriction.setdefault(lift.said.restriction, []).append(lift)
    for one in found:
        yield one.said, _item(replica, book, one, by_restriction.get(one.said.id, []))


def _item(
    replica: Replica, book: str, placed: Placed[Restriction], lifts: Sequence[Placed[Lift]]
) -> dict[str, Any]:
    venue, one = book.partition("/")[2], placed.said
    said = {lift.said: lift for lift in lifts}
    lifted = restrictions.lift_of(one, said)
    return {
        "id": one.id.hex(),
        "agent_id": one.agent_id,
        "venue": venue,
        "restriction": one.kind,
        "value": one.value if one.kind in restrictions.WITH_VALUE else None,
        "until": restricting.until_of(replica, venue, one),
        "reason": one.reason,
        "state": restrictions.state_of(one, said, replica.clock.now_ms()),
        "by": _writer(replica, book, placed),
        "made_at_ms": one.stamp >> 16,
        "lifted": lifted
        and {
            "reason": lifted.reason,
            "by": _writer(replica, book, said[lifted]),
            "lifted_at_ms": lifted.stamp >> 16,
        },
    }


def _writer(replica: Replica, book: str, placed: Placed[Any]) -> str:
    return writer_at(replica, book, placed.chain)
