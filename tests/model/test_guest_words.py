"""What a guest is found by: how people type it, and how it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.guest_words import (
    BEGINNING,
    EXACT,
    contacts_in_common,
    folded,
    has_short_word,
    words_asked,
    words_for_contacts,
    words_of_card,
)


def fit(card: dict[str, str], text: str) -> int | None:
    """How well a card fits what is looked for; None where it does not."""
    words = words_of_card(card)
    worst = -1
    for asked in words_asked(text):
        fits = [fit for word, fit in asked.words if word in words]
        if not fits:
            return None
        worst = max(worst, min(fits))
    return None if worst < 0 else worst


MULLER = {"name": "Anna-Lena Müller", "email": "Lena.Mueller@Example.ORG"}
LONDON = {"name": "Ann", "phone": "+44 20 7946 0018"}
AUCKLAND = {"name": "Ann", "phone": "021 234 567"}
COPENHAGEN = {"name": "Ann", "phone": "12 34 56 78"}
FOUND = [
    # the card, what is typed, how it fits
    (MULLER, "müller", EXACT),
    (MULLER, "MULLER", EXACT),
    (MULLER, "muller anna", EXACT),
    (MULLER, "Mül", BEGINNING),
    (MULLER, "ann", BEGINNING),
    (MULLER, "an", None),
    (MULLER, "anna smith", None),
    (MULLER, "lena.mueller@example.org", EXACT),
    (MULLER, "lena.mueller@", BEGINNING),
    (MULLER, "lena.mueller@example.com", None),
    (MULLER, "len", BEGINNING),
    ({"name": "ANN"}, "ann", EXACT),
    ({"name": "Li Bo"}, "li", EXACT),
    ({"name": "Søren Łukasz"}, "soren lukasz", EXACT),
    ({"name": "Zoé"}, "zoe\u0301", EXACT),
    ({"name": "STRASSE"}, "Straße", EXACT),
    ({"name": "ﬁnn"}, "Finn", EXACT),
    ({"name": "山田太郎"}, "山田", BEGINNING),
    ({"name": "山田太郎"}, "山", None),
    ({"name": "O'Brien"}, "brien", EXACT),
    (LONDON, "+44 20 7946 0018", EXACT),
    (LONDON, "020 7946 0018", EXACT),
    (LONDON, "0044 (20) 7946-0018", EXACT),
    (LONDON, "7946 0018", EXACT),
    (LONDON, "946 0018", EXACT),
    (LONDON, "60018", None),
    (LONDON, "+44 20 7946 0019", None),
    (LONDON, "+1 555 946 0018", None),
    (AUCKLAND, "+64 21 234 567", EXACT),
    (COPENHAGEN, "+45 12 34 56 78", EXACT),
    ({"phone": "+45 12 34 56 78"}, "12345678", EXACT),
    ({"phone": "٠٥٥ ١٢٣ ٤٥٦"}, "055 123456", EXACT),
    ({"requests": "Ann would like a window"}, "ann", None),
]


@pytest.mark.parametrize(("card", "text", "how"), FOUND)
def test_a_guest_is_found_as_people_type(card, text, how):
    assert fit(card, text) == how


@pytest.mark.parametrize("text", ["", "  ", "-", "…", "'"])
def test_what_has_no_word_asks_for_nobody(text):
    assert words_asked(text) == []


@given(st.text(max_size=60))
def test_a_name_is_found_by_itself_and_folding_is_done_once(name):
    assert folded(folded(name)) == folded(name)
    # What has no letter is looked for as a telephone number; zeros alone are none.
    if words_asked(name) and "@" not in name and any(c.isalpha() for c in name):
        assert fit({"name": name, "phone": name}, name) is not None


@given(st.text(max_size=300), st.text(max_size=254), st.text(max_size=40))
def test_the_words_of_a_card_are_few(name, email, phone):
    words = words_of_card({"name": name, "email": email, "phone": phone})
    assert len(words) <= 32 * 17 + 20 + 5


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("bi", True), ("anna bi", True), ("bia", False), ("\u738b", True), ("\u738b\u5c0f", False),
        ("055", False), ("b@example.com", False), ("", False),
    ],
)  # fmt: skip
def test_a_word_is_short_that_begins_no_name(text: str, short: bool):
    assert has_short_word(text) is short


def test_a_contact_is_the_same_however_it_is_written():
    abroad = {"name": "Ann", "phone": "+39 06 555 0101", "email": "Ann@Example.org"}
    at_home = {"phone": "06 5550101"}
    assert contacts_in_common(abroad, at_home) == ["phone"]
    assert words_for_contacts(at_home) & words_of_card(abroad)
    assert contacts_in_common(abroad, {"email": "ann@example.ORG"}) == ["email"]
    assert contacts_in_common(abroad, {"name": "Ann", "phone": "0101"}) == []
    assert not words_for_contacts({"name": "Ann", "phone": "0101"})
