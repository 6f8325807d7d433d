"""Hundreds of changes arrive while a host drags a party: nothing moves under the finger."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, expect

from tests.pages.front_desk import Desk, at_the_desk, front_desk, venue_document

TABLES: Final = 12
CHANGES: Final = 300


def wide_venue() -> dict[str, Any]:
    tables = [{"id": f"T{n}", "kind": "table", "seats": [1, 8]} for n in range(1, TABLES + 1)]
    allotments = [{"holder": "desk", "resources": ["T*"]}]
    return venue_document(resources=tables, allotments=allotments)


def flood(desk: Desk, codes: list[str]) -> int:
    """Another party size for each in turn, one right after the other; how many were taken."""
    taken = 0
    for number in range(CHANGES):
        body = {"party_size": 1 + number % 8}
        taken += desk.api.patch(f"/reservations/{codes[number % len(codes)]}", json=body).is_success
    return taken


def test_hundreds_of_changes_leave_the_drag_and_every_card_alone(
    browser: Browser, tmp_path: Path
) -> None:
    with front_desk(tmp_path, wide_venue()) as desk:
        made = desk.book("Anna Ricci", "T1", minutes=60)
        desk.book("Bruno Neri", "T3", minutes=60)
        others = [desk.book("", f"T{n}", minutes=60)["code"] for n in range(4, TABLES + 1)]
        with at_the_desk(browser, desk, "grid") as page, ThreadPoolExecutor(1) as beside:
            card = page.locator(".ec-event", has_text="Anna Ricci")
            expect(page.locator(".ec-event")).to_have_count(TABLES - 1)
            card.scroll_into_view_if_needed()
            box = card.bounding_box()
            there = page.locator(".head", has_text="T2").first.bounding_box()
            assert box is not None
            assert there is not None
            x, y = box["x"] + box["width"] / 2, box["y"] + 10
            page.evaluate(
                """() => {
                    const cards = [...document.querySelectorAll('.ec-event')];
                    window.cards = cards;
                    window.shown = cards.map((one) => one.innerText);
                }"""
            )
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + 6, y)
            page.mouse.move(there["x"] + there["width"] / 2, y, steps=4)
            flooding = beside.submit(flood, desk, others)
            while not flooding.done():
                page.mouse.move(there["x"] + there["width"] / 2 + 1, y)
                page.mouse.move(there["x"] + there["width"] / 2, y)
            assert flooding.result() == CHANGES
            still = "() => window.cards.every((one, n) => one.innerText === window.shown[n])"
            assert page.evaluate(still), "nothing changes under the finger"
            page.mouse.up()
            expect(page.get_by_text("Anna Ricci moved to T2")).to_be_visible()
            last = [desk.get(f"/reservations/{code}")["party_size"] for code in others]
            for code, people in zip(others, last, strict=True):
                shown = page.locator(".ec-event", has_text=code[-6:]).locator(".number")
                expect(shown).to_have_text(re.compile(rf"^{people} "))
            fresh = "() => window.cards.find((one) => one.innerText.includes('Bruno')).isConnected"
            assert page.evaluate(fresh), "what nobody changed is the same card, never drawn anew"
        assert desk.get(f"/reservations/{made['id']}")["resources"] == ["T2"]
