"""The HTTP application of one replica, put together.

Owns the composition: routes under their paths, the guard in front, the shell around, errors as
problems. The OpenAPI document is `document`'s. No rule of reservations is here or in any route.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from typing import Final

from litestar import Litestar, Request, Response, Router
from litestar.config.app import AppConfig
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from holdfast.api import (
    routes_access,
    routes_admin,
    routes_allotments,
    routes_analytics,
    routes_blocks,
    routes_books,
    routes_bulk,
    routes_calendars,
    routes_certificates,
    routes_floor,
    routes_guest_history,
    routes_guest_notes,
    routes_guests,
    routes_holds,
    routes_jobs,
    routes_lookup,
    routes_notes,
    routes_offer_links,
    routes_pages,
    routes_partners,
    routes_reminders,
    routes_replicas,
    routes_reservations,
    routes_restrictions,
    routes_root,
    routes_same_guests,
    routes_seating,
    routes_series,
    routes_slots,
    routes_stream,
    routes_sync,
    routes_venues,
    routes_violations,
    routes_vocabulary,
    routes_waitlist,
)
from holdfast.api.auth import guard
from holdfast.api.callers import Caller
from holdfast.api.document import openapi
from holdfast.api.face import Asking, Face, Replica
from holdfast.api.parsing import NoQuery, read_query
from holdfast.api.permissions import PUBLIC
from holdfast.api.problems import MEDIA_TYPE, problem_of
from holdfast.api.shell import Shell
from holdfast.model.errors import NotAvailable
from holdfast.model.limits import BODY_BYTES_MAX
from holdfast.node.acting import NOBODY, act_for

_API: Final[list[HTTPRouteHandler]] = [
    *routes_reservations.ROUTES,
    *routes_series.ROUTES,
    *routes_bulk.ROUTES,
    *routes_lookup.ROUTES,
    *routes_partners.ROUTES,
    *routes_reminders.ROUTES,
    *routes_holds.ROUTES,
    *routes_waitlist.ROUTES,
    *routes_offer_links.ROUTES,
    *routes_blocks.ROUTES,
    *routes_venues.ROUTES,
    *routes_floor.ROUTES,
    *routes_slots.ROUTES,
    *routes_notes.ROUTES,
    *routes_seating.ROUTES,
    *routes_calendars.ROUTES,
    *routes_allotments.ROUTES,
    *routes_guests.ROUTES,
    *routes_guest_history.ROUTES,
    *routes_guest_notes.ROUTES,
    *routes_same_guests.ROUTES,
    *routes_restrictions.ROUTES,
    *routes_sync.ROUTES,
    *routes_books.ROUTES,
    *routes_analytics.ROUTES,
    *routes_violations.ROUTES,
    *routes_vocabulary.ROUTES,
    *routes_admin.ROUTES,
    *routes_jobs.ROUTES,
    *routes_access.ROUTES,
    *routes_certificates.ROUTES,
    *routes_stream.ROUTES,
]


def make_app(
    replica: Replica,
    *,
    admin_token: str,
    runtime: object | None = None,
    hosts: Iterable[str] = (),
    executor: Executor | None = None,
) -> Litestar:
    """The application that serves a replica.

    `runtime` may have async `start` and `stop`, called with the application's life, and the `jobs`
    that it runs. `hosts` are the names that it may be called by, beside loopback names and address
    literals. `executor` has the one thread that works on the replica; left out, the application
    makes its own.
    """
    names = frozenset(name.lower() for name in hosts)
    face = Face(replica, admin_token, names, executor, getattr(runtime, "jobs", None))

    @asynccontextmanager
    async def life(_: Litestar) -> AsyncGenerator[None, None]:
        await face.start()
        try:
            await _call(runtime, "start")
            try:
                yield
            finally:
                await _call(runtime, "stop")
        finally:
            await face.stop()

    described, routers = described_routes()
    app = Litestar(
        [*routers, *routes_pages.ROUTES],
        on_app_init=[_without_debugging],
        guards=[guard],
        before_request=_before,
        exception_handlers={Exception: _as_problem},
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=openapi(described, face.access.sessions.cookie),
        state=State({"face": face}),
        lifespan=[life],
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
    app.asgi_handler = Shell(app.asgi_handler, face)
    return app


def described_routes() -> tuple[list[BaseRouteHandler], list[Router | BaseRouteHandler]]:
    """The routes that the OpenAPI document describes, and the same under the paths where they
    stand: all but the pages."""
    root: list[BaseRouteHandler] = [*routes_root.ROUTES, *routes_replicas.ROUTES]
    return [*_API, *root], [Router("/api/v1", route_handlers=_API), *root]


def close_streams(app: Litestar) -> None:
    """End every open stream and live channel of the application, before its server stops."""
    face: Face = app.state.face
    face.close_streams()


async def _call(runtime: object | None, name: str) -> None:
    do = getattr(runtime, name, None)
    if do is not None:
        await do()


def _without_debugging(config: AppConfig) -> AppConfig:
    """Whatever the environment says: no traceback ever leaves."""
    config.debug = False
    config.pdb_on_exception = False
    return config


async def _before(request: Asking) -> None:
    """What comes between the guard and every route. Raises Invalid."""
    # For every request: one connection's requests, or one command's, may share a context.
    caller = request.scope["state"].get("caller")
    act_for(NOBODY if caller is None else caller.by)
    await _check_query(request)


async def _check_query(request: Asking) -> None:
    """A query that a route does not read is a mistake that nobody would notice. Raises Invalid.

    What needs no token is left alone: monitors and proxies add to its query.
    """
    if not request.scope["query_string"] or request.route_handler.opt.get("permission") == PUBLIC:
        return
    if not getattr(request.route_handler.operation_class, "reads_query", False):
        read_query(request.query_params.multi_items(), NoQuery)


def _reads_blocks(request: Asking) -> bool:
    """Whether whoever asks may know what a place is out of use for; where nobody had to say who
    they are, nobody may."""
    caller: Caller | None = request.scope["state"].get("caller")
    return caller is not None and caller.may("blocks.read")


def _as_problem(request: Request[object, object, State], error: Exception) -> Response[bytes]:
    if isinstance(error, NotAvailable) and not _reads_blocks(request):
        error = error.without_blocks()
    problem = problem_of(error)
    return Response(
        problem.body(), status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )
