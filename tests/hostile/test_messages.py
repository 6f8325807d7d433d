"""Bytes that are no exchange: a clear error, and the hub is as it was."""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from holdfast.model.discipline import CLOCK_STATES
from holdfast.model.errors import Forbidden, HoldfastError, Invalid, TooLarge, Unauthorised
from holdfast.model.limits import (
    CARD_KEY_BYTES_MAX,
    EXCHANGE_BYTES_MAX,
    EXCHANGE_INFLATED_BYTES_MAX,
)
from holdfast.node import serving, transport
from holdfast.node.replica import SOFTWARE
from holdfast.sync import messages
from holdfast.sync.messages import CardKeyItem, Cursor, Frame, Head, NodeStatus
from tests.hostile.builders import Attacker, Town, contents, created, entry
from tests.kit import URL

# Damaged certificates make the library warn of what it will refuse one day; here that is expected.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")

Body = Callable[[Attacker], bytes]


def fields(attacker: Attacker, **changes: Any) -> bytes:
    """A request as MessagePack, with fields that the product's own types would not allow."""
    members = dict(
        zip(
            messages.ExchangeRequest.__struct_fields__,
            msgspec.msgpack.decode(messages.encode(attacker.request(), compress=False)[1:]),
            strict=True,
        )
    )
    return b"\x00" + msgspec.msgpack.encode([*{**members, **changes}.values()])


