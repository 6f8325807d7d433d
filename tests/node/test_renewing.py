"""Renewal without a visit: newer certificates and keys, that everybody can verify for ever."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.model.errors import (
    Forbidden,
    HoldfastError,
    Invalid,
    RateLimited,
    RuleViolated,
    Unauthorised,
    Unreachable,
)
from holdfast.model.limits import CERTIFICATES_PER_DAY_MAX
from holdfast.node import identity, renewing, serving, standing, transport
from holdfast.node.hub import Hub
from holdfast.node.identity import NODE_YEARS
from holdfast.node.local_identity import FORMER_KEYS, NODE_KEY
from holdfast.node.node import Node
from holdfast.node.renewing import RENEW_PATH
from holdfast.node.runtime import Runtime
from holdfast.node.transport import certificate_header
from holdfast.node.upkeep import backup_directory
from holdfast.node.verify import verify_store
from tests.kit import HOTEL, TENANT, URL, Fleet, assert_same_book, exchange_once, posted
from tests.node.live import Devices

HOURS_OF_LIFE = NODE_YEARS * 365 * 24


def key_file(replica: Node | Hub) -> bytes:
    pem = (replica.directory / "keys" / NODE_KEY).read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, Ed25519PrivateKey)
    return key.public_key().public_bytes_raw()


def public(replica: Node | Hub) -> bytes:
    return replica.identity.key.public_key().public_bytes_raw()


def age(fleet: Fleet, part: float) -> None:
    """Let so much of a certificate's life pass."""
    fleet.clocks.advance(hours=HOURS_OF_LIFE * part)


def verified(fleet: Fleet) -> None:
    """Every replica's chains and seals, offline, from what is on its disk."""
    for replica in fleet.replicas():
        report = verify_store(replica.directory, fleet.the_hub.identity.root)
        assert report.ok, (replica.name, report.bad)


def work(fleet: Fleet, *nodes: Node, hour: int = 12) -> None:
    """Each device writes, everybody hears it, and all verify it."""
    for place, node in enumerate(nodes):
        fleet.reserve(node, f"{hour}:00", [f"T{place + 1}"])
    fleet.sync_all()
    fleet.assert_agree()
    verified(fleet)


# --- a device -------------------------------------------------------------------------------------


@pytest.mark.parametrize("new_key", [False, True], ids=["same key", "new key"])
def test_a_device_goes_on_in_its_chain_with_a_newer_certificate(
    fleet: Fleet, new_key: bool
) -> None:
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    work(fleet, desk, kiosk)
    before, key, life = desk.identity.proven, public(desk), desk.identity.incarnation
    desk.renew(new_key=new_key)
    after = desk.identity.proven
    assert after.serial != before.serial
    assert after.line == before.line == before.serial
    assert (public(desk) != key) is new_key
    assert key_file(desk) == public(desk)
    assert desk.identity.incarnation == life, "it is the same life, with its rights"
    work(fleet, desk, kiosk, hour=15)
    for replica in fleet.replicas():
        author = replica.book(fleet.book).authors[life]
        assert author.certified[-1].serial == after.serial
    desk = fleet.reopen("desk")  # type: ignore[assignment]
    assert desk.identity.proven.serial == after.serial
    assert desk.identity.incarnation == life
    work(fleet, desk, kiosk, hour=18)


def test_keys_follow_one_another_and_a_replica_that_joins_late_verifies_them_all(
    fleet: Fleet,
) -> None:
    desk = fleet.join("desk")
    for hour in range(8, 16, 2):
        fleet.reserve(desk, f"{hour:02}:00", ["T1"])
        desk.renew(new_key=True)
    fleet.sync_all()
    late = fleet.join("late")
    fleet.sync_all()
    fleet.assert_agree()
    verified(fleet)
    assert len(late.book(fleet.book).authors[desk.identity.incarnation].keys) == 5


