"""Reads a document of plain values (from YAML, TOML or JSON) field by field, and forgets no error.

Owns the taking of one field after another, with the path of each in the messages, and the rule
that an unknown field is an error. Knows nothing of venues or mappings. A field at fault yields a
harmless stand-in, so that the reading goes on and everything wrong is reported at once.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from holdfast.model.errors import Duplicate, Invalid

_MISSING: Final = object()


class Faults:
    """What was found wrong so far, in the order of the document."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []
        self._duplicates = 0

    def add(self, path: str, message: str) -> None:
        self.errors.append({"field": path, "message": message})

    def add_duplicate(self, path: str, message: str) -> None:
        """Something has a name that something else in the document has already."""
        self._duplicates += 1
        self.add(path, message)

    def errors_at(self, path: str) -> bool:
        """Whether something was already found wrong with this field itself."""
        return any(error["field"] == path for error in self.errors)

    def check(self, what: str) -> None:
        """Raise `Invalid` with every fault, `Duplicate` where all are names that stand there twice;
        `what` names the document for the summary."""
        if not self.errors:
            return
        first = self.errors[0]
        more = f" (and {len(self.errors) - 1} more)" if len(self.errors) > 1 else ""
        kind = Duplicate if self._duplicates == len(self.errors) else Invalid
        raise kind(f"{what}: {first['field']}: {first['message']}{more}", self.errors)


class Reader:
    """The fields of one object, each taken once; `finish` reports those that nobody took."""

    def __init__(self, document: object, path: str, faults: Faults) -> None:
        self.path = path
        self.faults = faults
        self._taken: list[str] = []
        self._fields: dict[str, Any] = {}
        if not isinstance(document, Mapping):
            faults.add(path or "document", f"must be an object, not {shown(document)}")
            self._broken = True
            return
        self._broken = False
        for key, value in document.items():
            # YAML reads an unquoted `no` or `12` as something else than text.
            self._fields[key if isinstance(key, str) else str(key)] = value

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def fault(self, name: str, message: str) -> None:
        self.faults.add(self.at(name), message)

    def has(self, name: str) -> bool:
        """Whether the field is given; an explicit null counts as left out."""
        return self._fields.get(name) is not None

    def names(self) -> list[str]:
        """The fields that are given, for objects whose keys are the user's own."""
        return list(self._fields)

    def value(self, name: str) -> Any:
        """The raw value, or None where it was left out."""
        self._taken.append(name)
        return self._fields.get(name)

    def required(self, name: str) -> Any:
        value = self.value(name)
        if value is None and not self._broken:
            self.fault(name, "is required")
        return value

    def text(
        self,
        name: str,
        default: str | None = None,
        *,
        pattern: re.Pattern[str] | None = None,
        means: str = "",
        one_of: Collection[str] | None = None,
        chars_max: int = 200,
    ) -> str:
        """A text; without a default it is required. `means` says in words what `pattern` says."""
        value = self.value(name) if default is not None else self.required(name)
        if value is None:
            return default or ""
        if not isinstance(value, str):
            self.fault(name, f"must be a text, not {shown(value)}{_quote_hint(value)}")
        elif not value or len(value) > chars_max:
            self.fault(name, f"must have 1 to {chars_max} characters")
        elif one_of is not None and value not in one_of:
            self.fault(name, f"{value!r} is not one of {', '.join(sorted(one_of))}")
        elif pattern is not None and not pattern.fullmatch(value):
            self.fault(name, f"{value!r} is not {means}")
        else:
            return value
        return default or ""

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        value = self.optional_integer(name, minimum, maximum)
        return default if value is None else value

    def optional_integer(self, name: str, minimum: int, maximum: int) -> int | None:
        value = self.value(name)
        return None if value is None else self.whole(self.at(name), value, minimum, maximum)

    def flag(self, name: str, default: bool) -> bool:
        """Whether something is so: true or false."""
        value = self.value(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(name, f"must be true or false, not {shown(value)}")
            return default
        return value

    def whole(self, path: str, value: object, minimum: int, maximum: int) -> int | None:
        """`value` as a whole number within bounds; None after reporting that it is not one."""
        # `True` is an int to Python and never one to a person.
        if isinstance(value, bool) or not isinstance(value, int):
            self.faults.add(path, f"must be a whole number, not {shown(value)}")
        elif not minimum <= value <= maximum:
            self.faults.add(path, f"must be from {minimum} to {maximum}, not {value}")
        else:
            return value
        return None

    def items(self, name: str, count_max: int) -> list[Any]:
        """A list, empty where it was left out."""
        value = self.value(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.fault(name, f"must be a list, not {shown(value)}")
            return []
        if len(value) > count_max:
            self.fault(name, f"has {len(value)} items, {count_max} at most are allowed")
            return []
        return list(value)

    def texts(self, name: str, count_max: int) -> list[str]:
        """A list of texts."""
        found: list[str] = []
        for number, value in enumerate(self.items(name, count_max)):
            if isinstance(value, str) and value:
                found.append(value)
            else:
                self.fault(
                    f"{name}[{number}]", f"must be a text, not {shown(value)}{_quote_hint(value)}"
                )
        return found

    def inner(self, name: str) -> Reader | None:
        """The object under `name`, or None where it was left out."""
        value = self.value(name)
        return None if value is None else Reader(value, self.at(name), self.faults)

    def finish(self) -> None:
        """Report the fields that nobody asked for, with the nearest known name."""
        for name in self._fields:
            if name not in self._taken:
                near = difflib.get_close_matches(name, self._taken, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                self.fault(name, f"is not a field here{hint}")


def shown(value: object) -> str:
    """A short form of a value for a message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _quote_hint(value: object) -> str:
    return f'; put it in quotes: "{value}"' if isinstance(value, bool | int | float) else ""
