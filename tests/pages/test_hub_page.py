"""The hub's console: fleet, venues, a search, what needs a person, merging, and the books."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.pages.world import World, browsing, can_be_seen, enter, running, watched


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World, None, None]:
    can_be_seen()
    with running(tmp_path_factory.mktemp("world")) as made:
        made.lose_a_table("19:30", "Anna Ricci")
        yield made


@pytest.fixture(scope="module")
def browser(world: World) -> Generator[Browser, None, None]:
    with browsing() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Generator[Page, None, None]:
    with watched(browser, viewport={"width": 1280, "height": 800}) as opened:
        yield opened


def show(page: Page, view: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=view).click()


def test_an_admin_is_led_from_the_entrance_of_the_hub_to_the_console(world: World, page: Page):
    token = (world.hub.directory / "admin-token").read_text().strip()
    page.goto(world.hub.url)
    page.get_by_text("Or a token").click()
    page.get_by_role("textbox", name="Or a token").fill(token)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile("/hub$"))
    expect(page.get_by_text("This is the hub")).to_be_visible()


def test_the_fleet_tells_who_is_connected_what_waits_and_what_each_may_sell(world, page):
    enter(page, world.hub, "hub")
    show(page, "Devices")
    desk = page.locator("[data-node=desk]")
    expect(desk).to_have_attribute("data-connected", "true")
    expect(page.get_by_text("1 of 1 devices connected")).to_be_visible()
    expect(desk).to_contain_text("nothing waits")
    expect(desk).to_contain_text("T1, T2")
    world.desk.post("/sync/pause")
    expect(desk).to_have_attribute("data-connected", "false", timeout=20_000)
    world.desk.post("/sync/resume")
    expect(desk).to_have_attribute("data-connected", "true", timeout=40_000)


def test_a_device_that_was_shut_out_stands_apart_with_what_is_held_against_it(world, page):
    def tell(route: Route) -> None:
        told = route.fetch().json()
        lost = told["items"][0] | {"name": "stolen", "revoked": True, "connected": False}
        lost["concerns"] = lost["concerns"] | {"quarantined": 2}
        told["items"] += [lost, lost | {"name": "old", "revoked": False, "number": 1}]
        told["items"] += [lost | {"name": "old", "revoked": False, "number": 2}]
        route.fulfill(json=told)

    page.route("**/api/v1/nodes?*", tell)
    enter(page, world.hub, "hub")
    show(page, "Devices")
    expect(page.get_by_role("heading", name="Shut out")).to_be_visible()
    stolen = page.locator("[data-node=stolen]")
    expect(stolen).to_contain_text("shut out")
    expect(stolen).to_contain_text("2 entries were set aside")
    expect(page.get_by_text("1 earlier life, followed by another")).to_be_visible()
    expect(page.get_by_text("1 of 2 devices connected")).to_be_visible()


def test_a_venues_tile_counts_and_leads_to_its_desk(world, page):
    enter(page, world.hub, "hub")
    tile = page.locator("[data-venue=trattoria]")
    expect(tile).to_contain_text("Trattoria da Mario")
    expect(tile).to_contain_text("0/8")
    expect(tile).to_contain_text("1 thing needs a person")
    tile.click()
    expect(page).to_have_url(re.compile(r"/desk\?venue=trattoria"))
    expect(page.get_by_role("heading", name="Trattoria da Mario")).to_be_visible()


def test_every_reservation_is_found_by_code_or_filter_page_by_page(world, page):
    times = ("12:00", "18:00", "21:30")
    made = [world.hub.reserve(world.day, time, "T5", party_size=4) for time in times]
    enter(page, world.hub, "hub")
    show(page, "Reservations")
    expect(page.get_by_text("the hub cannot read them")).to_be_visible()
    page.route(
        "**/api/v1/reservations?*",
        lambda route: route.continue_(url=route.request.url.replace("limit=50", "limit=2")),
    )
    page.get_by_label("Where").fill("T5")
    page.get_by_label("Date").fill(world.day)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("2 shown")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_text("3 shown")).to_be_visible()
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    page.get_by_label("Code or id").fill(made[1]["code"])
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("1 shown")).to_be_visible()
    page.get_by_role("link", name=made[1]["code"]).click()
    expect(page.get_by_role("dialog")).to_contain_text(made[1]["code"])
    page.go_back()
    show(page, "Reservations")
    page.get_by_label("Code or id").fill("RES-2020-ZZZZZZ")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nothing found.")).to_be_visible()


def test_what_needs_a_person_stands_here_too_without_names(world, page):
    enter(page, world.hub, "hub")
    show(page, "Exceptions")
    shown = page.locator("details[data-exception]")
    expect(shown).to_contain_text("Could not have its place")
    expect(shown).to_contain_text("trattoria")
    expect(shown).not_to_contain_text("Anna")


def test_merging_shows_the_last_entries_and_who_sells_what(world, page):
    enter(page, world.hub, "hub")
    show(page, "Merging")
    expect(page.get_by_text("Nothing was set aside.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("desk front desk")).first).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("trattoria desk T1, T2"))).to_contain_text(
        "in force"
    )


def test_a_book_is_read_page_by_page_and_of_one_date(world, page):
    enter(page, world.hub, "hub")
    show(page, "Books")
    page.get_by_role("link", name="trattoria").click()
    book = world.hub.get("/books/trattoria")
    expect(page.get_by_text(book["digest"])).to_be_visible()
    pages = page.locator("table[data-pages]")
    expect(pages.get_by_role("row", name=re.compile("^desk 0 "))).to_contain_text("checked")
    expect(page.get_by_text(book["heads"][0]["hash"])).to_be_visible()
    page.get_by_label("Of one date").fill(world.day)
    day = world.hub.get(f"/books/trattoria/{world.day}")
    expect(page.get_by_text(day["digest"])).to_be_visible()
    assert page.url.endswith(f"#books/trattoria/{world.day}")


def test_a_recovering_hub_says_what_that_means_whom_it_waits_for_and_what_to_type(world, page):
    standing: dict[str, Any] = {
        "state": "recovering", "missing": {"trattoria": ["desk"]}, "shut_out": {},
    }  # fmt: skip
    page.route("**/api/v1/hub/recovery", lambda route: route.fulfill(json=standing))
    enter(page, world.hub, "hub")
    banner = page.locator("[data-recovery=recovering]")
    expect(banner).to_contain_text("sells, grants and decides nothing")
    expect(banner).to_contain_text("not heard yet: desk")
    expect(banner).to_contain_text("holdfast hub recover")
    expect(banner.get_by_role("button")).to_have_count(0)


def test_a_phone_shows_the_console_without_scrolling_sideways(world, browser):
    with watched(browser, viewport={"width": 390, "height": 844}) as page:
        enter(page, world.hub, "hub")
        for view in ("Venues", "Devices", "Reservations", "Exceptions", "Merging", "Books"):
            show(page, view)
            expect(page.locator("main > *").first).to_be_visible()
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, f"{view} is {wide} px wide"


def test_a_device_has_no_console(world, page):
    enter(page, world.desk)
    page.goto(f"{world.desk.url}/hub")
    expect(page.get_by_text("This is a device and not the hub.")).to_be_visible()
