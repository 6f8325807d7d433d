"""`holdfast reserve --explain`: which steps a reservation's making went through."""

from __future__ import annotations

from pathlib import Path

from tests.cli.support import DAY, Run, document


def test_the_steps_are_said_beside_the_answer_refused_or_not(run: Run, hub: Path):
    words = (
        "reserve", "--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2,
        "--resource", "T1", "--explain", "--data", hub,
    )  # fmt: skip
    done = run(*words, "--json")
    assert document(done)["status"] == "confirmed"
    steps = "rate-limit, request, person, rules, availability"
    assert done.stderr == f"steps: {steps}, contact, right, create\n"
    taken = run(*words)
    assert taken.exit_code == 1
    said, error = taken.stderr.splitlines()
    assert said == f"steps: {steps} (refused)"
    assert error.startswith("error: T1 at")
    without = run(*(word for word in words if word != "--explain"))
    assert "steps:" not in without.output
    rule = ("--repeat", "FREQ=WEEKLY;COUNT=2")
    assert run(*words, *rule).exit_code == 2
