"""Writes docs/vectors.json: the wire formats of protocol 1 as bytes, for other implementations.

Everything follows from fixed keys, so that the file comes out byte for byte the same each time;
tests/test_vectors.py checks that, and plays every vector through the product's own code.

    python tools/make_vectors.py            writes docs/vectors.json
    python tools/make_vectors.py --check    says whether it is as it should be
"""

from __future__ import annotations

import hmac
import json
import sys
import zlib
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from holdfast.model import card_ids, codes, pseudonyms  # noqa: E402
from holdfast.model.administration import serial_bytes  # noqa: E402
from holdfast.model.entries import HUB_RIGHT, SCHEMA  # noqa: E402
from holdfast.node import (  # noqa: E402
    cards,
    http_signatures,
    identity,
    join_codes,
    renewing,
    transport,
)
from holdfast.sync import live_keys, messages, pages, seals  # noqa: E402
from tests import vectors_crypto  # noqa: E402
from tools.vector_entries import (  # noqa: E402
    AGENT,
    BOOK,
    HUB,
    INCARNATION,
    NOW_MS,
    ROOT_CERTIFICATE,
    TENANT,
    VENUE,
    Vectors,
    bad_updates,
    certificate,
    chain_entries,
    chain_vectors,
    client_vectors,
    entry_vectors,
    fixed,
    fixed_serial,
    frame_of,
    frame_vectors,
    id_vectors,
    judged_entries,
    page_vectors,
    plain,
    seal_vectors,
    sealing_key,
    signing_key,
)

FILE: Final = ROOT / "docs" / "vectors.json"

# --- messages -------------------------------------------------------------------------------------


def sample_messages() -> list[tuple[str, Any]]:
    entries = chain_entries()
    head = seals.chain_run(seals.chain_start(BOOK, INCARNATION), entries)[-1]
    vector = pages.state_vector(seals.client_id(BOOK, INCARNATION, 0), 3)
    venue_key = sealing_key("venue").public_key().public_bytes_raw()
    text, sealed = fixed("text digest", 16), fixed("sealed", 80)
    key = messages.CardKeyItem(text, card_ids.key_digest(venue_key, sealed), sealed, venue_key)
    return [
        (
            "a first round, which compares heads",
            messages.ExchangeRequest(
                1, BOOK, INCARNATION, 1, NOW_MS, None,
                (messages.Head(INCARNATION, 3, head, vector),),
                status=messages.NodeStatus(3, "holdover", 250, "holdfast-0.1.0", 1),
            ),
        ),
        (
            "a round that pushes a page and a card's key",
            messages.ExchangeRequest(
                1, BOOK, INCARNATION, 2, NOW_MS + 1, messages.Cursor(HUB, 42, 1), None,
                (frame_of(entries),), (key,), True,
            ),
        ),
        (
            "an answer",
            messages.ExchangeResponse(
                1, HUB, 2, NOW_MS + 5, NOW_MS + 6, 12, ((INCARNATION, 3, head),),
                ((INCARNATION, 2, "quarantined", "party-size"),),
                ((fixed("other", 16), 0, "seal-invalid"),), (), (), messages.Cursor(HUB, 45, 1),
                None, False, fixed("digest"), fixed("heads"), "serving",
            ),
        ),
    ]  # fmt: skip


def message_vectors() -> list[Vectors]:
    """Messages plain and in a zlib stream of stored blocks, which every zlib writes alike."""
    made = []
    for name, message in sample_messages():
        data = messages.encode(message, compress=False)
        made.append(
            {
                "name": name,
                "kind": type(message).__name__,
                "message": plain(message),
                "plain": data.hex(),
                "compressed": (b"\x01" + zlib.compress(data[1:], 0)).hex(),
            }
        )
    return made


