"""Plain words for what the HTTP interface answers in codes: for a tired host at the desk.

Owns the wording of statuses, of the fate of an operation and of times. Pure.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

from holdfast.commands.naming import SHOWN_CHARS
from holdfast.node import words as node_words

counted = node_words.counted

_STATUS: Final = {
    "intent": "held for the moment",
    "expired": "lapsed",
    "payment_pending": "waiting for payment",
    "payment_confirmed": "paid, not confirmed yet",
    "commit_failed": "could not be had",
    "checked_in": "here (checked in)",
    "cancel_pending": "being cancelled",
    "refund_pending": "cancelled, refund to come",
    "no_show": "did not come",
}
_SYNC: Final = {
    "queued": "not sent yet",
    "sent": "on its way",
    "merged": "known to the hub",
    "deferred": "the hub needs a newer version",
    "quarantined": "refused by the hub, look at it",
    "withdrawn": "withdrawn",
}
_CONNECTION: Final = {
    "connected": "connected",
    "offline": "offline",
    "paused": "paused (`holdfast sync resume` ends it)",
    "backing_off": "cannot reach the hub, trying again by itself",
}
_CLOCK: Final = {
    "disciplined": "set",
    "holdover": "was set, and runs on alone",
    "undisciplined": "not checked against true time yet",
}
_OPERATION: Final = {
    "reservation.created": "made",
    "reservation.amended": "changed",
    "reservation.moved": "moved",
    "reservation.reserved": "reserved",
    "reservation.expired": "lapsed",
    "reservation.cancelled": "cancelled",
    "reservation.confirmed": "confirmed",
    "reservation.checked_in": "checked in",
    "reservation.completed": "completed",
    "reservation.no_show": "no-show",
    "reservation.approved": "approved",
    "guest.noted": "note of a guest",
    "guest.note_withdrawn": "note taken back",
    "guest.flagged": "guest marked",
    "guest.described": "guest described",
    "guest.profiled": "guest's standing",
    "guest.restricted": "guest restricted",
    "guest.restriction_lifted": "restriction lifted",
    "guest.merged": "guests are one",
    "guest.unmerged": "guests are two",
    "resource.cleaned": "table cleaned",
    "service.notes_edited": "service notes",
}
PROMISES: Final = {
    "guaranteed": "It is booked. It is yours.",
    "admitted": "It is booked. It is yours.",
    "provisional": "We have noted your wish and will confirm it."
    " If the place is gone, we call you.",
}
"""What a guest may be told, by the assurance of a reservation."""
ASKED: Final = {
    "guaranteed": "We keep it for you. The house has yet to agree, and tells you when it has.",
    "admitted": "We keep it for you. The house has yet to agree, and tells you when it has.",
    "provisional": "We have noted your wish. Both the place and the house's word are still to come."
    " If either cannot be had, we call you.",
}
"""The same while the house has yet to agree to what they reserved by themselves."""
ALONE: Final = "We cannot take this booking here. Please ask at another desk, or call us."
"""The same where nobody hears of what this device writes."""
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CODE: Final = re.compile(r"[a-z]+(?:_[a-z]+)+")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)")


def status_words(reservation: dict[str, Any], *, brief: bool = False) -> str:
    """Such as `confirmed (guaranteed)` or `waiting for desk (provisional)`; `brief`, for lists,
    without the words in brackets, which only say the same in the house's terms."""
    status = str(reservation.get("status", ""))
    asked = _asked_words(reservation.get("waits_for"))
    assurance = reservation.get("assurance")
    if status == "commit_pending":
        words = f"waiting for {asked or 'an answer'}"
        if reservation.get("lost_promise"):
            words = f"PROMISED, {words}"
    elif status == "commit_failed" and reservation.get("lost_promise"):
        words = "PROMISED, and lost"
    elif status == "intent" and assurance == "none":
        words = "without a place so far"
    else:
        words = _STATUS.get(status, status.replace("_", " "))
    promised = status in ("confirmed", "commit_pending", "intent")
    if promised and not brief and assurance not in (None, "none"):
        words = f"{words} ({assurance})"
    if reservation.get("pending_change"):
        words = f"{words}, change asked for"
        if asked and status != "commit_pending":
            words = f"{words}, waiting for {asked}"
    return f"{words}, to be approved" if to_be_approved(reservation) else words


