"""docs/vectors.json is what this software does: each vector goes through the product's own code."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pycrdt import Array, Doc

from holdfast.model import codes, entries, errors, events, ids, pseudonyms
from holdfast.model.administration import serial_bytes
from holdfast.model.events import ChainCertified
from holdfast.node import cards, http_signatures, identity, join_codes, renewing, transport
from holdfast.sync import gate, live_keys, messages, pages, seals

ROOT = Path(__file__).parent.parent
V: dict[str, Any] = json.loads((ROOT / "docs" / "vectors.json").read_text("utf-8"))


def named(section: str) -> Any:
    """Parameters of one section, each known by its name."""
    return pytest.mark.parametrize("vector", V[section], ids=lambda vector: vector["name"])


def test_the_generator_makes_the_file_byte_for_byte() -> None:
    done = subprocess.run(
        [sys.executable, "tools/make_vectors.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr}run tools/make_vectors.py"


def test_the_vectors_are_of_the_versions_that_are_spoken() -> None:
    assert (V["protocol"], V["schema"]) == (messages.PROTOCOL_VERSION, entries.SCHEMA)
    assert bytes.fromhex(V["hub_right"]) == entries.HUB_RIGHT


def test_chains() -> None:
    chain = V["chain"]
    head = seals.chain_start(chain["book"], bytes.fromhex(chain["incarnation"]))
    assert head.hex() == chain["start"]
    for step in chain["steps"]:
        head = seals.chain_next(head, bytes.fromhex(step["entry"]))
        assert (head.hex(), head[:16].hex()) == (step["hash"], step["operation"])


@pytest.mark.parametrize("vector", V["seals"], ids=lambda vector: f"n={vector['n']}")
def test_seals(vector: dict[str, Any]) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector["private_key"]))
    place = (
        vector["book"], bytes.fromhex(vector["incarnation"]), vector["n"],
        bytes.fromhex(vector["head"]),
    )  # fmt: skip
    seal = bytes.fromhex(vector["seal"])
    assert key.public_key().public_bytes_raw().hex() == vector["public_key"]
    assert seals.seal_message(*place).hex() == vector["message"]
    assert seals.sign_seal(key, *place) == seal
    assert seals.verify_seal(key.public_key(), *place, seal)


def test_client_ids() -> None:
    for vector in V["client_ids"]:
        place = (vector["book"], bytes.fromhex(vector["incarnation"]), vector["page"])
        assert seals.client_id(*place) == vector["client_id"] < 1 << 53


def test_ids_that_a_life_makes_and_those_of_imported_records() -> None:
    shown = V["ids"]
    for row in shown["made"]:
        made = ids.reservation_id(
            bytes.fromhex(row["incarnation"]), row["ms"], bytes.fromhex(row["entropy"])
        )
        assert ids.uuid_text(made) == row["id"]
        assert ids.may_name(made, bytes.fromhex(row["incarnation"]))
    for row in shown["imported"]:
        assert ids.uuid_text(ids.import_id(row["book"], row["key"])) == row["id"]


@pytest.mark.parametrize("vector", V["ids"]["may_name"], ids=lambda vector: vector["name"])
def test_who_may_make_a_reservation_under_an_id(vector: dict[str, Any]) -> None:
    value = ids.parse_uuid(vector["id"])
    assert value is not None
    assert ids.may_name(value, bytes.fromhex(vector["incarnation"])) is vector["may_name"]


@pytest.mark.parametrize("vector", V["entries"], ids=lambda vector: vector["envelope"]["kind"])
def test_entries_of_every_kind(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["bytes"])
    judged = gate.judge(bytes.fromhex(vector["incarnation"]), 1, bytes(32), data)
    assert judged.verdict == gate.MERGED, judged.reason
    assert judged.entry is not None and judged.event is not None
    assert entries.encode(judged.entry) == data
    assert hexed(judged.entry) == {"by": ""} | vector["envelope"]
    assert hexed(judged.event) == vector["content"]
    assert events.encode_content(judged.event) == judged.entry.content


def test_the_entries_cover_every_kind_there_is() -> None:
    kinds = {vector["envelope"]["kind"] for vector in V["entries"]}
    assert kinds == set(events.EVENT_BY_KIND)


@named("judged_entries")
def test_entries_that_do_not_simply_merge(vector: dict[str, Any]) -> None:
    incarnation, data = (bytes.fromhex(vector[part]) for part in ("incarnation", "bytes"))
    judged = gate.judge(incarnation, 1, bytes(32), data)
    assert (judged.verdict, judged.reason) == (vector["verdict"], vector["reason"])


def test_a_page_as_one_update_and_as_two() -> None:
    page = V["page"]
    written = [bytes.fromhex(entry) for entry in page["entries"]]
    whole = pages.read_append(bytes.fromhex(page["update"]))
    assert whole == (page["client_id"], 0, written)
    behind = pages.read_append(bytes.fromhex(page["update_after_first"]))
    assert behind == (page["client_id"], 1, written[1:])
    assert pages.state_vector(page["client_id"], 1).hex() == page["state_vector_after_first"]
    assert pages.state_vector(page["client_id"], 0).hex() == page["empty_state_vector"]

    doc: Doc[Array[bytes]] = Doc()
    array: Array[bytes] = doc.get(page["root"], type=Array)
    doc.apply_update(bytes.fromhex(page["first_entry_alone"]))
    doc.apply_update(bytes.fromhex(page["update_after_first"]))
    assert [bytes(entry) for entry in array] == written
    assert doc.get_update().hex() == page["update"]
    assert doc.get_state().hex() == page["state_vector"]


@named("bad_updates")
def test_updates_that_are_no_append(vector: dict[str, Any]) -> None:
    shown = vector["update"]
    if isinstance(shown, dict):
        data = (
            bytes.fromhex(shown["hex_start"])
            + bytes(shown["then_zeros"])
            + bytes.fromhex(shown["hex_end"])
        )
    else:
        data = bytes.fromhex(shown)
    with pytest.raises(pages.NotAnAppend) as refused:
        pages.read_append(data)
    assert str(refused.value) == vector["reason"]


class Held:
    """A held branch, as the gate asks about it."""

    def __init__(self, held: Sequence[bytes], start: bytes) -> None:
        self._hashes = [start, *seals.chain_run(start, held)]

    @property
    def length(self) -> int:
        return len(self._hashes) - 1

    def hash_at(self, n: int) -> bytes | None:
        return self._hashes[n] if 0 < n <= self.length else None

    def hashes(self, after: int, upto: int) -> list[bytes]:
        return self._hashes[after + 1 : upto + 1]


class Author:
    """A writer whose certificate was verified, with its role and the one key it has."""

    def __init__(self, key: Ed25519PublicKey, role: str) -> None:
        self._key = key
        self.role = role

    def key_at(self, n: int, hash_at: object) -> Ed25519PublicKey:
        return self._key


def certify(event: ChainCertified) -> Author:
    try:
        writer = identity.verify_certificate(
            event.certificates, bytes.fromhex(V["root_certificate"])
        )
    except errors.Unauthorised as error:
        raise gate.Refused("certificate-invalid") from error
    if f"{writer.tenant}/{writer.venue}" != V["chain"]["book"]:
        raise gate.Refused("certificate-foreign")
    return Author(writer.public_key, writer.role)


@named("frames")
def test_frames(vector: dict[str, Any]) -> None:
    book, shown = V["chain"]["book"], vector["frame"]
    frame = messages.Frame(
        bytes.fromhex(shown["incarnation"]), shown["page"], bytes.fromhex(shown["base"]),
        bytes.fromhex(shown["update"]), shown["sealed"], bytes.fromhex(shown["seal"]),
    )  # fmt: skip
    held = [bytes.fromhex(entry) for entry in vector["held"]]
    branches: list[gate.Branch] = []
    author = None
    if held:
        start = seals.chain_start(book, frame.incarnation)
        branches = [Held(held, start)]
        first = gate.judge(frame.incarnation, 1, bytes(32), held[0]).event
        assert isinstance(first, ChainCertified)
        author = certify(first)
    try:
        gate.check_frame(book, frame, branches, author, certify)
        reason = ""
    except gate.Refused as refused:
        reason = str(refused)
    assert reason == vector["reason"]


@named("messages")
def test_messages(vector: dict[str, Any]) -> None:
    kind: Any = getattr(messages, vector["kind"])
    data = bytes.fromhex(vector["plain"])
    read = messages.decode(data, kind)
    assert hexed(read) == vector["message"]
    assert messages.encode(read, compress=False) == data
    assert messages.decode(bytes.fromhex(vector["compressed"]), kind) == read
    assert messages.decode(b"\x01" + zlib.compress(data[1:]), kind) == read


@named("bad_messages")
def test_messages_that_are_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(errors.HoldfastError) as refused:
        messages.decode(bytes.fromhex(vector["bytes"]), messages.ExchangeRequest)
    assert refused.value.name == vector["error"]


def test_pseudonyms() -> None:
    shown = V["pseudonyms"]
    root = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(shown["root_private_key"]))
    key = identity.derive_pseudonym_key(root)
    assert key.hex() == shown["pseudonym_key"]
    for user in shown["users"]:
        assert pseudonyms.agent_id(key, user["user_id"]) == user["agent_id"]
    for staff in shown["staff"]:
        assert pseudonyms.staff_agent_id(key, staff["login"]) == staff["agent_id"]
    for token in shown["applications"]:
        assert pseudonyms.application_agent_id(key, token["name"]) == token["agent_id"]
    every = [row["agent_id"] for of in ("users", "staff", "applications") for row in shown[of]]
    assert len(set(every)) == len(every)
    walk_in = shown["walk_in"]
    made = pseudonyms.walk_in_agent_id(bytes.fromhex(walk_in["entropy"]))
    assert made == walk_in["agent_id"]


def test_reservation_codes() -> None:
    shown = V["codes"]
    key = bytes.fromhex(shown["key"])
    for row in shown["codes"]:
        assert codes.code(row["year"], row["prefix"], row["counter"], key) == row["code"]
    for row in shown["fallback"]:
        incarnation = bytes.fromhex(row["incarnation"])
        assert codes.fallback_code(row["year"], incarnation, row["counter"], key) == row["code"]
    for row in shown["normalised"]:
        assert codes.normalise_code(row["typed"]) == row["code"]


def test_a_card_opens_with_the_venues_key_alone() -> None:
    shown = V["card"]
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(shown["venue_private_key"]))
    place = {"venue": shown["venue"], "agent_id": shown["agent_id"]}
    sealed = cards.SealedCard(*(bytes.fromhex(shown[p]) for p in cards.SealedCard._fields))
    assert cards.open_card(sealed, key, **place) == shown["card"]
    assert cards.open_card(sealed, X25519PrivateKey.generate(), **place) is None
    life = bytes.fromhex(shown["incarnation"])
    made = cards.seal_card(
        shown["card"], key.public_key(), life=life, entropy=bytes.fromhex(shown["entropy"]), **place
    )
    assert made[:2] == sealed[:2]


def test_a_cards_id_is_made_of_what_it_is_and_of_its_first_key() -> None:
    shown = V["card"]
    part = {name: bytes.fromhex(shown[name]) for name in ("incarnation", "ciphertext",
            "text_digest", "sealed_key", "key_digest", "card_id", "venue_public_key")}  # fmt: skip

    def digest(label: bytes, *parts: bytes) -> bytes:
        return hashlib.sha256(label + b"\x00" + b"".join(parts)).digest()[:16]

    text = digest(
        b"holdfast card text 1", part["incarnation"], shown["agent_id"].encode(), part["ciphertext"]
    )
    key = digest(b"holdfast card seal 1", part["venue_public_key"], part["sealed_key"])
    assert (text, key) == (part["text_digest"], part["key_digest"])
    assert digest(b"holdfast card id 1", text, key) == part["card_id"]
    item = messages.CardKeyItem(text, key, part["sealed_key"], part["venue_public_key"])
    assert item.card == part["card_id"] and item.first


def test_a_join_code() -> None:
    shown = V["join_code"]
    hub = Ed25519PublicKey.from_public_bytes(bytes.fromhex(shown["hub_public_key"]))
    code = join_codes.make(bytes.fromhex(shown["entropy"]), hub)
    assert code.text == shown["code"]
    assert join_codes.parse(code.text.upper().replace("-", " ")) == code
    parts = (code.id, code.secret, code.fingerprint)
    assert [part.hex() for part in parts] == [
        shown["id"], shown["secret"], shown["fingerprint"]
    ]  # fmt: skip
    transcript = bytes.fromhex(shown["transcript"])
    assert join_codes.proof(code.secret, transcript).hex() == shown["proof"]


def writer(shown: dict[str, Any], headers: dict[str, str]) -> tuple[identity.Identity, bytes]:
    """Whom the certificate in the headers names, and its leaf."""
    lowered = {name.lower(): value for name, value in headers.items()}
    chain = transport.read_certificate_header(lowered["holdfast-certificate"])
    return identity.verify_certificate(chain, bytes.fromhex(shown["root"])), chain[0]


def test_a_certificate_below_an_issuer_and_its_renewal() -> None:
    shown = {
        name: bytes.fromhex(value) for name, value in V["renewal"].items() if isinstance(value, str)
    }
    present = identity.verify_certificate([shown["certificate"], shown["issuer"]], shown["root"])
    assert serial_bytes(present.serial) == shown["serial"]
    key = renewing.read_request(shown["request"], present)
    assert key.public_bytes_raw() == shown["key"]
    assert renewing.proof_message(present.serial, shown["key"]) == shown["proof_message"]
    chain = msgspec.msgpack.decode(shown["answer"], type=renewing.RenewAnswer).certificates
    renewed = identity.verify_renewed(present, chain, shown["root"])
    assert renewed is not None
    assert serial_bytes(renewed.serial) == shown["renewed_serial"]
    assert serial_bytes(renewed.line) == shown["line"] == shown["serial"]
    assert [serial_bytes(n).hex() for n in renewed.serials] == V["renewal"]["shut_out_by"]


def test_a_signed_request_and_its_answer() -> None:
    shown = V["signatures"]
    request, response = shown["request"], shown["response"]
    desk, leaf = writer(shown, request["headers"])
    signed = http_signatures.verify_request(
        request["method"], request["url"], request["headers"], bytes.fromhex(request["body"]),
        lambda _: desk.public_key,
    )  # fmt: skip
    assert signed.key_id == identity.key_id(leaf)
    hub, _ = writer(shown, response["headers"])
    assert hub.role == identity.HUB_ROLE
    http_signatures.verify_response(
        response["status"], response["headers"], bytes.fromhex(response["body"]),
        request["headers"], hub.public_key,
    )  # fmt: skip


def test_a_live_channels_upgrade_keys_and_messages() -> None:
    shown = V["live_channel"]
    request, response = shown["request"], shown["response"]
    desk, _ = writer(shown, request["headers"])
    hub, _ = writer(shown, response["headers"])
    http_signatures.verify_request(
        request["method"], request["url"], request["headers"], b"", lambda _: desk.public_key,
        live=True,
    )  # fmt: skip
    http_signatures.verify_response(
        response["status"], response["headers"], b"", request["headers"], hub.public_key, live=True
    )
    node_key, hub_key = (
        live_keys.read_key(headers[http_signatures.LIVE_KEY_HEADER])
        for headers in (request["headers"], response["headers"])
    )
    assert (node_key.hex(), hub_key.hex()) == (shown["node_key"], shown["hub_key"])
    own = X25519PrivateKey.from_private_bytes(bytes.fromhex(shown["node_private_key"]))
    hubs = X25519PrivateKey.from_private_bytes(bytes.fromhex(shown["hub_private_key"]))
    signature = request["headers"]["Signature"]
    assert signature == shown["signature"]
    secret = live_keys.agree(own, hub_key)
    assert secret.hex() == shown["secret"]
    derived = live_keys.derive(secret, node_key, hub_key, signature)
    assert [key.hex() for key in derived] == [shown["to_hub"], shown["to_node"]]
    hearing = {
        "hub": live_keys.for_hub(hubs, node_key, signature),
        "node": live_keys.for_node(own, hub_key, signature),
    }
    kinds: dict[str, Any] = {"hub": messages.ExchangeRequest, "node": messages.ExchangeResponse}
    for row in shown["messages"]:
        opened = hearing[row["to"]].open(bytes.fromhex(row["sealed"]))
        assert opened.hex() == row["message"]
        assert messages.decode(opened, kinds[row["to"]]).version == messages.PROTOCOL_VERSION


def hexed(value: Any) -> Any:
    """A value as the file shows it: bytes as hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, msgspec.Struct):
        return {name: hexed(getattr(value, name)) for name in value.__struct_fields__}
    if hasattr(value, "_asdict"):
        return {name: hexed(member) for name, member in value._asdict().items()}
    if isinstance(value, dict):
        return {name: hexed(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [hexed(member) for member in value]
    return value
