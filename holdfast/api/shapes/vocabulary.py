"""How the kinds of what stands on a plan look."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from holdfast.api.shapes.common import Items, Shape, one_of
from holdfast.model import looks


class KindLook(Shape, kw_only=True):
    """How one kind looks. The colour never stands alone: the text or the icon stands with it."""

    of: Annotated[
        str,
        one_of((looks.RESERVATION, looks.BLOCK), description="what it is a kind of"),
    ]
    kind: Annotated[str, Meta(description="as in a reservation's or a block's `kind`")]
    text: Annotated[str, Meta(description="in English")]
    icon: Annotated[str, Meta(description="one character of Unicode")]
    colour: Annotated[
        str,
        one_of([one.name for one in looks.COLOURS], description="the name of its colour"),
    ]
    on_light: Annotated[str, Meta(description="`#RRGGBB`, on a light ground")]
    on_dark: Annotated[str, Meta(description="`#RRGGBB`, on a dark ground")]


class KindLooks(Items[KindLook], kw_only=True):
    """The kinds of reservations, then those of blocks."""
