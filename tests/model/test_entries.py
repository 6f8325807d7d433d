"""Entries as bytes: one form for ever, the same bytes for the same entry, nothing odd."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.entries import (
    EPOCH_SECONDS_MAX,
    HUB_RIGHT,
    Claim,
    ClaimId,
    Entry,
    Malformed,
    check_envelope,
    decode,
    encode,
)
from holdfast.model.limits import (
    CLAIM_SECONDS_MAX,
    CLAIMS_PER_ENTRY_MAX,
    ENTRY_BYTES_MAX,
    FROM_PER_ENTRY_MAX,
)
from holdfast.model.pseudonyms import walk_in_agent_id

OPERATION = bytes(range(16))
PERSON = walk_in_agent_id(bytes(range(20)))
START = 1_798_761_600


def entry(**changes: Any) -> Entry:
    made = Entry("claim.ended", 1, 0, OPERATION, (), (), (), 1, b"\x91\xa1x")
    return msgspec.structs.replace(made, **changes)


def claim(**changes: Any) -> Claim:
    return msgspec.structs.replace(Claim("T1", START, START + 5_400), **changes)


ids = st.binary(min_size=16, max_size=16)
claim_ids = st.builds(ClaimId, ids, st.integers(0, CLAIMS_PER_ENTRY_MAX - 1))
claims = st.builds(
    lambda resource, start, length, quantity, right, asks, replaces: Claim(
        resource, start, start + length, quantity, length // 2, right, asks, replaces
    ),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True).filter(str.isascii),
    st.integers(0, EPOCH_SECONDS_MAX // 2), st.integers(1, CLAIM_SECONDS_MAX), st.integers(1,
    1_000_000),
    st.sampled_from([b"", HUB_RIGHT, OPERATION]), st.sampled_from([b"", OPERATION]),
    st.none() | claim_ids,
)  # fmt: skip
entries = st.builds(
    Entry,
    st.sampled_from(["reservation.created", "payment.received", "x.y", "a.b.c.d"]),
    st.integers(0, (1 << 63) - 1), st.integers(0, (1 << 48) - 1), st.sampled_from([b"", OPERATION]),
    st.lists(ids, max_size=5).map(tuple), st.lists(claims, max_size=5).map(tuple),
    st.lists(claim_ids, max_size=5).map(tuple), st.integers(1, 1 << 20), st.binary(max_size=300),
    st.just("") | st.binary(min_size=20, max_size=20).map(walk_in_agent_id),
)  # fmt: skip


@given(entries)
def test_an_entry_comes_back_as_it_was_and_its_bytes_are_the_same(made: Entry) -> None:
    data = encode(made)
    assert decode(data) == made
    assert encode(decode(data)) == data


@given(entries)
def test_an_entry_that_is_cut_or_continued_is_none(made: Entry) -> None:
    data = encode(made)
    nobody = encode(msgspec.structs.replace(made, by=""))
    for damaged in (
        data[:-1], data + b"\x00", b"\x98" + nobody[1:], b"\x9a" + nobody[1:] + b"\xc0",
        b"\x9b" + data[1:] + b"\xa0",
    ):  # fmt: skip
        with pytest.raises(Malformed, match="entry-unreadable"):
            decode(damaged)


BOUNDS = [
    ({"kind": "a.b"}, {"kind": "ab"}, "kind-not-namespaced"),
    ({"kind": "a." + "b" * 32}, {"kind": "a." + "b" * 33}, "kind-not-namespaced"),
    ({"kind": "a_1.b_2"}, {"kind": "a.B"}, "kind-not-namespaced"),
    ({"kind": "a.b.c"}, {"kind": "a.b c"}, "kind-not-namespaced"),
    ({"kind": "a.b"}, {"kind": "a.b\n"}, "kind-not-namespaced"),
    ({"stamp": (1 << 63) - 1}, {"stamp": 1 << 63}, "stamp-out-of-range"),
    ({"stamp": 0}, {"stamp": -1}, "stamp-out-of-range"),
    ({"uncertainty_ms": (1 << 48) - 1}, {"uncertainty_ms": 1 << 48}, "stamp-out-of-range"),
    ({"subject": b""}, {"subject": bytes(15)}, "envelope-out-of-range"),
    ({"subject": bytes(16)}, {"subject": bytes(17)}, "envelope-out-of-range"),
    ({"schema": 1}, {"schema": 0}, "envelope-out-of-range"),
    ({"follows": (OPERATION,) * FROM_PER_ENTRY_MAX},
     {"follows": (OPERATION,) * (FROM_PER_ENTRY_MAX + 1)}, "too-many-predecessors"),
    ({"follows": (OPERATION,)}, {"follows": (bytes(15),)}, "operation-id-length"),
    ({"claims": (claim(),) * CLAIMS_PER_ENTRY_MAX},
     {"claims": (claim(),) * (CLAIMS_PER_ENTRY_MAX + 1)}, "too-many-claims"),
    ({"ends": (ClaimId(OPERATION, 63),)}, {"ends": (ClaimId(OPERATION, 64),)}, "claim-id"),
    ({"ends": (ClaimId(OPERATION, 0),)}, {"ends": (ClaimId(b"", 0),)}, "claim-id"),
    ({"by": PERSON}, {"by": PERSON[:-1]}, "text-not-an-id:by"),
    ({"by": PERSON}, {"by": f"{PERSON}0"}, "text-not-an-id:by"),
    ({"by": PERSON}, {"by": PERSON.upper()}, "text-not-an-id:by"),
    ({"by": PERSON}, {"by": f"{PERSON}\n"}, "text-not-an-id:by"),
    ({"by": ""}, {"by": "Ann Smith"}, "text-not-an-id:by"),
]  # fmt: skip
CLAIM_BOUNDS = [
    ({"end": START + 1}, {"end": START}, "claim-interval"),
    ({"start": 0, "end": 1}, {"start": -1, "end": 1}, "claim-interval"),
    ({"start": EPOCH_SECONDS_MAX - 1, "end": EPOCH_SECONDS_MAX},
     {"start": EPOCH_SECONDS_MAX, "end": EPOCH_SECONDS_MAX + 1}, "claim-interval"),
    ({"end": START + CLAIM_SECONDS_MAX}, {"end": START + CLAIM_SECONDS_MAX + 1}, "claim-interval"),
    ({"quantity": 1_000_000}, {"quantity": 1_000_001}, "claim-quantity"),
    ({"quantity": 1}, {"quantity": 0}, "claim-quantity"),
    ({"buffer": 5_399}, {"buffer": 5_400}, "claim-quantity"),
    ({"buffer": 0}, {"buffer": -1}, "claim-quantity"),
    ({"right": bytes(16)}, {"right": bytes(17)}, "claim-out-of-range"),
    ({"asks": bytes(16)}, {"asks": bytes(3)}, "claim-out-of-range"),
    ({"resource": "T" * 64}, {"resource": "T" * 65}, "text-not-an-id:resource"),
    ({"resource": "Sala-1_b.2"}, {"resource": "Sala 1"}, "text-not-an-id:resource"),
    ({"resource": "0"}, {"resource": ""}, "text-not-an-id:resource"),
    ({"resource": "T1"}, {"resource": "T1\n"}, "text-not-an-id:resource"),
    ({"resource": "T1"}, {"resource": "Tavolò"}, "text-not-an-id:resource"),
    ({"replaces": ClaimId(OPERATION, 0)}, {"replaces": ClaimId(OPERATION, -1)}, "claim-id"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "reason"), BOUNDS)
def test_every_field_of_the_envelope_has_its_bounds(
    good: dict[str, Any], bad: dict[str, Any], reason: str
) -> None:
    assert decode(encode(entry(**good))) == entry(**good)
    with pytest.raises(Malformed) as refused:
        check_envelope(entry(**bad))
    assert str(refused.value) == reason


@given(entries)
def test_an_entry_that_names_nobody_has_the_bytes_of_before_there_was_a_name(made: Entry) -> None:
    nobody = msgspec.structs.replace(made, by="")
    fields = [getattr(nobody, name) for name in Entry.__struct_fields__]
    assert encode(nobody) == msgspec.msgpack.encode(fields[:9])


@pytest.mark.parametrize("head", [b"\x9a", b"\xdc\x00\x0a", b"\xdd\x00\x00\x00\x0a"])
@pytest.mark.parametrize("empty", [b"\xa0", b"\xd9\x00"])
def test_a_name_that_is_written_out_empty_is_refused(head: bytes, empty: bytes) -> None:
    with pytest.raises(Malformed, match="by-written-out"):
        decode(head + encode(entry())[1:] + empty)


@pytest.mark.parametrize("head", [b"\x99", b"\xdc\x00\x09", b"\xdd\x00\x00\x00\x09"])
def test_an_entry_that_names_nobody_is_read_however_its_length_is_written(head: bytes) -> None:
    assert decode(head + encode(entry())[1:]) == entry()


@pytest.mark.parametrize(("good", "bad", "reason"), CLAIM_BOUNDS)
def test_every_field_of_a_claim_has_its_bounds(
    good: dict[str, Any], bad: dict[str, Any], reason: str
) -> None:
    made = entry(claims=(claim(), claim(**good)))
    assert decode(encode(made)) == made
    with pytest.raises(Malformed) as refused:
        decode(encode(entry(claims=(claim(), claim(**bad)))))
    assert str(refused.value) == reason


def test_an_entry_of_the_largest_size_is_read_and_a_larger_one_is_not() -> None:
    room = ENTRY_BYTES_MAX - len(encode(entry(content=bytes(100_000)))) + 100_000
    assert len(encode(entry(content=bytes(room)))) == ENTRY_BYTES_MAX
    assert decode(encode(entry(content=bytes(room)))).content == bytes(room)
    with pytest.raises(Malformed, match="entry-too-large"):
        decode(encode(entry(content=bytes(room + 1))))


@pytest.mark.parametrize("depth", [10, 64, 1_000, 100_000])
def test_nested_arrays_are_no_entry_however_deep(depth: int) -> None:
    with pytest.raises(Malformed, match="entry-unreadable"):
        decode(b"\x91" * depth + b"\xc0")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_entry_or_malformed(data: bytes) -> None:
    try:
        made = decode(data)
    except Malformed as refused:
        assert str(refused)
        return
    assert decode(encode(made)) == made
