"""Notes about a person: written, changed, withdrawn, and shown at the desk (feature H-27).

Owns these commands and their answers as JSON values. What a note says, its kind and its author are
sealed like a card, and forgotten like one; that somebody is to be told (`alert`) is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from holdfast.model import guest_notes
from holdfast.model.errors import Conflict, Forbidden, Invalid, NotFound, RuleViolated, Stale
from holdfast.model.events import GuestNoted, GuestNoteWithdrawn
from holdfast.model.guest_notes import AUTHOR_CHARS_MAX, GENERAL, KINDS, TEXT_CHARS_MAX, Note
from holdfast.model.limits import GUEST_CARDS_OPENED_MAX, NOTES_PER_GUEST_MAX
from holdfast.node import actors, cards
from holdfast.node.guest_scope import (
    Sees,
    books_seen,
    everywhere,
    require_agent,
    require_reading,
    venue_meant,
    writer_at,
)
from holdfast.node.recording import refused_as_invalid
from holdfast.node.same_guests import agents_of
from holdfast.store.guest_entries import OF_NOTES, GuestEntry

if TYPE_CHECKING:
    from holdfast.node.replica import Replica
    from holdfast.node.service import Service

READABLE: Final = "readable"
ERASED: Final = "erased"
UNREADABLE: Final = "unreadable"
STATES: Final = (READABLE, ERASED, UNREADABLE)
"""Of a note's text: it can be opened here; its key was destroyed; its key is not here."""
_ALERTS_SHOWN_MAX: Final = 10


# --- writing --------------------------------------------------------------------------------------


def add(
    replica: Service,
    agent: str,
    kind: str,
    text: str,
    *,
    alert: bool = False,
    author: str = "",
    venue: str | None = None,
    sees: Sees = everywhere,
) -> str:
    """Note something about a person at a venue, and return the note's id. `author` is the member
    of staff who says it. Raises Invalid, NotFound, Forbidden, RuleViolated; no error repeats the
    text."""
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    said = _checked(kind, text, author)
    book = replica.book_of(index.venue.id)
    require_reading(replica, book)
    with replica.transaction():
        standing = [one for one in notes_at(replica, book, agent) if one.withdrawn is None]
        if len(standing) >= NOTES_PER_GUEST_MAX:
            message = (
                f"{NOTES_PER_GUEST_MAX} notes stand about this guest; withdraw or change one that "
                "says nothing any more (`holdfast guests notes`)"
            )
            raise RuleViolated(message, [{"rule": "too-many-notes", "message": message}])
        card = replica.cards.seal_fields(index.venue.id, agent, said)
        with refused_as_invalid():
            return replica.append(book, GuestNoted(agent, card, alert)).operation.hex()


def change(
    replica: Service,
    note: str,
    *,
    kind: str | None = None,
    text: str | None = None,
    alert: bool | None = None,
    author: str = "",
    agent: str,
    if_match: str | None = None,
    sees: Sees = everywhere,
) -> str:
    """Change a note, and return its id; what is left out stays. Raises as `add`, NotFound, Conflict
    for one that was withdrawn, Stale where it has another `version` than `if_match`."""
    with replica.transaction():
        book, found = _find(replica, note, agent, sees)
        require_reading(replica, book)
        _require_standing(found)
        _require_version(found, if_match)
        present = _opened(replica, book, found.said)
        if present is None:
            raise Forbidden(
                "the text of this note cannot be opened here; withdraw it and write another"
            )
        said = _checked(kind or present["kind"], present["text"] if text is None else text, author)
        whole = found.said.alert if alert is None else alert
        if (said["kind"], said["note"], whole) == (
            present["kind"], present["text"], found.said.alert
        ):  # fmt: skip
            return found.made.id.hex()
        owner = found.said.agent_id
        card = replica.cards.seal_fields(book.partition("/")[2], owner, said)
        with refused_as_invalid():
            replica.append(book, GuestNoted(owner, card, whole, found.made.id))
        return found.made.id.hex()


