"""Notes about a guest and their preferences over HTTP, at a device that holds the venue's key.

Owns these routes. What they do stands in `holdfast.node`: `guest_notes`, `guest_details`. What a
note says is in bodies and answers alone: no address, no log and no remembered answer has it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import UNSET, UnsetType

from holdfast.api.auth import VENUES
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.guest_venues import GuestVenueQuery, require_venue
from holdfast.api.parsing import PageQuery, page_of, read_body, read_if_match, read_query
from holdfast.api.render import with_times
from holdfast.api.shapes import guest_desk as shapes
from holdfast.model.guest_details import FIELDS
from holdfast.node import guest_details, guest_notes

TAGS = ["guests"]


class NotesQuery(PageQuery, kw_only=True):
    """At which venue; `withdrawn`: also those that stand no more."""

    venue: str | None = None
    withdrawn: bool = False


class NoteRequest(msgspec.Struct, kw_only=True):
    """A new note."""

    venue: str | None = None
    kind: str
    text: str
    alert: bool = False


class NoteChange(msgspec.Struct, kw_only=True):
    """What is left out stays."""

    kind: str | None = None
    text: str | None = None
    alert: bool | None = None


class WithdrawNoteRequest(msgspec.Struct, kw_only=True):
    """Nothing more needs to be said."""


class PreferencesRequest(msgspec.Struct, kw_only=True):
    """What is left out stays; null takes it away."""

    venue: str | None = None
    preferences: str | UnsetType | None = UNSET
    dietary: str | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET
    time_zone: str | UnsetType | None = UNSET
    email: bool | UnsetType | None = UNSET
    sms: bool | UnsetType | None = UNSET
    whatsapp: bool | UnsetType | None = UNSET
    marketing: bool | UnsetType | None = UNSET


# --- notes ----------------------------------------------------------------------------------------


@get(
    "/guests/{agent_id:str}/notes",
    operation_id="listGuestNotes",
    summary="Notes about a guest",
    tags=TAGS,
    opt={"permission": "guests.find", "reach": VENUES},
    operation_class=operation(query=NotesQuery),
)
async def list_guest_notes(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), NotesQuery)
    require_venue(caller, query.venue)

    def listed() -> list[dict[str, Any]]:
        return guest_notes.listed(
            face.replica, agent_id, venue=query.venue, withdrawn=query.withdrawn, sees=caller.sees
        )

    keyed = [
        (f"{one['made_at_ms']:015d} {one['id']}", _note(one)) for one in await face.run(listed)
    ]
    items, place = page_of(keyed, query.limit, query.cursor)
    return answer(shapes.GuestNoteList(items=items, next=place))


@post(
    "/guests/{agent_id:str}/notes",
    operation_id="addGuestNote",
    summary="Note something about a guest",
    description="Sealed for the venue, and forgotten with the guest.",
    tags=TAGS,
    opt={"permission": "guests.profile", "reach": VENUES},
    operation_class=operation(body=NoteRequest, keyed=True),
)
async def add_guest_note(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def add() -> str:
        wanted = read_body(body, NoteRequest)
        require_venue(caller, wanted.venue)
        return guest_notes.add(
            face.replica, agent_id, wanted.kind, wanted.text, alert=wanted.alert,
            author=caller.name, venue=wanted.venue, sees=caller.sees,
        )  # fmt: skip

    answered = await face.answers.once(request, body, 201, add)
    shown = await face.run(_shown, face.replica, agent_id, answered.subject)
    return answer(shown, answered.status, answered.headers | _tag(shown.version))


@patch(
    "/guests/{agent_id:str}/notes/{note_id:str}",
    operation_id="changeGuestNote",
    summary="Change a note about a guest",
    description="What it said before stays readable to the venue until the guest is forgotten.",
    tags=TAGS,
    opt={"permission": "guests.profile", "reach": VENUES},
    operation_class=operation(body=NoteChange, matches=True),
)
async def change_guest_note(
    request: Asking, agent_id: FromPath[str], note_id: FromPath[str]
) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    if_match = read_if_match(request.headers.get("if-match"))

    def change() -> shapes.GuestNote:
        wanted = read_body(body, NoteChange)
        note = guest_notes.change(
            face.replica, note_id, kind=wanted.kind, text=wanted.text, alert=wanted.alert,
            author=caller.name, agent=agent_id, if_match=if_match, sees=caller.sees,
        )  # fmt: skip
        return _shown(face.replica, agent_id, note)

    changed = await face.run(change)
    return answer(changed, headers=_tag(changed.version))


@post(
    "/guests/{agent_id:str}/notes/{note_id:str}/withdraw",
    operation_id="withdrawGuestNote",
    summary="Let a note about a guest stand no more",
    tags=TAGS,
    status_code=200,
    opt={"permission": "guests.profile", "reach": VENUES},
    operation_class=operation(body=WithdrawNoteRequest, keyed=True, matches=True),
)
async def withdraw_guest_note(
    request: Asking, agent_id: FromPath[str], note_id: FromPath[str]
) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    if_match = read_if_match(request.headers.get("if-match"))

    def withdraw() -> str:
        read_body(body, WithdrawNoteRequest)
        return guest_notes.withdraw(
            face.replica, note_id, agent=agent_id, if_match=if_match, sees=caller.sees
        )

    answered = await face.answers.once(request, body, 200, withdraw)
    shown = await face.run(_shown, face.replica, agent_id, answered.subject)
    return answer(shown, answered.status, answered.headers | _tag(shown.version))


def _shown(replica: Replica, agent: str, note: str) -> shapes.GuestNote:
    return _note(guest_notes.item(replica, agent, note))


def _note(item: dict[str, Any]) -> shapes.GuestNote:
    return msgspec.convert(with_times(item), shapes.GuestNote)


# --- preferences ----------------------------------------------------------------------------------


@get(
    "/guests/{agent_id:str}/preferences",
    operation_id="getGuestPreferences",
    summary="What a guest prefers, eats and agrees to",
    tags=TAGS,
    opt={"permission": "guests.find", "reach": VENUES},
    operation_class=operation(query=GuestVenueQuery),
)
async def get_guest_preferences(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), GuestVenueQuery)
    require_venue(caller, query.venue)

    def found() -> tuple[dict[str, Any], str]:
        replica, venue, sees = face.replica, query.venue, caller.sees
        with replica.lock:
            shown = guest_details.details(replica, agent_id, venue=venue, sees=sees)
            return shown, guest_details.version(replica, agent_id, venue=venue, sees=sees)

    shown, version = await face.run(found)
    return answer(_preferences(shown), headers=_tag(version))


@patch(
    "/guests/{agent_id:str}/preferences",
    operation_id="patchGuestPreferences",
    summary="Say what a guest prefers, eats and agrees to, field by field",
    description="Sealed for the venue, and forgotten with the guest. Of each field the latest word "
    "stands, on whatever device it was said.",
    tags=TAGS,
    opt={"permission": "guests.profile", "reach": VENUES},
    operation_class=operation(body=PreferencesRequest, matches=True),
)
async def patch_guest_preferences(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    if_match = read_if_match(request.headers.get("if-match"))

    def say() -> tuple[dict[str, Any], str]:
        wanted = read_body(body, PreferencesRequest)
        require_venue(caller, wanted.venue)
        fields = {name: value for name in FIELDS if (value := getattr(wanted, name)) is not UNSET}
        replica, venue, sees = face.replica, wanted.venue, caller.sees
        with replica.transaction():
            shown = guest_details.describe(
                replica, agent_id, fields, venue=venue, if_match=if_match, sees=sees
            )
            return shown, guest_details.version(replica, agent_id, venue=venue, sees=sees)

    shown, version = await face.run(say)
    return answer(_preferences(shown), headers=_tag(version))


def _tag(version: str) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def _preferences(found: dict[str, Any]) -> shapes.GuestPreferences:
    return msgspec.convert(with_times(found), shapes.GuestPreferences)


ROUTES: list[HTTPRouteHandler] = [
    list_guest_notes,
    add_guest_note,
    change_guest_note,
    withdraw_guest_note,
    get_guest_preferences,
    patch_guest_preferences,
]