def test_what_was_written_before_and_never_sent_is_sealed_by_the_key_of_its_time(
    fleet: Fleet,
) -> None:
    """Entries of before and after wait on the device while it is cut off; then a hub is rebuilt
    from the root key, and everything is told anew, in other cuts."""
    desk = fleet.join("desk")
    fleet.sync_all()
    for hour in (8, 10):
        fleet.reserve(desk, f"{hour:02}:00", ["T1"])
    desk.renew(new_key=True)
    fleet.cut("desk")
    for hour in (12, 14):
        fleet.reserve(desk, f"{hour:02}:00", ["T1"])
    fleet.wipe_hub()
    fleet.heal()
    fleet.sync(desk, desk)
    assert fleet.the_hub.recover()["state"] == "serving"
    work(fleet, desk, hour=17)


def test_a_relay_passes_on_a_chain_with_another_key(fleet: Fleet) -> None:
    """The hub is gone before the kiosk heard of anything; another device brings it."""
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    fleet.cut("kiosk")
    for number in range(3):
        for hour in range(8, 20, 2):
            fleet.reserve(desk, f"{hour:02}:00", [f"T{number + 1}"])
            fleet.sync(desk)
        desk.renew(new_key=True)
    fleet.sync(desk)
    fleet.heal()
    fleet.sync_all()
    fleet.assert_agree()
    verified(fleet)
    assert kiosk.book(fleet.book).authors[desk.identity.incarnation].keys[-1].first > 3


