"""docs/calendar.md says of feeds what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from holdfast.api.permissions import PERMISSIONS
from holdfast.model import limits

PAGE = (Path(__file__).parent.parent / "docs" / "calendar.md").read_text("utf-8")
FLOWING = " ".join(PAGE.split())


def test_the_numbers_are_those_of_the_limits():
    for said in (
        f"{limits.CALENDAR_DAYS_MAX} days at most",
        f"{limits.CALENDAR_DAYS_BACK} days back, {limits.CALENDAR_DAYS_AHEAD} ahead",
        f"as `CANCELLED` for {limits.CALENDAR_CANCELLED_DAYS} days after its last change",
        f"every {limits.CALENDAR_REFRESH_MINUTES} minutes",
        f"{limits.CALENDARS_AT_ONCE} feeds at once and one a second after that",
    ):
        assert said in FLOWING, said
    assert limits.CALENDARS_PER_SECOND == 1


def test_it_names_the_roles_that_have_a_feed():
    found = re.search(r"Who has `calendar.read`: ([^(]*)\(", FLOWING)
    assert found is not None
    told = set(re.findall(r"`([a-z-]+)`", found[1]))
    assert told == {role for role, may in PERMISSIONS.items() if "calendar.read" in may}
