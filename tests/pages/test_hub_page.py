"""The hub's console: fleet, venues, a search, what needs a person, merging, and the books."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.cli.support import DAY
from tests.pages.browser import serious
from tests.pages.machines import Restaurant, enter


@pytest.fixture(scope="module")
def restaurant(restaurant: Restaurant) -> Restaurant:
    """One at which somebody has lost a table."""
    restaurant.lose_a_table("19:30", "Anna Ricci")
    return restaurant


def show(page: Page, view: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=view).click()


def test_an_admin_is_led_from_the_entrance_of_the_hub_to_the_console(
    restaurant: Restaurant, page: Page
):
    page.goto(restaurant.hub.url)
    page.get_by_text("Or a token").click()
    page.get_by_role("textbox", name="Or a token").fill(restaurant.hub.token)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile("/hub$"))
    expect(page.get_by_text("This is the hub")).to_be_visible()


def test_the_fleet_tells_who_is_connected_what_waits_and_what_each_may_sell(
    restaurant: Restaurant, page: Page
):
    enter(page, restaurant.hub, "hub")
    show(page, "Devices")
    desk = page.locator("[data-node=desk]")
    expect(desk).to_have_attribute("data-connected", "true")
    expect(page.get_by_text("1 of 1 devices connected")).to_be_visible()
    expect(desk).to_contain_text("nothing waits")
    expect(desk).to_contain_text("T1, T2")
    restaurant.desk.post("/sync/pause")
    expect(desk).to_have_attribute("data-connected", "false", timeout=20_000)
    restaurant.desk.post("/sync/resume")
    expect(desk).to_have_attribute("data-connected", "true", timeout=40_000)


def test_each_venue_and_device_says_when_it_was_heard_and_how_much_went_wrong(
    restaurant: Restaurant, page: Page
):
    def tell(route: Route) -> None:
        found = route.fetch().json()
        for one in found["items"]:
            one["entries"], one["concerns"]["quarantined"] = 98, 2
        route.fulfill(json=found)

    [node] = restaurant.hub.get("/nodes")["items"]
    assert node["entries"] > 0
    enter(page, restaurant.hub, "hub")
    show(page, "Devices")
    row = page.locator("[data-health]").get_by_role("row", name=re.compile("^trattoria"))
    expect(row).to_contain_text(re.compile(r"1 of 1\s*now"), timeout=40_000)
    expect(row).to_contain_text(f"0 of {node['entries']} (0%)")
    restaurant.desk.post("/sync/pause")
    expect(row).to_contain_text("0 of 1", timeout=20_000)
    expect(row).to_contain_text(re.compile("second|minute"))
    restaurant.desk.post("/sync/resume")
    page.route("**/api/v1/nodes?*", tell)
    expect(row).to_contain_text("2 of 100 (2%)")
    expect(page.locator("[data-node=desk]")).to_contain_text("2 of 100 (2%)")
    assert serious(page) == []


def test_a_device_that_was_shut_out_stands_apart_with_what_is_held_against_it(
    restaurant: Restaurant, page: Page
):
    def tell(route: Route) -> None:
        told = route.fetch().json()
        lost = told["items"][0] | {"name": "stolen", "revoked": True, "connected": False}
        lost["concerns"] = lost["concerns"] | {"quarantined": 2}
        told["items"] += [lost, lost | {"name": "old", "revoked": False, "number": 1}]
        told["items"] += [lost | {"name": "old", "revoked": False, "number": 2}]
        route.fulfill(json=told)

    page.route("**/api/v1/nodes?*", tell)
    enter(page, restaurant.hub, "hub")
    show(page, "Devices")
    expect(page.get_by_role("heading", name="Shut out")).to_be_visible()
    stolen = page.locator("[data-node=stolen]")
    expect(stolen).to_contain_text("shut out")
    expect(stolen).to_contain_text("2 entries were set aside")
    expect(page.get_by_text("1 earlier life, followed by another")).to_be_visible()
    expect(page.get_by_text("1 of 2 devices connected")).to_be_visible()


def test_a_venues_tile_counts_and_leads_to_its_desk(restaurant: Restaurant, page: Page):
    enter(page, restaurant.hub, "hub")
    tile = page.locator("[data-venue=trattoria]")
    expect(tile).to_contain_text("Trattoria da Mario")
    expect(tile).to_contain_text("0/8")
    expect(tile).to_contain_text("1 thing needs a person")
    tile.click()
    expect(page).to_have_url(re.compile(r"/desk\?venue=trattoria"))
    expect(page.get_by_role("heading", name="Trattoria da Mario")).to_be_visible()


def test_every_reservation_is_found_by_code_or_filter_page_by_page(
    restaurant: Restaurant, page: Page
):
    times = ("12:00", "18:00", "21:30")
    made = [restaurant.hub.reserve(time, "T5", party=4) for time in times]
    enter(page, restaurant.hub, "hub")
    show(page, "Reservations")
    expect(page.get_by_text("the hub cannot read them")).to_be_visible()
    page.route(
        "**/api/v1/reservations?*",
        lambda route: route.continue_(url=route.request.url.replace("limit=50", "limit=2")),
    )
    page.get_by_label("Where").fill("T5")
    page.get_by_label("Date").fill(DAY)
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


def test_what_needs_a_person_stands_here_too_without_names(restaurant: Restaurant, page: Page):
    enter(page, restaurant.hub, "hub")
    show(page, "Exceptions")
    shown = page.locator("details[data-exception]")
    expect(shown).to_contain_text("Could not have its place")
    expect(shown).to_contain_text("trattoria")
    expect(shown).not_to_contain_text("Anna")


def test_merging_shows_the_last_entries_and_who_sells_what(restaurant: Restaurant, page: Page):
    enter(page, restaurant.hub, "hub")
    show(page, "Merging")
    expect(page.get_by_text("Nothing was set aside.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("desk front desk")).first).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("trattoria desk T1, T2"))).to_contain_text(
        "in force"
    )


def test_a_book_is_read_page_by_page_and_of_one_date(restaurant: Restaurant, page: Page):
    enter(page, restaurant.hub, "hub")
    show(page, "Books")
    page.get_by_role("link", name="trattoria").click()
    book = restaurant.hub.get("/books/trattoria")
    expect(page.get_by_text(book["digest"])).to_be_visible()
    pages = page.locator("table[data-pages]")
    expect(pages.get_by_role("row", name=re.compile("^desk 0 "))).to_contain_text("checked")
    expect(page.get_by_text(book["heads"][0]["hash"])).to_be_visible()
    page.get_by_label("Of one date").fill(DAY)
    day = restaurant.hub.get(f"/books/trattoria/{DAY}")
    expect(page.get_by_text(day["digest"])).to_be_visible()
    assert page.url.endswith(f"#books/trattoria/{DAY}")


def test_a_recovering_hub_says_what_that_means_whom_it_waits_for_and_what_to_type(
    restaurant: Restaurant, page: Page
):
    standing: dict[str, Any] = {
        "state": "recovering", "missing": {"trattoria": ["desk"]}, "shut_out": {},
    }  # fmt: skip
    page.route("**/api/v1/hub/recovery", lambda route: route.fulfill(json=standing))
    enter(page, restaurant.hub, "hub")
    banner = page.locator("[data-recovery=recovering]")
    expect(banner).to_contain_text("sells, grants and decides nothing")
    expect(banner).to_contain_text("not heard yet: desk")
    expect(banner).to_contain_text("holdfast hub recover")
    expect(banner.get_by_role("button")).to_have_count(0)


def test_a_phone_shows_the_console_without_scrolling_sideways(restaurant: Restaurant, phone: Page):
    enter(phone, restaurant.hub, "hub")
    for view in ("Venues", "Devices", "Reservations", "Exceptions", "Merging", "Books"):
        show(phone, view)
        expect(phone.locator("main > *").first).to_be_visible()
        wide = phone.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{view} is {wide} px wide"


def test_a_device_has_no_console(restaurant: Restaurant, page: Page):
    enter(page, restaurant.desk)
    page.goto(f"{restaurant.desk.url}/hub")
    expect(page.get_by_text("This is a device and not the hub.")).to_be_visible()
