"""What stands at the root and needs no token: is it up, is it ready, its numbers.

Owns these routes.
"""

from __future__ import annotations

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from holdfast import __version__
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, face_of
from holdfast.api.metrics import MEDIA_TYPE
from holdfast.api.permissions import PUBLIC
from holdfast.api.shapes.fleet import Health, Readiness

TAGS = ["health"]


@get(
    "/healthz",
    operation_id="getHealth",
    summary="Whether the process answers",
    tags=TAGS,
    opt={"permission": PUBLIC},
    operation_class=operation(public=True),
)
async def get_health(request: Asking) -> Response[bytes]:
    replica = face_of(request).replica
    return answer(Health(status="ok", role=replica.role, name=replica.name, version=__version__))


@get(
    "/readyz",
    operation_id="getReadiness",
    summary="Whether the database answers and the process is not about to stop",
    tags=TAGS,
    opt={"permission": PUBLIC},
    operation_class=operation(public=True),
)
async def get_readiness(request: Asking) -> Response[bytes]:
    face = face_of(request)

    def look() -> None:
        with face.replica.lock:
            face.replica.store.records.get("role")

    await face.run(look)
    if face.changes.closed:
        return answer(Readiness(status="stopping"), 503)
    return answer(Readiness(status="ready"))


@get(
    "/metrics",
    operation_id="getMetrics",
    summary="Numbers for a monitor, in Prometheus' text form",
    tags=TAGS,
    opt={"permission": PUBLIC},
    operation_class=operation(media_type="text/plain", public=True),
)
async def get_metrics(request: Asking) -> Response[str]:
    face = face_of(request)
    text = await face.run(face.metrics.text, face.replica)
    return Response(text, media_type=MEDIA_TYPE)


ROUTES: list[HTTPRouteHandler] = [get_health, get_readiness, get_metrics]
