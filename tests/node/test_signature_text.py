"""The one spelling of our signatures: byte for byte the library's, and never more lenient."""

from __future__ import annotations

import base64
import datetime
from typing import Any
from unittest import mock

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.model.errors import Unauthorised
from holdfast.node import http_signatures, signature_text
from holdfast.node.http_signatures import (
    CERTIFICATE_HEADER,
    sign_request,
    sign_response,
    verify_request,
    verify_response,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
URL = "http://hub.example:8470/sync/v1/exchange"
CERTIFICATE = base64.b64encode(b"a certificate").decode()
NONCE = "00112233445566778899aabbccddeeff"
CREATED = 1_800_000_000
URLS = (
    URL,
    "https://HUB.example:443/a%20b?c=d&e",
    "http://[::1]:80/",
    "http://hub.example",
    "http://hub.example/?",
    "http://hub.example/a b",
    "http:///x",
)
TEXTS = st.one_of(
    st.sampled_from(["desk-1", "", 'a"b', "a\\b", "a b", "é", "\t", "a\nb"]), st.text(max_size=20)
)


def by_the_library(*given, **named) -> Any:
    """The headers as the library writes them; None where it refuses to sign."""
    with mock.patch.object(signature_text, "plain", lambda *_: None):
        return signed(*given, **named)


def signed(url=URL, key_id="desk-1", created=CREATED, nonce=NONCE, certificate=CERTIFICATE) -> Any:
    try:
        return sign_request("POST", url, b"body", KEY, key_id, created, nonce, certificate)
    except (ValueError, HTTPMessageSignaturesException):
        return None


@given(st.sampled_from(URLS), TEXTS, st.integers(0, 10**11), TEXTS, TEXTS)
@example(URL, "desk-1", CREATED, NONCE, CERTIFICATE)
@example(URL, "desk-1", CREATED, NONCE, "")
def test_a_request_is_signed_as_the_library_signs_it(url, key_id, created, nonce, certificate):
    assert signed(url, key_id, created, nonce, certificate) == by_the_library(
        url, key_id, created, nonce, certificate
    )


@given(TEXTS.filter(str.isascii), st.sampled_from([200, 101, 403]))
def test_an_answer_is_signed_as_the_library_signs_it(signature, status):
    request = {"Signature": signature}
    answers: list[dict[str, str] | None] = []
    for plain in (signature_text.plain, lambda *_: None):
        with mock.patch.object(signature_text, "plain", plain):
            try:
                answers.append(
                    sign_response(status, b"", request, KEY, "hub", CREATED, CERTIFICATE)
                )
            except HTTPMessageSignaturesException:
                answers.append(None)
    assert answers[0] == answers[1]


def heard(headers, body=b"body", url=URL, *, plainly=True) -> Any:
    """What the verifier says: who signed, or None."""
    verified = http_signatures._verified if plainly else lambda *_: None
    with mock.patch.object(http_signatures, "_verified", verified):
        try:
            return verify_request("POST", url, headers, body, lambda _: KEY.public_key())
        except Unauthorised:
            return None


RIGHT = signed()
SPELLINGS = {
    "as it was sent": RIGHT,
    "in small letters": {name.lower(): value for name, value in RIGHT.items()},
    "spaces around a value": {name: f" {value} " for name, value in RIGHT.items()},
    "spaces in the parameters": RIGHT
    | {"Signature-Input": RIGHT["Signature-Input"].replace(";nonce", "; nonce")},
    "a header twice": RIGHT | {"content-digest": RIGHT["Content-Digest"]},
    "another label": RIGHT
    | {
        "Signature-Input": RIGHT["Signature-Input"].replace("holdfast=", "sig=", 1),
        "Signature": RIGHT["Signature"].replace("holdfast=", "sig=", 1),
    },
    "two digests": RIGHT | {"Content-Digest": RIGHT["Content-Digest"] * 2},
    "zeros before the time": RIGHT
    | {"Signature-Input": RIGHT["Signature-Input"].replace("created=", "created=0")},
    "spare bits of the signature": RIGHT | {"Signature": RIGHT["Signature"][:-4] + "B==:"},
    "a line end": RIGHT | {"Signature": RIGHT["Signature"] + "\n"},
    "no certificate": {k: v for k, v in RIGHT.items() if k != CERTIFICATE_HEADER},
    "nothing": {},
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_request_is_heard_where_the_library_hears_it(spelling):
    headers = SPELLINGS[spelling]
    assert heard(headers) == heard(headers, plainly=False)


@given(
    st.sampled_from(list(RIGHT)),
    st.integers(0, 400),
    st.sampled_from(['"', "=", ";", " ", "A", "0", ",", "\\", "\n", "é", ""]),
)
def test_no_changed_request_is_heard_that_the_library_would_not_hear(name, at, other):
    value = RIGHT[name]
    changed = RIGHT | {name: value[:at] + other + value[at + 1 :]}
    assert heard(changed) == heard(changed, plainly=False)


@pytest.mark.parametrize("change", [{"body": b"Body"}, {"body": b""}, {"url": URL + "?"}])
def test_what_is_not_as_it_was_signed_is_left_to_the_library(change):
    assert heard(RIGHT, **change) == heard(RIGHT, **change, plainly=False)


def test_a_message_of_ours_is_read_without_the_library():
    answer = sign_response(200, b"", RIGHT, KEY, "hub", CREATED, CERTIFICATE)
    with mock.patch.object(http_signatures, "_Verifier", None):
        assert verify_request("POST", URL, RIGHT, b"body", lambda _: KEY.public_key()) == (
            "desk-1", NONCE, CREATED,
        )  # fmt: skip
        verify_response(200, answer, b"", RIGHT, KEY.public_key())


def test_a_time_is_written_as_it_is_read():
    now = datetime.datetime(2027, 6, 2, tzinfo=datetime.UTC)
    headers = signed(created=int(now.timestamp()))
    assert heard(headers).created_s == int(now.timestamp())