def bad_messages() -> list[Vectors]:
    request = sample_messages()[0][1]
    good = messages.encode(request, compress=False)
    packed = b"\x01" + zlib.compress(good[1:], 0)
    newer = messages.encode(msgspec.structs.replace(request, version=2), compress=False)
    rows = [
        ("no bytes", b"", "invalid"),
        ("an unknown first byte", b"\x02" + good[1:], "invalid"),
        ("cut off", good[:-1], "invalid"),
        ("bytes after the end", good + b"\x00", "invalid"),
        ("compressed and cut off", packed[:-1], "invalid"),
        ("compressed, bytes after the end", packed + b"\x00", "invalid"),
        ("not compressed though it says so", b"\x01" + good[1:], "invalid"),
        ("another version", newer, "invalid"),
        ("a map", b"\x00\x80", "invalid"),
        ("too few fields", b"\x00\x91\x01", "invalid"),
        ("nested arrays", b"\x00" + b"\x91" * 64 + b"\x00", "invalid"),
        (
            "a negative count",
            b"\x00" + msgspec.msgpack.encode([1, BOOK, INCARNATION, -1, 0]),
            "invalid",
        ),
        (
            "a sender of 3 bytes",
            b"\x00" + msgspec.msgpack.encode([1, BOOK, b"abc", 1, 0]),
            "invalid",
        ),
    ]
    return [{"name": name, "bytes": data.hex(), "error": error} for name, data, error in rows]


# --- people, codes, cards, joining, signatures ----------------------------------------------------


def pseudonym_vectors() -> Vectors:
    root = signing_key("root")
    key = identity.derive_pseudonym_key(root)
    return {
        "root_private_key": root.private_bytes_raw().hex(),
        "pseudonym_key": key.hex(),
        "users": [
            {"user_id": user, "agent_id": pseudonyms.agent_id(key, user)}
            for user in ("", "4711", "anna@example.org", "città")
        ],
        "staff": [
            {"login": login, "agent_id": pseudonyms.staff_agent_id(key, login)}
            for login in ("4711", "anna rossi")
        ],
        "applications": [
            {"name": name, "agent_id": pseudonyms.application_agent_id(key, name)}
            for name in ("4711", "till-1")
        ],
        "walk_in": {"entropy": bytes(range(20)).hex(), "agent_id": AGENT},
    }


def code_vectors() -> Vectors:
    key = fixed("codes")
    return {
        "key": key.hex(),
        "codes": [
            {"year": 2026, "prefix": prefix, "counter": counter,
             "code": codes.code(2026, prefix, counter, key)}
            for prefix in (0, 226, 1023) for counter in (0, 1, 2, codes.COUNTERS - 1)
        ],
        "fallback": [
            {"year": 2026, "incarnation": INCARNATION.hex(), "counter": counter,
             "code": codes.fallback_code(2026, INCARNATION, counter, key)}
            for counter in (0, 1)
        ],
        "normalised": [
            {"typed": typed, "code": codes.normalise_code(typed)}
            for typed in ("res 2026 7k3m9q", "RES2026-7K3MIO", "RES-2026-7K3M9", "RES-2026-UUUUUU")
        ],
    }  # fmt: skip


def hpke_seal(plain_text: bytes, recipient: X25519PrivateKey, info: bytes, name: str) -> bytes:
    """RFC 9180 in base mode with a fixed ephemeral key: X25519, HKDF-SHA-256, AES-256-GCM."""
    ephemeral = sealing_key(f"ephemeral {name}")
    public, encapsulated = (k.public_key().public_bytes_raw() for k in (recipient, ephemeral))
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"

    def extract(salt: bytes, of: bytes, label: bytes, secret: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + of + label + secret, "sha256")

    def expand(secret: bytes, of: bytes, label: bytes, context: bytes, length: int) -> bytes:
        labelled = length.to_bytes(2, "big") + b"HPKE-v1" + of + label + context
        return hmac.digest(secret, labelled + b"\x01", "sha256")[:length]

    shared = expand(
        extract(b"", kem, b"eae_prk", ephemeral.exchange(recipient.public_key())),
        kem, b"shared_secret", encapsulated + public, 32,
    )  # fmt: skip
    context = (
        b"\x00" + extract(b"", suite, b"psk_id_hash", b"") + extract(b"", suite, b"info_hash", info)
    )
    secret = extract(shared, suite, b"secret", b"")
    key = expand(secret, suite, b"key", context, 32)
    nonce = expand(secret, suite, b"base_nonce", context, 12)
    return encapsulated + AESGCM(key).encrypt(nonce, plain_text, b"")


