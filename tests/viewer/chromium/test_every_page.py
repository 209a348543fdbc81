"""Every page in Chromium: the walk starts at the leaderboard and follows every link, so that a new
page is found by itself, and a page that nothing leads to is missed."""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque

import pytest
from playwright.sync_api import Browser
from starlette.routing import compile_path

from arena.viewer.app import ROUTES
from tests.viewer.chromium.window import THEMES, WIDTHS, Window, shape, window

PATTERNS: dict[str, re.Pattern[str]] = {path: compile_path(path)[0] for path, _ in ROUTES}
UNLINKED: frozenset[str] = frozenset()
"""Routes that are no pages, or that this record has no link to."""


def walk(at: Window, *, alike: int) -> list[str]:
    """The paths that the links lead to, each answered with a page: `alike` of those of one shape,
    the longest. At most `6 + 2 * alike` of one shape are asked for; with two words of a query or
    more, of one route."""
    most = 6 + 2 * alike
    asked: Counter[str] = Counter()
    lengths: dict[tuple[str, frozenset[str]], dict[str, int]] = defaultdict(dict)
    seen = {"/"}
    waiting = deque(["/"])
    while waiting:
        path = waiting.popleft()
        text = computed(at, path)
        lengths[shape(path, PATTERNS)][path] = len(text)
        for link in re.findall(r'<a[^>]* href="([^"#]+)', text):
            link = link.replace("&amp;", "&")
            assert link.startswith("/"), (path, link)
            kind = shape(link, PATTERNS)
            assert kind[0], f"{path} leads to {link}, which no route answers"
            many = len(kind[1]) > 1
            if link not in seen and (asked[kind[0]] if many else len(lengths[kind])) < most:
                seen.add(link)
                asked[kind[0]] += many
                lengths[kind].setdefault(link, 0)
                waiting.append(link)
    return [
        path
        for of_shape in lengths.values()
        for path in sorted(of_shape, key=lambda path: -of_shape[path])[:alike]
    ]


def computed(at: Window, path: str) -> str:
    """A page, once all of it is computed: until then it opens itself again every few seconds."""
    for _ in range(300):
        answer = at.page.request.get(at.home + path)
        text = answer.text()
        assert answer.status == 200, (path, answer.status, text[:2000])
        if not re.search(r'(?<!<noscript>)<meta http-equiv="refresh" content="\d"', text):
            return text
        at.page.wait_for_timeout(100)
    raise AssertionError(f"{path} is not computed, and opens itself again for ever")


@pytest.mark.slow
@pytest.mark.parametrize("alike", [1, pytest.param(12, marks=pytest.mark.sweep)])
def test_every_page_fits_and_can_be_used(chromium: Browser, pages: str, alike: int) -> None:
    with window(chromium, pages) as at:
        paths = walk(at, alike=alike)
        opened = {shape(path, PATTERNS)[0] for path in paths}
        assert PATTERNS.keys() - opened - UNLINKED == set()
        wrong: list[str] = []
        read: Counter[str] = Counter()
        for path in paths:
            assert at.open(path).status == 200, path
            assert at.heading(), path
            for width in WIDTHS:
                wrong += [f"{path} at {width}: {part}" for part in at.too_wide(width)]
            route = shape(path, PATTERNS)[0]
            read[route] += 1
            # It takes longest, and a page that is asked otherwise has the same parts.
            for theme in THEMES if read[route] <= alike else ():
                wrong += [f"{path} {theme}: {fault}" for fault in at.inaccessible(theme)]
        assert not wrong, "\n".join(wrong[:40])


@pytest.mark.slow
def test_pages_without_javascript_say_the_same(chromium: Browser, pages: str) -> None:
    with window(chromium, pages) as at:
        paths = walk(at, alike=1)
        said = {}
        for path in paths:
            at.open(path)
            said[path] = at.heading()
    with window(chromium, pages, java_script_enabled=False) as at:
        for path in paths:
            at.open(path)
            assert at.heading() == said[path]
            # What only a script can work is not there to be tried in vain.
            assert at.page.locator("[hidden]:visible").count() == 0
