"""A form that is filled in and sent by a real browser, with its own Origin and cookies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from db import get_session
from db.queries.annotations import annotation_rows
from tests.viewer.chromium.window import window
from tests.viewer.serving import Served


@pytest.fixture
def mine(recorded: Path, tmp_path: Path) -> Path:
    """A copy to write to."""
    return Path(shutil.copy(recorded, tmp_path / "mine.db"))


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_game_is_rated_blind_by_hand(
    chromium: Browser, served: Served, mine: Path, script: bool
) -> None:
    with (
        served(mine) as address,
        window(chromium, address, java_script_enabled=script) as at,
    ):
        at.open("/annotations")
        at.page.locator('a[href*="blind=1"]').first.click()
        assert "names hidden" in at.heading()
        form = at.page.locator("form.annotate")
        form.get_by_label("4", exact=True).check()
        form.get_by_label("Tags").fill("Lie, bluff")
        form.get_by_label("Comment").fill("<b>It was\nthe third.</b>")
        form.get_by_label("Your name").fill("Zoë")
        form.get_by_role("button").click()
        assert "blind" not in at.page.url
        assert at.page.get_by_role("status").inner_text() == "Saved."
        assert "<b>It was" in at.page.locator("#annotations").inner_text()
        # The name is kept.
        at.open("/annotations")
        at.page.locator('a[href*="blind=1"]').first.click()
        assert at.page.get_by_label("Your name").input_value() == "Zoë"
    with get_session(mine) as session:
        (row,) = annotation_rows(session)
    assert (row.annotator, row.rating, row.tags, row.blind) == ("Zoë", 4, ("bluff", "lie"), True)
    assert row.comment == "<b>It was\nthe third.</b>"
