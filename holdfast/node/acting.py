"""For whom this replica acts: the person or application whose request is being carried out.

Owns that one word, which whoever takes requests says and whatever is written meanwhile carries as
the envelope's `by`, and which entries are nobody's act but the device's. Whose an agent id is,
`actors` knows. What is written in another thread names nobody, unless that thread runs in the
context of the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from holdfast.model.pseudonyms import is_agent_id

NOBODY: Final = ""

_DEVICES_OWN: Final = (
    "chain.", "claim.", "codes.", "right.", "venue.key_",
    "guest.erasure_confirmed", "reservation.expired",
)  # fmt: skip
"""How the kinds begin that a device writes of itself: what it decides, ends and hands over as a
holder, what follows from a clock, and its own papers. A request may be the occasion and no more."""

_RIGHTS: Final = "right."
"""Of the device's own: what a person may have asked for by name (`handing_over`)."""

_by: ContextVar[str] = ContextVar("holdfast_acting_by", default=NOBODY)
_hands_over: ContextVar[bool] = ContextVar("holdfast_hands_over", default=False)


@contextmanager
def acting(by: str) -> Iterator[None]:
    """Whatever is written inside is done by this agent id; `NOBODY`: by the device itself. Raises
    ValueError for what is no agent id."""
    before = _by.set(_checked(by))
    try:
        yield
    finally:
        _by.reset(before)


def act_for(by: str) -> None:
    """The same for the rest of this context, such as the task that answers one request. Raises
    ValueError."""
    _by.set(_checked(by))


@contextmanager
def handing_over() -> Iterator[None]:
    """A right that is granted, returned or revoked inside is what whoever acts asked for by name.
    Anywhere else it only follows: from the venue file, a release, a device that was shut out."""
    before = _hands_over.set(True)
    try:
        yield
    finally:
        _hands_over.reset(before)


def acts_for() -> str:
    """For whom is acted now; empty: for nobody."""
    return _by.get()


def by_for(kind: str) -> str:
    """Who is named by an entry of this kind that is written now; empty: nobody."""
    by = _by.get()
    if by and _hands_over.get() and kind.startswith(_RIGHTS):
        return by
    return NOBODY if not by or kind.startswith(_DEVICES_OWN) else by


def _checked(by: str) -> str:
    if by != NOBODY and not is_agent_id(by):
        raise ValueError("who acts is named by an agent id: `agent_` and 32 characters")
    return by
