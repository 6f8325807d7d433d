"""Staff of a device: added, removed, and locked out where a PIN is guessed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.api import staff as staff_module
from holdfast.model.limits import PIN_LOCKED_SECONDS, PIN_NAMES_MAX, PIN_TRIES, PIN_TRIES_PER_DEVICE
from holdfast.node.pins import Pins
from tests.api.conftest import bearer, calling, token_for
from tests.kit import Fleet

pytestmark = pytest.mark.anyio

PIN = "4711"
HOUR = 3_600


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost next to nothing: what they cost is tested by itself."""
    monkeypatch.setattr("holdfast.node.pins._LOG_N", 1)


@pytest.fixture
def fleet(tmp_path: Path) -> Generator[Fleet, None, None]:
    with Fleet(tmp_path) as fleet:
        yield fleet


@pytest.fixture
async def admin(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(fleet.the_hub) as client:
        for name in ("Zoë", "Ugo"):
            added = await client.post("/staff", json={"name": name, "role": "staff", "pin": PIN})
            assert added.status_code == 201, added.text
            fleet.clocks.advance(seconds=1)
        yield client


async def attempt(client: httpx.AsyncClient, name: str, pin: str = "0000") -> httpx.Response:
    page = httpx.AsyncClient(transport=client._transport, base_url=client.base_url)
    return await page.post("/session", json={"staff": name, "pin": pin})


async def statuses(client: httpx.AsyncClient, name: str, times: int) -> list[int]:
    return [(await attempt(client, name)).status_code for _ in range(times)]


# --- adding and removing --------------------------------------------------------------------------


async def test_a_token_that_may_only_add_staff_makes_itself_no_supervisor(
    admin: httpx.AsyncClient,
):
    """It knows the PIN that it gives, and could log in with it."""
    wanted = {"name": "hiring", "role": "admin", "permissions": ["staff.change", "status.read"]}
    hiring = bearer((await admin.post("/tokens", json=wanted)).json()["token"])
    asked = [
        await admin.post("/staff", json={"name": "Eva", "role": role, "pin": PIN}, headers=hiring)
        for role in ("supervisor", "staff", "read-only")
    ]
    asked.append(await admin.put("/staff/Zoë/pin", json={"pin": "0815"}, headers=hiring))
    assert [answer.status_code for answer in asked] == [403] * 4
    assert "guests.erase" in asked[0].json()["detail"]
    assert (await attempt(admin, "Zoë", "0815")).status_code == 401
    assert (await attempt(admin, "Zoë", PIN)).status_code == 200
    gone = await admin.request("DELETE", "/staff/Ugo", headers=hiring)
    assert gone.status_code == 200


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"pin": "123"}, 422, "pin"),
        ({"pin": "12345678901"}, 422, "pin"),
        ({"pin": "12a4"}, 422, "pin"),
        ({"pin": "\u0661\u0662\u0663\u0664"}, 422, "pin"),
        ({"role": "admin"}, 422, "role"),
        ({"role": "kiosk"}, 422, "role"),
        ({"name": ""}, 422, "name"),
        ({"name": "a\nb"}, 422, "name"),
        ({"name": "x" * 65}, 422, "name"),
        ({"name": "ZOË"}, 409, None),
        ({"name": "Zoe\u0308"}, 409, None),
        ({"name": "Anne-Marie O'Neil jr."}, 201, None),
        ({"name": "李雷"}, 201, None),
    ],
)
async def test_who_can_be_added(
    admin: httpx.AsyncClient, changed: dict[str, str], status: int, field: str | None
):
    body = {"name": "Ida", "role": "staff", "pin": PIN} | changed
    answer = await admin.post("/staff", json=body)
    assert answer.status_code == status, answer.text
    if field is not None:
        assert [one["field"] for one in answer.json()["errors"]] == [field]
        assert changed.get("pin", "no pin") not in answer.text


async def test_staff_are_listed_without_anything_of_their_pin(admin: httpx.AsyncClient):
    await attempt(admin, "Ugo", PIN)
    listed = (await admin.get("/staff")).json()["items"]
    assert [(one["name"], one["role"]) for one in listed] == [("Zoë", "staff"), ("Ugo", "staff")]
    assert [bool(one["used_at"]) for one in listed] == [False, True]
    assert set(listed[0]) == {"name", "role", "made_at", "used_at", "locked_until"}


