"""The notes of a service: read, and edited by several devices at once (DESIGN §4.8).

Owns these commands. Each edit is an entry whose card only the venue opens; the text is a function
of the edits that count and can be opened here (`sync.shared_text`), in whatever order they came. It
decides nothing. Notes are cleared by erasing the agent id that they are sealed under, as a person
is forgotten (`forgetting`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.model import calendar, wall
from holdfast.model.errors import Invalid, RuleViolated, Stale
from holdfast.model.events import ServiceNotesEdited
from holdfast.model.guest_notes import AUTHOR_CHARS_MAX
from holdfast.model.limits import (
    NOTE_EDITS_PER_LIFE_MAX,
    NOTES_IN_MEMORY,
    SERVICE_NOTES_CHARS_MAX,
)
from holdfast.model.service_notes import (
    SERVICE_CHARS_MAX,
    is_service,
    notes_agent,
    replacements,
)
from holdfast.node.cards import is_text
from holdfast.node.guest_scope import require_reading, writer_at
from holdfast.node.recording import refused_as_invalid
from holdfast.sync.shared_text import (
    SALT_BYTES,
    Edit,
    NotAnEdit,
    SharedText,
    client_of,
    read_edit,
)

if TYPE_CHECKING:
    from holdfast.node.service import Service
    from holdfast.store.service_notes import PlacedEdit

TODAY: Final = "today"
"""The word for the service date that is now, by this device's clock."""
_LIFE_CHARS: Final = 16
_TAG: Final = re.compile(r"[0-9a-f]{16}(?:\.[0-9a-f]{16}-[0-9]{1,9}){0,1000}\Z")


class Unplaced(NamedTuple):
    """Words that were written into a text which is not there any more, such as one that was cleared
    meanwhile: kept, and shown beside it."""

    text: str
    by: str
    author: str | None
    written_at_ms: int


class Notes(NamedTuple):
    """The notes of a service, as far as they can be read here.

    `tag` names this state, for a change of it. `unreadable` edits have no key here yet. `cleared`:
    when they were erased last; 0: never.
    """

    venue: str
    date: str
    service: str
    agent_id: str
    text: str
    tag: str
    edits: int
    unreadable: int
    updated_at_ms: int
    updated_by: str | None
    author: str | None
    cleared_at_ms: int
    unplaced: tuple[Unplaced, ...]


class _Said(NamedTuple):
    """What a card says: an edit, and who made it."""

    edit: Edit
    author: str | None


class _Whole(NamedTuple):
    """A text, and the operations whose edits have no place in it."""

    text: str
    unplaced: frozenset[bytes]


class Opened:
    """What was opened of the notes of the services that were asked for last. Whatever is erased
    anywhere, all of it is let go."""

    def __init__(self) -> None:
        self._services: OrderedDict[
            str, tuple[dict[bytes, _Said | None], dict[tuple[bytes, ...], _Whole]]
        ] = OrderedDict()

    def of(self, agent: str) -> tuple[dict[bytes, _Said | None], dict[tuple[bytes, ...], _Whole]]:
        """Of these notes: each edit by its operation, and the text that was last made of some."""
        found = self._services.setdefault(agent, ({}, {}))
        self._services.move_to_end(agent)
        while len(self._services) > NOTES_IN_MEMORY:
            self._services.popitem(last=False)
        return found

    def clear(self) -> None:
        self._services.clear()


class _Service(NamedTuple):
    """Which notes are meant."""

    venue: str
    book: str
    date: str
    service: str
    agent: str


# --- reading --------------------------------------------------------------------------------------


def read(replica: Service, venue: str, date: str = TODAY, service: str = "") -> Notes:
    """The notes of a service. Raises NotFound, Invalid, Forbidden, RuleViolated."""
    meant = _meant(replica, venue, date, service)
    require_reading(replica, meant.book)
    with replica.lock:
        return _read(replica, meant)


def _read(replica: Service, meant: _Service) -> Notes:
    placed = _counting(replica, meant)
    said = _open(replica, meant, placed)
    whole = _fold(replica, meant, placed, said)
    known = [one for one in placed if said.get(one.id) is not None]
    erased = replica.store.cards.erased
    gone = sum(erased(meant.book, one.said.card.id) is not None for one in placed)
    erasures = replica.book(meant.book).administration.erasures.get(meant.agent, ())
    last = known[-1] if known else None
    return Notes(
        meant.venue,
        meant.date,
        meant.service,
        meant.agent,
        whole.text,
        _tag(replica, placed, whole.text),
        len(known),
        len(placed) - len(known) - gone,
        last.stamp >> 16 if last else 0,
        writer_at(replica, meant.book, last.chain) if last else None,
        _said(said, last).author if last else None,
        max((one.stamp >> 16 for one in erasures), default=0),
        tuple(
            Unplaced(
                _said(said, one).edit.words,
                writer_at(replica, meant.book, one.chain),
                _said(said, one).author,
                one.stamp >> 16,
            )
            for one in known
            if one.id in whole.unplaced and _said(said, one).edit.inserted
        ),
    )


