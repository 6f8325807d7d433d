"""How the notes of a service look to staff."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from holdfast.api.shapes.common import Date, Shape, UtcTime

_Device = Annotated[str, Meta(description="name of the device where it was written")]
_Author = Annotated[
    str | None, Meta(description="member of staff or token that wrote it; null: nobody said")
]


class UnplacedWords(Shape, kw_only=True):
    """Words that were written into a text that was cleared meanwhile, or whose beginning has not
    come: they are not lost, and stand nowhere in it."""

    text: Annotated[str, Meta(description="the words")]
    by: _Device
    author: _Author
    written_at: UtcTime


class ServiceNotes(Shape, kw_only=True):
    """The notes of a service, as far as this device knows them."""

    venue: Annotated[str, Meta(description="id of the venue")]
    date: Date
    service: Annotated[str, Meta(description="an id of the venue's own; empty: the whole day")]
    text: Annotated[str, Meta(description="of all devices together")]
    edits: Annotated[int, Meta(description="how many edits it was made of")]
    unreadable: Annotated[
        int, Meta(description="edits that are known here and cannot be opened, as yet or ever")
    ]
    updated_at: Annotated[UtcTime | None, Meta(description="the newest edit; null: there is none")]
    updated_by: Annotated[str | None, Meta(description="the device that wrote it")]
    author: _Author
    cleared_at: Annotated[UtcTime | None, Meta(description="erased last; null: never")]
    unplaced: list[UnplacedWords]
    agent_id: Annotated[
        str,
        Meta(description="pseudonym of these notes: `DELETE /guests/{agent_id}` clears them"),
    ]
