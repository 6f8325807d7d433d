"""Messages: bounded before they are believed, and refused with the reason."""

from __future__ import annotations

import os
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import HoldfastError, Invalid, TooLarge
from holdfast.model.limits import EXCHANGE_BYTES_MAX, EXCHANGE_INFLATED_BYTES_MAX
from holdfast.sync import messages
from holdfast.sync.messages import (
    CardKeyItem,
    Cursor,
    ExchangeRequest,
    ExchangeResponse,
    Frame,
    Head,
    decode,
    encode,
)

REQUEST = ExchangeRequest(
    1, "demo/v", b"s" * 16, 3, 1_800_000_000_000, Cursor(b"h" * 16, 17, 4),
    (Head(b"i" * 16, 9, b"x" * 32, b"\0"),),
    (Frame(b"i" * 16, 0, b"b" * 32, b"u" * 400, 9, b"s" * 64),),
    (CardKeyItem(b"t" * 16, b"d" * 16, b"k", b"v" * 32),), True,
)  # fmt: skip
RESPONSE = ExchangeResponse(
    1, b"h" * 16, 3, 1, 2, 50, ((b"i" * 16, 9, b"x" * 32),),
    ((b"i" * 16, 2, "quarantined", "why"),), ((b"i" * 16, 0, "gap"),), digest=b"d" * 32,
)  # fmt: skip
ALL = [REQUEST, RESPONSE]


@pytest.mark.parametrize("message", ALL, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("compress", [True, False])
def test_what_was_said_is_what_is_heard(message, compress):
    assert decode(encode(message, compress=compress), type(message)) == message


@pytest.mark.parametrize("compress", [True, False])
def test_every_truncation_is_refused(compress):
    data = encode(REQUEST, compress=compress)
    for cut in range(len(data)):
        with pytest.raises(Invalid):
            decode(data[:cut], ExchangeRequest)


@pytest.mark.parametrize("kind", [ExchangeRequest, ExchangeResponse])
@given(data=st.binary(max_size=400))
def test_random_bytes_are_refused_with_a_reason(kind, data):
    for first in (b"", b"\0", b"\1"):
        try:
            decode(first + data, kind)
        except HoldfastError as refusal:
            assert refusal.detail


def test_every_corrupted_byte_is_refused_or_stays_a_message():
    data = encode(REQUEST, compress=False)
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        try:
            assert isinstance(decode(bytes(damaged), ExchangeRequest), ExchangeRequest)
        except HoldfastError as refusal:
            assert refusal.detail


def test_a_bomb_is_refused_before_it_goes_off():
    bomb = b"\1" + zlib.compress(b"\0" * (EXCHANGE_INFLATED_BYTES_MAX + 1), 9)
    assert len(bomb) < 100_000
    with pytest.raises(TooLarge):
        decode(bomb, ExchangeRequest)


def test_what_follows_the_compressed_message_is_no_message():
    with pytest.raises(Invalid):
        decode(encode(REQUEST) + b"more", ExchangeRequest)


def test_too_many_bytes_on_the_wire_are_refused_unread():
    with pytest.raises(TooLarge):
        decode(b"\0" * (EXCHANGE_BYTES_MAX + 1), ExchangeRequest)


def test_arrays_nested_without_end_are_refused():
    with pytest.raises(HoldfastError):
        decode(b"\0" + b"\x91" * 100_000, ExchangeRequest)


def test_an_array_that_announces_billions_costs_nothing():
    with pytest.raises(Invalid):
        decode(b"\0" + b"\xdd\xff\xff\xff\xff", ExchangeRequest)


@pytest.mark.parametrize("version", [0, 2, 1 << 40])
def test_another_version_is_named_and_changes_nothing(version):
    data = encode(msgspec.structs.replace(REQUEST, version=version))
    with pytest.raises(Invalid, match=f"protocol {version}"):
        decode(data, ExchangeRequest)


def test_a_later_version_of_the_protocol_may_append_fields():
    body = msgspec.msgpack.encode([*msgspec.to_builtins(REQUEST, builtin_types=(bytes,)), "later"])
    assert decode(b"\0" + body, ExchangeRequest).book == "demo/v"


def test_what_does_not_compress_is_not_blown_up():
    noise = msgspec.structs.replace(
        REQUEST, frames=(Frame(b"i" * 16, 0, b"b" * 32, os.urandom(5000), 9, b"s" * 64),)
    )
    plain, packed = encode(noise, compress=False), encode(noise)
    assert len(packed) < len(plain) * 1.02 + 64
    assert messages.decode(packed, ExchangeRequest) == noise
