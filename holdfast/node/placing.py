"""When, for how many, and where: a request as the venue's calendar, rules and resources see it.

Owns the way from a request to claims, which making and moving a reservation have in common, and
what is said when nothing is free. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from holdfast.model import calendar, restrictions, rules, wall
from holdfast.model.claims import READY
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.errors import Invalid, NotAvailable, RateLimited, RuleViolated
from holdfast.model.offers import Choice, VenueIndex, is_tight, most_people
from holdfast.model.out_of_use import BLOCKED
from holdfast.model.reservation import View, standing_claims
from holdfast.model.rules import blackouts
from holdfast.model.rules.online import not_online
from holdfast.model.rules.suggesting import nearby, search
from holdfast.model.rules.waiting import waiting_violations
from holdfast.node import asking, instead, offering, out_of_use, selling
from holdfast.node.asking import Asked, Place
from holdfast.node.requests import CreateRequest

if TYPE_CHECKING:
    from holdfast.node.service import Service


def place_of(venue: VenueIndex, request: CreateRequest) -> Place:
    """The place that a request asks for. Raises Invalid, RuleViolated."""
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


def check_rules(
    replica: Service,
    venue: VenueIndex,
    place: Place,
    asked: Asked,
    limits: Sequence[dict[str, str]] = (),
    *,
    plain: bool = True,
) -> None:
    """Whether the rules let somebody have a place; `limits` are those of the guest that are broken
    (`restricting`), and `plain` says whether whoever asks may read what of a person a refusal rests
    on. Raises RuleViolated with everything that says no and what would be allowed
    instead, RateLimited where only the time since their last ones does; counts it either way."""
    known = asking.standing(replica, venue, asked)
    wanted = asking.proposal(place, asked)
    question = asking.question(replica, venue, wanted, asked, known)
    found = [*replica.rules.violations(question)]
    found += [rules.Violation(one["rule"], one["message"]) for one in limits]
    if found:
        replica.refusals.note(question, [one.rule for one in found])
        if not plain:
            found, question = _discreet(replica, question, found)
            asked = replace(asked, agent_id="")
        raise refusal(found, _suggestions(replica, venue, place, asked, question, found))


def _discreet(
    replica: Service, question: rules.Question, found: Sequence[rules.Violation]
) -> tuple[list[rules.Violation], rules.Question]:
    """What a screen is told of a refusal, and the question as it would be of anybody: what says no
    to whoever asks stands as it is; for all that is about the person there is one sentence, and no
    time at which it would be over."""
    question = msgspec.structs.replace(question, standing=rules.NOBODY)
    whoever = replica.rules.violations(question)
    said = [one for one in found if one in whoever]
    if len(said) < len(found):
        said.append(rules.Violation(restrictions.PERSON, restrictions.DISCREET))
    return said, question


def check_person(
    replica: Service, venue: VenueIndex, place: Place, asked: Asked, *, plain: bool = True
) -> None:
    """Whether the rules let this person have what they let somebody have of whom nothing is known:
    where a place is held already, and now it is said for whom. Raises as `check_rules`."""
    known = asking.standing(replica, venue, asked)
    wanted = asking.proposal(place, asked)
    question = asking.question(replica, venue, wanted, asked, known)
    of_nobody = msgspec.structs.replace(question, standing=rules.NOBODY)
    whoever = {one.rule for one in replica.rules.violations(of_nobody)}
    found = [one for one in replica.rules.violations(question) if one.rule not in whoever]
    if found:
        replica.refusals.note(question, [one.rule for one in found])
        raise refusal(found if plain else _discreet(replica, question, found)[0], [])


def refusal(
    found: Sequence[rules.Violation], suggestions: list[dict[str, Any]], opening: str = ""
) -> RuleViolated | RateLimited:
    """The error that tells what says no."""
    messages = dict.fromkeys(one.message for one in found)
    said = " ".join([opening, *messages]).strip()
    violations = [{"rule": one.rule, "message": one.message} for one in found]
    if all(one.retry_after_s for one in found):
        return RateLimited(said, max(one.retry_after_s for one in found), violations)
    return RuleViolated(said, violations, suggestions)


def permitted(
    replica: Service, venue: VenueIndex, place: Place, asked: Asked, choices: list[Choice]
) -> list[Choice]:
    """The choices that no blackout of a part of the venue shuts, and that are given to whoever
    asks. Raises RuleViolated where that leaves none of them."""
    if not (venue.venue.blackouts or venue.offline) or not choices:
        return choices
    wanted = asking.proposal(place, asked)
    left = offering.left_open(venue, wanted, choices)
    if left:
        return left
    if offering.given_to(venue, wanted, choices):
        shut = [one for one in blackouts.met_by(venue.venue, wanted) if one.resources]
        found = [blackouts.violation(one, "What is asked for here") for one in shut]
    else:
        found = [not_online(asked.resources)]
    question = asking.question(replica, venue, wanted, asked, rules.NOBODY)
    replica.refusals.note(question, [found[0].rule])
    raise refusal(found, _suggestions(replica, venue, place, asked, question, found))


def not_available(
    replica: Service,
    venue: VenueIndex,
    place: Place,
    asked: Asked,
    choices: Sequence[Choice],
    *,
    plain: bool = True,
) -> NotAvailable | RuleViolated:
    """The error to raise where none of the `choices` is free, with the nearest slots that are: of
    that day, or where it has too few of days nearby.

    RuleViolated where there is no choice at any time: another time would not help, at most another
    area or, of nights, another kind. `plain` as of `check_rules`: what anybody is offered tells
    nothing of the person.
    """
    if not plain:
        asked = replace(asked, agent_id="")
    wanted = asking.proposal(place, asked)
    question = asking.question(
        replica, venue, wanted, asked, asking.standing(replica, venue, asked)
    )
    where = nearby(question)
    if not asked.resources:
        here = (asked.resource_kind or venue.usual_kind(asked.area or ""), asked.area or "")
        features = frozenset(asked.features)
        if not venue.offers(place.party_size, place.quantity or 1, *here, features):
            replica.refusals.note(question, ["seats"])
            error = never(venue, place.party_size, place.quantity or 1, *here, asked.features)
            if asked.area or place.nights is not None:
                error.extra["suggestions"] = instead.near(replica, venue, place, asked, where)
            return error
    alternatives = instead.near(replica, venue, place, asked, where)
    reason, views = _why(replica, venue, place, asked, choices)
    others = bool(alternatives)
    return NotAvailable(
        _refused_words(venue, place, asked, reason, views, others=others),
        alternatives,
        waitlist_available=_may_wait(replica, venue, place, asked),
        reason=reason,
        blocks=out_of_use.told(venue, views),
        discreet=_refused_words(venue, place, asked, reason, (), others=others),
    )


def _why(
    replica: Service, venue: VenueIndex, place: Place, asked: Asked, choices: Sequence[Choice]
) -> tuple[str, list[View]]:
    """Why none of the choices is free; of what is out of use also the blocks, which the house alone
    is told of."""
    end = place.end + place.buffer
    out = out_of_use.OutOfUse(replica, venue, place.start, end)
    reason, views = out.why(choices, place.start, end)
    return reason, [] if asking.by_themself(asked) else views


def _refused_words(
    venue: VenueIndex,
    place: Place,
    asked: Asked,
    reason: str,
    views: Sequence[View],
    *,
    others: bool,
) -> str:
    """What is not free, why, and the way out."""
    when = wall.format_time(venue.venue, place.start)[:16].replace("T", " ")
    at = f"at {when} ({venue.venue.time_zone})"
    way_out = "try one of the alternatives" if others else "try another time or day"
    named = " and ".join(asked.resources)
    if reason == BLOCKED:
        where = f" in {asked.area}" if asked.area else ""
        what = named or f"every place for {place.party_size}{where}"
        said = out_of_use.words(venue, views)
        why = f" ({said})" if said else ""
        return f"{what} {at} is out of use at {venue.venue.name}{why}; {way_out}"
    what = named or f"a place for {place.party_size}"
    return f"{what} {at} is not free at {venue.venue.name}; {way_out}"


def _may_wait(replica: Service, venue: VenueIndex, place: Place, asked: Asked) -> bool:
    """Whether who did not get a place may wait for one on that day. For nights nobody waits."""
    day = calendar.service_date(venue.venue, place.start)
    now_s = replica.clock.now_ms() // 1000
    return place.nights is None and not waiting_violations(
        venue.venue, place.party_size, day, now_s, by_guest=asking.by_themself(asked)
    )


def never(
    venue: VenueIndex,
    party_size: int,
    quantity: int,
    kind: str,
    area: str,
    features: Sequence[str] = (),
) -> RuleViolated:
    """For a party that no resource of a kind and area, and no combination of them, ever takes."""
    most = most_people(venue, kind, area, quantity)
    where = f"{kind} of {venue.venue.name}" + (f" in {area}" if area else "")
    if features:
        where += f" with {' and '.join(features)}"
    together = "" if quantity > 1 else ", and no combination,"
    if most is None or party_size <= most:
        message = f"No {where}{together} is for {party_size} at any time; name the place."
    elif most == 0:
        message = f"No {where} has {quantity} units; ask for fewer."
    else:
        message = (
            f"No {where}{together} takes {party_size} people at any time: {most} at the "
            "most. Make several reservations."
        )
    return RuleViolated(message, [{"rule": "seats", "message": message}])


def _suggestions(
    replica: Service,
    venue: VenueIndex,
    place: Place,
    asked: Asked,
    question: rules.Question,
    found: Sequence[rules.Violation],
) -> list[dict[str, Any]]:
    """What the rules would allow instead; nothing where no other time or length helps."""
    if not replica.rules.may_be_cured(found):
        return []
    return instead.near(replica, venue, place, asked, search(question))


class Written(NamedTuple):
    """The claims of a choice, what ends with them, and the reason that the entry names for being
    granted beyond the capacity; none where the writer sells within it."""

    claims: tuple[Claim, ...]
    ends: tuple[ClaimId, ...]
    override: str


def claims_of(
    replica: Service,
    venue: VenueIndex,
    place: Place,
    choice: Choice,
    view: View | None = None,
    *,
    sold: bool = True,
    override: str = "",
    beyond: bool = False,
) -> Written:
    """The claims of a choice, and what ends with them of the reservation that is moved.

    From rights of one's own they count at once, and what is one's own of the old ends in the same
    entry; what others hold is named, and stays until its holder ends it (DESIGN §5.6). `sold`
    False: they are asked for like anybody's, of this replica too. `override` is the reason of
    somebody who may have a place beyond the capacity; `beyond`: there is no other.
    """
    wanted = [
        Claim(resource, place.start, place.end + place.buffer, quantity, place.buffer)
        for resource, quantity in zip(choice.resources, choice.quantities, strict=True)
    ]
    live, waiting = ([], []) if view is None else (view.live, view.pending)
    own = () if view is None else selling.own_ends(replica, view, live)
    if view is None or len(own) < len(live):
        # What another holds, even in part, is given up by all its holders together.
        own = ()
    elif not any(claim.state == READY for claim in view.claims):
        own += selling.own_ends(replica, view, waiting)
    terms = selling.terms(replica, venue, wanted, own, sell=sold, override=beyond)
    # A pending change is what the next one follows. What was granted beside the old place is never
    # ended on its holder's own view: the old place may be given up for it at this moment (§5.6).
    standing = [] if view is None else standing_claims(view)
    named = [claim.id for claim in standing or [*live, *waiting]]
    if terms.guaranteed:
        named = [claim.id for claim in [*standing, *live, *waiting] if claim.id not in own]
    made = tuple(
        msgspec.structs.replace(
            claim,
            right=terms.rights[index] if terms.guaranteed else b"",
            asks=terms.asks,
            replaces=named[min(index, len(named) - 1)] if named else None,
        )
        for index, claim in enumerate(wanted)
    )
    if terms.guaranteed:
        beyond = terms.overbooked or is_tight(choice, place.party_size)
        return Written(made, own, override if beyond else "")
    return Written(made, (), override)
