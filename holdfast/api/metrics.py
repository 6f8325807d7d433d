"""What a monitor may know: a few numbers in Prometheus' text form, without names of people.

Owns the counters of requests and the text. Numbers of the replica are read when they are asked for.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from holdfast import __version__

if TYPE_CHECKING:
    from holdfast.api.face import Replica

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_CLOCK_STATES: Final = ("disciplined", "holdover", "undisciplined")


class Metrics:
    """Counters of this process; they begin at zero when it starts."""

    def __init__(self) -> None:
        # By the machine's clock, as monitors expect it under this name.
        self._started_s = time.time()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds = 0.0

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests[method, route, status] += 1
        self._seconds += seconds

    def text(self, replica: Replica) -> str:
        with replica.lock:
            counts = replica.store.queue.counts()
            last_seq = replica.store.journal.last_seq
        clock = replica.clock.status()
        return "".join(
            (
                _head("holdfast_info", "gauge", "What runs here."),
                f'holdfast_info{{role="{replica.role}",version="{__version__}"}} 1\n',
                _head("process_start_time_seconds", "gauge", "Since when it runs, Unix seconds."),
                f"process_start_time_seconds {self._started_s:.3f}\n",
                _head("holdfast_requests_total", "counter", "Answered requests."),
                *(
                    f'holdfast_requests_total{{method="{method}",route="{route}",'
                    f'status="{status}"}} {number}\n'
                    for (method, route, status), number in sorted(self._requests.items())
                ),
                _head("holdfast_request_seconds_sum", "counter", "Seconds spent answering."),
                f"holdfast_request_seconds_sum {self._seconds:.6f}\n",
                _head("holdfast_queue_operations", "gauge", "Operations written here, by fate."),
                *(
                    f'holdfast_queue_operations{{state="{state}"}} {number}\n'
                    for state, number in counts.items()
                ),
                _head("holdfast_journal_entries", "gauge", "Entries in the journal."),
                f"holdfast_journal_entries {last_seq}\n",
                _head("holdfast_clock_state", "gauge", "1 for the state that the clock is in."),
                *(
                    f'holdfast_clock_state{{state="{state}"}} {int(state == clock["state"])}\n'
                    for state in _CLOCK_STATES
                ),
                _head("holdfast_clock_offset_ms", "gauge", "Our clock against the system's."),
                f"holdfast_clock_offset_ms {clock['offset_ms']}\n",
                _head("holdfast_clock_uncertainty_ms", "gauge", "How wrong our clock may be."),
                f"holdfast_clock_uncertainty_ms {clock['uncertainty_ms']}\n",
            )
        )


def _head(name: str, kind: str, meaning: str) -> str:
    return f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n"
