"""The part that scenarios add to a game's page, in Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.scenarios.hostile import play_three
from tests.viewer.chromium.window import THEMES, WIDTHS, window
from tests.viewer.serving import Served


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return play_three(tmp_path_factory.mktemp("scenarios"))


@pytest.mark.slow
def test_the_part_fits_and_can_be_used(played: Path, chromium: Browser, served: Served) -> None:
    wrong: list[str] = []
    with served(played) as address, window(chromium, address) as at:
        for path in ("/game/2", "/game/3"):
            at.open(path)
            assert at.page.locator("section.plugin h2").first.inner_text() == "Scenes"
            for width in WIDTHS:
                wrong += [f"{path} at {width}: {each}" for each in at.too_wide(width)]
            for theme in THEMES:
                wrong += [f"{path} {theme}: {fault}" for fault in at.inaccessible(theme)]
    assert not wrong, "\n".join(wrong)
