"""What those who run a replica see and do over HTTP."""

from __future__ import annotations

import re
import sqlite3
import time
from pathlib import Path

import httpx
import pytest

from holdfast import __version__
from tests.api.conftest import DAY, booking, calling, venue_document
from tests.kit import Fleet

pytestmark = pytest.mark.anyio

ROOT = "http://localhost"


async def test_health_readiness_and_numbers_need_no_token(client: httpx.AsyncClient):
    await client.post("/reservations", json=booking())
    client.headers.pop("authorization")
    began = time.time() - 3_600
    health = (await client.get(f"{ROOT}/healthz")).json()
    assert health == {"status": "ok", "role": "hub", "name": "hub", "version": __version__}
    assert (await client.get(f"{ROOT}/readyz")).json() == {"status": "ready"}
    text = (await client.get(f"{ROOT}/metrics")).text
    assert (
        'holdfast_requests_total{method="POST",route="/api/v1/reservations",status="201"} 1'
    ) in text
    assert 'holdfast_queue_operations{state="queued"} 0' in text
    assert 'holdfast_clock_state{state="undisciplined"} 1' in text
    (since,) = re.findall(r"^process_start_time_seconds (\d+\.\d+)$", text, re.MULTILINE)
    assert began <= float(since) <= time.time()


async def test_a_venue_is_put_read_and_listed(client: httpx.AsyncClient):
    path = "/venues/bistro"
    document = venue_document(venue="bistro", name="Bistro")
    assert (await client.put(path, json=document)).status_code == 201
    again = await client.put(path, json=document | {"name": "Bistro Blu"})
    assert (again.status_code, again.json()["name"]) == (200, "Bistro Blu")
    assert (await client.get(path)).json() == again.json()
    names = [one["venue"] for one in (await client.get("/venues")).json()["items"]]
    assert names == ["bistro", "trattoria"]
    other = await client.put("/venues/cafe", json=document)
    assert other.json()["errors"][0]["field"] == "venue"
    wrong = await client.put(path, json=document | {"time_zone": "Mars/Olympus", "kind": "ship"})
    assert {one["field"] for one in wrong.json()["errors"]} == {"time_zone", "kind"}
    resources = (await client.get("/resources", params={"venue": "bistro"})).json()["items"]
    assert [(one["venue"], one["id"]) for one in resources] == [("bistro", "T1"), ("bistro", "T2")]


async def test_every_list_comes_in_pages_of_the_size_that_is_asked_for(client: httpx.AsyncClient):
    for name in ("bistro", "cafe"):
        document = venue_document(venue=name, name=name, closed=["2026-12-25"])
        await client.put(f"/venues/{name}", json=document)
        await client.post("/tokens", json={"name": name, "role": "staff"})
        made = await client.post("/reservations", json=booking(venue=name, resources=["T1"]))
        assert made.status_code == 201
    for path, shortest in [
        ("/venues", 3), ("/resources", 6), ("/allotments", 3), ("/books", 3), ("/tokens", 2),
        ("/nodes", 0), ("/exceptions", 0), ("/reservations", 2), ("/audit", 5), ("/queue", 0),
    ]:  # fmt: skip
        whole = (await client.get(path)).json()
        assert whole["next"] is None and len(whole["items"]) >= shortest, path
        found: list[object] = []
        cursor: str | None = None
        while True:
            query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await client.get(path, params=query)).json()
            assert len(page["items"]) <= 2, path
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        assert found == whole["items"], path


