"""What a guest can be found by: the words of a card, normalised, and those of what is looked for.

Owns the normal forms (names by word and beginning, e-mail, telephone by its ending) and how well a
find fits. Both sides go through the same functions, so that what is written `Müller` or `+44 20…`
is found as `muller` or `020…`. It makes no hash and knows no key. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, NamedTuple

EXACT: Final = 0
BEGINNING: Final = 1
"""How a word fits: as a whole (or a telephone number by its ending), or as the beginning of one."""

BEGINNING_LETTERS_MIN: Final = 3
"""Of scripts that write a name with few signs two are a beginning already."""
BEGINNING_LETTERS_MAX: Final = 16
PHONE_ENDINGS: Final = (9, 8, 7)
"""Digits by which a national and an international way of writing a number are the same."""
WORDS_PER_CARD_MAX: Final = 32
WORDS_PER_SEARCH_MAX: Final = 8

_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"}
)
"""Letters with a stroke or a ligature, which no normal form takes apart."""
_WORD: Final = re.compile(r"[^\W_]+")
_PHONE_TYPED: Final = re.compile(r"[\d\s()+./-]+\Z")


class Asked(NamedTuple):
    """One word that is looked for: any of `words` finds it, each with how well it fits then."""

    words: tuple[tuple[str, int], ...]


def words_of_card(card: Mapping[str, object]) -> frozenset[str]:
    """Every word that finds a card; each begins with its kind."""
    found: set[str] = set()
    name, email, phone = (_text(card.get(field)) for field in ("name", "email", "phone"))
    for word in _WORD.findall(folded(name))[:WORDS_PER_CARD_MAX]:
        found.add(f"n={word}")
        found.update(f"n^{word[:size]}" for size in _beginnings(word))
    if email:
        whole = _plain(email)
        found.add(f"e={whole}")
        local = whole.partition("@")[0]
        found.update(f"e^{local[:size]}" for size in (*_beginnings(local), len(local)))
    digits = phone_digits(phone)
    if digits:
        found.add(f"t={digits}")
        found.update(f"t{size}{digits[-size:]}" for size in PHONE_ENDINGS if len(digits) >= size)
    return frozenset(found)


def contacts_of_card(card: Mapping[str, object]) -> frozenset[str]:
    """By which words of a card its guest is told from others: the address, and the number, as a
    whole and by the most digits by which two ways to write it are the same."""
    return frozenset(word for word in words_of_card(card) if is_contact(word))


def words_for_contacts(card: Mapping[str, object]) -> frozenset[str]:
    """The words by which cards are found that may have this one's number or address, in whatever
    way they write it; `contacts_in_common` looks closer."""
    email, digits = _text(card.get("email")), phone_digits(_text(card.get("phone")))
    found = {f"e={_plain(email)}"} if email else set()
    if len(digits) >= PHONE_ENDINGS[-1]:
        found.update(word for word, _ in _phone_asked(digits))
    return frozenset(found)


def contacts_in_common(card: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    """In which fields two cards are of one contact."""
    found = ["email"] if same_address(_text(card.get("email")), other.get("email")) else []
    if same_number(_text(card.get("phone")), other.get("phone")):
        found.append("phone")
    return found


def same_address(typed: str, known: object) -> bool:
    """Whether two e-mail addresses are one; nothing is the same as none."""
    return bool(typed.strip()) and _plain(typed.strip()) == _plain(_text(known))


def same_number(typed: str, known: object) -> bool:
    """Whether two telephone numbers are one, as far as both are written: at home without what
    stands before it abroad, so that of the longer one the end counts."""
    ours, theirs = sorted((phone_digits(typed), phone_digits(_text(known))), key=len)
    return len(ours) >= PHONE_ENDINGS[-1] and theirs.endswith(ours)


def same_name(typed: str, known: object) -> bool:
    """Whether every word of a name that is said stands in one that is known, in whatever order,
    whatever its capitals and accents; no word is the name of nobody."""
    said = set(_WORD.findall(folded(typed)))
    return bool(said) and said <= set(_WORD.findall(folded(_text(known))))


def is_contact(word: str) -> bool:
    """Whether a word of a card is an address or a telephone number, as a whole."""
    return word.startswith(("e=", "t=", f"t{PHONE_ENDINGS[0]}"))


def words_asked(text: str) -> list[Asked]:
    """What is looked for: a telephone number, an e-mail address, or words that must all fit."""
    text = text.strip()
    if _PHONE_TYPED.match(text) and any(c.isdigit() for c in text):
        return [Asked(_phone_asked(phone_digits(text)))]
    if "@" in text and len(text.split()) == 1:
        whole = _plain(text)
        local, _, domain = whole.partition("@")
        beginning = ((f"e^{local}", BEGINNING),) if not domain else ()
        return [Asked(((f"e={whole}", EXACT), *beginning))]
    asked = []
    for word in _WORD.findall(folded(text))[:WORDS_PER_SEARCH_MAX]:
        words = [(f"n={word}", EXACT)]
        if len(word) >= _beginning_min(word):
            words.append((f"n^{word[:BEGINNING_LETTERS_MAX]}", BEGINNING))
            words.append((f"e^{word[:BEGINNING_LETTERS_MAX]}", BEGINNING))
        asked.append(Asked(tuple(words)))
    return asked


def has_short_word(text: str) -> bool:
    """Whether a word of what is looked for is too short to be taken as the beginning of a name, so
    that it finds a whole name alone."""
    return any(
        len(one.words) == 1 and one.words[0][0].startswith("n=") for one in words_asked(text)
    )


def folded(text: str) -> str:
    """A name as it is compared: without case, accents and other ways to write one letter."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(c for c in parts if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFKC", bare).translate(_LETTERS)


def phone_digits(text: str) -> str:
    """The digits of a number without what stands before it at home and abroad (0, 00, +)."""
    digits = "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())
    return digits.lstrip("0")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _beginning_min(word: str) -> int:
    few = all(unicodedata.category(c) == "Lo" for c in word)
    return 2 if few else BEGINNING_LETTERS_MIN


def _beginnings(word: str) -> range:
    """The lengths of the beginnings that find a word."""
    return range(_beginning_min(word), min(len(word), BEGINNING_LETTERS_MAX + 1))


def _phone_asked(digits: str) -> tuple[tuple[str, int], ...]:
    """A number fits as a whole, or by its last nine digits, or by fewer where one of the two
    numbers has no more."""
    words = [(f"t={digits}", EXACT)]
    size = next((size for size in PHONE_ENDINGS if len(digits) >= size), 0)
    if size:
        words.append((f"t{size}{digits[-size:]}", EXACT))
        # What was written without its area or country is shorter than what is asked for.
        words += [(f"t={digits[-less:]}", EXACT) for less in PHONE_ENDINGS if less < len(digits)]
    return tuple(dict.fromkeys(words))
