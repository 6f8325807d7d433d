"""The timed jobs over HTTP: which there are, how they went, and one of them now.

Owns these routes. What each job does stands in `holdfast.node.jobs`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.documented import operation
from holdfast.api.face import Asking, Face, answer, face_of
from holdfast.api.parsing import PageQuery, page_of, read_body, read_query
from holdfast.api.render import utc_text
from holdfast.api.shapes import jobs as shapes
from holdfast.node.jobs import NETWORKED

TAGS = ["administration"]


class RunRequest(msgspec.Struct, kw_only=True):
    """Nothing more needs to be said."""


@get(
    "/jobs",
    operation_id="listJobs",
    summary="What this replica does by itself, and how it went last",
    tags=TAGS,
    opt={"permission": "jobs.read"},
    operation_class=operation(query=PageQuery),
)
async def list_jobs(request: Asking) -> Response[bytes]:
    query = read_query(request.query_params.multi_items(), PageQuery)
    keyed = [(one["name"], one) for one in face_of(request).jobs.listed()]
    items, place = page_of(keyed, query.limit, query.cursor)
    return answer(shapes.JobList(items=[_job(one) for one in items], next=place))


@post(
    "/jobs/{name:str}/run",
    operation_id="runJob",
    summary="Run a job now; whether it went well, `last` says",
    tags=TAGS,
    status_code=200,
    opt={"permission": "jobs.run"},
    operation_class=operation(body=RunRequest, keyed=True),
)
async def run_job(request: Asking, name: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()
    read_body(body, RunRequest)
    face.jobs.require(name)

    async def run() -> str:
        await _run(face, name)
        return name

    answered = await face.answers.once_outside(request, body, 200, run)
    [job] = [one for one in face.jobs.listed() if one["name"] == answered.subject]
    return answer(_job(job), answered.status, answered.headers)


async def _run(face: Face, name: str) -> None:
    if name in NETWORKED:
        # The store's only thread does not wait for the network.
        await asyncio.to_thread(face.jobs.run, name)
    else:
        await face.run(face.jobs.run, name)


def _job(found: dict[str, Any]) -> shapes.Job:
    last = found["last"]
    return shapes.Job(
        name=found["name"],
        every_seconds=found["every_seconds"],
        last=None
        if last is None
        else shapes.JobRun(
            started_at=utc_text(last["started_at_ms"]),
            ok=last["ok"],
            count=last.get("count"),
            detail=last.get("detail"),
        ),
        next_at=None if found["next_ms"] is None else utc_text(found["next_ms"]),
    )


ROUTES: list[HTTPRouteHandler] = [list_jobs, run_job]
