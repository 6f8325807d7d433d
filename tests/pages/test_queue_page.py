"""The queue at a desk's screen: what waits, why, when it is tried again, and what became of it."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.pages.machines import Restaurant, enter


def line(page: Page, name: str):
    return page.locator("li[data-operation]", has_text=name)


def test_what_is_written_while_paused_waits_says_why_and_goes_out_by_a_button(
    restaurant: Restaurant, page: Page
):
    enter(page, restaurant.desk)
    page.keyboard.press("q")
    expect(page.get_by_text("Nothing waits: the hub has everything")).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator("[data-exchange=paused]")).to_be_visible()
    restaurant.desk.reserve("19:30", "T3", name="Anna Ricci")
    waiting = line(page, "Anna Ricci")
    expect(waiting).to_contain_text("not sent yet")
    expect(waiting).to_contain_text("Reservation made")
    expect(waiting).to_contain_text("19:30 · T3")
    expect(waiting).to_contain_text("Somebody paused the exchange on this device.")
    expect(waiting).to_contain_text("Press “Connect again” above.")
    expect(page.get_by_role("link", name="1 change waits")).to_be_visible()
    page.get_by_role("button", name="Connect again").click()
    expect(waiting).to_contain_text("known to the hub")
    expect(waiting).to_contain_text("They have the place (hub)")
    expect(page.get_by_text("Nothing waits: the hub has everything")).to_be_visible()
    waiting.get_by_role("button", name="Anna Ricci").click()
    expect(page.get_by_role("dialog", name="Anna Ricci")).to_contain_text("booked")


def test_the_next_try_counts_and_what_was_refused_is_taken_back_after_one_question(
    restaurant: Restaurant, page: Page
):
    """As the device tells it where the hub was out of reach, and refused one for good."""
    restaurant.desk.reserve("20:00", "T1", name="Bruno Conti")
    asked: list[str] = []

    def tell(route: Route) -> None:
        told = route.fetch().json()
        state = route.request.url.partition("state=")[2].partition("&")[0]
        item = next(one for one in done if one["about"]["name"] == "Bruno Conti")
        told["items"] = []
        if state == "queued":
            told["items"] = [item | {"id": "1" * 32, "state": "queued", "reason": "late"}]
            told["items"][0]["next_attempt_at"] = "2126-01-01T00:00:00Z"
        if state == "quarantined" and not asked:
            told["items"] = [item | {"id": "2" * 32, "state": "quarantined", "reason": "bad"}]
        route.fulfill(json=told)

    def withdraw(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.fulfill(json=done[0])

    done = restaurant.desk.get("/queue", newest=True)["items"]
    page.route("**/api/v1/queue?*", tell)
    page.route("**/api/v1/queue/*/withdraw", withdraw)
    enter(page, restaurant.desk)
    page.get_by_role("link", name="Nothing waits").click()
    waiting = line(page, "not sent yet")
    expect(waiting).to_contain_text("Late.")
    expect(waiting).to_contain_text("Nothing to do: it is sent by itself.")
    shown = waiting.locator("[data-next]")
    first = shown.text_content()
    assert first is not None and first.startswith("Next try in")
    expect(shown).not_to_have_text(first)
    refused = line(page, "refused by the hub")
    expect(refused).to_contain_text("It counts nowhere.")
    refused.get_by_role("button", name="Take it back").click()
    question = page.get_by_role("dialog")
    question.get_by_label("Why").select_option("entered_again")
    question.get_by_role("button", name="Yes: Take it back").click()
    expect(refused).to_have_count(0)
    assert asked == ['{"reason":"entered_again"}']


def test_the_clock_says_how_far_it_is_off_and_the_log_unfolds(restaurant: Restaurant, page: Page):
    restaurant.desk.post("/sync/pause")
    restaurant.desk.post("/sync/resume")
    enter(page, restaurant.desk)
    page.get_by_role("link", name="Clock").click()
    expect(page.get_by_text("Wrong by")).to_be_visible()
    expect(page.get_by_text("The operating system's clock is off by")).to_be_visible()
    page.get_by_role("button", name="Exchange now").click()
    expect(page.get_by_text("Exchanged:")).to_be_visible()
    page.get_by_text("What the exchange did").click()
    expect(page.get_by_role("cell", name="paused").first).to_be_visible()
