"""What time it may be: samples of other clocks, whom to believe, and a clock that says its error.

Owns the rules of DESIGN §3: which answer of a time server counts, how several are reconciled, how
the software clock ages, what a step of the wall clock means. Pure: it must not read a clock or
open a socket; readings are arguments, and every function returns a new value.

Three clocks appear. The *wall* clock is the operating system's and may be wrong or stepped. The
*monotonic* clock only runs on. The *software* clock is the monotonic one plus a base that samples
give; nothing that happens to the wall clock moves it. All instants are milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, inf
from typing import Final, Literal, NamedTuple, get_args

from holdfast.model.hlc import COUNTER_BITS, MS_READABLE_MAX
from holdfast.model.limits import (
    DISCIPLINED_UNCERTAINTY_MS_MAX,
    DRIFT_PPM,
    NTP_HOLDOVER_POLLS,
    NTP_INTERVAL_SECONDS,
    NTP_READING_ERROR_MS,
    NTP_ROOT_DISTANCE_MS_MAX,
    STAMP_AHEAD_MS_MAX,
    UNDISCIPLINED_UNCERTAINTY_MS,
    WALL_STEP_MS,
)

State = Literal["disciplined", "holdover", "undisciplined"]
CLOCK_STATES: Final[tuple[str, ...]] = get_args(State)
Discipline = Literal["ntp", "hub"]
Refusal = Literal[
    "wrong-origin",
    "wrong-mode",
    "kiss-of-death",
    "not-synchronised",
    "bad-stratum",
    "no-time",
    "negative-delay",
    "too-far-from-reference",
]

_MODE_SERVER: Final = 4
_LEAP_UNKNOWN: Final = 3
_STRATUM_MAX: Final = 15
_DRIFT: Final = DRIFT_PPM / 1_000_000
_FRESH_MS: Final = NTP_HOLDOVER_POLLS * NTP_INTERVAL_SECONDS * 1_000
_ANCHOR_MS: Final = 60_000
"""The anchor of step detection follows the wall clock's slow drift this often."""


# --- samples ------------------------------------------------------------------------------------


class Reply(NamedTuple):
    """One answer of a time server, with the two readings of our own clock around it.

    `sent_ms` and `returned_ms` are monotonic; `received_ms` and `answered_ms` are the server's
    Unix milliseconds (0: the field was empty). `kiss` is the code of a stratum-0 answer.
    """

    source: str
    sent_ms: float
    received_ms: float
    answered_ms: float
    returned_ms: float
    origin_matches: bool = True
    mode: int = _MODE_SERVER
    leap: int = 0
    stratum: int = 1
    root_delay_ms: float = 0.0
    root_dispersion_ms: float = 0.0
    kiss: str = ""


class Sample(NamedTuple):
    """A believed answer: true time is `offset_ms` ± `error_ms` after the frame's.

    The *frame* is a fixed distance to the monotonic clock, the same for all samples that are
    compared: commonly what the wall clock showed when the round began, so that offsets are the
    small numbers that people expect. `taken_at_ms` is monotonic.
    """

    source: str
    offset_ms: float
    delay_ms: float
    error_ms: float
    taken_at_ms: float
    stratum: int = 0
    from_hub: bool = False


def offset_and_delay(
    sent_ms: float, received_ms: float, answered_ms: float, returned_ms: float
) -> tuple[float, float]:
    """The other clock's lead over ours, and the time on the way (RFC 5905, 8: theta and delta).

    The lead is right to ± delay / 2, however unequal the two ways are.
    """
    offset = ((received_ms - sent_ms) + (answered_ms - returned_ms)) / 2
    delay = (returned_ms - sent_ms) - (answered_ms - received_ms)
    return offset, delay


def check_sample(reply: Reply) -> Refusal | None:
    """Why a server's answer is not believed, or None. ntplib asks none of these questions.

    The origin comes first: what does not answer our own question, a kiss included, is anybody's.
    """
    _, delay_ms = offset_and_delay(*reply[1:5])
    times = (reply.received_ms, reply.answered_ms)
    lengths = (delay_ms, reply.root_delay_ms, reply.root_dispersion_ms)
    # Each line is false for a NaN where it must be: what cannot be compared is at fault.
    fine_by_refusal: tuple[tuple[Refusal, bool], ...] = (
        ("wrong-origin", reply.origin_matches),
        ("wrong-mode", reply.mode == _MODE_SERVER),
        ("kiss-of-death", reply.stratum != 0 or not reply.kiss),
        ("not-synchronised", reply.leap != _LEAP_UNKNOWN),
        ("bad-stratum", 1 <= reply.stratum <= _STRATUM_MAX),
        ("no-time", all(0 < ms < inf for ms in times)),
        ("negative-delay", all(ms >= 0 for ms in lengths)),
        ("too-far-from-reference", _root_distance_ms(reply, delay_ms) < NTP_ROOT_DISTANCE_MS_MAX),
    )
    return next((refusal for refusal, fine in fine_by_refusal if not fine), None)