def withdraw(
    replica: Service,
    note: str,
    *,
    agent: str,
    if_match: str | None = None,
    sees: Sees = everywhere,
) -> str:
    """Let a note stand no more, and return its id; one that was withdrawn stays so. Raises
    NotFound, Forbidden, RuleViolated, and Stale as `change`."""
    with replica.transaction():
        book, found = _find(replica, note, agent, sees)
        require_reading(replica, book)
        if found.withdrawn is None:
            _require_version(found, if_match)
            with refused_as_invalid():
                replica.append(book, GuestNoteWithdrawn(found.said.agent_id, found.made.id))
        return found.made.id.hex()


def _checked(kind: str, text: str, author: str) -> dict[str, Any]:
    """What is sealed of a note. Raises Invalid, which repeats nothing of it."""
    if kind not in KINDS:
        raise Invalid.field("kind", f"must be one of {', '.join(KINDS)}")
    text = text.strip()
    if not text or len(text) > TEXT_CHARS_MAX or not cards.is_text(text):
        raise Invalid.field("text", f"must be text of 1 to {TEXT_CHARS_MAX} characters")
    said = {"kind": kind, "note": text}
    author = author.strip()[:AUTHOR_CHARS_MAX]
    return said | {"author": author} if author and cards.is_text(author) else said


def _find(replica: Service, note: str, agent: str, sees: Sees) -> tuple[str, Note[GuestEntry]]:
    """A note by its id, of a person. Raises NotFound."""
    require_agent(agent)
    for book in books_seen(replica, sees):
        with replica.lock:
            found = notes_at(replica, book, agent)
        for one in found:
            if one.made.id.hex() == note:
                return book, one
    raise NotFound(
        f"no note {note} of this guest is known here; `holdfast guests notes` lists them"
    )


# --- showing --------------------------------------------------------------------------------------


def listed(
    replica: Service,
    agent: str,
    *,
    venue: str | None = None,
    withdrawn: bool = False,
    sees: Sees = everywhere,
) -> list[dict[str, Any]]:
    """The notes about a person at a venue, the oldest first; `withdrawn`: also those that stand no
    more. Raises Invalid, NotFound, Forbidden, RuleViolated."""
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    book = replica.book_of(index.venue.id)
    require_reading(replica, book)
    return [one for one in items_at(replica, book, agent) if withdrawn or one["withdrawn"] is None]


def item(replica: Service, agent: str, note: str) -> dict[str, Any]:
    """One note of a person, as it is now. Raises NotFound, Forbidden, RuleViolated."""
    book, found = _find(replica, note, agent, everywhere)
    require_reading(replica, book)
    return _item(replica, book, found, opens=True) | _who(replica, found)


def items_at(replica: Service, book: str, agent: str) -> list[dict[str, Any]]:
    """All notes about a person in a book, the oldest first, with who of the house wrote them."""
    with replica.lock:
        found = notes_at(replica, book, agent)
    opened = {one.made.id for one in found[-GUEST_CARDS_OPENED_MAX:]}
    known = actors.names(replica) if found else {}
    return [
        _item(replica, book, one, opens=one.made.id in opened) | _who(replica, one, known)
        for one in found
    ]


def exported_at(replica: Service, book: str, agent: str) -> list[dict[str, Any]]:
    """All notes about a person in a book with every version of each, for the person."""
    with replica.lock:
        found = notes_at(replica, book, agent)
    return [
        _item(replica, book, one, opens=True)
        | {"versions": [_version(replica, book, each) for each in one.versions]}
        for one in found
    ]


