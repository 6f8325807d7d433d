"""Which of a fleet's lives go on, and which have ended with another one following.

Owns that reading of `GET /nodes`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Life = Mapping[str, Any]


def with_followers(items: Iterable[Life]) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Each life with the one that its device goes on as, None where it goes on itself; by venue and
    name, the newest life first.

    A life has ended where one of the same name has a higher number and was heard at least as late.
    Another device that took the name begins to count anew, so that both of them stay.
    """
    lives = sorted(map(dict, items), key=_age, reverse=True)
    lives.sort(key=lambda one: (str(one.get("venue")), str(one.get("name"))))
    return [(one, next((other for other in lives if _follows(other, one)), None)) for one in lives]


def _follows(other: Life, one: Life) -> bool:
    same = (other.get("venue"), other.get("name")) == (one.get("venue"), one.get("name"))
    if not same or one.get("number") is None or other.get("number") is None:
        return False
    later = str(other.get("last_seen_at") or "") >= str(one.get("last_seen_at") or "")
    return later and int(other["number"]) > int(one["number"])


def _age(one: Life) -> tuple[str, int]:
    return str(one.get("last_seen_at") or ""), int(one.get("number") or 0)
