"""Contents: whatever field carries text, a person's words cannot stand in it unsealed."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.model import contents, vocabulary
from holdfast.model.contents import AMENDABLE, decode_content
from holdfast.model.entries import SCHEMA, Entry, Malformed
from holdfast.model.events import (
    EVENT_BY_KIND,
    KIND_BY_EVENT,
    Event,
    Form,
    NodeRevoked,
    ReservationAmended,
    ReservationCreated,
    ReservationMoved,
    VenueKeyPublished,
    encode_content,
)
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


SAMPLE_BY_KIND = {KIND_BY_EVENT[type(event)]: event for event in SAMPLES}


def holds_text(hint: Any) -> bool:
    """Whether a value of this type may have text anywhere in it."""
    if hint in (str, Any):
        return True
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return any(holds_text(inner) for inner in get_type_hints(hint).values())
    return any(holds_text(inner) for inner in get_args(hint))


def with_text(hint: Any, text: str) -> list[Any]:
    """Values of a field's type that carry a text. A type that is new here must be taught."""
    if hint == Form | None:
        good = Form("block", use="maintenance", reason="repair")
        return [msgspec.structs.replace(good, **{one: text}) for one in ("form", "use", "reason")]
    if hint is str:
        return [text]
    if hint == tuple[str, ...]:
        return [(text,)]
    assert hint == dict[str, Any], f"this test does not know how to put text into {hint}"
    return [{"crm.note": text}, *({field: text} for field in AMENDABLE), {"metadata": {"a": text}}]


TEXT_FIELDS = [
    pytest.param(kind, field, hint, id=f"{kind}.{field}")
    for kind, event in EVENT_BY_KIND.items()
    for field, hint in get_type_hints(event).items()
    if holds_text(hint)
]
"""Every field of every kind that there is, read from the structs: a new one is tested at once."""

IDS_BY_FORM = {
    "reservation.created.resource_kind", "reservation.created.area",
    "reservation.amended.fields", "reservation.moved.fields", "reservation.reserved.fields",
    # of these three the same two
    "claim.decided.from_resources", "right.granted.resources",
    "chain.certified.software", "node.revoked.node",
    "guest.profiled.tier", "guest.profiled.tags", "resource.cleaned.resource",
    "service.notes_edited.service",
}  # fmt: skip
"""What names things of the venue's own: its places, its devices, its software, its tiers and tags.
Their form is all that the gate can know; everywhere else a word must be on a list. Nobody at a face
writes a tag that neither the venue file nor our list names (`restricting`)."""
RESOURCES = {
    "claim.decided.from_resources", "right.granted.resources", "resource.cleaned.resource",
}  # fmt: skip
"""The ids of resources may have capitals, as in the venue file."""

FREE_TEXT = st.text("abcXYZÄéñ安 ,.'+-_:@/", min_size=1, max_size=70).filter(
    lambda text: any(letter.isupper() or letter.isspace() for letter in text)
)
NAME_AS_CODE = st.from_regex(r"[a-z]{1,12}[_.-][a-z]{1,12}", fullmatch=True)
WORDS = frozenset().union(*(w for w in vars(vocabulary).values() if isinstance(w, frozenset)))


def refused(kind: str, field: str, value: Any) -> bool:
    """Whether the gate's reader refuses this value for its text."""
    changed = msgspec.structs.replace(SAMPLE_BY_KIND[kind], **{field: value})
    try:
        decode_content(entry(changed))
    except Malformed as error:
        return str(error).startswith(("text-not-", "field-not-amendable"))
    return False


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: KIND_BY_EVENT[type(event)])
def test_every_kind_comes_back_as_it_was_written(event: Event) -> None:
    assert decode_content(entry(event)) == event


def test_there_is_a_sample_of_every_kind() -> None:
    assert {KIND_BY_EVENT[type(event)] for event in SAMPLES} == set(EVENT_BY_KIND)


@pytest.mark.parametrize("clear", CLEAR)
@pytest.mark.parametrize(("kind", "field", "hint"), TEXT_FIELDS)
def test_clear_text_is_refused_in_every_text_field_of_every_kind(
    kind: str, field: str, hint: Any, clear: str
) -> None:
    for value in with_text(hint, clear):
        assert refused(kind, field, value), value


@pytest.mark.parametrize(("kind", "field", "hint"), TEXT_FIELDS)
@settings(max_examples=40, deadline=None)
@given(text=FREE_TEXT)
def test_no_text_with_a_capital_or_a_space_passes_any_field_of_any_kind(
    kind: str, field: str, hint: Any, text: str
) -> None:
    if f"{kind}.{field}" in RESOURCES:
        assume(not text.isascii() or " " in text)
    for value in with_text(hint, text):
        assert refused(kind, field, value), value


@pytest.mark.parametrize(
    ("kind", "field", "hint"), [row for row in TEXT_FIELDS if row.id not in IDS_BY_FORM]
)
@settings(max_examples=40, deadline=None)
@given(text=NAME_AS_CODE)
def test_a_name_typed_as_a_code_passes_no_field_that_people_fill(
    kind: str, field: str, hint: Any, text: str
) -> None:
    assume(text not in WORDS)
    for value in with_text(hint, text):
        assert refused(kind, field, value), value


@pytest.mark.parametrize("kind", [ReservationAmended, ReservationMoved])
@pytest.mark.parametrize("field", sorted(AMENDABLE - {"area", "resource_kind"}))
def test_nor_can_an_amendment_bring_one_in(kind: type[Event], field: str) -> None:
    for value in ("mario_rossi", {"crm.contact": "guest:Mario_Rossi"}):
        with pytest.raises(Malformed, match=f"text-not-a-code:{field}"):
            decode_content(entry(kind({field: value})))


def test_a_word_that_a_later_version_added_waits_for_the_upgrade() -> None:
    later = entry(NodeRevoked("desk", (), (), "fell_into_the_canal"))
    with pytest.raises(Malformed, match="text-not-a-code:reason"):
        decode_content(later)
    assert decode_content(msgspec.structs.replace(later, schema=SCHEMA + 1)) is None


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
@pytest.mark.parametrize("field", sorted(AMENDABLE))
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
@pytest.mark.parametrize("number", sorted(contents._WEAK_KEYS), ids=hex)
def test_a_venues_key_is_one_that_cards_can_be_sealed_to(number: int, top_bit: int) -> None:
    """Or a hostile desk could make every device of the venue fail at the next guest card."""
    key = bytearray(number.to_bytes(32, "little"))
    key[31] |= top_bit
    with pytest.raises(ValueError, match="computing shared key"):
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(bytes(key)))
    with pytest.raises(Malformed, match="key-weak"):
        decode_content(entry(VenueKeyPublished(bytes(key))))


@given(st.binary(max_size=200), st.sampled_from(sorted(EVENT_BY_KIND)))
def test_any_bytes_are_a_content_or_malformed(content: bytes, kind: str) -> None:
    made = msgspec.structs.replace(entry(SAMPLES[0]), kind=kind, content=content)
    try:
        event = decode_content(made)
    except Malformed as refused:
        assert str(refused)
        return
    assert type(event) is EVENT_BY_KIND[kind]
