"""How far Hypothesis's state machines are driven.

Owns the one rule: the ordinary run is small and the same everywhere; `HOLDFAST_EXAMPLES=5000`
drives every machine through so many random histories instead, without a time limit, and
`--hypothesis-seed` repeats such a run.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine

# No node knows this setting, and each would say so.
_MORE = os.environ.pop("HOLDFAST_EXAMPLES", "")


def played(machine: type[RuleBasedStateMachine], *, examples: int, steps: int) -> Any:
    """A machine as a test: `examples` histories of `steps` rules each, unless more is asked for."""
    more = _MORE
    case = machine.TestCase
    case.settings = settings(
        max_examples=int(more) if more else examples,
        stateful_step_count=steps if not more else 2 * steps,
        derandomize=not more,
        database=None,
        deadline=None,
        # A step builds on those before it: slow or thinned-out data is no sign of a mistake here.
        suppress_health_check=list(HealthCheck),
    )
    return pytest.mark.timeout(0)(case) if more else case
