"""A static copy opened from its files, without a server, in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.cli.commands import run_arena


@pytest.fixture(scope="module")
def copied(watched: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small tournament as files."""
    folder = tmp_path_factory.mktemp("opened") / "site"
    result = run_arena("view", "--db", watched, "--export", folder, "--agent", "Aardvark")
    assert result.exit_code == 0, result.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [True, False])
def test_a_copy_is_read_from_its_first_page_to_a_turn(
    chromium: Browser, copied: Path, scripts: bool
) -> None:
    page = chromium.new_page(java_script_enabled=scripts)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(request.url))
    page.goto((copied / "index.html").as_uri())
    page.locator("tbody a", has_text="1").last.click()
    assert page.title().startswith("Game ")
    assert page.url.startswith(copied.as_uri())
    assert page.locator("article").count() > 10
    assert page.locator(".slide").is_visible() is scripts
    if scripts:
        page.keyboard.press("k")
        assert page.locator("article.now").count() == 1
        family = "document.fonts.check('15px Inter')"
        assert page.evaluate(family)
    assert said == []
    page.close()
