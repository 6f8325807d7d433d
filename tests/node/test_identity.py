"""Certificates: what the tenant's root said of a device, checked offline, and nothing else."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.model.errors import Unauthorised
from holdfast.node.identity import (
    derive_pseudonym_key,
    fingerprint,
    issue,
    key_id,
    make_root,
    verify_certificate,
)
from tests.vectors_crypto import vectors

ROOT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
NODE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
NOW = 1_800_000_000_000
DAY = 86_400_000
ROOT = make_root("city", ROOT_KEY, NOW)
NAMES = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())


def leaf(tenant="city", venue="trattoria", role="front-desk", name="desk-1", key=ROOT_KEY) -> bytes:
    return issue(key, ROOT, tenant, venue, role, name, NODE_KEY.public_key(), NOW)


LEAF = leaf()


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


ROOT_NAME = x509.load_der_x509_certificate(ROOT).subject


def forge(
    *, uris=("holdfast://city/trattoria/front-desk/desk-1",), ca=False, signs=False, path=None,
    issuer=ROOT_NAME, subject=None, signer=ROOT_KEY, public=None,
) -> bytes:  # fmt: skip
    """A certificate that no Holdfast makes; what is not set is as it should be."""
    now = datetime.datetime.fromtimestamp(NOW / 1000, datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or named("somebody"))
        .issuer_name(issuer)
        .public_key(public or NODE_KEY.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, key_cert_sign=signs, crl_sign=False,
                encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if uris:
        names = [x509.UniformResourceIdentifier(uri) for uri in uris]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, None).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("known", vectors()["certificates"])
def test_a_certificate_is_read_the_same_for_ever(known):
    chain = [bytes.fromhex(der) for der in known["chain"]]
    root = bytes.fromhex(known["root"])
    if known["identity"] is None:
        with pytest.raises(Unauthorised):
            verify_certificate(chain, root)
        return
    found = verify_certificate(chain, root)
    assert known["identity"] == {
        "tenant": found.tenant,
        "venue": found.venue,
        "role": found.role,
        "name": found.name,
        "public_key": found.public_key.public_bytes_raw().hex(),
        "not_before_ms": found.not_before_ms,
        "not_after_ms": found.not_after_ms,
        "key_id": key_id(chain[0]),
    }


@pytest.mark.parametrize("known", vectors()["pseudonym_keys"])
def test_a_rebuilt_hub_gives_people_the_same_ids(known):
    root = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(known["root_private_key"]))
    assert derive_pseudonym_key(root).hex() == known["pseudonym_key"]


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(NAMES, NAMES, NAMES, NAMES)
def test_a_certificate_says_what_it_was_issued_for_whatever_the_names(tenant, venue, role, name):
    found = verify_certificate([leaf(tenant, venue, role, name)], ROOT)
    assert (found.tenant, found.venue, found.role, found.name) == (tenant, venue, role, name)
    assert found.public_key == NODE_KEY.public_key()


def test_a_hubs_certificate_is_for_every_venue():
    found = verify_certificate([leaf(venue="*", role="hub", name="hub")], ROOT)
    assert (found.venue, found.role) == ("*", "hub")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tenant": "town"}, ("town", "trattoria", "front-desk")),
        ({"venue": "osteria"}, ("city", "osteria", "front-desk")),
        ({"role": "kiosk"}, ("city", "trattoria", "kiosk")),
    ],
)
def test_another_tenant_venue_or_role_shows(change, says):
    """The certificate proves who somebody is; what they may do, whoever asks decides by this."""
    found = verify_certificate([leaf(**change)], ROOT)
    assert (found.tenant, found.venue, found.role) == says


def test_a_certificate_has_one_spelling_only():
    """The byte before the signature tells how many of its bits are unused; nobody signs it."""
    even = next(der for der in iter(leaf, b"") if der[-1] % 2 == 0)
    assert verify_certificate([even], ROOT).name == "desk-1"
    assert even[-67:-64] == b"\x03\x41\x00"
    with pytest.raises(Unauthorised):
        verify_certificate([even[:-65] + b"\x01" + even[-64:]], ROOT)


# A flipped sign bit makes a serial number negative, of which the library warns before we refuse it.
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("mask", [0x01, 0x80])
def test_a_certificate_with_any_byte_changed_is_refused(mask):
    for position in range(len(LEAF)):
        changed = bytearray(LEAF)
        changed[position] ^= mask
        with pytest.raises(Unauthorised):
            verify_certificate([bytes(changed)], ROOT)
            pytest.fail(f"byte {position} of the certificate can be changed")


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@given(st.binary(max_size=600) | st.integers(0, len(LEAF) - 1).map(lambda cut: LEAF[:cut]))
def test_what_is_no_certificate_is_refused_and_stops_nothing(data):
    with pytest.raises(Unauthorised):
        verify_certificate([data], ROOT)


def test_another_tenants_root_vouches_for_nobody_here():
    other = make_root("city", STRANGER, NOW)
    with pytest.raises(Unauthorised, match="root key"):
        verify_certificate([LEAF], other)
    with pytest.raises(Unauthorised):
        verify_certificate([leaf(key=STRANGER)], ROOT)


FORGED: dict[str, dict[str, Any]] = {
    "no name": {"uris": ()},
    "two names": {"uris": ("holdfast://city/v/kiosk/a", "holdfast://city/v/kiosk/b")},
    "another scheme": {"uris": ("https://city/trattoria/front-desk/desk-1",)},
    "a part missing": {"uris": ("holdfast://city/trattoria/front-desk",)},
    "a part too many": {"uris": ("holdfast://city/trattoria/front-desk/desk-1/x",)},
    "an empty part": {"uris": ("holdfast://city//front-desk/desk-1",)},
    "no tenant": {"uris": ("holdfast:///trattoria/front-desk/desk-1",)},
    "a query": {"uris": ("holdfast://city/trattoria/front-desk/desk-1?x",)},
    "a fragment": {"uris": ("holdfast://city/trattoria/front-desk/desk-1#x",)},
    "spelled otherwise": {"uris": ("holdfast://city/trattoria/front-desk/desk%2D1",)},
    "upper-case scheme": {"uris": ("HOLDFAST://city/trattoria/front-desk/desk-1",)},
    "bad brackets": {"uris": ("holdfast://[city/trattoria/front-desk/desk-1",)},
    "an issuer's": {"ca": True, "signs": True},
    "another issuer's name": {"issuer": named("somebody else")},
    "another kind of key": {"public": generate_private_key(SECP256R1()).public_key()},
}


def test_the_forger_makes_good_certificates_where_it_should():
    """Or the refusals below would prove nothing."""
    assert verify_certificate([forge()], ROOT).name == "desk-1"


@pytest.mark.parametrize("fault", FORGED)
def test_a_certificate_of_another_form_is_refused_though_the_root_signed_it(fault):
    with pytest.raises(Unauthorised):
        verify_certificate([forge(**FORGED[fault])], ROOT)


MIDDLE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
MIDDLE_NAME = named("intermediate")


def middle(**change) -> bytes:
    given = {"ca": True, "signs": True, "path": 0, "uris": (), "subject": MIDDLE_NAME}
    return forge(**{**given, "public": MIDDLE_KEY.public_key(), **change})


def test_an_intermediate_issuer_can_come_later():
    below = forge(issuer=MIDDLE_NAME, signer=MIDDLE_KEY)
    assert verify_certificate([below, middle()], ROOT).name == "desk-1"
    assert verify_certificate([LEAF, ROOT], ROOT).name == "desk-1"


@pytest.mark.parametrize(
    "change", [{"ca": False}, {"signs": False}, {"signer": STRANGER}, {"issuer": named("x")}]
)
def test_who_may_not_issue_vouches_for_nobody(change):
    below = forge(issuer=MIDDLE_NAME, signer=MIDDLE_KEY)
    with pytest.raises(Unauthorised):
        verify_certificate([below, middle(**{"path": None, **change})], ROOT)


def test_a_device_cannot_certify_another_device():
    subject = x509.load_der_x509_certificate(LEAF).subject
    with pytest.raises(Unauthorised):
        verify_certificate([forge(issuer=subject, signer=NODE_KEY), LEAF], ROOT)


def test_more_issuers_in_between_than_the_root_allows_are_refused():
    lower_key, lower_name = STRANGER, named("lower")
    lower = middle(
        subject=lower_name, public=lower_key.public_key(), issuer=MIDDLE_NAME, signer=MIDDLE_KEY
    )
    below = forge(issuer=lower_name, signer=lower_key)
    with pytest.raises(Unauthorised):
        verify_certificate([below, lower, middle(path=None)], ROOT)


@pytest.mark.parametrize("chain", [[], [LEAF] * 5, [LEAF, LEAF], [ROOT]])
def test_a_chain_that_leads_nowhere_is_refused(chain):
    with pytest.raises(Unauthorised):
        verify_certificate(chain, ROOT)


def test_a_rebuilt_root_of_the_same_key_vouches_for_what_was_issued_before():
    later = make_root("city", ROOT_KEY, NOW + 400 * DAY)
    assert later != ROOT
    assert verify_certificate([LEAF], later) == verify_certificate([LEAF], ROOT)


@pytest.mark.parametrize(
    ("at", "valid", "remark"),
    [
        (NOW, True, "at once"),
        (NOW - DAY + 60_000, True, "on a device whose clock is nearly a day behind"),
        (NOW - DAY - 60_000, False, "two days behind is no clock"),
        (NOW + 5 * 365 * DAY - 60_000, True, "for five years"),
        (NOW + 5 * 365 * DAY + 60_000, False, "and no longer"),
    ],
)
def test_a_certificate_is_valid_for_five_years_and_a_day(at, valid, remark):
    assert verify_certificate([LEAF], ROOT).valid_at(at) is valid, remark


def test_expiry_is_no_reason_to_refuse_what_was_written():
    """Entries are judged by this function years later; only exchanges ask `valid_at`."""
    found = verify_certificate([LEAF], ROOT)
    assert not found.valid_at(NOW + 50 * 365 * DAY)
    assert found.name == "desk-1"


def test_fingerprints_name_keys_and_key_ids_name_certificates():
    assert len(fingerprint(NODE_KEY.public_key())) == 32
    assert fingerprint(NODE_KEY.public_key()) != fingerprint(STRANGER.public_key())
    assert key_id(LEAF) != key_id(leaf())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("purpose", ["sslclient", "sslserver"])
def test_openssl_reads_and_verifies_them_too(tmp_path, purpose):
    for name, der in (("root", ROOT), ("leaf", LEAF)):
        pem = x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
        (tmp_path / name).write_bytes(pem)
    command = [
        "openssl", "verify", "-x509_strict", "-purpose", purpose,
        "-attime", str(NOW // 1000), "-CAfile", str(tmp_path / "root"), str(tmp_path / "leaf"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
