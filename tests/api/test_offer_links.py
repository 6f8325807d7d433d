"""An offer by its address: taken once by whoever has it, and dead from then on (H-50)."""

from __future__ import annotations

import base64
import copy
import logging
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.model.errors import Conflict, NotAvailable
from holdfast.model.limits import WRONG_TOKENS_AT_ONCE
from holdfast.model.pseudonyms import agent_id
from holdfast.node import lookup, offer_links
from tests.api.conftest import bearer, calling, token_for
from tests.kit import DAY, TRATTORIA, Fleet

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")
SMALL: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "policies": {"advance_days": 365, "waitlist_offer_minutes": 10},
    "resources": [{"id": "T1", "kind": "table", "seats": [1, 2]}],
    "allotments": [{"holder": "desk", "resources": ["T1"]}],
}
TABLE = {"venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2}
WISH = {
    "venue": "trattoria", "date": DAY, "party_size": 2, "from": "19:30", "to": "19:30",
    "agent_id": ANNA,
}  # fmt: skip


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, SMALL) as made:
        made.join("desk")
        made.sync_all()
        yield made


@pytest.fixture
async def desk(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(fleet.nodes["desk"]) as client:
        yield client


@pytest.fixture
async def anybody(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    """Who has no token at all."""
    async with calling(fleet.nodes["desk"], token=None) as client:
        yield client


async def posted(client: httpx.AsyncClient, path: str, body: Any = None) -> dict[str, Any]:
    answer = await client.post(path, json=body or {})
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def offered_by_a_cancellation(desk: httpx.AsyncClient) -> str:
    """The path of somebody who waited, and has an offer since another party cancelled."""
    taken = await posted(desk, "/reservations", TABLE)
    waits = await posted(desk, "/waitlist", WISH | {"guest": {"name": "Anna Ricci"}})
    path = f"/waitlist/{waits['id']}"
    nothing = await desk.post(f"{path}/link", json={})
    assert (nothing.status_code, nothing.json()["type"]) == (
        409, "urn:holdfast:error:not-available",
    )  # fmt: skip
    await posted(desk, f"/reservations/{taken['id']}/cancel")
    assert (await desk.get(path)).json()["state"] == "offered"
    return path


async def refused(client: httpx.AsyncClient, secret: str) -> set[tuple[int, str]]:
    """What becomes of showing and of taking."""
    answers = [await client.post(path, json={"secret": secret}) for path in SHOWN_AND_TAKEN]
    assert len(secret) < 32 or all(secret not in one.text for one in answers)
    return {(one.status_code, one.json()["type"].rpartition(":")[2]) for one in answers}


SHOWN_AND_TAKEN = ("/offer", "/offer/accept")
GONE, UNKNOWN = {(410, "gone")}, {(404, "not-found")}


async def test_who_has_the_address_of_an_offer_sees_it_and_takes_it_once(
    desk: httpx.AsyncClient, anybody: httpx.AsyncClient
):
    path = await offered_by_a_cancellation(desk)
    link = await posted(desk, f"{path}/link")
    assert link["path"] == f"/offer#{link['secret']}"
    assert len(link["secret"]) == offer_links.SECRET_CHARS
    assert await posted(desk, f"{path}/link") == link, "asked for again it is the same"
    body = {"secret": link["secret"]}
    shown = await anybody.post("/offer", json=body)
    assert shown.status_code == 200, shown.text
    assert shown.json()["venue_name"] == "Trattoria da Mario"
    assert shown.json()["starts_at"] == f"{DAY}T19:30:00+02:00"
    assert shown.json()["expires_at"] == link["expires_at"]
    for told in ("Anna", ANNA, '"T1"'):
        assert told not in shown.text
    taken = await anybody.post("/offer/accept", json=body)
    assert taken.status_code == 201, taken.text
    done = taken.json()
    assert (done["status"], done["assurance"]) == ("confirmed", "guaranteed")
    reservation = (await desk.get(f"/reservations/{done['code']}")).json()
    assert (reservation["agent_id"], reservation["resources"]) == (ANNA, ["T1"])
    assert await refused(anybody, link["secret"]) == GONE
    rows = (await desk.get("/audit", params={"reservation": done["code"]})).json()["items"]
    (reserved,) = [one for one in rows if one["kind"] == "reservation.reserved"]
    assert reserved["by"] == ANNA


async def test_a_guest_whose_answer_was_lost_gets_it_again(
    desk: httpx.AsyncClient, anybody: httpx.AsyncClient
):
    path = await offered_by_a_cancellation(desk)
    body = {"secret": (await posted(desk, f"{path}/link"))["secret"]}
    key = {"Idempotency-Key": "of the page"}
    first, again = [await anybody.post("/offer/accept", json=body, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    other = await anybody.post("/offer/accept", json={"secret": "x"}, headers=key)
    assert other.json()["type"] == "urn:holdfast:error:idempotency-key-reused"


async def test_an_address_is_dead_once_its_offer_has_lapsed_and_stays_dead(
    fleet: Fleet, desk: httpx.AsyncClient, anybody: httpx.AsyncClient
):
    path = await offered_by_a_cancellation(desk)
    first = (await posted(desk, f"{path}/link"))["secret"]
    fleet.clocks.advance(minutes=10)
    assert await refused(anybody, first) == GONE
    lapsed = await desk.post(f"{path}/link", json={})
    assert (lapsed.status_code, lapsed.json()["type"]) == (410, "urn:holdfast:error:gone")
    await posted(desk, "/jobs/lapse/run")
    assert await refused(anybody, first) == GONE
    # A later offer of the same place has an address of its own.
    await posted(desk, f"{path}/offer", {"minutes": 10})
    second = (await posted(desk, f"{path}/link"))["secret"]
    assert second != first
    assert await refused(anybody, first) == GONE
    assert (await anybody.post("/offer/accept", json={"secret": second})).status_code == 201


async def test_an_address_is_dead_when_the_party_left(
    desk: httpx.AsyncClient, anybody: httpx.AsyncClient
):
    path = await offered_by_a_cancellation(desk)
    secret = (await posted(desk, f"{path}/link"))["secret"]
    assert (await desk.delete(path)).status_code == 200
    assert await refused(anybody, secret) == GONE


async def test_no_address_can_be_made_up_or_changed_or_taken_elsewhere(
    fleet: Fleet, desk: httpx.AsyncClient, anybody: httpx.AsyncClient
):
    path = await offered_by_a_cancellation(desk)
    secret = (await posted(desk, f"{path}/link"))["secret"]
    data = base64.urlsafe_b64decode(secret)
    later = data[:23] + bytes([data[23] ^ 1]) + data[24:]
    cut = data[:24]
    for wrong in (
        "", "Grüße", "x", "A" * len(secret), secret[:-1], f"{secret}A", secret.swapcase(),
        *(base64.urlsafe_b64encode(one).decode() for one in (later, cut, data[:40], data * 2)),
    ):  # fmt: skip
        assert await refused(anybody, wrong) == UNKNOWN, wrong
        fleet.clocks.advance(seconds=10)
    async with calling(fleet.the_hub, token=None) as at_hub:
        fleet.sync_all()
        assert await refused(at_hub, secret) == UNKNOWN
    assert (await anybody.post("/offer", json={"secret": secret})).status_code == 200


async def test_the_hub_gives_an_address_for_what_a_desk_offers(
    fleet: Fleet, desk: httpx.AsyncClient
):
    """Guests reach the hub, where the desk is behind a router: its holder decides all the same."""
    path = await offered_by_a_cancellation(desk)
    fleet.sync_all()
    async with calling(fleet.the_hub) as hub:
        secret = (await posted(hub, f"{path}/link"))["secret"]
        taken = await posted(hub, "/offer/accept", {"secret": secret})
        fleet.sync_all()
        shown = (await hub.get(f"/reservations/{taken['code']}")).json()
    assert (shown["status"], shown["resources"]) == ("confirmed", ["T1"])
    fleet.assert_agree()


async def test_who_tries_addresses_is_stopped(anybody: httpx.AsyncClient):
    tries = int(WRONG_TOKENS_AT_ONCE)
    for path in SHOWN_AND_TAKEN:
        for number in range(tries):
            answer = await anybody.post(path, json={"secret": f"{number:064}"})
            assert answer.status_code == 404
        tries = 0
        stopped = await anybody.post(path, json={"secret": "0" * 64})
        assert stopped.status_code == 429
        assert "retry-after" in stopped.headers


async def test_the_secret_stands_in_no_log(
    desk: httpx.AsyncClient, anybody: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    path = await offered_by_a_cancellation(desk)
    secret = (await posted(desk, f"{path}/link"))["secret"]
    await anybody.post("/offer", json={"secret": secret})
    await anybody.post("/offer/accept", json={"secret": secret, "colour": secret})
    await anybody.post("/offer/accept", json={"secret": secret})
    assert "/offer/accept 201" in caplog.text
    assert secret not in caplog.text


async def test_only_who_may_offer_a_place_gets_its_address(desk: httpx.AsyncClient):
    path = await offered_by_a_cancellation(desk)
    statuses = {}
    for role in ("staff", "kiosk", "guest", "read-only"):
        token = bearer(await token_for(desk, role, ANNA if role == "guest" else None))
        statuses[role] = (await desk.post(f"{path}/link", json={}, headers=token)).status_code
    assert statuses == {"staff": 200, "kiosk": 403, "guest": 403, "read-only": 403}


async def test_what_was_taken_is_told_apart_from_what_lapsed(
    fleet: Fleet, desk: httpx.AsyncClient, anybody: httpx.AsyncClient
):
    """So that a page whose answer was lost does not say that somebody's own place is gone."""
    path = await offered_by_a_cancellation(desk)
    secret = {"secret": (await posted(desk, f"{path}/link"))["secret"]}
    done = await posted(anybody, "/offer/accept", secret)
    for asked in SHOWN_AND_TAKEN:
        again = await anybody.post(asked, json=secret)
        assert (again.status_code, again.json()["taken_as"]) == (410, done["code"])


async def test_what_lapsed_was_taken_by_nobody(
    fleet: Fleet, desk: httpx.AsyncClient, anybody: httpx.AsyncClient
):
    path = await offered_by_a_cancellation(desk)
    secret = {"secret": (await posted(desk, f"{path}/link"))["secret"]}
    fleet.clocks.advance(minutes=10)
    lapsed = await anybody.post("/offer", json=secret)
    assert lapsed.status_code == 410 and "taken_as" not in lapsed.json()


async def test_a_code_that_names_two_stops_no_offer_and_is_told_to_nobody(
    desk: httpx.AsyncClient, anybody: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    path = await offered_by_a_cancellation(desk)
    secret = {"secret": (await posted(desk, f"{path}/link"))["secret"]}

    def twins(replica: object, code: str) -> None:
        raise Conflict(f"{code} names 2 reservations")

    monkeypatch.setattr(lookup, "by_code", twins)
    assert (await anybody.post("/offer/accept", json=secret)).status_code == 201


async def test_a_refusal_to_somebody_who_says_no_name_is_an_answer_and_no_error(
    anybody: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    def refusing(*_: object) -> None:
        blocks = [{"reason": "repair"}]
        raise NotAvailable("T1 is out of use (repair)", reason="blocked", blocks=blocks,
                           discreet="T1 is out of use")  # fmt: skip

    monkeypatch.setattr(offer_links, "accept", refusing)
    answer = await anybody.post("/offer/accept", json={"secret": "x"})
    assert (answer.status_code, answer.json()["detail"]) == (409, "T1 is out of use")
    assert "repair" not in answer.text
