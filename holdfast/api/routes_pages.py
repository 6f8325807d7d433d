"""The pages, which every replica serves from itself: `/`, `/desk`, `/kiosk`, `/hub`, `/book`,
`/offer`, `/assets/…`, and what makes the guests' page one that can be kept on a telephone.

Owns these routes. The files are made by `make web` from `web/`, and stand in the package's folder
`pages/`; nothing of them is loaded from anywhere else, and nothing of them is secret: what a page
shows it asks the API for, with a session.
"""

from __future__ import annotations

import gzip
import mimetypes
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.face import Asking
from holdfast.api.permissions import PUBLIC
from holdfast.model.errors import NotFound

FOLDER: Final = Path(__file__).parent / "pages"
PAGES: Final = ("enter", "desk", "kiosk", "hub", "book", "offer")
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing from elsewhere, and no script or style that stands in the page itself. `data:` pictures:
a code to scan is drawn where it is shown."""
POLICY_BY_PAGE: Final = {"book": f"{POLICY}; manifest-src 'self'; worker-src 'self'"}
"""The guests' page alone is installed on their own telephones, and readable there without a network
(decision 0023)."""
_KEPT: Final = {
    "book.webmanifest": ("application/manifest+json", ""),
    # A worker goes by the policy that it came with, not by its page's.
    "book-worker.js": ("text/javascript", "default-src 'none'; connect-src 'self'"),
    "book-icon.svg": ("image/svg+xml", ""),
}
"""Files of the guests' page whose names never change: their types, and the policy that they are
sent with; empty: as everything."""
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
"""The name of an asset carries a digest of its content: it never changes."""
_SMALLEST_PACKED: Final = 512
"""Bytes below which packing saves nothing."""


class Served(NamedTuple):
    """A file as it is sent: its bytes, the same packed (empty: not worth it), and its type."""

    content: bytes
    packed: bytes
    media_type: str


def read(name: str) -> Served | None:
    """A file of the built pages by its name below the folder; None where there is none. Only names
    that the folder lists are opened or remembered, whatever a request asks for."""
    return _read(name) if name in _names() else None


@cache
def _read(name: str) -> Served:
    """Once in a process: an upgrade replaces the package and starts the process anew."""
    content = (FOLDER / name).read_bytes()
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(content, 9, mtime=0) if len(content) >= _SMALLEST_PACKED else b""
    return Served(content, packed if len(packed) < len(content) else b"", media_type)


@cache
def _names() -> frozenset[str]:
    found = (path for path in FOLDER.rglob("*") if path.is_file())
    return frozenset(path.relative_to(FOLDER).as_posix() for path in found)


def _send(request: Asking, name: str, *, cache_control: str) -> Response[bytes]:
    file = read(name)
    if file is None:
        raise NotFound(_MISSING if name.endswith(".html") else f"no file {name} of the pages")
    headers = {"cache-control": cache_control, "vary": "accept-encoding"}
    media_type, policy = _KEPT.get(name, (file.media_type, ""))
    if media_type == "text/html":
        policy = POLICY_BY_PAGE.get(name.removesuffix(".html"), POLICY)
    if policy:
        headers["content-security-policy"] = policy
    content = file.content
    if file.packed and "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["content-encoding"] = file.packed, "gzip"
    return Response(content, headers=headers, media_type=media_type)


_MISSING: Final = (
    "The pages are not built here; the command line and the API work without them. In a checkout "
    "run `make web`; an installed package has them from the start."
)


@get("/", opt={"permission": PUBLIC}, include_in_schema=False)
async def get_entrance(request: Asking) -> Response[bytes]:
    """Where somebody logs in, and is led to their page."""
    return _send(request, "enter.html", cache_control="no-cache")


@get("/{page:str}", opt={"permission": PUBLIC}, include_in_schema=False)
async def get_page(request: Asking, page: FromPath[str]) -> Response[bytes]:
    """A page, or what the guests' page is kept by. Raises NotFound for what is none."""
    if page in _KEPT:
        return _send(request, page, cache_control="no-cache")
    if page not in PAGES:
        raise NotFound(f"no page {page[:40]!r} here; there are /desk, /kiosk, /hub and /book")
    return _send(request, f"{page}.html", cache_control="no-cache")


@get("/assets/{name:str}", opt={"permission": PUBLIC}, include_in_schema=False)
async def get_asset(request: Asking, name: FromPath[str]) -> Response[bytes]:
    """A script, a style or a picture of a page. Raises NotFound."""
    return _send(request, f"assets/{name}", cache_control=_FOR_GOOD)


ROUTES: list[HTTPRouteHandler] = [get_entrance, get_page, get_asset]
