"""Whom a person means who types an agent id, the beginning of one, or a reservation's code.

Owns what is taken for an agent id on the command line, and how short one may be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from holdfast.model import pseudonyms
from holdfast.model.errors import Invalid, NotFound

if TYPE_CHECKING:
    from holdfast.commands.session import Session

AGENT_HELP: Final = (
    "A guest's agent id, its beginning (agent_ and six characters at least), or the code of one of"
    " their reservations."
)
SHOWN_CHARS: Final = len("agent_") + 8
"""So many characters of one agent id are shown where there is no room for it."""
_NAMED_MAX: Final = 5


def named_agent(session: Session, text: str) -> str:
    """The whole agent id of whoever is meant by the whole, by its beginning, or by the code or the
    id of a reservation. A whole id is taken as it is. Raises NotFound, Invalid."""
    if pseudonyms.is_agent_id(text):
        return text
    if not text.startswith("agent_"):
        return _agent_of_reservation(session, text)
    begins = pseudonyms.beginning_of(text)
    if begins is None:
        least = pseudonyms.BEGINNING_CHARS_MIN
        raise Invalid.field(
            "AGENT",
            f"{text} is no agent id: give agent_ and {least} to 32 of the characters after it,"
            " or the code of one of their reservations",
        )
    found = [str(one["agent_id"]) for one in _beginning(session, begins)]
    if not found:
        raise NotFound(
            f"no guest here has an agent id that begins with {begins}; `holdfast guests find` and"
            " `holdfast reservations show` tell agent ids"
        )
    if len(found) > 1:
        some = ", ".join(found[:_NAMED_MAX])
        raise Invalid(f"several guests are meant by {begins}; name one: {some}")
    return found[0]


def shown_chars(agents: Sequence[str]) -> int:
    """So many characters of these agent ids tell them apart, and enough of them to type."""
    different = set(agents)
    sizes = range(SHOWN_CHARS, pseudonyms.AGENT_ID_CHARS)
    telling = (size for size in sizes if len({one[:size] for one in different}) == len(different))
    return next(telling, pseudonyms.AGENT_ID_CHARS)


def said_of(session: Session, agent: str) -> str:
    """Whom an agent id means, such as `agent_… (2 reservations, the last RES-2026-ABC123)`."""
    from holdfast.commands.words import counted

    one = next(iter(_beginning(session, agent)), {})
    many = counted(int(one.get("reservations") or 0), "reservation")
    last = f", the last {one['last_code']}" if one.get("last_code") else ""
    return f"{agent} ({many}{last})"


def _beginning(session: Session, begins: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = session.get("/guests", begins=begins, limit=_NAMED_MAX)["items"]
    return items


def _agent_of_reservation(session: Session, reference: str) -> str:
    from holdfast.commands.failures import Refused
    from holdfast.commands.session import quoted

    try:
        return str(session.get(f"/reservations/{quoted(reference)}")["agent_id"])
    except Refused as error:
        if error.http_status != NotFound.status:
            raise
        raise NotFound(
            f"{reference} is no agent id and no reservation here; `holdfast guests find` and"
            " `holdfast reservations list` tell both"
        ) from error
