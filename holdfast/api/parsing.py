"""From bytes and query strings to the request structs, with every fault named at once.

Owns the reading of bodies, queries, cursors and the few headers that carry values. msgspec stops
at the first fault; a person who fills in a form wants to see all of them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from holdfast.model import wall
from holdfast.model.errors import Invalid
from holdfast.model.limits import LIST_LIMIT, LIST_LIMIT_MAX, PREFER_WAIT_SECONDS_MAX
from holdfast.model.venue import Venue

Asked = TypeVar("Asked", bound=msgspec.Struct)

Item = TypeVar("Item")

INTEGER_MAX: Final = 2**53 - 1
"""Beyond it JSON readers disagree (RFC 8259, 6), and databases overflow a little later."""

_WAIT: Final = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|[,;])", re.IGNORECASE)


class PageQuery(msgspec.Struct, kw_only=True):
    """A page of a list."""

    limit: int | None = None
    cursor: str | None = None


class NoQuery(msgspec.Struct, kw_only=True):
    """The query of a route that takes none."""


def read_json(body: bytes) -> Any:
    """JSON values. Raises Invalid."""
    try:
        return msgspec.json.decode(body)
    except RecursionError as error:
        raise Invalid.field("body", "is nested too deeply") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid.field("body", f"is no JSON: {_reason(error)}") from error


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty body is an empty one. Raises Invalid."""
    value = read_json(body) if body.strip() else {}
    if not isinstance(value, dict):
        raise Invalid.field("body", "must be a JSON object")
    return value


def read_body(body: bytes, kind: type[Asked]) -> Asked:
    """A request struct from a JSON body. Raises Invalid that lists every fault."""
    return convert(read_object(body), kind)


def read_query(items: Iterable[tuple[str, str]], kind: type[Asked]) -> Asked:
    """A request struct from a query string. Raises Invalid that lists every fault."""
    values: dict[str, str] = {}
    twice: list[dict[str, str]] = []
    for name, value in items:
        if name in values:
            twice.append({"field": name, "message": "is given twice"})
        values[name] = value
    if twice:
        raise _invalid(twice)
    return convert(values, kind, strict=False)


def convert(values: Mapping[str, Any], kind: type[Asked], *, strict: bool = True) -> Asked:
    """JSON values as a struct. Raises Invalid that lists unknown, missing and ill-typed fields."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    faults = [
        {"field": name, "message": "is not a field of this request"}
        for name in values
        if name not in fields
    ]
    for name, field in fields.items():
        if name not in values:
            if field.required:
                faults.append({"field": name, "message": "is required"})
            continue
        fault = _fault(name, values[name], field.type, strict)
        if fault is not None:
            faults.append(fault)
    if faults:
        raise _invalid(faults)
    try:
        return msgspec.convert(values, kind, strict=strict)
    except RecursionError as error:
        raise Invalid.field("body", "is nested too deeply") from error
    except msgspec.ValidationError as error:
        raise Invalid.field("body", _reason(error)) from error


def _fault(name: str, value: Any, kind: Any, strict: bool) -> dict[str, str] | None:
    try:
        made = msgspec.convert(value, kind, strict=strict)
    except RecursionError:
        return {"field": name, "message": "is nested too deeply"}
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        inner = path.rstrip("`").replace("[...]", "")
        return {"field": name + inner, "message": _plain(message)}
    if _too_large(made):
        return {"field": name, "message": f"numbers beyond {INTEGER_MAX} are not taken"}
    return None


def _too_large(value: Any) -> bool:
    """Whether a number beyond INTEGER_MAX stands anywhere within; JSON may be nested deeply."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, int):
            if abs(inner) > INTEGER_MAX:
                return True
        elif isinstance(inner, dict):
            waiting.extend(inner.values())
        elif isinstance(inner, list | tuple):
            waiting.extend(inner)
    return False


_WORDS: Final = {"str": "text", "int": "a whole number", "bool": "true or false", "array": "a list"}


def _plain(message: str) -> str:
    """msgspec's sentence in the words of a form."""
    match = re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", message)
    if match is None:
        return message.replace("`", "")
    wanted = " or ".join(_WORDS.get(part, part) for part in match[1].split(" | ") if part != "null")
    found = "nothing (null)" if match[2] == "null" else _WORDS.get(match[2], match[2])
    return f"must be {wanted}, not {found}"


def _reason(error: Exception) -> str:
    return _plain(str(error))


