"""Looking at a replica: its books, pages, queue and what a person must look at.

Owns the shapes that the contract gives these (`GET /books`, `/queue`, `/exceptions`). It reads and
changes nothing. Decisions are looked at in `decisions`, found under this name too.
"""

from __future__ import annotations

import re
from typing import Any, Final

from holdfast.model import wall
from holdfast.model.contradictions import ACKNOWLEDGE, Answer
from holdfast.model.entries import SCHEMA
from holdfast.model.errors import NotFound
from holdfast.model.events import ExceptionResolved, OperationWithdrawn
from holdfast.model.hlc import Stamp
from holdfast.model.ids import parse_uuid
from holdfast.model.limits import PAGE_ENTRIES
from holdfast.model.reservation import content_of
from holdfast.model.vocabulary import OVERSOLD
from holdfast.node import contradicting
from holdfast.node.contradicting import Item
from holdfast.node.decisions import decision_detail, verify_decision
from holdfast.node.lookup import (
    decision_shape,
    decisions_in,
    judged_at,
    node_name,
    rfc3339_ms,
    subject_of,
)
from holdfast.node.replica import Replica
from holdfast.node.words import plain_reason
from holdfast.store.journal import ChainRow
from holdfast.store.projections import DateDigest
from holdfast.store.queue import Operation
from holdfast.sync.gate import QUARANTINED
from holdfast.sync.pages import PageDocument
from holdfast.sync.seals import client_id

__all__ = [
    "book_summary",
    "date_summary",
    "decision_detail",
    "exceptions",
    "export_page",
    "list_books",
    "parse_exception_id",
    "queue_item",
    "verify_decision",
]

QUARANTINED_EXCEPTION: Final = "quarantined"
FORK_EXCEPTION: Final = "fork"
RIVALS_EXCEPTION: Final = "two_hubs"
OVERSOLD_EXCEPTION: Final = "oversold"
EXPOSED_EXCEPTION: Final = "venue_key_exposed"
ANSWERED_HERE: Final = frozenset(
    {QUARANTINED_EXCEPTION, FORK_EXCEPTION, EXPOSED_EXCEPTION, OVERSOLD_EXCEPTION}
)
"""Kinds that are acknowledged on this device alone (`attention`)."""

LOOKED_AT: Final = (
    Answer(ACKNOWLEDGE, "Says on this device that it was looked at, and changes nothing else."),
)
"""What can be done, on a device, about what only its writer or the hub can end."""


# --- books --------------------------------------------------------------------------------------


def list_books(replica: Replica) -> list[dict[str, Any]]:
    """Every book that this replica holds anything of, by venue."""
    with replica.lock:
        return [_book_line(replica, name) for name in replica.store.journal.books()]


def _book_line(replica: Replica, name: str) -> dict[str, Any]:
    whole = replica.store.projections.book_digest(name)
    chains = replica.store.journal.chains(name)
    return {
        "book": name,
        "venue": name.partition("/")[2],
        "digest": _hex(whole),
        "entries": sum(chain.length - chain.fork_at for chain in chains),
        "reservations": whole.reservations,
        "waiting": whole.waiting,
        "chains": len(chains),
        "forks": sum(1 for chain in chains if chain.branch),
    }


def book_summary(replica: Replica, venue: str) -> dict[str, Any]:
    """`GET /books/{venue}`. A venue that nothing is known of has no entries; it is no error."""
    name = replica.book_of(venue)
    with replica.lock:
        whole = replica.store.projections.book_digest(name)
        chains = replica.store.journal.chains(name)
        return {
            "digest": _hex(whole),
            "entries": sum(chain.length - chain.fork_at for chain in chains),
            "schema": SCHEMA,
            "waiting": whole.waiting,
            "reservations": whole.reservations,
            "pages": [page for chain in chains for page in _pages(replica, chain)],
            "heads": [_head(replica, chain) for chain in chains],
        }


