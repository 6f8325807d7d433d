"""What people do on a simulated day: the plan of it, and the doing of one piece of it.

Owns the arrival curve, party sizes and lead times, and the translation of a step into a call of the
product's own commands. A call that is refused for a good reason is part of the day.
"""

from __future__ import annotations

import datetime
import random
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET

from holdfast.model import lifecycle
from holdfast.model.contradictions import OVERBOOK, PLACING, answers_to
from holdfast.model.ids import uuid_text
from holdfast.model.mapping import ImportRecord
from holdfast.model.reservation import View
from holdfast.node.requests import CreateRequest, Override, PatchRequest
from holdfast.simulation.schedule import Step

if TYPE_CHECKING:
    from holdfast.node.service import Service

FIRST_DAY: Final = datetime.date(2027, 6, 2)
_HOUR_MS: Final = 3_600_000
_ARRIVALS: Final = {
    8: 1, 9: 2, 10: 3, 11: 5, 12: 6, 13: 4, 14: 2, 15: 2, 16: 3, 17: 5, 18: 7, 19: 8, 20: 6, 21: 4,
    22: 2, 23: 1,
}  # fmt: skip
"""How many calls come in an hour, relatively: two meals, and the hours before them."""
_PARTIES: Final = (1, 2, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6)
_LEAD_DAYS: Final = (0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 7)
_MEALS: Final = ("12:30", "13:00", "19:00", "19:30", "19:30", "20:00", "20:30", "21:30")
_UNITS: Final = ("T1", "T2", "T3", "T4")
_SEATS: Final = {"T1": (1, 2), "T2": (1, 2), "T3": (2, 4), "T4": (2, 4)}
_MIX: Final = {
    "reserve": 42, "walk_in": 6, "cancel": 9, "check_in": 7, "complete": 5, "no_show": 3,
    "undo_no_show": 2, "confirm": 3, "move": 10, "move_day": 3, "enlarge": 5, "amend": 5,
    "import": 2, "resolve": 2,
}  # fmt: skip
IMPORTED_RECORDS: Final = 6
"""Few, so that one record is brought in on several machines."""
PERSON: Final = "Zyxwanda Qfamily"
PHONE: Final = "+3906555"
MAIL: Final = "zyxw.q"
DIETARY: Final = "wolfberries"
USER: Final = "qfamily-user"
SECRETS: Final = (PERSON, PHONE, MAIL, DIETARY, USER)
"""What no entry and no database may show: parts of every simulated guest's card, and the callers'
own names for people, of which a pseudonym is made and nothing kept."""

_WANTED: Final[dict[str, frozenset[str]]] = {
    "cancel": lifecycle.STEP_BY_NAME["cancelled"].sources,
    "check_in": lifecycle.STEP_BY_NAME["checked_in"].sources,
    "complete": lifecycle.STEP_BY_NAME["completed"].sources,
    "no_show": lifecycle.STEP_BY_NAME["no_show"].sources,
    "undo_no_show": lifecycle.STEP_BY_NAME["no_show_undone"].sources,
    "confirm": lifecycle.STEP_BY_NAME["attendance_confirmed"].sources,
}
KINDS: Final = frozenset(_MIX)
_OVERRIDES: Final = {"reserve": 0.2, "move": 0.2, "resolve": 0.3}
"""How often a supervisor stands behind a call: nothing is taken that way unless all else is."""


def plan_day(
    draw: random.Random, day: int, machines: list[str], calls: int
) -> list[tuple[int, str, str, dict[str, Any]]]:
    """(at, what, where, detail) of one day's calls."""
    hours, weights = list(_ARRIVALS), list(_ARRIVALS.values())
    planned = []
    for _ in range(calls):
        hour = draw.choices(hours, weights)[0]
        at = (day * 24 + hour) * _HOUR_MS + draw.randrange(_HOUR_MS)
        what = draw.choices(list(_MIX), list(_MIX.values()))[0]
        planned.append((at, what, draw.choice(machines), _detail(draw, what, day, hour)))
    return planned


def with_overrides(seed: int, what: str, detail: dict[str, Any], number: int) -> dict[str, Any]:
    """The detail of a call, which somebody may insist on. Drawn apart from all else, so that the
    rest of a seed stays what it is."""
    draw = random.Random(f"override {seed} {number}")  # noqa: S311
    return {**detail, "override": True} if draw.random() < _OVERRIDES.get(what, 0.0) else detail


