"""How the demo's story looks: panels and tables for a reader who is no programmer.

Owns every word that is shown. It checks nothing and calls nobody: what it is given has happened.
80 columns are enough; colours appear on a terminal only.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from holdfast.demo import program

if TYPE_CHECKING:
    from holdfast.demo.machines import Machine
    from holdfast.demo.story import Claim, Sale

WIDTH_MAX: Final = 100
"""Longer lines of prose are hard to read, however wide the terminal is."""

_ROLES: Final = {
    "hub": "T3 to T8 are its own to sell",
    "desk": "the front desk: T1 and T2 are its own",
    "kiosk": "at the door: has none, asks for each",
}
_COLOURS: Final = {"hub": "magenta", "desk": "cyan", "kiosk": "yellow"}


class Telling:
    """Prints the story as it happens; `quiet` prints nothing."""

    def __init__(self, *, quiet: bool = False) -> None:
        console = Console(highlight=False, markup=False, emoji=False, quiet=quiet)
        if console.width > WIDTH_MAX:
            console.width = WIDTH_MAX
        self._console = console
        self._in_claims = False

    # --- the story's parts ------------------------------------------------------------------------

    def opening(self) -> None:
        self._say(
            Panel(
                Text(
                    "A restaurant with eight tables takes bookings at three places. Each table"
                    " is one place's own to sell: what is its own it may promise at once, for"
                    " any other it must ask. Then the network is cut, everybody goes on selling,"
                    " and the network heals. All of this happens now, in real processes on this"
                    " machine; each line with a check mark was tested by the demo itself."
                ),
                title=Text("Holdfast: reservations that hold when the network does not", "bold"),
                border_style="green",
                box=box.ROUNDED,
                padding=(1, 2),
            )
        )

    def cast(self, machines: Sequence[Machine]) -> None:
        table = _table("who", "what it is", "address")
        for one in machines:
            table.add_row(_place(one.name), _ROLES[one.name], one.url)
        self._say(table)

    def act(self, title: str) -> None:
        self._console.print()
        self._in_claims = False
        self._console.rule(Text(f"{title} ", "bold"), style="green", align="left")
        self._console.print()

    def claim(self, text: str, held: bool) -> None:
        """One checked sentence, its second line under its first word."""
        mark = Text("✓ ", "bold green") if held else Text("✗ NOT SO: ", "bold red")
        self._in_claims = True
        lines = Text(text).wrap(self._console, self._console.width - len(mark))
        for number, line in enumerate(lines):
            self._console.print((Text(" " * len(mark)) if number else mark) + line)

    def ordinary(self, sale: Sale, seen_ms: float) -> None:
        self._para(
            f"{sale.who} books a table for {sale.made['party_size']} at the desk. The desk gives"
            f" her {sale.asked}, which is its own to sell: confirmed after {sale.answered_ms:.0f}"
            f" ms, asking nobody. {seen_ms:.0f} ms after the first tap the kiosk knows of it, too:"
            f" {sale.code}."
        )

    def privacy(self, name: str, readable: dict[str, bool]) -> None:
        table = _table("the same booking, read at", "guest")
        for place in ("desk", "kiosk", "hub"):
            shown = Text(name, "bold") if readable[place] else Text("(sealed)", "dim")
            table.add_row(_place(place), shown)
        self._say(table)

    def sold_apart(self, sales: Sequence[Sale]) -> None:
        self._para(
            "The kiosk and the desk are unplugged. The desk sells T2, its own. Then desk and kiosk"
            " both take a booking for T3 at the same time, and both take one for T8, the only table"
            " for eight: neither table is theirs, and neither can know of the other. The hub sells"
            " T5, its own, and takes a booking for the desk's T2 as well."
        )
        table = _table("made at", "guest", "party", "table", "whose", "time", "promise", "took")
        for sale in sales:
            table.add_row(
                _place(sale.at),
                sale.who,
                str(sale.made["party_size"]),
                sale.asked,
                _place(sale.whose),
                sale.made["starts_at"][11:16],
                _promise(sale.made["assurance"]),
                f"{sale.answered_ms:.0f} ms",
            )
        self._say(table)
        self._say(
            Panel(
                Group(
                    _quote(
                        "guaranteed",
                        '"It is booked. It is yours."',
                        "It was the seller's own to give, and nobody else could give it.",
                    ),
                    _quote(
                        "provisional",
                        '"We have noted your wish and will confirm it.'
                        ' If the place is gone, we call you."',
                        "It is another's to give, who is asked once the network is back. Nothing"
                        " was promised, so that nothing is taken back.",
                    ),
                ),
                title=Text("What the guest may be told", "bold"),
                title_align="left",
                border_style="dim",
                box=box.ROUNDED,
            )
        )

    def queues(self, counts: dict[str, dict[str, int]]) -> None:
        table = _table("queue of", "waiting", "sent", "merged", "refused")
        for name, count in counts.items():
            table.add_row(
                _place(name),
                Text(str(count["queued"]), "bold"),
                str(count["sent"]),
                str(count["merged"]),
                str(count["quarantined"]),
            )
        self._say(table)

    def half_healed(self, took_ms: float) -> None:
        self._para(
            "The kiosk's cable is plugged in first. The hub answers for its own tables as soon as"
            f" it hears who wants them, and waits for nobody who is silent: after {took_ms:.0f} ms"
            " all that the kiosk asked for is decided. For the desk's tables it does not answer."
        )

    def healed(self, took_ms: float) -> None:
        self._para(
            "Then the desk's cable. The hub answers what the desk had asked for, the desk what the"
            f" hub had asked for; this took {took_ms:.0f} ms. Every fate, and why:"
        )

    def fates(
        self,
        fates: Sequence[dict[str, Any]],
        sales: Sequence[Sale],
        code_by_id: dict[str, str],
        exceptions: Sequence[dict[str, Any]],
    ) -> None:
        guest_by_code = {sale.code: sale.who for sale in sales}
        table = _table("guest", "from", "fate", "why")
        for fate, sale in zip(fates, sales, strict=True):
            table.add_row(
                sale.who, _place(sale.at), _fate(fate), _why(fate, code_by_id, guest_by_code)
            )
        self._say(table)
        for one in exceptions:
            guest = next((f.get("guest") or {} for f in fates if is_about(one, f)), {})
            self._say(
                Panel(
                    Text(
                        f"{one['detail']}\nThe desk can read whom to call:"
                        f" {guest.get('name', '')}, {guest.get('phone', '')}"
                    ),
                    title=Text("For a person at the desk", "bold"),
                    title_align="left",
                    border_style="red",
                    box=box.ROUNDED,
                )
            )

    def books(self, books: dict[str, dict[str, Any]]) -> None:
        self._para(
            "Each machine folds its own copy of everything that was written. A digest is the"
            " fingerprint of the result: equal digests, equal books."
        )
        table = _table("book at", "entries", "bookings", "digest")
        for name, book in books.items():
            digest = f"{book['digest'][:16]}…{book['digest'][-8:]}"
            table.add_row(_place(name), str(book["entries"]), str(book["reservations"]), digest)
        self._say(table)

    def ledger(self, lines: Sequence[dict[str, Any]]) -> None:
        self.act("5. Every reservation: where made, what was promised, what became of it")
        table = _table("code", "made at", "guest", "promised", "what became of it")
        for line in lines:
            table.add_row(
                line["code"],
                _place(line["made_at"]),
                line["guest"],
                _promise(line["promised"]),
                _fate(line),
            )
        self._say(table)

    # --- around it --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def busy(self, what: str) -> Generator[None, None, None]:
        """A sign of life while something takes a second or two; on a terminal only."""
        if not self._console.is_terminal or self._console.quiet:
            yield
            return
        with self._console.status(what):
            yield

    def visit(self, machines: Sequence[Machine], venue: str, date: str, displaced: str) -> None:
        """Where to look while the processes stay up."""
        self.act("The processes stay up until Ctrl-C: have a look")
        self._lines("Copy these lines into another terminal first:")
        self._lines(
            *(f"  {line}" for line in program.setting_up()),
            *(f"  export {one.name.upper()}={shlex.quote(str(one.directory))}" for one in machines),
            "",
        )
        for says, command in (
            ("the book as the desk shows it", f"reservations list --date {date} --data $DESK"),
            ("the guest who got no table", f"reservations show {displaced} --data $DESK"),
            ("why she got none, checked here", f"decision verify {displaced} --data $DESK"),
            ("what a person must do about it", "exceptions list --data $DESK"),
            ("what became of what the kiosk wrote", "queue list --data $KIOSK"),
            ("which tables the desk may sell by itself", "allotments list --data $DESK"),
            ("the devices, seen from the hub", "hub nodes --data $HUB"),
            ("is the record whole?", "audit verify --data $HUB"),
            (
                "another booking, at the kiosk",
                f"reserve --venue {venue} --at {date}T18:30 --party 2 --wait 5 --data $KIOSK",
            ),
            ("pull the desk's cable out, until …", "sync pause --data $DESK"),
            ("… it is plugged in again", "sync resume --data $DESK"),
        ):
            self._lines(f"# {says}", f"  holdfast {command}")
        self._lines("", "For programs:", *(f"  {one.url}/schema/openapi.json" for one in machines))

    def what_next(self) -> None:
        """After a story that ended by itself: what to try, as it can be copied from here."""
        self._lines(
            "Tell it again, and look around in it while its processes stay up:",
            f"  {program.command()} demo",
            "Or begin with a hub of your own (the README's five minutes go on from there):",
            f"  {program.command()} hub init --data hub --tenant rome",
        )

    def goodbye(self) -> None:
        self._lines("", "Stopping the three processes and removing their directories.")

    def verdict(self, claims: Sequence[Claim], seconds: float) -> None:
        failed = [claim.text for claim in claims if not claim.held]
        if not failed:
            words = Text(f"All {len(claims)} claims of the story held, in {seconds:.1f} s.")
        else:
            words = Text(f"{len(failed)} of {len(claims)} claims did not hold:")
            for text in failed:
                words.append(f"\n  {text}")
        self._console.print(
            Panel(words, border_style="red" if failed else "green", box=box.ROUNDED, expand=False)
        )

    # --- helpers ----------------------------------------------------------------------------------

    def _say(self, what: RenderableType) -> None:
        if self._in_claims:
            self._console.print()
            self._in_claims = False
        self._console.print(what)
        self._console.print()

    def _para(self, text: str) -> None:
        self._say(Text(text))

    def _lines(self, *lines: str) -> None:
        """Lines that are copied from the terminal: never wrapped."""
        for line in lines:
            self._console.print(Text(line), soft_wrap=True)


def is_about(exception: dict[str, Any], reservation: dict[str, Any]) -> bool:
    """Whether an exception for a person concerns a reservation."""
    return exception["subject"] in (reservation["id"], reservation["code"])


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for name in columns:
        right = name in ("party", "took", "waiting", "sent", "merged", "refused", "entries")
        keep = name in ("code", "digest", "took", "time", "promise", "promised", "address")
        table.add_column(name, justify="right" if right else "left", no_wrap=keep)
    table.show_footer = False
    return table


def _place(name: str) -> Text:
    return Text(name, f"bold {_COLOURS.get(name, '')}".strip())


def _promise(assurance: str) -> Text:
    return Text(assurance, "green" if assurance == "guaranteed" else "yellow")


def _quote(promise: str, words: str, remark: str) -> Text:
    return Text.assemble(_promise(promise), f": {words} ", Text(remark, "dim"))


def _fate(fate: dict[str, Any]) -> Text:
    if fate["status"] != "confirmed":
        return Text("no table; a person calls", "bold red")
    decision = fate["decision"] or {}
    table = "+".join(fate["resources"])
    if decision.get("verdict") == "moved":
        return Text(f"confirmed, moved {'+'.join(decision['from'])} → {table}", "bold yellow")
    return Text(f"confirmed, {table}", "green")


def _why(fate: dict[str, Any], code_by_id: dict[str, str], guest_by_code: dict[str, str]) -> str:
    decision = fate["decision"]
    if decision is None:
        return f"guaranteed: the {fate['made_by']}'s own"
    if decision["verdict"] == "admitted":
        return f"free when the {decision['by']} was asked"
    winners = [guest_by_code.get(code_by_id.get(won, ""), "another") for won in decision["won"]]
    taken = f"the {decision['by']} had given it to {' and '.join(winners)}"
    if decision["verdict"] == "moved":
        return f"{taken}; an equal table will do"
    return f"{taken}; nothing else seats {fate['party_size']}"
