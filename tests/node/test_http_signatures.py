"""Signed requests and answers: nobody else's, unchanged, to this question, and only once."""

from __future__ import annotations

import base64
import hashlib
import re
import threading

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import Unauthorised
from holdfast.node.http_signatures import (
    CERTIFICATE_HEADER,
    LIVE_KEY_HEADER,
    NonceMemory,
    SignedBy,
    sign_request,
    sign_response,
    verify_request,
    verify_response,
)
from tests.vectors_crypto import vectors

NODE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HUB = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
URL = "http://127.0.0.1:8470/sync/v1/exchange"
BODY = b"an exchange, compressed \x00\xff"
ANSWER = b"what the hub answers"
CREATED = 1_800_000_000
NONCE = "00112233445566778899aabbccddeeff"
CERTIFICATE = base64.b64encode(b"a certificate").decode()


def signed(method="POST", url=URL, body=BODY, key=NODE, nonce=NONCE) -> dict[str, str]:
    return sign_request(method, url, body, key, "desk-1", CREATED, nonce, CERTIFICATE)


def verified(headers, method="POST", url=URL, body=BODY, key=NODE) -> SignedBy:
    return verify_request(method, url, headers, body, lambda _: key.public_key())


def answered(request, status=200, body=ANSWER, key=HUB) -> dict[str, str]:
    return sign_response(status, body, request, key, "hub", CREATED, CERTIFICATE)


REQUEST = signed()
RESPONSE = answered(REQUEST)


def check_answer(headers, status=200, body=ANSWER, request=REQUEST, key=HUB) -> None:
    verify_response(status, headers, body, request, key.public_key())


@pytest.mark.parametrize("known", vectors()["requests"])
def test_a_signed_request_is_understood_for_ever(known):
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(known["private_key"]))
    body = bytes.fromhex(known["body"])
    headers = sign_request(
        known["method"], known["url"], body, key, known["key_id"], known["created"],
        known["nonce"], known["certificate"],
    )  # fmt: skip
    assert headers == known["headers"]
    assert verified(known["headers"], known["method"], known["url"], body, key) == (
        known["key_id"], known["nonce"], known["created"],
    )  # fmt: skip


@pytest.mark.parametrize("known", vectors()["responses"])
def test_a_signed_answer_is_understood_for_ever(known):
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(known["private_key"]))
    body, status = bytes.fromhex(known["body"]), known["status"]
    headers = sign_response(
        status, body, known["request_headers"], key, known["key_id"], known["created"],
        known["certificate"],
    )  # fmt: skip
    assert headers == known["headers"]
    check_answer(headers, status, body, known["request_headers"], key)


# --- the upgrade to the live channel --------------------------------------------------------------


def upgrade(live_key: str) -> dict[str, str]:
    return sign_request("GET", URL, b"", NODE, "desk-1", CREATED, NONCE, CERTIFICATE, live_key)


def test_an_upgrade_and_its_answer_vouch_for_the_keys_that_they_carry():
    request = upgrade("a2V5")
    answer = sign_response(101, b"", request, HUB, "hub", CREATED, CERTIFICATE, "aHVi")
    verify_request("GET", URL, request, b"", lambda _: NODE.public_key(), live=True)
    verify_response(101, answer, b"", request, HUB.public_key(), live=True)
    for changed in ("a2V6", ""):
        with pytest.raises(Unauthorised):
            verify_request(
                "GET", URL, request | {LIVE_KEY_HEADER: changed}, b"",
                lambda _: NODE.public_key(), live=True,
            )  # fmt: skip
        with pytest.raises(Unauthorised):
            verify_response(
                101, answer | {LIVE_KEY_HEADER: changed}, b"", request, HUB.public_key(), live=True
            )


def test_a_key_that_no_signature_covers_is_refused():
    request = upgrade("") | {LIVE_KEY_HEADER: "a2V5"}
    answer = sign_response(101, b"", request, HUB, "hub", CREATED, CERTIFICATE)
    with pytest.raises(Unauthorised, match="holdfast-live-key"):
        verify_request("GET", URL, request, b"", lambda _: NODE.public_key(), live=True)
    with pytest.raises(Unauthorised, match="holdfast-live-key"):
        verify_response(
            101, answer | {LIVE_KEY_HEADER: "aHVi"}, b"", request, HUB.public_key(), live=True
        )


