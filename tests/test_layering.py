"""The architecture, kept by machine: imports go one way, and the model is pure.

The rules stand once, in pyproject.toml (import-linter) and holdfast/model/ruff.toml (what is
banned inside the model). Here they are run, and tried: a planted breach must be found.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "holdfast" / "model"

WAY_OUT = """
Imports go one way: cli, commands, api -> node -> sync, store -> model. The way out is nearly always
one of these:
- model/ needs a time, an id, randomness or a file: take it as an argument; node/ has them.
- sync/ needs something stored, or store/ a page: node/ asks the one and tells the other.
- something below needs something above: move what both need down, or pass a function in.
- a new module stands at the top of holdfast/: give it its layer in pyproject.toml.
"""


def run(command: list[str], cwd: Path, stdin: str | None = None) -> subprocess.CompletedProcess:
    """Run a tool of this environment in a directory, with its output as text."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def lint_imports(root: Path) -> subprocess.CompletedProcess:
    """Check the contracts of a tree's pyproject.toml on that tree's package."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return run(["-c", program, "--no-cache", "--no-logo"], root)


def test_imports_go_one_way():
    done = lint_imports(ROOT)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{WAY_OUT}"


BREACHES = [
    ("model", "import sqlite3", "model/ has no I/O"),
    ("model", "from time import monotonic", "model/ has no I/O"),
    ("model", "import holdfast.store", "Imports go one way"),
    ("sync", "import sqlite_utils", "sync/ knows no database"),
    ("sync", "import holdfast.store", "Imports go one way"),
    ("store", "import pycrdt", "store/ knows no documents"),
    ("node", "import holdfast.api", "Imports go one way"),
    ("node", "import sqlite3", "only place that knows SQLite"),
]


@pytest.mark.parametrize(("layer", "line", "contract"), BREACHES)
def test_a_forbidden_import_is_found(tmp_path: Path, layer: str, line: str, contract: str):
    package = tmp_path / "holdfast"
    for name in ("api", "model", "node", "store", "sync"):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").touch()
    for name in ("__init__.py", "cli.py"):
        (package / name).touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert lint_imports(tmp_path).returncode == 0

    (package / layer / "breach.py").write_text(f"{line}\n", "utf-8")
    done = lint_imports(tmp_path)
    broken = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")]
    assert done.returncode == 1
    assert any(contract in text for text in broken), done.stdout


def test_the_model_has_no_clock_and_no_randomness():
    command = ["-m", "ruff", "check", "--no-cache", "--select", "TID251", "holdfast/model"]
    done = run(command, ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "import time; time.time()",
        "import datetime; datetime.datetime.now()",
        "from datetime import date; date.today()",
        "import uuid; uuid.uuid4()",
        "import os; os.urandom(16)",
        "from secrets import token_bytes",
        "import random",
    ],
)
def test_a_forbidden_call_in_the_model_is_found_and_the_message_says_what_to_use(line: str):
    ruff = ["-m", "ruff", "check", "--no-cache", "--select", "TID251", "--output-format", "json"]
    done = run([*ruff, "--stdin-filename", "holdfast/model/breach.py", "-"], ROOT, line)
    messages = [finding["message"] for finding in json.loads(done.stdout)]
    assert messages
    assert all("as an argument" in message for message in messages), messages


def test_the_model_opens_prints_and_asks_nothing():
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.func.id}()"
        for path in sorted(MODEL.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"breakpoint", "input", "open", "print"}
    ]
    assert not calls, f"model/ has no I/O; take the content as an argument: {calls}"


@pytest.mark.parametrize("statement", ["import holdfast", "from holdfast import Node"])
def test_embedding_a_node_loads_no_web_server_and_no_scheduler(statement: str):
    heavy = ["apscheduler", "litestar", "uvicorn"]
    program = f"{statement}; import sys; print(*({set(heavy)} & set(sys.modules)))"
    done = run(["-c", program], ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [], "import these inside the function that starts them"
