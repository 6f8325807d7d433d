"""The words of the pages: every language says all of it, and English promises what we promise."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from holdfast.commands import words

FOLDER: Final = Path(__file__).parents[2] / "web" / "src" / "words"
PLACEHOLDER: Final = re.compile(r"\{\w+\}")


def read(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return found


def languages() -> list[str]:
    """Those that the pages offer, by the file that offers them."""
    source = (FOLDER / "index.svelte.ts").read_text("utf-8")
    offered = re.search(r"LANGUAGES[^{]*\{(.*?)\}", source, re.DOTALL)
    assert offered is not None
    return re.findall(r"(\w+): \"", offered[1])


def test_every_language_that_is_offered_has_a_file_and_no_other_has():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(languages())
    assert {"en", "de", "es", "pt", "nl"} <= set(languages())


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
def test_a_language_says_everything_with_the_same_placeholders(language: str):
    english, other = read("en"), read(language)
    assert list(other) == list(english), "the same keys, in English's order"
    for key, text in english.items():
        assert other[key].strip() == other[key] != "", key
        assert sorted(PLACEHOLDER.findall(other[key])) == sorted(PLACEHOLDER.findall(text)), key


def test_guests_are_told_the_same_as_by_the_command_line():
    told = {key.removeprefix("tell."): text for key, text in read("en").items()}
    for assurance, promise in words.PROMISES.items():
        assert told[assurance] == promise
    assert told["failed"] == words.guest_words({"status": "commit_failed"})
    assert told["pending_change"] == words.guest_words({"pending_change": {"resources": ["T1"]}})
