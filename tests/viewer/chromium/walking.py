"""A walk along the links of all pages, from the leaderboard on."""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict, deque
from urllib.parse import urlsplit

import httpx
from starlette.routing import compile_path

from arena.viewer.app import ROUTES

PATTERNS: dict[str, re.Pattern[str]] = {path: compile_path(path)[0] for path, _ in ROUTES}
Shape = tuple[str, frozenset[str]]


def shape(path: str) -> Shape:
    """(the route that answers a path, the names in its query): pages of one shape are alike."""
    parts = urlsplit(path)
    names = frozenset(re.findall(r"(?:^|&)([^=&]+)=", parts.query))
    return next((name for name, fits in PATTERNS.items() if fits.fullmatch(parts.path)), ""), names


def by_route(paths: list[str]) -> list[str]:
    """A path of each route, the first."""
    return list({shape(path)[0]: path for path in reversed(paths)}.values())


def walk(address: str, *, alike: int) -> list[str]:
    """The paths that the links lead to, each answered with a page: `alike` of those of one shape,
    the longest. At most `6 + 2 * alike` of one shape are asked for, with a query `1 + alike`; with
    two words of it or more, of one route."""
    asked: Counter[str] = Counter()
    lengths: dict[Shape, dict[str, int]] = defaultdict(dict)
    seen = {"/"}
    waiting = deque(["/"])
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=120) as client:
        home = str(client.get(address).url).rstrip("/")
        while waiting:
            path = waiting.popleft()
            text = _computed(client, home + path)
            lengths[shape(path)][path] = len(text)
            for link in re.findall(r'<a[^>]* href="([^"#]+)', text):
                link = link.replace("&amp;", "&")
                assert link.startswith("/"), (path, link)
                kind = shape(link)
                assert kind[0], f"{path} leads to {link}, which no route answers"
                most = 1 + alike if kind[1] else 6 + 2 * alike
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


def _computed(client: httpx.Client, address: str) -> str:
    """A page, once all of it is computed: until then it opens itself again every few seconds."""
    for _ in range(2_000):
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code, answer.text[:2000])
        if not re.search(r'http-equiv="refresh" content="[1-4]"', answer.text):
            return answer.text
        time.sleep(0.1)
    raise AssertionError(f"{address} is not computed, and opens itself again for ever")
