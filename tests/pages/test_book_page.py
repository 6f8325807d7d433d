"""The guests' own page in a real browser: a reservation from the first look to the last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import icalendar
import pytest
from playwright.sync_api import Browser, Page, expect

from holdfast.node.settings import Settings
from tests.pages.browser import FINGER, PHONE, WIDE, serious, watched_page
from tests.pages.front_desk import ADMIN, Desk
from tests.pages.guest_page import a_guest, fill_in, open_restaurant

NAME = "Ofelia Zardi"
CODE = re.compile(r"RES-\d{4}-[0-9A-Z]{6}")


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    with open_restaurant(tmp_path) as made:
        yield made


def tap(page: Page, name: str, *, exact: bool = True) -> None:
    page.get_by_role("button", name=name, exact=exact).click()


def pick(page: Page, at: int = 8) -> None:
    page.locator(".time").nth(at).click()


def to_mine(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="My reservations").click()


def looks_right(page: Page) -> None:
    """Nothing that keeps somebody from using it, and nothing beside the screen, in either
    direction of writing."""
    assert serious(page) == []
    for direction in ("rtl", "ltr"):
        page.evaluate("(to) => (document.documentElement.dir = to)", direction)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{wide} px too wide, {direction}"


def of_guests(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.get("/reservations", venue="trattoria")["items"]
    return [one for one in found if one["source"] == "website"]


# --- one reservation ------------------------------------------------------------------------------


def test_a_guest_reserves_puts_it_into_a_calendar_and_calls_it_off(browser: Browser, desk: Desk):
    with a_guest(browser, desk) as page:
        expect(page.locator(".time").first).to_be_visible()
        expect(page.get_by_text("Via Roma 1, 00184 Roma")).to_be_visible()
        looks_right(page)
        pick(page)
        fill_in(page, NAME)
        page.get_by_label("must not eat").fill("peanuts")
        page.get_by_label("Occasion").select_option(label="Birthday")
        looks_right(page)
        tap(page, "Reserve")
        expect(page.get_by_role("heading", name="It is yours")).to_be_visible()
        expect(page.get_by_text("It is booked. It is yours.")).to_be_visible()
        code = page.locator(".code").inner_text()
        expect(page.get_by_role("img", name=code)).to_be_visible()
        looks_right(page)
        (made,) = of_guests(desk)
        assert (made["code"], made["assurance"], made["occasion"]) == (
            code, "guaranteed", "birthday",
        )  # fmt: skip
        assert (made["guest"]["name"], made["guest"]["dietary"]) == (NAME, "peanuts")
        assert made["metadata"] == {"consent.kept": True}
        with page.expect_download() as downloading:
            page.get_by_role("link", name="Put into my calendar").click()
        assert downloading.value.suggested_filename == f"{code}.ics"
        content = Path(downloading.value.path()).read_bytes()
        event: Any = icalendar.Calendar.from_ical(content).walk("VEVENT")[0]
        assert event["DTSTART"].dt.isoformat() == made["starts_at"]
        assert "Via Roma 1" in event["LOCATION"]
        to_mine(page)
        looks_right(page)
        kept = page.evaluate("JSON.stringify(localStorage)")
        assert code in kept and "Zardi" not in kept and "5550199" not in kept
        assert page.url == f"{desk.url}/book#mine"
        tap(page, "Cancel it")
        tap(page, "Yes, cancel it")
        expect(page.get_by_text("You have no reservations here.")).to_be_visible()
        assert of_guests(desk)[0]["status"] == "cancelled"


def test_what_the_hub_has_to_give_is_noted_and_becomes_theirs_before_their_eyes(
    browser: Browser, desk: Desk
):
    with a_guest(browser, desk) as page:
        page.get_by_label("Where").select_option("Garden")
        expect(page.locator(".time").first).to_contain_text("to be confirmed")
        pick(page)
        fill_in(page)
        tap(page, "Reserve")
        expect(page.get_by_text("We have noted your wish and will confirm it.")).to_be_visible()
        expect(page.get_by_role("main")).not_to_contain_text("G1")
        desk.post("/sync/now")
        expect(page.get_by_text("It is booked. It is yours.")).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("G1, Garden")


def test_a_guest_says_once_that_they_are_coming(browser: Browser, desk: Desk):
    coming, said = "We are coming", "You told the house that you are coming."
    with a_guest(browser, desk) as page:
        pick(page)
        fill_in(page)
        tap(page, "Reserve")
        to_mine(page)
        looks_right(page)
        tap(page, coming)
        expect(page.get_by_text(said)).to_be_visible()
        expect(page.get_by_role("button", name=coming)).to_have_count(0)
        looks_right(page)
        (one,) = of_guests(desk)
        whole = desk.get(f"/reservations/{one['id']}")
        assert whole["attendance_confirmed"] and whole["attendance_confirmed_at"]
        page.reload()
        expect(page.get_by_text(said)).to_be_visible()
        expect(page.get_by_role("button", name=coming)).to_have_count(0)


def test_who_has_no_sure_place_yet_is_not_asked_whether_they_come(browser: Browser, desk: Desk):
    with a_guest(browser, desk) as page:
        page.get_by_label("Where").select_option("Garden")
        expect(page.locator(".time").first).to_contain_text("to be confirmed")
        pick(page)
        fill_in(page)
        tap(page, "Reserve")
        expect(page.get_by_text("We have noted your wish and will confirm it.")).to_be_visible()
        to_mine(page)
        expect(page.get_by_role("button", name="Cancel it")).to_be_visible()
        expect(page.get_by_role("button", name="We are coming")).to_have_count(0)
        desk.post("/sync/now")
        expect(page.get_by_role("button", name="We are coming")).to_be_visible()


def test_a_guest_changes_the_time_and_how_many_come(browser: Browser, desk: Desk):
    with a_guest(browser, desk) as page:
        pick(page)
        fill_in(page)
        tap(page, "Reserve")
        expect(page.get_by_role("heading", name="It is yours")).to_be_visible()
        before = of_guests(desk)[0]
        to_mine(page)
        tap(page, "Change")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Guests").fill("3")
        later = dialog.get_by_role("group").get_by_role("button").nth(15)
        at = later.inner_text()
        later.click()
        looks_right(page)
        tap(page, "Save")
        expect(dialog).to_be_hidden()
        expect(page.get_by_role("article").first).to_contain_text(at)
        (after,) = of_guests(desk)
        assert after["id"] == before["id"] and after["starts_at"] != before["starts_at"]
        assert (after["party_size"], after["starts_at"][11:16]) == (3, at)


def test_where_nothing_is_free_other_days_and_the_waitlist_are_offered(
    browser: Browser, tmp_path: Path
):
    table = {"id": "T1", "kind": "table", "seats": [1, 4]}
    with open_restaurant(tmp_path, resources=[table]) as desk:
        today = desk.today()
        block = desk.post(
            "/blocks", venue="trattoria", kind="private_event", resources=["T1"],
            starts_at=f"{today}T00:00", ends_at=f"{today}T23:59",
        )  # fmt: skip
        with a_guest(browser, desk) as page:
            expect(page.get_by_text("Nothing is free on")).to_be_visible()
            expect(page.get_by_role("heading", name="Free instead")).to_be_visible()
            expect(page.locator(".time").first).to_be_visible()
            looks_right(page)
            tap(page, "Tell me when something is free")
            fill_in(page)
            tap(page, "Put me on the waitlist")
            expect(page.get_by_text("You are on the waitlist.")).to_be_visible()
            to_mine(page)
            expect(page.get_by_text("waitlist, number 1")).to_be_visible()
            looks_right(page)
            assert desk.api.delete(f"/blocks/{block['id']}").is_success
            (waits,) = desk.get("/waitlist", venue="trattoria")["items"]
            desk.post(f"/waitlist/{waits['id']}/offer")
            expect(page.get_by_text("A place is free for you")).to_be_visible()
            looks_right(page)
            tap(page, "Yes, I take it")
            expect(page.get_by_text("It is booked. It is yours.")).to_be_visible()
            assert of_guests(desk)[0]["status"] == "confirmed"


def test_what_is_gone_meanwhile_is_offered_on_other_days_with_their_dates(
    browser: Browser, tmp_path: Path
):
    table = {"id": "T1", "kind": "table", "seats": [1, 4]}
    with open_restaurant(tmp_path, resources=[table]) as desk, a_guest(browser, desk) as page:
        pick(page)
        fill_in(page)
        today = desk.today()
        desk.post(
            "/blocks", venue="trattoria", kind="maintenance", reason="repair", resources=["T1"],
            starts_at=f"{today}T00:00", ends_at=f"{today}T23:59",
        )  # fmt: skip
        tap(page, "Reserve")
        expect(page.get_by_role("alert")).to_have_text(
            "That is out of use then. Please choose another time."
        )
        expect(page.get_by_role("main")).not_to_contain_text("repair")
        other = page.locator("form .times button").first
        # Such as "Mon, Nov 23, 14:00": another day is never shown as a time alone.
        expect(other).to_have_text(re.compile(r"^\w{3}, \w{3} \d+, \d\d:\d\d$"))
        at = other.inner_text()
        looks_right(page)
        other.click()
        tap(page, "Reserve")
        expect(page.get_by_role("heading", name="It is yours")).to_be_visible()
        (made,) = of_guests(desk)
        assert made["starts_at"][:10] != today
        assert made["starts_at"][11:16] == at[-5:]


def test_what_was_reserved_by_telephone_is_found_by_code_and_number(browser: Browser, desk: Desk):
    made = desk.book(NAME, "T1", guest={"phone": "+39 06 5550199"}, source="phone")
    with a_guest(browser, desk) as page:
        to_mine(page)
        page.get_by_text("Find a reservation by its code").click()
        page.get_by_label("Your code").fill(made["code"].lower())
        for number in ("06 5550198", "06 5550199"):
            page.get_by_label("Phone or e-mail").fill(number)
            tap(page, "Find it")
            if number.endswith("8"):
                expect(page.get_by_role("alert")).to_contain_text("Nothing is found")
        expect(page.get_by_role("article", name=made["code"])).to_contain_text("2 people")
        looks_right(page)


# --- who may open it ------------------------------------------------------------------------------


def test_a_device_that_is_not_open_to_guests_says_so_plainly(browser: Browser, desk: Desk):
    desk.node.settings = Settings()
    with watched_page(browser, WIDE) as page:
        page.goto(f"{desk.url}/book")
        expect(page.get_by_text("No reservations are taken here online at present")).to_be_visible()
        looks_right(page)


def test_a_device_that_is_shut_while_somebody_looks_says_so_and_opens_again(
    browser: Browser, desk: Desk
):
    with a_guest(browser, desk) as page:
        pick(page)
        fill_in(page)
        tap(page, "Reserve")
        expect(page.get_by_role("heading", name="It is yours")).to_be_visible()
        tap(page, "Reserve another")
        desk.node.settings = Settings()
        page.get_by_label("Guests").select_option("3")
        expect(page.get_by_text("No reservations are taken here online at present")).to_be_visible()
        desk.node.settings = Settings(guest_page="on")
        page.reload()
        to_mine(page)
        expect(page.get_by_text("It is booked. It is yours.")).to_be_visible()


def test_staff_who_are_logged_in_do_not_reserve_as_guests_unawares(browser: Browser, desk: Desk):
    with watched_page(browser, WIDE) as page:
        page.context.request.post(f"{desk.url}/api/v1/session", data={"token": ADMIN})
        page.goto(f"{desk.url}/book")
        expect(page.get_by_text("is logged in here, for the house")).to_be_visible()
        looks_right(page)
        tap(page, "Log out, and go on as a guest")
        expect(page.locator(".time").first).to_be_visible()


def test_whoever_asks_to_be_forgotten_leaves_nothing_in_the_browser(browser: Browser, desk: Desk):
    with a_guest(browser, desk) as page:
        pick(page)
        fill_in(page)
        tap(page, "Reserve")
        expect(page.get_by_role("heading", name="It is yours")).to_be_visible()
        to_mine(page)
        page.get_by_text("On this device", exact=True).click()
        tap(page, "Forget me on this device")
        tap(page, "Forget me on this device")
        expect(page.get_by_role("heading", name="You are forgotten on this device")).to_be_visible()
        looks_right(page)
        # Nobody new either, before they say so.
        assert page.evaluate("localStorage.length") == 0
        assert page.context.request.get(f"{desk.url}/api/v1/session").status == 401
        tap(page, "Go on as a new guest")
        expect(page.locator(".time").first).to_be_visible()
        to_mine(page)
        expect(page.get_by_text("You have no reservations here.")).to_be_visible()
        assert of_guests(desk)[0]["status"] == "confirmed"


def test_all_that_somebody_has_is_read_however_many_pages_it_takes(browser: Browser, desk: Desk):
    with a_guest(browser, desk) as page:
        codes = []
        for _ in range(2):
            pick(page)
            fill_in(page)
            tap(page, "Reserve")
            expect(page.get_by_role("heading", name="It is yours")).to_be_visible()
            codes.append(page.locator(".code").inner_text())
            tap(page, "Reserve another")
        page.route(
            re.compile(r"/api/v1/reservations\?.*limit=200"),
            lambda route: route.continue_(url=route.request.url.replace("limit=200", "limit=1")),
        )
        page.reload()
        to_mine(page)
        for code in codes:
            expect(page.get_by_role("article", name=code)).to_be_visible()


# --- on a telephone, without a network ------------------------------------------------------------


def test_without_a_network_ones_own_reservations_are_read_with_the_time_they_are_from(
    browser: Browser, tmp_path: Path
):
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, locale="en-GB", **FINGER
    )
    page = context.new_page()
    try:
        with open_restaurant(tmp_path) as desk:
            page.goto(f"{desk.url}/book")
            pick(page)
            fill_in(page, NAME)
            tap(page, "Reserve")
            expect(page.get_by_role("heading", name="It is yours")).to_be_visible()
            code = page.locator(".code").inner_text()
            page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        # Whatever it came from has stopped: only the telephone is left.
        page.goto(f"{desk.url}/book")
        expect(page.get_by_role("status")).to_contain_text("As of")
        expect(page.get_by_role("article", name=code)).to_contain_text("It is booked.")
        expect(page.get_by_role("button", name="Cancel it")).to_be_hidden()
        looks_right(page)
        kept = page.evaluate(
            "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name)"
            ".then((one) => one.keys())))).then((all) => all.flat().map((one) => one.url))"
        )
        paths = {url.removeprefix(desk.url) for url in kept}
        assert "/book" in paths
        assert all(one.startswith(("/assets/", "/book")) for one in paths), paths
        # Nor is another house's address answered with what this one said.
        page.goto(f"{desk.url}/book?venue=other")
        expect(page.get_by_text("There is no connection.")).to_be_visible()
        expect(page.get_by_role("article")).to_have_count(0)
        page.goto(f"{desk.url}/book?venue=trattoria")
        expect(page.get_by_role("article", name=code)).to_be_visible()
    finally:
        context.close()


def test_the_page_can_be_installed_and_only_it_has_a_worker(browser: Browser, desk: Desk):
    with a_guest(browser, desk) as page:
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        asking = page.context.new_cdp_session(page)
        told = asking.send("Page.getInstallabilityErrors")
        # A profile that leaves no trace, as every test has, installs nothing.
        errors = {one["errorId"] for one in told["installabilityErrors"]} - {"in-incognito"}
        assert errors == set()
    with httpx.Client(base_url=desk.url) as client:
        policies = {
            path: client.get(path).headers["content-security-policy"]
            for path in ("/book", "/desk", "/book-worker.js")
        }
        assert "worker-src 'self'" in policies["/book"]
        assert "manifest-src 'self'" in policies["/book"]
        assert "worker-src" not in policies["/desk"]
        assert policies["/book-worker.js"] == "default-src 'none'; connect-src 'self'"
        manifest = client.get("/book.webmanifest")
        assert manifest.headers["content-type"].startswith("application/manifest+json")
        assert (manifest.json()["start_url"], manifest.json()["scope"]) == ("/book", "/book")
        assert client.get(manifest.json()["icons"][0]["src"]).status_code == 200