def _detail(draw: random.Random, what: str, day: int, hour: int) -> dict[str, Any]:
    if what == "reserve":
        wanted = place_detail(draw, day, hour)
        return wanted | {"guest": draw.randrange(10_000) if draw.random() < 0.3 else -1}
    if what == "walk_in":
        return {"party": draw.choice(_PARTIES)}
    detail: dict[str, Any] = {"pick": round(draw.random(), 6)}
    if what == "move":
        detail |= {"time": draw.choice(_MEALS), "resource": draw.choice((*_UNITS, "", ""))}
    elif what == "move_day":
        detail |= {"day": day + draw.choice((1, 2, 3)), "time": draw.choice(_MEALS)}
    elif what == "enlarge":
        detail |= {"party": draw.choice((1, 2, 3, 4, 6)), "minutes": draw.choice((0, 0, 120, 150))}
    elif what == "amend":
        detail |= {"occasion": draw.choice(("birthday", "business")), "guest": draw.randrange(9999)}
    elif what == "import":
        detail = {
            "record": draw.randrange(IMPORTED_RECORDS),
            "day": day + 1,
            "party": draw.choice((2, 2, 4)),
        }
    return detail


def place_detail(draw: random.Random, day: int, hour: int) -> dict[str, Any]:
    """Where, when and for how many somebody who calls at an hour wants a place."""
    lead = draw.choice(_LEAD_DAYS)
    wanted = _UNITS if draw.random() < 0.75 else ("HALL",)
    time, party = draw.choice(_MEALS), draw.choice(_PARTIES)
    resource = draw.choice(wanted) if draw.random() < 0.6 else ""
    return {
        "day": day + lead,
        # Who calls for today means a meal that is still to come, if there is one.
        "time": time if lead or time > f"{hour:02}:59" or hour > 20 else _MEALS[-1],
        "party": _fitting(party, resource),
        "resource": resource,
        "nights": draw.choice((1, 1, 2, 3)),
        "may_move": draw.random() < 0.4,
    }


def _fitting(party: int, resource: str) -> int:
    """A party that its table seats. Now and then a person asks for what cannot be, and is told."""
    least, most = _SEATS.get(resource, (1, 12))
    return party if party > 5 else min(max(party, least), most)


def guest_card(number: int) -> dict[str, str]:
    return {
        "name": f"{PERSON} {number}",
        "phone": f"{PHONE}{number:05}",
        "email": f"{MAIL}{number}@example.org",
        "dietary": f"{DIETARY} {number % 7}",
    }


def arrivals() -> list[tuple[int, int]]:
    """(hour, weight) of the arrival curve."""
    return list(_ARRIVALS.items())


def service_date(day: int) -> str:
    """The date of a simulated day, the first one 0."""
    return str(FIRST_DAY + datetime.timedelta(days=day))


def time_of(day: int, text: str) -> str:
    return f"{service_date(day)}T{text}"


def perform(replica: Service, venue: str, step: Step) -> View | None:
    """Do what the step says at a replica. None where there is nothing to do it to. Raises what the
    product answers."""
    detail = step.detail
    commands = replica.reservations
    if step.what in ("reserve", "walk_in"):
        return commands.create(_creation(replica, venue, step))
    if step.what == "import":
        commands.import_records(venue, [_record(venue, detail)])
        return None
    view = _picked(replica, venue, step)
    if view is None:
        return None
    if step.what in ("move", "move_day", "enlarge", "amend"):
        return commands.amend(_called(view, step), _patch(venue, view, step))
    if step.what == "resolve":
        number = int(detail["pick"] * 1_000_000)
        return _resolved(replica, view, number, insists="override" in detail)
    done: View = getattr(commands, step.what)(_called(view, step))
    return done


def _called(view: View, step: Step) -> str:
    """How the caller names a reservation: by the code that a guest reads out, or by what stands on
    the screen, where there is also what hostile devices made up under codes that lead nowhere."""
    by_code = int(step.detail["pick"] * 1_000_000) % 2
    return view.code if by_code else uuid_text(view.id)


def _resolved(replica: Service, view: View, number: int, *, insists: bool) -> View:
    """One of the answers to the reservation's first exception, and a table where it needs one.
    Overbooking is that of who insists alone."""
    kind = view.exceptions[0][0]
    possible = answers_to(kind, view.status)
    answers = [answer for answer in possible if answer.does != OVERBOOK]
    chosen = answers[number % len(answers)]
    if insists and len(answers) < len(possible):
        return replica.resolve_exception(view.id, kind, OVERBOOK, "goodwill", book=view.book)
    table = [_UNITS[number % len(_UNITS)]] if chosen.does in PLACING else []
    return replica.resolve_exception(
        view.id, kind, chosen.action, "called_guest", table, book=view.book
    )


