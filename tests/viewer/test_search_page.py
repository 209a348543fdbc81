"""The search page: hits in context, and whatever somebody types into it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from arena.viewer.pages import search
from arena.viewer.search_page import by_game, shown_hits
from db.search.hits import SearchHit, SearchHits
from tests.cli.commands import run_arena
from tests.viewer.browser import NAMES, Get, browsing, sheet

HOSTILE = (
    '"', '"""', "'; DROP TABLE games; --", "NEAR(a b, 2)", "a AND", "NOT a", "col:a", "a*", "^a",
    "(((", "{a b}:c", "a\x00b", "\u202eabc", "\ud800", "%", "_", "\\", "x" * 1_999,
    "a " * 900, "🙂", "我", "<script>alert(1)</script>", "-1", "+", "a + b", "&&", "|", "!a", "<->",
    "a:*", "''", "$$", "\n",
)  # fmt: skip


@pytest.fixture(scope="module")
def searched(watched: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The games, with an index of their words."""
    file = tmp_path_factory.mktemp("searched") / "searched.db"
    shutil.copyfile(watched.removeprefix("sqlite:///"), file)
    result = run_arena("search", "--db", file)
    assert result.exit_code == 0, result.stderr
    return f"sqlite:///{file}"


def hits(page: str) -> list[str]:
    """The addresses of the hits of a page."""
    return re.findall(r'class="turn-link" href="([^"]+)"', page)


def test_hits_stand_in_their_words_and_lead_to_their_turns(searched: str) -> None:
    with browsing(searched) as get:
        page = get("/search?q=mafia&in=action")
        assert page.status_code == 200
        found = hits(page.text)
        assert found
        assert re.fullmatch(r"/game/\d+/turn/\d+", found[0])
        assert get(found[0]).status_code == 200
        assert re.search(r"<mark>[Mm]afia</mark>", page.text)
        assert any(f'<bdi class="name">{name}</bdi>' in page.text for name in NAMES)
        assert not hits(get("/search?q=mafia&in=error").text)
        won = get("/search?q=player&result=win&team=Mafia").text
        assert hits(won)
        assert 'class="outcome">lost' not in won
        assert 'class="outcome">won' in won
        assert get("/search?q=mafia&role=Jester").status_code == 400


def test_pages_of_hits_follow_each_other(searched: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_ROWS", 4)
    with browsing(searched) as get:
        address, pages = "/search?q=player&in=action", []
        while address:
            page = get(address).text
            pages.append(hits(page))
            older = re.search(r'rel="next" href="([^"]+)"', page)
            address = older[1].replace("&amp;", "&") if older else ""
    found = [each for page in pages for each in page]
    assert len(pages) > 2
    assert len(found) == len({*found}), "nothing twice"
    order = [tuple(map(int, re.findall(r"\d+", each))) for each in found]
    assert order == sorted(order, reverse=True)


def test_a_filter_that_hardly_anything_fits_is_looked_through_in_steps(
    searched: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_LOOKED_AT", 1)
    monkeypatch.setattr("db.search.hits._FEWEST", 3)
    with browsing(searched) as get:
        page = get("/search?q=player&phase=nowhere").text
    assert "None of the newest 1 texts with these words fits the filter" in page
    assert 'rel="next"' in page


def test_what_is_like_what_was_said_in_a_turn(searched: str, tmp_path: Path) -> None:
    file = tmp_path / "alike.db"
    for end in ("", "-search"):
        shutil.copyfile(searched.removeprefix("sqlite:///") + end, f"{file}{end}")
    with browsing(f"sqlite:///{file}") as get:
        first = hits(get("/search?q=player&in=action").text)[0]
        game, turn = re.findall(r"\d+", first)
        address = f"/search?like={game}:{turn}"
        assert f"<code>arena search --like {game}:{turn}</code>" in get(address).text
        assert run_arena("search", "--db", file, "--like", f"{game}:{turn}").exit_code == 0
        assert f'href="/search?like={game}%3A{turn}"' in get("/search?q=player&in=action").text
        for _ in range(600):
            page = get(address).text
            if "is being compared" not in page:
                break
            time.sleep(0.05)
        found = hits(page)
        assert found
        assert first not in found
        assert "by the vectors of <bdi>words</bdi>" in page
        assert get("/search?like=999:1").status_code == 200
        assert get("/search?like=x").status_code == 404


def test_an_index_that_is_missing_or_behind_says_what_to_type(watched: str, tmp_path: Path) -> None:
    file = tmp_path / "fresh.db"
    shutil.copyfile(watched.removeprefix("sqlite:///"), file)
    with browsing(f"sqlite:///{file}") as get:
        page = get("/search?q=mafia").text
        assert "has not been made" in page
        assert "<code>arena search</code>" in page
        assert "<code>arena search --trigram</code>" in get("/search?q=mafia&inside=1").text
        assert run_arena("search", "--db", file).exit_code == 0
        assert "are not searched" not in get("/search?q=mafia").text
        with closing(sqlite3.connect(f"{file}-search")) as index:
            index.execute("UPDATE progress SET last = last - 1 WHERE name = 'words'")
            index.commit()
        page = get("/search?q=mafia").text
        assert "Games have ended since the index was filled" in page
        assert hits(page)


def test_a_damaged_index_is_a_page(watched: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.db"
    shutil.copyfile(watched.removeprefix("sqlite:///"), file)
    Path(f"{file}-search").write_bytes(b"not a database" * 1_000)
    with browsing(f"sqlite:///{file}") as get:
        page = get("/search?q=mafia")
    assert page.status_code == 503
    assert "delete it" in page.text


def test_whatever_is_typed_is_answered(searched: str) -> None:
    with browsing(searched) as get:
        for line in HOSTILE:
            typed = quote_plus(line.encode("utf-8", "surrogatepass"))
            for rest in ("", "&sort=rank"):
                page = get(f"/search?q={typed}{rest}")
                assert page.status_code in (200, 400), line
                assert "<script>alert" not in page.text
        assert get("/search?q=" + "a" * 10_000).status_code == 414
        too_long = get("/search?q=" + "a" * 3_000)
        assert too_long.status_code == 400
        assert "at most 2,000" in too_long.text
        for address in ("/search?q=a&before=x", "/search?q=a&before=1", "/search?q=a&in=nothing",
                        "/search?q=a&event=nothing", "/search?q=a&since=tomorrow"):  # fmt: skip
            assert get(address).status_code in (400, 404), address


def test_what_was_found_is_never_markup() -> None:
    text = "<script>alert(1)</script> \u202e <b>wolf</b>"
    hit = SearchHit(
        1, 2, 0, "action", text, ((0, 8), (28, 39)), text, "completed", text, text, "<i>", "win",
        ("<i>", "other"),
    )  # fmt: skip
    shown = shown_hits([hit])
    page = search._Page(shown, SearchHits((hit,)))
    body = sheet(
        "search.html", asked={"q": text}, page=page, groups=by_game(shown), before=None, older=None,
        offered=search.OFFERED, filters=(), kept={}, looked_at=1, rows=1,
        alike=False,
    ).body  # fmt: skip
    html = bytes(body).decode()
    assert "<script>" not in html
    assert "\u202e" not in html
    assert "<b>" not in html
    assert "<mark>&lt;script&gt;</mark>" in html


def test_every_page_has_the_box(get: Get) -> None:
    for path in ("/games", "/game/1", "/nothing"):
        assert re.search(r'<form[^>]*role="search"[^>]*action="/search"', get(path).text), path
