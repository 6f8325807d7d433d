"""Throws damaged bytes at everything that reads bytes of others, for as long as one likes.

The test suite does a bounded part of it with Hypothesis (tests/hostile/test_fuzz.py). This tool
searches longer: with `atheris` (which follows coverage, and is no dependency of Holdfast), or
without it by plain mutation.

    pip install atheris
    python tools/fuzz.py pages              until Ctrl-C or a finding, following coverage
    python tools/fuzz.py frames --seconds 60 --plain --seed 7

Targets: pages, messages, entries, frames, headers, certificates, join. A finding is an exception
other than those in EXPECTED; it is printed with the input as hex.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: E402

from holdfast.model.contents import decode_content  # noqa: E402
from holdfast.model.entries import Malformed, check_envelope, decode, encode  # noqa: E402
from holdfast.model.errors import HoldfastError, Invalid, TooLarge, Unauthorised  # noqa: E402
from holdfast.model.events import ChainCertified  # noqa: E402
from holdfast.node import http_signatures, join_codes, transport  # noqa: E402
from holdfast.node.identity import verify_certificate  # noqa: E402
from holdfast.sync import gate, messages, pages  # noqa: E402

EXPECTED: Final = (Malformed, pages.NotAnAppend, gate.Refused, HoldfastError)
"""What a reader may raise."""

BOOK: Final = "acme/trattoria"
Target = Callable[[bytes], bool]
"""Reads an input; True if it was accepted. Raises nothing else than a finding."""


def read_page(data: bytes) -> bool:
    try:
        append = pages.read_append(data)
    except pages.NotAnAppend:
        return False
    if not 0 < append.client < 1 << 53:
        return True  # The gate refuses the page: no writer has such a number.
    # What passes is what the document itself would write: nothing more hides in the bytes.
    document = pages.PageDocument(append.client)
    document.append([b"\x00"] * append.clock)
    document.append(append.entries)
    again = pages.read_append(document.update_after(append.clock))
    assert again == append, "the document reads it otherwise"
    fresh = pages.PageDocument(append.client)
    fresh.append([b"\x00"] * append.clock)
    assert fresh.merge(append, data), "the document is left otherwise than expected"
    return True


def read_message(data: bytes) -> bool:
    read = False
    for kind in (messages.ExchangeRequest, messages.ExchangeResponse):
        try:
            message: Any = messages.decode(data, kind)
        except (Invalid, TooLarge):
            continue
        assert messages.decode(messages.encode(message), kind) == message
        read = True
    return read


def read_entry(data: bytes) -> bool:
    try:
        entry = decode(data)
        decode_content(entry)
    except Malformed:
        return False
    check_envelope(entry)
    assert decode(encode(entry)) == entry
    return True


class _Author:
    role = "kiosk"

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    def key_at(self, n: int, hash_at: object) -> Ed25519PublicKey:
        return self._key


_VECTORS: dict[str, Any] = {}


def _root() -> bytes:
    if not _VECTORS:
        _VECTORS.update(json.loads((ROOT / "docs" / "vectors.json").read_text("utf-8")))
    return bytes.fromhex(_VECTORS["root_certificate"])


def _certify(event: ChainCertified) -> _Author:
    try:
        return _Author(verify_certificate(event.certificates, _root()).public_key)
    except Unauthorised as error:
        raise gate.Refused("certificate-invalid") from error


def read_frame(data: bytes) -> bool:
    try:
        request = messages.decode(data, messages.ExchangeRequest)
    except (Invalid, TooLarge):
        return False
    passed = False
    for frame in request.frames:
        try:
            gate.check_frame(BOOK, frame, [], None, _certify)
        except gate.Refused:
            continue
        passed = True
    return passed


def read_headers(data: bytes) -> bool:
    """The input is headers as lines, `name: value`, then an empty line and the body."""
    head, _, body = data.partition(b"\n\n")
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").split("\n"):
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    try:
        chain = transport.read_certificate_header(headers.get("holdfast-certificate", ""))
        sender = verify_certificate(chain, _root())
        http_signatures.verify_request(
            "POST", "http://hub.example:8470/sync/v1/exchange", headers, body,
            lambda _: sender.public_key,
        )  # fmt: skip
    except Unauthorised:
        return False
    return True


def read_certificate(data: bytes) -> bool:
    try:
        verify_certificate([data], _root())
    except Unauthorised:
        return False
    return True


def read_join_code(data: bytes) -> bool:
    try:
        code = join_codes.parse(data.decode("utf-8", "replace"))
    except Unauthorised:
        return False
    assert join_codes.parse(code.text) == code
    return True


TARGETS: Final[dict[str, Target]] = {
    "pages": read_page,
    "messages": read_message,
    "entries": read_entry,
    "frames": read_frame,
    "headers": read_headers,
    "certificates": read_certificate,
    "join": read_join_code,
}


def seeds(vectors: dict[str, Any]) -> dict[str, list[bytes]]:
    """Good inputs to begin with, by target, from docs/vectors.json."""
    page, signed = vectors["page"], vectors["signatures"]["request"]
    plain = [bytes.fromhex(vector["plain"]) for vector in vectors["messages"]]
    head = "\n".join(f"{name}: {value}" for name, value in signed["headers"].items())
    leaf = transport.read_certificate_header(signed["headers"]["Holdfast-Certificate"])
    return {
        "pages": [bytes.fromhex(page[key]) for key in ("update", "update_after_first")],
        "messages": [*plain, *(bytes.fromhex(v["compressed"]) for v in vectors["messages"])],
        "entries": [bytes.fromhex(vector["bytes"]) for vector in vectors["entries"]],
        "frames": plain,
        "headers": [head.encode("latin-1") + b"\n\n" + bytes.fromhex(signed["body"])],
        "certificates": leaf,
        "join": [vectors["join_code"]["code"].encode()],
    }


def _mutate(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0 if at < len(changed):
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.randint(1, 16)]
            case 2:
                changed[at:at] = changed[at : at + chance.randint(1, 16)]
            case _:
                changed[at:at] = chance.randbytes(chance.randint(1, 4))
    return bytes(changed)


def _plain(target: Target, good: list[bytes], seconds: float, seed: int) -> int:
    chance, tried, until = random.Random(seed), 0, time.monotonic() + seconds  # noqa: S311
    while time.monotonic() < until:
        data = _mutate(chance, chance.choice(good))
        try:
            target(data)
        except Exception as error:
            print(f"finding: {type(error).__name__}: {error}\ninput: {data.hex()}\nseed: {seed}")
            return 1
        tried += 1
    print(f"{tried} inputs, nothing found (seed {seed})")
    return 0


def _guided(target: Target, good: list[bytes], seconds: float) -> int:
    """Follow coverage with atheris, from the good inputs. Ends the process with its own status."""
    import tempfile

    atheris: Any = importlib.import_module("atheris")
    corpus = Path(tempfile.mkdtemp(prefix="holdfast-fuzz-"))
    for number, data in enumerate(good):
        (corpus / f"seed-{number}").write_bytes(data)

    def one(data: bytes) -> None:
        target(data)

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], str(corpus), f"-max_total_time={int(seconds)}"], one)
    atheris.Fuzz()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz what reads bytes of others.")
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=float, default=0, help="0: until Ctrl-C")
    parser.add_argument("--plain", action="store_true", help="plain mutation, without atheris")
    parser.add_argument("--seed", type=int, default=1, help="of plain mutation")
    asked = parser.parse_args()
    _root()
    target, good = TARGETS[asked.target], seeds(_VECTORS)[asked.target]
    if asked.plain:
        return _plain(target, good, asked.seconds or 1e9, asked.seed)
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: `pip install atheris`, or use --plain")
        return 0
    return _guided(target, good, asked.seconds)


if __name__ == "__main__":
    sys.exit(main())
