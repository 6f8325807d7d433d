"""The node's clock: reads the machine's clocks, has time servers asked, keeps the software clock.

Owns the only readings of a clock that anything timed in a node or hub may use (`node/ntp.py` asks).
Decides nothing: what a sample is worth and what the time is stands in `model/discipline.py`. It
never sets the operating system's clock, schedules nothing, and knows neither store nor sync.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from holdfast.model.discipline import (
    Agreement,
    Interval,
    Sample,
    SoftwareClock,
    check_sample,
    intersect,
    offset_and_delay,
    sample_of,
)
from holdfast.model.errors import Invalid
from holdfast.model.limits import (
    HUB_WALL_UNCERTAINTY_MS,
    NTP_KISS_REST_SECONDS,
    NTP_SERVERS_MAX,
    NTP_TIMEOUT_SECONDS,
    UNDISCIPLINED_UNCERTAINTY_MS,
    WALL_LOOK_MS,
    WALL_STEPS_KEPT,
)
from holdfast.node.ntp import Answer, ask_all

log = logging.getLogger("holdfast.clock")

TEST_WALL_VARIABLE: Final = "HOLDFAST_TEST_WALL"
HUB_SOURCE: Final = "hub"

_PAIR_MS: Final = 5.0
_PAIR_TRIES: Final = 8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Clock = Callable[[], float]


# --- the machine's clocks -----------------------------------------------------------------------


class OsWall:
    """The operating system's wall clock in Unix milliseconds, plus what a test's file says.

    The file is read anew at each use (a few microseconds, in tests only): no time stamp of a file
    is fine enough to show every change at once. A file that is missing adds nothing; one that
    holds no number, as between truncating and writing, changes nothing.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self.added_ms = 0.0

    def __call__(self) -> float:
        if self._path is not None:
            self._read(self._path)
        return time.time_ns() / 1e6 + self.added_ms

    def _read(self, path: str) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                text = os.read(descriptor, 64).strip()
            finally:
                os.close(descriptor)
        except OSError:
            text = b"0"
        try:
            added_ms = float(text)
        except ValueError:
            return
        if added_ms != self.added_ms and math.isfinite(added_ms):
            log.warning(
                "%s moves the wall clock by %+.0f ms (before: %+.0f ms)",
                TEST_WALL_VARIABLE,
                added_ms,
                self.added_ms,
            )
            self.added_ms = added_ms


def _boot_time_ms() -> float:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) / 1e6


def _monotonic_ms() -> float:
    return time.monotonic_ns() / 1e6


COUNTS_SUSPEND: Final = hasattr(time, "CLOCK_BOOTTIME")
"""Whether this system has a monotonic clock that runs on while the machine sleeps (Linux)."""


# --- the clock of a node or hub -----------------------------------------------------------------