def _who(
    replica: Service, note: Note[GuestEntry], known: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Who wrote a note as it stands, and who withdrew it: told to the house, and not handed out to
    the guest."""
    gone = note.withdrawn
    entries = {"written_by": note.stands, "withdrawn_by": gone}
    return {
        name: None
        if one is None
        else actors.shown(replica, actors.by_at(replica, one.chain, one.n), known)
        for name, one in entries.items()
    }


def _version(replica: Service, book: str, entry: GuestEntry) -> dict[str, Any]:
    assert isinstance(entry.said, GuestNoted)
    said = _opened(replica, book, entry.said)
    with replica.lock:
        return {
            "by": writer_at(replica, book, entry.chain),
            "written_at_ms": entry.stamp >> 16,
            "state": _state(replica, book, entry.said, said),
            "kind": said["kind"] if said is not None else None,
            "text": said["text"] if said is not None else None,
            "author": said["author"] if said is not None else None,
        }


def _state(replica: Service, book: str, event: GuestNoted, said: dict[str, Any] | None) -> str:
    if said is not None:
        return READABLE
    return ERASED if _erased(replica, book, event) else UNREADABLE


def alerts_at(replica: Service, book: str, agent: str) -> list[dict[str, Any]]:
    """What whoever receives a person is to be told, the newest first; kind and text are None where
    they cannot be read here."""
    with replica.lock:
        found = [
            one
            for one in notes_at(replica, book, agent)
            if one.withdrawn is None and one.said.alert and not _erased(replica, book, one.said)
        ]
    shown = []
    for one in found[::-1][:_ALERTS_SHOWN_MAX]:
        said = _opened(replica, book, one.said) or {"kind": None, "text": None}
        shown.append({"note": one.made.id.hex(), "kind": said["kind"], "text": said["text"]})
    return shown


def notes_at(replica: Replica, book: str, agent: str) -> list[Note[GuestEntry]]:
    """The notes about a person, under whatever agent id, the oldest first. Call under the lock."""
    found = [
        note
        for one in agents_of(replica, book, agent)
        for note in guest_notes.notes_of(_written(replica, book, one))
    ]
    return sorted(found, key=lambda note: (note.made.stamp, note.made.id))


def _written(replica: Replica, book: str, agent: str) -> Iterable[GuestEntry]:
    found: Sequence[GuestEntry] = replica.store.guest_entries.of(book, agent, *OF_NOTES)
    return (one for one in found if replica.vouched(book, one.chain, one.n))


def _require_standing(found: Note[GuestEntry]) -> None:
    if found.withdrawn is not None:
        raise Conflict("this note was withdrawn and stays so; write another one")


def _tag(note: Note[GuestEntry]) -> str:
    """What changes with every entry that changes a note: 16 hexadecimal digits."""
    return (note.withdrawn or note.stands).id.hex()[:16]


def _require_version(note: Note[GuestEntry], if_match: str | None) -> None:
    if if_match is not None and if_match != _tag(note):
        raise Stale("this note was changed meanwhile; read it again and repeat the change")


def _erased(replica: Service, book: str, said: GuestNoted) -> bool:
    return replica.store.cards.erased(book, said.card.id) is not None


def _opened(replica: Service, book: str, said: GuestNoted) -> dict[str, Any] | None:
    """What a note says, its known fields alone: whoever sealed it may have put in anything."""
    card = replica.cards.read(book.partition("/")[2], [said.agent_id], said.card)
    if card is None:
        return None
    kind, text, author = (card.get(field) for field in ("kind", "note", "author"))
    return {
        "kind": kind if kind in KINDS else GENERAL,
        "text": text if isinstance(text, str) else "",
        "author": author if isinstance(author, str) else None,
    }


def _item(replica: Service, book: str, note: Note[GuestEntry], *, opens: bool) -> dict[str, Any]:
    said = _opened(replica, book, note.said) if opens else None
    with replica.lock:
        changed = note.stands.id != note.made.id
        gone = note.withdrawn
        return {
            "id": note.made.id.hex(),
            "version": _tag(note),
            "agent_id": note.said.agent_id,
            "venue": book.partition("/")[2],
            "state": _state(replica, book, note.said, said),
            "kind": said["kind"] if said is not None else None,
            "text": said["text"] if said is not None else None,
            "author": said["author"] if said is not None else None,
            "alert": note.said.alert,
            "by": writer_at(replica, book, note.stands.chain),
            "made_at_ms": note.made.stamp >> 16,
            "changed_at_ms": note.stands.stamp >> 16 if changed else None,
            "withdrawn": gone
            and {
                "by": writer_at(replica, book, gone.chain),
                "withdrawn_at_ms": gone.stamp >> 16,
            },
        }