def date_summary(replica: Replica, venue: str, date: str) -> dict[str, Any]:
    """`GET /books/{venue}/{date}`: entries that concern the service date, and the pages of those
    who wrote them. Raises Invalid for what is no date."""
    wall.parse_date(date)
    name = replica.book_of(venue)
    with replica.lock:
        day = replica.store.projections.date_digest(name, date)
        writers = _writers(replica, name, date) if day.entries else set()
        chains = [c for c in replica.store.journal.chains(name) if c.incarnation in writers]
        return {
            "digest": _hex(day),
            "entries": day.entries,
            "schema": SCHEMA,
            "waiting": day.waiting,
            "reservations": day.reservations,
            "pages": [page for chain in chains for page in _pages(replica, chain)],
        }


def _hex(digest: DateDigest) -> str:
    """The sum of the reservations' digests modulo 2^256."""
    return f"{digest.total:064x}"


def _writers(replica: Replica, name: str, date: str) -> set[bytes]:
    found: set[bytes] = set()
    after: tuple[int, bytes] | None = None
    select = replica.store.projections.select
    while views := select(book=name, date=date, form=None, after=after, limit=500):
        for view in views:
            record = replica.record(view.id, name)
            if record is not None:
                found.update(entry.node for entry in record.seen)
        after = (views[-1].starts_at, views[-1].id)
    return found


