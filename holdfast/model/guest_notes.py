"""Notes about a person: which stand, and in which version (feature H-27).

Owns the five kinds and the rule that puts notes, their changes and their withdrawals together, in
whatever order they came. What a note says, and of which kind it is, is sealed: that somebody has a
dietary need is nobody's to know who cannot read cards. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from holdfast.model.events import Event, GuestNoted, GuestNoteWithdrawn

PREFERENCE: Final = "preference"
DIETARY: Final = "dietary"
ISSUE: Final = "issue"
COMPLIMENT: Final = "compliment"
GENERAL: Final = "general"
KINDS: Final = (PREFERENCE, DIETARY, ISSUE, COMPLIMENT, GENERAL)
TEXT_CHARS_MAX: Final = 2_000
AUTHOR_CHARS_MAX: Final = 64


class Written(Protocol):
    """An entry about a person: its operation, what it says, its stamp."""

    @property
    def id(self) -> bytes: ...

    @property
    def said(self) -> Event: ...

    @property
    def stamp(self) -> int: ...


Entry = TypeVar("Entry", bound=Written)


class Note(NamedTuple, Generic[Entry]):
    """A note: the entry that made it, whose operation is its id, all its versions, the newest last,
    and the first entry that withdrew it."""

    made: Entry
    versions: tuple[Entry, ...]
    withdrawn: Entry | None

    @property
    def stands(self) -> Entry:
        """The entry that says how it stands now."""
        return self.versions[-1]

    @property
    def said(self) -> GuestNoted:
        """How it stands."""
        assert isinstance(self.stands.said, GuestNoted)
        return self.stands.said


def notes_of(written: Iterable[Entry]) -> list[Note[Entry]]:
    """The notes about one agent id, the oldest first, of all that was written of it.

    Of a note's versions the newest stands, whole; one that was withdrawn stays so. What names a
    note that is not known waits for it.
    """
    made: dict[bytes, Entry] = {}
    changed: dict[bytes, list[Entry]] = {}
    withdrawn: dict[bytes, list[Entry]] = {}
    for one in written:
        event = one.said
        if isinstance(event, GuestNoteWithdrawn):
            withdrawn.setdefault(event.note, []).append(one)
        elif isinstance(event, GuestNoted) and event.note:
            changed.setdefault(event.note, []).append(one)
        elif isinstance(event, GuestNoted):
            made[one.id] = one
    found = [
        Note(
            first,
            tuple(sorted([first, *changed.get(note, ())], key=_order)),
            min(withdrawn.get(note, ()), key=_order, default=None),
        )
        for note, first in made.items()
    ]
    return sorted(found, key=lambda note: _order(note.made))


def _order(one: Written) -> tuple[int, bytes]:
    return one.stamp, one.id
