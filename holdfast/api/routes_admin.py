"""What the people who run Holdfast do over HTTP: fleet, invitations, backup, import.

Owns these routes. Most are the directory's own token's alone (`permissions`).
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Face, answer, caller_of, face_of
from holdfast.api.parsing import PageQuery, convert, page_of, read_body, read_json, read_query
from holdfast.api.render import utc_text, with_times
from holdfast.api.shapes import fleet
from holdfast.api.shapes.reservations import (
    FieldError,
    ImportedLine,
    ImportResult,
    UnreadableLine,
)
from holdfast.model.errors import Conflict, DirectoryError, HoldfastError, Invalid
from holdfast.model.limits import INVITE_SECONDS_MAX
from holdfast.model.mapping import ImportRecord, RowProblem
from holdfast.node import upkeep

if TYPE_CHECKING:
    from holdfast.node.hub import Hub

TAGS = ["administration"]
NDJSON: Final = "application/x-ndjson"


class InviteRequest(msgspec.Struct, kw_only=True):
    """Who may join: one node of this name and role at this venue."""

    venue: str
    role: str
    name: str
    expires_seconds: int = 3600


class RecoverRequest(msgspec.Struct, kw_only=True):
    """`proceed`: go on without the nodes that were not heard, which are revoked first. `dry_run`:
    only show how it stands."""

    proceed: bool = False
    dry_run: bool = False


class RevokeRequest(msgspec.Struct, kw_only=True):
    """`reason` is a code."""

    reason: str = "other"


class BackupRequest(msgspec.Struct, kw_only=True):
    """An absolute path on the disk of the machine that serves; the file must not exist."""

    path: str


class ImportQuery(msgspec.Struct, kw_only=True):
    """The venue whose records these are."""

    venue: str


# --- what stands here -----------------------------------------------------------------------------


@get(
    "/status",
    operation_id="getStatus",
    summary="One screen: identity, sync, queue, clock, books, disk",
    tags=TAGS,
    opt={"permission": "status.read"},
    operation_class=operation(),
)
async def get_status(request: Asking) -> Response[bytes]:
    face = face_of(request)
    status = with_times(await face.run(face.replica.status))
    return answer(msgspec.convert(status, fleet.ReplicaStatus))


@get(
    "/config",
    operation_id="getConfig",
    summary="The settings in force; secrets are none",
    tags=TAGS,
    opt={"permission": "config.read"},
    operation_class=operation(),
)
async def get_config(request: Asking) -> Response[bytes]:
    return answer(msgspec.convert(face_of(request).replica.settings.show(), fleet.Config))


# --- the fleet ------------------------------------------------------------------------------------


@get(
    "/nodes",
    operation_id="listNodes",
    summary="The fleet, as the hub saw it",
    tags=TAGS,
    opt={"permission": "nodes.read", "reach": VENUES},
    operation_class=operation(query=PageQuery),
)
async def list_nodes(request: Asking) -> Response[bytes]:
    face = face_of(request)
    hub = face.hub()
    query = read_query(request.query_params.multi_items(), PageQuery)
    caller = caller_of(request)
    known = _with_channels(with_times(await face.run(hub.nodes)), face)
    found = msgspec.convert(known, list[fleet.FleetNode])
    seen = [one for one in found if caller.sees(one.venue)]
    keyed = [(f"{number:08}", one) for number, one in enumerate(seen)]
    items, place = page_of(keyed, query.limit, query.cursor)
    return answer(fleet.Fleet(items=items, next=place))


def _with_channels(lives: list[dict[str, Any]], face: Face) -> list[dict[str, Any]]:
    """The lives with whether each has a live channel: of a device's lives the last one speaks."""
    last: dict[tuple[str, str], int] = {}
    for one in lives:
        device = one["venue"], one["name"]
        last[device] = max(last.get(device, 0), one["number"] or 0)
    return [
        one | {"connected": (one["number"] or 0) == last[device] and face.live[device] > 0}
        for one in lives
        for device in ((one["venue"], one["name"]),)
    ]


