"""A run in the browser: the open page follows it without being loaded again."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.viewer.chromium.window import window
from tests.viewer.live import Evening
from tests.viewer.serving import served

pytestmark = [pytest.mark.slow, pytest.mark.sweep]
PATIENCE_MS = 120_000


def test_a_page_follows_its_run_and_says_when_it_is_killed(
    chromium: Browser, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'evening.db'}"
    with Evening(tmp_path, url) as evening, evening.played() as run:
        evening.wait_until_held()
        with served(url) as address, window(chromium, address) as at:
            at.page.set_default_timeout(PATIENCE_MS)
            at.open("/t/evening")
            # What a page is told is lost when it is loaded again.
            at.page.evaluate("document.documentElement.dataset.kept = 'yes'")
            at.page.locator("#live[data-look=on]").wait_for()
            at.page.locator(".state.on").wait_for()
            at.page.locator("summary", has_text="As it is stored").click()

            run.kill()
            run.wait()
            at.page.locator("h1", has_text="evening has stopped at").wait_for()
            assert at.page.locator(".resume code").first.inner_text() == "arena resume evening"

            evening.go_on()
            with evening.played("resume", "evening"):
                at.page.locator("h1", has_text="evening is finished: 6 games").wait_for()
            assert at.page.title() == "evening · Arena"
            assert at.page.evaluate("document.documentElement.dataset.kept") == "yes"
            assert at.page.locator("#configuration details[open]").count() == 1
