"""What a partner calls a reservation: a reference, of which a book has a keyed digest alone.

Owns how it may be written, the digest, and what is raised where devices that were apart took one
reference twice (H-18). A reference is anything that somebody typed; in clear it stands nowhere, and
without the tenant's pseudonym key nobody can test a guess. Unlike a record that is imported, whose
id is derived from its key, each request of a partner makes a reservation of its own id: both were
promised to somebody, and a person decides. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final, NamedTuple

from holdfast.model import lifecycle
from holdfast.model.contradictions import PARTNER_TWICE, Resolution, digest
from holdfast.model.limits import PARTNER_REFERENCE_CHARS_MAX
from holdfast.model.pseudonyms import KEY_BYTES_MIN
from holdfast.model.reservation import View

PARTNER_SOURCES: Final = frozenset({"partner", "agency", "corporate"})
"""The sources that have references of their own: others sell there."""
DIGEST_BYTES: Final = 16

_DOMAIN: Final = b"holdfast partner 1"
_STANDS: Final = lifecycle.OPEN_STATUSES | {lifecycle.CHECKED_IN}
STANDING: Final = tuple(sorted(_STANDS))
"""Statuses in which a second reservation under one reference is one too many."""


def problem_of(reference: str) -> str | None:
    """Why a reference may not be written so, as a sentence; None if it may. Never repeats it."""
    if not 1 <= len(reference.strip()) <= PARTNER_REFERENCE_CHARS_MAX:
        return f"must be 1 to {PARTNER_REFERENCE_CHARS_MAX} characters"
    return None if reference.isprintable() else "must be printable characters"


def digest_of(pseudonym_key: bytes, book: str, source: str, reference: str) -> bytes:
    """16 bytes that stand for a source's reference in a book: the same on every device of a tenant,
    offline. A reference counts as it is written, but for blanks around it. Raises ValueError for a
    key that is too short."""
    if len(pseudonym_key) < KEY_BYTES_MIN:
        raise ValueError(
            f"the pseudonym key has fewer than {KEY_BYTES_MIN} bytes; restore its file"
        )
    mac = hmac.new(pseudonym_key, digestmod=hashlib.sha256)
    for part in (_DOMAIN, book.encode(), source.encode(), reference.strip().encode()):
        mac.update(len(part).to_bytes(4, "big") + part)
    return mac.digest()[:DIGEST_BYTES]


class SameReference(NamedTuple):
    """Reservations under one reference that stand: `spare` was made last of those at whose places
    nobody sits yet, `others` (ids in order) are the rest."""

    spare: bytes
    others: tuple[bytes, ...]
    since_ms: int

    @property
    def about(self) -> bytes:
        """16 bytes: these, whoever is asked."""
        return digest((self.spare, *self.others))


def first_of(views: Iterable[View]) -> View | None:
    """The reservation that a reference means: of several one that stands, the first that was
    made."""
    return min(views, key=lambda view: (view.status not in _STANDS, *_made(view)), default=None)


def same_reference(views: Iterable[View]) -> SameReference | None:
    """Whether several of these, all of one reference, stand."""
    standing = [view for view in views if view.status in _STANDS]
    if len(standing) < 2:
        return None
    spare = max(standing, key=lambda view: (view.status != lifecycle.CHECKED_IN, *_made(view)))
    others = tuple(sorted(view.id for view in standing if view.id != spare.id))
    return SameReference(spare.id, others, max(view.made_at_ms for view in standing))


def is_resolved(found: SameReference, resolutions: Iterable[Resolution]) -> bool:
    """Whether somebody decided that both stay."""
    return any(one.kind == PARTNER_TWICE and one.about == found.about for one in resolutions)


def _made(view: View) -> tuple[int, bytes]:
    return view.made_at_ms, view.id
