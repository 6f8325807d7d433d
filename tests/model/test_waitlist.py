"""Whose turn it is: what a device makes up of times and numbers puts nobody before the others."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.model import waitlist
from holdfast.model.events import Form
from holdfast.model.ids import reservation_id
from holdfast.model.limits import WAITING_PER_DEVICE_MAX, WAITLIST_DAYS
from holdfast.model.reservation import View

NOW_MS = 1_811_000_000_000
DAY_MS = 86_400_000


def party(n: int, by: str = "desk", id_ms: int = NOW_MS, **changes: Any) -> View:
    """Somebody whose making says that they came `n` milliseconds after NOW_MS."""
    made: dict[str, Any] = {"made_at_ms": NOW_MS + n, "form": Form("waitlist", NOW_MS + DAY_MS)}
    place = reservation_id(b"l" * 16, id_ms, n.to_bytes(3, "big", signed=True))
    return View(id=place, status="intent", made_by=by, **made | changes)


@pytest.mark.parametrize(
    "forged",
    [party(-DAY_MS // 1000, id_ms=NOW_MS + 2), party(2, id_ms=0)],
    ids=["a stamp before its id", "an id before its stamp"],
)
def test_of_two_times_the_later_says_when_somebody_came(forged: View) -> None:
    honest = party(1)
    assert [one.view for one in waitlist.line([forged, honest])] == [honest, forged]


def test_of_a_screen_so_many_places_count_and_no_more() -> None:
    crowd = [party(n, "kiosk") for n in range(WAITING_PER_DEVICE_MAX + 50)]
    honest = party(1_000)
    line = waitlist.line([*reversed(crowd), honest], frozenset({"kiosk"}))
    assert [one.view for one in line] == [*crowd[:WAITING_PER_DEVICE_MAX], honest]
    assert line[-1].position == WAITING_PER_DEVICE_MAX + 1


def test_of_the_house_all_count() -> None:
    crowd = [party(n, "desk") for n in range(WAITING_PER_DEVICE_MAX + 50)]
    assert len(waitlist.line(crowd, frozenset({"kiosk"}))) == len(crowd)


def test_nobody_waits_longer_than_there_are_days() -> None:
    assert waitlist.waits_until_ms(party(5)) == NOW_MS + DAY_MS
    forged = party(5, form=Form("waitlist", NOW_MS + 400 * DAY_MS))
    assert waitlist.waits_until_ms(forged) == NOW_MS + 5 + WAITLIST_DAYS * DAY_MS
