"""The ids of the reservations that a replica makes: each only once, however fast and whatever the
clock does.

Owns the last one given. Their form, and how they name their maker, is `model.ids`'s business.
"""

from __future__ import annotations

import os

from holdfast.model.ids import ENTROPY_BYTES, reservation_id

_VALUES = 1 << 8 * ENTROPY_BYTES


class ReservationIds:
    """Gives ids out in rising order (RFC 9562 §6.2, monotonic random). Call under the replica's
    lock."""

    def __init__(self) -> None:
        self._last_ms = -1
        self._last = 0

    def next(self, incarnation: bytes, now_ms: int) -> bytes:
        """An id that this replica has not given yet.

        Random in a millisecond that is new; the next value in the same one, or where the clock went
        back, since 24 random bits alone would meet again. The millisecond after the last stands for
        it once its values are used up. A clock before 1970 counts as 1970.
        """
        now_ms = max(now_ms, 0)
        if now_ms > self._last_ms:
            self._last_ms, self._last = now_ms, int.from_bytes(os.urandom(ENTROPY_BYTES), "big")
        else:
            carry, self._last = divmod(self._last + 1, _VALUES)
            self._last_ms += carry
        entropy = self._last.to_bytes(ENTROPY_BYTES, "big")
        return reservation_id(incarnation, self._last_ms, entropy)
