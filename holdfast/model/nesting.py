"""How deeply a MessagePack value is nested, told from its bytes alone.

Owns the one bound that stands before any decoder: decoders recurse, and how deep they get depends
on the stack that the interpreter has left. A verdict on an entry must be the same everywhere.
"""

from __future__ import annotations

from typing import Final

from holdfast.model.limits import NESTING_MAX

_OPENERS: Final = bytes([*range(0x80, 0xA0), 0xDC, 0xDD, 0xDE, 0xDF])
"""First bytes of maps and arrays."""


def _fixed_sizes() -> tuple[int, ...]:
    """Bytes of a value by its first byte; 0 where the size is not told by that byte alone."""
    sizes = [1] * 256
    for first in _OPENERS:
        sizes[first] = 0
    for first in range(0xA0, 0xC0):
        sizes[first] = 1 + (first & 0x1F)
    for first, size in enumerate((0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9), 0xC4):
        sizes[first] = size
    for first, size in enumerate((3, 4, 6, 10, 18, 0, 0, 0), 0xD4):
        sizes[first] = size
    return tuple(sizes)


_FIXED: Final = _fixed_sizes()
_LENGTH_BYTES: Final = {
    0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4,
    0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4,
}  # fmt: skip


def nested_too_deeply(data: bytes) -> bool:
    """Whether arrays and maps stand within each other more than NESTING_MAX deep.

    Bytes that are cut off or no MessagePack are judged as far as they can be read: the decoder
    refuses them. Almost every content is cleared by counting bytes, without being walked.
    """
    if len(data) - len(data.translate(None, _OPENERS)) <= NESTING_MAX:
        return False
    at, end, left = 0, len(data), 1
    outer: list[int] = []
    while at < end:
        first = data[at]
        left -= 1
        size = _FIXED[first]
        if size:
            at += size
        else:
            width = _LENGTH_BYTES.get(first, 0)
            count = int.from_bytes(data[at + 1 : at + 1 + width], "big") if width else first & 0x0F
            at += 1 + width
            if first >= 0xDC or first < 0xA0:
                outer.append(left)
                if len(outer) > NESTING_MAX:
                    return True
                left = count * 2 if first >= 0xDE or first < 0x90 else count
            else:
                at += count + (0xC7 <= first <= 0xC9)  # An extension has a type beside its length.
        while not left and outer:
            left = outer.pop()
        if not left:
            return False
    return False
