"""What there is not, in the browser: a page that says so, and what to do next."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.cli.commands import run_arena
from tests.viewer.chromium.conftest import RECORDED
from tests.viewer.chromium.walking import walk
from tests.viewer.chromium.window import THEMES, Window, window
from tests.viewer.serving import Served

pytestmark = pytest.mark.slow
WRONG = {
    "/game/999": "arena games",
    "/game/x": "not the number",
    "/game/1/turn/999": "go back to the game",
    "/game/1/against/999": "game 999",
    "/t/nobody": "arena tournaments",
    "/agent/999": "999",
    "/prompt/999": "999",
    "/model/999": "999",
    "/compare/1/999": "999",
    "/nothing": "no such page",
    "/games?agent=Nobody": "Nobody",
    "/?by=colour": "expected agent, model, prompt or kind",
}


def said(at: Window, path: str, status: int = 200) -> str:
    """What a page says that is opened, fits and can be used."""
    assert at.open(path).status == status, path
    assert at.heading(), path
    assert at.too_wide(360) == [], path
    # The browser notes every answer that is not a page.
    at.faults[:] = [fault for fault in at.faults if "Failed to load resource" not in fault]
    return at.page.locator("main").inner_text()


def test_what_there_is_not(chromium: Browser, pages: str) -> None:
    with window(chromium, pages) as at:
        for path, hint in WRONG.items():
            status = 400 if "?" in path else 404
            assert hint in said(at, path, status), path
        assert [fault for theme in THEMES for fault in at.inaccessible(theme)] == []
        assert "No game fits" in said(at, "/games?tournament=noughts&status=void")


def test_a_database_with_nothing_in_it(chromium: Browser, served: Served, sqlite_url: str) -> None:
    with served(sqlite_url) as address, window(chromium, address) as at:
        for path in walk(address, alike=1):
            assert said(at, path)
        assert "arena run" in said(at, "/")
        assert "arena run" in said(at, "/games")
        assert "arena run" in said(at, "/tournaments")


def test_a_database_of_another_version_and_events_not_yet_filled(
    chromium: Browser, served: Served, tmp_path: Path
) -> None:
    file = tmp_path / "old.db"
    file.write_bytes(gzip.decompress(RECORDED.read_bytes()))
    refused = run_arena("view", "--db", file, "--port", "0")
    assert refused.exit_code == 2
    assert "arena db upgrade" in refused.stderr
    assert run_arena("db", "upgrade", "--db", file).exit_code == 0
    with served(file) as address, window(chromium, address) as at:
        assert "arena events rebuild" in said(at, "/game/1")
