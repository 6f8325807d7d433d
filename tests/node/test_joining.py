"""Joining: a code admits one device once, and neither an impostor nor a listener gains anything."""

from __future__ import annotations

import copy
import os
import threading
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.errors import (
    DirectoryDamaged,
    DirectoryError,
    Invalid,
    NotFound,
    RuleViolated,
    StorageFull,
    Unauthorised,
    Unreachable,
)
from holdfast.model.limits import JOIN_CODE_TRIES
from holdfast.node import identity, join_codes, joining
from holdfast.node.hub import Hub
from holdfast.node.identity import ISSUER_YEARS
from holdfast.node.issuing import ISSUER, ROOT_KEY
from holdfast.node.node import Node
from tests.kit import START_MS, TENANT, TRATTORIA, Fleet


class Device:
    """Keys of a device that wants to join, and what it sends and reads."""

    def __init__(self, fleet: Fleet, code: str = "") -> None:
        self.hub = fleet.the_hub
        self.code = code or self.hub.invite("trattoria", "kiosk", "kiosk").code
        self.key, self.sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.incarnation = os.urandom(16)

    def request(self, **changes: Any) -> joining.JoinRequest:
        made = joining.request_for(self.code, self.key, self.sealing, self.incarnation)
        return msgspec.structs.replace(made, **changes)

    def ask(self, **changes: Any) -> bytes:
        return joining.handle(self.hub, msgspec.msgpack.encode(self.request(**changes)))

    def read(self, answer: bytes) -> joining.Admitted:
        return joining.read_answer(answer, self.code, self.key, self.sealing)


def unsigned(answer: bytes) -> joining.JoinAnswer:
    return msgspec.msgpack.decode(msgspec.msgpack.decode(answer)[0], type=joining.JoinAnswer)


def signed(answer: joining.JoinAnswer, code: str, key: Ed25519PrivateKey) -> bytes:
    """An answer as whoever has this key can sign it."""
    body = msgspec.msgpack.encode(answer)
    code_id = join_codes.parse(code).id
    return msgspec.msgpack.encode([body, key.sign(b"holdfast join answer 1\x00" + code_id + body)])


def test_a_device_learns_who_it_is_and_what_only_members_know(fleet: Fleet) -> None:
    device = Device(fleet)
    admitted = device.read(device.ask())
    hub = fleet.the_hub.identity
    assert (admitted.tenant, admitted.venue) == (TENANT, "trattoria")
    assert (admitted.role, admitted.name) == ("kiosk", "kiosk")
    assert (admitted.root, admitted.pseudonym_key) == (hub.root, hub.pseudonym_key)
    leaf = identity.verify_certificate(admitted.certificates, hub.root)
    assert leaf.public_key.public_bytes_raw() == device.key.public_key().public_bytes_raw()


def test_the_pseudonym_key_and_the_secret_never_cross_the_wire(fleet: Fleet) -> None:
    device = Device(fleet)
    wire = msgspec.msgpack.encode(device.request()) + device.ask()
    assert fleet.the_hub.identity.pseudonym_key not in wire
    assert join_codes.parse(device.code).secret not in wire


def test_a_code_is_used_once(fleet: Fleet) -> None:
    first = Device(fleet)
    first.ask()
    for device in (first, Device(fleet, first.code)):
        with pytest.raises(Unauthorised, match="unknown or was used"):
            device.ask()


def test_a_code_expires(fleet: Fleet) -> None:
    code = fleet.the_hub.invite("trattoria", "kiosk", "kiosk", expires_s=60).code
    fleet.clocks.advance(seconds=61)
    with pytest.raises(Unauthorised, match="expired"):
        Device(fleet, code).ask()


def test_five_wrong_proofs_use_a_code_up_and_a_restart_forgets_none(fleet: Fleet) -> None:
    device = Device(fleet)
    for left in reversed(range(JOIN_CODE_TRIES)):
        with pytest.raises(Unauthorised, match=f"{left} tries are left"):
            device.ask(proof=os.urandom(64))
        hub = fleet.crash("hub")
        assert isinstance(hub, Hub)
        device.hub = hub
    with pytest.raises(Unauthorised, match="tried too often"):
        device.ask()


def test_a_try_less_than_five_leaves_the_code_good(fleet: Fleet) -> None:
    device = Device(fleet)
    for _ in range(JOIN_CODE_TRIES - 1):
        with pytest.raises(Unauthorised):
            device.ask(proof=b"")
    assert device.read(device.ask()).name == "kiosk"


