"""What a build of the package does beyond copying: it builds the pages from `web/`.

An editable installation builds none: `make web` does, whenever their sources change. A source
distribution holds them built, so that installing from it needs no Node.js.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PagesHook(BuildHookInterface[Any]):
    """Finds, or makes, `holdfast/api/pages/` before its files are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raises RuntimeError with what went wrong and the way out."""
        root = Path(self.root)
        if version == "editable" or not (root / "web").is_dir():
            return
        tool = _load(root / "tools" / "build_web.py")
        try:
            tool.build()
        except tool.Failed as error:
            raise RuntimeError(f"the pages could not be built: {error}") from error

    def clean(self, versions: list[str]) -> None:
        shutil.rmtree(Path(self.root) / "holdfast" / "api" / "pages", ignore_errors=True)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
