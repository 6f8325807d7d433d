"""Measures what page documents (pycrdt) give and cost beside a plain log: prints Markdown.

    python tools/measure_crdt.py [--entries 10000] [--seed 1] [--yjs tests/yjs]

The same entries, as large as real ones, go both ways. The plain log is what one would write without
a CRDT: records of position and length, and a receiver that keeps what comes too early. The figures
in docs/decisions/0001 are from a run of this script.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

from pycrdt import Array, Doc, Map

from holdfast.model.entries import Claim, Entry, encode
from holdfast.model.events import KIND_BY_EVENT, ReservationCreated, SealedCard, encode_content
from holdfast.model.limits import PAGE_ENTRIES
from holdfast.sync.pages import NotAnAppend, read_append
from holdfast.sync.seals import chain_run, chain_start, client_id

BOOK: Final = "rome/trattoria"
INCARNATION: Final = bytes(range(16))
BATCH: Final = 64
FLIPS: Final = 2_000
BEST_OF: Final = 3


class Delivery(NamedTuple):
    """Entries first+1 … first+len(entries) of one page."""

    page: int
    first: int
    entries: list[bytes]


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare page documents with a plain log.")
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--yjs", type=Path, default=Path("tests/yjs"), help="with node_modules")
    arguments = parser.parse_args()
    random_ = random.Random(arguments.seed)  # noqa: S311  (a seed that replays, not a secret)
    entries = [make_entry(random_, n) for n in range(arguments.entries)]
    mean = sum(map(len, entries)) / len(entries)
    print(f"{machine()}; {len(entries):,} entries of {mean:.0f} bytes on average\n")
    for title, rows in (
        ("size", size_rows(entries)),
        ("time", time_rows(entries)),
        ("merging", merge_rows(entries, random_)),
        ("damage", damage_rows(entries, random_)),
        ("what vectors and maps do", semantic_rows(entries)),
        ("Yjs", [yjs_row(entries, arguments.yjs)]),
    ):
        print(f"| {title} | page documents | plain log |\n|---|---|---|")
        for what, document, log in rows:
            print(f"| {what} | {document} | {log} |")
        print()
    return 0


Row = tuple[str, str, str]


def make_entry(random_: random.Random, n: int) -> bytes:
    """A reservation as a device writes it; two of three with a guest card."""
    start = 1_796_000_000 + 900 * random_.randrange(20_000)
    card = None
    if n % 3:
        card = SealedCard(random_.randbytes(16), random_.randbytes(64 * random_.randint(1, 3) + 28))
    event = ReservationCreated(
        agent_id="agent_" + "".join(random_.choices("0123456789abcdefghjkmnpqrstvwxyz", k=32)),
        party_size=random_.randint(1, 8),
        code="RES-2026-" + "".join(random_.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=6)),
        service_date="2026-12-01",
        card=card,
    )
    claim = Claim(f"T{random_.randint(1, 40)}", start, start + 5_400)
    stamp = (1_790_000_000_000 + n * 1_000) << 16
    subject = random_.randbytes(16)
    kind = KIND_BY_EVENT[ReservationCreated]
    return encode(Entry(kind, stamp, 12, subject, (), (claim,), (), 1, encode_content(event)))


# --- the two ways -------------------------------------------------------------------------------


def new_page(page: int) -> tuple[Doc[Array[bytes]], Array[bytes]]:
    doc: Doc[Array[bytes]] = Doc(client_id=client_id(BOOK, INCARNATION, page))
    return doc, doc.get("entries", type=Array)


def write_pages(entries: list[bytes]) -> list[Doc[Array[bytes]]]:
    docs = []
    for first in range(0, len(entries), PAGE_ENTRIES):
        doc, array = new_page(first // PAGE_ENTRIES)
        for entry in entries[first : first + PAGE_ENTRIES]:
            array.append(entry)
        docs.append(doc)
    return docs


def write_list(entries: list[bytes]) -> list[bytes]:
    log: list[bytes] = []
    for entry in entries:
        log.append(entry)
    return log


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def log_message(delivery: Delivery) -> bytes:
    """Page, position, count, then each entry behind its length."""
    parts = [varint(delivery.page), varint(delivery.first), varint(len(delivery.entries))]
    for entry in delivery.entries:
        parts += [varint(len(entry)), entry]
    return b"".join(parts)


class LogReceiver:
    """A log that takes messages in any order, repeated and overlapping."""

    def __init__(self) -> None:
        self.pages: dict[int, list[bytes]] = {}
        self._early: dict[int, dict[int, list[bytes]]] = {}

    def take(self, message: bytes) -> None:
        page, at = read_varint(message, 0)
        first, at = read_varint(message, at)
        count, at = read_varint(message, at)
        entries = []
        for _ in range(count):
            length, at = read_varint(message, at)
            entries.append(message[at : at + length])
            at += length
        held = self.pages.setdefault(page, [])
        early = self._early.setdefault(page, {})
        if first > len(held):
            if len(early.get(first, ())) < len(entries):
                early[first] = entries
            return
        held.extend(entries[len(held) - first :])
        while ready := [position for position in early if position <= len(held)]:
            for position in ready:
                held.extend(early.pop(position)[len(held) - position :])


def deliveries(entries: list[bytes], size: int) -> list[Delivery]:
    """The entries in pieces of `size`, none across a page's end."""
    found = []
    for start in range(0, len(entries), PAGE_ENTRIES):
        page = entries[start : start + PAGE_ENTRIES]
        for first in range(0, len(page), size):
            found.append(Delivery(start // PAGE_ENTRIES, first, page[first : first + size]))
    return found


def updates_of(entries: list[bytes], pieces: Iterable[Delivery]) -> list[tuple[int, bytes]]:
    """The same pieces as document updates: each is what a document holding `first` lacks."""
    wanted: dict[int, list[Delivery]] = {}
    order: list[tuple[int, int, int]] = []
    for piece in pieces:
        wanted.setdefault(piece.page, []).append(piece)
        order.append((piece.page, piece.first, len(piece.entries)))
    made: dict[tuple[int, int, int], bytes] = {}
    for page, of_page in wanted.items():
        doc, array = new_page(page)
        states = {0: doc.get_state()}
        ends: dict[int, list[Delivery]] = {}
        for piece in of_page:
            ends.setdefault(piece.first + len(piece.entries), []).append(piece)
        start = page * PAGE_ENTRIES
        for n, entry in enumerate(entries[start : start + PAGE_ENTRIES], 1):
            array.append(entry)
            states[n] = doc.get_state()
            for piece in ends.get(n, ()):
                made[page, piece.first, len(piece.entries)] = doc.get_update(states[piece.first])
    return [(key[0], made[key]) for key in order]


def apply_all(updates: Iterable[tuple[int, bytes]]) -> dict[int, Array[bytes]]:
    pages: dict[int, tuple[Doc[Array[bytes]], Array[bytes]]] = {}
    for page, update in updates:
        if page not in pages:
            doc: Doc[Array[bytes]] = Doc()
            pages[page] = doc, doc.get("entries", type=Array)
        pages[page][0].apply_update(update)
    return {page: array for page, (_, array) in pages.items()}


def apply_page(update: bytes) -> list[bytes]:
    return list(apply_all([(0, update)])[0])


def take_page(message: bytes) -> list[bytes]:
    return take_all([message]).pages.get(0, [])


# --- the comparisons ----------------------------------------------------------------------------


def size_rows(entries: list[bytes]) -> list[Row]:
    plain = sum(map(len, entries))
    rows = []
    for words, size in (("all at once", PAGE_ENTRIES), (f"by {BATCH}", BATCH), ("one by one", 1)):
        pieces = deliveries(entries, size)
        document = sum(len(update) for _, update in updates_of(entries, pieces))
        log = sum(len(log_message(piece)) for piece in pieces)
        rows.append((
            f"bytes on the wire beyond each entry, {words}",
            f"{(document - plain) / len(entries):.1f}",
            f"{(log - plain) / len(entries):.1f}",
        ))  # fmt: skip
    return rows


def time_rows(entries: list[bytes]) -> list[Row]:
    per = len(entries) / 1e6
    whole = [(page, doc.get_update()) for page, doc in enumerate(write_pages(entries))]
    messages = [log_message(piece) for piece in deliveries(entries, PAGE_ENTRIES)]
    singles = deliveries(entries, 1)
    single_updates, single_messages = updates_of(entries, singles), list(map(log_message, singles))
    docs = write_pages(entries)
    pairs: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        ("write, one by one", lambda: write_pages(entries), lambda: write_list(entries)),
        (
            "encode all",
            lambda: [doc.get_update() for doc in docs],
            lambda: [log_message(piece) for piece in deliveries(entries, PAGE_ENTRIES)],
        ),
        (
            "take in all at once, without reading the entries out",
            lambda: apply_all(whole),
            lambda: take_all(messages),
        ),
        (
            "take in one by one",
            lambda: apply_all(single_updates),
            lambda: take_all(single_messages),
        ),
        (
            "check that it is a pure append (`read_append`)",
            lambda: [read_append(update) for _, update in whole],
            lambda: None,
        ),
        (
            "for comparison: the chain's hashes (SHA-256)",
            lambda: chain_run(chain_start(BOOK, INCARNATION), entries),
            lambda: chain_run(chain_start(BOOK, INCARNATION), entries),
        ),
    ]
    return [
        (f"{words}, µs per entry", f"{best(one) / per:.2f}", f"{best(two) / per:.2f}")
        for words, one, two in pairs
    ]


def take_all(messages: Iterable[bytes]) -> LogReceiver:
    receiver = LogReceiver()
    for message in messages:
        receiver.take(message)
    return receiver


def merge_rows(entries: list[bytes], random_: random.Random) -> list[Row]:
    """Pieces shuffled, a fifth of them twice, and as many more that overlap two others."""
    pieces = deliveries(entries, BATCH)
    overlapping = []
    for piece in random_.sample(pieces, len(pieces) // 5):
        start = piece.page * PAGE_ENTRIES
        first = max(0, piece.first - BATCH // 2)
        page = entries[start : start + PAGE_ENTRIES]
        overlapping.append(Delivery(piece.page, first, page[first : piece.first + BATCH // 2]))
    hostile = pieces + random_.sample(pieces, len(pieces) // 5) + overlapping
    random_.shuffle(hostile)
    updates, messages = updates_of(entries, hostile), [log_message(piece) for piece in hostile]
    arrays, receiver = apply_all(updates), take_all(messages)
    documents = [entry for page in sorted(arrays) for entry in arrays[page]]
    plain = [entry for page in sorted(receiver.pages) for entry in receiver.pages[page]]
    per = len(entries) / 1e6
    return [
        (
            f"{len(hostile)} pieces shuffled, repeated, overlapping: the same entries",
            "yes" if documents == entries else "NO",
            "yes" if plain == entries else "NO",
        ),
        (
            "the same, µs per entry",
            f"{best(lambda: apply_all(updates)) / per:.2f}",
            f"{best(lambda: take_all(messages)) / per:.2f}",
        ),
        ("lines of our own code for it", "0", "20"),
    ]


def damage_rows(entries: list[bytes], random_: random.Random) -> list[Row]:
    """One flipped bit in a message of eight entries: who accepts it as if nothing were wrong."""
    pieces = [Delivery(0, 0, entries[:8])]
    update, message = updates_of(entries, pieces)[0][1], log_message(pieces[0])
    tally = {"pycrdt": 0, "walk": 0, "log": 0, "chain": 0}
    head = chain_run(chain_start(BOOK, INCARNATION), entries[:8])[-1]
    for _ in range(FLIPS):
        bad = flipped(update, random_)
        tally["pycrdt"] += accepted(functools.partial(apply_page, bad))
        try:
            read = read_append(bad).entries
        except NotAnAppend:
            read = []
        tally["walk"] += bool(read)
        tally["chain"] += bool(read) and chain_run(chain_start(BOOK, INCARNATION), read)[-1] == head
        worse = flipped(message, random_)
        tally["log"] += accepted(functools.partial(take_page, worse))
    share = {name: f"{100 * count / FLIPS:.0f} %" for name, count in tally.items()}
    return [
        ("a message with one wrong bit is taken in by the format alone", share["pycrdt"],
         share["log"]),
        ("… after `read_append`", share["walk"], "–"),
        ("… with another content behind an unchanged chain hash", share["chain"], "0 %"),
    ]  # fmt: skip


def semantic_rows(entries: list[bytes]) -> list[Row]:
    """What a state vector cannot see, and why no shared map of reservations."""
    one, first = new_page(0)
    two, second = new_page(0)
    for entry in entries[:10]:
        first.append(entry)
        second.append(entry)
    first.append(entries[10])
    second.append(entries[11])
    lacks = one.get_update(two.get_state())
    blind = one.get_state() == two.get_state() and len(lacks) <= 2
    low: Doc[Map[str]] = Doc(client_id=1)
    high: Doc[Map[str]] = Doc(client_id=2)
    high.get("tables", type=Map)["T3"] = "written first, by client 2"
    low.get("tables", type=Map)["T3"] = "written later, by client 1"
    low.apply_update(high.get_update())
    high.apply_update(low.get_update())
    kept = str(low.get("tables", type=Map)["T3"])
    return [
        ("asking for what is missing", f"{len(one.get_state())} bytes of state vector",
         "2 bytes of position"),
        ("two branches of equal length under one client id are noticed", "no" if blind else "yes",
         "no; in both the chain hash does"),
        ("one key of a shared map, set on two devices: what is kept", f"“{kept}”", "–"),
    ]  # fmt: skip


def yjs_row(entries: list[bytes], directory: Path) -> Row:
    """Plain Yjs opens the first page, in two pieces, the second first."""
    program = shutil.which("node")
    if program is None or not (directory / "node_modules" / "yjs").is_dir():
        return ("plain Yjs opens a page", "not tried: no node, or no Yjs in " + str(directory), "–")
    page = entries[:PAGE_ENTRIES]
    half = len(page) // 2
    pieces = [Delivery(0, half, page[half:]), Delivery(0, 0, page[:half])]
    with tempfile.TemporaryDirectory() as temporary:
        paths = []
        for number, (_, update) in enumerate(updates_of(entries, pieces)):
            path = Path(temporary) / f"{number}.page"
            path.write_bytes(update)
            paths.append(str(path))
        done = subprocess.run(
            [program, str(directory / "merge.mjs"), *paths],
            capture_output=True,
            check=True,
        )
    report = json.loads(done.stdout)
    same = [bytes.fromhex(entry) for entry in report["entries"]] == page
    back = bytes.fromhex(report["update"]) == write_pages(page)[0].get_update()
    words = "yes" if same else "NO"
    again = "byte for byte" if back else "NOT byte for byte"
    return (f"plain Yjs opens a page of {len(page):,}", f"{words}, and gives it back {again}", "no")


# --- helpers ------------------------------------------------------------------------------------


def flipped(data: bytes, random_: random.Random) -> bytes:
    bit = random_.randrange(8 * len(data))
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def accepted(take: Callable[[], list[bytes]]) -> bool:
    """Whether something was taken in without a complaint."""
    try:
        return bool(take())
    except Exception:  # whatever a damaged message brings a parser to raise is a refusal
        return False


def best(function: Callable[[], object]) -> float:
    """Seconds that the fastest of a few runs took."""
    times = []
    for _ in range(BEST_OF):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return (
        f"CPython {platform.python_version()}, pycrdt {version('pycrdt')}, {model},"
        f" {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    sys.exit(main())