@post(
    "/nodes/{name:str}/revoke",
    operation_id="revokeNode",
    summary="Shut a node out",
    tags=TAGS,
    status_code=200,
    opt={"permission": "nodes.change"},
    operation_class=operation(body=RevokeRequest, keyed=True),
)
async def revoke_node(request: Asking, name: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    hub = face.hub()
    body = await request.body()

    def revoke() -> str:
        wanted = read_body(body, RevokeRequest)
        hub.revoke(name, wanted.reason)
        return name

    answered = await face.answers.once(request, body, 200, revoke)
    shown = fleet.NodeRevoked(name=answered.subject, state="revoked")
    return answer(shown, answered.status, answered.headers)


@post(
    "/invites",
    operation_id="createInvite",
    summary="A one-time join code",
    description="The code is shown once: a replay under the same key has `code` null.",
    tags=TAGS,
    opt={"permission": "nodes.change", "reach": VENUES},
    operation_class=operation(body=InviteRequest, keyed=True),
)
async def create_invite(request: Asking) -> Response[bytes]:
    face = face_of(request)
    hub = face.hub()
    body = await request.body()
    shown_once: list[str] = []

    def invite() -> str:
        wanted = read_body(body, InviteRequest)
        caller_of(request).require(wanted.venue)
        if not 1 <= wanted.expires_seconds <= INVITE_SECONDS_MAX:
            raise Invalid.field("expires_seconds", f"must be from 1 to {INVITE_SECONDS_MAX}")
        made = hub.invite(wanted.venue, wanted.role, wanted.name, wanted.expires_seconds)
        shown_once.append(made.code)
        return utc_text(made.expires_at_ms)

    answered = await face.answers.once(request, body, 201, invite)
    code = shown_once[0] if shown_once else None
    shown = fleet.Invite(code=code, expires_at=answered.subject)
    return answer(shown, answered.status, answered.headers)


@get(
    "/hub/recovery",
    operation_id="getRecovery",
    summary="Whether the hub is `recovering`, and who has not been heard",
    description="Changes nothing: leaving `recovering` is `POST /hub/recover`, by a person's word.",
    tags=TAGS,
    opt={"permission": "nodes.read"},
    operation_class=operation(),
)
async def get_recovery(request: Asking) -> Response[bytes]:
    face = face_of(request)
    hub = face.hub()
    return answer(await face.run(lambda: _recovery(hub, _looked_at(hub), hub.recovery.standing())))


def _looked_at(hub: Hub) -> dict[str, Any]:
    """What `recover` would answer if it did nothing."""
    missing = {
        one["venue"]: [device["name"] for device in one["not_heard"]]
        for one in hub.recovery.standing()
    }
    return {"state": hub.exchange_state, "missing": missing, "shut_out": {}}


def _recovery(hub: Hub, done: dict[str, Any], before: list[dict[str, Any]]) -> fleet.Recovery:
    """`done`, with where the venues stood before it and whose recovery it ended."""
    going_on = {one["venue"] for one in hub.recovery.standing()}
    ended = [one["venue"] for one in before if one["venue"] not in going_on]
    return msgspec.convert(with_times({**done, "before": before, "ended": ended}), fleet.Recovery)


@post(
    "/hub/recover",
    operation_id="recoverHub",
    summary="Leave the state `recovering` after a restore",
    tags=TAGS,
    status_code=200,
    opt={"permission": "nodes.change"},
    operation_class=operation(body=RecoverRequest, keyed=True),
)
async def recover_hub(request: Asking) -> Response[bytes]:
    face = face_of(request)
    hub = face.hub()
    body = await request.body()

    def recover() -> str:
        wanted = read_body(body, RecoverRequest)
        if wanted.dry_run and wanted.proceed:
            raise Invalid.field("dry_run", "shows how it stands; leave `proceed` out")
        before = hub.recovery.standing()
        done = _looked_at(hub) if wanted.dry_run else hub.recover(wanted.proceed)
        return msgspec.json.encode(_recovery(hub, done, before)).decode()

    answered = await face.answers.once(request, body, 200, recover)
    return answer(answered.subject.encode(), answered.status, answered.headers)


# --- copies in and out ----------------------------------------------------------------------------


@post(
    "/backup",
    operation_id="createBackup",
    summary="A consistent copy of the database, on the server's own disk",
    tags=TAGS,
    opt={"permission": "backup"},
    operation_class=operation(body=BackupRequest, keyed=True),
)
async def create_backup(request: Asking) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()
    path = Path(read_body(body, BackupRequest).path)

    def copy() -> str:
        _reserve(path)
        try:
            upkeep.backup(face.replica, path)
        except HoldfastError:
            path.unlink(missing_ok=True)
            raise
        return str(path)

    async def backup() -> str:
        # Not in the worker: a large copy must not keep a guest waiting.
        return await asyncio.to_thread(copy)

    answered = await face.answers.once_outside(request, body, 201, backup)
    size = await asyncio.to_thread(_size, answered.subject)
    shown = fleet.Backup(path=answered.subject, bytes=size)
    return answer(shown, answered.status, answered.headers)


def _reserve(path: Path) -> None:
    """Make the file, empty and for its owner alone, so that nothing existing is overwritten."""
    if not path.is_absolute():
        raise Invalid.field("path", "must be absolute: it is a path of the machine that serves")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise Conflict(f"{path} exists; choose another file for the backup") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such path"
        raise DirectoryError(f"{path} cannot be written ({why}); choose another place") from error


def _size(path: str) -> int | None:
    try:
        return Path(path).stat().st_size
    except OSError:
        return None


@post(
    "/reservations/import",
    operation_id="importReservations",
    summary="Bring another system's reservations in: one JSON record a line",
    description="The same record again changes nothing, so that a batch may be repeated freely.",
    tags=["reservations"],
    status_code=200,
    opt={"permission": "reservations.import", "reach": VENUES},
    operation_class=operation(query=ImportQuery, body=ImportRecord, body_type=NDJSON, keyed=True),
)
async def import_reservations(request: Asking) -> Response[bytes]:
    face = face_of(request)
    venue = read_query(request.query_params.multi_items(), ImportQuery).venue
    caller_of(request).require(venue)
    body = await request.body()

    def import_batch() -> ImportResult:
        records, unreadable = _records(body)
        report = face.replica.reservations.import_records(venue, records)
        return ImportResult(
            imported=report.imported,
            present=report.present,
            cancelled=report.cancelled,
            left_out=_lines(report.left_out),
            refused=_lines(report.refused),
            unreadable=unreadable,
        )

    shown: list[ImportResult] = []

    async def work() -> str:
        shown.append(await face.run(import_batch))
        return venue

    answered = await face.answers.once_outside(request, body, 200, work)
    # What became of each line may quote it, so that it is not kept: a replay imports again, which
    # changes nothing and finds the same.
    result = shown[0] if shown else await face.run(import_batch)
    return answer(result, answered.status, answered.headers)


def _lines(problems: tuple[RowProblem, ...]) -> list[ImportedLine]:
    return msgspec.convert(problems, list[ImportedLine], from_attributes=True)


def _records(body: bytes) -> tuple[list[ImportRecord], list[UnreadableLine]]:
    """The records of an NDJSON body, and the lines that are none, with their numbers."""
    records: list[ImportRecord] = []
    unreadable: list[UnreadableLine] = []
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = read_json(line)
            if not isinstance(value, dict):
                raise Invalid.field("record", "must be a JSON object")
            records.append(convert(value, ImportRecord))
        except Invalid as error:
            errors = msgspec.convert(error.extra["errors"], list[FieldError])
            unreadable.append(UnreadableLine(number=number, errors=errors))
    return records, unreadable


ROUTES: list[HTTPRouteHandler] = [
    get_status,
    get_config,
    list_nodes,
    revoke_node,
    create_invite,
    get_recovery,
    recover_hub,
    create_backup,
    import_reservations,
]