@pytest.mark.parametrize("where", ["before the answer", "after the answer", "after the commit"])
def test_a_device_that_dies_in_the_middle_has_one_key_that_its_certificate_is_for(
    fleet: Fleet, where: str
) -> None:
    desk = fleet.join("desk")
    work(fleet, desk)
    place: dict[str, tuple[object, str]] = {
        "before the answer": (renewing, "read_answer"),
        "after the answer": (renewing, "_go_on"),
        "after the commit": (renewing, "save_signing_keys"),
    }
    with (
        mock.patch.object(*place[where], side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        desk.renew(new_key=True)
    desk = fleet.crash("desk")  # type: ignore[assignment]
    assert desk.identity.proven.public_key.public_bytes_raw() == public(desk)
    work(fleet, desk, hour=15)
    desk.renew(new_key=True)
    assert key_file(desk) == public(desk)
    work(fleet, desk, hour=18)


def test_a_life_that_follows_begins_with_the_newest_key(fleet: Fleet, tmp_path: Path) -> None:
    """Restored from a backup of before the rotation and of after it."""
    desk = fleet.join("desk")
    work(fleet, desk)
    desk.renew(new_key=True)
    work(fleet, desk, hour=15)
    desk._next_life("restored", announce=True)
    work(fleet, desk, hour=18)
    first, second = (
        desk.book(fleet.book).authors[life]
        for life in (desk.identity.succeeds[-1], desk.identity.incarnation)
    )
    assert second.certified[0].serial == first.certified[-1].serial
    assert len(second.keys) == 1


def test_what_an_earlier_life_never_sealed_is_sealed_by_its_own_key(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    fleet.sync_all()
    fleet.cut("desk")
    fleet.reserve(desk, "09:00", ["T1"])
    moved = fleet.copy("desk", "moved")
    fleet.nodes["desk"].close()
    desk = fleet.open("desk", moved)  # type: ignore[assignment]
    assert desk.identity.number == 2
    fleet.heal()
    desk.renew(new_key=True)
    work(fleet, desk, hour=15)


# --- when -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("life_days", "left_days", "due"),
    [
        (1825, 1800, False), (1825, 457, False), (1825, 456, True), (1825, 1, True),
        (90, 31, False), (90, 30, True), (20, 11, False), (20, 10, True),
    ],
)  # fmt: skip
def test_a_certificate_is_due_in_its_last_quarter_or_thirty_days(
    life_days: int, left_days: int, due: bool
) -> None:
    day = 86_400_000
    key = Ed25519PrivateKey.generate().public_key()
    one = identity.Identity("t", "v", "kiosk", "k", key, 1, 0, life_days * day, 1)
    assert one.is_due((life_days - left_days) * day) is due


def test_a_device_renews_by_itself_when_it_is_time_and_no_earlier(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    serial = desk.identity.proven.serial
    for part, renewed in ((0.5, False), (0.2, False), (0.06, True)):
        age(fleet, part)
        fleet.sync_all(1)
        assert (desk.identity.proven.serial != serial) is renewed
    serial = desk.identity.proven.serial
    fleet.sync_all()
    assert desk.identity.proven.serial == serial, "once is enough"
    fleet.sync_all()
    fleet.assert_agree()


def test_the_timed_job_renews(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    fleet.sync_all()
    age(fleet, 0.8)
    runtime = Runtime(desk)
    serial = desk.identity.proven.serial
    fleet.cut("desk")
    with mock.patch.object(renewing, "is_due", return_value=True):
        assert runtime.jobs.run("renew")["ok"], "no network is no fault of the job"
        assert desk.identity.proven.serial == serial
        fleet.heal()
        assert runtime.jobs.run("renew")["ok"]
    assert desk.identity.proven.serial != serial
    runtime.executor.shutdown()


def test_a_clock_that_was_never_set_renews_nothing(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    fleet.clocks.off_ms["desk"] = 4.5 * 365 * 86_400_000.0
    desk = fleet.reopen("desk")  # type: ignore[assignment]
    assert desk.clock.interval().state == "undisciplined"
    assert not renewing.is_due(desk)


# --- ended ----------------------------------------------------------------------------------------


def test_an_ended_certificate_ends_exchanges_and_no_entry(fleet: Fleet) -> None:
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    work(fleet, desk, kiosk)
    fleet.cut("desk")
    kept = fleet.reserve(desk, "18:00", ["T3"])
    age(fleet, 0.9)
    fleet.sync(kiosk)
    age(fleet, 0.2)
    assert desk.sync_status()["reason"] in (None, standing.EXPIRED)
    fleet.heal()
    for ask in (desk.sync, desk.renew):
        with pytest.raises(Unauthorised, match="node rejoin") as refused:
            ask()
        assert refused.value.extra["reason"] == standing.EXPIRED
    status = desk.sync_status()
    assert status["reason"] == standing.EXPIRED
    assert status["way_out"][-1] == "holdfast node rejoin --code CODE"
    assert desk.status()["certificate"]["state"] == "ended"
    fleet.sync(kiosk)
    assert kiosk.sync_status()["reason"] is None, "it renewed in time"
    assert kiosk.view(kept.id) is None
    code = fleet.the_hub.invite("trattoria", "front-desk", "desk").code
    with fleet._clock_of("desk"):
        desk.rejoin(code)
    fleet.sync_all()
    assert kiosk.view(kept.id) is not None, "what was never sent went out"
    fleet.assert_agree()
    verified(fleet)
    assert desk.sync_status()["reason"] is None


def test_a_hub_whose_clock_is_behind_keeps_nobody_out(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    fleet.clocks.off_ms["hub"] = -20 * 365 * 86_400_000.0
    fleet.reopen("hub")
    fleet.sync(desk)


# --- shut out -------------------------------------------------------------------------------------


def later(fleet: Fleet, desk: Node) -> None:
    """The device speaks with its newest certificate."""
    with pytest.raises(Forbidden, match="shut out"):
        desk.sync()
    with pytest.raises(Forbidden, match="shut out"):
        desk.renew()
    old = identity.serial_of(desk.identity.certificates[0])
    assert old == desk.identity.proven.serial


@pytest.mark.parametrize("known", ["told", "never told", "lost with the hub"])
def test_shutting_a_device_out_covers_every_certificate_that_it_had_or_got(
    fleet: Fleet, known: str
) -> None:
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    work(fleet, desk, kiosk)
    first = desk.identity
    desk.renew()
    if known == "told":
        fleet.sync_all()
    elif known == "lost with the hub":
        # Neither the register nor the chain of the hub that follows knows of the renewal.
        fleet.wipe_hub()
        fleet.sync(kiosk, kiosk)
        fleet.the_hub.recover(proceed=True)
    if known != "lost with the hub":
        fleet.the_hub.revoke("desk", "stolen")
    later(fleet, desk)
    with pytest.raises(HoldfastError):
        posted(fleet.hub, first, RENEW_PATH, renewing.request_for(first.proven, first.key))
    # Offline devices hear of it, and know it of each certificate.
    fleet.sync(kiosk)
    book = kiosk.book(fleet.book)
    assert book.administration.is_revoked(desk.identity.proven.serials)
    assert book.administration.is_revoked(first.proven.serials)


def test_a_renewal_that_arrives_after_the_shutting_out_counts_for_nothing(fleet: Fleet) -> None:
    """The device renewed in time and said nothing of it; somebody else brings its chain."""
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    work(fleet, desk, kiosk)
    desk.renew(new_key=True)
    fleet.the_hub.revoke("desk", "lost")
    exchange_once(desk, kiosk)
    fleet.sync(kiosk)
    later(fleet, desk)
    author = fleet.the_hub.book(fleet.book).authors[desk.identity.incarnation]
    assert fleet.the_hub.book(fleet.book).administration.is_revoked(author.bearer)
    fleet.nodes.pop("desk")
    fleet.assert_agree()


def test_a_device_that_was_shut_out_and_rejoins_is_heard_with_what_it_renews_then(
    fleet: Fleet,
) -> None:
    desk = fleet.join("desk")
    work(fleet, desk)
    desk.renew()
    fleet.sync_all()
    fleet.the_hub.revoke("desk", "lost")
    code = fleet.the_hub.invite("trattoria", "front-desk", "desk").code
    with fleet._clock_of("desk"):
        desk.rejoin(code)
    desk.renew(new_key=True)
    work(fleet, desk, hour=16)


# --- who has the old key --------------------------------------------------------------------------


def test_who_has_the_key_of_before_speaks_for_nobody(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    work(fleet, desk)
    stolen = desk.identity
    desk.renew(new_key=True)
    fleet.sync(desk)
    with pytest.raises(Unauthorised, match="has another key by now") as refused:
        posted(fleet.hub, stolen, RENEW_PATH, renewing.request_for(stolen.proven, stolen.key))
    assert refused.value.extra["reason"] == standing.REPLACED
    work(fleet, desk, hour=15)


def renewals(fleet: Fleet, name: str = "desk") -> int:
    """What the fleet view says of renewals for a second key."""
    (found,) = (
        one["concerns"]["renewals"]
        for one in fleet.the_hub.admission.nodes()
        if one["name"] == name and not one["revoked"]
    )
    return int(found)


def certificates_of(fleet: Fleet, name: str = "desk") -> int:
    return sum(row.node == name for row in fleet.the_hub.store.records.certificates())


@pytest.mark.parametrize("restart", [False, True], ids=["goes on", "starts again"])
@pytest.mark.parametrize("new_key", [False, True], ids=["same key", "new key"])
def test_a_device_whose_answer_was_lost_asks_again_and_is_given_the_same(
    fleet: Fleet, new_key: bool, restart: bool
) -> None:
    desk = fleet.join("desk")
    work(fleet, desk)
    for _ in range(2):
        with (
            mock.patch.object(renewing, "read_answer", side_effect=Unreachable("lost")),
            pytest.raises(Unreachable),
        ):
            desk.renew(new_key=new_key)
        if restart:
            desk = fleet.crash("desk")  # type: ignore[assignment]
    before = public(desk)
    fleet.clocks.advance(hours=5)
    desk.renew()
    assert (public(desk) != before) is new_key, "a new key that was asked for is taken into use"
    assert certificates_of(fleet) == 2, "the first, and one that renews it"
    assert renewals(fleet) == 0
    assert key_file(desk) == public(desk)
    work(fleet, desk, hour=15)
    desk.renew(new_key=True)
    assert certificates_of(fleet) == 3
    work(fleet, desk, hour=18)


@pytest.mark.parametrize("restart", [False, True], ids=["goes on", "starts again"])
def test_a_new_key_follows_a_renewal_whose_answer_was_lost(fleet: Fleet, restart: bool) -> None:
    """It renewed by itself, for the key in use; then somebody wants another key."""
    desk = fleet.join("desk")
    work(fleet, desk)
    before = public(desk)
    with (
        mock.patch.object(renewing, "read_answer", side_effect=Unreachable("lost")),
        pytest.raises(Unreachable),
    ):
        desk.renew()
    if restart:
        desk = fleet.crash("desk")  # type: ignore[assignment]
    desk.renew(new_key=True)
    assert public(desk) != before
    assert len(desk.book(fleet.book).authors[desk.identity.incarnation].certified) == 3
    work(fleet, desk, hour=15)


def test_one_renewal_follows_another_over_one_connection(devices: Devices) -> None:
    """Each request is signed with the certificate that the one before it brought."""
    desk = devices.joined("desk")
    with (
        mock.patch.object(renewing, "read_answer", side_effect=Unreachable("lost")),
        pytest.raises(Unreachable),
    ):
        desk.renew()
    keys = [public(desk)]
    for _ in range(2):
        desk.renew(new_key=True)
        keys.append(public(desk))
    assert len(set(keys)) == 3
    assert desk.sync()["books_differing"] == []
    desk.close()


def test_a_device_that_lost_its_new_key_goes_on_and_rejoins(fleet: Fleet) -> None:
    """Its directory is of before the renewal, which the hub has not heard of in its chain."""
    desk = fleet.join("desk")
    work(fleet, desk)
    with (
        mock.patch.object(renewing, "read_answer", side_effect=Unreachable("lost")),
        pytest.raises(Unreachable),
    ):
        desk.renew(new_key=True)
    (desk.directory / "keys" / FORMER_KEYS).unlink()
    desk = fleet.crash("desk")  # type: ignore[assignment]
    work(fleet, desk, hour=14)
    with pytest.raises(Unauthorised, match="If that key was lost"):
        desk.renew()
    code = fleet.the_hub.invite("trattoria", "front-desk", "desk").code
    with fleet._clock_of("desk"):
        desk.rejoin(code)
    desk.renew(new_key=True)
    work(fleet, desk, hour=17)


def test_a_hub_whose_clock_was_set_back_certifies_no_key_that_it_would_refuse(
    fleet: Fleet,
) -> None:
    desk = fleet.join("desk")
    desk.renew(new_key=True)
    fleet.sync(desk)
    fleet.clocks.off_ms["hub"] = -3 * 3_600_000.0
    desk.renew(new_key=True)
    work(fleet, desk)


def test_a_copy_of_before_the_rotation_is_refused_and_the_device_goes_on(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    work(fleet, desk)
    clone = fleet.clone_unnoticed("desk", "clone")
    desk = fleet.nodes["desk"]
    fleet.cut("clone")
    fleet.reserve(clone, "20:00", ["T4"])
    desk.renew(new_key=True)
    fleet.sync(desk)
    fleet.heal()
    with pytest.raises(Unauthorised, match="another key by now"):
        clone.sync()
    fleet.nodes.pop("clone")
    work(fleet, desk, hour=15)


def test_a_branch_without_the_change_is_sealed_by_the_key_that_it_has(fleet: Fleet) -> None:
    """The copy was heard by another device before anybody knew of the new key: each replica judges
    its branch by what stands on that branch, whatever it heard first."""
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    work(fleet, desk, kiosk)
    clone = fleet.clone_unnoticed("desk", "clone")
    desk = fleet.nodes["desk"]
    fleet.cut("clone", "kiosk")
    fleet.reserve(clone, "20:00", ["T4"])
    fleet.reserve(clone, "22:00", ["T4"])
    exchange_once(clone, kiosk)
    desk.renew(new_key=True)
    fleet.reserve(desk, "18:00", ["T3"])
    fleet.sync(desk)
    fleet.heal("kiosk")
    fleet.sync(kiosk, desk, kiosk, desk)
    fleet.nodes.pop("clone")
    fleet.sync_all()
    fleet.assert_agree()
    verified(fleet)


# --- the hub's own --------------------------------------------------------------------------------


@pytest.mark.parametrize("new_key", [False, True], ids=["same key", "new key"])
def test_the_hub_goes_on_with_a_newer_certificate_in_every_book(
    fleet: Fleet, new_key: bool
) -> None:
    desk = fleet.join("desk")
    work(fleet, desk)
    before = fleet.the_hub.identity
    fleet.the_hub.renew(new_key=new_key)
    assert key_file(fleet.the_hub) == public(fleet.the_hub)
    assert (public(fleet.the_hub) != before.key.public_key().public_bytes_raw()) is new_key
    # In a book that the hub begins only now its chain has the name of the key of then.
    fleet.the_hub.import_venue(dict(HOTEL))
    inn = fleet.join("inn", venue="hotel")
    fleet.sync_all()
    assert fleet.the_hub.identity.incarnation == before.incarnation
    for node in (desk, inn):
        author = node.book(node.home).authors[before.incarnation]
        assert author.certified[-1].serial == fleet.the_hub.identity.proven.serial
    fleet.reopen("hub")
    fleet.reserve(desk, "15:00", ["T1"])
    fleet.sync_all()
    assert_same_book([fleet.the_hub, desk], desk.home)
    assert_same_book([fleet.the_hub, inn], inn.home)
    verified(fleet)


def test_nobody_believes_the_hubs_former_key(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    fleet.sync_all()
    stolen = certificate_header(fleet.the_hub.identity.certificates)
    assert desk.verify_hub(stolen).role == "hub"
    fleet.the_hub.renew(new_key=True)
    fleet.sync(desk)
    with pytest.raises(Unauthorised, match="another key by now"):
        desk.verify_hub(stolen)


def test_a_new_key_of_the_hub_makes_open_codes_void_and_a_new_certificate_does_not(
    fleet: Fleet,
) -> None:
    kept = fleet.the_hub.invite("trattoria", "kiosk", "kiosk-1").code
    fleet.the_hub.renew()
    assert [one.name for one in fleet.the_hub.admission.open_codes()] == ["kiosk-1"]
    assert kept
    fleet.the_hub.renew(new_key=True)
    assert fleet.the_hub.admission.open_codes() == []
    fleet.join("kiosk-1", "kiosk")


def test_the_hub_renews_its_own_when_it_is_time(fleet: Fleet) -> None:
    serial = fleet.the_hub.identity.proven.serial
    assert not fleet.the_hub.renew_if_due()
    age(fleet, 0.8)
    assert fleet.the_hub.renew_if_due()
    assert not fleet.the_hub.renew_if_due()
    assert fleet.the_hub.identity.proven.serial != serial


# --- requests -------------------------------------------------------------------------------------


def asked(fleet: Fleet, node: Node, body: bytes) -> bytes:
    return posted(fleet.hub, node.identity, RENEW_PATH, body)


def test_a_key_that_did_not_sign_is_not_certified(fleet: Fleet) -> None:
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    others = desk.identity.key
    good = renewing.request_for(kiosk.identity.proven, others)
    assert asked(fleet, kiosk, good), "whoever has the key may have it certified"
    for body in (
        renewing.request_for(desk.identity.proven, others),
        msgspec.msgpack.encode([1, others.public_key().public_bytes_raw(), os.urandom(64)]),
        msgspec.msgpack.encode([1, others.public_key().public_bytes_raw(), b""]),
    ):
        with pytest.raises(Unauthorised, match="did not sign"):
            asked(fleet, kiosk, body)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\xc1", msgspec.msgpack.encode([]), msgspec.msgpack.encode([1, b"", b""]),
        msgspec.msgpack.encode([2, bytes(32), bytes(64)]), msgspec.msgpack.encode({"version": 1}),
        msgspec.msgpack.encode([1, "text", bytes(64)]), b"\x91" * 5_000,
    ],
    ids=range(8),
)  # fmt: skip
def test_bytes_that_are_no_request_are_refused(fleet: Fleet, body: bytes) -> None:
    desk = fleet.join("desk")
    before = fleet.the_hub.store.records.certificates()
    with pytest.raises((Invalid, Unauthorised)):
        asked(fleet, desk, body)
    assert fleet.the_hub.store.records.certificates() == before


def test_a_recorded_renewal_is_not_answered_again(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    body = renewing.request_for(desk.identity.proven, desk.identity.key)

    def deliver(headers: dict[str, str]) -> bytes:
        return serving.handle_renew(fleet.the_hub, "POST", RENEW_PATH, "hub.test", headers, body)[2]

    headers, _ = transport.converse(desk.identity, URL + RENEW_PATH, body, deliver)
    count = len(fleet.the_hub.store.records.certificates())
    for again in ("at once", "after a restart"):
        if again == "after a restart":
            fleet.crash("hub")
        with pytest.raises(Unauthorised, match="signs no challenge"):
            deliver(headers)
    assert len(fleet.the_hub.store.records.certificates()) == count


def test_a_fault_that_asks_again_and_again_is_stopped(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    for _ in range(CERTIFICATES_PER_DAY_MAX - 1):
        desk.renew()
    with pytest.raises(RateLimited, match="within a day"):
        desk.renew()
    fleet.clocks.advance(hours=25)
    desk.renew()


def test_only_the_hub_issues_and_only_to_devices(fleet: Fleet) -> None:
    desk, hub = fleet.join("desk"), fleet.the_hub
    own = renewing.request_for(desk.identity.proven, desk.identity.key)
    with pytest.raises(Forbidden, match="the hub issues"):
        posted(desk, desk.identity, RENEW_PATH, own)
    with pytest.raises(Forbidden, match="only a device"):
        posted(
            hub,
            hub.identity,
            RENEW_PATH,
            renewing.request_for(hub.identity.proven, hub.identity.key),
        )


@pytest.mark.parametrize("wrong", ["name", "line", "key", "tenant"])
def test_a_device_takes_no_other_certificate_than_it_asked_for(fleet: Fleet, wrong: str) -> None:
    desk, hub = fleet.join("desk"), fleet.the_hub
    present, key = desk.identity.proven, desk.identity.key
    name = "other" if wrong == "name" else "desk"
    certified = Ed25519PrivateKey.generate() if wrong == "key" else key
    line = present.line + 1 if wrong == "line" else present.line
    made = hub.issuer().issue(
        "elsewhere" if wrong == "tenant" else TENANT, "trattoria", "front-desk", name,
        certified.public_key(), hub.clock.now_ms(), line,
    )  # fmt: skip
    answer = msgspec.msgpack.encode(renewing.RenewAnswer(1, made))
    with pytest.raises(Unauthorised, match="something else"):
        renewing.read_answer(answer, present, key, desk.identity.root)
    with pytest.raises(Unreachable, match="cannot be read"):
        renewing.read_answer(b"\xc1", present, key, desk.identity.root)


def test_while_paused_nothing_is_asked(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    desk.pause()
    with pytest.raises(Unreachable, match="paused"):
        desk.renew()
    with mock.patch.object(renewing, "is_due", return_value=True):
        assert not desk.renew_if_due()


def test_a_hub_that_was_replaced_certifies_nobody(fleet: Fleet) -> None:
    desk, former = fleet.join("desk"), fleet.the_hub
    with mock.patch.object(former.recovery, "replaced", return_value=True):
        with pytest.raises(RuleViolated, match="This hub was replaced"):
            desk.renew()
        age(fleet, 0.8)
        assert not former.renew_if_due()


# --- backups --------------------------------------------------------------------------------------


def test_a_backup_is_verified_across_rotations(fleet: Fleet, tmp_path: Path) -> None:
    desk = fleet.join("desk")
    work(fleet, desk)
    desk.renew(new_key=True)
    fleet.the_hub.renew(new_key=True)
    work(fleet, desk, hour=16)
    backup_directory(desk.directory, tmp_path / "backup")
    for root in (None, desk.identity.root):
        report = verify_store(tmp_path / "backup", root)
        assert report.ok
        assert not report.bad
    assert (desk.directory / "keys" / FORMER_KEYS).exists()
