"""The reading of a venue file's `profile` and `check_in`, with every fault named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from holdfast.model import geohash
from holdfast.model.limits import (
    FEATURES_PER_RESOURCE_MAX,
    INTEGRATIONS_MAX,
    MEDIA_MAX,
    NAME_CHARS_MAX,
    TEXT_CHARS_MAX,
    URL_CHARS_MAX,
)
from holdfast.model.profile import Address, CheckIn, Contact, Profile
from holdfast.model.reading import Reader, shown
from holdfast.model.resources_file import FEATURE, FEATURE_MEANS, URL, URL_MEANS
from holdfast.model.venue import DAY_MINUTES

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()/.-]{2,30}")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_FOREIGN_ID: Final = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")


def read_profile(reader: Reader) -> Profile:
    """What the venue tells of itself; left out: nothing."""
    inner = reader.inner("profile")
    if inner is None:
        return Profile()
    geo = _geo(inner)
    profile = Profile(
        slug=inner.text("slug", "", pattern=_SLUG, means="a name for addresses: a-z 0-9 -"),
        description=inner.text("description", "", chars_max=TEXT_CHARS_MAX),
        cuisine=_words(inner, "cuisine"),
        price_range=inner.optional_integer("price_range", 1, 4),
        address=_address(inner),
        geo=geo,
        contact=_contact(inner),
        media=_media(inner),
        features=_words(inner, "features"),
        integrations=_integrations(inner),
        geohash=_geohash(inner, geo),
    )
    inner.finish()
    return profile


def read_check_in(reader: Reader) -> CheckIn:
    """When guests check in by themselves; left out: at any time."""
    inner = reader.inner("check_in")
    if inner is None:
        return CheckIn()
    found = CheckIn(
        inner.optional_integer("opens_minutes", 0, 7 * DAY_MINUTES),
        inner.optional_integer("closes_minutes", 0, 7 * DAY_MINUTES),
    )
    inner.finish()
    return found


def _words(inner: Reader, name: str) -> tuple[str, ...]:
    words = inner.texts(name, FEATURES_PER_RESOURCE_MAX)
    for number, word in enumerate(words):
        if not FEATURE.fullmatch(word):
            inner.fault(f"{name}[{number}]", f"{shown(word)} is not {FEATURE_MEANS}")
    return tuple(dict.fromkeys(words))


def _address(reader: Reader) -> Address:
    inner = reader.inner("address")
    if inner is None:
        return Address()
    texts = {
        name: inner.text(name, "", chars_max=NAME_CHARS_MAX)
        for name in ("street", "postal_code", "city", "region")
    }
    country = inner.text("country", "", pattern=_COUNTRY, means="a country's two letters: IT")
    inner.finish()
    return Address(**texts, country=country)


def _contact(reader: Reader) -> Contact:
    inner = reader.inner("contact")
    if inner is None:
        return Contact()
    found = Contact(
        phone=inner.text("phone", "", pattern=_PHONE, means="a telephone number: +39 06 1234"),
        email=inner.text("email", "", pattern=_EMAIL, means="an e-mail address"),
        website=inner.text("website", "", pattern=URL, means=URL_MEANS, chars_max=URL_CHARS_MAX),
    )
    inner.finish()
    return found


def _geo(inner: Reader) -> tuple[float, float] | None:
    value = inner.value("geo")
    if value is None:
        return None
    right = isinstance(value, list | tuple) and len(value) == 2
    if right and all(type(one) in (int, float) for one in value):
        latitude, longitude = float(value[0]), float(value[1])
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            return latitude, longitude
    inner.fault("geo", "must be latitude and longitude in degrees, such as [41.8902, 12.4922]")
    return None


def _geohash(inner: Reader, geo: tuple[float, float] | None) -> str:
    """That of `geo`, whatever is said beside it: who reads a venue, changes its place and writes it
    back has changed its place. Without one, what is said."""
    said = inner.text("geohash", "", pattern=geohash.WORD, means=geohash.MEANS)
    return said if geo is None else geohash.encode(*geo)


def _media(inner: Reader) -> tuple[str, ...]:
    addresses = inner.texts("media", MEDIA_MAX)
    for number, address in enumerate(addresses):
        if not URL.fullmatch(address) or len(address) > URL_CHARS_MAX:
            inner.fault(f"media[{number}]", f"{shown(address)} is not {URL_MEANS}")
    return tuple(addresses)


def _integrations(inner: Reader) -> tuple[tuple[str, str], ...]:
    """Ids by the names of other systems, which are the venue's own to choose."""
    value = inner.value("integrations")
    if value is None:
        return ()
    path = inner.at("integrations")
    if not isinstance(value, Mapping) or len(value) > INTEGRATIONS_MAX:
        inner.faults.add(path, f"must be an object of names and ids, {INTEGRATIONS_MAX} at most")
        return ()
    found: dict[str, str] = {}
    for name, identity in value.items():
        if not isinstance(name, str) or not FEATURE.fullmatch(name):
            inner.faults.add(f"{path}.{name}", f"{shown(name)} is not {FEATURE_MEANS}")
        elif not isinstance(identity, str) or not _FOREIGN_ID.fullmatch(identity):
            inner.faults.add(f"{path}.{name}", f"{shown(identity)} is no id: a text without blanks")
        else:
            found[name] = identity
    return tuple(sorted(found.items()))
