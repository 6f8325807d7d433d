"""Who may do what, cell by cell: every route, every role, and whose token it is.

The table is written out by reason and not taken from the one that the product goes by. A route
without a row fails. What is asked for is always of the trattoria, and of Anna; each request that
would change something is one that is refused after the question who asks, so that a cell changes
nothing for the next.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from litestar import Litestar

from holdfast.api import rates
from holdfast.api.app import close_streams, make_app
from holdfast.api.permissions import ROLES
from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import ADMIN, DAY, bearer, booking, calling, venue_document
from tests.api.described import Transport

pytestmark = pytest.mark.anyio

ANNA, BRUNO, NOBODY = (agent_id(b"k" * 32, name) for name in ("anna", "bruno", "nobody"))

# --- the roles, by reason -------------------------------------------------------------------------

ADMINS = {"admin"}
"""Who runs the installation: devices, tokens, files, copies."""
SUPERVISORS = {"admin", "supervisor"}
"""Who answers for the house: exceptions, what is sold by whom, locks."""
DESK = {"admin", "supervisor", "staff"}
"""Who receives guests."""
LOOKERS = DESK | {"read-only"}
"""Who may know how things stand."""
AUDITORS = SUPERVISORS | {"read-only"}
"""Who may know who did what, and on which device."""
LISTERS = LOOKERS | {"guest"}
"""Who sees several reservations at once: a kiosk only the one whose code somebody has."""
SCREENS = LOOKERS | {"kiosk"}
"""A kiosk shows whether it is connected and what time it is."""
GUESTS = DESK | {"kiosk", "guest"}
"""Who takes, calls off and confirms reservations; a guest its own alone."""
CHANGERS = DESK | {"guest"}
"""A kiosk changes nothing: it is anybody who stands there."""
HOUSE = LOOKERS | {"kiosk"}
"""Whoever works there, and what hangs on its walls."""
RECEIVERS = DESK | {"kiosk"}
"""A guest says at the kiosk that they are here."""
ALL = set(ROLES)
NO_ID = "0" * 32
NOBODY_ASKED: set[str] = set()
"""Needs no token, so that nobody is asked for one."""

# --- what a token of another venue gets -----------------------------------------------------------

HIDDEN = "the same, without anything of this venue"
WHOLE = "403, and so does one of this venue: it is about all of the replica"
SAME = "the same: it is about no venue"


class Row(NamedTuple):
    """A request, who may send it, what they get, and what a token of another venue gets."""

    method: str
    path: str
    roles: set[str]
    status: int
    other: int | str
    json: Any = None
    at: str = "hub"


WRONG = {"colour": "red"}
NO_ID = "0" * 32
BLOCK = {
    "venue": "trattoria", "kind": "blocked", "resources": ["T1"], "starts_at": f"{DAY}T10:00",
    "ends_at": f"{DAY}T11:00",
}  # fmt: skip
DAILY = booking(party_size=99, rrule="FREQ=DAILY;COUNT=2")
TABLE = [
    Row("GET", "/healthz", NOBODY_ASKED, 200, SAME),
    Row("GET", "/readyz", NOBODY_ASKED, 200, SAME),
    Row("GET", "/metrics", NOBODY_ASKED, 200, SAME),
    Row("POST", "/sync/v1/exchange", NOBODY_ASKED, 401, SAME),
    Row("POST", "/sync/v1/join", NOBODY_ASKED, 422, SAME),
    Row("POST", "/sync/v1/renew", NOBODY_ASKED, 401, SAME),
    # Reservations
    Row("POST", "/reservations", GUESTS, 409, 403, booking(party_size=99)),
    Row("POST", "/reservations/series", DESK, 409, 403, DAILY),
    Row("POST", "/reservations/bulk", SUPERVISORS, 422, 422, {"items": []}),
    Row("POST", "/reservations/search", LISTERS, 200, 403,
        {"venue": "trattoria", "partner_reference": "BK-4711"}),
    Row("POST", "/reservations/lookup", ALL, 404, 404,
        {"reference": "RES-2027-ZZZZZZ", "email": "ann@example.org"}, at="node"),
    Row("GET", "/reservations", LISTERS, 200, HIDDEN),
    Row("GET", "/reservations?venue=trattoria", LISTERS, 200, 403),
    Row("GET", "/reservations/{reservation}", ALL, 200, 404),
    Row("GET", "/reservations/{code}", ALL, 200, 404),
    Row("GET", "/reservations/{reservation}/calendar.ics", ALL, 200, 404),
    Row("PATCH", "/reservations/{reservation}", CHANGERS, 409, 404, {"party_size": 99}),
    Row("POST", "/reservations/{reservation}/cancel", GUESTS, 422, 404, WRONG),
    Row("POST", "/reservations/{reservation}/confirm", GUESTS, 422, 404, WRONG),
    Row("POST", "/reservations/{reservation}/approve", DESK, 422, 404, WRONG),
    Row("GET", "/reminders?kind=day_before&due_before=2099-01-01T00:00Z", DESK, 200, HIDDEN),
    Row("GET", "/reservations/{reservation}/reminders", DESK, 200, 404),
    Row("POST", "/reservations/{reservation}/reminders", DESK, 422, 404, WRONG),
    Row("POST", "/reservations/{reservation}/check-in", RECEIVERS, 422, 404, WRONG),
    Row("POST", "/reservations/{reservation}/complete", DESK, 422, 404, WRONG),
    Row("POST", "/reservations/{reservation}/no-show", DESK, 422, 404, WRONG),
    Row("POST", "/reservations/{reservation}/undo-no-show", DESK, 422, 404, WRONG),
    Row("POST", "/reservations/import?venue=trattoria", ADMINS, 200, 403),
    # What is held, waits, or is out of use; a guest's own alone, and no guest's that is out of use
    Row("POST", "/holds", GUESTS, 409, 403, booking(party_size=99)),
    Row("GET", "/holds", LISTERS, 200, HIDDEN),
    Row("GET", "/holds?venue=trattoria", LISTERS, 200, 403),
    Row("GET", "/holds/{hold}", ALL, 200, 404),
    Row("PATCH", "/holds/{hold}", GUESTS, 409, 404, {"party_size": 99}),
    Row("POST", "/holds/{hold}/extend", GUESTS, 422, 404, WRONG),
    Row("POST", "/holds/{hold}/reserve", GUESTS, 422, 404, WRONG),
    Row("DELETE", "/holds/{gone_hold}", GUESTS, 409, 404),
    Row(
        "POST", "/waitlist", GUESTS, 409, 403,
        {"venue": "trattoria", "date": DAY, "party_size": 99},
    ),
    Row("GET", "/waitlist", LISTERS, 200, HIDDEN),
    Row("GET", "/waitlist?venue=trattoria", LISTERS, 200, 403),
    Row("GET", "/waitlist/{waiting}", ALL, 200, 404),
    Row("POST", "/waitlist/{waiting}/offer", DESK, 422, 404, WRONG),
    Row("POST", "/waitlist/{waiting}/accept", CHANGERS, 422, 404, WRONG),
    Row("POST", "/waitlist/{waiting}/link", DESK, 422, 404, WRONG),
    Row("DELETE", "/waitlist/{gone_waiting}", GUESTS, 409, 404),
    Row("POST", "/offer", NOBODY_ASKED, 422, SAME, WRONG),
    Row("POST", "/offer/accept", NOBODY_ASKED, 422, SAME, WRONG),
    Row("GET", "/blocks", HOUSE, 200, HIDDEN),
    Row("GET", "/blocks?venue=trattoria", HOUSE, 200, 403),
    Row("GET", "/blocks/{block}", HOUSE, 200, 404),
    Row("POST", "/blocks", SUPERVISORS, 422, 403, BLOCK | {"kind": "party"}),
    Row(
        "POST", "/blocks/bulk", SUPERVISORS, 422, 403, {"items": [BLOCK | {"kind": "party"}]}
    ),
    Row("DELETE", "/blocks/{gone_block}", SUPERVISORS, 409, 404),
    # What there is, and what is free
    Row("GET", f"/availability?venue=trattoria&party_size=2&date={DAY}", ALL, 200, 403),
    Row("GET", "/venues", ALL, 200, HIDDEN),
    Row("GET", "/venues/trattoria", ALL, 200, 403),
    Row("PUT", "/venues/trattoria", ADMINS, 422, 403, WRONG),
    Row("POST", "/reservations/{reservation}/assign", DESK, 422, 404, WRONG),
    Row("POST", "/venues/trattoria/optimise", DESK, 422, 403, WRONG),
    Row("POST", "/venues/trattoria/optimise/none/accept", DESK, 422, 403, WRONG),
    Row("GET", f"/venues/trattoria/notes/{DAY}", DESK, 200, 403, at="node"),
    Row("PUT", f"/venues/trattoria/notes/{DAY}", DESK, 422, 403, WRONG),
    Row("GET", "/venues/trattoria/floor", LOOKERS, 200, 403),
    Row("GET", f"/venues/trattoria/slots?date={DAY}", LOOKERS, 200, 403),
    Row("POST", "/venues/trattoria/resources/T1/state", DESK, 422, 403, WRONG),
    Row("GET", "/venues/trattoria/calendar.ics", LOOKERS, 200, 403),
    Row("GET", "/resources", ALL, 200, HIDDEN),
    Row("GET", "/resources?venue=trattoria", ALL, 200, 403),
    Row("GET", "/blackouts", ALL, 200, HIDDEN),
    Row("GET", "/blackouts?venue=trattoria", ALL, 200, 403),
    Row("GET", "/vocabulary", ALL, 200, SAME),
    # What is added up
    Row("GET", "/analytics/violations?venue=trattoria", LOOKERS, 200, 403),
    # Who sells what
    Row("GET", "/allotments", LOOKERS, 200, HIDDEN),
    Row("GET", "/allotments?venue=trattoria", LOOKERS, 200, 403),
    Row(
        "POST", "/allotments", SUPERVISORS, 422, 403,
        {"venue": "trattoria", "holder": "desk", "resources": ["X*"]},
    ),
    Row("POST", "/allotments/{right}/return", SUPERVISORS, 403, 404, {}),
    Row("POST", "/allotments/{right}/revoke", SUPERVISORS, 422, 404, {"reason": "Whim!"}),
    # Guests, at a desk that reads their cards
    Row("POST", "/guests/search", DESK, 422, WHOLE, WRONG, at="node"),
    Row("GET", "/guests?begins=agent_000000", DESK, 200, WHOLE),
    Row("GET", f"/guests/{NOBODY}", DESK, 404, WHOLE, at="node"),
    Row("GET", f"/guests/{NOBODY}/export", SUPERVISORS, 404, WHOLE, at="node"),
    Row("DELETE", f"/guests/{NOBODY}", SUPERVISORS, 404, WHOLE, at="node"),
    Row("GET", "/erasures", SUPERVISORS, 200, WHOLE, at="node"),
    # On which terms a guest reserves, at a venue
    Row("GET", "/restrictions", DESK, 200, HIDDEN),
    Row("GET", f"/guests/{NOBODY}/restrictions", DESK, 200, HIDDEN),
    Row(
        "POST", f"/guests/{NOBODY}/restrictions", SUPERVISORS, 422, 403,
        {"venue": "trattoria", "restriction": "booking-ban", "reason": "Whim!"},
    ),
    Row(
        "POST", f"/guests/{NOBODY}/restrictions/{{restriction}}/lift", SUPERVISORS, 422, 404,
        {"reason": "Whim!"},
    ),
    Row("GET", f"/guests/{NOBODY}/profile?venue=trattoria", DESK, 200, 403),
    Row("GET", f"/guests/{NOBODY}/pattern?venue=trattoria", DESK, 200, 403),
    Row("PUT", f"/guests/{NOBODY}/profile", DESK, 422, 403,
        {"venue": "trattoria", "tier": "Whim!"}),
    # What a venue knows of a guest; what is sealed at a desk that reads it
    Row("GET", f"/guests/{NOBODY}/history?venue=trattoria", DESK, 200, 403),
    Row("GET", f"/guests/{NOBODY}/reservations?venue=trattoria", DESK, 200, 403),
    Row("GET", f"/guests/{NOBODY}/context?venue=trattoria", DESK, 200, 403),
    Row("GET", f"/guests/{NOBODY}/flags?venue=trattoria", DESK, 200, 403),
    Row("PUT", f"/guests/{NOBODY}/flags/loud", DESK, 422, 403, {"venue": "trattoria", "up": True}),
    Row("GET", f"/guests/{NOBODY}/notes?venue=trattoria", DESK, 200, 403, at="node"),
    Row("POST", f"/guests/{NOBODY}/notes", DESK, 422, 403,
        {"venue": "trattoria", "kind": "gossip", "text": "x"}),
    Row("PATCH", f"/guests/{NOBODY}/notes/{NO_ID}", DESK, 404, 404, {"alert": True}),
    Row("POST", f"/guests/{NOBODY}/notes/{NO_ID}/withdraw", DESK, 404, 404, {}),
    Row("GET", f"/guests/{NOBODY}/preferences?venue=trattoria", DESK, 200, 403, at="node"),
    Row("PATCH", f"/guests/{NOBODY}/preferences", DESK, 422, 403,
        {"venue": "trattoria", "language": "not a language"}),
    Row("POST", f"/guests/{NOBODY}/merge", DESK, 422, 403,
        {"venue": "trattoria", "other": "nobody"}),
    Row("POST", f"/guests/{NOBODY}/unmerge", DESK, 422, 403,
        {"venue": "trattoria", "other": "nobody"}),
    Row("GET", "/guests/duplicates?venue=trattoria", DESK, 200, 403, at="node"),
    Row("POST", "/venues/trattoria/rotate-key", SUPERVISORS, 422, WHOLE, WRONG, at="node"),
    Row("POST", "/venues/trattoria/share-key", ADMINS, 422, WHOLE, WRONG, at="node"),
    # The queue, the exchange, the clock
    Row("GET", "/queue", LOOKERS, 200, HIDDEN),
    Row("GET", f"/queue/{NO_ID}", LOOKERS, 404, 404),
    Row("POST", f"/queue/{NO_ID}/retry", DESK, 404, 404, {}),
    Row("POST", f"/queue/{NO_ID}/withdraw", SUPERVISORS, 404, 404, {"reason": "duplicate"}),
    Row("GET", "/sync", SCREENS, 200, HIDDEN),
    Row("GET", "/sync/log", SCREENS, 200, WHOLE),
    Row("POST", "/sync/now", DESK, 422, WHOLE, WRONG, at="node"),
    Row("POST", "/sync/pause", DESK, 422, WHOLE, WRONG, at="node"),
    Row("POST", "/sync/resume", DESK, 422, WHOLE, WRONG, at="node"),
    Row("POST", "/sync/hub", ADMINS, 422, WHOLE, WRONG, at="node"),
    Row("POST", "/sync/rejoin", ADMINS, 422, WHOLE, WRONG, at="node"),
    Row("GET", "/clock", SCREENS, 200, SAME),
    Row("POST", "/clock/sample", SUPERVISORS, 422, WHOLE, WRONG),
    # What can be checked
    Row("GET", "/books", LOOKERS, 200, HIDDEN),
    Row("GET", "/books/trattoria", LOOKERS, 200, 403),
    Row("GET", f"/books/trattoria/{DAY}", LOOKERS, 200, 403),
    Row("GET", "/exceptions", LOOKERS, 200, HIDDEN),
    Row("GET", "/exceptions?venue=trattoria", LOOKERS, 200, 403),
    Row("GET", f"/exceptions/{NO_ID}.fork", LOOKERS, 404, 404),
    Row(
        "POST", f"/exceptions/{NO_ID}.fork/resolve", SUPERVISORS, 404, 404,
        {"action": "acknowledge", "reason": "seen"},
    ),
    Row("GET", "/audit", AUDITORS, 200, HIDDEN),
    Row("GET", "/audit?reservation={code}", AUDITORS, 200, 404),
    # Figures
    Row("GET", f"/analytics/service?venue=trattoria&date={DAY}", LOOKERS, 200, 403),
    Row("GET", f"/analytics/range?venue=trattoria&from={DAY}&to={DAY}", LOOKERS, 200, 403),
    Row("GET", f"/analytics/turnover?venue=trattoria&from={DAY}&to={DAY}", LOOKERS, 200, 403),
    Row("GET", "/analytics/no-shows?venue=trattoria", LOOKERS, 200, 403),
    Row("GET", f"/analytics/venues?from={DAY}&to={DAY}", LOOKERS, 200, HIDDEN),
    Row("GET", "/analytics/volume", LOOKERS, 200, HIDDEN),
    Row("GET", f"/analytics/business?account=none&from={DAY}&to={DAY}", LOOKERS, 404, 404),
    Row("GET", f"/analytics/agents/{ANNA}", LOOKERS, 200, HIDDEN),
    # The stream is asked of an application whose streams end at once.
    Row("GET", "/stream", ALL, 200, HIDDEN, at="stopping"),
    # What those who run it do
    Row("GET", "/status", SCREENS, 200, WHOLE),
    Row("GET", "/config", ADMINS, 200, WHOLE),
    Row("GET", "/nodes", AUDITORS, 200, HIDDEN),
    Row("POST", "/nodes/nobody/revoke", ADMINS, 404, WHOLE, {"reason": "stolen"}),
    Row("POST", "/invites", ADMINS, 422, 403, {"venue": "trattoria", "role": "x", "name": "x"}),
    Row("GET", "/invites", ADMINS, 200, WHOLE),
    Row("DELETE", "/invites/nobody", ADMINS, 404, WHOLE),
    Row("POST", "/certificate/renew", ADMINS, 422, WHOLE, WRONG),
    Row("GET", "/hub/recovery", AUDITORS, 200, WHOLE),
    Row("POST", "/hub/recover", ADMINS, 422, WHOLE, WRONG),
    Row("GET", "/jobs", SUPERVISORS, 200, WHOLE),
    Row("POST", "/jobs/laundry/run", SUPERVISORS, 404, WHOLE, {}),
    Row("POST", "/backup", ADMINS, 422, WHOLE, WRONG),
    # Who may call
    Row("GET", "/tokens", ADMINS, 200, WHOLE),
    Row("POST", "/tokens", ADMINS, 422, WHOLE, WRONG),
    Row("DELETE", "/tokens/nobody", ADMINS, 404, WHOLE),
    Row("POST", "/session", NOBODY_ASKED, 422, SAME, WRONG),
    Row("GET", "/session", ALL, 200, SAME),
    Row("DELETE", "/session", ALL, 404, SAME),
    Row("POST", "/tickets", ADMINS, 422, WHOLE, WRONG),
    Row("GET", "/staff", SUPERVISORS, 200, WHOLE),
    Row("POST", "/staff", ADMINS, 422, WHOLE, WRONG),
    Row("PUT", "/staff/nobody/pin", ADMINS, 404, WHOLE, {"pin": "1234"}),
    Row("POST", "/staff/nobody/unlock", SUPERVISORS, 404, WHOLE, {}),
    Row("DELETE", "/staff/nobody", ADMINS, 404, WHOLE),
]  # fmt: skip
WAITS = {"venue": "trattoria", "date": DAY, "party_size": 2, "agent_id": ANNA}
AT_THE_ROOT = ("/healthz", "/readyz", "/metrics", "/sync/v1")


def address(row: Row) -> str:
    """A row's path as it is called; between replicas `/sync/v1` stands at the root."""
    at_root = row.path.startswith(AT_THE_ROOT)
    return f"http://localhost{row.path}" if at_root else row.path


