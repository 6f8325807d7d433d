"""Marking many reservations in one request (V-43): each for itself, and what became of each.

Owns this route. The marks are those that have routes of their own (`routes_reservations`).
"""

from __future__ import annotations

from typing import Final

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from holdfast.api.auth import VENUES
from holdfast.api.bookings import found
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.parsing import read_body
from holdfast.api.shapes.bulk import ACTIONS, BulkResult, BulkResults
from holdfast.model.errors import (
    BadTransition,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    RuleViolated,
)
from holdfast.model.ids import uuid_text
from holdfast.model.limits import BULK_ITEMS_MAX
from holdfast.model.reservation import View

PERMISSIONS: Final = {
    "approve": "reservations.approve",
    "cancel": "reservations.cancel",
    "check-in": "reservations.check-in",
    "complete": "reservations.complete",
    "confirm": "reservations.confirm",
    "no-show": "reservations.no-show",
    "undo-no-show": "reservations.no-show",
}
_REFUSALS: Final = (BadTransition, Conflict, Forbidden, Gone, Invalid, NotFound, RuleViolated)
"""What is one item's own fault. A mark checks everything before it writes its one entry."""
_DONE: Final = "="
_BEFORE: Final = "It was refused when this was asked first."


class BulkItem(msgspec.Struct, kw_only=True):
    """What is to be done with one reservation; `reason` and `by` are those of a cancel,
    `actual_party_size` of a check-in."""

    action: str
    reservation: str
    reason: str = "guest_request"
    by: str = "guest"
    actual_party_size: int | None = None


class BulkRequest(msgspec.Struct, kw_only=True):
    """What is to be done, in this order."""

    items: list[BulkItem]


@post(
    "/reservations/bulk",
    operation_id="markReservations",
    summary="Mark many reservations, each for itself",
    description="What cannot be done is told for each of them, and keeps none of the others back.",
    tags=["reservations"],
    status_code=200,
    opt={"permission": "reservations.bulk", "reach": VENUES},
    operation_class=operation(body=BulkRequest, keyed=True),
)
async def mark_reservations(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    told: dict[int, str] = {}

    def mark() -> str:
        wanted = read_body(body, BulkRequest).items
        _check(wanted)
        outcomes = []
        for place, item in enumerate(wanted):
            try:
                view = _act(face.replica, caller, item)
            except _REFUSALS as error:
                told[place] = error.detail
                outcomes.append(error.name)
            else:
                outcomes.append(f"{_DONE}{uuid_text(view.id)}")
        return " ".join(outcomes)

    answered = await face.answers.once(request, body, 200, mark)

    def shown() -> BulkResults:
        # The same body as the first time, or the key would not have been taken again.
        items = read_body(body, BulkRequest).items
        outcomes = answered.subject.split()
        return BulkResults(
            items=[
                _shown(face.replica, caller, item, outcome, told.get(place, _BEFORE))
                for place, (item, outcome) in enumerate(zip(items, outcomes, strict=True))
            ]
        )

    return answer(await face.run(shown), answered.status, answered.headers)


def _check(items: list[BulkItem]) -> None:
    if not 1 <= len(items) <= BULK_ITEMS_MAX:
        raise Invalid.field("items", f"send 1 to {BULK_ITEMS_MAX} of them")
    for place, item in enumerate(items):
        if item.action not in ACTIONS:
            raise Invalid.field(f"items[{place}].action", f"must be one of {', '.join(ACTIONS)}")


def _act(replica: Replica, caller: Caller, item: BulkItem) -> View:
    if not caller.may(PERMISSIONS[item.action]):
        raise Forbidden(f"role {caller.role} may not do this ({PERMISSIONS[item.action]})")
    commands = replica.reservations
    with replica.transaction():
        subject = uuid_text(found(replica, caller, item.reservation).id)
        if item.action == "cancel":
            late = caller.may("reservations.cancel-late")
            return commands.cancel(subject, item.reason, item.by, late=late)
        if item.action == "check-in":
            return commands.check_in(subject, item.actual_party_size)
        marked: View = getattr(commands, item.action.replace("-", "_"))(subject)
        return marked


def _shown(
    replica: Replica, caller: Caller, item: BulkItem, outcome: str, detail: str
) -> BulkResult:
    done = outcome.startswith(_DONE)
    view = found(replica, caller, outcome[1:]) if done else None
    return BulkResult(
        action=item.action,
        reservation=uuid_text(view.id) if view else item.reservation,
        done=done,
        status=view.status if view else None,
        error=None if done else outcome,
        detail=None if done else detail,
    )


ROUTES: list[HTTPRouteHandler] = [mark_reservations]
