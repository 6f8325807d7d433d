"""Pages as CRDT documents: pycrdt documents with one append-only array, `entries`, and one writer.

Owns what an update may look like. Knows nothing of seals, of what entries say, or of where they are
kept. A page's document can be rebuilt from its entries at any time: the same bytes in the same
order under the same client id give the same document (DESIGN §4.1).

Every inbound update is read here byte by byte before pycrdt sees it, because a document accepts
far more than an honest append: deletions, other roots, other clients, holes, and about one
corrupted update in nine. What passes is exactly what pycrdt and Yjs write for an append of byte
strings (update format v1); the walk also bounds every length before memory is reserved for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from pycrdt import Array, Doc

from holdfast.model.limits import ENTRY_BYTES_MAX, PAGE_ENTRIES, PAGES_IN_MEMORY

ROOT: Final = "entries"
EMPTY_UPDATE: Final = b"\x00\x00"

_CONTENT_ANY: Final = 8
_HAS_ORIGIN: Final = 0x80
_BUFFER: Final = 116
_VARINT_BYTES_MAX: Final = 9


class NotAnAppend(ValueError):
    """An update that is anything but one writer's append. The text is the gate's reason code."""


class Append(NamedTuple):
    """`entries` that one writer put behind the first `clock` entries of its page."""

    client: int
    clock: int
    entries: list[bytes]


def read_append(update: bytes) -> Append:
    """Read an update that is a pure append. Raises NotAnAppend for any other bytes."""
    if update == EMPTY_UPDATE:
        raise NotAnAppend("update-empty")
    reader = Reader(update)
    if reader.varint() != 1:
        raise NotAnAppend("update-many-writers")
    structs = reader.varint()
    if not 1 <= structs <= PAGE_ENTRIES:
        raise NotAnAppend("update-too-large")
    client, clock = reader.varint(), reader.varint()
    if clock >= PAGE_ENTRIES:
        raise NotAnAppend("update-too-large")
    entries: list[bytes] = []
    for _ in range(structs):
        _read_struct(reader, client, clock + len(entries), entries)
        if clock + len(entries) > PAGE_ENTRIES:
            raise NotAnAppend("update-too-large")
    if reader.varint() != 0:
        raise NotAnAppend("update-deletes")
    if reader.position != len(update):
        raise NotAnAppend("update-trailing-bytes")
    return Append(client, clock, entries)


def _read_struct(reader: Reader, client: int, clock: int, entries: list[bytes]) -> None:
    info = reader.byte()
    if info == _CONTENT_ANY | _HAS_ORIGIN:
        if (reader.varint(), reader.varint()) != (client, clock - 1):
            raise NotAnAppend("update-not-at-end")
    elif info == _CONTENT_ANY:
        # No origin: the array's very first item, which names its root instead.
        if clock != 0 or reader.varint() != 1 or reader.take(reader.varint()) != ROOT.encode():
            raise NotAnAppend("update-foreign-root")
    else:
        raise NotAnAppend("update-not-an-append")
    count = reader.varint()
    if not 1 <= count <= PAGE_ENTRIES:
        raise NotAnAppend("update-too-large")
    for _ in range(count):
        if reader.byte() != _BUFFER:
            raise NotAnAppend("update-not-bytes")
        length = reader.varint()
        if length > ENTRY_BYTES_MAX:
            raise NotAnAppend("entry-too-large")
        entries.append(reader.take(length))


class Reader:
    """Bytes with a position; whatever would read beyond the end is no append."""

    __slots__ = ("_data", "position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def byte(self) -> int:
        position = self.position
        if position >= len(self._data):
            raise NotAnAppend("update-truncated")
        self.position = position + 1
        return self._data[position]

    def varint(self) -> int:
        """An unsigned LEB128 number of at most 63 bits, in its shortest spelling."""
        data, position = self._data, self.position
        value = shift = 0
        for _ in range(_VARINT_BYTES_MAX):
            if position >= len(data):
                raise NotAnAppend("update-truncated")
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and shift:
                    # A longer spelling of a shorter number: honest encoders write none.
                    raise NotAnAppend("update-number-too-long")
                self.position = position
                return value
            shift += 7
        raise NotAnAppend("update-number-too-long")

    def take(self, length: int) -> bytes:
        end = self.position + length
        if end > len(self._data):
            raise NotAnAppend("update-truncated")
        taken = self._data[self.position : end]
        self.position = end
        return taken


def state_vector(client: int, entries: int) -> bytes:
    """The state vector of a page that holds `entries` of its writer's entries (Yjs encoding v1)."""
    if entries == 0:
        return b"\x00"
    return b"\x01" + _varint(client) + _varint(entries)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class PageDocument:
    """A page's document, kept at a known number of entries.

    pycrdt writes of one transaction cost more the longer the transaction is, so that entries are
    appended one by one (measured: 4 µs each, against 90 µs each for 4,096 in one transaction).
    """

    __slots__ = ("_array", "client", "doc", "length")

    def __init__(self, client: int) -> None:
        self.client = client
        self.doc: Doc[Array[bytes]] = Doc(client_id=client)
        self._array: Array[bytes] = self.doc.get(ROOT, type=Array)
        self.length = 0

    def append(self, entries: Sequence[bytes]) -> None:
        for entry in entries:
            self._array.append(entry)
        self.length += len(entries)

    def update_after(self, entries: int) -> bytes:
        """What a replica that holds the first `entries` lacks."""
        return self.doc.get_update(state_vector(self.client, entries))

    def merge(self, append: Append, update: bytes) -> bool:
        """Apply an update that `read_append` has passed; False if it left the document other than
        expected, which is then to be thrown away and rebuilt."""
        end = append.clock + len(append.entries)
        self.doc.apply_update(update)
        self.length = max(self.length, end)
        return self.doc.get_state() == state_vector(self.client, self.length)


class PageKey(NamedTuple):
    chain: int
    page: int


EntryReader = Callable[[int, int, int], Sequence[bytes]]
"""(chain, after, upto) -> the chain's entries after+1 … upto, from the journal."""


class Pages:
    """Documents of the pages in use. Each may lag behind the journal and is extended when
    needed."""

    def __init__(self, read: EntryReader) -> None:
        self._read = read
        self._documents: OrderedDict[PageKey, PageDocument] = OrderedDict()

    def forget(self) -> None:
        """Drop all documents: they are rebuilt from the journal, the one truth."""
        self._documents.clear()

    def update(self, key: PageKey, client: int, have: int, upto: int) -> bytes:
        """The page's update from its first `have` entries to its first `upto`."""
        document = self._documents.get(key)
        if document is None or document.length > upto:
            fresh = PageDocument(client)
            if document is None:
                self._keep(key, fresh)
            document = fresh
        else:
            self._documents.move_to_end(key)
        if document.length < upto:
            first = key.page * PAGE_ENTRIES
            document.append(self._read(key.chain, first + document.length, first + upto))
        return document.update_after(have)

    def merged(self, key: PageKey, append: Append, update: bytes) -> None:
        """An update was journaled: bring the document along where that costs only what is new."""
        document = self._documents.get(key)
        if document is None:
            if append.clock:
                return
            document = PageDocument(append.client)
            self._keep(key, document)
        if document.length < append.clock:
            return
        if not document.merge(append, update):
            self._documents.pop(key, None)

    def _keep(self, key: PageKey, document: PageDocument) -> None:
        self._documents[key] = document
        while len(self._documents) > PAGES_IN_MEMORY:
            self._documents.popitem(last=False)