def hold_words(hold: dict[str, Any]) -> str:
    """How it stands with a hold: such as `held`, or `asked for, waiting for the hub`."""
    status, assurance = hold.get("status"), hold.get("assurance")
    if status == "cancelled":
        return "given back"
    if status != "intent":
        return status_words(hold, brief=True)
    if assurance == "none":
        return "could not be had"
    if assurance == "provisional":
        return f"asked for, waiting for {_asked_words(hold.get('waits_for')) or 'an answer'}"
    return "held, change asked for" if hold.get("pending_change") else "held"


def block_words(block: dict[str, Any]) -> str:
    """How it stands with a block: such as `out of use`."""
    status = block.get("status")
    if status == "cancelled":
        return "in use again"
    return "out of use" if status == "confirmed" else status_words(block, brief=True)


_WAITING: Final = {
    "removed": "left",
    "expired": "waited in vain",
    "accepted": "has a place",
    "displaced": "lost its place",
}


def waiting_words(party: dict[str, Any]) -> str:
    """How it stands with a party on the waitlist: such as `offered T1 at 19:30, until 10:28`."""
    offer = party.get("offer")
    if isinstance(offer, dict):
        where = " + ".join(map(str, offer.get("resources") or []))
        words = f"offered {where} at {time_text(offer.get('starts_at'))}"
        return f"{words}, until {time_text(offer.get('expires_at'))}"
    state = str(party.get("state", ""))
    return _WAITING.get(state, state)


def between_text(first: Any, last: Any) -> str:
    """The times of a day from which to which something may start: `19:00–21:00`, or one time."""
    one, other = time_text(first), time_text(last)
    return one if one == other else f"{one}–{other}"


def _asked_words(holder: Any) -> str:
    """Who is asked for a place: `the hub`, or a device by its name; empty where nobody is."""
    return "the hub" if holder == "hub" else str(holder or "")


def guest_words(reservation: dict[str, Any]) -> str:
    """What the guest of a reservation may be told now, in one or two plain sentences."""
    if reservation.get("status") == "commit_failed":
        if reservation.get("lost_promise"):
            return "We promised it and cannot keep it. Offer another time or place."
        return "It could not be had. Offer another time or place."
    if reservation.get("pending_change"):
        return "The change is asked for; until it is answered, what they had stays theirs."
    said = ASKED if to_be_approved(reservation) else PROMISES
    return said.get(str(reservation.get("assurance")), "")


def to_be_approved(reservation: dict[str, Any]) -> bool:
    """Whether the house has yet to agree."""
    return reservation.get("approval") == "pending"


def visitor_fields(visitor: dict[str, Any]) -> list[tuple[str, str]]:
    """What staff should know of whoever comes, as fields of a screen: such as `VIP, 3 visits`."""
    if not visitor:
        return []
    known = ["VIP"] * bool(visitor["vip"]) + ["issue"] * bool(visitor["issue"])
    visits = counted(visitor["visits"], "visit")
    known.append(visits if visitor["visits"] else "first visit")
    if visitor["no_shows"]:
        known.append(counted(visitor["no_shows"], "no-show"))
    alerts = [("tell staff", words) for words in alert_words(visitor)]
    return [("comes", ", ".join(known)), *alerts]


def alert_words(visitor: dict[str, Any]) -> list[str]:
    """What each note with an alert says to staff; where it is not read here, where to look."""
    return [
        f"{one['kind']}: {one['text']}" if one["text"] else "see the guest's notes"
        for one in visitor.get("alerts") or []
    ]


def sync_words(state: Any) -> str:
    """The fate of an operation."""
    return _SYNC.get(str(state), str(state or ""))


def connection_words(state: Any) -> str:
    """How it stands with the hub."""
    return _CONNECTION.get(str(state), str(state or ""))


def clock_words(state: Any) -> str:
    """How far the clock can be trusted."""
    return _CLOCK.get(str(state), str(state or ""))


def operation_words(kind: Any) -> str:
    """What an operation did, such as `made`; the rest of its line says to what."""
    return _OPERATION.get(str(kind), str(kind or "").rpartition(".")[2].replace("_", " "))


def restriction_words(restriction: dict[str, Any]) -> str:
    """What a restricted guest may still have, such as `no reservation` or `2 at a time`."""
    value = restriction.get("value")
    if restriction.get("restriction") == "booking-ban":
        return "no reservation"
    if restriction.get("restriction") == "max-concurrent":
        return f"{value} at a time"
    return "today only" if value == 0 else f"{counted(int(value or 0), 'day')} ahead"


def span_text(ms: Any) -> str:
    """Milliseconds as a person says them: `12 ms`, `3.5 s`, `24 h`."""
    if not isinstance(ms, int | float):
        return ""
    for limit, size, unit in _SPANS:
        if abs(ms) < limit:
            return f"{round(ms / size, 1):g} {unit}"
    return f"{round(ms / 3_600_000, 1):g} h"


