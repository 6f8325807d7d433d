"""The page about the lifecycle is drawn from the table, so that they cannot disagree."""

from __future__ import annotations

from holdfast.model.lifecycle import STATUSES, STEPS
from tools.make_lifecycle import PAGE, page


def test_the_page_says_what_the_table_says():
    assert PAGE.read_text("utf-8") == page(), "run `python tools/make_lifecycle.py`"


def test_every_step_and_status_is_named_on_the_page():
    text = page()
    missing = [word for word in (*STATUSES, *(step.name for step in STEPS)) if word not in text]
    assert missing == []