def _said(said: Mapping[bytes, _Said | None], one: PlacedEdit) -> _Said:
    found = said[one.id]
    assert found is not None
    return found


def _meant(replica: Service, venue: str, date: str, service: str) -> _Service:
    """Raises NotFound, Invalid."""
    known = replica.venue(venue).venue
    if date == TODAY:
        day = calendar.service_date(known, replica.clock.now_ms() // 1000)
    else:
        day = wall.parse_date(date)
    if not is_service(service):
        raise Invalid.field(
            "service", f"must be 1 to {SERVICE_CHARS_MAX} of a-z, 0-9 and -, such as dinner"
        )
    agent = notes_agent(replica.identity.pseudonym_key, venue, day.isoformat(), service)
    return _Service(venue, replica.book_of(venue), day.isoformat(), service, agent)


def _counting(replica: Service, meant: _Service) -> list[PlacedEdit]:
    """The edits whose word counts, the oldest first. Nobody has others' cards erased with these
    notes, or these not: an edit under another agent id is none of them."""
    found = [
        one
        for one in replica.store.service_notes.of(meant.book, meant.date, meant.service)
        if one.said.agent_id == meant.agent and replica.vouched(meant.book, one.chain, one.n)
    ]
    of_chain: dict[int, int] = {}
    counting = set()
    for one in sorted(found, key=lambda one: (one.chain, one.n)):
        of_chain[one.chain] = of_chain.get(one.chain, 0) + 1
        if of_chain[one.chain] <= NOTE_EDITS_PER_LIFE_MAX:
            counting.add(one.id)
    return [one for one in found if one.id in counting]


def _open(
    replica: Service, meant: _Service, placed: Sequence[PlacedEdit]
) -> dict[bytes, _Said | None]:
    """What each edit says whose key is here; None: nothing that is an edit."""
    opened, _ = replica.notes_opened.of(meant.agent)
    readable = replica.store.cards.readable(meant.book, meant.agent)
    found: dict[bytes, _Said | None] = {}
    for one in placed:
        if one.said.card.id not in readable:
            continue
        if one.id not in opened:
            card = replica.cards.read(meant.venue, [meant.agent], one.said.card)
            if card is None:
                continue
            life = replica.store.journal.chain_by_id(one.chain).incarnation
            opened[one.id] = _parse(card, life)
        found[one.id] = opened[one.id]
    return found


def _parse(card: Mapping[str, Any], life: bytes) -> _Said | None:
    """What a card says: whoever sealed it may have put in anything."""
    update, salt, author = (card.get(field) for field in ("update", "salt", "author"))
    if not (isinstance(update, str) and isinstance(salt, str)):
        return None
    try:
        edit = read_edit(
            base64.b64decode(update, validate=True),
            client_of(life, base64.b64decode(salt, validate=True)),
        )
    except (NotAnEdit, binascii.Error, ValueError):
        return None
    if not is_text(edit.words):
        return None
    return _Said(edit, author[:AUTHOR_CHARS_MAX] if isinstance(author, str) else None)


def _fold(
    replica: Service,
    meant: _Service,
    placed: Sequence[PlacedEdit],
    said: Mapping[bytes, _Said | None],
) -> _Whole:
    """The text of these edits."""
    _, made = replica.notes_opened.of(meant.agent)
    known = [(one.id, found.edit) for one in placed if (found := said.get(one.id)) is not None]
    key = tuple(operation for operation, _ in known)
    if key not in made:
        text = SharedText()
        left = {id(edit) for edit in text.take(edit for _, edit in known)}
        made.clear()
        made[key] = _Whole(
            str(text), frozenset(operation for operation, edit in known if id(edit) in left)
        )
    return made[key]


def _tag(replica: Service, placed: Sequence[PlacedEdit], text: str) -> str:
    """What names a state for ever, on every device that has the same: how much of each chain it
    was made of, and what it said then."""
    upto: dict[str, int] = {}
    for one in placed:
        life = _life(replica, one)
        upto[life] = max(one.n, upto.get(life, 0))
    return ".".join([_digest(text), *(f"{life}-{n}" for life, n in sorted(upto.items()))])


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _life(replica: Service, one: PlacedEdit) -> str:
    return replica.store.journal.chain_by_id(one.chain).incarnation.hex()[:_LIFE_CHARS]


# --- writing --------------------------------------------------------------------------------------


def write(
    replica: Service,
    venue: str,
    date: str,
    text: str,
    base: str,
    *,
    service: str = "",
    author: str = "",
) -> Notes:
    """Change the notes from the state that the tag `base` names to this text, and return them as
    they are then: with what others wrote since beside it. The same change of the same state, asked
    for again, changes nothing more.

    Raises NotFound, Invalid, Forbidden, RoleForbidden, RuleViolated; Stale where that state cannot
    be made here (any more). No error repeats the text.
    """
    meant = _meant(replica, venue, date, service)
    wanted = text.replace("\r\n", "\n")
    if not is_text(wanted):
        raise Invalid.field("text", "has characters that are no text")
    require_reading(replica, meant.book)
    with replica.transaction():
        placed = _counting(replica, meant)
        said = _open(replica, meant, placed)
        edits = _edits_at(replica, placed, said, base)
        salt = _salt(meant, edits, wanted)
        client = client_of(replica.identity.incarnation, salt)
        before = SharedText(client)
        before.take(edits)
        if _digest(str(before)) != base[: len(_digest(""))]:
            raise _stale()
        updates = before.change(replacements(str(before), wanted))
        made = [read_edit(update, client) for update in updates]
        if not _is_there(said, made):
            _require_room(replica, placed, said, made)
            for edit in made:
                _append(replica, meant, edit, salt, author)
        return _read(replica, meant)


def _edits_at(
    replica: Service,
    placed: Sequence[PlacedEdit],
    said: Mapping[bytes, _Said | None],
    tag: str,
) -> list[Edit]:
    """The edits that a state was made of, as far as they are here. Raises Stale."""
    if _TAG.match(tag) is None:
        raise _stale()
    upto = {life: int(n) for life, _, n in (one.partition("-") for one in tag.split(".")[1:])}
    return [
        found.edit
        for one in placed
        if one.n <= upto.get(_life(replica, one), 0) and (found := said.get(one.id)) is not None
    ]


def _salt(meant: _Service, edits: Sequence[Edit], wanted: str) -> bytes:
    """Of one change: it follows from all that is changed, and to what, so that the same change
    asked for again is the same edit, and no other one has its client id."""
    whole = sha256(meant.agent.encode())
    for edit in edits:
        whole.update(sha256(edit.update).digest())
    whole.update(wanted.encode())
    return whole.digest()[:SALT_BYTES]


def _stale() -> Stale:
    return Stale(
        "these notes are not known here as they were when they were read (they were cleared since, "
        "or read at another device); read them again and repeat the change"
    )


def _is_there(said: Mapping[bytes, _Said | None], made: Sequence[Edit]) -> bool:
    """Whether each of these edits is among those that are known: it was asked for before."""
    known = {found.edit.update for found in said.values() if found is not None}
    return all(edit.update in known for edit in made)


def _require_room(
    replica: Service,
    placed: Sequence[PlacedEdit],
    said: Mapping[bytes, _Said | None],
    made: Sequence[Edit],
) -> None:
    """Raises RuleViolated."""
    now = SharedText()
    now.take(found.edit for one in placed if (found := said.get(one.id)) is not None)
    before = len(str(now))
    now.take(made)
    after = len(str(now))
    if after > max(before, SERVICE_NOTES_CHARS_MAX):
        message = (
            f"The notes of a service have at most {SERVICE_NOTES_CHARS_MAX} characters; these "
            f"would have {after}. Take something out, or write to another service of the day."
        )
        raise RuleViolated(message, [{"rule": "notes-too-long", "message": message}])
    own = replica.identity.incarnation.hex()[:_LIFE_CHARS]
    written = sum(_life(replica, one) == own for one in placed)
    if written + len(made) > NOTE_EDITS_PER_LIFE_MAX:
        message = (
            f"This device has edited these notes {written} times, and may "
            f"{NOTE_EDITS_PER_LIFE_MAX} times; write to another service of the day, or at another "
            "device."
        )
        raise RuleViolated(message, [{"rule": "too-many-edits", "message": message}])


def _append(replica: Service, meant: _Service, edit: Edit, salt: bytes, author: str) -> None:
    fields = {"update": _base64(edit.update), "salt": _base64(salt)}
    author = author.strip()[:AUTHOR_CHARS_MAX]
    if author and is_text(author):
        fields["author"] = author
    card = replica.cards.seal_fields(meant.venue, meant.agent, fields)
    with refused_as_invalid():
        replica.append(meant.book, ServiceNotesEdited(meant.date, meant.service, meant.agent, card))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
