"""What staff should know of whoever a reservation is for, beside it (H-20, H-27, H-48).

Owns that short answer: visits, flags, alerts. It is for the faces of the house alone: no device at
which anybody may stand gives it, and no guest is ever shown it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.model import lifecycle
from holdfast.model.figures import HOUSE
from holdfast.model.forms import made_as
from holdfast.model.guest_flags import FLAGS
from holdfast.model.reservation import BLOCK, View
from holdfast.node import guest_marks, guest_notes
from holdfast.node.guest_scope import receives
from holdfast.node.same_guests import agents_of

if TYPE_CHECKING:
    from holdfast.node.service import Service


def visitor(replica: Service, view: View) -> dict[str, Any] | None:
    """What the venue knows of a reservation's guest; None where nobody comes, or this device does
    not tell."""
    if not view.agent_id or view.kind == HOUSE or made_as(view) == BLOCK or not receives(replica):
        return None
    return known_of(replica, view.book, view.agent_id, now_over=view.status == lifecycle.COMPLETED)


def known_of(replica: Service, book: str, agent: str, *, now_over: bool = False) -> dict[str, Any]:
    """The same of a person, by their agent id; `now_over`: one of the visits is the one that is
    asked about."""
    with replica.lock:
        # Of most guests nobody ever said anything: one look, instead of one for each question.
        known = replica.store.guest_entries.knows(book, agent)
        agents = agents_of(replica, book, agent) if known else (agent,)
        counted = [replica.store.persons.visits(book, one) for one in agents]
        standing = guest_marks.standing_at(replica, book, agent) if known else {}
    visits, no_shows = (sum(numbers) for numbers in zip(*counted, strict=True))
    return {
        "visits": visits,
        "repeat": visits > now_over,
        "no_shows": no_shows,
        **{flag: flag in standing and standing[flag].up for flag in FLAGS},
        "alerts": guest_notes.alerts_at(replica, book, agent) if known else [],
    }