async def test_an_idempotent_answer_keeps_nothing_that_a_pin_could_be_guessed_from(
    fleet: Fleet, admin: httpx.AsyncClient
):
    """A keyed hash with the key beside it is no secret, and a PIN has four digits."""
    key = {"Idempotency-Key": "one"}
    for pin, replayed in [("1234", None), ("9999", "true")]:
        body = {"name": "Ida", "role": "staff", "pin": pin}
        answer = await admin.post("/staff", json=body, headers=key)
        assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, replayed)
    assert (await attempt(admin, "Ida", "1234")).status_code == 200
    assert (await attempt(admin, "Ida", "9999")).status_code == 401


async def test_staff_belong_to_the_device_that_they_were_added_at(
    fleet: Fleet, admin: httpx.AsyncClient
):
    async with calling(fleet.join("desk")) as at_desk:
        assert (await at_desk.get("/staff")).json()["items"] == []
        assert (await attempt(at_desk, "Zoë", PIN)).status_code == 401


async def test_the_log_knows_staff_by_an_id(
    admin: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
):
    page = httpx.AsyncClient(transport=admin._transport, base_url=admin.base_url)
    with caplog.at_level("INFO", logger="holdfast.api"):
        await page.post("/session", json={"staff": "Zoë", "pin": PIN})
        await page.get("/session")
        await admin.post("/staff/Zoë/unlock")
    ours = [r.getMessage() for r in caplog.records if r.name == "holdfast.api"]
    assert len(ours) == 3 and " ms staff-" in ours[1]
    assert "Zoë" not in "".join(ours) and PIN not in "".join(ours)


# --- guessing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Zoë", "nobody"])
async def test_wrong_pins_lock_a_name_for_longer_and_longer(
    fleet: Fleet, admin: httpx.AsyncClient, name: str
):
    """A name that nobody has is treated in the same way: neither answer says who is staff."""
    assert await statuses(admin, name, PIN_TRIES) == [401] * PIN_TRIES
    for seconds in [*PIN_LOCKED_SECONDS, PIN_LOCKED_SECONDS[-1]]:
        locked = await attempt(admin, name, PIN)
        assert (locked.status_code, locked.json()["type"]) == (
            429, "urn:holdfast:error:rate-limited",
        )  # fmt: skip
        assert abs(int(locked.headers["retry-after"]) - seconds) <= 1
        fleet.clocks.advance(seconds=seconds - 2)
        assert (await attempt(admin, name, PIN)).status_code == 429
        fleet.clocks.advance(seconds=3)
        assert (await attempt(admin, name)).status_code == 401
    assert (await attempt(admin, "Ugo", PIN)).status_code == 200


async def test_the_right_pin_in_time_counts_from_the_beginning_again(admin: httpx.AsyncClient):
    for _ in range(3):
        assert await statuses(admin, "Zoë", PIN_TRIES - 1) == [401] * (PIN_TRIES - 1)
        assert (await attempt(admin, "zoë", PIN)).status_code == 200


async def test_names_are_not_tried_one_after_the_other(fleet: Fleet, admin: httpx.AsyncClient):
    for number in range(PIN_TRIES_PER_DEVICE):
        assert await statuses(admin, f"guess-{number}", 1) == [401]
    assert await statuses(admin, "another", 1) == [429]
    assert (await attempt(admin, "Zoë", PIN)).status_code == 429
    fleet.clocks.advance(seconds=PIN_LOCKED_SECONDS[0] + 1)
    assert (await attempt(admin, "Zoë", PIN)).status_code == 200
    assert await statuses(admin, "another", 2) == [401, 429], "one right PIN pays for no others"
    fleet.clocks.advance(hours=25)
    assert await statuses(admin, "another", 2) == [401, 401]


async def test_a_lock_survives_a_restart_and_a_wall_clock_that_is_set(fleet: Fleet):
    async with calling(fleet.the_hub) as client:
        await client.post("/staff", json={"name": "Zoë", "role": "staff", "pin": PIN})
        await statuses(client, "Zoë", PIN_TRIES)
    async with calling(fleet.the_hub) as client:
        fleet.clocks.off_ms["hub"] = 48 * HOUR * 1000.0
        assert (await attempt(client, "Zoë", PIN)).status_code == 429
        fleet.clocks.advance(seconds=PIN_LOCKED_SECONDS[0] + 1)
        assert (await attempt(client, "Zoë", PIN)).status_code == 200


