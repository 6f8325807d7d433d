"""A running hub and a running node are asked whatever their OpenAPI allows, and what it forbids.

Every answer must be one that the document describes, and none a crash. What is drawn follows from
a fixed seed. `HOLDFAST_ST_EXAMPLES=200` asks so many questions of each operation, and goes through
each boundary of each field too; that takes minutes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest

from tests.cli.support import DAY, ROOT, Running, join_desk, make_hub

MORE: Final = os.environ.pop("HOLDFAST_ST_EXAMPLES", "")
LEFT_OUT: Final = (
    "^/sync/",  # frames of signed bytes: tests/hostile
    "^/api/v1/stream$",  # it ends when whoever listens goes
    "^/api/v1/reservations/import$",  # lines of JSON, which it cannot write
    "^/api/v1/backup$",  # would fill the disk with copies
)
CHECKS: Final = (
    "no_crash", "status_code_conformance", "content_type_conformance",
    "response_schema_conformance", "response_headers_conformance",
)  # fmt: skip


class Asked(NamedTuple):
    """A process, the token of its admin, and by the name of a path's parameter ids that exist."""

    url: str
    token: str
    known: dict[str, list[str]]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Asked]]:
    """A hub and a front desk, each in its process."""
    directory = tmp_path_factory.mktemp("town")
    hub, desk = make_hub(directory / "hub"), directory / "desk"
    started: list[Running] = []
    try:
        started.append(Running("hub", hub))
        join_desk(hub, started[0].url, desk)
        started.append(Running("node", desk))
        asked = {}
        for name, one in zip(("hub", "desk"), started, strict=True):
            token = (directory / name / "admin-token").read_text("utf-8").strip()
            asked[name] = Asked(one.url, token, _something_of_each(one.url, token, name))
        yield asked
    finally:
        for one in started:
            one.stop()


def _something_of_each(url: str, token: str, who: str) -> dict[str, list[str]]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=20) as client:

        def made(path: str, **body: Any) -> dict[str, Any]:
            answer = client.post(path, json={"venue": "trattoria"} | body)
            assert answer.status_code == 201, answer.text
            found: dict[str, Any] = answer.json()
            return found

        at = {"starts_at": f"{DAY}T19:00"}
        booked = made("/reservations", **at, party_size=2, user_id=who, guest={"name": "S T"})
        held = made("/holds", **at, party_size=2)
        waits = made(
            "/waitlist", date=DAY, **{"from": "19:00", "to": "21:00"}, party_size=2, user_id=who
        )
        table = "T2" if who == "hub" else "T3"
        blocked = made(
            "/blocks", kind="maintenance", reason="repair", resources=[table],
            starts_at=f"{DAY}T13:00", ends_at=f"{DAY}T14:00",
        )  # fmt: skip
        queue = client.get("/queue").json()["items"]
        rights = client.get("/allotments").json()["items"]
        jobs = client.get("/jobs").json()["items"]
    return {
        "reference": [booked["code"], *(one["id"] for one in (booked, held, waits, blocked))],
        "venue": ["trattoria"],
        "agent_id": [booked["agent_id"]],
        "operation_id": [one["id"] for one in queue],
        "right_id": [one["id"] for one in rights],
        "date": [DAY],
        "name": [one["name"] for one in jobs],
    }


@pytest.mark.slow
@pytest.mark.timeout(0 if MORE else 400)
@pytest.mark.parametrize("which", ["hub", "desk"])
def test_whatever_is_asked_the_answer_is_one_that_is_described(
    town: dict[str, Asked], which: str, tmp_path: Path
):
    url, token, known = town[which]
    document = httpx.get(f"{url}/schema/openapi.json").json()
    asked = [path for path in document["paths"] if not any(re.search(o, path) for o in LEFT_OUT)]
    named = {name for path in asked for name in re.findall(r"{(\w+)", path)}
    assert known.keys() <= named
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("st")), "run", f"{url}/schema/openapi.json",
            "--header", f"Authorization:Bearer {token}",
            "--phases", "examples,coverage,fuzzing" if MORE else "examples,fuzzing",
            "--max-examples", MORE or "8", "--seed", "7", "--checks", ",".join(CHECKS),
            "--request-timeout", "30", "--warnings", "off", "--continue-on-failure",
            "--exclude-path-regex", "|".join(LEFT_OUT),
            "--generation-database", "none", "--no-color",
        ],
        cwd=tmp_path,
        env={
            **os.environ, "PYTHONPATH": str(ROOT), "HOLDFAST_ST_IDS": json.dumps(known),
            "SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks",
        },
        capture_output=True, text=True, timeout=None if MORE else 360, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    tested = re.search(r"Tested: *(\d+)", done.stdout)
    assert tested is not None, done.stdout[-2000:]
    assert int(tested[1]) > 90