def card_vectors() -> Vectors:
    entropy = fixed("card 1") + fixed("card 2", 12)
    card = {"name": "Ann Smith", "phone": "+39 055 123456", "dietary": "no nuts"}
    venue_key = sealing_key("venue")
    made = cards.seal_card(
        card, venue_key.public_key(), venue=BOOK, agent_id=AGENT, life=INCARNATION, entropy=entropy
    )
    info = cards._bound(cards._KEY, BOOK, made.text_digest)
    sealed_key = hpke_seal(entropy[:32], venue_key, info, "card")
    digest = card_ids.key_digest(venue_key.public_key().public_bytes_raw(), sealed_key)
    return {
        "venue": BOOK,
        "agent_id": AGENT,
        "incarnation": INCARNATION.hex(),
        "venue_private_key": venue_key.private_bytes_raw().hex(),
        "venue_public_key": venue_key.public_key().public_bytes_raw().hex(),
        "entropy": entropy.hex(),
        "card": card,
        "ciphertext": made.ciphertext.hex(),
        "text_digest": made.text_digest.hex(),
        "sealed_key": sealed_key.hex(),
        "key_digest": digest.hex(),
        "card_id": card_ids.card_id(made.text_digest, digest).hex(),
    }


def join_vectors() -> Vectors:
    hub = signing_key("hub")
    entropy = fixed("join code")
    code = join_codes.make(entropy, hub.public_key())
    transcript = fixed("transcript")
    return {
        "hub_public_key": hub.public_key().public_bytes_raw().hex(),
        "entropy": entropy[: join_codes.ID_BYTES + join_codes.SECRET_BYTES].hex(),
        "code": code.text,
        "id": code.id.hex(),
        "secret": code.secret.hex(),
        "fingerprint": code.fingerprint.hex(),
        "transcript": transcript.hex(),
        "proof": join_codes.proof(code.secret, transcript).hex(),
    }


def renewal_vectors() -> Vectors:
    """An issuer below the root, a device's certificate by it, and the one that renews that."""
    root, issuer, desk, later = (signing_key(n) for n in ("root", "issuer", "desk", "desk later"))
    with fixed_serial("issuer"):
        issuing = identity.make_issuer(root, ROOT_CERTIFICATE, TENANT, issuer.public_key(), NOW_MS)
    writer = (TENANT, VENUE, "front-desk", "desk")
    with fixed_serial("desk by the issuer"):
        first = identity.issue(issuer, issuing, *writer, desk.public_key(), NOW_MS)
    present = identity.verify_certificate([first, issuing], ROOT_CERTIFICATE)
    request = renewing.request_for(present, later)
    with fixed_serial("desk renewed"):
        renewed = identity.issue(issuer, issuing, *writer, later.public_key(), NOW_MS, present.line)
    found = identity.verify_certificate([renewed, issuing], ROOT_CERTIFICATE)
    return {
        "root": ROOT_CERTIFICATE.hex(),
        "issuer": issuing.hex(),
        "certificate": first.hex(),
        "serial": serial_bytes(present.serial).hex(),
        "key": later.public_key().public_bytes_raw().hex(),
        "proof_message": renewing.proof_message(
            present.serial, later.public_key().public_bytes_raw()
        ).hex(),
        "request": request.hex(),
        "answer": msgspec.msgpack.encode(renewing.RenewAnswer(1, [renewed, issuing])).hex(),
        "renewed_serial": serial_bytes(found.serial).hex(),
        "line": serial_bytes(found.line).hex(),
        "shut_out_by": [serial_bytes(serial).hex() for serial in found.serials],
    }


def signature_vectors() -> Vectors:
    leaf, hub_leaf = certificate("desk"), certificate("hub", "hub", "*")
    body = messages.encode(sample_messages()[0][1], compress=False)
    answer = messages.encode(sample_messages()[2][1], compress=False)
    url = "http://hub.example:8470" + transport.EXCHANGE_PATH
    created = NOW_MS // 1000
    headers = http_signatures.sign_request(
        "POST", url, body, signing_key("desk"), identity.key_id(leaf), created,
        fixed("nonce", 16).hex(), transport.certificate_header([leaf]),
        challenge=fixed("challenge", 24).hex(),
    )  # fmt: skip
    answered = http_signatures.sign_response(
        200, answer, headers, signing_key("hub"), identity.key_id(hub_leaf), created,
        transport.certificate_header([hub_leaf]), challenge=fixed("next challenge", 24).hex(),
    )  # fmt: skip
    return {
        "root": ROOT_CERTIFICATE.hex(),
        "request": {"method": "POST", "url": url, "headers": headers, "body": body.hex()},
        "response": {"status": 200, "headers": answered, "body": answer.hex()},
    }


