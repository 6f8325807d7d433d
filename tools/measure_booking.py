"""Measures how long a guest waits after the last tap: from "Reserve" to "It is yours".

    python tools/measure_booking.py [--slower 4] [--runs 10]

Prints one JSON document: milliseconds by the browser's own clock, of places that the device sells
by itself and of places that it asks the hub for, each with the least, the median and the most. The
figures stand in docs/performance.md. It needs Chromium and the built pages, as the tests of the
pages do.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.cli.support import DAY
from tests.pages.browser import FINGER, PHONE, launch
from tests.pages.machines import Machine, Restaurant

WATCH = """
() => {
  window.waited = new Promise((done) => {
    let tapped = 0;
    document.querySelector('form').addEventListener('submit', () => (tapped = performance.now()));
    const look = () => {
      const told = document.querySelector('[data-assurance]');
      if (!told) return requestAnimationFrame(look);
      requestAnimationFrame(() => done([performance.now() - tapped, told.dataset.assurance]));
    };
    look();
  });
}
"""


def measure(browser: Browser, desk: Machine, party: int, slower: float) -> tuple[float, str]:
    """One reservation in a fresh browser: how long it took, and what was answered."""
    width, height = PHONE
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="en-GB", **FINGER
    )
    try:
        page: Page = context.new_page()
        page.goto(f"{desk.url}/book")
        page.get_by_label("Date").fill(DAY)
        page.get_by_label("Guests").select_option(str(party))
        page.locator(".time").first.click()
        page.get_by_label("Name").fill("Anna Ricci")
        page.get_by_label("Phone").fill("+39 06 5550199")
        page.get_by_label("may keep").check()
        slow = context.new_cdp_session(page)
        slow.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        page.evaluate(WATCH)
        page.get_by_role("button", name="Reserve", exact=True).click()
        took, told = page.evaluate("window.waited")
        return float(took), str(told)
    finally:
        context.close()


def main(arguments: list[str]) -> int:
    """Measure, and print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slower", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=10)
    asked = parser.parse_args(arguments)
    os.environ["HOLDFAST_GUEST_PAGE"] = "on"
    found: dict[str, Any] = {"slower": asked.slower, "each": asked.runs}
    with (
        tempfile.TemporaryDirectory() as place,
        # First: while a browser is open its event loop is this thread's.
        Restaurant(Path(place)) as restaurant,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        # Of two parties: some sit at the desk's own tables, some at one that the hub gives.
        sizes = [2, 4] * asked.runs
        runs = [measure(browser, restaurant.desk, party, asked.slower) for party in sizes]
        browser.close()
    for answer in sorted({told for _, told in runs}):
        times = [took for took, told in runs if told == answer]
        found[answer] = {
            "how_many": len(times),
            "least_ms": round(min(times)),
            "median_ms": round(statistics.median(times)),
            "most_ms": round(max(times)),
        }
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
