"""The question that the rules are asked: what is known here of the time, the place and the person.

Owns the way from a replica's state to a `rules.Question`. Reads only; what a rule says about it is
`model.rules`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from holdfast.model import calendar, lifecycle, restrictions, rules
from holdfast.model.coming import Comers, Coming
from holdfast.model.limits import SITTING_SECONDS_MAX, STAMP_AHEAD_MS_MAX
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import View
from holdfast.model.rules.history import reschedules
from holdfast.model.slot_overrides import limits_covers
from holdfast.model.slots import counts
from holdfast.node import restricting
from holdfast.node.same_guests import agents_of

if TYPE_CHECKING:
    from holdfast.node.service import Service


@dataclass(frozen=True, slots=True)
class Place:
    """When, how long and for how many: a request that the venue's calendar has understood."""

    start: int
    end: int
    nights: int | None
    party_size: int
    quantity: int | None
    buffer: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, for whom, and for which places.

    `by_guest`: whoever it is for asks by themself, with nobody of the house between. `moved` is
    the reservation that is moved, `present` its present time. `resources` are those that were
    named, `features` what each of them must have.
    """

    kind: str = "guest"
    source: str = "direct"
    agent_id: str = ""
    by_guest: bool = False
    resources: tuple[str, ...] = ()
    resource_kind: str | None = None
    area: str | None = None
    moved: View | None = None
    present: tuple[int, int] | None = None
    features: tuple[str, ...] = ()


NOBODY: Final = Asked()
"""Somebody of whom nothing is known."""


def proposal(place: Place, asked: Asked, step: str = "") -> rules.Proposal:
    """What somebody wants; the step left out: to make a reservation, or to move theirs."""
    moves = asked.moved is not None
    return rules.Proposal(
        party_size=place.party_size,
        starts_at=place.start,
        ends_at=place.end,
        kind=asked.kind,
        nights=place.nights,
        source=asked.source,
        by_guest=by_themself(asked),
        resources=asked.resources,
        step=step or (rules.MOVE if moves else rules.MAKE),
        present=asked.present,
    )


def by_themself(asked: Asked) -> bool:
    """Whether nobody of the house is between: the guest asks, or the channel by which a reservation
    is made is one where guests ask."""
    return asked.by_guest or (asked.source in rules.SELF_SERVICE and asked.moved is None)


def question(
    replica: Service,
    venue: VenueIndex,
    wanted: rules.Proposal,
    asked: Asked,
    known: rules.Standing,
    come: Comers | None = None,
    now_s: int | None = None,
) -> rules.Question:
    """All that the rules may look at, as far as it is known here and now; `come` are those who
    come (`comers`), and `now_s` is the time, where they were read for many questions at once."""
    pacing = seated = 0
    if wanted.nights is None and wanted.step != rules.CANCEL:
        start = wanted.starts_at
        come = come or comers(replica, venue, asked, start, start, wanted.length_s)
    if come is not None:
        pacing = come.starting(*calendar.slot_of(venue.venue, wanted.starts_at))
        seated = come.at_once(wanted.starts_at, wanted.ends_at)
    if now_s is None:
        now_s = replica.clock.now_ms() // 1000
    return rules.Question(venue.venue, wanted, now_s, known, pacing, seated)


def standing(replica: Service, venue: VenueIndex, asked: Asked) -> rules.Standing:
    """What is known here of the person whom a reservation is for, as far as a rule may ask.

    A rule that a package adds may ask for anything.
    """
    if not asked.agent_id:
        return rules.NOBODY
    known = _known_as(replica, venue, asked.agent_id)
    limits, curious = rules.limits_of(venue.venue, known), bool(replica.rules.added)
    makes = asked.moved is None
    if curious or (makes and limits.concurrent is not None):
        known = replace(known, ahead=_ahead(replica, venue, asked))
    if curious or (makes and venue.venue.policies.rates is not None):
        known = replace(known, made=_made(replica, venue, asked))
    if asked.moved is not None and (curious or limits.max_reschedules is not None):
        record = replica.record(asked.moved.id, asked.moved.book)
        if record is not None:
            known = replace(known, reschedules=reschedules(record.view, record.seen))
    return known


def _known_as(replica: Service, venue: VenueIndex, agent: str) -> rules.Standing:
    with replica.lock:
        book = replica.book_of(venue.venue.id)
        profile = restrictions.profile_of(restricting.profiles_of(replica, book, agent))
    if profile is None:
        return rules.Standing(agent_id=agent)
    return rules.Standing(agent_id=agent, tier=profile.tier, tags=profile.tags)


def _bring_up_to_date(replica: Service) -> None:
    """What this transaction has written counts too, wherever tables are asked."""
    if replica.in_transaction:
        replica.write_projections()


def _ahead(replica: Service, venue: VenueIndex, asked: Asked) -> int:
    _bring_up_to_date(replica)
    book = replica.book_of(venue.venue.id)
    now_s = replica.clock.now_ms() // 1000
    but = asked.moved.id if asked.moved is not None else b""
    return sum(
        replica.store.persons.ahead(book, agent, now_s, restrictions.TAKES_ONE, but)
        for agent in _agents(replica, venue, asked)
    )


def _agents(replica: Service, venue: VenueIndex, asked: Asked) -> tuple[str, ...]:
    """Every agent id of whoever it is for, as this venue knows them."""
    with replica.lock:
        return agents_of(replica, replica.book_of(venue.venue.id), asked.agent_id)


def _made(replica: Service, venue: VenueIndex, asked: Asked) -> tuple[rules.Made, ...]:
    _bring_up_to_date(replica)
    now_ms = replica.clock.now_ms()
    # Clocks of two devices differ a little: what another made in a moment was made now.
    last_ms = now_ms + STAMP_AHEAD_MS_MAX
    first_ms = now_ms - rules.WEEK_SECONDS * 1000
    agents = _agents(replica, venue, asked)
    found = sorted(
        one for agent in agents for one in replica.store.persons.made(agent, first_ms, last_ms)
    )
    return tuple(
        rules.Made(min(made_ms, now_ms) // 1000, book.partition("/")[2]) for made_ms, book in found
    )


def comers(
    replica: Service, venue: VenueIndex, asked: Asked, first: int, last: int, length_s: int
) -> Comers | None:
    """Those who come, for whoever asks about something so long that starts from `first` to `last`:
    what pacing counts (DESIGN §1). None where the venue has no limit for them."""
    of = venue.venue
    if not limits_covers(of) and of.covers_at_once is None:
        return None
    _bring_up_to_date(replica)
    but = asked.moved.id if asked.moved is not None else b""
    before = after = of.slot_minutes * 60
    if of.covers_at_once is not None:
        before, after = SITTING_SECONDS_MAX, max(after, length_s)
    views = replica.store.projections.select(
        book=replica.book_of(of.id), starts_from=first - before, starts_before=last + after,
        form=None, limit=-1,
    )  # fmt: skip
    return Comers(
        Coming(view.starts_at, view.ends_at, view.party_size, _sits(view))
        for view in views
        if view.id != but and counts(view)
    )


def _sits(view: View) -> bool:
    """Whether its people sit there at some time: no guests of nights, nor who has left."""
    sits = not view.nights and view.status != lifecycle.COMPLETED
    return sits and view.ends_at - view.starts_at <= SITTING_SECONDS_MAX
