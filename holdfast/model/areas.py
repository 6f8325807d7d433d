"""Area names as codes: a venue may call an area "Main Room", an entry may carry no free text.

Owns that one mapping. The code is the name in lower case with everything else turned into dashes.
"""

from __future__ import annotations

import re

from holdfast.model.offers import VenueIndex

_OTHER = re.compile(r"[^a-z0-9]+")


def area_code(name: str) -> str:
    return _OTHER.sub("-", name.lower()).strip("-")[:64]


def area_named(venue: VenueIndex, code: str) -> str:
    """The venue's own name of an area; empty where it has none of that code (any more)."""
    if not code:
        return ""
    return next((r.area for r in venue.venue.resources if r.area and area_code(r.area) == code), "")
