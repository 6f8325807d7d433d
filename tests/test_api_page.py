"""docs/api.md names endpoints that there are, with the methods that they have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from holdfast.api.app import make_app
from holdfast.node.hub import Hub

PAGE = (Path(__file__).parent.parent / "docs" / "api.md").read_text("utf-8")
RIGHT = [line.rsplit("|", 2)[1] for line in PAGE.splitlines() if line.startswith("|")]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Path -> methods, as a hub describes itself."""
    hub = Hub.init(tmp_path_factory.mktemp("described") / "hub", "acme")
    try:
        paths = make_app(hub, admin_token="a" * 32).openapi_schema.to_schema()["paths"]
    finally:
        hub.close()
    return {path: {method.upper() for method in item} for path, item in paths.items()}


def named() -> list[tuple[str, str]]:
    """(methods, path) of each endpoint on the right of a table."""
    found = re.findall(r"`?((?:(?:GET|POST|PUT|PATCH|DELETE)`? ?(?:and )?`?)+)(/api/v1[^ `?]*)",
                       " ".join(RIGHT))  # fmt: skip
    assert len(found) > 40
    return [
        (method, path)
        for methods, path in found
        for method in re.findall("GET|POST|PUT|PATCH|DELETE", methods)
    ]


def test_every_endpoint_on_the_page_is_there(described: dict[str, set[str]]):
    missing = [
        f"{method} {path}" for method, path in named() if method not in described.get(path, set())
    ]
    assert missing == []


def test_what_is_usual_elsewhere_has_its_line():
    """V-31 to V-47 and H-58 to H-64, each by a word that stands on the left."""
    left = " ".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("|"))
    for word in (
        "POST /api/bookings", "GET /api/bookings/:id", "DELETE /api/bookings/:id", "reschedule",
        "confirm", "no-show", "/api/availability", "/api/resources", "/api/blackouts",
        "/api/admin/bookings/block", "/api/admin/bookings/bulk", "/api/admin/bookings/analytics",
        "a ban", "restaurants: list", "opening hours", "lookup", "assign tables", "tables: create",
        "floor plan", "guests: profile", "notes", "waitlist: add", "notify", "dashboard", "revenue",
        "slots: capacity", "slots: close",
    ):  # fmt: skip
        assert word in left, word
