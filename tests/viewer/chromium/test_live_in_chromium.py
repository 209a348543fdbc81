"""A run watched in the browser from start to end, killed in the middle and resumed: the page is
opened once, and what a person has unfolded stays open."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.viewer.chromium.window import window
from tests.viewer.live import Evening
from tests.viewer.serving import Served
from torture.commands import Commands

MINUTES = 2 * 60_000.0


@pytest.mark.slow
def test_a_run_is_watched_killed_and_resumed(
    chromium: Browser, served: Served, commands: Commands, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'evening.db'}"
    with Evening(commands, tmp_path, url) as evening, evening.played() as run:
        evening.wait_until_held()
        with served(url) as address, window(chromium, address) as at:
            at.open("/t/evening")
            at.page.evaluate("window.openedOnce = true")
            page, live = at.page.locator("main"), at.page.locator("#live")
            expect(live).to_have_text("Live")
            expect(page).to_contain_text("Calls in flight")
            page.locator("summary", has_text="As it is stored").click()

            run.signal()
            run.wait()
            expect(page.locator("h1")).to_contain_text("evening has stopped at", timeout=MINUTES)
            expect(page.locator(".resume code").first).to_have_text("arena resume evening")
            expect(page).to_contain_text("did not end in order")

            evening.go_on()
            with evening.played("resume", "evening") as again:
                expect(page).to_contain_text("evening is finished: 6 games", timeout=MINUTES)
                assert again.wait().code == 0
            assert at.page.title() == "evening · Arena"
            assert at.page.evaluate("window.openedOnce")
            assert page.locator("#configuration details[open]").count() == 1
            assert at.too_wide(360) == []
