"""The root key may lie in a safe: the hub issues with a certificate of its own."""

from __future__ import annotations

import datetime
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.model.errors import DirectoryError, Invalid, Unauthorised
from holdfast.node import identity, issuing
from holdfast.node.hub import Hub
from holdfast.node.issuing import ISSUER, ROOT_KEY
from holdfast.node.keys import signing_key_pem
from tests.kit import START_MS, TENANT, Fleet

PASSPHRASE = b"a few good words"


def keys_of(fleet: Fleet) -> Path:
    return fleet.the_hub.directory / "keys"


def offline(fleet: Fleet, path: Path, passphrase: bytes = PASSPHRASE) -> None:
    """Bring the root key into a file and away from the hub."""
    fleet.the_hub.export_root(path, passphrase, remove=True)


def test_certificates_are_issued_by_the_hub_and_the_hub_by_the_root(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    for chain in (desk.identity.certificates, fleet.the_hub.identity.certificates):
        leaf, issuer = map(x509.load_der_x509_certificate, chain)
        root = x509.load_der_x509_certificate(desk.identity.root)
        leaf.verify_directly_issued_by(issuer)
        issuer.verify_directly_issued_by(root)
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        assert (basic.ca, basic.path_length) == (True, 0)
        assert leaf.not_valid_after_utc <= issuer.not_valid_after_utc


def test_who_has_the_issuer_makes_no_further_issuer(fleet: Fleet) -> None:
    issuer = fleet.the_hub.issuer()
    mine = Ed25519PrivateKey.generate()
    # By hand, for the product makes no such thing.
    below = issuing.Issuer(
        mine,
        identity.make_issuer(issuer.key, issuer.certificate, TENANT, mine.public_key(), START_MS),
    )
    issued = below.issue(TENANT, "trattoria", "kiosk", "kiosk", mine.public_key(), START_MS)
    chain = [*issued, issuer.certificate]
    with pytest.raises(Unauthorised, match="not issued by this tenant"):
        identity.verify_certificate(chain, fleet.the_hub.identity.root)


@pytest.mark.parametrize("passphrase", [b"", PASSPHRASE], ids=["plain", "encrypted"])
def test_an_exported_root_is_the_root_and_its_owners_alone(
    fleet: Fleet, tmp_path: Path, passphrase: bytes
) -> None:
    file, here = tmp_path / "root.pem", (keys_of(fleet) / ROOT_KEY).read_bytes()
    fleet.the_hub.export_root(file, passphrase)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    pem = file.read_bytes()
    assert issuing.is_encrypted(pem) is bool(passphrase)
    opened, own = issuing.read_root(pem, passphrase), issuing.read_root(here)
    assert opened.private_bytes_raw() == own.private_bytes_raw()
    assert (keys_of(fleet) / ROOT_KEY).read_bytes() == here, "it is a copy"


@pytest.mark.parametrize(
    ("passphrase", "said"),
    [(b"", "is needed"), (b"another good word", "does not open"), (b"x", "does not open")],
)
def test_a_passphrase_that_does_not_open_it_is_said(
    fleet: Fleet, tmp_path: Path, passphrase: bytes, said: str
) -> None:
    file = tmp_path / "root.pem"
    fleet.the_hub.export_root(file, PASSPHRASE)
    with pytest.raises(Invalid, match=said):
        issuing.read_root(file.read_bytes(), passphrase)


def test_a_short_passphrase_writes_no_file(fleet: Fleet, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="12 characters"):
        fleet.the_hub.export_root(tmp_path / "root.pem", b"too short", remove=True)
    assert not (tmp_path / "root.pem").exists()
    assert (keys_of(fleet) / ROOT_KEY).exists()


def other_key(passphrase: bytes) -> bytes:
    return signing_key_pem(Ed25519PrivateKey.generate(), passphrase)


@pytest.mark.parametrize(
    "content", [b"", b"nothing", other_key(b""), other_key(PASSPHRASE)], ids=range(4)
)
def test_a_root_key_is_removed_only_where_the_file_holds_it(
    fleet: Fleet, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "root.pem"
    file.write_bytes(content)
    with pytest.raises((DirectoryError, Invalid)):
        offline(fleet, file)
    with pytest.raises((DirectoryError, Invalid)):
        fleet.the_hub.export_root(file, PASSPHRASE)
    assert (keys_of(fleet) / ROOT_KEY).exists()
    assert file.read_bytes() == content


def test_a_root_key_that_was_exported_earlier_is_removed_later(
    fleet: Fleet, tmp_path: Path
) -> None:
    file = tmp_path / "root.pem"
    fleet.the_hub.export_root(file, PASSPHRASE)
    offline(fleet, file)
    assert not (keys_of(fleet) / ROOT_KEY).exists()
    with pytest.raises(DirectoryError, match="kept offline already"):
        fleet.the_hub.export_root(tmp_path / "again.pem")


def test_with_the_root_offline_devices_join_renew_and_are_shut_out(
    fleet: Fleet, tmp_path: Path
) -> None:
    offline(fleet, tmp_path / "root.pem")
    fleet.reopen("hub")
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    desk.renew()
    fleet.the_hub.renew(new_key=True)
    fleet.the_hub.revoke("kiosk", "stolen")
    fleet.nodes.pop("kiosk").close()
    fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.assert_agree()
    assert kiosk.name == "kiosk"


def test_a_hub_of_an_earlier_version_makes_its_issuer_when_it_needs_one(fleet: Fleet) -> None:
    """Its directory has a root key and no issuer; its devices' certificates are the root's."""
    hub, root_key = fleet.the_hub, issuing.read_root((keys_of(fleet) / ROOT_KEY).read_bytes())
    (keys_of(fleet) / ISSUER).unlink()
    direct = identity.issue(
        root_key, hub.identity.root, TENANT, "*", "hub", "hub", hub.identity.key.public_key(),
        hub.clock.now_ms(),
    )  # fmt: skip
    hub.renew_identity(hub.identity.renewed([direct], hub.identity.key))
    before = fleet.reopen("hub").identity
    assert before.certificates == [direct]
    desk = fleet.join("desk")
    assert len(desk.identity.certificates) == 2
    fleet.sync(desk)
    assert (keys_of(fleet) / ISSUER).exists()
    assert stat.S_IMODE((keys_of(fleet) / ISSUER).stat().st_mode) == 0o600


def test_a_new_issuer_takes_the_root_key_and_leaves_what_the_old_one_issued(
    fleet: Fleet, tmp_path: Path
) -> None:
    file = tmp_path / "root.pem"
    offline(fleet, file)
    desk, before = fleet.join("desk"), fleet.the_hub.issuer()
    made = issuing.renew(
        fleet.the_hub.directory, file.read_bytes(), PASSPHRASE, fleet.the_hub.clock.now_ms()
    )
    assert fleet.the_hub.issuer().certificate == made.certificate != before.certificate
    kiosk = fleet.join("kiosk", "kiosk")
    desk_issuer, kiosk_issuer = (node.identity.certificates[1] for node in (desk, kiosk))
    assert desk_issuer == before.certificate != kiosk_issuer == made.certificate
    fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.assert_agree()
    assert not (keys_of(fleet) / ROOT_KEY).exists(), "the root key is read and not kept"


def test_another_tenants_root_makes_no_issuer(fleet: Fleet, tmp_path: Path) -> None:
    before = (keys_of(fleet) / ISSUER).read_bytes()
    with pytest.raises(Unauthorised, match="another tenant"):
        issuing.renew(fleet.the_hub.directory, other_key(b""), b"", START_MS)
    desk = fleet.join("desk")
    with pytest.raises(DirectoryError, match="no hub"):
        issuing.renew(desk.directory, other_key(b""), b"", START_MS)
    assert (keys_of(fleet) / ISSUER).read_bytes() == before


def test_a_hub_is_rebuilt_from_an_encrypted_root_and_heard(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "root.pem"
    desk = fleet.join("desk")
    view = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    offline(fleet, file)
    fleet.the_hub.close()
    with fleet._clock_of("hub"):
        with pytest.raises(Invalid, match="does not open"):
            Hub.init(tmp_path / "other", TENANT, file.read_bytes(), passphrase=b"not this one")
        assert not (tmp_path / "other").exists()
        rebuilt = Hub.init(tmp_path / "rebuilt", TENANT, file.read_bytes(), passphrase=PASSPHRASE)
    fleet.hub = fleet.quick(rebuilt)
    fleet.sync(desk, desk)
    assert rebuilt.recover()["state"] == "serving"
    fleet.sync_all()
    fleet.assert_agree()
    assert set(fleet.shown(view).values()) == {fleet.now(desk, view).status}


def test_an_issuer_is_not_outlived_by_what_it_issues(fleet: Fleet) -> None:
    issuer = fleet.the_hub.issuer()
    late = issuer.ends_ms - 86_400_000
    key = Ed25519PrivateKey.generate().public_key()
    chain = issuer.issue(TENANT, "trattoria", "kiosk", "kiosk", key, late)
    found = identity.verify_certificate(chain, fleet.the_hub.identity.root)
    assert found.not_after_ms == issuer.ends_ms


# --- other tools ----------------------------------------------------------------------------------


def openssl(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def written(fleet: Fleet, tmp_path: Path) -> Path:
    """Certificates of a device that renewed its own, as PEM files."""
    desk = fleet.join("desk")
    desk.renew()
    for name, der in zip(
        ("desk", "issuer", "root"), (*desk.identity.certificates, desk.identity.root), strict=True
    ):
        (tmp_path / f"{name}.pem").write_bytes(pem(der))
    return tmp_path


def test_openssl_verifies_the_chain(fleet: Fleet, written: Path) -> None:
    at = datetime.datetime.fromtimestamp(START_MS / 1000, datetime.UTC)
    for purpose in ("sslclient", "sslserver"):
        told = openssl(
            "verify", "-x509_strict", "-attime", str(int(at.timestamp())), "-purpose", purpose,
            "-CAfile", written / "root.pem", "-untrusted", written / "issuer.pem",
            written / "desk.pem",
        )  # fmt: skip
        assert told.strip().endswith("OK")


def test_openssl_names_the_writer_the_line_and_the_key(fleet: Fleet, written: Path) -> None:
    text = openssl("x509", "-in", written / "desk.pem", "-noout", "-text")
    assert "URI:holdfast://demo/trattoria/front-desk/desk" in text
    assert "Public Key Algorithm: ED25519" in text
    line = fleet.nodes["desk"].identity.proven.line
    assert f"serialNumber = {line:x}" in text
    assert "CA:TRUE, pathlen:0" in openssl("x509", "-in", written / "issuer.pem", "-noout", "-text")


def test_openssl_opens_an_encrypted_root_key_with_its_passphrase(
    fleet: Fleet, tmp_path: Path
) -> None:
    file = tmp_path / "root.pem"
    fleet.the_hub.export_root(file, PASSPHRASE)
    told = openssl("pkey", "-in", file, "-passin", f"pass:{PASSPHRASE.decode()}", "-noout", "-text")
    assert "ED25519 Private-Key" in told
