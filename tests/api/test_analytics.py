"""Figures over HTTP: they agree with the lists, as JSON and as a table that is safe to open."""

from __future__ import annotations

import csv
import datetime
import io
from collections import Counter
from typing import Any

import httpx
import pytest

from holdfast.api import csv_text
from holdfast.api.parsing import prefers
from holdfast.api.permissions import PERMISSIONS, ROLES
from holdfast.api.shapes import analytics
from holdfast.model.figure_lines import line
from holdfast.model.figures import Tally
from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import DAY, bearer, booking, calling, token_for, venue_document

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")
SERVICE = "/analytics/service"
RANGE = "/analytics/range"
DAYS = {"from": DAY, "to": DAY}


async def an_evening(client: httpx.AsyncClient) -> None:
    """Three reservations, of which one is called off and one is the house's."""
    bodies: list[dict[str, Any]] = [
        booking(agent_id=ANNA),
        booking(agent_id=ANNA, starts_at=f"{DAY}T12:00", party_size=4, source="phone"),
        booking(kind="house", starts_at=f"{DAY}T15:00"),
    ]
    made = [await client.post("/reservations", json=body) for body in bodies]
    assert {one.status_code for one in made} == {201}
    await client.post(f"/reservations/{made[0].json()['code']}/cancel", json={"by": "venue"})


