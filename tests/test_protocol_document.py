"""docs/protocol.md names all that the code puts on the wire: codes, fields, kinds, limits."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from holdfast.model import contents, entries, errors, events, limits
from holdfast.node import http_signatures, join_codes, joining, renewing, transport
from holdfast.sync import gate, messages

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "protocol.md").read_text("utf-8")
SHARED_LIMITS = [
    "PAGE_ENTRIES", "ENTRY_BYTES_MAX", "CLAIMS_PER_ENTRY_MAX", "FROM_PER_ENTRY_MAX",
    "CLAIM_SECONDS_MAX", "LIFE_NUMBER_MAX",
    "EXCHANGE_BYTES_MAX", "EXCHANGE_INFLATED_BYTES_MAX", "EXCHANGE_ENTRIES",
    "FRAMES_PER_MESSAGE_MAX", "CARD_KEYS_PER_MESSAGE", "CHAINS_PER_BOOK_MAX",
    "CHAINS_PER_CERTIFICATE_MAX", "ENTRIES_PER_RESERVATION_MAX", "METADATA_BYTES_MAX",
    "METADATA_NUMBER_MAX", "ERASURES_PER_ENTRY_MAX", "CARD_BYTES_MAX", "PARTY_MAX",
    "STAMP_AHEAD_MS_MAX", "JOIN_CODE_TRIES", "CERTIFICATES_PER_DAY_MAX",
    "RESTRICTION_VALUE_MAX", "TAGS_PER_GUEST_MAX", "MERGES_PER_ENTRY_MAX",
    "NOTE_EDITS_PER_LIFE_MAX",
]  # fmt: skip
MESSAGES: list[Any] = [
    messages.Head, messages.Frame, messages.CardKeyItem, messages.Cursor, messages.NodeStatus,
    messages.ExchangeRequest, messages.ExchangeResponse,
    joining.JoinRequest, joining.JoinAnswer, renewing.RenewRequest, renewing.RenewAnswer,
    entries.Entry, entries.Claim,
]  # fmt: skip


def named(text: str) -> bool:
    """Whether the document has a word as code, alone or in a list of fields."""
    return re.search(rf"[`\[, ]{re.escape(text)}[`\], ]", TEXT) is not None


def reason_codes() -> set[str]:
    """Every reason that the code gives for refusing a frame or an entry."""
    found = {"newer-schema", "role-forbidden"}
    for path in (ROOT / "holdfast").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(
                node.func, ast.Name | ast.Attribute
            ):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name not in ("Malformed", "Refused", "NotAnAppend") or not node.args:
                continue
            reason = node.args[0]
            if isinstance(reason, ast.JoinedStr):
                reason = reason.values[0]
            if isinstance(reason, ast.Constant):
                found.add(str(reason.value))
    return found


def test_every_reason_code_stands_in_the_table_and_no_other() -> None:
    in_code = {re.sub(r":.*", ":FIELD", reason) for reason in reason_codes()}
    table = re.findall(r"^\| `([a-z:A-Z-]+)` \| (?:frame|entry)", TEXT, re.MULTILINE)
    assert len(in_code) > 40
    assert set(table) == in_code
    assert len(table) == len(set(table))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
def test_every_field_of_every_message_is_named(message: type[msgspec.Struct]) -> None:
    missing = [field for field in message.__struct_fields__ if not named(field)]
    assert not missing


@pytest.mark.parametrize("kind", sorted(events.EVENT_BY_KIND))
def test_every_kind_stands_in_the_table_with_its_fields_in_their_order(kind: str) -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("|") and f"`{kind}`" in line)
    fields = re.findall(r"`([a-z_]+)`", row.split("|")[2])
    assert fields == list(events.EVENT_BY_KIND[kind].__struct_fields__)


@pytest.mark.parametrize("limit", SHARED_LIMITS)
def test_every_shared_limit_stands_with_its_number(limit: str) -> None:
    assert f"| `{limit}` | {getattr(limits, limit):,} |" in TEXT


def test_every_field_that_may_be_amended_is_named() -> None:
    assert all(named(field) for field in contents.AMENDABLE)


def test_versions_paths_components_and_errors_are_those_of_the_code() -> None:
    assert f"version {messages.PROTOCOL_VERSION}" in TEXT.splitlines()[0]
    assert messages.CONTENT_TYPE in TEXT
    for path in (
        transport.EXCHANGE_PATH,
        transport.LIVE_PATH,
        joining.JOIN_PATH,
        renewing.RENEW_PATH,
    ):
        assert f" {path}`" in TEXT
    components = (
        *http_signatures.REQUEST_COMPONENTS, *http_signatures.RESPONSE_COMPONENTS,
        *http_signatures.LIVE_COMPONENTS, *http_signatures.CHALLENGE_COMPONENTS,
    )  # fmt: skip
    assert [c for c in components if f"`{c}`" not in TEXT] == []
    for header in (http_signatures.CERTIFICATE_HEADER, http_signatures.LIVE_KEY_HEADER):
        assert f"`{header}: " in TEXT
    assert f"code {transport.CLOSE_REFUSED}" in TEXT
    for error in (errors.Invalid, errors.TooLarge, errors.Unauthorised, errors.Forbidden):
        assert f"| `{error.name}` | {error.status} |" in TEXT
    for verdict in (gate.MERGED, gate.DEFERRED, gate.QUARANTINED):
        assert f"| `{verdict}` |" in TEXT


def test_the_join_codes_parts_are_as_described() -> None:
    parts = (join_codes.ID_BYTES, join_codes.SECRET_BYTES, join_codes.FINGERPRINT_BYTES)
    said = re.search(r"(\d+) bytes id, (\d+) bytes\s+secret, (\d+) bytes SHA-256", TEXT)
    assert said is not None
    assert tuple(map(int, said.groups())) == parts
