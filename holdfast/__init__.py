"""Holdfast: reservations that hold when the network does not.

`from holdfast import Node, Hub` is the embedding interface; importing it loads no web server and no
scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Hub", "Node", "__version__"]

if TYPE_CHECKING:
    from holdfast.node.hub import Hub
    from holdfast.node.node import Node


def __getattr__(name: str) -> Any:
    """Load Node and Hub when first asked for (PEP 562), so that `import holdfast` stays light."""
    if name == "Node":
        from holdfast.node.node import Node

        return Node
    if name == "Hub":
        from holdfast.node.hub import Hub

        return Hub
    raise AttributeError(f"module 'holdfast' has no attribute {name!r}")
