"""What a hub holds against its devices: what was refused, set aside or taken back of each.

Owns that count, for the fleet view. It judges nobody: a broken disk and a stolen device leave the
same traces, and a person looks at both.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from holdfast.model.vocabulary import OVERSOLD
from holdfast.sync.gate import QUARANTINED

if TYPE_CHECKING:
    from holdfast.node.replica import Replica

KINDS = ("quarantined", "refused", "branches", "oversold", "keys", "renewals")
"""Entries set aside; frames refused that are kept; further branches of its chain; rights that it
sold more of than it had; keys of cards that it sent and that no entry carries; requests to renew a
certificate for a second key, until it is shut out."""


class Conduct:
    """The counts of one book, read once for all of its devices."""

    def __init__(self, replica: Replica, book: str) -> None:
        journal, rights = replica.store.journal, replica.rights(book)
        self._quarantined = Counter(
            incarnation
            for _, incarnation, _, verdict, _ in journal.quarantined(book)
            if verdict == QUARANTINED
        )
        self._branches = Counter(
            chain.incarnation for chain in journal.chains(book) if chain.branch
        )
        ended = [rights.ended(right) for right in rights.by_id]
        self._oversold = Counter(
            one.holder for one in ended if one is not None and one.reason == OVERSOLD
        )
        self._refused = journal.refused_frames(book)
        self._keys = replica.store.cards.waiting_by_sender(book)
        self._renewals: Counter[str] = Counter()
        revoked = replica.book(book).administration.revoked
        for name, serial, refused in replica.store.records.refused_renewals(book):
            self._renewals[name] += refused if serial not in revoked else 0

    def of(self, incarnation: bytes, name: str) -> dict[str, int]:
        """What there is about one life of a device, by kind; frames, keys and renewals by its
        name."""
        counts = (
            self._quarantined[incarnation],
            self._refused.get(name, 0),
            self._branches[incarnation],
            self._oversold[incarnation],
            self._keys.get(name, 0),
            self._renewals[name],
        )
        return dict(zip(KINDS, counts, strict=True))
