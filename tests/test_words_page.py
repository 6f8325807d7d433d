"""The page of words is written from the closed lists, so that they cannot disagree."""

from __future__ import annotations

import msgspec
import pytest

from holdfast.model import contents
from holdfast.model.entries import Malformed
from holdfast.model.events import KIND_BY_EVENT, Event, ReservationCreated
from holdfast.model.vocabulary import FORMS
from tools.make_words import PAGE, PEOPLES, ROWS, page
from tools.vector_entries import sample_events

SAMPLE_BY_KIND = {KIND_BY_EVENT[type(event)]: event for event, _ in sample_events()}


def test_the_page_says_what_the_lists_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python tools/make_words.py`"


def test_every_word_that_a_person_may_choose_stands_on_the_page() -> None:
    text = page()
    assert [word for _, words in PEOPLES for word in words if f"`{word}`" not in text] == []


@pytest.mark.parametrize(("kind", "field"), [row[:2] for row in ROWS])
def test_the_gate_holds_each_field_of_the_page_to_its_list(kind: str, field: str) -> None:
    event = SAMPLE_BY_KIND[kind]
    words = next(row[2] for row in ROWS if row[:2] == (kind, field))
    for word in words if isinstance(words, frozenset) else ():
        contents.check_content(kind, replaced(event, field, word))
    with pytest.raises(Malformed, match=f"text-not-a-code:{field.rpartition('.')[2]}"):
        contents.check_content(kind, replaced(event, field, "mario_rossi"))


def replaced(event: Event, field: str, word: str) -> Event:
    """The event with another word in a field, which may be one of its form."""
    _, inner, name = field.rpartition(".")
    if not inner:
        return msgspec.structs.replace(event, **{field: word})
    assert isinstance(event, ReservationCreated) and event.form is not None
    form = msgspec.structs.replace(event.form, **{name: word})
    if form.form in FORMS - {"block"}:
        form = msgspec.structs.replace(form, use="")  # Only a block is used for something.
    return msgspec.structs.replace(event, form=form)
