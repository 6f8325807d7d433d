"""What a venue tells of itself: its profile, how one checks in there, whose business it is.

Owns the shape of these parts of the venue file (features H-01, S-43, S-45). Nothing of it decides
who gets a place; how they are read stands in `profile_file`.
"""

from __future__ import annotations

import msgspec


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a venue is, as one writes it on a letter; `country` as ISO 3166 has it."""

    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """How guests reach the house; of no single person."""

    phone: str = ""
    email: str = ""
    website: str = ""


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What guests read of a venue. `geo` is latitude and longitude in degrees, `geohash` the same
    as one word, worked out once from `geo` where there is one; `price_range` from 1 to 4,
    `integrations` pairs another system's name with the venue's id there."""

    slug: str = ""
    description: str = ""
    cuisine: tuple[str, ...] = ()
    price_range: int | None = None
    address: Address = Address()
    geo: tuple[float, float] | None = None
    contact: Contact = Contact()
    media: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    integrations: tuple[tuple[str, str], ...] = ()
    geohash: str = ""


class CheckIn(msgspec.Struct, frozen=True, omit_defaults=True):
    """When guests check in by themselves: so many minutes before their start, and after it; None:
    at any time. The staff checks in whoever is there."""

    opens_minutes: int | None = None
    closes_minutes: int | None = None

    def window(self, start: int) -> tuple[int | None, int | None]:
        """The first and the last instant for a start, epoch seconds; None: no bound."""
        opens, closes = self.opens_minutes, self.closes_minutes
        return (
            None if opens is None else start - opens * 60,
            None if closes is None else start + closes * 60,
        )


def profile_document(profile: Profile) -> dict[str, object]:
    """The profile as the venue file has it; what says nothing is left out, and so is a geohash
    that `geo` says already."""
    document: dict[str, object] = msgspec.json.decode(msgspec.json.encode(profile))
    if profile.geo is not None:
        document.pop("geohash", None)
    if profile.integrations:
        document["integrations"] = dict(profile.integrations)
    return {name: value for name, value in document.items() if value != {}}
