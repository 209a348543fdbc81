"""A real Chromium, and real servers of pages for it to look at."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.cli.commands import run_arena
from tests.viewer.serving import Served

RECORDED = Path(__file__).parents[2] / "recorded" / "arena.db.gz"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """Where the browser is."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launched_with() -> list[str]:
    """Its arguments: it refuses to put root into its sandbox."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of a module's tests: its event loop would be in the way of other modules."""
    path = browser_path()
    if path is None:
        missing = f"none of {', '.join(NAMES)} is on the path: `apt-get install chromium`"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=launched_with())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with some of everything: two environments, branches, failed calls, void games,
    tournaments that are paused, templates."""
    file = tmp_path_factory.mktemp("recorded") / "recorded.db"
    file.write_bytes(gzip.decompress(RECORDED.read_bytes()))
    for words in (
        "db upgrade", "events rebuild", "counters rebuild", "ratings rebuild", "db seed",
    ):  # fmt: skip
        result = run_arena(*words.split(), "--db", file)
        assert result.exit_code == 0, result.stderr
    return file


@pytest.fixture(scope="session")
def pages(recorded: Path, served: Served) -> Iterator[str]:
    """The address of that database's pages."""
    with served(recorded) as address:
        yield address
