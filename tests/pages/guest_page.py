"""A restaurant that lets guests reserve by themselves, and a guest's browser at its desk."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, expect

from holdfast.node.settings import Settings
from tests.pages.browser import FINGER, PHONE, watched_page
from tests.pages.front_desk import Desk, front_desk, venue_document

PROFILE: Final[dict[str, Any]] = {
    "description": "Roman kitchen, since 1961.",
    "cuisine": ["roman"],
    "price_range": 2,
    "address": {"street": "Via Roma 1", "postal_code": "00184", "city": "Roma", "country": "IT"},
    "geo": [41.8933, 12.4829],
    "contact": {"phone": "+39 06 5550100", "email": "ciao@mario.example"},
}


@contextmanager
def open_restaurant(folder: Path, **changes: Any) -> Generator[Desk]:
    """A front desk whose guests' page is on."""
    with front_desk(folder, venue_document(profile=PROFILE, **changes)) as desk:
        desk.node.settings = Settings(guest_page="on")
        yield desk


@contextmanager
def a_guest(
    browser: Browser, desk: Desk, size: tuple[int, int] = PHONE, **options: Any
) -> Generator[Page]:
    """A telephone at the guests' page."""
    with watched_page(browser, size, **(FINGER | options)) as page:
        page.goto(f"{desk.url}/book")
        expect(page.get_by_role("heading", name="Trattoria da Mario")).to_be_visible()
        yield page


def fill_in(page: Page, name: str = "Ofelia Zardi", phone: str = "+39 06 5550199") -> None:
    """The form, but for its last tap."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Phone").fill(phone)
    page.get_by_label("may keep what I wrote").check()