def _pages(replica: Replica, chain: ChainRow) -> list[dict[str, Any]]:
    """The pages that hold entries of this chain; a branch begins on the page it forks from.

    A page is `verified` where a seal that was checked covers it all, or it was written here.
    """
    own = chain.incarnation == replica.identity.incarnation and not chain.branch
    sealed = chain.length if own else replica.store.journal.sealed_length(chain)
    pages = []
    for page in range(chain.fork_at // PAGE_ENTRIES, -(-chain.length // PAGE_ENTRIES)):
        first = max(page * PAGE_ENTRIES, chain.fork_at)
        end = min((page + 1) * PAGE_ENTRIES, chain.length)
        line: dict[str, Any] = {
            "node": node_name(replica, chain.book, chain.incarnation),
            "incarnation": chain.incarnation.hex(),
            "page": page,
            "entries": end - first,
            "verified": sealed >= end,
        }
        if chain.branch:
            line["branch"] = chain.branch.hex()
        pages.append(line)
    return pages


def _head(replica: Replica, chain: ChainRow) -> dict[str, Any]:
    head: dict[str, Any] = {
        "node": node_name(replica, chain.book, chain.incarnation),
        "incarnation": chain.incarnation.hex(),
        "entries": chain.length,
        "hash": chain.head.hex(),
    }
    if chain.branch:
        head["branch"] = chain.branch.hex()
    return head


def export_page(
    replica: Replica, venue: str, node: str, page: int = 0, incarnation: bytes | None = None
) -> bytes:
    """A page as a document update that plain pycrdt and Yjs open.

    It is the page of the newest life of that node that has one, unless an incarnation is given.
    Raises NotFound, which names who writes here.
    """
    name = replica.book_of(venue)
    with replica.lock:
        writing = [
            (author.info, chain)
            for chain in replica.store.journal.chains(name)
            if not chain.branch
            and (author := replica.authors(name).get(chain.incarnation)) is not None
        ]
        held = [
            (info.number, chain.id, chain)
            for info, chain in writing
            if info.name == node
            and incarnation in (None, chain.incarnation)
            and 0 <= page * PAGE_ENTRIES < chain.length
        ]
        if not held:
            names = ", ".join(sorted({info.name for info, _ in writing})) or "nobody yet"
            raise NotFound(f"{node} has no page {page} in {name} here; writers known: {names}")
        chain = max(held)[2]
        first = page * PAGE_ENTRIES
        entries = replica.store.journal.entries(
            chain, first, min(first + PAGE_ENTRIES, chain.length)
        )
    document = PageDocument(client_id(name, chain.incarnation, page))
    document.append(entries)
    return document.update_after(0)


# --- the queue ----------------------------------------------------------------------------------


def queue_item(replica: Replica, operation: Operation) -> dict[str, Any]:
    """One operation as `GET /queue` lists it, with the decision about it where there is one."""
    chain = replica.store.journal.chain_by_id(operation.chain)
    due = operation.next_attempt_at_ms
    return {
        "id": operation.id.hex(),
        "kind": operation.kind,
        "subject": subject_of(replica, chain.book, operation.subject) if operation.subject else "",
        "venue": chain.book.partition("/")[2],
        "stamp": str(Stamp.unpack(operation.stamp, chain.incarnation.hex())),
        "state": operation.state,
        "attempts": operation.attempts,
        "next_attempt_at": rfc3339_ms(due) if due else None,
        "reason": plain_reason(operation.reason) or None,
        "decision": _decision_on(replica, chain.book, operation),
    }


def _decision_on(replica: Replica, book: str, operation: Operation) -> dict[str, Any] | None:
    record = replica.record(operation.subject, book) if operation.subject else None
    if record is None:
        return None
    decided = decisions_in(replica, record).get(operation.id)
    return decision_shape(*decided) if decided is not None else None


# --- what a person must look at -----------------------------------------------------------------


def exceptions(replica: Replica, venue: str | None = None) -> list[dict[str, Any]]:
    """`GET /exceptions`: contradictions in and between reservations, quarantined entries, second
    branches, two hubs that both claim to follow one, and devices that were shut out with the
    venue's key; first who was promised a place and has lost it, then the oldest (`rank`)."""
    wanted = None if venue is None else replica.book_of(venue)
    found: list[dict[str, Any]] = []
    with replica.lock:
        found += contradicting.items(replica, wanted)
        for name in replica.store.journal.books():
            if wanted in (None, name):
                found += _quarantined(replica, name)
                found += _forks(replica, name)
                found += _rivals(replica, name)
                found += _exposed_keys(replica, name)
                found += _oversold(replica, name)
        found = [item for item in found if not _is_acknowledged(replica, item)]
    return sorted(found, key=rank)


def rank(item: Item) -> tuple[bool, str, str]:
    """Where an exception stands in the list: who was told "it is booked" is called first."""
    return not item.get("promised", False), item["since"], item["id"]


def acknowledgement_key(exception_id: str) -> str:
    """Where this device remembers that somebody looked at an exception."""
    return f"exception.acknowledged.{exception_id}"


def _is_acknowledged(replica: Replica, item: Item) -> bool:
    if item["kind"] not in ANSWERED_HERE:
        return False
    return replica.store.records.get(acknowledgement_key(item["id"])) is not None


def parse_exception_id(text: str) -> tuple[str, bytes]:
    """An exception's kind, and the id it is about: of a reservation, an operation, an incarnation.

    Raises NotFound for a text that no list of exceptions gave.
    """
    about, _, kind = text.partition(".")
    found = parse_uuid(about)
    if found is None and re.fullmatch("[0-9a-f]{32}", about):
        found = bytes.fromhex(about)
    if found is None or not kind:
        raise NotFound(f"no exception {text!r}; `holdfast exceptions list` shows their ids")
    return kind, found


def _quarantined(replica: Replica, name: str) -> list[dict[str, Any]]:
    """Entries that the gate set aside, less those that were withdrawn or looked at."""
    found = []
    for operation, incarnation, n, verdict, reason in replica.store.journal.quarantined(name):
        if verdict != QUARANTINED:
            continue
        judged = next(
            (
                judged
                for chain in replica.store.journal.branches(name, incarnation)
                if (judged := judged_at(replica, chain, n)) and judged.operation == operation
            ),
            None,
        )
        entry = judged.entry if judged is not None else None
        about = entry.subject if entry is not None else b""
        if about and _is_settled(replica, name, about, operation, incarnation):
            continue
        writer = node_name(replica, name, incarnation)
        subject = subject_of(replica, name, about) if about else operation.hex()
        detail = (
            f"Entry {n} of {writer}, about {subject}, was set aside: {plain_reason(reason)}. "
            "Nothing of what it says counts here beyond the place it asked for. Its own device "
            "gives it up with `holdfast queue withdraw`."
        )
        since_ms = entry.stamp >> 16 if entry is not None else 0
        found.append(
            contradicting.item(
                QUARANTINED_EXCEPTION, operation.hex(), name, subject, detail, since_ms,
                LOOKED_AT,
            )
        )  # fmt: skip
    return found


def _is_settled(
    replica: Replica, name: str, about: bytes, operation: bytes, incarnation: bytes
) -> bool:
    record = replica.record(about, name)
    resolved = f"{operation.hex()}.{QUARANTINED_EXCEPTION}"
    for entry in record.seen if record is not None else ():
        if entry.kind not in ("operation.withdrawn", "exception.resolved"):
            continue
        event = content_of(entry)
        if isinstance(event, OperationWithdrawn):
            if event.operation == operation and entry.node == incarnation:
                return True
        elif isinstance(event, ExceptionResolved) and event.exception == resolved:
            return True
    return False


def _forks(replica: Replica, name: str) -> list[dict[str, Any]]:
    """Incarnations with two branches that the hub has not closed yet (DESIGN §4.3)."""
    closes = replica.book(name).administration.closes
    found: dict[bytes, dict[str, Any]] = {}
    for chain in replica.store.journal.chains(name):
        if not chain.branch or chain.incarnation in closes or chain.incarnation in found:
            continue
        first = judged_at(replica, chain, chain.fork_at + 1)
        since_ms = first.entry.stamp >> 16 if first is not None and first.entry else 0
        writer = node_name(replica, name, chain.incarnation)
        detail = (
            f"{writer} wrote two different histories after its entry {chain.fork_at}: its data "
            "directory was cloned, or restored from a backup, and both copies went on. Both are "
            "kept; stop one of the two devices and let the other rejoin."
        )
        found[chain.incarnation] = contradicting.item(
            FORK_EXCEPTION, chain.incarnation.hex(), name, writer, detail, since_ms, LOOKED_AT
        )
    return list(found.values())


def _rivals(replica: Replica, name: str) -> list[dict[str, Any]]:
    """Two lives of the hub that both closed the one before them (DESIGN §5.9)."""
    rivals = sorted(replica.book(name).administration.rivals)
    if not rivals:
        return []
    detail = (
        "Two hubs both claim to carry on for one that was lost "
        f"({' and '.join(rival.hex()[:8] for rival in rivals)}). Stop one of them before anything "
        "else is sold from its capacity."
    )
    begun = [
        first.entry.stamp >> 16
        for chain in replica.store.journal.chains(name)
        if chain.incarnation in rivals and not chain.branch
        for first in (judged_at(replica, chain, 1),)
        if first is not None and first.entry
    ]
    since = max(begun, default=0)
    return [contradicting.item(RIVALS_EXCEPTION, rivals[0].hex(), name, "hub", detail, since, ())]


def _exposed_keys(replica: Replica, name: str) -> list[dict[str, Any]]:
    """Devices that were shut out and hold the venue's key in force, by which guests' cards are
    read."""
    book = replica.book(name)
    administration = book.administration
    venue = name.partition("/")[2]
    found = {}
    for incarnation in sorted(administration.holders(administration.venue_key)):
        author = book.authors.get(incarnation)
        if author is None or not administration.is_revoked(author.bearer):
            continue
        detail = (
            f"{author.info.name} was shut out and holds the key by which the guests of {venue} are "
            "read. If it may be in other hands, make another key at a front desk: "
            f"`holdfast venue rotate-key {venue}`. Cards that it held already stay readable to "
            "whoever has it."
        )
        since = administration.shut_out_at(author.bearer)
        found[author.info.name] = contradicting.item(
            EXPOSED_EXCEPTION, incarnation.hex(), name, author.info.name, detail, since >> 16,
            LOOKED_AT,
        )  # fmt: skip
    return list(found.values())


def _oversold(replica: Replica, name: str) -> list[dict[str, Any]]:
    """Rights that the hub took back because their holders had sold more than they had."""
    rights = replica.rights(name)
    found = []
    for right in rights.by_id.values():
        ended = rights.ended(right.id)
        if ended is None or ended.reason != OVERSOLD:
            continue
        writer = node_name(replica, name, ended.holder)
        resources = " and ".join(right.resources)
        detail = (
            f"{writer} sold more of {resources} than it had, so the hub took that back and decides "
            "about what was sold from there on. No sound device does this: look at it, and shut it "
            f"out if it may be in other hands (`holdfast hub revoke {writer}`)."
        )
        found.append(
            contradicting.item(
                OVERSOLD_EXCEPTION, right.id.hex(), name, writer, detail, ended.stamp >> 16,
                LOOKED_AT,
            )
        )  # fmt: skip
    return found