def _creation(replica: Service, venue: str, step: Step) -> CreateRequest:
    detail = step.detail
    if step.what == "walk_in":
        now = datetime.datetime.fromtimestamp(replica.clock.now_ms() / 1000, datetime.UTC)
        local = now + datetime.timedelta(hours=2)
        half = local.replace(minute=30 * (local.minute // 30), second=0)
        more: dict[str, Any] = {}
        if venue == "hotel":
            more = {"nights": 1, "resources": room(detail["party"])}
        starts = f"{local:%Y-%m-%d}" if venue == "hotel" else f"{half:%Y-%m-%dT%H:%M}"
        return CreateRequest(
            venue=venue,
            starts_at=starts,
            party_size=min(detail["party"], 4) if venue == "hotel" else detail["party"],
            kind="walk_in",
            **more,
        )
    more = {"user_id": user(step), "may_move": detail["may_move"]}
    if detail["guest"] >= 0:
        more["guest"] = guest_card(detail["guest"])
    if "override" in detail:
        more["override"] = Override(reason="vip_guest")
    if venue == "hotel":
        starts = time_of(detail["day"], "")[:10]
        return CreateRequest(
            venue=venue, starts_at=starts, party_size=min(detail["party"], 4),
            nights=detail["nights"], resources=room(detail["party"]), **more,
        )  # fmt: skip
    more["resources"] = [detail["resource"]] if detail["resource"] else []
    return CreateRequest(
        venue=venue, starts_at=time_of(detail["day"], detail["time"]), party_size=detail["party"],
        **more,
    )  # fmt: skip


def user(step: Step) -> str:
    """The caller's own name for whoever calls."""
    return f"{USER}-{step.number}"


def room(party: int) -> list[str]:
    """Rooms are offered without a name; the suite is asked for by its own."""
    return ["R101"] if party > 2 else []


def _patch(venue: str, view: View, step: Step) -> PatchRequest:
    detail = step.detail
    if step.what == "amend":
        return PatchRequest(occasion=detail["occasion"], guest=guest_card(detail["guest"]))
    if step.what == "enlarge":
        if venue == "hotel":
            return PatchRequest(nights=max(1, view.nights) + 1)
        minutes = detail["minutes"] or UNSET
        return PatchRequest(party_size=detail["party"], duration_minutes=minutes)
    if step.what == "move_day":
        text = detail["time"] if venue != "hotel" else ""
        starts = time_of(detail["day"], text)
        return PatchRequest(starts_at=starts if venue != "hotel" else starts[:10])
    override = Override(reason="vip_guest") if "override" in detail else UNSET
    if venue == "hotel":
        room = "R101" if view.party_size % 2 else "DOUBLE"
        return PatchRequest(resources=[room], override=override)
    if detail["resource"]:
        return PatchRequest(resources=[detail["resource"]], override=override)
    starts = f"{view.service_date}T{detail['time']}"
    return PatchRequest(starts_at=starts, override=override)


def import_key(number: int) -> str:
    """The key of a record that may be brought in."""
    return f"{number:064x}"


def _record(venue: str, detail: dict[str, Any]) -> ImportRecord:
    number = detail["record"]
    more: dict[str, Any] = {"nights": 1} if venue == "hotel" else {}
    starts = time_of(detail["day"], "20:00" if venue != "hotel" else "")
    return ImportRecord(
        line=number,
        key=import_key(number),
        starts_at=starts if venue != "hotel" else starts[:10],
        party_size=detail["party"],
        resource="" if venue == "hotel" else _UNITS[number % 4],
        user_id=f"{USER}-imported-{number}",
        **more,
    )


def _picked(replica: Service, venue: str, step: Step) -> View | None:
    """One of the reservations here that the step could be about, chosen by its `pick`."""
    found = replica.store.projections.select(book=replica.book_of(venue), limit=10_000)
    if step.what == "resolve":
        fitting = [view for view in found if view.exceptions]
    else:
        statuses = _WANTED.get(step.what, lifecycle.STEP_BY_NAME["moved"].sources)
        fitting = [view for view in found if view.status in statuses and view.code]
    now_s = replica.clock.now_ms() // 1000
    if step.what in ("check_in", "no_show", "complete"):
        near = [view for view in fitting if view.starts_at < now_s + 3600]
        fitting = near or fitting
    return fitting[int(step.detail["pick"] * len(fitting))] if fitting else None
