"""The gate: it refuses what can never become right, and lets everything else through."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.model.entries import SCHEMA, Claim, Entry, Malformed, encode
from holdfast.model.events import (
    ChainCertified,
    ReservationAmended,
    ReservationCreated,
    encode_content,
)
from holdfast.model.ids import import_id, reservation_id
from holdfast.sync import gate
from holdfast.sync.gate import DEFERRED, MERGED, QUARANTINED, Passed, Refused, check_frame, judge
from holdfast.sync.messages import Frame
from holdfast.sync.pages import PageDocument
from holdfast.sync.seals import chain_run, chain_start, client_id, incarnation_of, sign_seal

BOOK = "demo/v"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
NONCE = b"n" * 16
INCARNATION = incarnation_of(KEY.public_key().public_bytes_raw(), NONCE)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


class Author:
    role = "front-desk"

    def key_at(self, n: int, hash_at: object) -> Ed25519PublicKey:
        return KEY.public_key()


class Held:
    """A held branch as a list of hashes."""

    def __init__(self, hashes: list[bytes]) -> None:
        self.hashes_held = hashes

    @property
    def length(self) -> int:
        return len(self.hashes_held)

    def hash_at(self, n: int) -> bytes | None:
        return self.hashes_held[n - 1] if 1 <= n <= self.length else None

    def hashes(self, after: int, upto: int) -> list[bytes]:
        return self.hashes_held[after:upto]


def entry(kind: str, event: Any, **more: Any) -> bytes:
    fields: dict[str, Any] = {
        "stamp": 5 << 16, "uncertainty_ms": 0, "subject": b"r" * 16, "follows": (), "claims": (),
        "ends": (), "schema": SCHEMA, "content": encode_content(event),
    }  # fmt: skip
    return encode(Entry(kind, **(fields | more)))


def certified() -> bytes:
    return entry(
        "chain.certified", ChainCertified((b"\x30\x01x",), b"s" * 32, nonce=NONCE), subject=b""
    )


def amended(value: str = "date", **more: Any) -> bytes:
    return entry("reservation.amended", ReservationAmended({"occasion": value}), **more)


ENTRIES = [certified(), amended(), amended("birthday"), amended("other")]


def hashes_of(entries: list[bytes]) -> list[bytes]:
    return chain_run(chain_start(BOOK, INCARNATION), entries)


def frame(
    entries: list[bytes] = ENTRIES,
    have: int = 0,
    sealed: int | None = None,
    key: Ed25519PrivateKey = KEY,
    **more: Any,
) -> Frame:
    document = PageDocument(client_id(BOOK, INCARNATION, 0))
    document.append(entries)
    hashes = [chain_start(BOOK, INCARNATION), *hashes_of(entries)]
    sealed = len(entries) if sealed is None else sealed
    made = Frame(
        INCARNATION, 0, hashes[have], document.update_after(have), sealed,
        sign_seal(key, BOOK, INCARNATION, sealed, hashes[sealed]),
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def check(given: Frame, *held: list[bytes], known: bool = True) -> Passed:
    branches = [Held(hashes_of(entries)) for entries in held]
    author = Author() if held and known else None
    return check_frame(BOOK, given, branches, author, lambda event: Author())


def test_a_new_chain_passes_from_its_certificate_on():
    passed = check(frame())
    assert (passed.after, passed.fork, passed.branch) == (0, False, None)
    assert [j.verdict for j in passed.judged] == [MERGED] * 4
    assert [j.hash for j in passed.judged] == hashes_of(ENTRIES)


def test_a_continuation_takes_only_what_is_new():
    passed = check(frame(have=1), ENTRIES[:2])
    assert (passed.after, passed.branch, [j.n for j in passed.judged]) == (2, 0, [3, 4])


def test_what_is_known_already_is_acknowledged_and_not_taken_again():
    passed = check(frame(ENTRIES[:3]), ENTRIES)
    assert (passed.judged, passed.fork) == ([], False)


def test_a_second_branch_is_seen_at_its_first_entry_that_differs():
    other = [*ENTRIES[:2], amended("business")]
    passed = check(frame(other), ENTRIES)
    assert (passed.after, passed.fork, [j.n for j in passed.judged]) == (2, True, [3])


def test_a_branch_of_a_branch_continues_the_branch_that_it_shares_most_with():
    second = [*ENTRIES[:2], amended("business"), amended("date")]
    third = [*second[:3], amended("anniversary")]
    passed = check(frame(third), ENTRIES, second)
    assert (passed.after, passed.fork) == (3, True)
    longer = [*second, amended("birthday")]
    assert check(frame(longer), ENTRIES, second)[:3] == (1, 4, False)


def test_entries_beyond_the_seal_stay_aside():
    passed = check(frame(sealed=2))
    assert (len(passed.judged), passed.aside, passed.append.entries) == (
        2,
        ENTRIES[2:],
        ENTRIES[:2],
    )


REFUSED: dict[str, tuple[Frame, list[list[bytes]]]] = {
    "gap": (frame(have=3), [ENTRIES[:2]]),
    "chain-start": (frame(base=b"x" * 32), []),
    "seal-missing": (msgspec.structs.replace(frame(), sealed=9), []),
    "seal-invalid": (frame(key=OTHER_KEY), []),
    "foreign-page": (frame(page=1), []),
    "certificate-missing": (frame([amended(), amended()]), []),
    "frame-malformed": (frame(incarnation=b"short"), []),
    "update-truncated": (frame(update=frame().update[:-9]), []),
    "update-empty": (frame(update=b"\0\0"), []),
}


@pytest.mark.parametrize("reason", sorted(REFUSED))
def test_a_frame_is_refused_with_its_reason(reason):
    given, held = REFUSED[reason]
    with pytest.raises(Refused) as refusal:
        check(given, *held)
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    "change",
    [{"sealed": 0}, {"sealed": 3}, {"seal": b""}, {"seal": b"x" * 64}, {"base": b"y" * 32}],
)
def test_a_seal_covers_this_chain_these_entries_and_nothing_else(change):
    with pytest.raises(Refused):
        check(msgspec.structs.replace(frame(), **change))


def test_a_continuation_from_another_base_than_the_held_one_is_a_gap():
    other = [*ENTRIES[:2], amended("business"), amended("date")]
    with pytest.raises(Refused, match="gap"):
        check(frame(other, have=3), ENTRIES)


def test_a_chain_of_another_book_does_not_verify_here():
    with pytest.raises(Refused):
        check_frame("demo/elsewhere", frame(), [], None, lambda event: Author())


# --- single entries -------------------------------------------------------------------------------


def verdict(data: bytes) -> tuple[str, str]:
    judged = judge(INCARNATION, 2, b"h" * 32, data)
    return judged.verdict, judged.reason


def test_a_bad_entry_between_two_good_ones_harms_neither():
    entries = [certified(), amended(), b"no entry at all", amended("other")]
    passed = check(frame(entries))
    assert [j.verdict for j in passed.judged] == [MERGED, MERGED, QUARANTINED, MERGED]


def test_a_newer_schema_and_an_unknown_kind_are_deferred_with_their_envelope():
    newer = amended(schema=SCHEMA + 1, content=b"\x91\xa6future", claims=(Claim("T1", 1, 2),))
    judged = judge(INCARNATION, 2, b"h" * 32, newer)
    assert (judged.verdict, judged.reason, judged.event) == (DEFERRED, "newer-schema", None)
    assert judged.entry is not None
    assert judged.entry.claims == (Claim("T1", 1, 2),)
    assert verdict(entry("payment.captured", ReservationAmended({})))[0] == DEFERRED


@pytest.mark.parametrize(
    "fields",
    [
        {"occasion": "for my dear Anna"}, {"source": "Mario's phone"}, {"kind": ["guest"]},
        {"kind": {}}, {"metadata": {"note": "Anna Rossi"}}, {"area": "by the window"},
        {"agent_id": "anna@example.org"}, {"party_size": 0}, {"party_size": True},
        {"status": "confirmed"}, {"code": "RES-2027-AAAAAA"}, {"nights": -1}, {"starts_at": -5},
        {"service_date": "tomorrow"},
        {"metadata": {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}},
    ],
    ids=str,
)  # fmt: skip
def test_clear_text_and_impossible_values_are_quarantined(fields):
    data = entry("reservation.amended", ReservationAmended(fields))
    assert verdict(data)[0] == QUARANTINED
    judged = judge(INCARNATION, 2, b"h" * 32, data)
    assert judged.event is None
    assert judged.entry is not None, "the envelope counts all the same"


@pytest.mark.parametrize(
    "change",
    [
        {"stamp": -1}, {"stamp": 1 << 63}, {"subject": b"short"}, {"follows": (b"x",)},
        {"claims": (Claim("T1", 5, 5),)}, {"claims": (Claim("T1", 0, 1 << 50),)},
        {"claims": (Claim("my table", 0, 5),)}, {"claims": (Claim("T1", 0, 5, 0),)},
        {"claims": (Claim("T1", 0, 5, 1, 5),)}, {"claims": (Claim("T1", 0, 5),) * 65},
        {"follows": (b"x" * 16,) * 65}, {"schema": 0}, {"uncertainty_ms": -1},
    ],
    ids=str,
)  # fmt: skip
def test_an_envelope_out_of_bounds_is_quarantined_and_counts_for_nothing(change):
    judged = judge(INCARNATION, 2, b"h" * 32, amended(**change))
    assert (judged.verdict, judged.entry) == (QUARANTINED, None)


def test_every_truncation_and_corruption_of_an_entry_gets_a_verdict():
    event = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03")
    data = entry("reservation.created", event, claims=(Claim("T1", 100, 200),))
    for cut in range(len(data)):
        assert verdict(data[:cut])[0] == QUARANTINED
    for position in range(len(data)):
        for flip in (0x01, 0x55, 0xFF):
            damaged = bytearray(data)
            damaged[position] ^= flip
            assert verdict(bytes(damaged))[0] in (MERGED, DEFERRED, QUARANTINED)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xc1", b"\x91" * 5000, b"\x94\x01\x02\x03\x04", b"\xdd\xff\xff\xff\xff", b"\x90"],
    ids=lambda c: c[:8].hex(),
)  # fmt: skip
def test_contents_that_are_no_contents_are_quarantined(content):
    assert verdict(amended(content=content))[0] == QUARANTINED


def test_the_writer_is_told_before_it_answers_what_a_merge_would_refuse():
    event = ReservationAmended({"occasion": "for my dear Anna"})
    data = entry("reservation.amended", event)
    with pytest.raises(Malformed, match="text-not"):
        gate.judge_own(
            INCARNATION, 2, b"h" * 32, data, msgspec.msgpack.decode(data, type=Entry), event
        )


def test_a_reservation_under_another_lifes_id_is_quarantined_and_its_envelope_counts():
    event = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03")
    theirs = reservation_id(b"o" * 16, 5, bytes(3))
    own = reservation_id(INCARNATION, 5, bytes(3))
    claims = (Claim("T1", 100, 200),)
    data = entry("reservation.created", event, subject=theirs, claims=claims)
    judged = judge(INCARNATION, 2, b"h" * 32, data)
    assert (judged.verdict, judged.reason, judged.event) == (QUARANTINED, "id-foreign", None)
    assert judged.entry is not None
    assert judged.entry.claims == claims
    assert judge(b"o" * 16, 2, b"h" * 32, data).verdict == MERGED
    mine = entry("reservation.created", event, subject=own)
    imported = entry("reservation.created", event, subject=import_id(BOOK, "x:1"))
    change = amended(subject=theirs)
    for good in (mine, imported, change):
        assert judge(INCARNATION, 2, b"h" * 32, good).verdict == MERGED


def test_a_frame_is_judged_by_the_life_whose_chain_it_is():
    event = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03")
    theirs = entry("reservation.created", event, subject=reservation_id(b"o" * 16, 5, bytes(3)))
    own = entry("reservation.created", event, subject=reservation_id(INCARNATION, 5, bytes(3)))
    passed = check(frame([certified(), theirs, own]))
    assert [(j.verdict, j.reason) for j in passed.judged] == [
        (MERGED, ""), (QUARANTINED, "id-foreign"), (MERGED, "")
    ]  # fmt: skip


def test_the_writer_is_told_of_an_id_that_is_not_its_own():
    event = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03")
    for subject, fits in ((reservation_id(INCARNATION, 5, bytes(3)), True), (b"r" * 16, False)):
        data = entry("reservation.created", event, subject=subject)
        made = msgspec.msgpack.decode(data, type=Entry)
        if fits:
            judged = gate.judge_own(INCARNATION, 2, b"h" * 32, data, made, event)
            assert judged.verdict == MERGED
        else:
            with pytest.raises(Malformed, match="id-foreign"):
                gate.judge_own(INCARNATION, 2, b"h" * 32, data, made, event)


def test_a_chain_under_the_name_of_another_keys_life_is_refused():
    """Who knows a new device's incarnation before the hub has heard it gains nothing by it."""

    class Squatter:
        role = "kiosk"

        def key_at(self, n: int, hash_at: object) -> Ed25519PublicKey:
            return OTHER_KEY.public_key()

    with pytest.raises(Refused, match="incarnation-foreign"):
        check_frame(BOOK, frame(key=OTHER_KEY), [], None, lambda event: Squatter())
