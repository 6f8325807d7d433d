"""The demo's story: what is done, in which order, and what must then be so.

Owns the plot and its claims: nothing is told that was not checked, and every check is counted. How
it looks on a terminal is `telling`'s business.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any, Final, NamedTuple

from holdfast.demo.machines import DemoFailed, Machine, Machines, wait_for
from holdfast.demo.telling import Telling, is_about

VENUE: Final = "trattoria"
PATIENCE_SECONDS: Final = 10.0
DAYS_AHEAD: Final = range(2, 16)
EVENING: Final = ("18:30", "19:30", "20:00", "20:30", "21:00")
DESKS_TABLES: Final = ["T1", "T2"]
"""What the sample venue file allots to the desk."""


class Claim(NamedTuple):
    """Something that the story says, and whether it was found to be so."""

    text: str
    held: bool


class Sale(NamedTuple):
    """One reservation as it was promised, by whom, and how long the answer took."""

    made: dict[str, Any]
    at: str
    who: str
    asked: str
    answered_ms: float

    @property
    def id(self) -> str:
        return str(self.made["id"])

    @property
    def code(self) -> str:
        return str(self.made["code"])

    @property
    def whose(self) -> str:
        """Who holds the right to the table: whose it was sold from, else who is asked for it."""
        return str(self.made["waits_for"] or self.made["claims"][0]["holder"])


class Story:
    """One telling: `tell()` it, then read `claims`, `held`, `seconds` and `document()`."""

    def __init__(self, machines: Machines, telling: Telling) -> None:
        self._machines = machines
        self._telling = telling
        self._hub = machines.add("hub", "hub")
        self._desk = machines.add("desk", "node")
        self._kiosk = machines.add("kiosk", "node")
        self._fates: list[dict[str, Any]] = []
        self._digests: dict[str, str] = {}
        self.venue = VENUE
        self.date = ""
        self.displaced_code = ""
        self.claims: list[Claim] = []
        self.sales: list[Sale] = []
        self.seconds = 0.0

    @property
    def held(self) -> bool:
        return bool(self.claims) and all(claim.held for claim in self.claims)

    def tell(self) -> None:
        """The whole story. Raises DemoFailed where it cannot go on."""
        began = time.monotonic()
        self._telling.opening()
        self._open()
        self._connected()
        self._cut()
        self._heal()
        self._compare()
        self._telling.ledger([self._line(sale) for sale in self.sales])
        self.seconds = time.monotonic() - began

    def document(self) -> dict[str, Any]:
        """The story as one JSON value."""
        return {
            "ok": self.held,
            "seconds": round(self.seconds, 3),
            "claims": [{"claim": claim.text, "held": claim.held} for claim in self.claims],
            "reservations": [self._line(sale) for sale in self.sales],
            "digests": self._digests,
            "machines": [
                {"name": one.name, "url": one.url, "data": str(one.directory)}
                for one in self._machines.all
            ],
        }

    def _claim(self, text: str, held: bool) -> None:
        self.claims.append(Claim(text, held))
        self._telling.claim(text, held)

    # --- the acts ---------------------------------------------------------------------------------

    def _open(self) -> None:
        """A hub, its venue, and two devices that join it."""
        hub, nodes = self._hub, (self._desk, self._kiosk)
        with self._telling.busy("starting a hub, a front desk and a kiosk"):
            self._machines.command("hub", "init", "--data", hub.directory, "--tenant", "rome")
            file = resources.files("holdfast.demo") / "venue.yaml"
            with resources.as_file(file) as path:
                self._machines.command("venue", "import", path, "--data", hub.directory)
            hub.start()
            roles = {"desk": "front-desk", "kiosk": "kiosk"}
            # One after the other: the first front desk makes the key of the guests' cards.
            for node in nodes:
                self._join(node, roles[node.name])
            with ThreadPoolExecutor(len(nodes)) as pool:
                list(pool.map(Machine.start, nodes))
            for node in nodes:
                look = functools.partial(_connected, node)
                wait_for(f"the {node.name} connects", look, PATIENCE_SECONDS)
        self.date = self._evening()
        self._telling.cast(self._machines.all)
        self._claim(
            "three processes run, and both devices are connected to the hub",
            all(one.runs for one in self._machines.all) and all(map(_connected, nodes)),
        )
        self._claim(
            f"all three know that {' and '.join(DESKS_TABLES)} are the desk's, the rest the hub's",
            all(_held(one) == {"desk": DESKS_TABLES} for one in self._machines.all),
        )

    def _join(self, node: Machine, role: str) -> None:
        code = self._hub.post("/invites", {"venue": VENUE, "role": role, "name": node.name})["code"]
        self._machines.command(
            "node", "join", self._hub.url, "--code", code, "--data", node.directory
        )

    def _evening(self) -> str:
        """The first evening on which every time of the story is offered."""
        today = datetime.datetime.now(datetime.UTC).date()
        for days in DAYS_AHEAD:
            date = (today + datetime.timedelta(days)).isoformat()
            slots = self._hub.get("/availability", venue=VENUE, date=date, party_size=2)["slots"]
            offered = {slot["starts_at"][11:16] for slot in slots}
            if offered.issuperset(EVENING):
                return date
        raise DemoFailed("the sample restaurant is closed for two weeks")

    def _connected(self) -> None:
        """(a) An ordinary booking, seen everywhere."""
        self._telling.act("1. All connected: one ordinary booking")
        began = time.monotonic()
        sale = self._sell(self._desk, "Anna Ricci", 2, "18:30")
        self.sales.append(sale)
        wait_for(
            "the booking is confirmed at the kiosk",
            lambda: _status_at(self._kiosk, sale) == "confirmed",
            PATIENCE_SECONDS,
        )
        self._telling.ordinary(sale, (time.monotonic() - began) * 1000)
        self._claim(
            "the desk called it guaranteed at once, and it stands confirmed at all three",
            _promise(sale) == ("confirmed", "guaranteed")
            and {_status_at(one, sale) for one in self._machines.all} == {"confirmed"},
        )
        name = "Anna Ricci"
        readable = {
            one.name: ((one.find(sale.id) or {}).get("guest") or {}).get("name") == name
            for one in self._machines.all
        }
        self._telling.privacy(name, readable)
        self._claim(
            "the desk can read the guest's name; the kiosk and the hub cannot",
            readable == {"hub": False, "desk": True, "kiosk": False},
        )
        self._claim(
            "the name stands in no file of the kiosk or the hub",
            not any(one.holds_bytes(name.encode()) for one in (self._kiosk, self._hub)),
        )

    def _cut(self) -> None:
        """(b) The network is cut; everybody goes on selling."""
        self._telling.act("2. The network is cut, and everybody goes on selling")
        states = [node.post("/sync/pause")["state"] for node in (self._desk, self._kiosk)]
        self._claim("desk and kiosk are cut off from the hub", states == ["paused", "paused"])
        start = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            desk = pool.submit(self._sell_at_desk, start)
            kiosk = pool.submit(self._sell_at_kiosk, start)
            at_desk, at_kiosk = desk.result(), kiosk.result()
        at_hub = self._sell_at_hub()
        self.sales += [*at_desk, *at_kiosk, *at_hub]
        self._telling.sold_apart(self.sales[1:])
        self._claim_promises(at_desk, at_kiosk, at_hub)
        counts = {one.name: one.get("/queue")["counts"] for one in (self._desk, self._kiosk)}
        self._telling.queues(counts)
        self._claim(
            "three bookings wait at each device to be told to the others",
            all(count["queued"] == 3 for count in counts.values()),
        )

    def _claim_promises(
        self, at_desk: list[Sale], at_kiosk: list[Sale], at_hub: list[Sale]
    ) -> None:
        elena, *contested = at_desk
        gina, hugo = at_hub
        self._claim(
            "the desk, cut off, guarantees a table of its own at once, asking nobody",
            _promise(elena) == ("confirmed", "guaranteed") and elena.whose == "desk",
        )
        self._claim(
            "for the hub's tables desk and kiosk promise nothing yet, and say who is asked",
            all(
                _promise(sale) == ("commit_pending", "provisional")
                and sale.made["waits_for"] == "hub"
                for sale in (*contested, *at_kiosk)
            ),
        )
        self._claim(
            "desk and kiosk both took bookings for the same two tables, unseen by each other",
            [_wish(sale) for sale in contested] == [_wish(sale) for sale in at_kiosk[:2]]
            and all(
                one.find(sale.id) is None for one in (self._kiosk, self._hub) for sale in contested
            ),
        )
        self._claim(
            "the hub guarantees a table of its own, too",
            _promise(gina) == ("confirmed", "guaranteed") and gina.whose == "hub",
        )
        self._claim(
            "the hub does not promise the desk's table: its booking waits for the desk",
            _promise(hugo) == ("commit_pending", "provisional")
            and hugo.made["waits_for"] == "desk",
        )

    def _sell_at_desk(self, start: threading.Barrier) -> list[Sale]:
        start.wait(PATIENCE_SECONDS)
        return [
            self._sell(self._desk, "Elena Riva", 2, "19:30", "T2"),
            self._sell(self._desk, "Bruno Sala", 4, "20:00", "T3", may_move=True),
            self._sell(self._desk, "Carla Conti", 8, "20:30", "T8", phone="+39 06 5550 142"),
        ]

    def _sell_at_kiosk(self, start: threading.Barrier) -> list[Sale]:
        start.wait(PATIENCE_SECONDS)
        return [
            self._sell(self._kiosk, "Dario Fini", 4, "20:00", "T3"),
            self._sell(self._kiosk, "Olga Neri", 8, "20:30", "T8"),
            self._sell(self._kiosk, "Fabio Leone", 2, "19:30", "T6"),
        ]

    def _sell_at_hub(self) -> list[Sale]:
        return [
            self._sell(self._hub, "Gina Galli", 5, "21:00", "T5"),
            self._sell(self._hub, "Hugo Berti", 2, "20:00", "T2", may_move=True),
        ]

    def _heal(self) -> None:
        """(c) The network heals, the kiosk's cable first; every fate is shown."""
        self._telling.act("3. The network heals, and every fate is decided")
        took = self._plug_in(self._kiosk)
        hugo = next(sale for sale in self.sales if sale.who == "Hugo Berti")
        waiting = self._hub.find(hugo.id) or {}
        self._telling.half_healed(took)
        self._claim(
            "the kiosk's wishes are answered; Hugo's still waits, as only the desk may answer it",
            (waiting.get("status"), waiting.get("waits_for")) == ("commit_pending", "desk"),
        )
        took = self._plug_in(self._desk)
        wait_for("all three hold the same", self._same_entries, PATIENCE_SECONDS)
        self._telling.healed(took)
        self._fates = [self._fate(sale) for sale in self.sales]
        exceptions = self._desk.get("/exceptions")["items"]
        fate_by_guest = {
            sale.who.partition(" ")[0].lower(): fate
            for sale, fate in zip(self.sales, self._fates, strict=True)
        }
        by_id = {sale.id: sale.code for sale in self.sales}
        self._telling.fates(self._fates[1:], self.sales[1:], by_id, exceptions)
        self._claim_guarantees()
        self._claim_fates(fate_by_guest, exceptions)

    def _plug_in(self, node: Machine) -> float:
        """Plug a device's cable in; returns after how many milliseconds all that was written there
        had its answer."""
        node.post("/sync/resume")
        own = [sale for sale in self.sales if sale.at == node.name]
        return wait_for(
            f"everything written at the {node.name} is decided",
            functools.partial(_answered, node, own),
            PATIENCE_SECONDS,
        )

    def _claim_guarantees(self) -> None:
        guaranteed = [sale for sale in self.sales if sale.made["assurance"] == "guaranteed"]
        self._claim(
            "the three guaranteed bookings stand as they were promised, on every machine",
            len(guaranteed) == 3
            and all(
                _place(one.find(sale.id) or {}) == ("confirmed", "guaranteed", sale.asked)
                for sale in guaranteed
                for one in self._machines.all
            ),
        )

    def _claim_fates(
        self, fate: dict[str, dict[str, Any]], exceptions: list[dict[str, Any]]
    ) -> None:
        carla, hugo = fate["carla"], fate["hugo"]
        self.displaced_code = carla["code"]
        self._claim(
            "every operation has its verdict, and nothing is left undecided",
            all(_settled(node) for node in (self._desk, self._kiosk))
            and not any(one["status"] == "commit_pending" for one in fate.values()),
        )
        self._claim(
            "of the two who wished for table T3, one has it and one sits at the equal T4",
            _seat(fate["dario"]) == ("confirmed", ["T3"])
            and _seat(fate["bruno"]) == ("confirmed", ["T4"])
            and _decision(fate["bruno"]).get("verdict") == "moved",
        )
        self._claim(
            "of the two who wished for the only big table, one has it and one is told the truth",
            _seat(fate["olga"]) == ("confirmed", ["T8"])
            and carla["status"] == "commit_failed"
            and _decision(carla).get("won") == [fate["olga"]["id"]],
        )
        self._claim(
            "the desk answered for its own: T2 stays Elena's, Hugo gets its equal table T1",
            _seat(hugo) == ("confirmed", ["T1"])
            and (_decision(hugo).get("by"), _decision(hugo).get("verdict")) == ("desk", "moved")
            and _decision(hugo).get("won") == [fate["elena"]["id"]],
        )
        self._claim(
            "a wish that nobody else had is confirmed as it was made",
            _seat(fate["fabio"]) == ("confirmed", ["T6"])
            and _decision(fate["fabio"]).get("verdict") == "admitted",
        )
        self._claim(
            "a person is asked to call the guest who got no table, and only her",
            [one["kind"] for one in exceptions] == ["displaced"] and is_about(exceptions[0], carla),
        )
        self._claim(
            "decisions are signed: the desk could check the hub's, and the hub the desk's",
            self._verifies(self._desk, carla["code"]) and self._verifies(self._hub, hugo["code"]),
        )
        self._claim("no table is promised twice", _no_overlap(list(fate.values())))

    def _compare(self) -> None:
        """(d) All three show the same."""
        self._telling.act("4. Three books, one content")
        books = {one.name: one.get(f"/books/{VENUE}") for one in self._machines.all}
        self._digests = {name: book["digest"] for name, book in books.items()}
        self._telling.books(books)
        self._claim(
            "hub, desk and kiosk show the same digest", len(set(self._digests.values())) == 1
        )
        self._claim(
            "each of them shows every reservation in the same state",
            all(
                _seat(one.find(sale.id) or {"status": "", "resources": []}) == _seat(fate)
                for one in self._machines.all
                for sale, fate in zip(self.sales, self._fates, strict=True)
            ),
        )

    def _same_entries(self) -> bool:
        heads = [
            {head["hash"] for head in one.get(f"/books/{VENUE}")["heads"]}
            for one in self._machines.all
        ]
        return all(head == heads[0] for head in heads)

    def _verifies(self, machine: Machine, code: str) -> bool:
        told = self._machines.command(
            "decision", "verify", code, "--json", "--data", machine.directory
        )
        return bool(json.loads(told)["ok"])

    # --- helpers ----------------------------------------------------------------------------------

    def _sell(
        self,
        machine: Machine,
        who: str,
        party: int,
        at: str,
        table: str | None = None,
        *,
        may_move: bool = False,
        phone: str | None = None,
    ) -> Sale:
        guest = {"name": who, "phone": phone} if phone else {"name": who}
        body: dict[str, Any] = {
            "venue": VENUE,
            "starts_at": f"{self.date}T{at}",
            "party_size": party,
            "guest": guest,
        }
        if table is not None:
            body |= {"resources": [table], "may_move": may_move}
        began = time.monotonic()
        made = machine.post("/reservations", body)
        took_ms = (time.monotonic() - began) * 1000
        return Sale(made, machine.name, who, "+".join(made["resources"]), took_ms)

    def _fate(self, sale: Sale) -> dict[str, Any]:
        found = self._desk.find(sale.id)
        if found is None:
            raise DemoFailed(f"{sale.code} did not reach the desk")
        return found

    def _line(self, sale: Sale) -> dict[str, Any]:
        fate = next((one for one in self._fates if one["id"] == sale.id), sale.made)
        return {
            "code": sale.code,
            "guest": sale.who,
            "made_at": sale.at,
            "starts_at": sale.made["starts_at"],
            "party_size": sale.made["party_size"],
            "asked": sale.asked,
            "promised": sale.made["assurance"],
            "answered_ms": round(sale.answered_ms, 1),
            "status": fate["status"],
            "assurance": fate["assurance"],
            "resources": fate["resources"] if fate["status"] == "confirmed" else [],
            "decision": fate["decision"],
        }