def expected(row: Row, role: str, whose: str) -> int:
    """The status of a cell."""
    if row.roles == NOBODY_ASKED:
        return row.status
    if whose == "another tenant":
        return 401
    if role not in row.roles:
        return 403
    if row.other == WHOLE and whose in ("this venue", "another venue") and row.at != "node":
        return 403
    if whose == "another venue" and isinstance(row.other, int):
        return row.other
    if whose == "another guest" and "{" in row.path:
        return 404
    return row.status


@pytest.fixture(autouse=True)
def wrong_tokens_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is longer than wrong tokens are let by at once."""
    monkeypatch.setattr("holdfast.api.rates.WRONG_TOKENS_AT_ONCE", 10 * len(TABLE))


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return venue_document(allotments=[{"holder": "desk", "resources": ["T1"]}])


class Place(NamedTuple):
    """The replicas, called as each caller, and the ids that the table speaks of."""

    client_by_at: dict[str, httpx.AsyncClient]
    ids: dict[str, str]
    stopping: Litestar


@pytest.fixture
async def place(
    hub: Hub, desk: Node, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Place, None]:
    # A strange token is shown once for each row, which are more than one address may try.
    monkeypatch.setattr(rates, "WRONG_TOKENS_AT_ONCE", 2 * len(TABLE))
    hub.import_venue(venue_document(venue="bistro", name="Bistro", allotments=[]))
    desk.sync()
    stopping = make_app(hub, admin_token=ADMIN)
    close_streams(stopping)
    transport = Transport(stopping)  # type: ignore[arg-type]
    async with (
        calling(hub) as at_hub,
        calling(desk) as at_node,
        stopping.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as ending,
    ):
        made = (await at_hub.post("/reservations", json=booking(agent_id=ANNA))).json()
        for other in (booking(agent_id=BRUNO), booking(venue="bistro", agent_id=ANNA)):
            assert (await at_hub.post("/reservations", json=other)).status_code == 201
        rights = (await at_hub.get("/allotments")).json()["items"]
        right = next(one["id"] for one in rights if one["holder"] == "desk")
        banned = await at_hub.post(
            f"/guests/{NOBODY}/restrictions",
            json={"venue": "trattoria", "restriction": "booking-ban", "reason": "test"},
        )
        ids = {
            "reservation": made["id"], "code": made["code"], "right": right,
            "restriction": banned.json()["id"],
        }  # fmt: skip
        ids |= await _others(at_hub)
        yield Place({"hub": at_hub, "node": at_node, "stopping": ending}, ids, stopping)


async def _others(client: httpx.AsyncClient) -> dict[str, str]:
    """What is held, waits and is out of use, of Anna where it is anybody's; and one of each that
    is gone already."""
    found = {}
    at = {"starts_at": f"{DAY}T08:00", "agent_id": ANNA}
    bodies = {
        "hold": ("/holds", booking(**at)),
        "gone_hold": ("/holds", booking(**at)),
        "waiting": ("/waitlist", WAITS),
        "gone_waiting": ("/waitlist", WAITS),
        "block": ("/blocks", BLOCK),
        "gone_block": ("/blocks", BLOCK | {"resources": ["T2"]}),
    }
    for name, (path, body) in bodies.items():
        made = await client.post(path, json=body)
        assert made.status_code == 201, made.text
        found[name] = made.json()["id"]
        if name.startswith("gone"):
            assert (await client.delete(f"{path}/{found[name]}")).status_code == 200
    elsewhere = [("/holds", booking(venue="bistro")), ("/waitlist", WAITS | {"venue": "bistro"})]
    for path, body in elsewhere:
        assert (await client.post(path, json=body)).status_code == 201
    return found


async def tokens_of(place: Place, role: str) -> dict[str, dict[str, str]]:
    """A token of a role at each replica, by whose it is."""
    limits: dict[str, dict[str, Any]] = {
        "anybody": {},
        "this venue": {"venues": ["trattoria"]},
        "another venue": {"venues": ["bistro"]},
    }
    if role == "guest":
        limits["another guest"] = {"agent_id": BRUNO}
    found: dict[str, dict[str, str]] = {}
    for whose, limit in limits.items():
        for at in ("hub", "node"):
            if at == "node" and whose == "another venue":
                continue  # A node has one venue and makes no token for another.
            body = {"name": f"{role}-{whose.replace(' ', '-')}", "role": role, **limit}
            if role == "guest":
                body.setdefault("agent_id", ANNA)
            made = await place.client_by_at[at].post("/tokens", json=body)
            assert made.status_code == 201, made.text
            found.setdefault(whose, {})[at] = made.json()["token"]
    # It is another application of the same directory, which a served one never has beside it.
    place.stopping.state.face.access.tokens.reload()
    return found


PAGES = {("GET", "/"), ("GET", "/assets/{name}")}
"""For browsers; `/{page}` is told with `/metrics` and its like."""


def test_every_route_has_a_row(hub: Hub):
    app = make_app(hub, admin_token=ADMIN)
    served = {
        (method, route.path_format.removeprefix("/api/v1"))
        for route in app.routes
        if hasattr(route, "route_handler_map") and not route.path.startswith("/schema")
        for method in route.route_handler_map
        if method != "OPTIONS"
    }
    told = set()
    for row in TABLE:
        path = row.path.partition("?")[0].strip("/").split("/")
        told |= {
            (method, template)
            for method, template in served
            if method == row.method
            and len(parts := template.strip("/").split("/")) == len(path)
            and all(part in (one, *_named(part)) for part, one in zip(parts, path, strict=True))
        }
    assert served - told == PAGES, "each route has a row, but for the pages, which ask for no role"
    assert told <= served


def _named(part: str) -> tuple[str, ...]:
    """A parameter of a path stands for whatever is in its place."""
    return (part,) if part.startswith("{") else ()


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
async def test_every_cell(place: Place, tmp_path: Path, role: str):
    tokens = await tokens_of(place, role)
    strange_hub = Hub.init(tmp_path / "strange", "another", synchronous="NORMAL")
    strange_hub.import_venue(venue_document())
    try:
        async with calling(strange_hub) as strangers:
            body = {"name": "x", "role": role, "agent_id": ANNA if role == "guest" else None}
            strange = (await strangers.post("/tokens", json=body)).json()["token"]
    finally:
        strange_hub.close()
    tokens["another tenant"] = {"hub": strange, "node": strange}
    for row in TABLE:
        client = place.client_by_at[row.at]
        for whose, token_by_at in tokens.items():
            token = token_by_at.get("node" if row.at == "node" else "hub")
            if token is None:
                continue
            path = address(row)
            for name, value in place.ids.items():
                path = path.replace(f"{{{name}}}", value)
            answer = await client.request(row.method, path, json=row.json, headers=bearer(token))
            cell = (role, whose, row.method, row.path, answer.text[:300])
            assert answer.status_code == expected(row, role, whose), cell
            if whose == "another venue" and row.other == HIDDEN:
                assert "trattoria" not in answer.text, cell
            if whose == "another guest":
                assert ANNA not in answer.text, cell


@pytest.mark.slow
async def test_without_a_token_nothing_is_told(place: Place):
    for row in TABLE:
        client = place.client_by_at[row.at]
        headers = {"Authorization": ""}
        path = address(row).replace("{reservation}", place.ids["reservation"])
        answer = await client.request(row.method, path, json=row.json, headers=headers)
        wanted = row.status if row.roles == NOBODY_ASKED else 401
        assert answer.status_code == wanted, (row.method, row.path, answer.text)