def _invalid(faults: list[dict[str, str]]) -> Invalid:
    return Invalid("; ".join(f"{f['field']}: {f['message']}" for f in faults), faults)


# --- values in queries and headers ----------------------------------------------------------------


def read_limit(limit: int | None) -> int:
    """How many items a page of a list has. Raises Invalid outside 1 to LIST_LIMIT_MAX."""
    if limit is None:
        return LIST_LIMIT
    if not 1 <= limit <= LIST_LIMIT_MAX:
        raise Invalid.field("limit", f"must be from 1 to {LIST_LIMIT_MAX}")
    return limit


def page_of(
    keyed: Iterable[tuple[str, Item]], limit: int | None, cursor: str | None
) -> tuple[list[Item], str | None]:
    """A page of a short list, whose unique keys sort as it does, and the next page's cursor.

    Without a `limit` it is all that is left: such a list is as long as a venue's file or a fleet.
    Raises Invalid.
    """
    after = read_cursor(cursor)
    found = [(key, item) for key, item in keyed if after is None or key > after]
    size = len(found) if limit is None else read_limit(limit)
    place = found[size - 1][0] if size < len(found) else None
    return [item for _, item in found[:size]], write_cursor(place)


def write_cursor(place: str | None) -> str | None:
    """A place in a list as text that means nothing to anybody else."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> str | None:
    """The inverse of `write_cursor`. Raises Invalid."""
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise Invalid.field("cursor", "is not one that this list gave; start again") from error


def read_time(venue: Venue | None, text: str | None, field: str) -> int | None:
    """Epoch seconds of a time in a query; venue-local where it has no offset. Raises Invalid."""
    if text is None:
        return None
    # In a query an unescaped `+` of an offset arrives as a space.
    text = re.sub(r" (?=\d\d:\d\d$)", "+", text) if "T" in text else text
    if venue is None:
        known = wall.DATE_TIME_PATTERN.fullmatch(text)
        if known is not None and known[4] is None:
            raise Invalid.field(
                field, "needs an offset such as +01:00, or a venue whose clock it is read by"
            )
        venue = _UTC
    return wall.local_to_epoch(venue, text, field)


def read_moment(venue: Venue | None, text: str | None, field: str) -> int | None:
    """The same of a time or a date, which stands for the midnight that it begins with. `venue`
    None: no venue's clock is meant for sure. Raises Invalid."""
    if text is None or not wall.DATE_PATTERN.fullmatch(text):
        return read_time(venue, text, field)
    day = wall.parse_date(text, field)
    if venue is None:
        raise Invalid.field(
            field, "needs a time with an offset such as +01:00, or a venue whose day is meant"
        )
    return wall.wall_to_epoch(venue, day, 0)


_UTC: Final = Venue(id="utc", name="UTC", kind="spot", time_zone="UTC", resources=())


def read_wait(prefer: str | None) -> int | None:
    """Seconds of `Prefer: wait=N` (RFC 7240), at most PREFER_WAIT_SECONDS_MAX; None: not asked."""
    match = _WAIT.search(prefer or "")
    return min(int(match[1]), PREFER_WAIT_SECONDS_MAX) if match else None


def prefers_trace(prefer: str | None) -> bool:
    """Whether a `Prefer` header asks for the steps that a request goes through."""
    wanted = re.split("[,;]", prefer or "")
    return any(one.strip().lower() == "trace" for one in wanted)


def read_if_match(header: str | None) -> str | None:
    """The tag in an `If-Match` header; None where any version will do. Raises Invalid."""
    if header is None or header.strip() == "*":
        return None
    text = header.strip().removeprefix("W/")
    if "," in text:
        raise Invalid.field("If-Match", "give one entity tag")
    return text.strip('"')


def is_held(if_none_match: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` header names an entity tag (RFC 9110, 13.1.2): weakly compared."""
    named = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return tag in named or "*" in named


def prefers(accept: str | None, wanted: str, otherwise: str) -> bool:
    """Whether an `Accept` header names a media type by itself, and not another one before it (RFC
    9110, 12.5.1); what takes anything gets the other."""
    weights: dict[str, float] = {}
    for one in (accept or "").split(","):
        kind, *parameters = (part.strip().lower() for part in one.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        try:
            weights[kind] = float(weight)
        except ValueError:
            weights[kind] = 0.0
    return weights.get(wanted, 0.0) > weights.get(otherwise, 0.0)