def _status_at(machine: Machine, sale: Sale) -> str:
    return str((machine.find(sale.id) or {}).get("status"))


def _connected(node: Machine) -> bool:
    return bool(node.get("/sync")["state"] == "connected")


def _settled(node: Machine) -> bool:
    counts = node.get("/queue")["counts"]
    waiting = node.get("/reservations", status="commit_pending")["items"]
    return counts["queued"] + counts["sent"] == 0 and not waiting


def _answered(node: Machine, sales: list[Sale]) -> bool:
    """Whether all that was sold at a device is known to the hub and decided."""
    counts = node.get("/queue")["counts"]
    return counts["queued"] + counts["sent"] == 0 and not any(
        _status_at(node, sale) == "commit_pending" for sale in sales
    )


def _held(machine: Machine) -> dict[str, list[str]]:
    """The tables that each holder may sell by itself, as a machine shows it."""
    held: dict[str, list[str]] = {}
    for one in machine.get("/allotments", venue=VENUE)["items"]:
        if one["state"] == "active":
            held.setdefault(one["holder"], []).extend(one["resources"])
    return held


def _promise(sale: Sale) -> tuple[str, str]:
    return sale.made["status"], sale.made["assurance"]


def _wish(sale: Sale) -> tuple[list[str], str]:
    return sale.made["resources"], sale.made["starts_at"]


def _place(shown: dict[str, Any]) -> tuple[Any, Any, str]:
    return shown.get("status"), shown.get("assurance"), "+".join(shown.get("resources") or [])


def _seat(fate: dict[str, Any]) -> tuple[str, list[str]]:
    return fate["status"], fate["resources"]


def _decision(fate: dict[str, Any]) -> dict[str, Any]:
    return fate["decision"] or {}


def _no_overlap(fates: list[dict[str, Any]]) -> bool:
    claims = sorted(
        (claim["resource"], claim["starts_at"], claim["ends_at"])
        for fate in fates
        if fate["status"] == "confirmed"
        for claim in fate["claims"]
    )
    return all(one[0] != two[0] or one[2] <= two[1] for one, two in itertools.pairwise(claims))
