"""The address of an offer: a guest opens it, takes the place, and finds it dead from then on."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

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
    expect(phone.get_by_role("alert")).to_contain_text("does not stand any more")
    expect(phone.get_by_role("button")).to_have_count(0)
    secret = address.partition("#")[2]
    assert asked and not [url for url in asked if secret in url.partition("#")[0]]


def test_an_address_that_is_none_says_so_in_the_guests_language(browser: Browser, desk: Desk):
    with watched_page(browser, PHONE, **FINGER | {"locale": "de-DE"}) as page:
        page.goto(f"{desk.url}/offer#nothing")
        expect(page.get_by_role("alert")).to_contain_text("führt zu keinem Angebot")
        page.goto(offered(desk))
        expect(page.get_by_role("button", name="Annehmen")).to_be_visible()
