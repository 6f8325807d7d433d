"""Writes the types that the pages know the API by, from the API's own OpenAPI document.

    python tools/make_api_types.py

They stand in `web/src/api/schema.d.ts`, which git does not hold: what is made from the document of
the moment cannot disagree with it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tools import build_web


def document() -> dict[str, Any]:
    """The OpenAPI document that a replica serves; for its routes alone none is needed."""
    from litestar import Litestar

    from holdfast.api.app import described_routes
    from holdfast.api.document import completed, openapi

    routes, routers = described_routes()
    app = Litestar(routers, openapi_config=openapi(routes, "session"))
    return completed(app.openapi_schema.to_schema(), routes)


def main() -> int:
    """Write the document and the types made from it."""
    try:
        environment = build_web.environment_with_node()
        build_web.install(environment)
        (build_web.WEB / "openapi.json").write_text(json.dumps(document()), "utf-8")
        build_web.run(["npm", "run", "--silent", "types"], environment)
    except build_web.Failed as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