def test_any_other_request_and_answer_carries_no_such_key():
    for headers in (REQUEST, RESPONSE):
        assert LIVE_KEY_HEADER not in headers
        assert "live" not in headers["Signature-Input"]


# --- an independent peer: RFC 9421 and RFC 9530 by hand ------------------------------------------


def base_of(components: str, parameters: str, values: dict[str, str]) -> bytes:
    """The signature base of RFC 9421, 2.5."""
    lines = [f"{name}: {values[name]}" for name in components.split(" ")]
    return "\n".join([*lines, f'"@signature-params": ({components}){parameters}']).encode()


def digest_of(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def taken_apart(headers: dict[str, str]) -> tuple[str, str, bytes]:
    found = re.fullmatch(r"holdfast=\((.*)\)(;.*)", headers["Signature-Input"])
    signature = re.fullmatch(r"holdfast=:(.*):", headers["Signature"])
    assert found is not None
    assert signature is not None
    return found[1], found[2], base64.b64decode(signature[1])


def values_of_request(headers: dict[str, str]) -> dict[str, str]:
    return {
        '"@method"': "POST",
        '"@authority"': "127.0.0.1:8470",
        '"@path"': "/sync/v1/exchange",
        '"@query"': "?",
        '"content-digest"': headers["Content-Digest"],
        '"holdfast-certificate"': headers[CERTIFICATE_HEADER],
    }


def test_another_implementation_of_the_rfc_accepts_our_requests():
    components, parameters, signature = taken_apart(REQUEST)
    base = base_of(components, parameters, values_of_request(REQUEST))
    NODE.public_key().verify(signature, base)
    assert REQUEST["Content-Digest"] == digest_of(BODY)
    with pytest.raises(InvalidSignature):
        NODE.public_key().verify(signature, base + b" ")


def test_another_implementation_of_the_rfc_accepts_our_answers():
    components, parameters, signature = taken_apart(RESPONSE)
    values = {
        '"@status"': "200",
        '"content-digest"': digest_of(ANSWER),
        '"holdfast-certificate"': CERTIFICATE,
        '"signature";req': REQUEST["Signature"],
    }
    HUB.public_key().verify(signature, base_of(components, parameters, values))


COMPONENTS = '"@method" "@authority" "@path" "@query" "content-digest" "holdfast-certificate"'


def by_hand(
    components=COMPONENTS,
    parameters=f';created={CREATED};keyid="x";alg="ed25519";nonce="{NONCE}";tag="holdfast"',
    label="holdfast",
) -> dict[str, str]:
    """A request as another implementation signs it."""
    headers = {"Content-Digest": digest_of(BODY), CERTIFICATE_HEADER: CERTIFICATE}
    base = base_of(components, parameters, values_of_request(headers))
    signature = base64.b64encode(NODE.sign(base)).decode()
    return headers | {
        "Signature-Input": f"{label}=({components}){parameters}",
        "Signature": f"{label}=:{signature}:",
    }


def test_we_accept_the_requests_of_another_implementation():
    assert verified(by_hand()) == ("x", NONCE, CREATED)
    turned = '"holdfast-certificate" "content-digest" "@query" "@path" "@authority" "@method"'
    assert verified(by_hand(components=turned, label="sig1")).nonce == NONCE


@pytest.mark.parametrize("left_out", COMPONENTS.split(" "))
def test_a_request_that_leaves_a_part_unsigned_is_refused(left_out):
    rest = " ".join(part for part in COMPONENTS.split(" ") if part != left_out)
    with pytest.raises(Unauthorised):
        verified(by_hand(components=rest))


@pytest.mark.parametrize(
    "parameters",
    [
        f';keyid="x";alg="ed25519";nonce="{NONCE}";tag="holdfast"',
        f';created="then";keyid="x";alg="ed25519";nonce="{NONCE}";tag="holdfast"',
        f';created={CREATED};alg="ed25519";nonce="{NONCE}";tag="holdfast"',
        f';created={CREATED};keyid="x";nonce="{NONCE}";tag="holdfast"',
        f';created={CREATED};keyid="x";alg="hmac-sha256";nonce="{NONCE}";tag="holdfast"',
        f';created={CREATED};keyid="x";alg="ed25519";nonce="{NONCE}";tag="other"',
        f';created={CREATED};keyid="x";alg="ed25519";nonce="{NONCE}"',
        f';created={CREATED};keyid="x";alg="ed25519";nonce="{NONCE}";tag="holdfast";expires=1',
        f';created={CREATED};keyid="x";alg="ed25519";nonce="{NONCE}";tag="holdfast";x=1',
    ],
)
def test_a_signature_with_other_parameters_is_refused_though_it_is_right(parameters):
    with pytest.raises(Unauthorised):
        verified(by_hand(parameters=parameters))


# --- requests ------------------------------------------------------------------------------------


@given(
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["/", "/sync/v1/live", "/a%20b?c=d&e=%C3%A9", "/?", "/x?y"]),
    st.binary(max_size=100),
)
def test_a_signed_request_is_accepted_as_it_was_sent(method, path, body):
    url = f"http://[::1]:8470{path}"
    headers = {name.lower(): value for name, value in signed(method, url, body).items()}
    headers["content-type"] = "application/octet-stream"
    assert verified(headers, method, url, body) == ("desk-1", NONCE, CREATED)


