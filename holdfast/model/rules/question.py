"""What a rule is, and everything that it may look at: the words between the rules and their askers.

Owns those shapes alone. Which rules there are stands in `engine`; where the values come from is
the asker's business (`node.asking`). Instants are epoch seconds, UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from holdfast.model.venue import Venue
from holdfast.model.vocabulary import RESERVATION_KINDS

MAKE: Final = "make"
MOVE: Final = "move"
CANCEL: Final = "cancel"
STEPS: Final = (MAKE, MOVE, CANCEL)
"""What somebody wants to do with a reservation; any change of time, place or size is a move."""

IMPORT: Final = "import"
"""Whom a rule binds beside the kinds of reservations: what is brought in from another system."""
EVERYBODY: Final = frozenset({*RESERVATION_KINDS, IMPORT})
RESERVING: Final = frozenset(RESERVATION_KINDS)
GUESTS: Final = frozenset({"guest", "walk_in"})
"""Whoever is served: all but what the house does for itself."""
AHEAD: Final = frozenset({"guest"})
"""Whoever asks beforehand: who stands at the desk, and the house itself, need not ask ahead, start
on the slot or call off in time."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to write.

    `nights` None: not a stay. `source` is the channel; `by_guest`: whoever it is for asks by
    themself, with nobody of the house between. `resources` are those that were named, empty where
    the replica chooses. `present` is the time that a reservation has which is moved, None where
    there is none yet; `imported`: it happened already, elsewhere.
    """

    party_size: int
    starts_at: int
    ends_at: int
    kind: str = "guest"
    nights: int | None = None
    source: str = "direct"
    by_guest: bool = False
    resources: tuple[str, ...] = ()
    step: str = MAKE
    present: tuple[int, int] | None = None
    imported: bool = False

    @property
    def length_s(self) -> int:
        return self.ends_at - self.starts_at

    @property
    def starts_as_before(self) -> bool:
        """Whether only something else than the start is to change."""
        return self.present is not None and self.present[0] == self.starts_at

    @property
    def bound_as(self) -> str:
        """Whom `Rule.binds` must name for a rule to bind this."""
        return IMPORT if self.imported else self.kind


class Made(msgspec.Struct, frozen=True):
    """A reservation that was made at an instant, at a venue."""

    at_s: int
    venue: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known here of the person whom a reservation is for; by default nothing that binds.

    `ahead` is how many reservations of theirs at the venue have an end to come and are not over,
    `made` those that were made lately, also where they were called off since; neither counts the
    one that is moved. `tier` and `tags` are what the house knows the person as. `reschedules` is
    how often whoever has the moved reservation has moved it.
    """

    agent_id: str = ""
    ahead: int = 0
    made: tuple[Made, ...] = ()
    tier: str = ""
    tags: tuple[str, ...] = ()
    reschedules: int = 0


NOBODY: Final = Standing()


class Question(msgspec.Struct, frozen=True):
    """All that a rule may look at.

    `pacing` is the number of covers that already start in the proposal's slot
    (`calendar.slot_of`), `seated` the most that sit there at one instant of its time; the
    proposal's own are in neither.
    """

    venue: Venue
    proposal: Proposal
    now_s: int
    standing: Standing = NOBODY
    pacing: int = 0
    seated: int = 0


class Violation(msgspec.Struct, frozen=True):
    """One rule that says no: its id, and a sentence for a tired host. `retry_after_s` is in how
    many seconds the same would be allowed, 0 where waiting alone does not help."""

    rule: str
    message: str
    retry_after_s: int = 0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: its id, whom it binds, when it is asked, and the asking.

    `asks` and `set_by` are for people: what it asks, and where a venue sets it, in Markdown.
    `binds` are kinds of reservations, and IMPORT; `by_guest`: of those only what people ask for by
    themselves. `of_start`: it is about when something starts, so that a change that leaves the
    start alone does not break it. `elsewhen`: another time or length may keep it. `check` yields a
    Violation for each thing wrong; it must depend on the question alone.
    """

    id: str
    asks: str
    check: Callable[[Question], Iterator[Violation]]
    set_by: str = ""
    binds: frozenset[str] = AHEAD
    steps: frozenset[str] = frozenset({MAKE, MOVE})
    by_guest: bool = False
    of_start: bool = False
    elsewhen: bool = False
