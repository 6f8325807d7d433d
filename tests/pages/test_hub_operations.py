"""What runs a tenant day by day from the hub's console: found, changed, cancelled, overridden,
counted; and that the board shows what is so now."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from holdfast.node.hub import Hub
from tests.pages.browser import WIDE, serious, watched_page
from tests.pages.front_desk import ADMIN, Desk, at_the_desk, front_desk, served, venue_document


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    """One at whose first table a supervisor may seat one party too many, today and tomorrow."""
    days = {"from": "2020-01-01", "until": "2099-12-31"}
    with front_desk(
        tmp_path, venue_document(overbooking=[{"resources": ["T1"], "limit": 1, **days}])
    ) as made:
        yield made


@contextmanager
def at_the_hub(
    browser: Browser, desk: Desk, view: str, size: tuple[int, int] = WIDE, **options: Any
) -> Generator[Page]:
    """The console, as its admin has it before them."""
    with watched_page(browser, size, **options) as page:
        page.context.request.post(f"{desk.hub_url}/api/v1/session", data={"token": ADMIN})
        page.goto(f"{desk.hub_url}/hub#{view}")
        yield page


@contextmanager
def calling_the_hub(desk: Desk) -> Generator[httpx.Client]:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    with httpx.Client(base_url=f"{desk.hub_url}/api/v1", headers=headers, timeout=30) as client:
        yield client


def book_at_the_hub(desk: Desk, *resources: str, minutes: int = 60) -> dict[str, Any]:
    body = {
        "venue": "trattoria", "starts_at": desk.now(minutes).isoformat(), "party_size": 2,
        "resources": list(resources),
    }  # fmt: skip
    with calling_the_hub(desk) as client:
        answer = client.post("/reservations", json=body, headers={"Prefer": "wait=10"})
    assert answer.is_success, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_one_is_found_by_date_and_state_and_none_of_another_tenant(
    browser: Browser, desk: Desk, tmp_path: Path
) -> None:
    made = book_at_the_hub(desk, "G1")
    with closing(Hub.init(tmp_path / "other", "rival")) as other, served(other) as url:
        other.import_venue(venue_document(allotments=[]))
        headers = {"Authorization": f"Bearer {ADMIN}"}
        body = {"venue": "trattoria", "starts_at": desk.now(60).isoformat(), "party_size": 2}
        foreign = httpx.post(f"{url}/api/v1/reservations", json=body, headers=headers).json()
    with at_the_hub(browser, desk, "search") as page:
        page.get_by_label("Date").fill(made["service_date"])
        page.get_by_label("State").select_option("confirmed")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("row", name=re.compile(made["code"]))).to_be_visible()
        page.get_by_label("State").select_option("cancelled")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_text("Nothing found.")).to_be_visible()
        for reference in (foreign["code"], foreign["id"]):
            page.get_by_label("Code or id").fill(reference)
            page.get_by_role("button", name="Search").click()
            expect(page.get_by_text("Nothing found.")).to_be_visible()


def test_a_change_shows_what_was_before_and_what_is_after(browser: Browser, desk: Desk) -> None:
    made = book_at_the_hub(desk, "G1")
    with at_the_hub(browser, desk, "search") as page:
        page.get_by_label("Code or id").fill(made["code"])
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name=made["code"]).click()
        panel = page.get_by_role("dialog")
        panel.get_by_label("Guests").fill("5")
        panel.get_by_role("button", name="Save").click()
        expect(page.get_by_text(f"{made['code'][-6:]} moved to G1")).to_be_visible()
        panel.get_by_text("History").click()
        expect(panel.locator("li").last).to_contain_text("2 guests → 5 guests")
        assert serious(page) == []
    with calling_the_hub(desk) as client:
        changes = client.get("/audit", params={"reservation": made["id"]}).json()["items"]
    assert (changes[-1]["before"]["party_size"], changes[-1]["after"]["party_size"]) == (2, 5)


def test_one_that_is_cancelled_from_the_console_gives_its_place_back(
    browser: Browser, desk: Desk
) -> None:
    made = book_at_the_hub(desk, "G1")
    path = f"/desk?venue=trattoria#list/{made['service_date']}/{made['id']}"
    with at_the_hub(browser, desk, "watch") as page:
        page.goto(f"{desk.hub_url}{path}")
        page.get_by_role("dialog").get_by_role("button", name="Cancel the reservation").click()
        page.get_by_role("button", name="Cancel: the guest wishes it").click()
        expect(page.get_by_text(f"{made['code'][-6:]} cancelled")).to_be_visible()
    with calling_the_hub(desk) as client:
        assert client.get(f"/reservations/{made['id']}").json()["status"] == "cancelled"
    assert book_at_the_hub(desk, "G1")["assurance"] == "guaranteed"


def test_a_supervisor_gives_a_taken_table_all_the_same_and_says_why_and_staff_cannot(
    browser: Browser, desk: Desk
) -> None:
    desk.book("Anna Ricci", "T1", minutes=60)
    other = desk.book("Bruno Neri", "T2", minutes=60)
    for name, role in (("Mia", "staff"), ("Sara", "supervisor")):
        desk.post("/staff", name=name, role=role, pin="73914")
    for name in ("Mia", "Sara"):
        with watched_page(browser) as page:
            login = {"staff": name, "pin": "73914"}
            page.context.request.post(f"{desk.url}/api/v1/session", data=login)
            page.goto(f"{desk.url}/desk#list/{other['service_date']}/{other['id']}")
            panel = page.get_by_role("dialog", name="Bruno Neri")
            panel.get_by_label("Where").select_option("T1")
            panel.get_by_role("button", name="Save").click()
            expect(page.locator(".notice.bad")).to_be_visible()
            given = panel.get_by_role("button", name="Give it all the same")
            if name == "Mia":
                expect(given).to_have_count(0)
                override = {"resources": ["T1"], "override": {"reason": "vip_guest"}}
                token = page.context.request.get(f"{desk.url}/api/v1/session").json()["csrf"]
                refused = page.context.request.patch(
                    f"{desk.url}/api/v1/reservations/{other['id']}",
                    data=override, headers={"X-CSRF-Token": token},
                )  # fmt: skip
                assert (refused.status, refused.json()["type"]) == (
                    403, "urn:holdfast:error:forbidden",
                )  # fmt: skip
                continue
            panel.get_by_label("Why").select_option("vip_guest")
            given.click()
            shown = panel.get_by_text("Given beyond the capacity: An important guest")
            expect(shown).to_be_visible()
            assert serious(page) == []
    now = desk.get(f"/reservations/{other['id']}")
    assert (now["resources"], now["override"]) == (["T1"], {"reason": "vip_guest"})
    [item] = desk.get("/exceptions")["items"]
    assert (item["kind"], item["code"]) == ("overbooked", now["code"])


def test_the_board_changes_its_sign_with_the_tables_that_are_taken(
    browser: Browser, desk: Desk
) -> None:
    with calling_the_hub(desk) as hub, at_the_hub(browser, desk, "watch") as page:
        tile = page.locator("[data-venue=trattoria]")
        expect(tile).to_contain_text("0/3")
        expect(tile).to_contain_text("room")
        holders = (("T1", desk.api), ("T2", desk.api), ("G1", hub))
        words = ("room", "busy", "full")
        for taken, ((place, holder), word) in enumerate(zip(holders, words, strict=True), 1):
            body = {
                "venue": "trattoria", "party_size": 2, "resources": [place], "kind": "walk_in",
                "starts_at": desk.now(-15).isoformat(),
            }  # fmt: skip
            made = holder.post("/reservations", json=body)
            assert made.json()["status"] == "confirmed", made.text
            here = holder.post(f"/reservations/{made.json()['id']}/check-in", json={})
            assert here.is_success, here.text
            desk.post("/sync/now")
            expect(tile).to_contain_text(f"{taken}/3")
            expect(tile).to_contain_text(word)
        totals = hub.get("/venues/trattoria/floor").json()["totals"]
        assert (totals["states"]["occupied"], totals["tables"]) == (3, 3)
        expect(page.get_by_text("full from 90%")).to_be_visible()


def test_the_volume_of_all_venues_is_that_of_the_data(browser: Browser, desk: Desk) -> None:
    with calling_the_hub(desk) as client, at_the_hub(browser, desk, "watch") as page:
        for minutes in (60, 180):
            book_at_the_hub(desk, "G1", minutes=minutes)
        expect(page.locator("[data-volume=month]")).to_be_visible()
        found = client.get("/analytics/volume").json()["items"]
        listed = client.get("/reservations", params={"venue": "trattoria"}).json()["items"]
        for period in ("today", "week", "month"):
            [one] = [line[period] for line in found]
            there = [it for it in listed if one["from"] <= it["service_date"] <= one["to"]]
            assert one["parties"] == len(there)
            tile = page.locator(f"[data-volume={period}]")
            expect(tile.locator(".big")).to_have_text(str(len(there)))
            expect(tile).to_contain_text(f"{sum(it['party_size'] for it in there)} guests")


def test_more_than_ten_open_exceptions_or_an_old_one_raise_the_alarm(
    browser: Browser, desk: Desk
) -> None:
    told: list[dict[str, Any]] = []

    def tell(route: Route) -> None:
        route.fulfill(json={"items": told, "next": None})

    def open_since(number: int, minutes: float) -> dict[str, Any]:
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60 * minutes))
        return {
            "id": f"{number:032}.fork", "kind": "fork", "venue": "trattoria", "since": since,
            "subject": "desk", "detail": "Two histories.", "actions": [], "choices": [],
        }  # fmt: skip

    with at_the_hub(browser, desk, "watch") as page:
        page.route("**/api/v1/exceptions?*", tell)
        backlog = page.locator("[data-backlog]")
        expect(backlog).to_contain_text("Alarm above 10, or when one is older than an hour.")
        for count, minutes, alarm in ((10, 59, ""), (11, 1, "more than 10"), (1, 61, "an hour")):
            told[:] = [open_since(number, minutes) for number in range(count)]
            page.reload()
            expect(backlog).to_have_attribute("data-backlog", str(count))
            expect(backlog).to_contain_text("oldest:")
            expect(backlog).to_have_attribute("data-alarm", "true" if alarm else "false")
            if alarm:
                expect(backlog.get_by_role("alert")).to_contain_text(alarm)
        assert serious(page) == []


def test_many_changes_of_what_needs_a_person_are_read_seldom_and_none_is_missed(
    browser: Browser, desk: Desk
) -> None:
    desk.book("Anna Ricci", "T1", minutes=60)
    over = {"override": {"reason": "vip_guest"}}
    one = desk.book("Bruno Neri", "T1", minutes=60, **over)
    asked: list[float] = []
    with at_the_desk(browser, desk, "exceptions") as page:
        card = page.locator("details[data-exception]", has_text="Bruno Neri")
        expect(card).to_contain_text("2 guests")
        page.on(
            "request",
            lambda request: (
                asked.append(time.monotonic()) if "/exceptions?" in request.url else None
            ),
        )
        begun = time.monotonic()
        for party in (3, 4, 1) * 10:
            answer = desk.api.patch(f"/reservations/{one['id']}", json={"party_size": party})
            assert answer.is_success, answer.text
        desk.api.patch(f"/reservations/{one['id']}", json={"party_size": 4})
        expect(card).to_contain_text("4 guests")
        lasted = time.monotonic() - begun
    assert len(asked) <= 3 + lasted / 2, f"read {len(asked)} times in {lasted:.1f} s"