async def test_the_audit_tells_who_did_what_and_what_it_changed(client: httpx.AsyncClient):
    made = (await client.post("/reservations", json=booking())).json()
    await client.post(f"/reservations/{made['id']}/cancel", json={"reason": "weather"})
    query = {"reservation": made["code"], "limit": 1}
    first = (await client.get("/audit", params=query)).json()
    second = (await client.get("/audit", params=query | {"cursor": first["next"]})).json()
    rows = first["items"] + second["items"]
    assert [row["kind"] for row in rows] == ["reservation.created", "reservation.cancelled"]
    assert (rows[1]["before"]["status"], rows[1]["after"]["status"]) == ("confirmed", "cancelled")
    assert rows[0]["node"] == "hub"
    later = {"from": "2200-01-01T00:00:00Z"}
    assert (await client.get("/audit", params=later)).json()["items"] == []


async def test_each_step_of_a_reservation_is_told_once(client: httpx.AsyncClient):
    """S-16, V-26: what changes it adds one entry, and what was refused or changes nothing none."""
    path = f"/reservations/{(await client.post('/reservations', json=booking())).json()['id']}"
    for step, status in (
        ("confirm", 200), ("confirm", 200), ("no-show", 409), ("complete", 409),
        ("check-in", 200), ("check-in", 409), ("complete", 200), ("cancel", 409),
    ):  # fmt: skip
        answer = await client.post(f"{path}/{step}", json={})
        assert answer.status_code == status, (step, answer.text)
        if step == "confirm":
            assert (await client.patch(path, json={"party_size": 3})).status_code == 200
    told = (await client.get("/audit", params={"reservation": path.rpartition("/")[2]})).json()
    assert [one["kind"].partition(".")[2] for one in told["items"]] == [
        "created", "attendance_confirmed", "amended", "checked_in", "completed",
    ]  # fmt: skip


async def test_a_date_that_nothing_is_known_of_has_no_entries(client: httpx.AsyncClient):
    for path in ("/books/trattoria/2031-01-01", f"/books/nowhere/{DAY}", "/books/nowhere"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["entries"]) == (200, 0)


async def test_a_backup_is_whole_private_and_overwrites_nothing(
    client: httpx.AsyncClient, tmp_path: Path
):
    await client.post("/reservations", json=booking())
    path = tmp_path / "copy.db"
    answer = await client.post("/backup", json={"path": str(path)})
    assert (answer.status_code, answer.json()["bytes"]) == (201, path.stat().st_size)
    assert path.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(path) as copy:
        assert copy.execute("SELECT count(*) FROM reservations").fetchone() == (1,)
    copy.close()
    again = await client.post("/backup", json={"path": str(path)})
    assert (again.status_code, again.json()["type"]) == (409, "urn:holdfast:error:conflict")


async def test_the_clock_and_the_settings_are_shown(client: httpx.AsyncClient):
    clock = (await client.get("/clock")).json()
    assert {"state", "offset_ms", "uncertainty_ms", "earliest", "latest", "sources"} <= set(clock)
    sampled = await client.post("/clock/sample", json={"servers": []})
    assert (sampled.status_code, sampled.json()["applied"]) == (200, False)
    many = {"servers": [f"10.0.0.{n}" for n in range(1, 40)]}
    assert (await client.post("/clock/sample", json=many)).status_code == 422
    assert (await client.get("/config")).json()["ntp"] == []
    status = (await client.get("/status")).json()
    assert (status["role"], status["tenant"]) == ("hub", "acme")


async def test_a_hub_that_recovers_nothing_says_that_it_serves(client: httpx.AsyncClient):
    answer = await client.post("/hub/recover", json={"proceed": False})
    assert answer.json() == {
        "state": "serving", "missing": {}, "shut_out": {}, "before": [], "ended": [],
    }  # fmt: skip


async def test_a_device_that_joined_and_was_never_heard_is_listed(tmp_path: Path):
    with Fleet(tmp_path) as fleet:
        fleet.cut("kiosk")
        fleet.join("kiosk", "kiosk")
        async with calling(fleet.the_hub) as client:
            answered = await client.get("/nodes")
            assert answered.status_code == 200, answered.text
            (row,) = answered.json()["items"]
            assert (row["name"], row["last_seen_at"], row["incarnation"]) == ("kiosk", None, None)
