"""The address of an offer: a guest opens it, takes the place, and finds it dead from then on."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, Route, expect

from tests.pages.browser import FINGER, PHONE, serious, watched_page
from tests.pages.front_desk import Desk


def offered(desk: Desk) -> str:
    """The address for a party that is offered a place now."""
    wish = {"venue": "trattoria", "date": desk.today(), "party_size": 2}
    waits = desk.post("/waitlist", **wish, guest={"name": "Greta"})
    desk.post(f"/waitlist/{waits['id']}/offer")
    path = desk.post(f"/waitlist/{waits['id']}/link")["path"]
    return f"{desk.url}{path}"


def test_a_guest_takes_what_is_offered_by_one_tap_and_once(phone: Page, desk: Desk):
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    address = offered(desk)
    phone.goto(address)
    expect(phone.get_by_role("heading", name="Trattoria da Mario")).to_be_visible()
    expect(phone.get_by_text("2 guests")).to_be_visible()
    expect(phone.get_by_text("Greta")).to_have_count(0)
    assert serious(phone) == []
    phone.get_by_role("button", name="Take it").click()
    expect(phone.get_by_text("It is yours")).to_be_visible()
    assert serious(phone) == []
    day = desk.get("/reservations", venue="trattoria", date=desk.today(), status="confirmed")
    expect(phone.get_by_text(day["items"][-1]["code"])).to_be_visible()

    phone.reload()
    # Whoever reads it is mostly whoever took it.
    expect(phone.get_by_role("status")).to_contain_text("If it was you who took it")
    expect(phone.get_by_text(day["items"][-1]["code"])).to_be_visible()
    expect(phone.get_by_role("alert")).to_have_count(0)
    expect(phone.get_by_role("button")).to_have_count(0)
    assert serious(phone) == []
    secret = address.partition("#")[2]
    assert asked and not [url for url in asked if secret in url.partition("#")[0]]


def test_an_address_that_is_none_says_so_in_the_guests_language(browser: Browser, desk: Desk):
    with watched_page(browser, PHONE, **FINGER | {"locale": "de-DE"}) as page:
        page.goto(f"{desk.url}/offer#nothing")
        expect(page.get_by_role("alert")).to_contain_text("führt zu keinem Angebot")
        page.goto(offered(desk))
        expect(page.get_by_role("button", name="Annehmen")).to_be_visible()


def test_a_guest_whose_answer_was_lost_taps_again_and_has_it(browser: Browser, desk: Desk):
    keys: list[str | None] = []

    def lose_the_answer(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        # It arrives and is done, the first time; what is answered never comes back.
        if len(keys) == 1:
            route.fetch()
        route.abort()

    # Not watched: the browser's console says of every answer that is missing.
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, locale="en-GB", **FINGER
    )
    page = context.new_page()
    try:
        page.goto(offered(desk))
        page.route("**/api/v1/offer/accept", lose_the_answer, times=3)
        page.get_by_role("button", name="Take it").click()
        expect(page.get_by_role("alert")).to_contain_text("could not be taken", timeout=15_000)
        page.get_by_role("button", name="Take it").click()
        expect(page.get_by_text("It is yours")).to_be_visible()
        assert len(keys) == 3 and len(set(keys)) == 1 and keys[0]
    finally:
        context.close()
