"""docs/access.md says who may do what, and what the limits are, as the program has it."""

from __future__ import annotations

import re
from pathlib import Path

from holdfast.api.permissions import ALL, PERMISSIONS, ROLES
from holdfast.api.sessions import ROLE_BY_PAGE
from holdfast.api.staff import STAFF_ROLES
from holdfast.model import limits
from holdfast.node import pins

PAGE = (Path(__file__).parent.parent / "docs" / "access.md").read_text("utf-8")
FLOWING = " ".join(PAGE.split())


def rows(head: str) -> list[list[str]]:
    """The cells of the table whose first line begins so."""
    lines = PAGE[PAGE.index(head) :].split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_is_the_one_that_the_program_goes_by():
    head = f"| permission | {' | '.join(ROLES)} |"
    told = {cells[0].strip("`"): cells[1:] for cells in rows(head)}
    assert list(told) == sorted(told)
    assert told == {
        permission: ["yes" if permission in PERMISSIONS[role] else "" for role in ROLES]
        for permission in ALL
    }


def test_every_role_is_explained():
    assert [cells[0].strip("`") for cells in rows("| role | who")] == list(ROLES)


def test_the_numbers_are_those_of_the_limits():
    minutes = [seconds // 60 for seconds in limits.PIN_LOCKED_SECONDS]
    assert minutes[0] == 1
    for said in (
        f"A PIN has {limits.PIN_DIGITS_MIN} to {limits.PIN_DIGITS_MAX} digits",
        f"After {limits.PIN_TRIES} wrong PINs a name is locked for a minute",
        f"for {minutes[1]}, {minutes[2]} and then {minutes[3]} minutes",
        f"all names together after {limits.PIN_TRIES_PER_DEVICE}",
        f"in the end {24 * 60 // minutes[-1]} of 10,000 PINs",
        f"N = 2^{pins._LOG_N}, r = {pins._R}, p = {pins._P}",
        f"A device has {limits.SESSIONS_MAX} sessions",
        f"`requests_per_second` ({limits.REQUESTS_PER_SECOND:g},",
        f"`bookings_per_minute` ({limits.BOOKINGS_PER_MINUTE:g})",
        f"({limits.WRONG_TOKENS_PER_SECOND:g} a second, {limits.WRONG_TOKENS_AT_ONCE} at once;",
        f"({limits.SYNC_REQUESTS_PER_SECOND:g} a second)",
        f"{limits.CALENDARS_AT_ONCE} at once and {limits.CALENDARS_PER_SECOND:g} a second after",
        f"New guests: {limits.GUESTS_AT_ONCE} at once and {limits.GUESTS_PER_SECOND:g} a second",
        f"Guests' sessions are counted apart: {limits.GUEST_SESSIONS_MAX:,} of a device",
        "Roles are `supervisor`, `staff` and `read-only`",
    ):
        assert said in FLOWING, said
    spans = {cells[0]: re.findall(r"\d+", " ".join(cells[1:])) for cells in rows("| | ends unused")}
    hour_ms = 3_600_000
    assert spans == {
        "by token or ticket": [
            str(limits.SESSION_IDLE_MS // hour_ms),
            str(limits.SESSION_MS_MAX // hour_ms // 24),
        ],
        "by PIN": [str(limits.STAFF_IDLE_MS // 60_000), str(limits.STAFF_MS_MAX // hour_ms)],
        "as a guest": [
            str(limits.GUEST_IDLE_MS // hour_ms // 24),
            str(limits.GUEST_MS_MAX // hour_ms // 24),
        ],
    }
    assert STAFF_ROLES == ("supervisor", "staff", "read-only")
    assert ROLE_BY_PAGE == {"desk": "supervisor", "kiosk": "kiosk", "hub": "admin"}


def test_what_is_asked_about_most_takes_the_role_that_the_program_asks_for():
    # A guest may change what is the guest's own, which is another question.
    order = ("read-only", "kiosk", "staff", "supervisor", "admin")
    for cells in rows("| to … | takes"):
        permission, least = cells[1].strip("`"), cells[2].strip("`")
        assert next(role for role in order if permission in PERMISSIONS[role]) == least, permission


def test_settings_are_named_as_they_are_set():
    folder = Path(__file__).parent.parent
    for page in (folder / "CHANGELOG.md", *(folder / "docs").rglob("*.md")):
        assert "config set" not in page.read_text("utf-8"), page
    assert '`guest_page = "on"` in its `config.toml`' in FLOWING
    assert 'to switch it off, too, takes `guest_page = "off"` and a restart' in FLOWING