def bomb(attacker: Attacker) -> bytes:
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    packed = b"".join(
        packer.compress(piece) for _ in range(EXCHANGE_INFLATED_BYTES_MAX // len(piece) + 1)
    )
    return b"\x01" + packed + packer.flush()


BAD: list[tuple[str, Body, type[HoldfastError], str]] = [
    ("nothing", lambda a: b"", Invalid, "no exchange"),
    ("text", lambda a: b"GET / HTTP/1.1", Invalid, "no exchange"),
    ("noise", lambda a: bytes(range(256)), Invalid, "ExchangeRequest"),
    ("json", lambda a: b'{"version": 1}', Invalid, "no exchange"),
    ("cut off", lambda a: fields(a)[:-3], Invalid, "ExchangeRequest"),
    ("something behind it", lambda a: fields(a) + b"\x00", Invalid, "ExchangeRequest"),
    ("a page instead", lambda a: b"\x00" + a.frame().update, Invalid, "ExchangeRequest"),
    ("64 nested arrays", lambda a: b"\x00" + b"\x91" * 64 + b"\xc0", Invalid, "ExchangeRequest"),
    ("a million nested arrays", lambda a: b"\x00" + b"\x91" * 1_000_000, Invalid, "Request"),
    ("too large", lambda a: b"\x00" * (EXCHANGE_BYTES_MAX + 1), TooLarge, "at most"),
    ("a compressed bomb", bomb, TooLarge, "after decompression"),
    ("a damaged stream", lambda a: b"\x01\x78\x9c\xff\xff", Invalid, "damaged"),
    ("a newer version", lambda a: fields(a, version=2), Invalid, "upgrade the older"),
    ("an older version", lambda a: fields(a, version=0), Invalid, "upgrade the older"),
    ("a map", lambda a: b"\x00" + msgspec.msgpack.encode({"version": 1}), Invalid, "Request"),
    ("a negative round", lambda a: fields(a, round=-1), Invalid, "ExchangeRequest"),
    ("a huge round", lambda a: fields(a, round=1 << 63), Invalid, "ExchangeRequest"),
    ("a sender of 15 bytes", lambda a: fields(a, sender=bytes(15)), Invalid, "ExchangeRequest"),
    ("a cursor beyond 63 bits", lambda a: fields(a, cursor=[bytes(16), 1 << 63, 0]), Invalid, "Re"),
    ("a page number beyond 63 bits",
     lambda a: fields(a, frames=[[bytes(16), 1 << 63, b"", b"", 1, b""]]), Invalid, "Request"),
    ("a million heads", lambda a: fields(a, heads=[[b"", 0, b""]] * 1_000_000), Invalid, "Request"),
    ("half a million frames", lambda a: fields(a, frames=[[b"", 0, b"", b"", 0, b""]] * 500_000),
     Invalid, "ExchangeRequest"),
    ("another book's name", lambda a: fields(a, book="demo/hotel"), Forbidden, "belongs to"),
    ("another tenant's book", lambda a: fields(a, book="acme/trattoria"), Forbidden, "belongs to"),
    ("a book without a venue", lambda a: fields(a, book="demo"), Forbidden, "belongs to"),
    ("a book of 100,000 letters", lambda a: fields(a, book="demo/" + "x" * 100_000), Forbidden,
     "belongs to"),
    ("a card's key under a name",
     lambda a: fields(a, keys=[["Ann Smith", bytes(16), bytes(80), bytes(32)]]), Invalid,
     "Request"),
    ("a clock state of 100 letters", lambda a: fields(a, status=[0, "x" * 100]),
     Invalid, "Request"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "error", "says"), [row[1:] for row in BAD], ids=[r[0] for r in BAD]
)
def test_what_is_no_exchange_is_refused_and_changes_nothing(
    town: Town, body: Body, error: type[HoldfastError], says: str
) -> None:
    data = body(town.attacker)
    before = contents(town.hub, without=set())
    with pytest.raises(error, match=says):
        town.attacker.post(data)
    assert contents(town.hub, without=set()) == before


def test_a_hub_that_was_shouted_at_goes_on(town: Town) -> None:
    for _, body, error, _ in BAD:
        with pytest.raises(error):
            town.attacker.post(body(town.attacker))
    town.assert_alive()


def test_nobody_speaks_for_another_device(town: Town) -> None:
    """Who was heard after a restore, and whose backlog is waited for, follows from the sender."""
    before = contents(town.hub, without=set())
    with pytest.raises(Forbidden, match="cannot speak for desk"):
        town.attacker.send(sender=town.desk.identity.incarnation, more=True)
    with pytest.raises(Forbidden, match="cannot speak for hub"):
        town.attacker.send(sender=town.hub.identity.incarnation)
    assert contents(town.hub, without=set()) == before


def test_heads_and_cursors_that_nobody_has_are_answered(town: Town) -> None:
    before = contents(town.hub)
    largest = (1 << 63) - 1
    town.attacker.send(heads=(Head(town.attacker.incarnation, largest, bytes(32)),))
    town.attacker.send(heads=(Head(b"", 0, b""), Head(town.attacker.incarnation, 0, b"")))
    hub = town.hub.identity.incarnation
    town.attacker.send(heads=None, cursor=Cursor(hub, largest, largest))
    town.attacker.send(heads=None, cursor=Cursor(hub, 0, largest))
    town.attacker.send(heads=None, cursor=Cursor(b"", 0, 0))
    assert contents(town.hub) == before
    town.assert_alive()


NO_KEYS = {
    "a digest of 3 bytes": {"text_digest": b"abc"},
    "no digest": {"key_digest": b""},
    "sealed to nothing": {"sealed_to": b""},
    "nothing sealed": {"sealed": b""},
    "more than a key": {"sealed": bytes(CARD_KEY_BYTES_MAX + 1)},
}


@pytest.mark.parametrize("case", NO_KEYS)
def test_what_can_be_no_cards_key_is_refused_with_its_whole_message(town: Town, case: str) -> None:
    before = contents(town.hub)
    item = CardKeyItem(bytes(16), bytes(16), bytes(80), bytes(32))
    with pytest.raises(Invalid, match="two digests of 16 bytes"):
        town.attacker.send(keys=(msgspec.structs.replace(item, **NO_KEYS[case]),))
    assert contents(town.hub) == before


# --- who sends it ---------------------------------------------------------------------------------


def test_a_certificate_of_another_root_is_not_heard(town: Town) -> None:
    before = contents(town.hub, without=set())
    with pytest.raises(Unauthorised, match="not issued by this tenant's root"):
        town.stranger().send()
    assert contents(town.hub, without=set()) == before


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",,,",
        "AAAA",
        "not base64!",
        base64.b64encode(os.urandom(300)).decode(),
        "é",
        "A" * 100_000,
    ],
    ids=["none", "commas", "three bytes", "no base64", "noise", "accents", "100,000 letters"],
)
def test_a_certificate_header_that_is_none(town: Town, value: str) -> None:
    with pytest.raises(Unauthorised):
        town.attacker.post(b"\x00", **{"Holdfast-Certificate": value})