async def test_a_clock_that_is_set_and_a_restart_together_give_one_try_and_no_more(fleet: Fleet):
    """As docs/access.md says: the count of wrong PINs survives both."""
    async with calling(fleet.the_hub) as client:
        await client.post("/staff", json={"name": "Zoë", "role": "staff", "pin": PIN})
        await statuses(client, "Zoë", PIN_TRIES)
    for hours, seconds in ((48, PIN_LOCKED_SECONDS[1]), (96, PIN_LOCKED_SECONDS[2])):
        fleet.clocks.off_ms["hub"] = hours * HOUR * 1000.0
        async with calling(fleet.the_hub) as client:
            assert await statuses(client, "Zoë", 1) == [401]
            locked = await attempt(client, "Zoë", PIN)
            assert locked.status_code == 429
            assert abs(int(locked.headers["retry-after"]) - seconds) <= 1


async def test_a_clock_that_ran_ahead_locks_nobody_out_for_years(fleet: Fleet):
    fleet.clocks.off_ms["hub"] = 400 * 24 * HOUR * 1000.0
    async with calling(fleet.the_hub) as client:
        await client.post("/staff", json={"name": "Zoë", "role": "staff", "pin": PIN})
        await statuses(client, "Zoë", PIN_TRIES)
    fleet.clocks.off_ms["hub"] = 0.0
    async with calling(fleet.the_hub) as client:
        locked = await attempt(client, "Zoë", PIN)
        assert int(locked.headers["retry-after"]) <= PIN_LOCKED_SECONDS[-1]


async def test_a_process_that_dies_while_it_looks_gives_no_try_away(
    admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    def dies(*_: Any) -> bool:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(Pins, "is_right", dies)
        for _ in range(PIN_TRIES):
            assert (await attempt(admin, "Zoë", PIN)).status_code == 500
    assert (await attempt(admin, "Zoë", PIN)).status_code == 429


async def test_an_unknown_name_costs_the_same_work(
    admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    worked: list[tuple[int, int, int]] = []

    def counted(secret: bytes, salt: bytes, log_n: int, r: int, p: int) -> bytes:
        worked.append((log_n, r, p))
        return bytes(32)

    monkeypatch.setattr("holdfast.node.pins._slow", counted)
    answers = [(await attempt(admin, name)).json() for name in ("Zoë", "nobody")]
    assert answers[0] == answers[1]
    assert len(worked) == 2 and worked[0] == worked[1]


async def test_a_supervisor_unlocks_and_staff_do_not(admin: httpx.AsyncClient):
    await statuses(admin, "Zoë", PIN_TRIES)
    (zoe, _) = (await admin.get("/staff")).json()["items"]
    assert zoe["locked_until"]
    for role, status, after in [("staff", 403, 429), ("supervisor", 200, 200)]:
        own = bearer(await token_for(admin, role))
        answer = await admin.post("/staff/Zoë/unlock", headers=own)
        assert answer.status_code == status
        assert (await attempt(admin, "Zoë", PIN)).status_code == after


async def test_a_new_pin_opens_a_lock_and_the_old_one_is_worth_nothing(admin: httpx.AsyncClient):
    await statuses(admin, "Zoë", PIN_TRIES)
    changed = await admin.put("/staff/Zoë/pin", json={"pin": "1234567890"})
    assert (changed.status_code, changed.json()["locked_until"]) == (200, None)
    assert (await attempt(admin, "Zoë", PIN)).status_code == 401
    assert (await attempt(admin, "Zoë", "1234567890")).status_code == 200


async def test_what_is_remembered_of_wrong_names_is_bounded_and_names_nobody(
    fleet: Fleet, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(staff_module, "PIN_NAMES_MAX", 4)
    for number in range(8):
        await attempt(admin, f"secret-{number}")
    rows = fleet.the_hub.store.db.conn.execute("SELECT who FROM wrong_pins").fetchall()
    assert len(rows) == 5 and (b"",) in rows, "four names, and the device"
    assert PIN_NAMES_MAX > 500
    assert not any(b"secret" in who for (who,) in rows)
