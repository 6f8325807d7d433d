"""What needs a person, at a desk: seen as it arises, said in words, and done from there."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, Route, expect

from holdfast.model.vocabulary import OVERRIDE_REASONS, RESOLVE_REASONS, WITHDRAW_REASONS
from tests.cli.support import DAY, ROOT
from tests.pages.machines import Restaurant, enter


def card(page: Page, name: str):
    return page.locator("details[data-exception]", has_text=name)


def test_what_is_lost_appears_with_its_chip_and_is_cancelled_after_one_question(
    restaurant: Restaurant, page: Page
):
    enter(page, restaurant.desk)
    restaurant.lose_a_table("19:30", "Anna Ricci")
    page.get_by_role("link", name="1 thing needs a person").click()
    shown = card(page, "Anna Ricci")
    expect(shown).to_contain_text("Could not have its place")
    expect(shown).to_contain_text("2 guests")
    expect(shown).to_contain_text("19:30")
    expect(shown).to_contain_text("T3")
    assert re.search(r"#exceptions/\d{4}-\d\d-\d\d$", page.url), "the date is kept"
    shown.get_by_role("button", name="Cancel it").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("This cannot be undone.")
    question.get_by_label("Why").select_option("called_guest")
    question.get_by_role("button", name="Yes: Cancel it").click()
    expect(shown).to_have_count(0)
    expect(page.get_by_text("Nothing that a person must look at")).to_be_visible()
    expect(page.get_by_role("link", name="needs a person")).to_have_count(0)
    assert restaurant.desk.get("/exceptions")["items"] == []


def test_another_place_is_given_from_the_list_and_the_reservation_opens_on_its_date(
    restaurant: Restaurant, page: Page
):
    lost = restaurant.lose_a_table("21:00", "Bruno Conti")
    enter(page, restaurant.desk)
    page.keyboard.press("e")
    shown = card(page, "Bruno Conti")
    shown.get_by_role("button", name="Open the reservation").click()
    panel = page.get_by_role("dialog", name="Bruno Conti")
    expect(panel).to_contain_text("It could not be had.")
    panel.get_by_role("button", name="Close").click()
    assert page.get_by_label("Date").input_value() == DAY
    shown.get_by_role("button", name="Another place or time").click()
    question = page.get_by_role("dialog")
    question.get_by_role("button", name="Another place or time").click()
    expect(question.get_by_role("alert")).to_contain_text("name the place")
    question.get_by_label("T1", exact=True).check()
    question.get_by_role("button", name="Another place or time").click()
    expect(shown).to_have_count(0)
    now = restaurant.desk.get(f"/reservations/{lost['id']}")
    assert (now["status"], now["resources"]) == ("confirmed", ["T1"])


def test_what_is_answered_elsewhere_vanishes_here(restaurant: Restaurant, page: Page):
    restaurant.lose_a_table("12:30", "Carla Neri")
    enter(page, restaurant.desk)
    page.keyboard.press("e")
    shown = card(page, "Carla Neri")
    expect(shown).to_be_visible()
    [item] = restaurant.desk.get("/exceptions")["items"]
    answered = {"action": "acknowledge", "reason": "seen"}
    restaurant.desk.post(f"/exceptions/{item['id']}/resolve", answered)
    expect(shown).to_have_count(0)


def test_who_was_promised_a_place_and_lost_it_stands_first_and_looks_graver(
    restaurant: Restaurant, page: Page
):
    def tell(route: Route) -> None:
        told = route.fetch().json()
        note = {
            "venue": "trattoria", "since": "2026-01-02T10:00:00Z", "actions": [], "choices": [],
            "subject": "kiosk",
        }  # fmt: skip
        told["items"] = [
            note | {"id": "1" * 32 + ".fork", "kind": "fork", "detail": "Two histories."},
            note | {"id": "2" * 32 + ".displaced", "kind": "displaced", "detail": "Lost."}
            | {"promised": True, "lost_promise": {"words": "The kiosk was shut out."}},
            note | {"id": "3" * 32 + ".new_thing", "kind": "new_thing", "detail": "Unheard of."},
        ]  # fmt: skip
        route.fulfill(json=told)

    page.route("**/api/v1/exceptions?*", tell)
    enter(page, restaurant.desk)
    page.keyboard.press("e")
    cards = page.locator("details[data-exception]")
    expect(cards).to_have_count(3)
    expect(cards.first).to_contain_text("Promised and lost")
    expect(cards.first).to_contain_text("The kiosk was shut out.")
    expect(page.get_by_text("Promised and lost")).to_have_count(1)
    expect(cards.nth(1)).to_contain_text("A device has two histories")
    expect(cards.nth(2)).to_contain_text("New thing")


def test_the_view_follows_the_address_and_keeps_the_date(restaurant: Restaurant, page: Page):
    enter(page, restaurant.desk)
    page.evaluate(f"location.hash = '#exceptions/{DAY}'")
    expect(page.get_by_role("button", name="Exceptions")).to_have_attribute("aria-pressed", "true")
    assert page.get_by_label("Date").input_value() == DAY
    page.evaluate("location.hash = '#list'")
    expect(page.get_by_role("button", name="List", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert page.url.endswith(f"#list/{DAY}")


def test_who_may_not_answer_is_told_who_may(restaurant: Restaurant, page: Page):
    restaurant.lose_a_table("13:00", "Dario Blu", "T4")
    restaurant.desk.post("/staff", {"name": "Mia", "role": "staff", "pin": "73914"})
    page.context.request.post(
        f"{restaurant.desk.url}/api/v1/session", data={"staff": "Mia", "pin": "73914"}
    )
    page.goto(f"{restaurant.desk.url}/desk#exceptions")
    expect(card(page, "Dario Blu")).to_be_visible()
    expect(page.get_by_text("A supervisor says what is done")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel it")).to_have_count(0)


def test_every_reason_that_people_pick_from_is_one_that_the_device_takes():
    words = json.loads((ROOT / "web/src/words/en.json").read_text("utf-8"))
    lists = {
        "resolve": RESOLVE_REASONS, "overbook": OVERRIDE_REASONS, "withdraw": WITHDRAW_REASONS,
    }  # fmt: skip
    for name, taken in lists.items():
        prefix = f"why.{name}."
        picked = {key.removeprefix(prefix) for key in words if key.startswith(prefix)}
        assert picked <= taken, f"{name}: {sorted(picked - taken)}"
