"""What a person may not reserve, asked where somebody writes at this replica.

Owns the question and the words of the refusal, and which entries it rests on: those whose writer's
word counts. What is in force and which rule follows stands in `model.restrictions`. No fold, no
merge and no decision asks: what was written elsewhere stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from holdfast.model import calendar, restrictions
from holdfast.model.errors import Forbidden, RuleViolated
from holdfast.model.offers import VenueIndex
from holdfast.model.restrictions import Lift, Profile, Restriction
from holdfast.node.lookup import venue_time
from holdfast.node.replica import Replica
from holdfast.node.same_guests import agents_of
from holdfast.store.restrictions import Placed, Said

if TYPE_CHECKING:
    from holdfast.node.service import Service


class Asking(NamedTuple):
    """On whose behalf a restriction is asked for. `told`: whoever asks may know why a person is
    refused, which nobody who stands at a screen may. `settles`: the house answers an exception, and
    keeps a promise that was given; then nothing is asked. `own`: the person asks, by a token that
    is theirs alone."""

    told: bool = True
    settles: bool = False
    own: bool = False

    @property
    def plain(self) -> bool:
        """Whether the venue's rules say what of the person they rest on. Else a refusal would tell
        anybody who knows a user id that this person has reservations here, and since when."""
        return self.told or self.own


STAFF = Asking()


def check(
    replica: Service,
    venue: VenueIndex,
    agent: str,
    kind: str,
    *,
    start: int | None,
    takes_one: bool,
    exclude: bytes = b"",
    asking: Asking = STAFF,
) -> list[dict[str, str]]:
    """The limits of a person that a reservation of theirs would break, as `[{rule, message}]`.

    `kind` is the reservation's, `start` its start where that is new (epoch seconds), `takes_one`
    whether it becomes theirs, `exclude` its id where it has one. Raises Forbidden where no
    reservation at all is taken for them.
    """
    book = replica.book_of(venue.venue.id)
    with replica.lock:
        binding = [] if asking.settles else in_force(replica, book, agent)
        if not binding:
            return []
        ban = restrictions.strictest(binding, restrictions.BAN)
        if ban is not None:
            raise banned(replica, venue, ban, told=asking.told)
        found: list[dict[str, str]] = []
        if takes_one:
            to_come = _to_come(replica, book, agent, exclude)
            found += restrictions.concurrent_violations(binding, kind, to_come)
    if start is not None:
        day = calendar.service_date(venue.venue, start)
        today = calendar.service_date(venue.venue, replica.clock.now_ms() // 1000)
        found += restrictions.advance_violations(binding, kind, day, today)
    if asking.told:
        return found
    return [one | {"message": restrictions.DISCREET} for one in found]


def require(
    replica: Service,
    venue: VenueIndex,
    agent: str,
    kind: str,
    *,
    start: int,
    exclude: bytes,
    asking: Asking,
) -> None:
    """Whether a person may be given a reservation that stands. Raises Forbidden, RuleViolated."""
    found = check(
        replica, venue, agent, kind, start=start, takes_one=True, exclude=exclude, asking=asking
    )
    if found and not asking.plain:
        found = [{"rule": restrictions.PERSON, "message": restrictions.DISCREET}]
    if found:
        raise RuleViolated(" ".join(dict.fromkeys(one["message"] for one in found)), found)


def _to_come(replica: Service, book: str, agent: str, exclude: bytes) -> int:
    if replica.in_transaction:
        # What the same request wrote before counts.
        replica.write_projections()
    now_s = replica.clock.now_ms() // 1000
    ahead = replica.store.persons.ahead
    return sum(
        ahead(book, one, now_s, restrictions.TAKES_ONE, exclude)
        for one in agents_of(replica, book, agent)
    )


def banned(
    replica: Service, venue: VenueIndex, ban: Restriction, *, told: bool, by_contact: bool = False
) -> Forbidden:
    """What is said to whoever reserves for a guest who is banned; `by_contact`: for somebody who
    gives that guest's number or address."""
    if not told:
        return Forbidden(restrictions.DISCREET)
    until = until_of(replica, venue.venue.id, ban)
    end = f" until {until}" if until else ""
    who = f"whoever has the number or address of {ban.agent_id}" if by_contact else "this guest"
    other = "; if it is somebody else, they reserve with `--override R`" if by_contact else ""
    return Forbidden(
        f"{venue.venue.name} takes no reservation for {who}{end}: "
        f"{ban.reason.replace('_', ' ')}. A supervisor or an admin may lift that, by "
        f"`holdfast guests lift {ban.id.hex()} --reason R`{other}",
        reason=ban.reason,
        restriction=ban.id.hex(),
        until=until,
    )


def until_of(replica: Replica, venue: str, one: Restriction) -> str | None:
    """When a restriction ends, as the venue's clocks show it; None: when it is lifted."""
    return venue_time(replica, venue, one.until_ms // 1000) if one.until_ms else None


# --- what it rests on -----------------------------------------------------------------------------


def in_force(replica: Replica, book: str, agent: str) -> list[Restriction]:
    """What binds a person now, by this replica's clock. Call under the lock."""
    found = written(replica, book, agent)
    if not found:
        return []
    return restrictions.in_force(found, lifts_of(replica, book, found), replica.clock.now_ms())


def bans_anybody(replica: Replica, book: str) -> bool:
    """Whether a ban was ever written at this venue, lifted or not. Call under the lock."""
    return any(one.said.kind == restrictions.BAN for one in replica.store.restrictions.of(book))


def written(replica: Replica, book: str, agent: str | None = None) -> list[Restriction]:
    """The restrictions of a person, or of everybody, whose writers' word counts, the oldest
    first."""
    return [one.said for one in placed(replica, book, agent)]


def placed(replica: Replica, book: str, agent: str | None) -> list[Placed[Restriction]]:
    """The same with their places; of a person under whatever agent id."""
    stored = replica.store.restrictions
    if agent is None:
        return counting(replica, book, stored.of(book))
    found = [each for one in agents_of(replica, book, agent) for each in stored.of(book, one)]
    found.sort(key=lambda one: (one.said.stamp, one.said.id))
    return counting(replica, book, found)


def lifts_of(replica: Replica, book: str, of: Iterable[Restriction]) -> list[Lift]:
    """What lifts these restrictions, as far as its writers' word counts."""
    found = replica.store.restrictions.lifts(book, (one.id for one in of))
    return [one.said for one in counting(replica, book, found)]


def profiles_of(replica: Replica, book: str, agent: str) -> list[Profile]:
    """The profiles that a person was given, as far as their writers' word counts."""
    return [one.said for one in profiles_placed(replica, book, agent)]


def profiles_placed(replica: Replica, book: str, agent: str) -> list[Placed[Profile]]:
    """The same with their places; under whatever agent id."""
    stored = replica.store.restrictions
    agents = agents_of(replica, book, agent)
    return counting(replica, book, [each for one in agents for each in stored.profiles(book, one)])


def counting(replica: Replica, book: str, found: Iterable[Placed[Said]]) -> list[Placed[Said]]:
    """Of what was said of people, what counts: see `Books.vouched`."""
    return [one for one in found if replica.vouched(book, one.chain, one.n)]