_SPANS: Final = ((1_000, 1, "ms"), (120_000, 1_000, "s"), (7_200_000, 60_000, "min"))


def due_text(time: Any, now: datetime.datetime) -> str:
    """How soon an RFC 3339 time is, such as `in 12 s`; `now` for what is due."""
    try:
        seconds = (datetime.datetime.fromisoformat(str(time)) - now).total_seconds()
    except (TypeError, ValueError):
        return ""
    return "now" if seconds < 1 else f"in {span_text(round(seconds) * 1000)}"


def ago_text(time: Any, now: datetime.datetime) -> str:
    """How long ago an RFC 3339 time was, such as `3 min ago`."""
    try:
        seconds = (now - datetime.datetime.fromisoformat(str(time))).total_seconds()
    except (TypeError, ValueError):
        return ""
    for limit, size, unit in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{max(0, seconds) // size:.0f} {unit} ago"
    return f"{seconds // 86_400:.0f} days ago"


def code_words(value: Any) -> str:
    """A code of a closed list with blanks; an agent id, and any other text, as it is."""
    text = str(value or "")
    if _CODE.fullmatch(text) and not text.startswith("agent_"):
        return text.replace("_", " ")
    return text


_LISTED_MAX: Final = 6


def resources_words(item: Mapping[str, Any]) -> str:
    """Which resources, and how much of each: `T1, T2`, or `40 of HALL`; a long list is cut."""
    ids = [str(one) for one in item.get("resources") or []]
    more = len(ids) - _LISTED_MAX
    text = ", ".join(ids if more <= 1 else [*ids[:_LISTED_MAX], f"{more} more"])
    quantity = item.get("quantity")
    return f"{quantity} of {text}" if quantity is not None and quantity > 1 else text


def size_text(count: Any) -> str:
    """Bytes in KiB or MiB."""
    if not isinstance(count, int):
        return ""
    return f"{count / 1024:.0f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MiB"


def clock_text(time: Any) -> str:
    """An RFC 3339 time for a person; any other text as it is.

    A time of reservations carries its venue's offset, and is shown as the venue's clocks show it:
    `Thu 2026-07-02 19:30`. What happened at a machine is in UTC (`Z`), and is shown on the reader's
    own clock, with the zone's name: `2026-07-02 19:30:05 CEST`.
    """
    match = _TIME.fullmatch(str(time or ""))
    if match is None:
        return str(time or "")
    if match[3] == "Z":
        return moment_text(time)
    return f"{day_text(time)} {time_text(time)}"


def day_text(time: Any) -> str:
    """The day of an RFC 3339 time, at its own offset: `Thu 2026-07-02`."""
    day = str(time)[:10]
    return f"{_WEEKDAYS[datetime.date.fromisoformat(day).weekday()]} {day}"


def time_text(time: Any) -> str:
    """The time of day of an RFC 3339 time, at its own offset: `19:30`."""
    return str(time)[11:16]


def until_text(start: Any, end: Any) -> str:
    """When something ends, with the day only where that is another one."""
    same = str(start)[:10] == str(end)[:10]
    return time_text(end) if same else clock_text(end)


def moment_text(time: Any) -> str:
    """When something happened, on the reader's clock, whatever offset the text has."""
    try:
        at = datetime.datetime.fromisoformat(str(time)).astimezone()
    except (ValueError, OverflowError, OSError):
        return str(time or "")
    return f"{at:%Y-%m-%d %H:%M:%S} {at.tzname()}"


def venue_hint(times: Iterable[Any]) -> str:
    """` (venue time)` where one of these times at a venue reads otherwise on the reader's clock."""
    for time in times:
        try:
            at = datetime.datetime.fromisoformat(str(time))
            if at.utcoffset() != at.astimezone().utcoffset():
                return " (venue time)"
        except (ValueError, OverflowError, OSError):
            continue
    return ""


def who_words(who: Any) -> str:
    """Who of the house did something: the name, or the beginning of the agent id where this device
    has none for it; empty: nobody is named."""
    if not isinstance(who, dict):
        return ""
    return str(who.get("name") or shortened(str(who.get("agent_id")), SHOWN_CHARS))


def shortened(text: str, size: int) -> str:
    """The first characters of an id, and a mark where there are more."""
    return text if len(text) <= size + 1 else f"{text[:size]}…"


def plain(value: Any) -> str:
    """A value in a table's cell. Control characters of other people's texts steer no terminal."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    text = str(value)
    if text.isprintable():
        return text
    return "".join("�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)