def read(answer: httpx.Response) -> list[dict[str, str]]:
    """A table as a spreadsheet reads it."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    text = answer.content.decode()
    assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_a_services_figures_agree_with_the_list(client: httpx.AsyncClient):
    await an_evening(client)
    listed = (await client.get("/reservations", params={"date": DAY})).json()["items"]
    found = (await client.get(SERVICE, params={"venue": "trattoria", "date": DAY})).json()
    assert (found["venue"], found["date"]) == ("trattoria", DAY)
    assert found["reservations"] == len(listed) == 3
    for division, field in (
        ("statuses", "status"), ("kinds", "kind"), ("sources", "source"),
        ("assurances", "assurance"),
    ):  # fmt: skip
        assert found[division] == Counter(one[field] for one in listed)
    assert found["covers"] == {"booked": 4, "seated": 0}
    assert found["cancellations"]["by_venue"] == 1
    assert found["hours"] == [{"hour": "12:00", "parties": 1, "covers": 4}]
    assert found["utilisation"]["booked_minutes"] == 180


async def test_a_range_has_a_line_for_each_day(client: httpx.AsyncClient):
    await an_evening(client)
    found = (await client.get(RANGE, params={"venue": "trattoria", **DAYS})).json()
    (day,) = found["days"]
    assert (found["from"], found["to"], day["date"]) == (DAY, DAY, DAY)
    assert day["reservations"] == found["reservations"] == 3
    assert day["cancelled"] == found["statuses"]["cancelled"] == 1


async def test_a_venues_figures_are_those_of_its_own_reservations(
    hub: Hub, client: httpx.AsyncClient
):
    hub.import_venue(venue_document(venue="bistro", name="=Bistro", allotments=[]))
    await an_evening(client)
    await client.post("/reservations", json=booking(venue="bistro"))
    found = (await client.get("/analytics/venues", params=DAYS)).json()
    assert found["next"] is None
    counts = {one["venue"]: one["reservations"] for one in found["items"]}
    assert counts == {"bistro": 1, "trattoria": 3}
    for venue, many in counts.items():
        listed = (await client.get("/reservations", params={"venue": venue})).json()["items"]
        assert len(listed) == many
    first = (await client.get("/analytics/venues", params={**DAYS, "limit": 1})).json()
    second = await client.get(
        "/analytics/venues", params={**DAYS, "limit": 1, "cursor": first["next"]}
    )
    pages = [first["items"], second.json()["items"]]
    assert [one["venue"] for page in pages for one in page] == ["bistro", "trattoria"]
    rows = read(await client.get("/analytics/venues", params={**DAYS, "format": "csv"}))
    assert [(row["venue"], row["name"], row["from"]) for row in rows] == [
        ("bistro", "'=Bistro", DAY), ("trattoria", "Trattoria da Mario", DAY),
    ]  # fmt: skip


async def test_the_volume_of_today_this_week_and_this_month_is_that_of_the_reservations(
    hub: Hub, client: httpx.AsyncClient
):
    hub.import_venue(venue_document(venue="bistro", name="Bistro"))
    now = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
    bodies = [booking(starts_at=now.isoformat(), kind="walk_in", party_size=1)]
    for ahead, party in ((1, 2), (2, 3), (8, 4), (40, 2)):
        at = now.replace(hour=20, minute=0) + datetime.timedelta(days=ahead)
        bodies.append(booking(starts_at=at.isoformat(), party_size=party))
    for body in bodies:
        made = await client.post("/reservations", json=body)
        assert made.status_code == 201, made.text
    found = (await client.get("/analytics/volume")).json()
    assert (found["next"], [one["venue"] for one in found["items"]]) == (
        None, ["bistro", "trattoria"],
    )  # fmt: skip
    bistro, trattoria = found["items"]
    assert {bistro[period]["parties"] for period in ("today", "week", "month")} == {0}
    listed = (await client.get("/reservations", params={"venue": "trattoria"})).json()["items"]
    today = trattoria["date"]
    assert (len(listed), listed[0]["service_date"]) == (5, today)
    for period in ("today", "week", "month"):
        one = trattoria[period]
        assert one["from"] <= today <= one["to"]
        within = [it for it in listed if one["from"] <= it["service_date"] <= one["to"]]
        assert (one["parties"], one["covers"]) == (
            len(within), sum(it["party_size"] for it in within),
        )  # fmt: skip
    week, month = trattoria["week"], trattoria["month"]
    monday = datetime.date.fromisoformat(week["from"])
    assert (monday.weekday(), (datetime.date.fromisoformat(week["to"]) - monday).days) == (0, 6)
    assert (month["from"][-2:], month["from"][:7]) == ("01", month["to"][:7])
    after = datetime.date.fromisoformat(month["to"]) + datetime.timedelta(days=1)
    assert after.day == 1
    first = (await client.get("/analytics/volume", params={"limit": 1})).json()
    rest = await client.get("/analytics/volume", params={"limit": 1, "cursor": first["next"]})
    assert [first["items"][0]["venue"], rest.json()["items"][0]["venue"]] == ["bistro", "trattoria"]


async def test_a_business_is_the_sum_of_its_venues(hub: Hub, client: httpx.AsyncClient):
    hub.import_venue(venue_document(business_account="ba_1"))
    hub.import_venue(
        venue_document(venue="bistro", name="Bistro", allotments=[], business_account="ba_1")
    )
    await an_evening(client)
    await client.post("/reservations", json=booking(venue="bistro"))
    asked = {"account": "ba_1", **DAYS}
    found = (await client.get("/analytics/business", params=asked)).json()
    assert (found["business_account"], found["from"], found["to"]) == ("ba_1", DAY, DAY)
    assert found["reservations"] == 4
    assert {one["venue"]: one["reservations"] for one in found["venues"]} == {
        "bistro": 1, "trattoria": 3,
    }  # fmt: skip
    rows = read(await client.get("/analytics/business", params=asked | {"format": "csv"}))
    assert [(row["venue"], row["reservations"]) for row in rows] == [
        ("bistro", "1"), ("trattoria", "3"), ("", "4"),
    ]  # fmt: skip


async def test_who_sees_one_venue_of_a_business_gets_no_sum(hub: Hub):
    for venue in ("trattoria", "bistro"):
        hub.import_venue(venue_document(venue=venue, allotments=[], business_account="ba_1"))
    async with calling(hub) as admin:
        body = {"name": "a-bistro", "role": "read-only", "venues": ["bistro"]}
        token = (await admin.post("/tokens", json=body)).json()["token"]
        asked = {"account": "ba_1", **DAYS}
        found = await admin.get("/analytics/business", params=asked, headers=bearer(token))
        assert found.status_code == 403


async def test_a_guests_figures_agree_with_the_list(client: httpx.AsyncClient):
    await an_evening(client)
    listed = (await client.get("/reservations", params={"agent_id": ANNA})).json()["items"]
    found = (await client.get(f"/analytics/agents/{ANNA}")).json()
    assert found["statuses"] == Counter(one["status"] for one in listed)
    assert found["reservations"] == len(listed) == 2
    assert [one["venue"] for one in found["venues"]] == ["trattoria"]
    assert (await client.get("/analytics/agents/anna")).status_code == 422


# --- tables ---------------------------------------------------------------------------------------


async def test_a_table_has_what_the_lines_have(client: httpx.AsyncClient):
    await an_evening(client)
    asked = {"venue": "trattoria", **DAYS}
    (day,) = (await client.get(RANGE, params=asked)).json()["days"]
    for answer in (
        await client.get(RANGE, params=asked | {"format": "csv"}),
        await client.get(RANGE, params=asked, headers={"Accept": "text/csv"}),
        await client.get(SERVICE, params={"venue": "trattoria", "date": DAY, "format": "csv"}),
    ):
        (row,) = read(answer)
        assert answer.headers["vary"] == "Accept"
        assert list(row) == ["venue", "date", *analytics.FigureLine.__struct_fields__]
        told = {name: "" if value is None else str(value) for name, value in day.items()}
        assert row == {"venue": "trattoria", **told}


async def test_the_form_that_is_named_counts_more_than_the_one_that_is_preferred(
    client: httpx.AsyncClient,
):
    asked = {"venue": "trattoria", "date": DAY}
    table = {"Accept": "text/csv"}
    answer = await client.get(SERVICE, params=asked | {"format": "json"}, headers=table)
    assert answer.json()["reservations"] == 0
    answer = await client.get(SERVICE, params=asked | {"format": "xml"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "format")


@pytest.mark.parametrize(
    ("accept", "table"),
    [
        (None, False),
        ("*/*", False),
        ("application/json, text/csv", False),
        ("text/csv", True),
        ("text/csv, application/json;q=0.5", True),
        ("text/csv;q=0.2, application/json;q=0.5", False),
        ("TEXT/CSV ; charset=utf-8", True),
        ("text/csv;q=0", False),
        ("text/csv;q=much", False),
    ],
)
def test_a_table_is_sent_to_whom_it_is_dearer(accept: str | None, table: bool):
    assert prefers(accept, "text/csv", "application/json") is table


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_a_text_in_a_table_is_no_formula(text: str):
    table = csv_text.table(["name", "n"], [{"name": text, "n": -1}])
    (_, row) = csv.reader(io.StringIO(table.decode(), newline=""))
    assert row == [f"'{text}", "-1"]


def test_a_table_quotes_as_rfc_4180_has_it():
    table = csv_text.table(["a", "b"], [{"a": 'x "y", z', "b": None}, {"a": "1\r\n2", "b": 0.5}])
    assert table == b'a,b\r\n"x ""y"", z",\r\n"1\r\n2",0.5\r\n'


def test_the_columns_are_those_of_the_lines():
    columns = list(line(Tally().figures() | {}))
    assert columns == list(analytics.FigureLine.__struct_fields__)


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
async def test_figures_are_for_those_who_answer_for_the_house_and_the_wall(
    client: httpx.AsyncClient, role: str
):
    token = await token_for(client, role, ANNA if role == "guest" else None)
    for path in (
        f"{SERVICE}?venue=trattoria",
        f"{RANGE}?venue=trattoria&from={DAY}&to={DAY}",
        f"/analytics/venues?from={DAY}&to={DAY}",
        f"/analytics/agents/{ANNA}",
    ):
        answer = await client.get(path, headers=bearer(token))
        assert (answer.status_code == 200) == ("analytics.read" in PERMISSIONS[role]), path
    assert ("analytics.read" in PERMISSIONS[role]) == (role not in ("kiosk", "guest"))


async def test_a_token_of_one_venue_counts_that_one_alone(hub: Hub, client: httpx.AsyncClient):
    hub.import_venue(venue_document(venue="bistro", name="Bistro", allotments=[]))
    await an_evening(client)
    await client.post("/reservations", json=booking(venue="bistro", agent_id=ANNA))
    body = {"name": "b", "role": "read-only", "venues": ["bistro"]}
    token = bearer((await client.post("/tokens", json=body)).json()["token"])
    found = (await client.get(f"/analytics/agents/{ANNA}", headers=token)).json()
    assert (found["reservations"], len(found["venues"])) == (1, 1)
    found = (await client.get("/analytics/venues", params=DAYS, headers=token)).json()
    assert [one["venue"] for one in found["items"]] == ["bistro"]
    asked = {"venue": "trattoria", "date": DAY}
    assert (await client.get(SERVICE, params=asked, headers=token)).status_code == 403


async def test_a_device_has_its_venues_figures_and_the_hub_all(hub: Hub, desk: Node):
    async with calling(desk) as client:
        await an_evening(client)
        asked = {"venue": "trattoria", "date": DAY}
        assert (await client.get(SERVICE, params=asked)).json()["reservations"] == 3
        assert (await client.get("/analytics/venues", params=DAYS)).status_code == 403
