"""Hybrid logical clock: stamps, their packed and text forms, and how a stamp follows another.

Owns the order of all entries. Knows no clock: the present is an argument, results are values, and
the caller keeps the high-water mark (in the transaction of the entry that it stamps, DESIGN §3).

A stamp is 48 bits of Unix milliseconds, a 16-bit counter and the incarnation that made it. The
packed form leaves the incarnation out: `ms << 16 | counter`. It stays within a signed 64-bit
column until the year 6429 (`MS_READABLE_MAX`), which is also as far as any clock here reads.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Self

from holdfast.model.errors import Invalid
from holdfast.model.limits import STAMP_AHEAD_MS_MAX

COUNTER_BITS: Final = 16
COUNTER_MAX: Final = (1 << COUNTER_BITS) - 1
MS_MAX: Final = (1 << 48) - 1
PACKED_MAX: Final = (1 << 64) - 1
MS_READABLE_MAX: Final = (1 << 47) - 1
"""The last millisecond whose packed stamp is a signed 64-bit integer: in May 6429."""

_TEXT: Final = re.compile(r"([0-9a-f]{12})-([0-9a-f]{4})-([0-9a-f]{32})")


class Stamp(NamedTuple):
    """One instant of one incarnation. Tuple order is the order of stamps, and text sorts the same.

    `ms` are Unix milliseconds, `counter` tells stamps of one millisecond apart, `node` is the
    incarnation as 32 lower-case hex digits, which decides between equal instants.
    """

    ms: int
    counter: int
    node: str

    @property
    def packed(self) -> int:
        """`ms << 16 | counter`. Raises Invalid when either is out of its range."""
        if not (0 <= self.ms <= MS_MAX and 0 <= self.counter <= COUNTER_MAX):
            raise Invalid.field(
                "stamp", f"{self.ms} ms and counter {self.counter} do not fit 48 and 16 bits"
            )
        return self.ms << COUNTER_BITS | self.counter

    @classmethod
    def unpack(cls, packed: int, node: str) -> Self:
        """The stamp of `node` at a packed instant. Raises Invalid outside 64 bits."""
        if not 0 <= packed <= PACKED_MAX:
            raise Invalid.field("stamp", f"{packed} does not fit 64 bits")
        return cls(packed >> COUNTER_BITS, packed & COUNTER_MAX, node)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str()`. Raises Invalid for any other text: one stamp, one spelling."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise Invalid.field(
                "stamp", "expected 12 hex digits, '-', 4 hex digits, '-', 32 hex digits, lower case"
            )
        return cls(int(match[1], 16), int(match[2], 16), match[3])

    def __str__(self) -> str:
        digits = f"{self.packed:016x}"
        return f"{digits[:12]}-{digits[12:]}-{self.node}"


def tick(last: int, now_ms: int) -> int:
    """The packed stamp of a new entry: after `last`, and not before `now_ms`.

    A clock that stands still or runs backwards only counts on; the 65,536th stamp of a millisecond
    carries into the next. Raises Invalid beyond 48 bits of milliseconds.
    """
    stamp = now_ms << COUNTER_BITS
    if stamp <= last:
        stamp = last + 1
    if stamp > PACKED_MAX:
        raise _beyond(stamp)
    return stamp


def merge(last: int, remote: int, now_ms: int, latest_ms: int) -> int:
    """The high-water mark after `remote` was seen: after both it and `last`, not before `now_ms`.

    `latest_ms` is the latest that the present may be (`Interval.stamp_latest`). A remote stamp
    more than STAMP_AHEAD_MS_MAX beyond it moves nothing: `last` comes back as it was, and the
    entry that carries the stamp counts all the same (DESIGN §3). Raises Invalid beyond 48 bits of
    milliseconds.
    """
    if remote >> COUNTER_BITS > latest_ms + STAMP_AHEAD_MS_MAX:
        return last
    return tick(remote if remote > last else last, now_ms)


def _beyond(stamp: int) -> Invalid:
    return Invalid.field(
        "stamp", f"{stamp >> COUNTER_BITS} ms is beyond 48 bits: set this machine's clock right"
    )
