"""The timed jobs over HTTP: which there are, how they went, and one of them now."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from unittest import mock

import httpx
import pytest

from holdfast.model.errors import HoldfastError
from holdfast.node.hub import Hub
from holdfast.node.jobs import NAMES
from holdfast.node.node import Node
from holdfast.node.runtime import Runtime
from holdfast.node.settings import Settings
from tests.api.conftest import bearer, booking, calling, token_for

pytestmark = pytest.mark.anyio


@pytest.fixture
async def at_desk(desk: Node) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(desk) as client:
        yield client


async def test_a_replica_says_which_jobs_it_has_and_how_often_they_run(
    client: httpx.AsyncClient, at_desk: httpx.AsyncClient
):
    hubs = (await client.get("/jobs")).json()["items"]
    assert [one["name"] for one in hubs] == [
        "lapse", "no-show", "offer", "renew", "settle", "sweep", "witness",
    ]  # fmt: skip
    desks = (await at_desk.get("/jobs")).json()["items"]
    assert [one["name"] for one in desks] == [
        "lapse", "no-show", "offer", "release", "renew", "settle", "sweep", "witness",
    ]  # fmt: skip
    assert all(one["every_seconds"] > 0 for one in desks)
    last = {one["name"]: one["last"] for one in desks}
    assert last["lapse"]["ok"], "what came due while nobody served is done at the start"
    assert last["release"] is None
    page = (await client.get("/jobs", params={"limit": 2})).json()
    rest = (await client.get("/jobs", params={"cursor": page["next"]})).json()
    assert [one["name"] for one in page["items"] + rest["items"]] == [one["name"] for one in hubs]


async def test_every_job_runs_when_asked_and_says_how_it_went(hub: Hub):
    hub.settings = Settings(ntp=("127.0.0.1:9",))
    with mock.patch.object(hub.clock, "sample") as sampled:
        async with calling(hub) as client:
            for name in sorted(set(NAMES) - {"release"}):
                answer = await client.post(f"/jobs/{name}/run", json={})
                assert (answer.status_code, answer.json()["last"]["ok"]) == (200, True), name
    sampled.assert_called_once_with(("127.0.0.1:9",))


async def test_a_job_that_fails_is_told_and_runs_again(client: httpx.AsyncClient, hub: Hub):
    with mock.patch.object(hub, "settle", side_effect=HoldfastError("the disk is full")):
        failed = await client.post("/jobs/settle/run")
    assert failed.status_code == 200
    assert (failed.json()["last"]["ok"], failed.json()["last"]["detail"]) == (
        False, "the disk is full",
    )  # fmt: skip
    assert (await client.post("/jobs/settle/run")).json()["last"]["ok"]


async def test_an_unknown_job_is_answered_with_those_there_are(client: httpx.AsyncClient):
    answer = await client.post("/jobs/laundry/run")
    assert answer.status_code == 404
    assert "lapse, no-show, offer, renew, settle" in answer.json()["detail"]
    wrong = await client.post("/jobs/lapse/run", json={"colour": "red"})
    assert [one["field"] for one in wrong.json()["errors"]] == ["colour"]


async def test_a_replay_runs_nothing_again(client: httpx.AsyncClient):
    key = {"Idempotency-Key": "k-1"}
    first = await client.post("/jobs/sweep/run", json={}, headers=key)
    again = await client.post("/jobs/sweep/run", json={}, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["last"] == first.json()["last"]


async def test_what_a_served_process_runs_by_itself_is_what_is_shown(hub: Hub):
    runtime = Runtime(hub)
    async with calling(hub, runtime=runtime, executor=runtime.executor) as client:
        runtime.jobs.run("witness")
        [witness] = [
            one for one in (await client.get("/jobs")).json()["items"] if one["name"] == "witness"
        ]
        assert witness["last"]["ok"]


async def test_who_is_no_supervisor_runs_nothing(client: httpx.AsyncClient):
    staff = bearer(await token_for(client, "staff"))
    assert (await client.post("/holds", json=booking(), headers=staff)).status_code == 201
    assert (await client.get("/jobs", headers=staff)).status_code == 403
    assert (await client.post("/jobs/lapse/run", headers=staff)).status_code == 403
