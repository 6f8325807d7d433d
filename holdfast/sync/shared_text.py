"""A text that several devices edit at once: a pycrdt document with one root, `text`.

Owns what one edit may look like, how edits become a text, and how a changed text becomes edits.
Knows nothing of who wrote an edit, of how it is sealed, or of where it is kept.

Every edit is read byte by byte before pycrdt sees it, and is applied only where all that it refers
to is there: a document accepts far more, and some well-formed updates that no honest program writes
end the process from within (docs/decisions/0018-service-notes.md). Edits are taken in an order that
follows from them alone, so that the text is a function of their set.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from pycrdt import Doc, Text, TransactionEvent, merge_updates

from holdfast.model.service_notes import Replacement
from holdfast.sync.pages import NotAnAppend, Reader

ROOT: Final = "text"
UPDATE_BYTES_MAX: Final = 5_000
"""Of one edit: with base64 around it, it fits into a card."""
SALT_BYTES: Final = 16

_INSERTED_CHARS_MAX: Final = 1_000
_DELETED_CHARS_MAX: Final = 256
"""Of one step: each character may have been written by another edit, which is named in 12 bytes."""
_CLOCK_MAX: Final = 1 << 31
_CONTENT_STRING: Final = 4
_HAS_ORIGIN: Final = 0x80
_HAS_RIGHT_ORIGIN: Final = 0x40

Place = tuple[int, int]
"""A UTF-16 unit of the text, for ever: the client that wrote it, and its number among theirs."""


class NotAnEdit(ValueError):
    """Bytes that are anything but one writer's insertions and deletions in a text."""


class Insertion(NamedTuple):
    """Text between two places that were neighbours; None: the beginning, or the end."""

    left: Place | None
    right: Place | None
    text: str


class Edit(NamedTuple):
    """An update: what one client inserts behind its first `clock` units, and deletes (client,
    first unit, how many)."""

    update: bytes
    client: int
    clock: int
    inserted: tuple[Insertion, ...]
    deleted: tuple[tuple[int, int, int], ...]

    @property
    def words(self) -> str:
        """All that it inserts."""
        return "".join(one.text for one in self.inserted)


def client_of(life: bytes, salt: bytes) -> int:
    """The client id of one change by one life of a device: 53 bits, as Yjs allows. Nobody else can
    write under it, and a disk that was set back, which begins another life, does not repeat it."""
    return int.from_bytes(sha256(b"holdfast notes 1\x00" + life + salt).digest()[:8], "big") >> 11


# --- reading --------------------------------------------------------------------------------------


def read_edit(update: bytes, client: int) -> Edit:
    """Read an update that is an edit of this client. Raises NotAnEdit for any other bytes."""
    if len(update) > UPDATE_BYTES_MAX:
        raise NotAnEdit("too large")
    reader = Reader(update)
    try:
        clock, inserted = _read_inserted(reader, client)
        deleted = _read_deleted(reader)
    except (NotAnAppend, UnicodeDecodeError) as error:
        raise NotAnEdit("unreadable") from error
    if reader.position != len(update):
        raise NotAnEdit("trailing bytes")
    return Edit(update, client, clock, inserted, deleted)


def _read_inserted(reader: Reader, client: int) -> tuple[int, tuple[Insertion, ...]]:
    writers = reader.varint()
    if writers == 0:
        return 0, ()
    structs, writer, clock = reader.varint(), reader.varint(), reader.varint()
    if writers != 1 or writer != client or not 1 <= structs <= UPDATE_BYTES_MAX:
        raise NotAnEdit("not of this client")
    if clock >= _CLOCK_MAX:
        raise NotAnEdit("out of range")
    return clock, tuple(_read_struct(reader) for _ in range(structs))


def _read_struct(reader: Reader) -> Insertion:
    info = reader.byte()
    if info & ~(_HAS_ORIGIN | _HAS_RIGHT_ORIGIN) != _CONTENT_STRING:
        raise NotAnEdit("not text")
    left = (reader.varint(), reader.varint()) if info & _HAS_ORIGIN else None
    right = (reader.varint(), reader.varint()) if info & _HAS_RIGHT_ORIGIN else None
    if left is right is None and (
        reader.varint() != 1 or reader.take(reader.varint()) != ROOT.encode()
    ):
        raise NotAnEdit("foreign root")
    text = reader.take(reader.varint()).decode()
    if not text:
        raise NotAnEdit("empty")
    return Insertion(left, right, text)


