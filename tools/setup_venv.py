"""Makes `.venv` and installs exactly what a lock file names, then Holdfast itself.

It runs before anything is installed, so it knows the standard library only. Nothing is fetched
that the lock has no hash for: the build backend comes from the lock too, and Holdfast is built
without isolation and without an index.

    python3 tools/setup_venv.py .venv requirements-dev.lock
"""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from collections import deque
from pathlib import Path

PIP_FLAGS = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
LINES_SHOWN_ON_FAILURE = 25


def main(arguments: list[str]) -> int:
    """Set one environment up; 0 when it is ready, 1 after saying what went wrong."""
    directory, lock = Path(arguments[0]), Path(arguments[1])
    python = ensure_venv(directory)
    total = len(re.findall(r"^[A-Za-z0-9][^ ]*==", lock.read_text("utf-8"), re.MULTILINE))
    print(f"Installing {total} packages, as {lock} pins them", flush=True)
    locked = ["install", *PIP_FLAGS, "--require-hashes", "-r", str(lock)]
    itself = ["install", *PIP_FLAGS, "--no-index", "--no-deps", "--no-build-isolation", "-e", "."]
    return (
        run_pip(python, locked, total)
        or run_pip(python, itself, 0)
        or run_pip(python, ["check", "--disable-pip-version-check"], 0)
    )


def ensure_venv(directory: Path) -> Path:
    """Return the environment's Python; make the environment anew if that Python does not run."""
    python = directory / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    probe = [str(python), "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
    works = (
        python.exists() and subprocess.run(probe, check=False, capture_output=True).returncode == 0
    )
    if not works:
        version = ".".join(map(str, sys.version_info[:3]))
        print(f"Making {directory} with Python {version}", flush=True)
        venv.create(directory, clear=True, with_pip=True)
    return python


def run_pip(python: Path, arguments: list[str], total: int) -> int:
    """Run pip, counting what it collects instead of printing it; its last lines if it fails."""
    tail: deque[str] = deque(maxlen=LINES_SHOWN_ON_FAILURE)
    collected = 0
    command = [str(python), "-m", "pip", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            tail.append(line)
            if line.startswith(("Collecting ", "Processing ")):
                collected += 1
                show_progress(collected, total)
            elif line.startswith("Installing collected packages"):
                end_progress(collected, "  unpacking")
    if pip.returncode != 0:
        sys.stderr.write("".join(tail))
        sys.stderr.write(f"error: pip {arguments[0]} failed with status {pip.returncode}.\n")
        return 1
    return 0


def show_progress(collected: int, total: int) -> None:
    """One line that counts on a terminal; one line for every twenty packages elsewhere."""
    if sys.stdout.isatty():
        print(f"\r  {collected}/{total}", end="", flush=True)
    elif collected % 20 == 0:
        print(f"  {collected}/{total}", flush=True)


def end_progress(collected: int, remark: str) -> None:
    """Close the counting line, if there is one."""
    if collected:
        print(("\r" if sys.stdout.isatty() else "") + f"{remark} {collected} packages", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
