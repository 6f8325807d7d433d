"""When something can start: all start times of a day at once.

Owns the one calculation, over sets of minutes that are bits of a number. What is asked one time at
a time costs resources by times; asked together, each interval that is taken rules out the starts
before its end and after its beginning less the length, in two shifts. Exact to the second: a start
is a whole minute, what is taken need not be. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

MINUTE = 60


def ruled_out(taken: Iterable[tuple[int, int]], origin: int, minutes: int, length: int) -> int:
    """The starts that are not free: bit m stands for origin + 60 m, of the first `minutes` ones.

    `taken` are intervals [start, end) in epoch seconds, in any order; `length` is how many seconds
    something lasts. A start is ruled out where [start, start + length) shares an instant with one
    of them.
    """
    bits = 0
    for start, end in taken:
        first = max((start - length - origin) // MINUTE + 1, 0)
        last = min(-(-(end - origin) // MINUTE), minutes)
        if first < last:
            bits |= (1 << last) - (1 << first)
    return bits
