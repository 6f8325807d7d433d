"""Finding things in a replica and naming them: reservations, entries, writers, instants.

Owns the lookups that more than one view of a replica needs. It reads and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from holdfast.model import codes, wall
from holdfast.model.claims import REQUESTS, ClaimView, Seen, decisions
from holdfast.model.entries import Claim, decode
from holdfast.model.errors import Conflict, NotFound
from holdfast.model.events import ClaimDecided
from holdfast.model.hlc import Stamp
from holdfast.model.ids import parse_uuid, uuid_text
from holdfast.model.reservation import content_of
from holdfast.node.replica import Replica
from holdfast.store.journal import ChainRow
from holdfast.store.projections import Key, Record
from holdfast.sync import gate
from holdfast.sync.gate import Judged

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def node_name(replica: Replica, book: str, incarnation: bytes) -> str:
    """The name in the certificate of whoever writes a chain; `unknown` where there is none."""
    author = replica.authors(book).get(incarnation)
    return author.info.name if author is not None else "unknown"


def find_record(replica: Replica, reference: str) -> Record:
    """A reservation by its id or its code. Raises NotFound, Conflict."""
    with replica.lock:
        reservation = parse_uuid(reference)
        if reservation is not None:
            record = replica.record(reservation)
        else:
            found = by_code(replica, reference)
            record = replica.record(found[1], found[0]) if found else None
    if record is None or not record.seen:
        raise NotFound(f"no reservation {reference!r} is known here")
    return record


def by_code(replica: Replica, code: str) -> Key | None:
    """The reservation of a code, read back from the code itself: its prefix names who made it,
    its counter the entry that did.

    Raises Conflict where two copies of one device gave the same code to two reservations.
    """
    with replica.lock:
        found = _with_code(replica, code)
    if len(found) > 1:
        ids = " and ".join(uuid_text(reservation) for _, reservation in found)
        raise Conflict(
            f"{code} names {len(found)} reservations, because the device that made it was "
            f"copied and both copies went on; name the one you mean by its id: {ids}"
        )
    return found[0] if found else None


def _with_code(replica: Replica, code: str) -> list[Key]:
    read = codes.read_code(code, replica.identity.pseudonym_key)
    if read is None:
        return replica.store.projections.by_long_code(code)
    prefix, counter = read
    for name, book in replica.books.items():
        for incarnation, prefixes in book.administration.prefixes.items():
            if prefix in prefixes:
                n = prefixes.index(prefix) * codes.COUNTERS + counter
                return _made_by(replica, name, incarnation, n, code)
    return []


def _made_by(replica: Replica, name: str, incarnation: bytes, n: int, code: str) -> list[Key]:
    """The reservations with a code that entry n of a chain made, on any of its branches."""
    found: dict[Key, None] = {}
    for chain in replica.store.journal.branches(name, incarnation):
        if not 0 < n <= chain.length:
            continue
        subject = decode(replica.store.journal.entries(chain, n - 1, n)[0]).subject
        view = replica.view(subject, name) if subject else None
        if view is not None and view.code == code:
            found[name, subject] = None
    return list(found)


def position_of(
    replica: Replica, book: str, incarnation: bytes, operation: bytes, stamp: int
) -> tuple[ChainRow, int] | None:
    """Where an operation stands: its chain, and its number there; None where it is not held.

    Stamps of a chain grow, so that the place is found by halving; in a chain whose writer did not
    keep to that, by looking everywhere.
    """
    journal = replica.store.journal
    with replica.lock:
        for chain in journal.branches(book, incarnation):
            low, high = chain.fork_at + 1, chain.length
            while low < high:
                middle = (low + high) // 2
                if _stamp_at(replica, chain, middle) < stamp:
                    low = middle + 1
                else:
                    high = middle
            if (journal.hash_at(chain, low) or b"")[:16] == operation:
                return chain, low
            hashes = journal.hashes(chain, chain.fork_at, chain.length)
            for n, digest in enumerate(hashes, chain.fork_at + 1):
                if digest[:16] == operation:
                    return chain, n
    return None


def _stamp_at(replica: Replica, chain: ChainRow, n: int) -> int:
    judged = judged_at(replica, chain, n)
    return judged.entry.stamp if judged is not None and judged.entry is not None else 0


def judged_at(replica: Replica, chain: ChainRow, n: int) -> Judged | None:
    """An entry of a chain, read again; None beyond its end."""
    with replica.lock:
        digest = replica.store.journal.hash_at(chain, n)
        found = replica.store.journal.entries(chain, n - 1, n)
    if digest is None or not found:
        return None
    return gate.judge(chain.incarnation, n, digest, found[0])


# --- times and ids as text ----------------------------------------------------------------------


def rfc3339_ms(ms: int) -> str:
    """Unix milliseconds as RFC 3339 in UTC."""
    text = (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def venue_time(replica: Replica, venue: str, epoch_s: int) -> str:
    """An instant as the venue's clocks show it; in UTC where the venue is not known."""
    book = replica.books.get(replica.book_of(venue))
    index = book.administration.venue if book is not None else None
    if index is None:
        return (_EPOCH + timedelta(seconds=epoch_s)).isoformat().replace("+00:00", "Z")
    return wall.format_time(index.venue, epoch_s)


def claim_shapes(
    replica: Replica, venue: str, claims: Iterable[Claim | ClaimView]
) -> list[dict[str, Any]]:
    """What is asked for or given, and when, as a check of it shows it."""
    return [
        {
            "resource": claim.resource,
            "quantity": claim.quantity,
            "starts_at": venue_time(replica, venue, claim.start),
            "ends_at": venue_time(replica, venue, claim.end - claim.buffer),
        }
        for claim in claims
    ]


def subject_of(replica: Replica, book: str, reservation: bytes) -> str:
    """How people call a reservation of a book: its code where it is known, else its id."""
    record = replica.record(reservation, book)
    if record is not None and record.view.code:
        return record.view.code
    return uuid_text(reservation)


# --- what stands in entries ---------------------------------------------------------------------


def decisions_in(replica: Replica, record: Record) -> dict[bytes, tuple[Seen, ClaimDecided]]:
    """The decision that stands on each operation of a reservation."""
    said = [one for one in record.seen if one.kind == "claim.decided"]
    contents = {one.operation: content_of(one) for one in said}
    return decisions(record.seen, contents, replica.rights(record.book))


def request_in(record: Record, event: ClaimDecided) -> Seen | None:
    """The entry that a decision answers; None where it is not known here."""
    return next(
        (seen for seen in record.seen if seen.operation == event.decides and seen.kind in REQUESTS),
        None,
    )


def decision_shape(entry: Seen, event: ClaimDecided) -> dict[str, Any]:
    """A decision as the contract shows it in reservations and queue items."""
    return {
        "verdict": event.verdict,
        "by": entry.author,
        "stamp": str(Stamp.unpack(entry.stamp, entry.node.hex())),
        "reason": event.reason,
        "won": [uuid_text(won) for won in event.won],
        "from": list(event.from_resources),
    }