def live_vectors() -> Vectors:
    """An upgrade and its answer, the keys of both directions, and two messages in each."""
    leaf, hub_leaf = certificate("desk"), certificate("hub", "hub", "*")
    node, hub = sealing_key("live node"), sealing_key("live hub")
    node_key, hub_key = (key.public_key().public_bytes_raw() for key in (node, hub))
    url, created = "http://hub.example:8470" + transport.LIVE_PATH, NOW_MS // 1000
    headers = http_signatures.sign_request(
        "GET", url, b"", signing_key("desk"), identity.key_id(leaf), created,
        fixed("live nonce", 16).hex(), transport.certificate_header([leaf]),
        live_keys.write_key(node),
    )  # fmt: skip
    answered = http_signatures.sign_response(
        101, b"", headers, signing_key("hub"), identity.key_id(hub_leaf), created,
        transport.certificate_header([hub_leaf]), live_keys.write_key(hub),
    )  # fmt: skip
    signature = headers[http_signatures.SIGNATURE_HEADER]
    secret = live_keys.agree(node, hub_key)
    to_hub, to_node = live_keys.derive(secret, node_key, hub_key, signature)
    sides = {
        "hub": live_keys.for_node(node, hub_key, signature),
        "node": live_keys.for_hub(hub, node_key, signature),
    }
    request, _, answer = (
        messages.encode(message, compress=False) for _, message in sample_messages()
    )
    said = [("hub", 0, request), ("node", 0, answer), ("hub", 1, request), ("node", 1, answer)]
    return {
        "root": ROOT_CERTIFICATE.hex(),
        "request": {"method": "GET", "url": url, "headers": headers},
        "response": {"status": 101, "headers": answered},
        "node_private_key": node.private_bytes_raw().hex(),
        "node_key": node_key.hex(),
        "hub_private_key": hub.private_bytes_raw().hex(),
        "hub_key": hub_key.hex(),
        "signature": signature,
        "secret": secret.hex(),
        "to_hub": to_hub.hex(),
        "to_node": to_node.hex(),
        "messages": [
            {"to": to, "count": count, "message": message.hex(),
             "sealed": sides[to].seal(message).hex()}
            for to, count, message in said
        ],
    }  # fmt: skip


def make() -> str:
    """The file's text."""
    vectors: Vectors = {
        "about": "Test vectors of the Holdfast protocol; docs/protocol.md explains them. "
        "Bytes are hex. Written by tools/make_vectors.py.",
        "protocol": messages.PROTOCOL_VERSION,
        "schema": SCHEMA,
        "hub_right": HUB_RIGHT.hex(),
        "chain": chain_vectors(),
        "seals": seal_vectors(),
        "client_ids": client_vectors(),
        "ids": id_vectors(),
        "entries": entry_vectors(),
        "judged_entries": judged_entries(),
        "page": page_vectors(),
        "bad_updates": bad_updates(),
        "root_certificate": ROOT_CERTIFICATE.hex(),
        "frames": frame_vectors(),
        "messages": message_vectors(),
        "bad_messages": bad_messages(),
        "pseudonyms": pseudonym_vectors(),
        "codes": code_vectors(),
        "card": card_vectors(),
        "join_code": join_vectors(),
        "renewal": renewal_vectors(),
        "signatures": signature_vectors(),
        "live_channel": live_vectors(),
        "known_answers": vectors_crypto.vectors(),
    }
    return json.dumps(vectors, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    text = make()
    if "--check" in sys.argv[1:]:
        same = FILE.exists() and FILE.read_text("utf-8") == text
        print(f"{FILE.name} is {'as it should be' if same else 'another: make it again'}")
        return 0 if same else 1
    FILE.write_text(text, "utf-8")
    print(f"{FILE.name}: {len(text)} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
