"""Challenges: why a request that somebody recorded is never answered again.

Owns their form and the memory of what was used. Whoever asks signs the newest challenge that the
answering side gave to it, and each is good for one request. No device's clock is asked, and nothing
is kept over a restart: a challenge belongs to one run of the process, whose key for them is made
anew each time, so that no older one opens anything (docs/decisions/0013-identity.md).
"""

from __future__ import annotations

import base64
import hmac
import os
import threading
from collections import OrderedDict
from typing import Final

from holdfast.model.errors import Unauthorised
from holdfast.model.limits import CHALLENGED_SENDERS_MAX

CHALLENGE_REASON: Final = "challenge"
"""The `reason` of the refusal that carries a challenge to sign instead."""
_NUMBER_BYTES: Final = 8
_MAC_BYTES: Final = 16


class Challenges:
    """What one run of a replica has asked others to sign. For several threads.

    A challenge is a number and its authentication code for one certificate. A request must carry
    one above all that this certificate used before, so that one number a sender is all there is to
    remember. Senders that are forgotten for want of room raise what is asked of everybody unknown:
    forgetting refuses, and never lets anything in again.
    """

    def __init__(self, size: int = CHALLENGED_SENDERS_MAX) -> None:
        self._key = os.urandom(32)
        self._size = size
        self._issued = 0
        self._used_by_sender: OrderedDict[str, int] = OrderedDict()
        self._used_by_forgotten = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._used_by_sender)

    def issue(self, sender: str) -> str:
        """A challenge for whoever has this certificate, named by its `keyid`. Keeps nothing."""
        with self._lock:
            self._issued += 1
            number = self._issued.to_bytes(_NUMBER_BYTES, "big")
        return base64.urlsafe_b64encode(number + self._code(sender, number)).decode()

    def use(self, sender: str, text: str) -> None:
        """Use a challenge up, whose signature has been verified.

        Raises Unauthorised, with a new challenge to sign, for one that is missing, of another
        sender, of an earlier run, or not above the newest that this sender used.
        """
        number = self._number(sender, text)
        with self._lock:
            if number > self._used_by_sender.get(sender, self._used_by_forgotten):
                self._used_by_sender[sender] = number
                self._used_by_sender.move_to_end(sender)
                if len(self._used_by_sender) > self._size:
                    _, used = self._used_by_sender.popitem(last=False)
                    self._used_by_forgotten = max(self._used_by_forgotten, used)
                return
        raise Unauthorised(
            "the request signs no challenge that is still open here; sign the one that comes with "
            "this answer, and send it again",
            reason=CHALLENGE_REASON,
            challenge=self.issue(sender),
        )

    def _number(self, sender: str, text: str) -> int:
        """The number of a challenge that this run made for this sender; 0 for any other text."""
        try:
            data = base64.b64decode(text.encode("ascii"), b"-_", validate=True)
        except ValueError:
            return 0
        number, code = data[:_NUMBER_BYTES], data[_NUMBER_BYTES:]
        return int.from_bytes(number, "big") if self._is_ours(sender, number, code) else 0

    def _is_ours(self, sender: str, number: bytes, code: bytes) -> bool:
        return hmac.compare_digest(code, self._code(sender, number))

    def _code(self, sender: str, number: bytes) -> bytes:
        return hmac.digest(self._key, number + sender.encode(), "sha256")[:_MAC_BYTES]
