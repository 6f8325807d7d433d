"""A reservation's panel: its history, a move by a form, and what is on record of it."""

from __future__ import annotations

import datetime

from playwright.sync_api import Browser, expect

from tests.pages.browser import serious
from tests.pages.front_desk import ADMIN, Desk, at_the_desk


def kinds(desk: Desk, booked: dict[str, str]) -> list[str]:
    return [one["kind"] for one in desk.get("/audit", reservation=booked["id"])["items"]]


def test_a_reservation_is_moved_by_a_form_and_cancelled_and_both_are_on_record(
    browser: Browser, desk: Desk
):
    booked = desk.book("Anna Ricci", "T1")
    tomorrow = datetime.date.fromisoformat(desk.today()) + datetime.timedelta(days=1)
    with at_the_desk(browser, desk, f"list/{desk.today()}") as page:
        page.locator("main li").get_by_role("button", name="Anna Ricci").click()
        panel = page.get_by_role("dialog", name="Anna Ricci")
        form = panel.get_by_role("form", name="Move or change")
        expect(form.get_by_role("button", name="Save")).to_be_disabled()
        form.get_by_label("Date").fill(tomorrow.isoformat())
        form.get_by_label("Time").fill("20:00")
        form.get_by_label("Guests").fill("3")
        form.get_by_label("Where").select_option("T2")
        form.get_by_role("button", name="Save").click()
        expect(page.locator(".notice")).to_contain_text("Anna Ricci moved to T2 at")
        now = desk.get(f"/reservations/{booked['id']}")
        assert now["starts_at"].startswith(f"{tomorrow}T20:00")
        assert (now["party_size"], now["resources"]) == (3, ["T2"])

        panel.get_by_text("History").click()
        steps = panel.locator("[data-step]")
        expect(steps).to_have_count(2)
        expect(steps.nth(0)).to_contain_text("Reservation made")
        expect(steps.nth(0)).to_contain_text("by desk")
        expect(steps.nth(1)).to_contain_text("T1 → T2")
        expect(steps.nth(1)).to_contain_text("2 guests → 3 guests")
        assert serious(page) == []

        panel.get_by_role("button", name="Cancel the reservation").click()
        page.get_by_role("button", name="Cancel: the guest wishes it").click()
        expect(steps).to_have_count(3)
        expect(steps.nth(2)).to_contain_text("booked → cancelled")
    assert kinds(desk, booked) == [
        "reservation.created", "reservation.moved", "reservation.cancelled",
    ]  # fmt: skip
    last = desk.get("/audit", reservation=booked["id"])["items"][-1]
    assert last["after"]["cancelled_by"] == "guest"
    assert last["at"] and last["node"] == "desk"


def test_what_is_refused_is_said_and_what_was_typed_stays(browser: Browser, desk: Desk):
    desk.book("Anna Ricci", "T1")
    desk.book("Bruno Neri", "T2")
    with at_the_desk(browser, desk, f"list/{desk.today()}") as page:
        page.locator("main li").get_by_role("button", name="Anna Ricci").click()
        form = page.get_by_role("dialog", name="Anna Ricci").get_by_role("form")
        form.get_by_label("Where").select_option("T2")
        form.get_by_role("button", name="Save").click()
        expect(page.locator(".notice[role=alert]")).to_be_attached()
        expect(form.get_by_label("Where")).to_have_value("T2")


def test_the_entrance_leads_back_to_the_venue_and_the_view(browser: Browser, desk: Desk):
    booked = desk.book("Anna Ricci", "T1")
    with at_the_desk(browser, desk, "list") as page:
        page.context.clear_cookies()
        wanted = f"{desk.url}/desk?venue=trattoria#floor/{desk.today()}/{booked['id']}"
        page.goto("about:blank")
        page.goto(wanted)
        page.get_by_text("Or a token").click()
        page.get_by_label("Or a token").fill(ADMIN)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_test_id("floor")).to_be_visible()
        assert page.url.startswith(f"{desk.url}/desk?venue=trattoria#floor/{desk.today()}")

        page.goto(f"{desk.url}/?to=//elsewhere.example/desk")
        page.wait_for_url(f"{desk.url}/desk*")
