"""What the command `st` is told of Holdfast: ids that lead somewhere, and which 5xx are answers.

Loaded by `st` itself, in its own process, by `SCHEMATHESIS_HOOKS` (see `test_schemathesis.py`).
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

import schemathesis

IDS: Final[dict[str, list[str]]] = json.loads(os.environ.get("HOLDFAST_ST_IDS", "{}"))
"""By the name of a path parameter what exists under it."""
ANSWERS: Final = {503: "urn:holdfast:error:unreachable", 507: "urn:holdfast:error:storage-full"}


@schemathesis.hook
def map_path_parameters(
    context: schemathesis.HookContext, path_parameters: dict[str, Any] | None
) -> dict[str, Any] | None:
    """In two of three cases an id that exists, chosen by what was drawn: a seed repeats it."""
    if not path_parameters:
        return path_parameters
    return {name: _known(name, value) for name, value in path_parameters.items()}


def _known(name: str, drawn: Any) -> Any:
    known = IDS.get(name)
    choice = sum(str(drawn).encode())
    if not known or choice % 3 == 0:
        return drawn
    return known[choice % len(known)]


@schemathesis.check
def no_crash(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """No 5xx but those two that the contract names, each with its own `type`."""
    status = response.status_code
    if status >= 500:
        told = response.json().get("type") if status in ANSWERS else None
        assert told == ANSWERS.get(status, ""), f"a server error: {status}"
