"""What a venue tells of itself is read back as it was written, and faults are named."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.model.errors import Invalid
from holdfast.model.venue import parse_venue, to_document

WHOLE = {
    "slug": "osteria", "description": "By the river.", "cuisine": ["roman"], "price_range": 2,
    "address": {"street": "Via 1", "postal_code": "00153", "city": "Roma", "region": "Lazio",
                "country": "IT"},
    "geo": [41.5, -12.25],
    "contact": {"phone": "+39 06 123", "email": "ciao@example.com", "website": "https://e.com"},
    "media": ["https://e.com/1.jpg", "/2.jpg"], "features": ["terrace"],
    "integrations": {"thefork": "4711", "google": "g-1"},
}  # fmt: skip


def venue(**changes: Any) -> dict[str, Any]:
    return {
        "venue": "osteria", "name": "Osteria", "kind": "restaurant", "time_zone": "Europe/Rome",
        "resources": [{"id": "T1", "kind": "table"}], **changes,
    }  # fmt: skip


def test_a_profile_is_read_back_as_it_was_written():
    times = {"opens_minutes": 30, "closes_minutes": 0}
    read = parse_venue(venue(profile=WHOLE, check_in=times, business_account="ba_1"))
    document = to_document(read)
    assert document["profile"] == WHOLE
    assert (document["check_in"], document["business_account"]) == (times, "ba_1")
    assert parse_venue(document) == read
    assert (
        not {"profile", "check_in", "business_account"} & to_document(parse_venue(venue())).keys()
    )


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"slug": "Osteria al Ponte"}, "profile.slug"),
        ({"cuisine": ["Roman food"]}, "profile.cuisine[0]"),
        ({"price_range": 5}, "profile.price_range"),
        ({"address": {"country": "Italy"}}, "profile.address.country"),
        ({"address": {"zip": "1"}}, "profile.address.zip"),
        ({"geo": [91, 0]}, "profile.geo"),
        ({"geo": [True, 0]}, "profile.geo"),
        ({"geo": [float("nan"), 0]}, "profile.geo"),
        ({"contact": {"email": "nobody"}}, "profile.contact.email"),
        ({"contact": {"phone": "call us"}}, "profile.contact.phone"),
        ({"media": ["javascript:alert(1)"]}, "profile.media[0]"),
        ({"integrations": {"The Fork": "1"}}, "profile.integrations.The Fork"),
        ({"integrations": {"thefork": 1}}, "profile.integrations.thefork"),
        ({"stars": 3}, "profile.stars"),
    ],
)
def test_a_fault_is_told_with_its_place(part: dict[str, Any], field: str):
    with pytest.raises(Invalid) as caught:
        parse_venue(venue(profile=part))
    assert [error["field"] for error in caught.value.extra["errors"]] == [field]
