"""The notes of a service: what they are called, what their limits are, and what a person changed.

Owns the names (venue, service date, service), the pseudonym under which they are sealed, and the
smallest replacements that lead from one text to another, so that what others wrote beside them
stays. What several devices wrote at once is put together elsewhere (`sync.shared_text`). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Final, NamedTuple

from holdfast.model.pseudonyms import agent_id

SERVICE_CHARS_MAX: Final = 32
_SERVICE: Final = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{SERVICE_CHARS_MAX - 1}}}\Z")
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_WORD: Final = re.compile(r"\w+|.", re.DOTALL)
_COMPARED_MAX: Final = 1_000_000
"""Pairs of lines or of words that are compared; what would need more is replaced in one piece."""


class Replacement(NamedTuple):
    """The characters [start, end) of a text become `text`."""

    start: int
    end: int
    text: str


def is_service(text: str) -> bool:
    """Whether a service can be called so: a short id of the venue's own; empty: the whole day."""
    return text == "" or _SERVICE.match(text) is not None


def notes_agent(pseudonym_key: bytes, venue: str, date: str, service: str) -> str:
    """The pseudonym under which the notes of a service are sealed, and by which they are erased
    like a person. No user id has its form by accident."""
    return agent_id(pseudonym_key, f"notes:{venue}/{date}/{service}")


def replacements(old: str, new: str) -> list[Replacement]:
    """What turns `old` into `new`, the last place first, so that each leaves the places of those
    that follow as they were. By lines, and within lines by words."""
    found = [
        Replacement(line.start + word.start, line.start + word.end, word.text)
        for line in _differing(_LINE.findall(old), _LINE.findall(new))
        for word in _differing(_WORD.findall(old[line.start : line.end]), _WORD.findall(line.text))
    ]
    return found[::-1]


def _differing(old: Sequence[str], new: Sequence[str]) -> Iterator[Replacement]:
    """Where two texts differ, cut into pieces; places are counted in characters."""
    before = _same(old, new)
    after = _same(old[before:][::-1], new[before:][::-1])
    places = list(accumulate(map(len, old), initial=0))[before:]
    old, new = old[before : len(old) - after], new[before : len(new) - after]
    if len(old) * len(new) > _COMPARED_MAX:
        yield Replacement(places[0], places[len(old)], "".join(new))
        return
    compared = SequenceMatcher(None, old, new, autojunk=False)
    for what, i, j, k, m in compared.get_opcodes():
        if what != "equal":
            yield Replacement(places[i], places[j], "".join(new[k:m]))


def _same(first: Sequence[str], second: Sequence[str]) -> int:
    """How many pieces two texts have in common at their beginning."""
    shorter = min(len(first), len(second))
    return next((n for n in range(shorter) if first[n] != second[n]), shorter)
