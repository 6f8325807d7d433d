"""A kiosk in bad hands at the waitlist: it makes up places, and nobody else loses theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.model.errors import Conflict
from holdfast.model.events import Form
from holdfast.model.limits import WAITING_PER_DEVICE_MAX, WAITLIST_DAYS
from holdfast.node import lapsing, waiting
from holdfast.node.requests import WaitRequest
from tests.hostile.builders import Town, created, entry
from tests.kit import DAY, START_MS

WISH = WaitRequest(venue="trattoria", date=DAY, party_size=2)


def flood(town: Town, count: int, first: int, last: int, until: int) -> None:
    """So many places of the kiosk's, said to be asked for long ago."""
    form = Form("waitlist", until, first, last)
    town.attacker.write(
        *(
            entry(
                created(code=f"RES-2026-{n:06}", service_date=DAY, starts_at=first, ends_at=last,
                        form=form),
                subject=town.attacker.new_id(), stamp=(START_MS - 10**8) << 16,
            )
            for n in range(count)
        )
    )  # fmt: skip


def test_a_flood_of_made_up_places_leaves_the_line_to_the_others(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.model.waitlist.WAITING_PER_DEVICE_MAX", 3)
    honest = waiting.join(town.desk, WISH)
    town.fleet.sync_all()
    assert honest.form is not None
    flood(town, 20, honest.form.earliest - 1, honest.form.latest, honest.form.expires_at_ms)
    for replica in (town.hub, town.desk):
        town.fleet.sync_all()
        line = waiting.line(replica, "trattoria", DAY)
        assert [one.view.made_by for one in line] == ["kiosk"] * 3 + ["desk"]
        assert waiting.place_of(replica, town.fleet.now(replica, honest)).position == 4
        assert line == waiting.lines(replica, "trattoria")
    town.assert_alive()


def test_a_made_up_place_waits_no_longer_than_any_other(town: Town) -> None:
    later = START_MS // 1000 + 300 * 86_400
    flood(town, 1, later, later + 60, later * 1000)
    assert lapsing.lapse(town.hub, town.book) == 0
    town.fleet.clocks.advance(hours=24 * WAITLIST_DAYS + 1)
    assert lapsing.lapse(town.hub, town.book) == 1


def test_an_honest_kiosk_is_told_that_more_would_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where in ("holdfast.model.waitlist", "holdfast.node.waiting"):
        monkeypatch.setattr(f"{where}.WAITING_PER_DEVICE_MAX", 2)
    with Town(tmp_path) as town:
        for _ in range(2):
            waiting.join(town.kiosk, WISH)
        with pytest.raises(Conflict, match="a front desk puts further ones there"):
            waiting.join(town.kiosk, WISH)
        for _ in range(3):
            waiting.join(town.desk, WISH)
        town.fleet.sync_all()
        assert len(waiting.line(town.hub, "trattoria", DAY)) == 5
    assert WAITING_PER_DEVICE_MAX > 100