def sample_of(reply: Reply, frame_ms: float) -> Sample:
    """The sample in a checked reply; `frame_ms` is what is added to monotonic to read the frame."""
    lead_ms, delay_ms = offset_and_delay(*reply[1:5])
    return Sample(
        source=reply.source,
        offset_ms=lead_ms - frame_ms,
        delay_ms=delay_ms,
        error_ms=_root_distance_ms(reply, delay_ms) + NTP_READING_ERROR_MS,
        taken_at_ms=reply.returned_ms,
        stratum=reply.stratum,
    )


def _root_distance_ms(reply: Reply, delay_ms: float) -> float:
    """How wrong the answer may be at the most, by its way to us and to its own reference."""
    return (delay_ms + reply.root_delay_ms) / 2 + reply.root_dispersion_ms


# --- agreement ----------------------------------------------------------------------------------


class Agreement(NamedTuple):
    """What a majority says: true time is `offset_ms` ± `uncertainty_ms` after the frame's."""

    offset_ms: float
    uncertainty_ms: float
    agreeing: tuple[str, ...]
    falsetickers: tuple[str, ...]
    as_of_ms: float
    """Monotonic; from here on the uncertainty grows."""


def intersect(samples: Sequence[Sample], configured: int | None = None) -> Agreement | None:
    """Marzullo's intersection (1984): from the lowest to the highest point that a majority covers.

    True time lies in it whenever more than half of the samples are right about their own error,
    whatever the others say; taking only the point that the most samples cover would be tighter
    and lose that promise. None when no point has a strict majority. One sample alone counts only
    from the hub, or from the only source that is `configured` (default: as many as there are
    samples).
    """
    if not samples:
        return None
    sources = len(samples) if configured is None else configured
    if len(samples) == 1 and sources != 1 and not samples[0].from_hub:
        return None
    as_of_ms = max(sample.taken_at_ms for sample in samples)
    bounds = [_bounds(sample, as_of_ms) for sample in samples]
    hull = _majority_hull(bounds)
    if hull is None:
        return None
    low, high = hull
    agrees = [lower <= high and upper >= low for lower, upper in bounds]
    return Agreement(
        offset_ms=(low + high) / 2,
        uncertainty_ms=(high - low) / 2,
        agreeing=tuple(s.source for s, yes in zip(samples, agrees, strict=True) if yes),
        falsetickers=tuple(s.source for s, yes in zip(samples, agrees, strict=True) if not yes),
        as_of_ms=as_of_ms,
    )


def _bounds(sample: Sample, as_of_ms: float) -> tuple[float, float]:
    error_ms = sample.error_ms + _DRIFT * (as_of_ms - sample.taken_at_ms)
    return sample.offset_ms - error_ms, sample.offset_ms + error_ms