def test_every_byte_of_a_certificate_is_needed(town: Town) -> None:
    leaf = town.kiosk.identity.certificates[0]
    for position in range(len(leaf)):
        damaged = bytearray(leaf)
        damaged[position] ^= 0x20
        value = transport.certificate_header([bytes(damaged)])
        with pytest.raises(Unauthorised):
            town.attacker.post(b"\x00", **{"Holdfast-Certificate": value})
        with pytest.raises(Unauthorised):
            town.attacker.post(b"\x00", **{"Holdfast-Certificate": f"{value},{value}"})


def signed(town: Town, body: bytes, challenge: str = "") -> dict[str, str]:
    url = URL + transport.EXCHANGE_PATH
    return transport.signed_headers(town.kiosk.identity, "POST", url, body, challenge=challenge)


def challenged(town: Town, body: bytes, challenge: str = "") -> str:
    """What the hub asks to be signed instead of what it was given."""
    with pytest.raises(Unauthorised, match="signs no challenge") as refused:
        deliver(town, signed(town, body, challenge), body)
    return transport.challenge_of(refused.value)


def deliver(town: Town, headers: dict[str, str], body: bytes, **where: str) -> None:
    path = where.get("path", transport.EXCHANGE_PATH)
    authority = where.get("authority", "hub.test")
    serving.handle_exchange(town.hub, "POST", path, authority, headers, body)


def test_a_request_is_heard_once_where_it_was_sent_as_it_was_sent(town: Town) -> None:
    body = messages.encode(town.attacker.request())
    headers = signed(town, body, challenged(town, body))
    for change in (
        {"path": "/sync/v1/elsewhere"}, {"authority": "elsewhere.test"}, {"authority": "h\n"},
        {"authority": "[::1"}, {"authority": ""},
    ):  # fmt: skip
        with pytest.raises(Unauthorised):
            deliver(town, headers, body, **change)
    with pytest.raises(Unauthorised):
        deliver(town, headers, body + b"\x00")
    for name in headers:
        with pytest.raises(Unauthorised):
            deliver(town, {k: v for k, v in headers.items() if k != name}, body)
    deliver(town, headers, body)
    with pytest.raises(Unauthorised, match="signs no challenge"):
        deliver(town, headers, body)


def test_a_node_that_was_shut_out_is_not_heard(town: Town) -> None:
    town.hub.revoke("kiosk", "stolen")
    before = contents(town.hub, without=set())
    with pytest.raises(Forbidden, match="shut out"):
        town.attacker.write(entry(created()))
    assert contents(town.hub, without=set()) == before
    town.fleet.nodes.pop("kiosk")
    town.assert_alive()


def test_one_refused_frame_harms_no_other_of_the_same_message(town: Town) -> None:
    good = town.attacker.frame(entry(created(), subject=bytes(16)))
    bad = Frame(os.urandom(16), 0, bytes(32), b"\xff" * 50, 1, bytes(64))
    answer = town.attacker.send(bad, good, bad)
    assert [refused[0] for refused in answer.refused] == [bad.incarnation] * 2
    assert answer.acks[0][1] == len(town.attacker.chain) > 1
    town.assert_alive()


def test_lives_that_a_kiosk_makes_up_and_what_it_says_of_itself_fill_no_fleet_view(
    town: Town,
) -> None:
    """The operator reads the fleet in a terminal: no made-up devices, no control characters."""
    before = [one["incarnation"] for one in town.hub.admission.nodes()]
    status = NodeStatus(0, "\x1b[2J Ann Smith", 5, "\x1b]0;Ann Smith\x07", 1)
    for _ in range(5):
        town.attacker.send(sender=os.urandom(16), status=status)
    town.attacker.send(status=status)
    fleet = town.hub.admission.nodes()
    assert [one["incarnation"] for one in fleet] == before
    (said,) = [one for one in fleet if one["name"] == "kiosk"]
    assert (said["clock_state"], said["version"]) == ("", "")
    town.assert_alive()
    (honest,) = [one for one in town.hub.admission.nodes() if one["name"] == "kiosk"]
    assert honest["clock_state"] in CLOCK_STATES and honest["version"] == SOFTWARE
