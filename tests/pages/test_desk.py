"""The front desk's page in a real browser: the flows of a day, by mouse, finger and keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.cli.support import DAY, DAYS
from tests.pages.browser import serious, watched_page
from tests.pages.machines import Machine, Restaurant, open_desk

ROW_PX = 26
"""Of half an hour in the grid, as `Grid.svelte` draws it."""
LONG_PRESS_MS = 500
"""More than `Grid.svelte` asks for before a finger takes hold of a party."""
PARTIES = {"T1": 2, "T2": 2, "T3": 2, "T4": 2, "T5": 4, "T6": 2, "T7": 2, "T8": 6}
"""The tables of the sample venue, and a party that fits each."""


@pytest.fixture
def restaurant(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restaurant]:
    """Of each test its own: they all want the same tables, and one stops the hub."""
    with Restaurant(tmp_path_factory.mktemp("restaurant")) as made:
        yield made


def card(page: Page, name: str) -> Locator:
    return page.locator(".ec-event", has_text=name)


def place(page: Page, resource: str, time: str) -> tuple[float, float]:
    """Where a time of a resource is in the grid, scrolled into sight."""
    hours, minutes = (int(part) for part in time.split(":"))
    heads = page.locator(".head strong")
    column = heads.all_inner_texts().index(resource)
    x = heads.nth(column).bounding_box()
    label = page.locator(".ec-sidebar time, .ec-slot-label", has_text=f"{hours:02}:00").first
    label.scroll_into_view_if_needed()
    y = label.bounding_box()
    assert x is not None and y is not None
    return x["x"] + x["width"] / 2, y["y"] + y["height"] / 2 + minutes / 30 * ROW_PX


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 3, start[1] + 6)
    page.mouse.move(*end, steps=8)
    page.mouse.up()


def middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_party_is_moved_by_dragging_it_and_a_slip_is_undone(
    page: Page, restaurant: Restaurant
) -> None:
    made = restaurant.desk.reserve("19:30", "T1", name="Anna Ricci")
    open_desk(page, restaurant.desk)
    expect(card(page, "Anna Ricci")).to_be_visible()
    here = middle(card(page, "Anna Ricci"))
    there = place(page, "T2", "19:30")[0]
    drag(page, here, (there, here[1]))
    expect(page.get_by_text("Anna Ricci moved to T2 at 19:30")).to_be_visible()
    assert restaurant.desk.shown(made)["resources"] == ["T2"]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Anna Ricci moved to T2 at 19:30")).to_have_count(0)
    page.wait_for_function("() => document.querySelectorAll('.ec-event').length === 1")
    assert restaurant.desk.shown(made)["resources"] == ["T1"]


def test_a_party_that_stays_longer_is_stretched(page: Page, restaurant: Restaurant) -> None:
    made = restaurant.desk.reserve("19:30", "T1", name="Anna Ricci")
    open_desk(page, restaurant.desk)
    one = card(page, "Anna Ricci")
    one.hover()
    box = one.bounding_box()
    assert box is not None
    handle = (box["x"] + box["width"] / 2, box["y"] + box["height"] - 2)
    drag(page, handle, (handle[0], handle[1] + ROW_PX))
    expect(page.get_by_text("Anna Ricci moved to T1 at 19:30")).to_be_visible()
    assert restaurant.desk.shown(made)["ends_at"][11:16] == "21:15"


def test_the_grid_shows_the_venues_clock_wherever_the_browser_stands(
    browser: Browser, restaurant: Restaurant
) -> None:
    made = restaurant.desk.reserve("19:30", "T1", name="Anna Ricci")
    with watched_page(browser, timezone_id="America/New_York") as page:
        open_desk(page, restaurant.desk)
        one = card(page, "Anna Ricci")
        box = one.bounding_box()
        assert box is not None
        assert abs(box["y"] - place(page, "T1", "19:30")[1]) < ROW_PX / 2
        here = middle(one)
        drag(page, here, (here[0], here[1] + ROW_PX))
        expect(page.get_by_text("Anna Ricci moved to T1 at 20:00")).to_be_visible()
    assert restaurant.desk.shown(made)["starts_at"][11:16] == "20:00"


def test_a_place_is_booked_by_dragging_over_free_time(page: Page, restaurant: Restaurant) -> None:
    open_desk(page, restaurant.desk)
    page.wait_for_selector(".head")
    start = place(page, "T2", "19:00")
    drag(page, (start[0], start[1] + 2), (start[0], start[1] + 3 * ROW_PX - 2))
    dialog = page.get_by_role("dialog", name="New reservation")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Name").fill("Bruno Neri")
    dialog.get_by_role("button", name="Book").click()
    expect(card(page, "Bruno Neri")).to_be_visible()
    (made,) = restaurant.desk.say("reservations", "list", "--date", DAY)["items"]
    assert (made["resources"], made["starts_at"][11:16], made["ends_at"][11:16]) == (
        ["T2"], "19:00", "20:30",
    )  # fmt: skip
    assert made["assurance"] == "guaranteed"


def test_a_reservation_is_made_by_keyboard_alone_and_found_again(
    page: Page, restaurant: Restaurant
) -> None:
    open_desk(page, restaurant.desk)
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="New reservation")
    dialog.get_by_role("button", name=re.compile("^19:30")).focus()
    page.keyboard.press("Enter")
    dialog.get_by_label("Name").focus()
    page.keyboard.type("Carla Testa")
    page.keyboard.press("Enter")
    expect(card(page, "Carla Testa")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("carla")
    page.locator(".found button").first.click()
    panel = page.get_by_role("dialog", name="Carla Testa")
    expect(panel.get_by_text("It is booked. It is yours.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.keyboard.press("2")
    expect(page.locator("main li", has_text="Carla Testa")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("No reservations on this day.")).to_be_visible()
    assert page.url.endswith(f"#list/{DAYS[1]}")


def test_what_another_device_does_is_seen_without_asking(
    page: Page, restaurant: Restaurant
) -> None:
    open_desk(page, restaurant.desk, "list")
    page.wait_for_selector("main")
    made = restaurant.hub.reserve("20:00", "T5", party=4)
    row = page.locator("main li", has_text=made["code"][-6:])
    expect(row).to_contain_text("booked")
    restaurant.hub.say("reservations", "cancel", made["id"], "--reason", "guest_request")
    expect(row).to_contain_text("cancelled")


def test_the_screen_says_that_the_hub_is_gone_and_what_may_be_promised(
    page: Page, restaurant: Restaurant
) -> None:
    open_desk(page, restaurant.desk)
    state = page.locator(".trust")
    expect(state).to_contain_text("Connected")
    expect(state).to_contain_text("Nothing waits")
    restaurant.hub.stop()
    expect(state).to_contain_text("No connection since", timeout=40_000)
    page.reload()
    expect(state).to_contain_text("No connection since")
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="New reservation")
    dialog.get_by_role("button", name="6", exact=True).click()
    dialog.get_by_role("button", name=re.compile("^20:00")).click()
    expect(dialog.locator(".tag", has_text="Has to be asked for")).to_be_visible()
    dialog.get_by_label("Name").fill("Dario Blu")
    dialog.get_by_role("button", name="Book").click()
    expect(page.get_by_text("Dario Blu noted for 20:00")).to_be_visible()
    expect(state).to_contain_text("1 change waits")
    card(page, "Dario Blu").click()
    panel = page.get_by_role("dialog", name="Dario Blu")
    expect(panel.get_by_text("We have noted your wish and will confirm it.")).to_be_visible()


def test_a_provisional_reservation_gets_its_answer_on_the_screen(
    page: Page, restaurant: Restaurant
) -> None:
    restaurant.desk.say("sync", "pause")
    made = restaurant.desk.reserve("20:00", "T3", party=4, name="Elsa Viola")
    assert made["assurance"] == "provisional"
    open_desk(page, restaurant.desk)
    expect(page.locator(".trust")).to_contain_text("Paused by a person")
    one = card(page, "Elsa Viola")
    expect(one).to_have_class(re.compile("look-asked"))
    restaurant.desk.say("sync", "resume")
    expect(one).to_have_class(re.compile("look-booked"))
    expect(page.locator(".trust")).to_contain_text("Connected")


def test_guests_are_received_one_tap_each(phone: Page, restaurant: Restaurant) -> None:
    """On a phone: the list is what opens, and a finger is enough."""
    restaurant.desk.reserve("19:30", "T1", name="Anna Ricci")
    late = restaurant.desk.reserve("19:30", "T2", name="Bruno Neri")
    open_desk(phone, restaurant.desk, "list")
    row = phone.locator("main li", has_text="Bruno Neri")
    row.get_by_role("button", name="Bruno Neri").tap()
    panel = phone.get_by_role("dialog", name="Bruno Neri")
    expect(panel.get_by_role("button", name="Cancel")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert restaurant.desk.shown(late)["status"] == "confirmed"


def test_an_unknown_name_or_pin_is_refused_in_words(page: Page, restaurant: Restaurant) -> None:
    page.goto(restaurant.desk.url)
    page.get_by_label("Your name").fill("nobody")
    page.get_by_label("PIN").fill("1234")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    page.goto(f"{restaurant.desk.url}/desk")
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()


@pytest.mark.parametrize("look", ["light", "dark"])
def test_nothing_serious_keeps_anybody_from_using_it(
    browser: Browser, restaurant: Restaurant, look: str
) -> None:
    restaurant.desk.reserve("19:30", "T1", name="Anna Ricci")
    with watched_page(browser, color_scheme=look) as page:
        page.goto(restaurant.desk.url)
        page.wait_for_selector("form")
        assert serious(page) == []
        open_desk(page, restaurant.desk)
        expect(card(page, "Anna Ricci")).to_be_visible()
        assert serious(page) == []
        page.keyboard.press("2")
        page.wait_for_selector("main li")
        assert serious(page) == []
        page.locator("main li button").first.click()
        page.wait_for_selector("dialog[open]")
        assert serious(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        page.wait_for_selector("dialog[open] .slots button")
        assert serious(page) == []


def test_a_finger_that_stays_moves_a_party_and_one_that_goes_on_scrolls(
    browser: Browser, restaurant: Restaurant
) -> None:
    made = restaurant.desk.reserve("19:30", "T1", name="Anna Ricci")
    with watched_page(browser, (1024, 768), has_touch=True) as page:
        open_desk(page, restaurant.desk)
        start = middle(card(page, "Anna Ricci"))
        there = (place(page, "T2", "19:30")[0], start[1])
        fingers = page.context.new_cdp_session(page)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            told = [{"x": x, "y": y} for x, y in points]
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

        touch("touchStart", start)
        touch("touchMove", there)
        touch("touchEnd")
        expect(page.locator(".notice")).to_have_count(0)
        assert restaurant.desk.shown(made)["resources"] == ["T1"]
        start = middle(card(page, "Anna Ricci"))
        there = (place(page, "T2", "19:30")[0], start[1])
        touch("touchStart", start)
        page.wait_for_timeout(LONG_PRESS_MS)  # The gesture itself is a time.
        for part in (0.3, 0.6, 1.0):
            touch("touchMove", (start[0] + (there[0] - start[0]) * part, start[1]))
        touch("touchEnd")
        expect(page.get_by_text("Anna Ricci moved to T2 at 19:30")).to_be_visible()
    assert restaurant.desk.shown(made)["resources"] == ["T2"]


def test_many_changes_neither_flicker_nor_take_a_party_from_the_hand(
    page: Page, restaurant: Restaurant
) -> None:
    made = restaurant.desk.reserve("19:30", "T1", name="Anna Ricci")
    open_desk(page, restaurant.desk)
    one = card(page, "Anna Ricci")
    here = middle(one)
    there = (place(page, "T2", "19:30")[0], here[1])
    page.evaluate("() => { window.first = document.querySelector('.ec-event'); }")
    many(restaurant.desk, "12:00")
    expect(page.locator(".ec-event")).to_have_count(9)
    assert page.evaluate("() => window.first.isConnected"), "the same card, never drawn anew"

    page.mouse.move(*here)
    page.mouse.down()
    page.mouse.move(here[0] + 6, here[1])
    page.mouse.move(*there, steps=4)
    many(restaurant.desk, "21:30")
    page.mouse.move(there[0] + 2, there[1])
    page.mouse.up()
    expect(page.get_by_text("Anna Ricci moved to T2 at 19:30")).to_be_visible()
    expect(page.locator(".ec-event")).to_have_count(17)
    assert restaurant.desk.shown(made)["resources"] == ["T2"]


def many(desk: Machine, time: str) -> None:
    """A party at every table at this time, one right after the other."""
    for table, party in PARTIES.items():
        desk.reserve(time, table, party=party)
