"""Every page over games that were really played."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

from tests.viewer.browser import NAMES, Get, browsing


def test_the_leaderboard_says_its_conclusion_first(boarded: str) -> None:
    with browsing(boarded) as get:
        page = get("/")
    assert page.status_code == 200
    heading = re.search(r"<h1>(.*?)</h1>", page.text)
    assert heading
    assert "first" in heading[1]
    assert page.text.index("<h1>") < page.text.index("<table")
    for name in NAMES:
        assert f'<bdi class="name">{name}</bdi>' in page.text
    assert page.text.count('<svg class="interval"') == len(NAMES) + 1
    assert 'href="/game/3"' in page.text


def test_a_board_that_nobody_stored_is_computed_beside_the_page(get: Get) -> None:
    page = get("/?by=kind")
    assert "The board is being computed" in page.text
    assert 'http-equiv="refresh"' in page.text


def test_games_are_listed_by_the_one_filter(get: Get) -> None:
    assert [*re.findall(r'class="n"><a href="/game/(\d+)"', get("/games").text)] == ["3", "2", "1"]
    older = get("/games?before=3").text
    assert [*re.findall(r'class="n"><a href="/game/(\d+)"', older)] == ["2", "1"]
    assert "No game fits" in get("/games?status=void").text
    wrong = get("/games?agent=Nobody")
    assert wrong.status_code == 400
    assert "unknown agent" in wrong.text


def test_a_game_is_told_with_its_lanes_votes_and_claims(get: Get) -> None:
    page = get("/game/1")
    assert page.status_code == 200
    for part in ("Night 1", "Vote 1", "Win chance", "<h2>Votes</h2>", "<h2>Nights</h2>"):
        assert part in page.text
    assert 'class="act kill_choice' in page.text
    assert 'class="act vote' in page.text
    for name in NAMES:
        assert name in page.text


def test_a_turn_shows_the_prompt_that_was_sent(get: Get) -> None:
    page = get("/game/1/turn/0")
    assert page.status_code == 200
    assert "Prompt that was sent" in page.text
    assert "You are player" in page.text
    assert "<h4>Reply</h4>" in page.text


def test_what_there_is_not_says_so(get: Get) -> None:
    for path in (
        "/game/99",
        "/game/1/turn/999",
        "/nothing",
        "/game/x",
        "/game/1?as=7",
        "/game/1?as=x",
        "/game/1/against/x",
        "/annotate",
    ):
        page = get(path)
        assert page.status_code == 404, path
        assert "This cannot be shown" in page.text
    assert "'x' is not the number of a game: expected a whole number" in get(
        "/game/1/against/x"
    ).text.replace("&#39;", "'")
    assert get("/game/" + "9" * 5000).status_code == 404
    assert get("/?by=colour").status_code == 400


def test_a_database_that_goes_away_is_a_page(watched: str, tmp_path: Path) -> None:
    file = tmp_path / "gone.db"
    shutil.copyfile(watched.removeprefix("sqlite:///"), file)
    with browsing(f"sqlite:///{file}") as get:
        assert get("/game/1").status_code == 200
        file.unlink()
        page = get("/game/1")
    assert page.status_code == 503
    assert "is now gone" in page.text


def test_nothing_in_a_page_is_inline_or_elsewhere(get: Get) -> None:
    for path in (
        "/",
        "/games",
        "/game/1",
        "/game/1?as=0",
        "/game/1/turn/0",
        "/search",
        "/calls",
        "/insights",
    ):
        text = get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text), path
        scripts = re.findall(r"<script[^>]*>", text)
        assert all(re.fullmatch(r'<script src="/static/\w+\.js" defer>', tag) for tag in scripts)
        assert not re.search(r'(?:href|src|action)="(?!/|#)', text), path


class _Tags(HTMLParser):
    """Collects tags that are not closed where they should be, and ids that stand twice."""

    alone: ClassVar = {"meta", "link", "input", "br"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.alone:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id" and value in self.ids:
                self.wrong.append(f"id {value}")
            if name == "id":
                self.ids.add(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def test_every_page_is_well_formed(boarded: str) -> None:
    with browsing(boarded) as get:
        for path in ("/", "/games?team=Mafia", "/game/1", "/game/2?as=0", "/game/3?hidden=1",
                     "/game/1/turn/0", "/search", "/calls", "/insights", "/nothing"):  # fmt: skip
            tags = _Tags()
            tags.feed(get(path).text)
            assert (tags.wrong, tags.open) == ([], []), path


def test_who_was_killed_by_night_is_told_to_those_who_slept(get: Get) -> None:
    for player in (0, 3, 5):  # player 1 acts last in the night, and sees it at once
        page = get(f"/game/1?as={player}").text
        night, _, day = page.partition("<h2>Day 1")
        assert '<p class="out">' not in night
        assert day.index('<p class="out">') < day.index("<h3>"), "ahead of the first who speaks"
    assert '<p class="out">' not in get("/game/1?as=2").text, "it never came to a turn again"