@pytest.mark.parametrize("created", [0, CREATED - 86_400 * 4_000, CREATED + 86_400 * 4_000])
def test_a_device_whose_clock_is_wrong_is_still_heard(created):
    headers = sign_request("POST", URL, BODY, NODE, "desk-1", created, NONCE, CERTIFICATE)
    assert verified(headers).created_s == created


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"method": "GET"},
        {"url": "http://127.0.0.1:8471/sync/v1/exchange"},
        {"url": "http://127.0.0.2:8470/sync/v1/exchange"},
        {"url": "http://127.0.0.1:8470/sync/v1/hashes"},
        {"url": URL + "/"},
        {"url": URL + "?book=other"},
        {"body": b""},
        {"body": BODY + b"\0"},
        {"key": STRANGER},
    ],
    ids=lambda change: "-".join(change) or "nothing",
)
def test_a_request_that_is_sent_otherwise_than_it_was_signed_is_refused(change):
    with pytest.raises(Unauthorised, match="not signed as it must be"):
        verified(REQUEST, **change)


def test_a_request_with_any_byte_of_its_body_changed_is_refused():
    for position in range(len(BODY)):
        body = bytearray(BODY)
        body[position] ^= 0x01
        with pytest.raises(Unauthorised):
            verified(REQUEST, body=bytes(body))


def same_signature(one: str, other: str) -> bool:
    """Base64 has spare bits at its end, so that one signature can be spelled in several ways."""
    try:
        return base64.b64decode(one[10:-1]) == base64.b64decode(other[10:-1])
    except ValueError:
        return False


@pytest.mark.parametrize("name", list(REQUEST))
def test_a_request_with_any_character_of_its_headers_changed_is_refused(name):
    value = REQUEST[name]
    for position in range(len(value)):
        for other in {"A", "=", '"', "z"} - {value[position]}:
            changed = value[:position] + other + value[position + 1 :]
            if name == "Signature" and same_signature(value, changed):
                continue
            with pytest.raises(Unauthorised):
                verified({**REQUEST, name: changed})
                pytest.fail(f"{name}[{position}] can be {other}")


@pytest.mark.parametrize("name", list(REQUEST))
def test_a_request_with_a_header_missing_is_refused(name):
    with pytest.raises(Unauthorised):
        verified({key: value for key, value in REQUEST.items() if key != name})


@given(st.dictionaries(st.sampled_from(list(REQUEST)), st.text(max_size=60), min_size=1))
def test_nonsense_in_the_headers_is_refused_and_stops_nothing(nonsense):
    with pytest.raises(Unauthorised):
        verified({**REQUEST, **nonsense})


def test_a_request_of_nobody_known_is_refused():
    def nobody(_: str):
        raise Unauthorised("no such device")

    with pytest.raises(Unauthorised, match="no such device"):
        verify_request("POST", URL, REQUEST, BODY, nobody)


def test_a_message_with_two_signatures_of_devices_is_refused():
    other = by_hand(label="other")
    both = {
        **REQUEST,
        "Signature-Input": f"{REQUEST['Signature-Input']}, {other['Signature-Input']}",
        "Signature": f"{REQUEST['Signature']}, {other['Signature']}",
    }
    with pytest.raises(Unauthorised, match="more than one"):
        verified(both)


