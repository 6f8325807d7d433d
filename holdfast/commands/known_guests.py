"""A guest who was here before: named in a new request, or noticed by their number or address.

Owns both on the command line: what is taken over of a known guest, and how it is said that whoever
reserved may be one. Nobody is asked anything: a command ends by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.commands.naming import named_agent

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_TAKEN_OVER: Final = ("name", "phone", "email", "language", "dietary")
"""What stays true of a person; what they asked for last time does not."""
_TOLD_MAX: Final = 3
_CALLED: Final = {"email": "e-mail address", "phone": "telephone number"}


def as_known(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    """A request whose guest somebody typed as AGENT: with the whole agent id and, where it takes a
    guest's details and none were given, with those of their newest card, as far as it is read here.
    Raises NotFound, Invalid."""
    typed = body.get("agent_id")
    if typed is None or body.get("user_id") is not None:
        return body
    agent = named_agent(session, typed)
    known: dict[str, Any] = {"agent_id": agent}
    if "guest" in body and body["guest"] is None:
        known["guest"] = _details(session, agent)
    return body | known


def _details(session: Session, agent: str) -> dict[str, Any] | None:
    from holdfast.commands.failures import Refused
    from holdfast.commands.session import quoted
    from holdfast.model.errors import Forbidden, NotFound, RuleViolated

    try:
        card = session.get(f"/guests/{quoted(agent)}").get("guest") or {}
    except Refused as error:
        # A device that reads no cards reserves for the agent id alone; who reads them knows who.
        if error.http_status not in (Forbidden.status, NotFound.status, RuleViolated.status):
            raise
        return None
    return {name: card[name] for name in _TAKEN_OVER if card.get(name)} or None


def say_who_is_known(made: dict[str, Any]) -> None:
    """Say, beside the answer, who has the same number or address, what staff must know of them and
    how the two are joined."""
    from holdfast.commands.output import remark
    from holdfast.commands.words import counted

    one = next(iter(made.get("items") or ()), made)
    known = one.get("known_as") or []
    for guest in known[:_TOLD_MAX]:
        what = " and ".join(_CALLED[field] for field in guest["by"])
        agent = guest["agent_id"]
        remark(
            f"This {what} is that of a guest who was here before ({_standing(guest)}): "
            f"`holdfast guests show {agent}`.{_alerts(guest)} To join them, if it is the same "
            f"person: `holdfast guests merge {one.get('code')} {agent}`"
        )
    if len(known) > _TOLD_MAX:
        more = counted(len(known) - _TOLD_MAX, "more guest has", "more guests have")
        remark(f"{more} it too: `holdfast guests duplicates`")


def _standing(guest: dict[str, Any]) -> str:
    from holdfast.commands.words import counted

    words = ["VIP"] * bool(guest["vip"]) + ["issue"] * bool(guest["issue"])
    words.append(counted(guest["visits"], "visit"))
    words += [counted(guest["no_shows"], "no-show")] * bool(guest["no_shows"])
    return ", ".join([*words, *(f"restricted: {one}" for one in guest["restrictions"])])


def _alerts(guest: dict[str, Any]) -> str:
    from holdfast.commands.words import alert_words

    told = alert_words(guest)
    return f" Tell staff: {'; '.join(told)}." if told else ""
