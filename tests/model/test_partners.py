"""A partner's reference: how it is written, what stands for it, and when it was taken twice."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from holdfast.model import lifecycle, partners
from holdfast.model.contents import check_content
from holdfast.model.contradictions import Resolution
from holdfast.model.entries import Malformed
from holdfast.model.events import ReservationCreated
from holdfast.model.limits import PARTNER_REFERENCE_CHARS_MAX
from holdfast.model.reservation import View
from holdfast.model.vocabulary import SOURCES

KEY = b"k" * 32
BOOK = "demo/trattoria"
MADE = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03")


def digest(**changes: str) -> bytes:
    given = {"book": BOOK, "source": "partner", "reference": "BK-4711"} | changes
    return partners.digest_of(KEY, **given)


def test_the_digest_is_of_the_book_the_source_and_the_reference_and_of_the_tenants_key():
    assert digest() == digest(reference=" BK-4711\t".strip()) == digest(reference=" BK-4711 ")
    others = [
        digest(book="demo/tavern"), digest(source="agency"), digest(reference="bk-4711"),
        digest(reference="BK-471"), digest(source="partnerBK", reference="-4711"),
        partners.digest_of(b"o" * 32, BOOK, "partner", "BK-4711"),
    ]  # fmt: skip
    assert len({digest(), *others}) == len(others) + 1
    assert all(len(one) == partners.DIGEST_BYTES for one in others)
    with pytest.raises(ValueError, match="restore its file"):
        partners.digest_of(b"short", BOOK, "partner", "BK-4711")


@pytest.mark.parametrize(
    "reference", ["x", "安-4711", "Mario Rossi, 6th June", "r" * PARTNER_REFERENCE_CHARS_MAX]
)
def test_a_reference_is_whatever_a_partner_prints(reference: str):
    assert partners.problem_of(reference) is None


@pytest.mark.parametrize(
    "reference", ["", "  ", "r" * (PARTNER_REFERENCE_CHARS_MAX + 1), "a\nb", "a\x00", "a\u202eb"]
)
def test_what_no_partner_prints_is_refused_and_not_repeated(reference: str):
    problem = partners.problem_of(reference)
    assert problem is not None and problem.startswith("must be ")


def test_the_gate_takes_a_digest_of_its_length_beside_a_partners_source_alone():
    good = {"source": "partner", "partner": digest()}
    check_content("reservation.created", msgspec.structs.replace(MADE, **good))
    for source in SOURCES - partners.PARTNER_SOURCES:
        with pytest.raises(Malformed, match="partner-out-of-range"):
            check_content(
                "reservation.created", msgspec.structs.replace(MADE, **good | {"source": source})
            )
    for wrong in (b"x", digest() + b"x", b"Mario Rossi", bytes(4096)):
        with pytest.raises(Malformed, match="partner-out-of-range"):
            check_content(
                "reservation.created", msgspec.structs.replace(MADE, **good | {"partner": wrong})
            )


# --- taken twice ----------------------------------------------------------------------------------


def view(number: int, made: int, status: str = "confirmed") -> View:
    return View(bytes([number]) * 16, status, made_at_ms=made)


@pytest.mark.parametrize(
    ("views", "spare", "first"),
    [
        ([view(1, 10)], None, 1),
        ([view(1, 10), view(2, 20)], 2, 1),
        ([view(2, 10), view(1, 10)], 2, 1),
        ([view(1, 10), view(2, 20), view(3, 15)], 2, 1),
        # Who sits there stays; the other one is too many.
        ([view(1, 10), view(2, 20, "checked_in")], 1, 1),
        ([view(1, 10, "checked_in"), view(2, 20, "checked_in")], 2, 1),
        # What is over bothers nobody.
        ([view(1, 10, "cancelled"), view(2, 20)], None, 2),
        ([view(1, 10, "no_show"), view(2, 20)], None, 2),
        ([view(1, 10, "cancelled"), view(2, 20, "completed")], None, 1),
        ([view(1, 10, "commit_failed"), view(2, 20, "commit_pending")], 2, 1),
    ],
)
def test_of_several_the_first_is_meant_and_the_last_is_too_many(
    views: list[View], spare: int | None, first: int
):
    for order in itertools.permutations(views):
        same = partners.same_reference(order)
        assert (same.spare[0] if same else None) == spare
        meant = partners.first_of(order)
        assert meant is not None and meant.id[0] == first
    assert partners.first_of([]) is None
    assert set(partners.STANDING) == lifecycle.OPEN_STATUSES | {"checked_in"}


def test_that_both_stay_is_said_of_these_and_of_no_third():
    two = partners.same_reference([view(1, 10), view(2, 20)])
    seated = partners.same_reference([view(1, 10), view(2, 20, "checked_in")])
    three = partners.same_reference([view(1, 10), view(2, 20), view(3, 30)])
    assert two and seated and three
    said = Resolution("partner_reference_twice", "keep-both", two.about, 1, b"n")
    assert partners.is_resolved(two, [said]) and partners.is_resolved(seated, [said])
    assert not partners.is_resolved(three, [said])
    assert not partners.is_resolved(two, [said._replace(kind="two_parties")])
