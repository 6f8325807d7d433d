"""What every test shares: Hypothesis's profiles, a clean environment, a place for witnesses, and
plain Yjs as a fixture.

It knows nothing of Holdfast; builders of events and nodes stand beside the tests that use them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

YJS = Path(__file__).parent / "yjs"

# A time limit per example would fail on a busy machine, not on a mistake; pytest-timeout bounds the
# whole test. The blob that Hypothesis prints replays a failure anywhere.
settings.register_profile("ci", deadline=None, derandomize=False, print_blob=True)
settings.register_profile("thorough", settings.get_profile("ci"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config: pytest.Config) -> None:
    """Forget the developer's own HOLDFAST_… settings: no test may reach a real data directory."""
    for name in [name for name in os.environ if name.startswith("HOLDFAST_")]:
        # How often tests/kill kills, how far tests/machines.py goes, and whether tests/simulation
        # makes its long runs.
        if name not in ("HOLDFAST_KILLS", "HOLDFAST_EXAMPLES", "HOLDFAST_SIMULATIONS"):
            del os.environ[name]


@pytest.fixture(scope="session", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The witness outside the data directories is kept apart from the developer's own: no test, and
    no process that a test starts, writes into the home directory."""
    directory = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLDFAST_STATE", str(directory))
        yield directory


YjsMerge = Callable[[Sequence[Path]], dict[str, Any]]
"""Page files in; `entries` (hex), `state_vector_length` and `update` (hex) out, see merge.mjs."""


@pytest.fixture(scope="session")
def yjs_merge() -> YjsMerge:
    """Plain Yjs, or a skip that says how to get it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; with node and npm, `make yjs` brings Yjs")
    if not (YJS / "node_modules" / "yjs").is_dir():
        pytest.skip("Yjs is not installed: `make yjs`")

    def merge(pages: Sequence[Path]) -> dict[str, Any]:
        command = [node, str(YJS / "merge.mjs"), *map(str, pages)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"merge.mjs failed: {done.stderr}"
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    return merge