class Timekeeper:
    """The one clock that everything timed in a process reads. Safe to use from any thread.

    `wall` (Unix) and `monotonic` (any origin) return milliseconds; left out, they are the
    machine's. An injected monotonic clock is taken to count suspend.
    """

    def __init__(
        self,
        wall: Clock | None = None,
        monotonic: Clock | None = None,
        *,
        ntp_timeout_seconds: float = NTP_TIMEOUT_SECONDS,
    ) -> None:
        self._os_wall = OsWall(os.environ.get(TEST_WALL_VARIABLE) or None)
        self._wall: Clock = self._os_wall if wall is None else wall
        self._counts_suspend = COUNTS_SUSPEND or monotonic is not None
        own_monotonic = _boot_time_ms if COUNTS_SUSPEND else _monotonic_ms
        self._monotonic: Clock = own_monotonic if monotonic is None else monotonic
        self._ntp_timeout_seconds = ntp_timeout_seconds
        self._lock = threading.Lock()
        self._clock = SoftwareClock.start(*self._pair())
        self._look_again_ms = -math.inf
        self._steps: deque[dict[str, Any]] = deque(maxlen=WALL_STEPS_KEPT)
        self._steps_noticed = 0
        self._servers: list[dict[str, Any]] = []
        self._hub: dict[str, Any] | None = None
        self._resting_until_ms: dict[str, float] = {}

    # Reading

    def monotonic_ms(self) -> float:
        """The monotonic clock: for durations, and for `sent_ms`, `returned_ms` of a hub sample."""
        return self._monotonic()

    def now_ms(self) -> int:
        """The best estimate of Unix milliseconds. It may step back when a sample says so."""
        monotonic_ms = self._monotonic()
        clock = self._clock
        if clock.reference is None or monotonic_ms >= self._look_again_ms:
            return self.interval().best
        return clock.best_ms(monotonic_ms, 0.0)

    def interval(self) -> Interval:
        """The present as an interval with its state."""
        monotonic_ms, wall_ms = self._look()
        return self._clock.now(monotonic_ms, wall_ms)

    def latest_ms(self) -> int:
        """The latest that it may be: when this reaches a release, its holder stops selling."""
        return self.interval().latest

    def uncertainty_ms(self) -> int:
        """How far `now_ms()` may be off: what an entry carries beside its stamp."""
        return self.interval().uncertainty_ms

    def stamp_latest_ms(self) -> int:
        """What foreign stamps are compared with: the `latest_ms` argument of `hlc.merge`."""
        return self.interval().stamp_latest

    def status(self) -> dict[str, Any]:
        """`GET /clock`: JSON values only, instants as RFC 3339 in UTC."""
        monotonic_ms, wall_ms = self._look()
        with self._lock:
            clock = self._clock
            sources = [*self._servers, *([self._hub] if self._hub else [])]
            steps, steps_noticed = list(self._steps), self._steps_noticed
        now = clock.now(monotonic_ms, wall_ms)
        reference = clock.reference
        offset_ms = 0.0 if reference is None else monotonic_ms + reference.base_ms - wall_ms
        uncertainty_ms = (
            float(UNDISCIPLINED_UNCERTAINTY_MS)
            if reference is None
            else reference.uncertainty_at(monotonic_ms)
        )
        return {
            "state": now.state,
            "offset_ms": round(offset_ms, 3),
            "uncertainty_ms": round(uncertainty_ms, 3),
            "earliest": _rfc3339(now.earliest),
            "latest": _rfc3339(now.latest),
            "now": _rfc3339(now.best),
            "disciplined_by": None if reference is None else reference.by,
            "sources": [_with_age(source, monotonic_ms) for source in sources],
            "test_wall_ms": self._os_wall.added_ms,
            "steps_noticed": steps_noticed,
            "steps": steps,
        }

    # Sampling

    def sample(self, servers: Sequence[str]) -> dict[str, Any]:
        """Ask `servers` (`host[:port]`) all at once; set the software clock if a majority agrees.

        Answers `applied`, the `reason` if nothing was applied, the clock's state, and under
        `servers` each one's result: `agrees`, `falseticker`, `undecided` (believed, no majority)
        or `refused` with its reason. Raises Invalid for more than NTP_SERVERS_MAX servers.
        """
        wanted = list(dict.fromkeys(servers))
        if len(wanted) > NTP_SERVERS_MAX:
            raise Invalid.field("ntp", f"{len(wanted)} servers; at most {NTP_SERVERS_MAX} are used")
        monotonic_ms, wall_ms = self._look()
        frame_ms = wall_ms - monotonic_ms
        resting = [s for s in wanted if self._resting_until_ms.get(s, -math.inf) > monotonic_ms]
        asked = [server for server in wanted if server not in resting]
        answers = ask_all(asked, self._monotonic, self._ntp_timeout_seconds)
        answers.update(dict.fromkeys(resting, "resting-after-kiss"))
        samples, results = self._judge({s: answers[s] for s in wanted}, frame_ms)
        agreement = intersect(samples, len(wanted))
        _mark(results, agreement)
        reason = None if agreement else _why_none(wanted, samples)
        with self._lock:
            self._servers = results
            if agreement is not None:
                self._apply(self._clock.disciplined(agreement, frame_ms))
        if agreement is None and wanted:
            log.warning("no time from %d servers: %s", len(wanted), reason)
        now = self.status()
        return {
            "applied": agreement is not None,
            "reason": reason,
            "state": now["state"],
            "offset_ms": now["offset_ms"],
            "uncertainty_ms": now["uncertainty_ms"],
            "servers": [_with_age(result, self._monotonic()) for result in results],
        }

    def add_hub_sample(
        self,
        sent_ms: float,
        received_ms: float,
        answered_ms: float,
        returned_ms: float,
        hub_uncertainty_ms: float,
    ) -> str | None:
        """An exchange with the hub as a sample; None if it set the clock, else why it did not.

        `sent_ms` and `returned_ms` are readings of `monotonic_ms()` here, the other two the hub's
        Unix milliseconds as it began to read the request and to write the answer. A hub that
        nothing disciplines passes UNDISCIPLINED_UNCERTAINTY_MS: then its wall clock is what the
        tenant's nodes agree on. Raises Invalid when the first and last are no such readings.
        """
        monotonic_ms, wall_ms = self._look()
        if not sent_ms <= returned_ms <= monotonic_ms:
            raise Invalid.field("sent_ms", "not a reading of this node's monotonic_ms()")
        offset_ms, delay_ms = offset_and_delay(sent_ms, received_ms, answered_ms, returned_ms)
        if not (delay_ms >= 0 and answered_ms >= received_ms > 0 and hub_uncertainty_ms >= 0):
            return self._heard_hub("implausible", delay_ms, None, monotonic_ms)
        hub_knows = hub_uncertainty_ms < UNDISCIPLINED_UNCERTAINTY_MS
        trust_ms = hub_uncertainty_ms if hub_knows else HUB_WALL_UNCERTAINTY_MS
        frame_ms = wall_ms - monotonic_ms
        sample = Sample(
            source=HUB_SOURCE,
            offset_ms=offset_ms - frame_ms,
            delay_ms=delay_ms,
            error_ms=delay_ms / 2 + trust_ms,
            taken_at_ms=returned_ms,
            from_hub=True,
        )
        agreement = intersect([sample])
        assert agreement is not None, "one sample of the hub always agrees with itself"
        with self._lock:
            reason = self._clock.declines_hub(agreement, frame_ms)
            if reason is None:
                self._apply(self._clock.disciplined(agreement, frame_ms, by="hub"))
        return self._heard_hub(reason, delay_ms, sample, monotonic_ms, hub_disciplined=hub_knows)

    # Inside

    def _pair(self) -> tuple[float, float]:
        """Both clocks at one instant: read again if the process was held up in between."""
        for _ in range(_PAIR_TRIES):
            before_ms = self._monotonic()
            wall_ms = self._wall()
            after_ms = self._monotonic()
            if after_ms - before_ms <= _PAIR_MS:
                break
        return (before_ms + after_ms) / 2, wall_ms

    def _look(self) -> tuple[float, float]:
        """Both clocks, monotonic first; a step of the wall clock is noticed on the way."""
        monotonic_ms, wall_ms = self._monotonic(), self._wall()
        self._look_again_ms = monotonic_ms + WALL_LOOK_MS
        if self._clock.must_look(monotonic_ms, wall_ms):
            with self._lock:
                # Read again: another thread may have looked since, and know more than we read.
                monotonic_ms, wall_ms = self._pair()
                self._notice(monotonic_ms, wall_ms)
        return monotonic_ms, wall_ms

    def _notice(self, monotonic_ms: float, wall_ms: float) -> None:
        clock, step = self._clock.looked(monotonic_ms, wall_ms)
        if step is not None:
            if not self._counts_suspend:
                # It may have been a sleep, which the base of the software clock does not know of.
                clock = clock.forgotten()
            self._steps_noticed += 1
            at = _rfc3339(clock.best_ms(monotonic_ms, wall_ms))
            followed = clock.reference is None
            self._steps.append({"at": at, "by_ms": round(step.by_ms), "followed": followed})
            log.warning(
                "the wall clock stepped by %+.0f ms; Holdfast's clock %s",
                step.by_ms,
                "is undisciplined and follows it" if followed else "does not",
            )
        self._clock = clock

    def _apply(self, clock: SoftwareClock) -> None:
        """Take over a disciplined clock; the lock is held."""
        before, after = self._clock.reference, clock.reference
        assert after is not None
        self._clock = clock
        moved_ms = math.inf if before is None else abs(after.base_ms - before.base_ms)
        changed = before is None or before.by != after.by or moved_ms > WALL_LOOK_MS
        log.log(
            logging.INFO if changed else logging.DEBUG,
            "clock set by %s (%s), ± %.1f ms, %+.1f ms from the wall clock",
            after.by,
            ", ".join(after.sources),
            after.uncertainty_ms,
            after.base_ms - clock.anchor_ms,
        )

    def _judge(
        self, answers: dict[str, Answer | str], frame_ms: float
    ) -> tuple[list[Sample], list[dict[str, Any]]]:
        samples: list[Sample] = []
        results: list[dict[str, Any]] = []
        seen: dict[str, str] = {}
        for server, answer in answers.items():
            if isinstance(answer, str):
                results.append(_refused(server, answer, self._monotonic()))
                continue
            reply = answer.reply
            reason: str | None = check_sample(reply)
            if reason is None and answer.address in seen:
                reason = "same-server-twice"
            if reason == "kiss-of-death":
                rest_ms = NTP_KISS_REST_SECONDS * 1_000
                self._resting_until_ms[server] = reply.returned_ms + rest_ms
                log.warning("%s asks to be left alone (%s)", server, reply.kiss)
            if reason is not None:
                results.append(_refused(server, reason, reply.returned_ms, kiss=reply.kiss or None))
                continue
            seen[answer.address] = server
            sample = sample_of(reply, frame_ms)
            samples.append(sample)
            results.append(_believed(sample))
        return samples, results

    def _heard_hub(
        self,
        reason: str | None,
        delay_ms: float,
        sample: Sample | None,
        monotonic_ms: float,
        hub_disciplined: bool = False,
    ) -> str | None:
        if sample is None:
            heard = _refused(HUB_SOURCE, reason or "", monotonic_ms, delay_ms=round(delay_ms, 3))
        else:
            heard = _believed(sample) | {"hub_disciplined": hub_disciplined, "reason": reason}
            heard["result"] = "agrees" if reason is None else "not-needed"
        with self._lock:
            self._hub = heard
        return reason


