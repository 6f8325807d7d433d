"""What the routes about reservations, holds, blocks and the waitlist have in common.

Owns the way from an id or a code to what it names, as far as it is the caller's business; what a
guest's token may say; the waiting for a decision; and the answer that is a reservation. Knows no
route.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Final

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api.callers import Caller
from holdfast.api.face import Asking, Face, Replica, answer
from holdfast.api.parsing import read_wait
from holdfast.api.render import render_reservation
from holdfast.model import lifecycle
from holdfast.model.errors import Conflict, Forbidden, NotFound
from holdfast.model.forms import HOLD, WAITLIST, form_now, made_as
from holdfast.model.ids import parse_uuid
from holdfast.model.reservation import BLOCK, View, version_tag
from holdfast.model.waitlist import is_in_line
from holdfast.node import actors, restricting
from holdfast.node.requests import CreateRequest, HoldRequest, PatchRequest

RESERVATION: Final = ""
_CALLED: Final = {
    RESERVATION: "reservation",
    HOLD: "hold",
    BLOCK: "block",
    WAITLIST: "place on the waitlist",
}
_PATHS: Final = {RESERVATION: "reservations", HOLD: "holds", BLOCK: "blocks", WAITLIST: "waitlist"}


# --- finding --------------------------------------------------------------------------------------


def found(
    replica: Replica,
    caller: Caller,
    reference: str,
    form: str = RESERVATION,
    *,
    proved: bool = False,
) -> View:
    """What an id or a code names, if the caller may know of it. Raises NotFound, also for what is
    not theirs: that it exists is nobody else's business.

    `proved`: something else than the token shows, or is about to, whose it is; then its venue alone
    is asked about.

    `form`: as what it must have been made. What is only held, or waits, is a reservation in the
    making, and found among reservations too; a block is none.
    """
    what = _CALLED[form]
    unknown = NotFound(f"no {what} {reference} here; it may not have reached this device yet")
    try:
        view = replica.reservations.find(reference)
    except NotFound:
        raise unknown from None
    except Conflict as error:
        # It names what else is called so, which may not be theirs to know.
        raise unknown if caller.role == "guest" or caller.venues else error from None
    theirs = caller.sees(view.book.partition("/")[2]) if proved else caller.knows(view)
    if not theirs:
        raise unknown
    if not _is(view, form):
        now = form_now(view)
        raise NotFound(
            f"{view.code} is a {_CALLED[now]} and no {what}: `GET /{_PATHS[now]}/{view.code}`, "
            f"`holdfast {_PATHS[now]} show {view.code}`"
        )
    return view


def _is(view: View, form: str) -> bool:
    if form == RESERVATION:
        return made_as(view) != BLOCK
    # Who was displaced stands in the line too, whatever it was made as.
    return made_as(view) == form or (form == WAITLIST and is_in_line(view))


# --- what a guest may say -------------------------------------------------------------------------


def only_as_guest(caller: Caller, wanted: CreateRequest | HoldRequest | PatchRequest) -> None:
    """A guest writes for itself, and asks like a guest: who stands at the desk, and what is the
    house's own, the house says, for neither needs to ask ahead."""
    only_own(caller, wanted.user_id, wanted.agent_id)
    if wanted.kind not in (None, UNSET, "guest"):
        raise Forbidden(f"a guest's token makes no reservation of the kind {wanted.kind}")


def only_own(
    caller: Caller, user_id: str | UnsetType | None, agent_id: str | UnsetType | None
) -> None:
    """Raises Forbidden where a guest's token names anybody but itself."""
    given = [value for value in (user_id, agent_id) if value is not None and value is not UNSET]
    if any(value != caller.agent_id for value in given):
        raise Forbidden("a guest's token is for its own agent id only; leave the person out")


def asking_of(caller: Caller) -> restricting.Asking:
    """Why a guest may not reserve, staff is told; a screen at which anybody stands says nothing."""
    return restricting.Asking(told=caller.may("guests.profile"), own=caller.role == "guest")


def names_told(replica: Replica, caller: Caller) -> dict[str, str] | None:
    """The names of staff and tokens by agent id, for who may know who did something; None: it may
    not even know the agent id."""
    return actors.names(replica) if caller.told_who_did else None


# --- answering ------------------------------------------------------------------------------------


async def shown_reservation(
    face: Face, caller: Caller, reference: str, status: int | None, headers: dict[str, str]
) -> Response[bytes]:
    """The reservation as it is now; 202 while a change of it waits and no status is given."""

    def render() -> tuple[bytes, str, bool]:
        view = found(face.replica, caller, reference)
        reads = caller.may("guests.read")
        shown = render_reservation(
            face.replica, view, with_guest=reads, whole=True,
            with_note=reads and caller.role != "guest", to_guest=caller.role == "guest",
            with_agent=caller.told_whose, with_others=caller.told_of_others,
            with_visitor=caller.may("guests.profile"), with_known=caller.told_who_is_known,
            with_who=caller.told_who_did,
        )  # fmt: skip
        changing = view.pending_change is not None
        return msgspec.json.encode(shown), version_tag(view), changing

    body, version, changing = await face.run(render)
    if status is None:
        status = 202 if changing else 200
    return answer(body, status, headers | {"ETag": f'"{version}"'})


async def wait(face: Face, request: Asking, subject: str) -> dict[str, str]:
    """`Prefer: wait=N`: until nothing of the reservation waits for a decision, or time is up."""
    seconds = read_wait(request.headers.get("prefer"))
    reservation = parse_uuid(subject)
    if seconds is None or reservation is None:
        return {}
    try:
        async with asyncio.timeout(seconds), aclosing(face.changes.watch()) as changes:
            async for _ in changes:
                if await face.run(_decided, face.replica, reservation):
                    break
    except TimeoutError:
        pass  # What is not decided by then is answered as it is.
    return {"Preference-Applied": f"wait={seconds}"}


def _decided(replica: Replica, reservation: bytes) -> bool:
    view = replica.view(reservation)
    if view is None:
        return True
    asks = view.status == lifecycle.COMMIT_PENDING
    asks = asks or (view.status == lifecycle.INTENT and bool(view.pending))
    return not asks and view.pending_change is None
