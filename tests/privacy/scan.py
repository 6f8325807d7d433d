"""Looking for people in bytes: guests whose every word can be recognised, and a scan for any of it.

Each word of a made-up guest carries a mark that nothing else has, so that one look at some bytes
finds any word of anybody: as it was written, in other cases and encodings, in hexadecimal, base64,
percent or JSON escapes; of telephone numbers the digits in any grouping.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

MARK: Final = "xqzvk"
WIDE: Final = "ñøżœł"
PHONE: Final = "7319048625"
_TAILS: Final = "abcdefghijklmnop"


def tail(n: int) -> str:
    """A number as letters."""
    return "".join(_TAILS[n >> shift & 15] for shift in (12, 8, 4, 0))


def guest(n: int) -> dict[str, str]:
    """The n-th guest's card; every word of five letters or more has a mark in it."""
    a, b, c = PHONE[:4], PHONE[4:7], PHONE[7:]
    groupings = (f"+39 {a} {b} {c} {n:04}", f"0039-{PHONE}-{n:04}", f"({a}) {b}.{c} {n:04}",
                 f"+39{PHONE}{n:04}")  # fmt: skip
    return {
        "name": f"{MARK.title()}{tail(n)} {WIDE.title()}{tail(n)}",
        "phone": groupings[n % len(groupings)],
        "email": f"{MARK}.{tail(n)}@{MARK}{tail(n)}.org",
        "requests": f"{WIDE}{tail(n)} {MARK.upper()}{tail(n)}",
        "dietary": f"no {MARK}{tail(n)}",
    }


def user_id(n: int) -> str:
    return f"{MARK}-{tail(n)}"


def _cases(text: str) -> set[str]:
    decomposed = unicodedata.normalize("NFD", text)
    return {form for one in (text, decomposed) for form in (one, one.upper(), one.title())}


def _base64(data: bytes) -> Iterator[bytes]:
    """What is the same of it wherever it stands in a longer text."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + data)
        whole = (before + len(data)) * 8 // 6
        inner = text[-(-before * 8 // 6) : whole]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def _exact_forms() -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for mark in (MARK, WIDE, PHONE):
        for text in _cases(mark):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                data = text.encode(encoding)
                found[data] = encoding
                found.update(dict.fromkeys(_base64(data), f"base64 of {encoding}"))
    return found


def _caseless_forms() -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for mark in (MARK, WIDE, PHONE):
        for text in _cases(mark):
            found[text.encode().hex().encode()] = "hexadecimal"
            found[text.encode("utf-16-le").hex().encode()] = "hexadecimal of UTF-16"
            found[quote(text).lower().encode()] = "percent escapes"
            found["".join(f"%{byte:02x}" for byte in text.encode()).encode()] = "percent escapes"
            found[json.dumps(text)[1:-1].lower().encode()] = "JSON escapes"
            found[repr(text.encode())[2:-1].lower().encode()] = "Python escapes"
    return found


_EXACT: Final = _exact_forms()
_CASELESS: Final = _caseless_forms()
_DIGITS: Final = re.compile(b"[^0-9]{0,3}".join(bytes([digit]) for digit in PHONE.encode()))


def traces(data: bytes) -> set[str]:
    """How anything of a guest stands in some bytes; empty: nothing does."""
    found = {form for needle, form in _EXACT.items() if needle in data}
    lowered = data.lower()
    found |= {form for needle, form in _CASELESS.items() if needle in lowered}
    if MARK.encode() in lowered:
        found.add("utf-8")
    if _DIGITS.search(data):
        found.add("digits")
    return found


def traces_in_files(*directories: Path) -> dict[str, set[str]]:
    """By file, how anything of a guest stands in it or in its name; only files where it does."""
    found = {}
    for directory in directories:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                here = traces(path.read_bytes()) | traces(str(path.name).encode())
                if here:
                    found[str(path)] = here
    return found


def files_with(needle: bytes, *directories: Path) -> list[str]:
    """The files that hold some bytes."""
    return [
        str(path)
        for directory in directories
        for path in sorted(directory.rglob("*"))
        if path.is_file() and needle in path.read_bytes()
    ]