# --- answers -------------------------------------------------------------------------------------


def test_an_answer_is_accepted_for_the_question_it_answers():
    check_answer(RESPONSE)
    check_answer({name.lower(): value for name, value in RESPONSE.items()})


@pytest.mark.parametrize(
    "change",
    [
        {"status": 201},
        {"body": ANSWER + b"\0"},
        {"body": b""},
        {"key": STRANGER},
        {"key": NODE},
        {"request": signed(nonce="f" * 32)},
        {"request": signed(body=b"another question")},
        {"request": {}},
    ],
    ids=lambda change: "-".join(change) or "nothing",
)
def test_an_answer_of_another_hub_or_to_another_question_is_refused(change):
    with pytest.raises(Unauthorised):
        check_answer(RESPONSE, **change)


def test_an_answer_with_any_byte_of_its_body_changed_is_refused():
    for position in range(len(ANSWER)):
        body = bytearray(ANSWER)
        body[position] ^= 0x01
        with pytest.raises(Unauthorised):
            check_answer(RESPONSE, body=bytes(body))


@pytest.mark.parametrize("name", list(RESPONSE))
def test_an_answer_with_any_character_of_its_headers_changed_is_refused(name):
    value = RESPONSE[name]
    for position in range(len(value)):
        for other in {"A", "=", '"', "z"} - {value[position]}:
            changed = value[:position] + other + value[position + 1 :]
            if name == "Signature" and same_signature(value, changed):
                continue
            with pytest.raises(Unauthorised):
                check_answer({**RESPONSE, name: changed})
                pytest.fail(f"{name}[{position}] can be {other}")


def test_a_question_does_not_pass_for_an_answer_nor_the_other_way_round():
    with pytest.raises(Unauthorised):
        check_answer(REQUEST, body=BODY, key=NODE)
    with pytest.raises(Unauthorised):
        verified(RESPONSE, body=ANSWER, key=HUB)


# --- once ----------------------------------------------------------------------------------------


def by(sender: str, n: int) -> SignedBy:
    return SignedBy(sender, f"{n:032x}", CREATED)


def test_a_request_is_heard_once():
    memory = NonceMemory()
    memory.accept(by("desk-1", 1))
    memory.accept(by("desk-1", 2))
    memory.accept(by("desk-2", 1))
    for again in (by("desk-1", 1), by("desk-1", 2), by("desk-2", 1)):
        with pytest.raises(Unauthorised, match="sent before"):
            memory.accept(again)


def test_the_memory_for_nonces_is_bounded_however_many_come():
    memory = NonceMemory(size=640)
    for n in range(5_000):
        memory.accept(by("flooder", n))
    assert len(memory) == 10
    for n in range(5_000):
        memory.accept(by(f"node-{n}", n))
    assert len(memory) == 640


def test_one_devices_flood_does_not_make_anothers_requests_acceptable_again():
    memory = NonceMemory(size=640)
    memory.accept(by("desk-1", 1))
    for n in range(5_000):
        memory.accept(by("flooder", n))
    with pytest.raises(Unauthorised, match="sent before"):
        memory.accept(by("desk-1", 1))


def test_where_there_is_no_room_the_longest_silent_device_is_forgotten_first():
    memory = NonceMemory(size=64)
    for n in range(64):
        memory.accept(by(f"node-{n}", n))
    memory.accept(by("node-64", 64))
    with pytest.raises(Unauthorised, match="sent before"):
        memory.accept(by("node-1", 1))
    memory.accept(by("node-0", 0))


@pytest.mark.parametrize("nonce", ["", "short", "x" * 15, "x" * 129])
def test_a_nonce_that_is_too_short_or_too_long_is_refused(nonce):
    with pytest.raises(Unauthorised, match="16 to 128"):
        NonceMemory().accept(SignedBy("desk-1", nonce, CREATED))


def test_of_many_that_send_the_same_request_at_once_one_is_heard():
    memory, heard, refused = NonceMemory(), [], []
    together = threading.Barrier(8)

    def send() -> None:
        together.wait()
        for n in range(500):
            try:
                memory.accept(by("desk-1", n))
                heard.append(n)
            except Unauthorised:
                refused.append(n)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == list(range(500))
    assert len(refused) == 7 * 500