@pytest.mark.parametrize("field", ["key", "sealing_key", "incarnation"])
def test_a_listener_cannot_put_its_own_keys_into_anothers_request(fleet: Fleet, field: str) -> None:
    device = Device(fleet)
    other = X25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(Unauthorised, match="wrong"):
        device.ask(**{field: other if field != "incarnation" else os.urandom(16)})


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2}, {"key": b""}, {"key": bytes(31)}, {"sealing_key": bytes(33)},
        {"sealing_key": bytes(32)}, {"incarnation": b""}, {"incarnation": bytes(17)},
        {"code": "not hex"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_request_is_refused_and_uses_up_nothing(
    fleet: Fleet, changes: dict[str, Any]
) -> None:
    device = Device(fleet)
    with pytest.raises((Invalid, Unauthorised)):
        device.ask(**changes)
    held = fleet.the_hub.store.records.offer(join_codes.parse(device.code).id.hex())
    assert held is not None
    assert msgspec.msgpack.decode(held, type=join_codes.JoinOffer).tries_left == JOIN_CODE_TRIES
    assert device.read(device.ask()).name == "kiosk"


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x91" * 2_000, b"\xff" * 99, b'{"code": 1}'])
def test_bytes_that_are_no_request_are_refused(fleet: Fleet, body: bytes) -> None:
    with pytest.raises(Invalid, match="no join request"):
        joining.handle(fleet.the_hub, body)


def test_devices_join_while_the_root_key_is_offline(fleet: Fleet) -> None:
    device = Device(fleet)
    (fleet.the_hub.directory / "keys" / ROOT_KEY).unlink()
    assert device.read(device.ask()).name == "kiosk"


@pytest.mark.parametrize("issuer", ["missing", "ended"])
def test_a_code_outlives_a_hub_that_cannot_issue(fleet: Fleet, tmp_path: Path, issuer: str) -> None:
    """The device is told what is missing, and joins with the same code once it is there."""
    keys = fleet.the_hub.directory / "keys"
    (keys / ROOT_KEY).rename(tmp_path / "safe")
    if issuer == "missing":
        (keys / ISSUER).unlink()
    else:
        fleet.clocks.advance(hours=24 * 366 * ISSUER_YEARS)
    device = Device(fleet)
    for _ in range(2):
        with pytest.raises(DirectoryError, match="hub renew-issuer --root FILE"):
            device.ask()
    with pytest.raises(Unauthorised, match="wrong"):
        device.ask(proof=os.urandom(64))
    (tmp_path / "safe").rename(keys / ROOT_KEY)
    assert device.read(device.ask()).name == "kiosk"
    with pytest.raises(Unauthorised, match="unknown or was used"):
        device.ask()


def test_a_code_outlives_an_issuer_that_is_damaged(fleet: Fleet) -> None:
    device, issuer = Device(fleet), fleet.the_hub.directory / "keys" / ISSUER
    pem = issuer.read_bytes()
    issuer.write_bytes(pem[:50])
    with pytest.raises(DirectoryDamaged, match=r"issuer\.pem"):
        device.ask()
    issuer.write_bytes(pem)
    assert device.read(device.ask()).name == "kiosk"


@pytest.mark.parametrize("off_hours", [-48, -2, 2, 48])
def test_a_code_lives_by_the_hubs_clock_whatever_the_devices_says(
    fleet: Fleet, off_hours: int
) -> None:
    fleet.clocks.off_ms["kiosk"] = off_hours * 3_600_000.0
    kiosk = fleet.join("kiosk", "kiosk")
    fleet.sync(kiosk)
    assert kiosk.sync_status()["state"] == "connected"


def test_of_two_devices_that_race_with_one_code_one_joins(fleet: Fleet) -> None:
    first = Device(fleet)
    racers = [first, *(Device(fleet, first.code) for _ in range(7))]
    start = threading.Barrier(len(racers))
    outcomes: list[bytes | Unauthorised] = []

    def race(device: Device) -> None:
        start.wait()
        try:
            outcomes.append(device.ask())
        except Unauthorised as error:
            outcomes.append(error)

    threads = [threading.Thread(target=race, args=(device,)) for device in racers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == len(racers)
    assert sum(isinstance(outcome, bytes) for outcome in outcomes) == 1
    issued = [row for row in fleet.the_hub.store.records.certificates() if row.node == "kiosk"]
    assert len(issued) == 1, "nobody else was certified"


def test_a_code_and_what_was_used_of_it_outlive_the_hub(fleet: Fleet) -> None:
    used, open_one = Device(fleet), Device(fleet)
    used.ask()
    hub = fleet.crash("hub")
    assert isinstance(hub, Hub)
    used.hub = open_one.hub = hub
    with pytest.raises(Unauthorised, match="unknown or was used"):
        used.ask()
    assert open_one.read(open_one.ask()).name == "kiosk"


# --- codes that are open --------------------------------------------------------------------------


def test_open_codes_are_listed_without_what_opens_them(fleet: Fleet) -> None:
    hub = fleet.the_hub
    late = hub.invite("trattoria", "kiosk", "kiosk-2", expires_s=7200)
    soon = hub.invite("trattoria", "kiosk", "kiosk-1", expires_s=60)
    assert [one.name for one in hub.admission.open_codes()] == ["kiosk-1", "kiosk-2"]
    assert all(
        join_codes.parse(code.code).secret not in join_codes.encode_offer(one)
        for one in hub.admission.open_codes()
        for code in (late, soon)
    )
    Device(fleet, late.code).ask()
    fleet.clocks.advance(seconds=61)
    assert hub.admission.open_codes() == []


@pytest.mark.parametrize("which", ["kiosk", "trattoria/kiosk", "its id"])
def test_a_withdrawn_code_admits_nobody(fleet: Fleet, which: str) -> None:
    device = Device(fleet)
    other = fleet.the_hub.invite("trattoria", "kiosk", "other")
    if which == "its id":
        which = join_codes.parse(device.code).id.hex()
    assert [one.name for one in fleet.the_hub.admission.withdraw(which)] == ["kiosk"]
    with pytest.raises(Unauthorised, match="unknown"):
        device.ask()
    with pytest.raises(NotFound, match="hub invites"):
        fleet.the_hub.admission.withdraw(which)
    assert Device(fleet, other.code).ask()


def test_a_code_that_ended_says_so_for_a_day_and_is_then_forgotten(fleet: Fleet) -> None:
    code = fleet.the_hub.invite("trattoria", "kiosk", "kiosk", expires_s=60).code
    for hours, said in ((1, "expired"), (24, "unknown")):
        fleet.clocks.advance(hours=hours)
        fleet.the_hub.admission.sweep()
        with pytest.raises(Unauthorised, match=said):
            Device(fleet, code).ask()


@pytest.mark.parametrize("fails", ["grant_codes", "_flush"])
def test_a_code_outlives_a_hub_that_cannot_write(fleet: Fleet, fails: str) -> None:
    device = Device(fleet)
    full = StorageFull("the disk is full; free some space")
    where = fleet.the_hub if fails == "_flush" else fleet.the_hub.admission
    with mock.patch.object(where, fails, side_effect=full), pytest.raises(StorageFull):
        device.ask()
    assert device.read(device.ask()).name == "kiosk"


def test_a_code_whose_last_letters_were_mistyped_is_not_used_up(fleet: Fleet) -> None:
    device = Device(fleet)
    good = device.code
    device.code = good[:-4] + ("0000" if not good.endswith("0000") else "1111")
    for _ in range(JOIN_CODE_TRIES + 1):
        with pytest.raises(Unauthorised, match="mistyped"):
            device.ask()
    device.code = good
    assert device.read(device.ask()).name == "kiosk"


def test_another_hub_at_the_old_address_is_named_and_takes_no_device_in(
    fleet: Fleet, tmp_path: Path
) -> None:
    """A hub that was made anew without the old root key: nothing there is the tenant's, and a code
    of it would make the directory unreadable."""
    desk = fleet.join("desk")
    former = fleet.the_hub
    with fleet._clock_of("hub"):
        fleet.hub = other = Hub.init(tmp_path / "other", "demo")
    other.import_venue(copy.deepcopy(TRATTORIA))
    with pytest.raises(Unauthorised, match="another root key") as refused:
        desk.sync()
    assert "Do not rejoin" in refused.value.detail
    with fleet._clock_of("desk"), pytest.raises(RuleViolated, match="another root key"):
        desk.rejoin(other.invite("trattoria", "front-desk", "desk").code)
    other.close()
    fleet.hub = former
    again = fleet.reopen("desk")
    assert isinstance(again, Node)
    again.sync()


def test_a_device_that_rejoins_with_another_ones_code_leaves_it_good(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    device = Device(fleet)
    with fleet._clock_of("desk"), pytest.raises(Unauthorised, match="is for trattoria/kiosk"):
        desk.rejoin(device.code)
    assert device.read(device.ask()).name == "kiosk"
    code = fleet.the_hub.invite("trattoria", "front-desk", "desk").code
    with fleet._clock_of("desk"):
        desk.rejoin(code)
    fleet.sync(desk)


# --- impostors ------------------------------------------------------------------------------------


def test_an_impostor_with_a_root_of_its_own_is_not_believed(fleet: Fleet) -> None:
    """It answers the device's question well, and its key is not the one that the code names."""
    device = Device(fleet)
    root_key, hub_key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    root = identity.make_root(TENANT, root_key, START_MS)

    def issue(venue: str, role: str, key: Ed25519PrivateKey) -> bytes:
        return identity.issue(root_key, root, TENANT, venue, role, role, key.public_key(), START_MS)

    true = unsigned(device.ask())
    false = joining.JoinAnswer(
        1,
        [issue("trattoria", "kiosk", device.key)],
        [issue("*", "hub", hub_key)],
        root,
        true.sealed,
    )
    with pytest.raises(Unauthorised, match="not the one that made this code"):
        device.read(signed(false, device.code, hub_key))
    # With the hub's real public key in its certificate it has the fingerprint, and cannot sign.
    posing = identity.issue(
        root_key, root, TENANT, "*", "hub", "hub", fleet.the_hub.identity.key.public_key(), START_MS
    )
    false = msgspec.structs.replace(false, hub_certificates=[posing])
    with pytest.raises(Unauthorised, match="not the one that made this code"):
        device.read(signed(false, device.code, hub_key))


def test_another_device_of_the_tenant_cannot_pose_as_the_hub(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    device = Device(fleet)
    true = unsigned(device.ask())
    false = msgspec.structs.replace(true, hub_certificates=list(desk.identity.certificates))
    with pytest.raises(Unauthorised, match="not the one that made this code"):
        device.read(signed(false, device.code, desk.identity.key))


def test_an_answer_to_another_device_is_not_taken(fleet: Fleet) -> None:
    device, other = Device(fleet), Device(fleet)
    answer = other.ask()
    with pytest.raises(Unauthorised, match="not the one that made this code"):
        device.read(answer)
    # Nor the right hub's answer with another's certificate in it.
    own, others = unsigned(device.ask()), unsigned(Device(fleet).ask())
    swapped = msgspec.structs.replace(own, certificates=others.certificates)
    with pytest.raises(Unauthorised, match="not the one that made this code"):
        device.read(signed(swapped, device.code, fleet.the_hub.identity.key))


def test_every_byte_of_the_answer_counts(fleet: Fleet) -> None:
    device = Device(fleet)
    answer = device.ask()
    assert device.read(answer).name == "kiosk"
    for position in range(0, len(answer), 7):
        damaged = bytearray(answer)
        damaged[position] ^= 0x01
        with pytest.raises((Unauthorised, Unreachable)):
            device.read(bytes(damaged))
    for data in (b"", answer[:-1], answer + b"\x00", b"\x91" * 2_000):
        with pytest.raises((Unauthorised, Unreachable)):
            device.read(data)


# --- asking over HTTP -----------------------------------------------------------------------------


def test_what_a_hub_refuses_comes_back_as_what_it_means(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Device(fleet)
    status = 401

    def answer(request: httpx.Request) -> httpx.Response:
        if status == 200:
            return httpx.Response(200, content=joining.handle(fleet.the_hub, request.content))
        return httpx.Response(status, json={"detail": "this join code has expired"})

    real = httpx.Client
    transport = httpx.MockTransport(answer)
    monkeypatch.setattr("httpx.Client", lambda **_: real(transport=transport))

    def ask() -> joining.Admitted:
        return joining.ask(
            "http://hub.test/", device.code, device.key, device.sealing, device.incarnation
        )

    with pytest.raises(Unauthorised, match="expired"):
        ask()
    status = 502
    with pytest.raises(Unreachable):
        ask()
    status = 200
    assert ask().name == "kiosk"


def test_a_hub_that_is_not_there_is_unreachable(fleet: Fleet) -> None:
    device = Device(fleet)
    for url in ("http://127.0.0.1:1", "http://[::1"):
        with pytest.raises(Unreachable, match="cannot be reached"):
            joining.ask(url, device.code, device.key, device.sealing, device.incarnation)
    with pytest.raises(Invalid, match=r"write http://127\.0\.0\.1:8470"):
        joining.ask("127.0.0.1:8470", device.code, device.key, device.sealing, device.incarnation)


def test_what_is_no_code_is_said_before_anything_is_sent(fleet: Fleet) -> None:
    device = Device(fleet)
    with pytest.raises(Unauthorised, match="no join code"):
        joining.ask("http://127.0.0.1:1", "hello", device.key, device.sealing, bytes(16))
