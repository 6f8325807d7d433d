"""Measures the front desk's page on a slow processor: 60 places, 300 reservations of one day.

    python tools/measure_pages.py [--slower 4]

Prints one JSON document: milliseconds from the address to a grid that can be used, pictures a
second while it is scrolled, and the bytes of all that was loaded. The figures stand in
docs/performance.md. It needs Chromium and the built pages, as the tests of the pages do.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
import yaml
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.cli.support import DAY, Running, join_desk, program
from tests.pages.browser import launch

PLACES = 60
RESERVATIONS = 300
RUNS = 5
SCROLLED_MS = 2_000

READY = """
() => new Promise((done) => {
  const look = () => {
    const cards = document.querySelectorAll('.ec-event').length;
    if (cards >= %d) requestAnimationFrame(() => done(performance.now()));
    else setTimeout(look, 4);
  };
  look();
})
"""
SCROLL = """
(ms) => new Promise((done) => {
  const main = document.querySelector('.ec-main') ?? document.querySelector('.ec-body');
  let frames = 0, began = 0, longest = 0, before = 0;
  const step = (now) => {
    if (!began) began = before = now;
    longest = Math.max(longest, now - before);
    before = now;
    frames += 1;
    main.scrollTop = 600 + 500 * Math.sin((now - began) / 160);
    main.scrollLeft = 900 + 800 * Math.sin((now - began) / 310);
    if (now - began < ms) requestAnimationFrame(step);
    else done({ frames: (frames - 1) * 1000 / (now - began), longest_ms: longest });
  };
  requestAnimationFrame(step);
})
"""


def venue_file(place: Path) -> Path:
    resources = [{"id": f"T{n}", "kind": "table", "seats": [1, 4]} for n in range(1, PLACES + 1)]
    document = {
        "venue": "trattoria", "name": "Sixty tables", "kind": "restaurant",
        "time_zone": "Europe/Rome", "slot_minutes": 15, "seating_minutes": 90,
        "resources": resources, "allotments": [{"holder": "desk", "resources": ["T*"]}],
    }  # fmt: skip
    path = place / "sixty.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    return path


def fill(url: str, directory: Path) -> None:
    """Five sittings at every table."""
    token = (directory / "admin-token").read_text("utf-8").strip()
    with httpx.Client(
        base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as client:
        for number in range(RESERVATIONS):
            hour, table = 10 + 2 * (number // PLACES), number % PLACES + 1
            body = {
                "venue": "trattoria", "starts_at": f"{DAY}T{hour}:00", "party_size": 2,
                "resources": [f"T{table}"], "guest": {"name": f"Guest {number}"},
            }  # fmt: skip
            client.post("/reservations", json=body).raise_for_status()


def measure(page: Page, url: str, slower: float) -> dict[str, Any]:
    """One load, and one scroll."""
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    client.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    client.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(f"{url}/desk#grid/{DAY}", wait_until="commit")
    page.reload(wait_until="commit")
    sizes.clear()
    ready_ms = page.evaluate(READY % RESERVATIONS)
    loaded = sum(sizes)
    return {"ready_ms": ready_ms, "loaded_bytes": loaded, **page.evaluate(SCROLL, SCROLLED_MS)}


def main() -> int:
    """Run, print, stop what was started."""
    parser = argparse.ArgumentParser(description="Measure the front desk's page.")
    parser.add_argument("--slower", type=float, default=4, help="how many times slower")
    slower = parser.parse_args().slower
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        hub_directory, desk_directory = place / "hub", place / "desk"
        program("hub", "init", "--data", hub_directory, "--tenant", "rome")
        program("venue", "import", venue_file(place), "--data", hub_directory)
        hub = Running("hub", hub_directory)
        join_desk(hub_directory, hub.url, desk_directory)
        desk = Running("node", desk_directory)
        try:
            fill(desk.url, desk_directory)
            told = program("open", "--json", "--data", desk_directory)
            with sync_playwright() as playwright:
                browser = launch(playwright)
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.goto(json.loads(told.stdout)["url"])
                page.wait_for_selector("header.bar")
                runs = [measure(page, desk.url, slower) for _ in range(RUNS)]
                browser.close()
        finally:
            desk.stop()
            hub.stop()
    middle = sorted(runs, key=lambda run: float(run["ready_ms"]))[len(runs) // 2]
    print(json.dumps({"slower": slower, "median": middle, "runs": runs}, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
