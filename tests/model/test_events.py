"""Contents: whatever field carries text, a person's words cannot stand in it unsealed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import events
from holdfast.model.entries import SCHEMA, Entry, Malformed
from holdfast.model.events import (
    EVENT_BY_KIND,
    KIND_BY_EVENT,
    Event,
    ReservationAmended,
    ReservationCreated,
    ReservationMoved,
    VenueKeyPublished,
    check_metadata,
    decode_content,
    encode_content,
)
from holdfast.model.limits import METADATA_BYTES_MAX
from tools.vector_entries import sample_events

CLEAR = [
    "Ann Smith", "ann@example.org", "+39 055 123456", "no nuts, please", "Città", "Ann\n", "安",
    "<b>", "ann smith", "tel:+39055",
]  # fmt: skip
"""What a person might write. A single lower-case word is an id by its form; nothing can tell."""
SAMPLES = [event for event, _ in sample_events()]


def entry(event: Event, **changes: Any) -> Entry:
    made = Entry(KIND_BY_EVENT[type(event)], 1, 0, b"", (), (), (), SCHEMA, encode_content(event))
    return msgspec.structs.replace(made, **changes)


def text_fields() -> Iterator[Any]:
    """(event, field) of every field of every kind whose type holds text."""
    for event in SAMPLES:
        for field, hint in get_type_hints(type(event)).items():
            if "str" in str(hint):
                yield pytest.param(event, field, hint, id=f"{KIND_BY_EVENT[type(event)]}.{field}")


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: KIND_BY_EVENT[type(event)])
def test_every_kind_comes_back_as_it_was_written(event: Event) -> None:
    assert decode_content(entry(event)) == event


def test_there_is_a_sample_of_every_kind() -> None:
    assert {KIND_BY_EVENT[type(event)] for event in SAMPLES} == set(EVENT_BY_KIND)


@pytest.mark.parametrize("clear", CLEAR)
@pytest.mark.parametrize(("event", "field", "hint"), list(text_fields()))
def test_clear_text_is_refused_in_every_text_field_of_every_kind(
    event: Event, field: str, hint: Any, clear: str
) -> None:
    value: Any = clear
    if hint is not str:
        value = (clear,) if "tuple" in str(hint) else {"crm.note": clear}
    changed = msgspec.structs.replace(event, **{field: value})
    with pytest.raises(Malformed, match=r"text-not-|field-not-amendable"):
        decode_content(entry(changed))


@pytest.mark.parametrize("clear", CLEAR)
@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: KIND_BY_EVENT[type(event)])
def test_clear_text_is_refused_where_a_later_version_may_have_added_a_field(
    event: Event, clear: str
) -> None:
    members = [getattr(event, name) for name in event.__struct_fields__]
    for extra in (clear, [clear], {"a": clear}, {clear: 1}):
        content = msgspec.msgpack.encode([*members, extra])
        with pytest.raises(Malformed, match="text-not-an-id:unknown-field"):
            decode_content(entry(event, content=content))


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: KIND_BY_EVENT[type(event)])
def test_a_later_versions_field_without_text_is_read_over(event: Event) -> None:
    members = [getattr(event, name) for name in event.__struct_fields__]
    content = msgspec.msgpack.encode([*members, 7, b"sealed", None, "crm:4711", [1, 2]])
    assert decode_content(entry(event, content=content)) == event


@pytest.mark.parametrize("kind", [ReservationAmended, ReservationMoved])
@pytest.mark.parametrize("field", sorted(events.AMENDABLE))
@pytest.mark.parametrize(
    "value", [*CLEAR, [], {}, [[]], {"a": "Ann Smith"}, b"", None, -1, 1 << 62]
)
def test_an_amendment_sets_no_field_to_what_its_creation_could_not_have(
    kind: type[Event], field: str, value: Any
) -> None:
    event: Event = kind({field: value})
    if field == "metadata" and value == {}:
        assert decode_content(entry(event)) == event
        return
    with pytest.raises(Malformed, match=f"text-not-a-code:{field}"):
        decode_content(entry(event))


@pytest.mark.parametrize(
    "field", ["code", "card", "status", "claims", "id", "", "__class__", "live"]
)
def test_fields_that_are_not_amendable_are_refused(field: str) -> None:
    with pytest.raises(Malformed, match="field-not-amendable"):
        decode_content(entry(ReservationAmended({field: 1})))


def test_a_newer_schema_and_an_unknown_kind_are_neither_read_nor_refused() -> None:
    made = entry(SAMPLES[0])
    assert decode_content(msgspec.structs.replace(made, schema=SCHEMA + 1, content=b"\xc1")) is None
    assert decode_content(msgspec.structs.replace(made, kind="payment.received")) is None


@pytest.mark.parametrize(
    "day",
    ["2027-02-29", "2027-13-01", "2027-00-10", "1899-12-31", "3000-01-01", "2027-1-1", "today"],
)
def test_a_service_date_is_a_day_of_the_calendar(day: str) -> None:
    made = SAMPLES[0]
    assert isinstance(made, ReservationCreated)
    with pytest.raises(Malformed, match="text-not-a-date:service_date"):
        decode_content(entry(msgspec.structs.replace(made, service_date=day)))


@pytest.mark.parametrize("top_bit", [0, 0x80])
@pytest.mark.parametrize("number", sorted(events._WEAK_KEYS), ids=hex)
def test_a_venues_key_is_one_that_cards_can_be_sealed_to(number: int, top_bit: int) -> None:
    """Or a hostile desk could make every device of the venue fail at the next guest card."""
    key = bytearray(number.to_bytes(32, "little"))
    key[31] |= top_bit
    with pytest.raises(ValueError, match="computing shared key"):
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(bytes(key)))
    with pytest.raises(Malformed, match="key-weak"):
        decode_content(entry(VenueKeyPublished(bytes(key))))


METADATA_GOOD: list[dict[str, Any]] = [
    {},
    {"crm": 1, "crm.contact": "crm:4711", "a.b.c.d": None},
    {"loyalty.member": "01973b5e-0000-7000-8000-000000000000"},
    {"pos.check": "deadbeefdeadbeef", "pos.day": "2027-06-01"},
    {"pos.at": "2027-06-01T19:30:00Z", "pos.then": "2027-06-01T19:30:00+02:00"},
    {"who": "agent_" + "0" * 32, "again": "RES-2026-7K3M9Q"},
    {"nested": {"list": [1, 2.5, True, None, ["crm:1"]]}},
]
METADATA_BAD: list[Any] = [
    None, [], "text", 1, {"Crm": 1}, {"crm note": 1}, {"": 1}, {"a" * 33: 1}, {1: 1},
    {"a.b.c.d.e": 1}, {"a": "tel:0551234"}, {"a": "mailto:ann"}, {"a": "name:Ann"},
    {"a": "phone:055"}, {"a": "email:x"}, {"a": b"bytes"}, {"a": {"B": 1}}, {"a": {1: 1}},
    {"a": [[[[[1]]]]]}, {"a": [1] * METADATA_BYTES_MAX},
    *({"a": clear} for clear in CLEAR), *({"a": [{"b": clear}]} for clear in CLEAR),
]  # fmt: skip


@pytest.mark.parametrize("metadata", METADATA_GOOD)
def test_metadata_holds_numbers_and_the_ids_of_other_systems(metadata: dict[str, Any]) -> None:
    assert check_metadata(metadata) is None


@pytest.mark.parametrize("metadata", METADATA_BAD, ids=repr)
def test_metadata_holds_nothing_that_a_person_wrote_and_says_why(metadata: Any) -> None:
    problem = check_metadata(metadata)
    assert problem is not None and "metadata" in problem
    assert "Smith" not in problem, "what is refused is not repeated into a log"


@given(st.binary(max_size=200), st.sampled_from(sorted(EVENT_BY_KIND)))
def test_any_bytes_are_a_content_or_malformed(content: bytes, kind: str) -> None:
    made = msgspec.structs.replace(entry(SAMPLES[0]), kind=kind, content=content)
    try:
        event = decode_content(made)
    except Malformed as refused:
        assert str(refused)
        return
    assert type(event) is EVENT_BY_KIND[kind]
