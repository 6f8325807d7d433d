"""A venue file on the disk: its values, and where in it each of them stands.

Owns the reading of YAML and JSON, and the way from a fault of a field to its line. What a venue
file may say stands in `holdfast.model.venue_file`.
"""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.commands.failures import Refused
from holdfast.model.errors import HoldfastError, Invalid
from holdfast.model.limits import VENUE_BYTES_MAX

if TYPE_CHECKING:
    import yaml

_INDEX: Final = re.compile(r"\[(\d+)\]")


class Position(NamedTuple):
    """A place in a file; both count from 1, as editors do."""

    line: int
    column: int


class VenueFile(NamedTuple):
    """A file that could be read: `document` are JSON values, `root` is what they were made of."""

    file: Path
    document: dict[str, Any]
    root: yaml.Node

    def position(self, field: str) -> Position:
        """Where a field stands, such as `resources[3].seats`: its name, or the item of a list. Of
        one that is missing: what it is missing in."""
        return _position(self.root, field)

    def located(self, error: HoldfastError) -> HoldfastError:
        """The same error with the place of each fault in the file; any other error as it is."""
        faults = error.extra.get("errors")
        if not isinstance(faults, list) or not faults:
            return error
        placed = [one | self.position(str(one.get("field")))._asdict() for one in faults]
        detail = "; ".join(
            f"{self.file}:{one['line']}:{one['column']}: {one['field']}: {one['message']}"
            for one in placed
        )
        if isinstance(error, Refused):
            problem = error.problem | {"detail": detail, "errors": placed}
            return Refused(problem, error.http_status)
        return Invalid(detail, placed)


def read_venue_file(file: Path) -> VenueFile:
    """Raises Invalid that names the place of a mistake, also for a key that stands twice."""
    import yaml

    try:
        content = file.read_bytes()
        if len(content) > VENUE_BYTES_MAX:
            raise Invalid(f"{file} has more than {VENUE_BYTES_MAX // 1024} KiB: split the venue")
        text = content.decode("utf-8-sig")
        if file.suffix.lower() == ".json":
            # Stricter than YAML, which makes something of a value that is missing.
            json.loads(text)
        if text.lstrip().startswith("{"):
            # JSON may be indented by tabs, which YAML does not take; in its texts there are none.
            text = text.replace("\t", " ")
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            if not isinstance(root, yaml.MappingNode):
                raise Invalid(
                    f"{file} holds no venue: it must begin with fields such as `venue: …`"
                )
            _check_keys(file, root, set())
            document = _json_values(loader.construct_document(root))
        finally:
            loader.dispose()
    except OSError as error:
        raise Invalid(f"{file} cannot be read ({error.strerror}); check its mode") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is not in UTF-8; save it so") from error
    except json.JSONDecodeError as error:
        where = f":{error.lineno}:{error.colno}"
        raise Invalid(f"{file}{where}: is no YAML or JSON: {error.msg}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        what = getattr(error, "problem", None) or "not readable"
        raise Invalid(f"{file}{where}: is no YAML or JSON: {what}") from error
    except (RecursionError, ValueError) as error:
        if isinstance(error, RecursionError):
            raise Invalid(f"{file} is nested too deeply to be a venue file") from error
        # Such as 2026-13-40, which has the form of a date.
        raise Invalid(f"{file} has a value that is none: {error}; put it in quotes") from error
    return VenueFile(file, document, root)


def _check_keys(file: Path, node: yaml.Node, seen: set[int]) -> None:
    """A key that stands twice would silently be the second."""
    import yaml

    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(file, item, seen)
    if not isinstance(node, yaml.MappingNode):
        return
    first: dict[str, Position] = {}
    for key, value in node.value:
        name, at = _key_text(key), _at(key)
        if name in first:
            raise Invalid(
                f"{file}:{at.line}:{at.column}: {name} stands here twice, first at line "
                f"{first[name].line}; remove one of them"
            )
        first[name] = at
        _check_keys(file, value, seen)


def _position(root: yaml.Node, field: str) -> Position:
    import yaml

    node, at, rest = root, _at(root), field
    while rest:
        index = _INDEX.match(rest)
        if index is not None and isinstance(node, yaml.SequenceNode):
            number = int(index[1])
            if number >= len(node.value):
                return at
            node = node.value[number]
            at, rest = _at(node), rest[index.end() :].removeprefix(".")
            continue
        named = _named(node, rest) if isinstance(node, yaml.MappingNode) else None
        if named is None:
            return at
        key, node = named
        at, rest = _at(key), rest[len(_key_text(key)) :].removeprefix(".")
    return at


def _named(node: yaml.MappingNode, path: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The key and value that a path goes through. Keys of people's own may have dots in them."""
    found = [
        (key, value)
        for key, value in node.value
        if (name := _key_text(key)) == path or path.startswith((f"{name}.", f"{name}["))
    ]
    return max(found, key=lambda pair: len(_key_text(pair[0])), default=None)


def _key_text(key: yaml.Node) -> str:
    """A key as messages name it: YAML takes an unquoted `no` or `12` for something else than text,
    and a message names that."""
    import yaml

    if not isinstance(key, yaml.ScalarNode):
        return ""
    if key.tag == "tag:yaml.org,2002:str":
        return str(key.value)
    return str(yaml.safe_load(key.value))


def _at(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def _json_values(value: Any) -> Any:
    """YAML makes dates of texts and numbers of keys; JSON has neither."""
    if isinstance(value, dict):
        return {str(name): _json_values(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_json_values(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value
