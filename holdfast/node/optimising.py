"""A better seating of a service, as a proposal; and doing what was proposed, whole or not at all.

Owns which parties of a service may move and where to, as this replica knows and holds it. What is
better stands in `model.seating`. Nothing is kept of a proposal: who accepts one names it, it is
worked out again, and where it comes out as another one the service has changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.model import lifecycle, seating, wall
from holdfast.model.areas import area_named
from holdfast.model.entries import ClaimId
from holdfast.model.errors import Conflict, Invalid, Stale
from holdfast.model.forms import form_now
from holdfast.model.ids import uuid_text
from holdfast.model.limits import SEATING_CHOICES_MAX, SEATING_PARTIES_MAX
from holdfast.model.offers import Choice, VenueIndex, named_choice
from holdfast.model.reservation import View, shown_claims, standing_claims, version_tag
from holdfast.model.rules import SELF_SERVICE
from holdfast.model.seating import NOWHERE, Party, Plan, Score, Step
from holdfast.model.venue import version_tag as venue_tag
from holdfast.node import amending, asking, exact_seating, offering, selling
from holdfast.node.requests import PatchRequest

if TYPE_CHECKING:
    from holdfast.node.service import Service

SEARCH: Final = "search"
"""What found the proposal, where no solver is installed."""
SOLVERS: Final = (SEARCH, exact_seating.NAME)

STAYS: Final = (
    "seated", "begun", "elsewhen", "undecided", "changing", "asked_for", "overbooked", "pool",
    "held_elsewhere",
)  # fmt: skip
"""Why a party is not moved, in the order in which it is asked."""
GAINS: Final = ("seated", "fits_better", "makes_room")
"""What a move is good for."""

_HAS_PLACE: Final = (lifecycle.CONFIRMED, lifecycle.CHECKED_IN, lifecycle.COMMIT_PENDING)
_LISTED_MAX: Final = 10_000


class Move(msgspec.Struct, frozen=True):
    """A party that would go from its place (empty: it has none) to another, and what that is good
    for, one of GAINS."""

    view: View
    origin: tuple[str, ...]
    target: tuple[str, ...]
    gain: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """How a service could be seated. `basis` is a digest of what it was worked out from, `id` of
    that and of the steps; `stays` are the parties that are not moved, with the reason; `unseated`
    those for whom there is still no place."""

    id: str
    date: str
    basis: str
    solver: str
    before: Score
    after: Score
    moves: tuple[Move, ...]
    steps: tuple[tuple[bytes, tuple[str, ...]], ...]
    stays: tuple[tuple[View, str], ...]
    unseated: tuple[View, ...]


class Evening(msgspec.Struct, frozen=True):
    """What a proposal is worked out from; `views` are those who may move, in the order of
    `parties`."""

    venue: str
    date: str
    span: tuple[int | None, int | None]
    views: tuple[View, ...]
    parties: tuple[Party, ...]
    stays: tuple[tuple[View, str], ...]
    basis: str


def gather(
    replica: Service,
    venue_id: str,
    date: str,
    starts_from: int | None = None,
    starts_before: int | None = None,
) -> Evening:
    """The parties of a service date, those that start in [starts_from, starts_before) to be seated
    better (epoch seconds; None: all). Raises NotFound, Invalid."""
    venue = replica.venue(venue_id)
    wall.parse_date(date)
    with replica.lock:
        if replica.in_transaction:
            replica.write_projections()
        views = replica.store.projections.select(
            book=replica.book_of(venue_id), date=date, form=None, limit=_LISTED_MAX
        )
        movable: list[View] = []
        stays: list[tuple[View, str]] = []
        for view in views:
            if form_now(view) or (view.kind == "house" and view.status == lifecycle.COMMIT_FAILED):
                continue
            why = _why_not(replica, venue, view, starts_from, starts_before)
            if why is None:
                movable.append(view)
            elif why:
                stays.append((view, why))
        if len(movable) > SEATING_PARTIES_MAX:
            raise Invalid.field(
                "from", f"{len(movable)} parties are too many at once; narrow it to "
                f"{SEATING_PARTIES_MAX} with from and to",
            )  # fmt: skip
        parties = tuple(_parties(replica, venue, movable))
        tags = [version_tag(view) for view in movable]
        return Evening(
            venue_id, date, (starts_from, starts_before), tuple(movable), parties, tuple(stays),
            _digest(venue_tag(venue.venue), tags, parties),
        )  # fmt: skip


def solve(evening: Evening) -> Proposal:
    """The proposal for an evening: the same for the same one. It may take SOLVER_SECONDS, and asks
    no replica: nobody who writes needs to wait for it."""
    solver, plan, steps = _planned(evening.parties)
    return _as_proposal(evening, solver, plan, steps)


def accept(replica: Service, evening: Evening, found: Proposal, proposal: str) -> list[View]:
    """Do what the proposal `found` for an evening says, all of it or nothing, if it is the one that
    is meant by its id. Returns the reservations that moved. Raises Stale where the service has
    changed since, Conflict where a move could not be certain at once, and what a move raises
    (`amending.amend`)."""
    with replica.transaction():
        now = gather(replica, evening.venue, evening.date, *evening.span)
        if found.id != proposal or now.basis != found.basis:
            raise Stale(
                f"the service of {evening.date} has changed since proposal {proposal} was made; "
                "make a new one"
            )
        moved: dict[bytes, View] = {}
        for reservation, resources in found.steps:
            patch = PatchRequest(resources=list(resources))
            view = amending.amend(replica, uuid_text(reservation), patch)
            had = {claim.resource for claim in shown_claims(view)}
            if view.pending_change or had != set(resources):
                raise Conflict(
                    f"{view.code} cannot go to {' and '.join(resources)} for certain just now; "
                    "nothing was moved, make a new proposal"
                )
            moved[reservation] = view
        return list(moved.values())


# --- who may move, and where to -------------------------------------------------------------------


def _why_not(
    replica: Service,
    venue: VenueIndex,
    view: View,
    starts_from: int | None,
    starts_before: int | None,
) -> str | None:
    """Why a party is not moved, one of STAYS; empty: it is none; None: it may be."""
    waits = view.status == lifecycle.COMMIT_FAILED and view.may_move
    if view.status not in _HAS_PLACE and not waits:
        return ""
    if view.status == lifecycle.CHECKED_IN:
        return "seated"
    if view.starts_at <= replica.clock.now_ms() // 1000:
        return "" if waits else "begun"
    if (starts_from is not None and view.starts_at < starts_from) or (
        starts_before is not None and view.starts_at >= starts_before
    ):
        return "elsewhen"
    if waits:
        return None if _kind(venue, view) else ""
    if view.status == lifecycle.COMMIT_PENDING:
        return "undecided"
    if standing_claims(view) or view.pending_change:
        return "changing"
    if not view.may_move:
        return "asked_for"
    if view.override:
        return "overbooked"
    if not _kind(venue, view):
        return "pool"
    own = selling.own_ends(replica, view, view.live)
    return None if len(own) == len(view.live) else "held_elsewhere"


def _kind(venue: VenueIndex, view: View) -> str:
    """The kind of table that a party has, or asked for; empty where these are no tables."""
    if view.nights:
        return ""
    resources = [venue.resource(claim.resource) for claim in view.live]
    if any(one is None or one.pool for one in resources):
        return ""
    first = resources[0].kind if resources and resources[0] is not None else ""
    kind = first or view.resource_kind or venue.default_kind
    return "" if any(one.pool and one.kind == kind for one in venue.venue.resources) else kind


def _parties(replica: Service, venue: VenueIndex, views: list[View]) -> list[Party]:
    """Each with the places that this replica has to give for all of its time, whoever of the others
    is there now."""
    ignoring = {claim.id for view in views for claim in view.claims}
    return [_party(replica, venue, view, ignoring) for view in views]


def _party(replica: Service, venue: VenueIndex, view: View, ignoring: Collection[ClaimId]) -> Party:
    buffer = venue.venue.buffer_minutes * 60
    start, end = view.starts_at, view.ends_at
    place = asking.Place(start, end, None, view.party_size, None, buffer)
    asked = asking.Asked(view.kind, view.source, by_guest=view.source in SELF_SERVICE)
    area = area_named(venue, view.area)
    offered = list(venue.offers(view.party_size, 1, _kind(venue, view), area))
    had = tuple(claim.resource for claim in view.live)
    open_to = offering.left_open(venue, asking.proposal(place, asked), offered, had)
    choices: list[Choice] = []
    for choice in open_to:
        if len(choices) >= SEATING_CHOICES_MAX:
            break
        claims = offering.claims_for(choice, start, end + buffer)
        if selling.terms(replica, venue, claims, ignoring).guaranteed:
            choices.append(choice)
    present = NOWHERE
    if had:
        present = next(
            (n for n, one in enumerate(choices) if set(one.resources) == set(had)), len(choices)
        )
        if present == len(choices):
            choices.append(_as_had(venue, view, had))
    return Party(view.id, start, end + buffer, view.party_size, tuple(choices), present)


def _as_had(venue: VenueIndex, view: View, had: tuple[str, ...]) -> Choice:
    """The place that a party has, which nobody would offer it."""
    choice = named_choice(venue, view.party_size, None, had)
    seats = [venue.resource_by_id[name].seats_max for name in had]
    known = [one for one in seats if one is not None]
    waste = max(0, sum(known) - view.party_size) if len(known) == len(seats) else 0
    return msgspec.structs.replace(choice, waste=waste)


# --- the plan -------------------------------------------------------------------------------------


def _planned(parties: Sequence[Party]) -> tuple[str, Plan, list[Step]]:
    """The best plan that can be carried out step by step, and what found it."""
    before = seating.score(parties, seating.present(parties))
    if exact_seating.installed() and parties:
        plan = exact_seating.best(parties)
        steps = None if plan is None else seating.steps(parties, plan)
        if plan is not None and steps is not None and seating.score(parties, plan) < before:
            return exact_seating.NAME, plan, steps
    for swaps in (True, False):
        plan = seating.improved(parties, swaps=swaps)
        steps = seating.steps(parties, plan)
        if steps is not None and seating.score(parties, plan) < before:
            return SEARCH, plan, steps
    return SEARCH, seating.present(parties), []


def _as_proposal(evening: Evening, solver: str, plan: Plan, steps: list[Step]) -> Proposal:
    parties = evening.parties
    by_id = {party.id: party for party in parties}
    views = {view.id: view for view in evening.views}
    taken = tuple((step.party, by_id[step.party].choices[step.place].resources) for step in steps)
    moves = tuple(
        _move(views[party.id], party, plan[party.id])
        for party in sorted(parties, key=lambda one: (one.start, one.id))
        if plan[party.id] != party.present
    )
    return Proposal(
        id=_digest(evening.basis, [(party.hex(), names) for party, names in taken]),
        date=evening.date,
        basis=evening.basis,
        solver=solver,
        before=seating.score(parties, seating.present(parties)),
        after=seating.score(parties, plan),
        moves=moves,
        steps=taken,
        stays=evening.stays,
        unseated=tuple(views[one.id] for one in parties if plan[one.id] == NOWHERE),
    )


def _move(view: View, party: Party, place: int) -> Move:
    origin, target = party.at(party.present), party.at(place)
    assert target is not None
    if origin is None:
        return Move(view, (), target.resources, "seated")
    better = target.waste < origin.waste
    gain = "fits_better" if better else "makes_room"
    return Move(view, origin.resources, target.resources, gain)


def _digest(*parts: object) -> str:
    """32 hexadecimal digits."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]
