"""What the command line says of tables, and of what people may reserve by themselves."""

from __future__ import annotations

from pathlib import Path

from tests.cli.support import DAY, Run, document


def test_people_stop_reserving_by_themselves_and_begin_again_and_the_desk_goes_on(
    run: Run, hub: Path
):
    website = ["reserve", "--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2]
    website += ["--data", hub, "--source"]
    off = run("venue", "online", "trattoria", "off", "--data", hub)
    assert off.stdout == "At Trattoria da Mario people do not reserve by themselves now.\n"
    refused = run(*website, "website")
    assert refused.exit_code == 1
    assert "takes no reservations online at present" in refused.stderr
    assert run(*website, "phone").exit_code == 0
    shown = document(run("venue", "online", "trattoria", "on", "--data", hub, "--json"))
    assert "accepting" not in shown
    assert run(*website, "website").exit_code == 0
