"""Every page in Chromium. The walk along all links finds a new page by itself, and misses a page
that nothing leads to."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from playwright.sync_api import Browser

from tests.viewer.chromium.walking import PATTERNS, by_route, shape, walk
from tests.viewer.chromium.window import THEMES, WIDTHS, Window, window

UNLINKED: frozenset[str] = frozenset({"/login", "/play/{request}", "/play/{request}/observation"})
"""Routes that only people are led to: nobody has to log in here, and nothing waits."""


@pytest.fixture(scope="module")
def walked(pages: str) -> list[str]:
    """A path of each shape."""
    return walk(pages, alike=1)


def test_links_lead_to_every_page(walked: list[str]) -> None:
    assert PATTERNS.keys() - {shape(path)[0] for path in walked} - UNLINKED == set()


@pytest.mark.slow
@pytest.mark.parametrize("alike", [1, pytest.param(8, marks=pytest.mark.sweep)])
def test_every_page_fits_and_can_be_used(
    chromium: Browser, pages: str, walked: list[str], alike: int
) -> None:
    wrong: list[str] = []
    read: Counter[str] = Counter()
    said: dict[str, str] = {}
    with window(chromium, pages) as at:
        for path in by_route(walked) if alike == 1 else walk(pages, alike=alike):
            assert at.open(path).status == 200, path
            said[path] = at.heading()
            assert said[path], path
            for width in WIDTHS:
                wrong += [f"{path} at {width}: {part}" for part in at.too_wide(width)]
            route = shape(path)[0]
            read[route] += 1
            # It takes longest, and a page that is asked otherwise has the same parts.
            if read[route] > alike:
                continue
            for theme in THEMES:
                wrong += [f"{path} {theme}: {fault}" for fault in at.inaccessible(theme)]
            by_keyboard(at, path)
    with window(chromium, pages, java_script_enabled=False) as at:
        for path, heading in said.items():
            at.open(path)
            assert at.heading() == heading
            # What only a script can work is not there to be tried in vain.
            assert at.page.locator("[hidden]:visible").count() == 0
    assert not wrong, "\n".join(wrong[:40])


def by_keyboard(at: Window, path: str) -> None:
    """Go from the top of the open page into its content, and on from there."""
    # To draw a large window anew at every key takes longest.
    at.page.set_viewport_size({"width": 480, "height": 320})
    at.page.keyboard.press("Tab")
    assert at.focused() == "To the content", path
    at.page.keyboard.press("Enter")
    at.page.wait_for_url(re.compile("#main$"))
    at.page.keyboard.press("Tab")
    for _ in range(12):
        # What has the focus is seen, and is marked; at the end of the page it is the body.
        assert at.focus_is_marked(), (path, at.focused())
        at.page.keyboard.press("Tab")