# --- results as JSON values ---------------------------------------------------------------------


def _refused(source: str, reason: str, taken_at_ms: float, **more: Any) -> dict[str, Any]:
    extra = {name: value for name, value in more.items() if value is not None}
    return {
        "source": source,
        "result": "refused",
        "reason": reason,
        "taken_at_ms": taken_at_ms,
    } | extra


def _believed(sample: Sample) -> dict[str, Any]:
    return {
        "source": sample.source,
        "result": "undecided",
        "reason": None,
        "offset_ms": round(sample.offset_ms, 3),
        "delay_ms": round(sample.delay_ms, 3),
        "error_ms": round(sample.error_ms, 3),
        "stratum": sample.stratum or None,
        "taken_at_ms": sample.taken_at_ms,
    }


def _mark(results: list[dict[str, Any]], agreement: Agreement | None) -> None:
    if agreement is None:
        return
    for result in results:
        if result["source"] in agreement.agreeing:
            result["result"] = "agrees"
        elif result["source"] in agreement.falsetickers:
            result["result"] = "falseticker"
            log.warning("%s disagrees with the majority of time servers", result["source"])


def _why_none(wanted: Sequence[str], samples: Sequence[Sample]) -> str:
    if not wanted:
        return "no-servers"
    if not samples:
        return "no-answer-believed"
    return "one-alone" if len(samples) == 1 else "no-majority"


def _with_age(source: dict[str, Any], monotonic_ms: float) -> dict[str, Any]:
    shown = {name: value for name, value in source.items() if name != "taken_at_ms"}
    return shown | {"age_seconds": round((monotonic_ms - source["taken_at_ms"]) / 1_000, 1)}


def _rfc3339(ms: int) -> str:
    text = (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