def _read_deleted(reader: Reader) -> tuple[tuple[int, int, int], ...]:
    found: list[tuple[int, int, int]] = []
    for _ in range(reader.varint()):
        client = reader.varint()
        for _ in range(reader.varint()):
            first, count = reader.varint(), reader.varint()
            if not (first < _CLOCK_MAX and 1 <= count < _CLOCK_MAX):
                raise NotAnEdit("out of range")
            found.append((client, first, count))
    return tuple(found)


# --- the text -------------------------------------------------------------------------------------


class SharedText:
    """The text that edits lead to. `client`: under which it is changed here, if it is."""

    def __init__(self, client: int = 0) -> None:
        self._doc: Doc[Text] = Doc(client_id=client)
        self._text = self._doc.get(ROOT, type=Text)
        self._units: dict[int, array[int]] = {}
        self._client = client

    def __str__(self) -> str:
        return str(self._text)

    def take(self, edits: Iterable[Edit]) -> list[Edit]:
        """Apply edits in this order, and again those that came before what they refer to. Returns
        those that cannot be applied: what they refer to is not among them."""
        waiting = list(edits)
        while True:
            left = [edit for edit in waiting if not self._take(edit)]
            if not left or len(left) == len(waiting):
                return left
            waiting = left

    def _take(self, edit: Edit) -> bool:
        known, new = self._units.get(edit.client, array("H")), _utf16(edit.words)
        if new and len(known) > edit.clock:
            # An edit that was written twice says the same both times, and counts once.
            return known[edit.clock : edit.clock + len(new)] == new
        if new and len(known) != edit.clock:
            return False
        whole = known + new
        units = self._units | {edit.client: whole}
        if not _refers(edit, units):
            return False
        self._doc.apply_update(edit.update)
        self._units[edit.client] = whole
        return True

    def change(self, changes: Iterable[Replacement]) -> list[bytes]:
        """Apply replacements, the last place first, and return them as updates of this text's
        client, each of UPDATE_BYTES_MAX at the most."""
        updates: list[bytes] = []

        def note(event: TransactionEvent) -> None:
            updates.append(event.update)

        listening = self._doc.observe(note)
        for change in changes:
            self._replace(change)
        self._doc.unobserve(listening)
        return _joined(updates)

    def _replace(self, change: Replacement) -> None:
        """New text goes in behind the first character that it replaces: what somebody else inserts
        at either end at the same time then has a place of its own, and parts no word."""
        text = str(self._text)
        removed = text[change.start : change.end]
        place = _size(text[: change.start])
        behind = place + _size(removed[:1])
        for first in range(0, len(change.text), _INSERTED_CHARS_MAX):
            piece = change.text[first : first + _INSERTED_CHARS_MAX]
            self._text.insert(behind, piece)
            behind += _size(piece)
        for first in range(1, len(removed), _DELETED_CHARS_MAX):
            del self._text[behind : behind + _size(removed[first : first + _DELETED_CHARS_MAX])]
        if removed:
            del self._text[place : place + _size(removed[0])]


def _size(text: str) -> int:
    """pycrdt counts in bytes of UTF-8."""
    return len(text.encode())


def _joined(updates: Sequence[bytes]) -> list[bytes]:
    """The same in as few updates as their size allows."""
    found: list[bytes] = []
    for update in updates:
        both = merge_updates(found[-1], update) if found else b""
        if both and len(both) <= UPDATE_BYTES_MAX:
            found[-1] = both
        else:
            found.append(update)
    return found


def _utf16(text: str) -> array[int]:
    return array("H", text.encode("utf-16-le" if sys.byteorder == "little" else "utf-16-be"))


def _refers(edit: Edit, units: dict[int, array[int]]) -> bool:
    """Whether all that an edit refers to is there, and cuts no character in two."""
    clock = edit.clock
    for one in edit.inserted:
        for place, half in ((one.left, _is_first_half), (one.right, _is_second_half)):
            if place is None:
                continue
            client, n = place
            written = clock if client == edit.client else len(units.get(client, ()))
            if n >= written or half(units[client][n]):
                return False
        clock += len(_utf16(one.text))
    return all(_holds(units.get(client), first, count) for client, first, count in edit.deleted)


def _holds(known: array[int] | None, first: int, count: int) -> bool:
    return (
        known is not None
        and first + count <= len(known)
        and not _is_second_half(known[first])
        and not _is_first_half(known[first + count - 1])
    )


def _is_first_half(unit: int) -> bool:
    return 0xD800 <= unit < 0xDC00


def _is_second_half(unit: int) -> bool:
    return 0xDC00 <= unit < 0xE000