def _majority_hull(bounds: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    needed = len(bounds) // 2 + 1
    # Lower ends sort before upper ends at the same point: intervals that touch have it in common.
    edges = sorted([(low, 0) for low, _ in bounds] + [(high, 1) for _, high in bounds])
    covering = 0
    lowest: float | None = None
    highest = 0.0
    for point, is_upper in edges:
        if is_upper:
            if covering >= needed:
                highest = point
            covering -= 1
        else:
            covering += 1
            if covering >= needed and lowest is None:
                lowest = point
    return None if lowest is None else (lowest, highest)


# --- the software clock -------------------------------------------------------------------------


class Interval(NamedTuple):
    """The present, in Unix milliseconds: surely not before `earliest` nor after `latest`.

    Undisciplined, the width is only a stated figure, so that what must be sure asks `state` too.
    """

    earliest: int
    latest: int
    best: int
    state: State

    @property
    def uncertainty_ms(self) -> int:
        """What an entry carries beside its stamp: how far `best` may be off, rounded up."""
        return max(self.latest - self.best, self.best - self.earliest)

    @property
    def stamp_latest(self) -> int:
        """What foreign stamps are compared with (`hlc.merge`).

        An undisciplined clock compares with its best guess: its stated width of a day would let
        one device with a wrong date carry all others with it.
        """
        return self.best if self.state == "undisciplined" else self.latest


class Step(NamedTuple):
    """The wall clock moved `by_ms` against the monotonic one; `followed` if `now` went along."""

    by_ms: float
    monotonic_ms: float
    followed: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """What disciplines the clock: true time is monotonic + `base_ms`, ± what `since_ms` added."""

    base_ms: float
    uncertainty_ms: float
    since_ms: float
    by: Discipline
    sources: tuple[str, ...]

    def uncertainty_at(self, monotonic_ms: float) -> float:
        """The uncertainty by now: it grows by DRIFT_PPM."""
        return self.uncertainty_ms + _DRIFT * max(0.0, monotonic_ms - self.since_ms)

    def state_at(self, monotonic_ms: float) -> State:
        """`holdover` once four polls brought nothing, or when the uncertainty is too large."""
        fresh = monotonic_ms - self.since_ms <= _FRESH_MS
        sure = self.uncertainty_at(monotonic_ms) <= DISCIPLINED_UNCERTAINTY_MS_MAX
        return "disciplined" if fresh and sure else "holdover"


@dataclass(frozen=True, slots=True)
class SoftwareClock:
    """The clock as a value. `anchor_ms` is wall - monotonic when last looked at."""

    anchor_ms: float
    anchored_at_ms: float
    reference: Reference | None = None

    @classmethod
    def start(cls, monotonic_ms: float, wall_ms: float) -> SoftwareClock:
        """An undisciplined clock: it follows the wall clock."""
        return cls(wall_ms - monotonic_ms, monotonic_ms)

    def now(self, monotonic_ms: float, wall_ms: float) -> Interval:
        """The present as an interval, from one reading of both clocks."""
        reference = self.reference
        if reference is None:
            best, uncertainty = wall_ms, float(UNDISCIPLINED_UNCERTAINTY_MS)
            state: State = "undisciplined"
        else:
            best = monotonic_ms + reference.base_ms
            uncertainty = reference.uncertainty_at(monotonic_ms)
            state = reference.state_at(monotonic_ms)
        return Interval(
            _readable(floor(best - uncertainty)),
            _readable(ceil(best + uncertainty)),
            _readable(floor(best)),
            state,
        )

    def best_ms(self, monotonic_ms: float, wall_ms: float) -> int:
        """`now(...).best` for the hot path. A disciplined clock does not look at `wall_ms`."""
        reference = self.reference
        return _readable(int(wall_ms if reference is None else monotonic_ms + reference.base_ms))

    def must_look(self, monotonic_ms: float, wall_ms: float) -> bool:
        """Whether `looked` would do anything: a step, or an anchor that has become old."""
        moved_ms = wall_ms - monotonic_ms - self.anchor_ms
        return (
            moved_ms > WALL_STEP_MS
            or moved_ms < -WALL_STEP_MS
            or monotonic_ms - self.anchored_at_ms > _ANCHOR_MS
        )

    def looked(self, monotonic_ms: float, wall_ms: float) -> tuple[SoftwareClock, Step | None]:
        """Compare the two clocks: the clock with a new anchor, and the step, if there was one.

        What the wall clock may have drifted since the last look is no step. A disciplined clock
        stays where it is, an undisciplined one goes where the wall clock went.
        """
        anchor_ms = wall_ms - monotonic_ms
        moved_ms = anchor_ms - self.anchor_ms
        allowed_ms = WALL_STEP_MS + _DRIFT * max(0.0, monotonic_ms - self.anchored_at_ms)
        clock = replace(self, anchor_ms=anchor_ms, anchored_at_ms=monotonic_ms)
        if abs(moved_ms) <= allowed_ms:
            return clock, None
        return clock, Step(moved_ms, monotonic_ms, followed=self.reference is None)

    def disciplined(
        self, agreement: Agreement, frame_ms: float, by: Discipline = "ntp"
    ) -> SoftwareClock:
        """The clock set by an agreement whose samples were taken in the frame `frame_ms`."""
        reference = Reference(
            base_ms=frame_ms + agreement.offset_ms,
            uncertainty_ms=agreement.uncertainty_ms,
            since_ms=agreement.as_of_ms,
            by=by,
            sources=agreement.agreeing,
        )
        return replace(self, reference=reference)

    def forgotten(self) -> SoftwareClock:
        """The clock without its discipline: after a sleep that the monotonic one did not count."""
        return replace(self, reference=None)

    def declines_hub(self, agreement: Agreement, frame_ms: float) -> str | None:
        """Why a sample of the hub is not used, or None if it is.

        NTP in force goes first (DESIGN §3). A worse sample of the hub does not replace a better
        one that it does not contradict: every exchange is a sample, and most are over bad radio.
        """
        reference = self.reference
        if reference is None or reference.state_at(agreement.as_of_ms) != "disciplined":
            return None
        if reference.by == "ntp":
            return "ntp-in-force"
        held_ms = reference.uncertainty_at(agreement.as_of_ms)
        apart_ms = abs(frame_ms + agreement.offset_ms - reference.base_ms)
        if agreement.uncertainty_ms > held_ms and apart_ms <= agreement.uncertainty_ms + held_ms:
            return "better-one-held"
        return None


def needs_new_incarnation(high_water_packed: int, interval: Interval) -> bool:
    """Whether a node's own stamps have run so far ahead that it must succeed itself (DESIGN §3).

    Only a disciplined clock may say so. The margin beyond STAMP_AHEAD_MS_MAX is what `latest` can
    shrink by when a fresh sample comes: a stamp that was followed rightly, at the very edge, must
    not cost an incarnation a moment later.
    """
    if interval.state != "disciplined":
        return False
    bound_ms = interval.latest + STAMP_AHEAD_MS_MAX + 2 * DISCIPLINED_UNCERTAINTY_MS_MAX
    return high_water_packed >> COUNTER_BITS > bound_ms


def _readable(ms: int) -> int:
    """Within what a stamp can hold, so that a wall clock gone mad refuses nobody a write."""
    return 0 if ms < 0 else ms if ms < MS_READABLE_MAX else MS_READABLE_MAX
