"""Two desks side by side: what one does the other shows; cut off, each keeps its own promises.

After the cut the fate of each wish stands on the page where it was written, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cli.support import DAY
from tests.pages.browser import watched_page
from tests.pages.machines import Machine, Restaurant, open_desk

HEALED_MS = 60_000
"""A node asks again within half a minute of a cut; a machine at work takes its time with it."""


@pytest.fixture(scope="module")
def bar(restaurant: Restaurant) -> Iterator[Machine]:
    """The second desk, which has no table of its own."""
    yield restaurant.another_desk("bar")


@contextmanager
def side_by_side(browser: Browser, one: Machine, other: Machine) -> Generator[tuple[Page, Page]]:
    with watched_page(browser) as left, watched_page(browser) as right:
        for page, machine in ((left, one), (right, other)):
            open_desk(page, machine, "list")
            expect(page.locator(".trust")).to_contain_text("Connected", timeout=HEALED_MS)
        yield left, right


@contextmanager
def cut_off(hub: Machine) -> Generator[None]:
    """The hub is not there meanwhile; afterwards it is again, at its old address."""
    hub.stop()
    try:
        yield
    finally:
        hub.start_again()


def row(page: Page, text: str):
    return page.locator("main li", has_text=text)


def test_what_one_desk_does_the_other_shows_while_both_are_connected(
    browser: Browser, restaurant: Restaurant, bar: Machine
) -> None:
    with side_by_side(browser, restaurant.desk, bar) as (left, right):
        left.keyboard.press("n")
        dialog = left.get_by_role("dialog", name="New reservation")
        dialog.get_by_role("button", name=re.compile("^12:00")).click()
        dialog.get_by_label("Name").fill("Anna Ricci")
        dialog.get_by_role("button", name="Book").click()
        expect(row(left, "Anna Ricci")).to_contain_text("booked")
        expect(row(right, "Anna Ricci")).to_contain_text("booked")
        row(right, "Anna Ricci").get_by_role("button", name="Anna Ricci").click()
        panel = right.get_by_role("dialog", name="Anna Ricci")
        panel.get_by_role("button", name="Cancel the reservation").click()
        right.get_by_role("button", name="Cancel: the guest wishes it").click()
        expect(row(left, "Anna Ricci")).to_contain_text("cancelled")


def test_cut_off_each_promises_its_own_and_the_loser_is_told_why_after_healing(
    browser: Browser, restaurant: Restaurant, bar: Machine
) -> None:
    desk, hub = restaurant.desk, restaurant.hub
    with side_by_side(browser, desk, bar) as (left, right):
        with cut_off(hub):
            for page in (left, right):
                expect(page.locator(".trust")).to_contain_text(
                    "No connection since", timeout=40_000
                )
            own = desk.reserve("19:30", "T1", name="Bruno Neri")
            assert (own["status"], own["assurance"]) == ("confirmed", "guaranteed")
            wished = bar.reserve("19:30", "T1", name="Carla Testa")
            assert (wished["status"], wished["assurance"]) == ("commit_pending", "provisional")
            expect(row(left, "Bruno Neri")).to_contain_text("booked")
            expect(row(right, "Carla Testa")).to_contain_text("waiting for an answer")
            expect(row(right, "Bruno Neri")).to_have_count(0)
            expect(row(left, "Carla Testa")).to_have_count(0)
            row(right, "Carla Testa").get_by_role("button", name="Carla Testa").click()
            panel = right.get_by_role("dialog", name="Carla Testa")
            expect(panel).to_contain_text("We have noted your wish and will confirm it.")

        for page in (left, right):
            expect(page.locator(".trust")).to_contain_text("Connected", timeout=HEALED_MS)
        expect(panel).to_contain_text("It could not be had.", timeout=HEALED_MS)
        panel.get_by_role("button", name="Close").click()
        expect(row(left, "Bruno Neri")).to_contain_text("booked")
        expect(row(right, "Bruno Neri")).to_contain_text("booked")
        right.get_by_role("link", name="1 thing needs a person").click()
        card = right.locator("details[data-exception]", has_text="Carla Testa")
        expect(card).to_contain_text("Could not have its place")
        expect(card).to_contain_text(f"{own['code']} has it")
    assert desk.shown(own)["status"] == "confirmed"
    lost = bar.shown(wished)
    assert (lost["status"], lost["decision"]["verdict"]) == ("commit_failed", "displaced")


def test_everything_that_the_desk_knows_is_there_after_a_reload_without_the_hub(
    browser: Browser, restaurant: Restaurant
) -> None:
    restaurant.lose_a_table("21:00", "Dario Blu")
    restaurant.desk.reserve("13:00", "T2", name="Elsa Viola")
    with cut_off(restaurant.hub), watched_page(browser) as page:
        open_desk(page, restaurant.desk, "list", DAY)
        for view in ("list", "grid", "floor", "waitlist", "notes", "queue", "exceptions"):
            page.goto(f"{restaurant.desk.url}/desk#{view}/{DAY}")
            page.reload()
            expect(page.locator(".trust")).to_contain_text("No connection", timeout=40_000)
            expect(page.locator("main > *").first).to_be_visible()
            if view in ("list", "grid"):
                shown = page.locator("main").get_by_text("Elsa Viola").first
                expect(shown).to_be_attached()
        expect(page.locator("details[data-exception]", has_text="Dario Blu")).to_be_visible()
