"""Draws the pictures of the pages: the demo's tournament, played and looked at in Chromium.

    python -m docs.page_pictures docs/pages [DATABASE]

Plays the quickstart in a temporary folder, unless a database of it is named. Its seed decides the
games; times and dollars differ from run to run.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.viewer.chromium.conftest import browser_path, launched_with, served

CONFIG = Path(__file__).parents[1] / "configs" / "quickstart.yaml"
GAME = 108
COLOURS = 80


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as it is drawn: `high` pixels of it, `turn` where its slider stands."""

    name: str
    path: str
    high: int = 900
    wide: int = 1440
    theme: Literal["light", "dark"] = "light"
    turn: int | None = None


PICTURES = (
    Picture("leaderboard", "/", 860),
    Picture("leaderboard-dark", "/", 860, theme="dark"),
    Picture("leaderboard-phone", "/", 820, wide=390),
    Picture("game", f"/game/{GAME}", 1000),
    Picture("game-turn", f"/game/{GAME}", 1000, theme="dark", turn=22),
    Picture("turn", f"/game/{GAME}/turn/5"),
    Picture("head-to-head", "/head-to-head", 620),
)


def draw(browser: Browser, address: str, picture: Picture, file: Path) -> None:
    """One picture, with few colours."""
    view = {"width": picture.wide, "height": picture.high}
    with browser.new_context(
        viewport=view, color_scheme=picture.theme, reduced_motion="reduce", device_scale_factor=1.0
    ) as context:
        page = context.new_page()
        page.goto(address)
        page.goto(address.partition("/?")[0] + picture.path)
        _wait(page)
        if picture.turn is not None:
            page.locator(".slide input").fill(str(picture.turn))
        png = page.screenshot()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(COLOURS).save(file, optimize=True)


def _wait(page: Page) -> None:
    """Until what the page shows is computed and its font is there."""
    while page.locator("h1").first.inner_text() == "The board is being computed":
        page.wait_for_timeout(500)
        page.reload()
    page.evaluate("document.fonts.ready")


def _draw_all(folder: Path, database: Path) -> None:
    folder.mkdir(exist_ok=True)
    path = browser_path()
    if path is None:
        raise SystemExit("Chromium is needed: `apt-get install chromium`")
    with served(database) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=launched_with())
        with closing(browser):
            for picture in PICTURES:
                draw(browser, address, picture, folder / f"{picture.name}.png")


if __name__ == "__main__":
    target, *given = map(Path, sys.argv[1:])
    with TemporaryDirectory() as name:
        played = Path(name, "demo.db")
        if given:
            shutil.copyfile(given[0], played)
        else:
            command = [sys.executable, "-m", "arena.cli", "run", str(CONFIG), "--db", str(played)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        _draw_all(target, played)
