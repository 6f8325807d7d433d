"""Seating the parties of a service better: who sits where, so that more fit and less room is lost.

Owns what is better (`Score`), the search for it that needs no solver, and the order in which moves
can be carried out one after the other, each into a place that is free at that moment. It knows
parties and the choices that each may have; which these are, and what a party may not give up, is
the asker's business. Deterministic, and bounded: the same parties give the same plan. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from holdfast.model.limits import SEATING_PASSES_MAX, SEATING_TRIES_MAX
from holdfast.model.offers import Choice

_DEPTH: Final = 4
"""How many parties may move on, each for the one before, to make one place free."""
NOWHERE: Final = -1
"""The place of a party that has none."""


class Party(msgspec.Struct, frozen=True):
    """Somebody to seat throughout [start, end), epoch seconds.

    `choices` are the places that they may have, as far as the other parties leave them, the best
    first; `present` is the one that they have now, NOWHERE: none. Who has a place keeps one.
    """

    id: bytes
    start: int
    end: int
    size: int
    choices: tuple[Choice, ...]
    present: int = NOWHERE

    def at(self, place: int) -> Choice | None:
        return None if place == NOWHERE else self.choices[place]


Plan = dict[bytes, int]
"""The place of each party, by its id: an index into its choices, or NOWHERE."""


class Score(NamedTuple):
    """How good a plan is; less is better, in this order: people without a place, seats that stay
    empty at tables that are taken, tables that are taken, parties that move."""

    unseated: int
    waste: int
    tables: int
    moved: int


class Step(NamedTuple):
    """One party goes to one of its choices."""

    party: bytes
    place: int


def present(parties: Iterable[Party]) -> Plan:
    """Where everybody is now."""
    return {party.id: party.present for party in parties}


def score(parties: Iterable[Party], plan: Mapping[bytes, int]) -> Score:
    """How good a plan is."""
    unseated = waste = tables = moved = 0
    for party in parties:
        choice = party.at(plan[party.id])
        if choice is None:
            unseated += party.size
        else:
            waste += choice.waste
            tables += len(choice.resources)
        moved += plan[party.id] != party.present
    return Score(unseated, waste, tables, moved)


def clash(one: Party, place: int, other: Party, elsewhere: int) -> bool:
    """Whether two parties at two places would meet."""
    here, there = one.at(place), other.at(elsewhere)
    return (
        here is not None
        and there is not None
        and one.start < other.end
        and other.start < one.end
        and not set(here.resources).isdisjoint(there.resources)
    )


# --- the search -----------------------------------------------------------------------------------


def improved(parties: Sequence[Party], *, swaps: bool = True) -> Plan:
    """A plan that is at least as good as the present one. Whoever has a place keeps one, and nobody
    sits where somebody else does. `swaps`: parties may change places with each other, which takes a
    third one that is free (`steps`)."""
    room = _Room(parties, swaps=swaps)
    for party in sorted(parties, key=lambda one: (-one.size, one.start, one.id)):
        if room.plan[party.id] == NOWHERE:
            room.seat(party)
    for _ in range(SEATING_PASSES_MAX):
        if not room.tighten():
            break
    room.return_home()
    return room.plan


class _Room:
    """A plan that is being changed, and who sits at each resource in it."""

    def __init__(self, parties: Sequence[Party], *, swaps: bool = True) -> None:
        self.parties, self._swaps = parties, swaps
        self.by_id = {party.id: party for party in parties}
        self.plan = present(parties)
        self._at: dict[str, set[bytes]] = {}
        self._tries = 0
        self._undo: list[tuple[Party, int]] = []
        for party in parties:
            self._occupy(party, party.present)

    def _occupy(self, party: Party, place: int) -> None:
        choice = party.at(place)
        for resource in choice.resources if choice is not None else ():
            self._at.setdefault(resource, set()).add(party.id)

    def put(self, party: Party, place: int) -> None:
        self._undo.append((party, self.plan[party.id]))
        self._move(party, place)

    def _move(self, party: Party, place: int) -> None:
        choice = party.at(self.plan[party.id])
        for resource in choice.resources if choice is not None else ():
            self._at[resource].discard(party.id)
        self.plan[party.id] = place
        self._occupy(party, place)

    def in_the_way(self, party: Party, place: int) -> list[Party]:
        """Who sits where a party would go, by id."""
        choice = party.at(place)
        assert choice is not None
        found = {one for name in choice.resources for one in self._at.get(name, ())} - {party.id}
        others = [self.by_id[one] for one in sorted(found)]
        return [one for one in others if one.start < party.end and party.start < one.end]

    def seat(self, party: Party) -> bool:
        """Find a place for a party that has none, others moving on for it where that helps."""
        for place in range(len(party.choices)):
            if self._make_room(((party, place),)):
                self.put(party, place)
                return True
        return False

    def _make_room(self, going: tuple[tuple[Party, int], ...]) -> bool:
        """Move whoever is in the way of the last of those who are `going` to a place each, one for
        the other, to another place of theirs; nothing is changed where that fails."""
        party, place = going[-1]
        before = self.mark()
        for other in self.in_the_way(party, place):
            if not clash(party, place, other, self.plan[other.id]):
                continue  # It has moved on meanwhile, for one of the others.
            if not self._move_on(other, going):
                self.undo(before)
                return False
        return True

    def _move_on(self, other: Party, going: tuple[tuple[Party, int], ...]) -> bool:
        if len(going) > _DEPTH or any(other.id == party.id for party, _ in going):
            return False
        for target in range(len(other.choices)):
            if any(clash(party, place, other, target) for party, place in going):
                continue
            self._tries += 1
            if self._tries > SEATING_TRIES_MAX:
                return False
            before = self.mark()
            self._leave(other)
            if self._make_room((*going, (other, target))):
                self.put(other, target)
                return True
            self.undo(before)
        return False

    def _leave(self, party: Party) -> None:
        """Where parties may change places, who moves leaves first."""
        if self._swaps:
            self.put(party, NOWHERE)

    def mark(self) -> int:
        """Where `undo` goes back to."""
        return len(self._undo)

    def undo(self, mark: int) -> None:
        while len(self._undo) > mark:
            self._move(*self._undo.pop())

    def tighten(self) -> bool:
        """Let parties sit where less room is lost; whether anything got better."""
        better = False
        for party in sorted(self.parties, key=lambda one: (-self._waste(one), one.start, one.id)):
            best = score(self.parties, self.plan)
            for place in range(len(party.choices)):
                if self.plan[party.id] in (NOWHERE, place):
                    continue
                before = self.mark()
                self._leave(party)
                if not self._make_room(((party, place),)):
                    self.undo(before)
                    continue
                self.put(party, place)
                if score(self.parties, self.plan)[:3] < best[:3]:
                    better = True
                    break
                self.undo(before)
        return better

    def _waste(self, party: Party) -> int:
        choice = party.at(self.plan[party.id])
        return 0 if choice is None else choice.waste

    def return_home(self) -> None:
        """Whoever moved for nothing stays where they were."""
        for _ in range(SEATING_PASSES_MAX):
            back = False
            for party in self.parties:
                if self.plan[party.id] == party.present or party.present == NOWHERE:
                    continue
                before, best = self.mark(), score(self.parties, self.plan)
                self._leave(party)
                if not self._make_room(((party, party.present),)):
                    self.undo(before)
                    continue
                self.put(party, party.present)
                if score(self.parties, self.plan) < best:
                    back = True
                else:
                    self.undo(before)
            if not back:
                break


# --- carrying it out ------------------------------------------------------------------------------


def steps(parties: Sequence[Party], plan: Mapping[bytes, int]) -> list[Step] | None:
    """The moves that lead from the present to a plan, each into a place that is free by then; where
    parties change places, one of them waits elsewhere. None: there is no such place."""
    room = _Room(parties)
    waiting = [party for party in parties if plan[party.id] != party.present]
    waited: set[bytes] = set()
    found: list[Step] = []

    def go(party: Party, place: int) -> None:
        room.put(party, place)
        found.append(Step(party.id, place))

    while waiting:
        ready = [one for one in waiting if not room.in_the_way(one, plan[one.id])]
        for party in ready:
            # What was free for the first may be taken by it for the second: they differ in a plan.
            go(party, plan[party.id])
        waiting = [party for party in waiting if room.plan[party.id] != plan[party.id]]
        if ready or not waiting:
            continue
        aside = _aside(room, [one for one in waiting if one.id not in waited], waiting, plan)
        if aside is None:
            return None
        waited.add(aside.party)
        go(room.by_id[aside.party], aside.place)
    return found


def _aside(
    room: _Room, parties: Iterable[Party], waiting: Sequence[Party], plan: Mapping[bytes, int]
) -> Step | None:
    """Somebody who can wait at a place that is free and that nobody else is about to take."""

    def wanted(party: Party, place: int) -> bool:
        return any(
            clash(party, place, other, plan[other.id]) for other in waiting if other.id != party.id
        )

    keys: list[Callable[[Party, int], bool]] = [wanted, lambda party, place: False]
    options = list(parties)
    for avoid in keys:
        for party in options:
            if party.present == NOWHERE:
                continue
            for place in range(len(party.choices)):
                if place == room.plan[party.id] or avoid(party, place):
                    continue
                if not room.in_the_way(party, place):
                    return Step(party.id, place)
    return None
