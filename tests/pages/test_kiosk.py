"""The kiosk's page in a real browser: what whoever stands there can do, and what stays of it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.browser import PHONE, WIDE, watched_page
from tests.pages.kiosk_world import Place
from tests.pages.machines import Machine

PORTRAIT = (1080, 1920)
QUIET_MS, ASKING_MS, DONE_MS = 45_000, 10_000, 20_000
LOOK_MS = 5_000
TAP_PX = 64
START = "How many are you?"


@pytest.fixture(scope="module")
def place(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("kiosk"))
    yield made
    made.close()


@pytest.fixture
def screen(browser: Browser, place: Place) -> Iterator[Page]:
    """A kiosk at which somebody has just stepped up; time goes on as the test says."""
    with watched_page(browser, PORTRAIT) as page:
        page.clock.install()
        open_kiosk(page, place.kiosk)
        yield page


def open_kiosk(page: Page, kiosk: Machine) -> None:
    page.goto(kiosk.ticket("kiosk"))
    expect(page.get_by_role("heading", name="Arcade Roma")).to_be_visible()


def tap(page: Page, name: str | re.Pattern[str], *, exact: bool = False) -> None:
    page.get_by_role("button", name=name, exact=exact).first.click()


def to_the_last_tap(page: Page, kind: str, people: str = "2 people") -> None:
    tap(page, people)
    tap(page, re.compile(f"^{kind}"))
    tap(page, re.compile("^Now"))
    expect(page.get_by_role("heading", name="Is this right?")).to_be_visible()


def code_shown(page: Page) -> str:
    text = page.locator(".code").inner_text()
    found = re.search(r"RES-\d{4}-[0-9A-Z]{6}", text)
    assert found is not None, text
    return found[0]


def at_start(page: Page) -> None:
    expect(page.get_by_text(START)).to_be_visible()


def booked_for_today(place: Place) -> dict[str, Any]:
    """A table that somebody reserved at the desk, as the kiosk knows it."""
    now = datetime.datetime.now(datetime.UTC)
    span = {"from": now.isoformat(), "to": (now + datetime.timedelta(hours=4)).isoformat()}
    wanted = {"venue": "arcade", "party_size": 3, "resource_kind": "table"}
    slot = place.hub.get("/availability", **wanted, **span)["slots"][0]
    made: dict[str, Any] = place.hub.post(
        "/reservations", {**wanted, "starts_at": slot["starts_at"], "source": "phone"}
    )
    place.kiosk.post("/sync/now")
    return made


# --- a place for whoever stands there -------------------------------------------------------------


def test_a_walk_in_takes_four_taps_and_their_name_stands_in_the_sealed_card_alone(
    place: Place, screen: Page
):
    screen.evaluate("addEventListener('click', () => (window.taps = (window.taps ?? 0) + 1))")
    to_the_last_tap(screen, "Bay")
    expect(screen.locator(".what")).to_contain_text("yours at once")
    screen.get_by_label("Name").fill("Ofelia Zardi")
    screen.get_by_label("Phone").fill("+39 06 5550199")
    tap(screen, "Yes, book it")
    expect(screen.get_by_role("heading", name="Booked")).to_be_visible()
    expect(screen.get_by_text("It is booked. It is yours.")).to_be_visible()
    assert screen.evaluate("window.taps") == 4
    code = code_shown(screen)
    expect(screen.locator(".code strong")).to_have_text(code[-6:])
    expect(screen.get_by_role("img", name=code)).to_be_visible()
    here = place.kiosk.get("/reservations", venue="arcade")["items"]
    (made,) = [one for one in here if one["code"] == code]
    assert (made["status"], made["kind"], made["party_size"]) == ("confirmed", "walk_in", 2)
    assert made["resources"][0].startswith("BAY-")
    place.kiosk.post("/sync/now")
    place.desk.post("/sync/now")
    card = place.desk.get(f"/reservations/{code}")["guest"]
    assert card == {"name": "Ofelia Zardi", "phone": "+39 06 5550199", "language": "en"}
    for machine in (place.kiosk, place.hub):
        assert machine.holds_bytes(b"Zardi") == []
        assert machine.holds_bytes(b"5550199") == []


def test_nobody_has_to_say_who_they_are(place: Place, screen: Page):
    to_the_last_tap(screen, "Table")
    tap(screen, "Yes, book it")
    expect(screen.get_by_role("heading", name="Booked")).to_be_visible()
    made = place.kiosk.get(f"/reservations/{code_shown(screen)}")
    assert made["assurance"] == "admitted"
    assert "guest" not in made


def test_without_a_network_the_page_promises_its_own_bays_and_notes_the_rest(
    place: Place, screen: Page
):
    place.kiosk.post("/sync/pause")
    try:
        screen.clock.run_for(LOOK_MS)
        expect(screen.get_by_text("Some places are yours at once.")).to_be_visible()
        to_the_last_tap(screen, "Bay")
        expect(screen.locator(".what")).to_contain_text("yours at once")
        tap(screen, "Yes, book it")
        expect(screen.get_by_text("It is booked. It is yours.")).to_be_visible()
        tap(screen, re.compile("^Done"))
        to_the_last_tap(screen, "Table", "4 people")
        expect(screen.locator(".what")).to_contain_text("to be confirmed")
        tap(screen, "Yes, book it")
        expect(screen.get_by_role("heading", name="Noted")).to_be_visible()
        expect(screen.get_by_text("Please ask at the desk.")).to_be_visible()
        made = place.kiosk.get(f"/reservations/{code_shown(screen)}")
        assert made["assurance"] == "provisional"
    finally:
        place.kiosk.post("/sync/resume")


def test_more_than_the_house_takes_is_not_offered(screen: Page):
    tap(screen, "More")
    assert screen.locator(".sizes .main").all_inner_texts() == ["8", "9", "10", "11", "12"]
    tap(screen, "12 people")
    # A bay is for four: no tap leads where nothing can be had.
    expect(screen.get_by_role("button", name=re.compile("^Bay"))).to_be_disabled()


# --- with a reservation ---------------------------------------------------------------------------


def test_a_code_checks_in_however_its_characters_are_read(place: Place, screen: Page):
    made = booked_for_today(place)
    tap(screen, "I have a reservation")
    first, rest = made["code"][-6], made["code"][-5:]
    tap(screen, first, exact=True)
    screen.keyboard.type(rest.lower().replace("0", "o").replace("1", "l"))
    expect(screen.locator(".typed")).to_have_text(made["code"][-6:])
    tap(screen, "Find it")
    expect(screen.locator(".what")).to_contain_text(f"{made['resources'][0]}, Garden")
    tap(screen, "Yes, we are here")
    expect(screen.get_by_role("heading", name="Welcome!")).to_be_visible()
    expect(screen.locator(".place")).to_have_text(f"{made['resources'][0]}, Garden")
    assert place.kiosk.get(f"/reservations/{made['code']}")["status"] == "checked_in"


def test_a_code_that_nobody_has_is_said_plainly_and_can_be_corrected(screen: Page):
    tap(screen, "I have a reservation")
    screen.keyboard.type("ZZZZZZ")
    tap(screen, "Find it")
    expect(screen.get_by_role("alert")).to_have_text(
        "We do not find this code. Please check it, or ask at the desk."
    )
    tap(screen, "Delete")
    expect(screen.locator(".typed")).to_contain_text("ZZZZZ·")


CAMERA = """(code) => {
  const canvas = document.createElement("canvas");
  const picture = canvas.getContext("2d");
  setInterval(() => picture.fillRect(0, 0, Math.random() * 99, 99), 50);
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream();
  const seen = [{ rawValue: `https://arcade.test/${code}?x=1` }];
  window.BarcodeDetector = class { detect = async () => seen; };
}"""


def test_a_code_is_read_by_the_camera_where_the_browser_can(place: Place, browser: Browser):
    made = booked_for_today(place)
    with watched_page(browser, PORTRAIT) as page:
        page.add_init_script(f"({CAMERA})({made['code']!r})")
        open_kiosk(page, place.kiosk)
        tap(page, "I have a reservation")
        tap(page, "Scan it")
        expect(page.get_by_role("heading", name="Is this yours?")).to_be_visible()
        expect(page.locator(".what")).to_contain_text("3 people")
    with watched_page(browser, PORTRAIT) as page:
        page.add_init_script("delete window.BarcodeDetector")
        open_kiosk(page, place.kiosk)
        tap(page, "I have a reservation")
        expect(page.get_by_role("button", name="Scan it")).to_have_count(0)


# --- what is left of somebody ---------------------------------------------------------------------


def test_whoever_walks_away_is_forgotten(screen: Page):
    tap(screen, "Deutsch")
    tap(screen, "2 Personen")
    tap(screen, re.compile("^Tisch"))
    tap(screen, re.compile("^Jetzt"))
    screen.get_by_label("Name").fill("Ofelia Zardi")
    screen.clock.run_for(QUIET_MS + 500)
    expect(screen.get_by_role("alertdialog", name="Sind Sie noch da?")).to_be_visible()
    screen.clock.run_for(ASKING_MS)
    at_start(screen)
    assert screen.evaluate("document.documentElement.lang") == "en"
    screen.go_back()
    at_start(screen)
    assert "Zardi" not in screen.content()
    assert screen.evaluate("localStorage.length + sessionStorage.length") == 0
    assert "Zardi" not in str(screen.evaluate("[history.state, location.href]"))
    to_the_last_tap(screen, "Table")
    expect(screen.get_by_label("Name")).to_have_value("")


def test_a_touch_says_that_somebody_is_there(screen: Page):
    tap(screen, "I have a reservation")
    screen.keyboard.type("ABC")
    screen.clock.run_for(QUIET_MS + 500)
    tap(screen, "I am still here")
    expect(screen.get_by_role("alertdialog")).to_have_count(0)
    screen.clock.run_for(ASKING_MS + 500)
    expect(screen.locator(".typed")).to_contain_text("ABC")


def test_what_is_done_is_gone_after_a_while(screen: Page):
    to_the_last_tap(screen, "Bay")
    tap(screen, "Yes, book it")
    code = code_shown(screen)
    screen.clock.run_for(DONE_MS + 500)
    at_start(screen)
    assert code[-6:] not in screen.content()


def test_another_language_is_one_tap_away(screen: Page):
    for language, code, words in (
        ("Português", "pt", "Quantas pessoas são?"),
        ("Nederlands", "nl", "Met hoeveel bent u?"),
        ("Español", "es", "¿Cuántos son?"),
        ("English", "en", START),
    ):
        tap(screen, language)
        expect(screen.get_by_text(words)).to_be_visible()
        assert screen.evaluate("document.documentElement.lang") == code


# --- no way out -----------------------------------------------------------------------------------


def test_nothing_leads_away_from_the_page(place: Place, screen: Page):
    tap(screen, "2 people")
    for _ in range(3):
        screen.go_back()
        expect(screen.get_by_role("heading", name="What would you like?")).to_be_visible()
    assert screen.locator("a[href]").count() == 0
    menu = "dispatchEvent(new MouseEvent('contextmenu', {bubbles: true, cancelable: true}))"
    assert screen.evaluate(f"document.querySelector('h1').{menu}") is False
    assert screen.evaluate("getComputedStyle(document.querySelector('h1')).userSelect") == "none"
    screen.reload()
    at_start(screen)
    assert screen.url == f"{place.kiosk.url}/kiosk"


def test_a_session_that_is_over_is_said_to_the_staff_and_a_ticket_begins_another(
    place: Place, screen: Page
):
    screen.context.clear_cookies()
    screen.clock.run_for(LOOK_MS)
    expect(screen.get_by_text("Its session has ended.")).to_be_visible()
    assert screen.get_by_role("button").count() == 0
    screen.goto(place.kiosk.ticket("kiosk"))
    screen.clock.run_for(LOOK_MS)
    at_start(screen)


def test_a_session_that_may_more_than_a_kiosk_shows_nothing(place: Place, browser: Browser):
    with watched_page(browser, PORTRAIT) as page:
        page.goto(place.kiosk.ticket("kiosk", opens="desk"))
        expect(page.get_by_text("It is logged in with rights")).to_be_visible()
        assert page.get_by_role("button").count() == 0


# --- under wet hands ------------------------------------------------------------------------------


def too_small(page: Page) -> list[str]:
    """Buttons and fields that a finger would miss, and whatever sticks out at the sides."""
    found: list[str] = page.evaluate(
        """(least) => [...document.querySelectorAll("button, input, main *")].filter((one) => {
          const box = one.getBoundingClientRect();
          const small = one.matches("button, input") && (box.height < least || box.width < least);
          return box.width > 0 && (small || box.left < -1 || box.right > innerWidth + 1);
        }).map((one) => one.outerHTML.slice(0, 120))""",
        TAP_PX,
    )
    return found


@pytest.mark.parametrize("size", [PORTRAIT, WIDE, PHONE])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_everything_can_be_hit_and_nothing_sticks_out(
    place: Place, browser: Browser, size: tuple[int, int], direction: str
):
    with watched_page(browser, size) as page:
        open_kiosk(page, place.kiosk)
        page.evaluate(f"document.documentElement.dir = '{direction}'")
        assert too_small(page) == []
        tap(page, "I have a reservation")
        expect(page.get_by_role("button", name="Find it")).to_be_visible()
        assert too_small(page) == []
        tap(page, "Back")
        tap(page, "3 people")
        tap(page, re.compile("^Table"))
        expect(page.get_by_role("button", name=re.compile("^Now"))).to_be_visible()
        assert too_small(page) == []
        tap(page, re.compile("^Now"))
        assert too_small(page) == []
