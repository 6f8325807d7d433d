"""How `holdfast` is called on this machine, so that the commands that are shown work as printed.

Owns the looking: on the path, beside the Python that runs, or only as a module.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

PROGRAM: Final = "holdfast"


def command() -> str:
    """The words to type for `holdfast`, from here: the shortest that work."""
    beside = _beside()
    if beside is None:
        return f"{shlex.quote(sys.executable)} -m {PROGRAM}"
    return PROGRAM if _on_path(beside) else shlex.quote(_from_here(beside))


def setting_up() -> list[str]:
    """The lines after which another terminal, wherever it stands, knows `holdfast`; often none."""
    beside = _beside()
    if beside is None:
        return [f'{PROGRAM}() {{ {shlex.quote(sys.executable)} -m {PROGRAM} "$@"; }}']
    if _on_path(beside):
        return []
    activate = beside.with_name("activate")
    if activate.exists():
        return [f". {shlex.quote(str(activate))}"]
    return [f"export PATH={shlex.quote(str(beside.parent))}:$PATH"]


def _beside() -> Path | None:
    """The program of the environment whose Python runs; a link to it is not followed."""
    beside = Path(sys.executable).parent / PROGRAM
    return beside if beside.exists() else None


def _on_path(program: Path) -> bool:
    found = shutil.which(PROGRAM)
    return found is not None and Path(found).samefile(program)


def _from_here(program: Path) -> str:
    try:
        return str(program.relative_to(Path.cwd()))
    except ValueError:
        return str(program)
