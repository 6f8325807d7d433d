"""What this software calls itself on the wire and in status answers."""

from __future__ import annotations

from typing import Final

from holdfast import __version__

SOFTWARE: Final = f"holdfast-{__version__}"
