"""Area names as codes: a venue may call an area "Main Room", an entry may carry no free text.

Owns that one mapping, both ways. The code is the name in lower case with everything else turned
into dashes; whoever asks for an area may write either.
"""

from __future__ import annotations

import re

from holdfast.model.errors import Invalid
from holdfast.model.offers import VenueIndex

_OTHER = re.compile(r"[^a-z0-9]+")


def area_code(name: str) -> str:
    return _OTHER.sub("-", name.lower()).strip("-")[:64]


def area_named(venue: VenueIndex, code: str) -> str:
    """The venue's own name of an area; empty where it has none of that code (any more)."""
    if not code:
        return ""
    return next((r.area for r in venue.venue.resources if r.area and area_code(r.area) == code), "")


def area_asked(venue: VenueIndex, said: str | None) -> str:
    """The venue's own name of the area that somebody asks for, by its name or its code; empty
    where they ask for none. Raises Invalid, with the areas that there are."""
    area = area_named(venue, area_code(said or ""))
    if said and not area:
        areas = sorted({one.area for one in venue.venue.resources if one.area})
        known = f"is none of {', '.join(areas)}" if areas else "is unknown: the venue has no areas"
        raise Invalid.field("area", f"{said!r} {known}")
    return area
