"""Two people play a whole game in a real browser, while a run waits for them."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser

from arena.config import loads
from arena.orchestrator import run
from arena.replay.check import check
from db import Repository, get_session
from db.queries.games import games
from db.queries.requests import request_rows
from tests.scenarios.test_human_referee import TRIAL
from tests.viewer.chromium.window import THEMES, WIDTHS, window
from tests.viewer.serving import Served

EVENING = """
name: evening
seed: 3
environment: {name: TicTacToe-v0, players: 2}
games: 1
agents:
  - {name: Ann, kind: human}
  - {name: "<b>Bob</b>", kind: human}
"""
_PATIENCE_S = 120.0


@pytest.mark.slow
def test_a_whole_game_is_played_by_hand(chromium: Browser, served: Served, tmp_path: Path) -> None:
    db = tmp_path / "evening.db"
    config = loads(EVENING)
    # The browser has the loop of this thread.
    begun = threading.Thread(target=lambda: asyncio.run(run(config, url=db)))
    begun.start()
    begun.join()
    waiting = threading.Thread(target=lambda: asyncio.run(run(config, url=db, wait=True)))
    waiting.start()
    deadline = time.monotonic() + _PATIENCE_S
    with served(db) as address, window(chromium, address) as at:
        at.open("/play")
        people = at.page.locator(".people a").all_inner_texts()
        assert sorted(people) == ["<b>Bob</b>", "Ann"]
        while waiting.is_alive():
            assert time.monotonic() < deadline
            for place in range(2):
                at.open("/play")
                people_now = at.page.locator(".people a")
                if people_now.count() <= place:
                    break
                people_now.nth(place).click()
                link = at.page.locator(".waits a").first
                if not link.count():
                    continue
                link.click()
                board = at.page.locator("pre.seen").inner_text().rpartition("Available Moves:")[2]
                cell = board.partition("'")[2].partition("'")[0]
                at.page.get_by_label("What you say or do, word for word").fill(cell)
                at.page.get_by_role("button", name="Send").click()
                assert at.page.get_by_role("status").inner_text() == "Your answer is taken."
    waiting.join()
    with get_session(db) as session:
        (game,) = games(session)
    assert (game.status, game.turn_count) == ("completed", 7)
    replayed = []
    replaying = threading.Thread(target=lambda: replayed.append(check(game.game_id, db).ok))
    replaying.start()
    replaying.join()
    assert replayed == [True]


@pytest.mark.slow
def test_who_has_nothing_to_do_is_told_when_something_waits(
    chromium: Browser, served: Served, tmp_path: Path
) -> None:
    db = tmp_path / "evening.db"
    config = loads(EVENING)

    def play() -> None:
        playing = threading.Thread(target=lambda: asyncio.run(run(config, url=db)))
        playing.start()
        playing.join()

    play()
    with get_session(db) as session:
        (first,) = request_rows(session)
        person = str(first.person)
    idle = "Ann" if person != "Ann" else "<b>Bob</b>"
    with served(db) as address, window(chromium, address) as at:
        at.open(f"/play?{urlencode({'as': idle})}")
        assert "Nothing. This page looks again" in at.page.locator("main").inner_text()
        assert [fault for theme in THEMES for fault in at.inaccessible(theme)] == []
        at.page.evaluate("window.sameDocument = true")
        with get_session(db) as session:
            Repository(session).answer_request(first.id, "[4]", person)
        play()
        link = at.page.locator(".waits a")
        link.wait_for(timeout=_PATIENCE_S * 1e3)
        assert at.page.get_by_role("status").inner_text() == "Something waits for you."
        assert at.page.evaluate("window.sameDocument")
        link.click()
        assert "Available Moves" in at.page.locator("pre.seen").inner_text()


@pytest.mark.sweep
@pytest.mark.slow
def test_the_pages_of_people_fit_and_can_be_used(
    chromium: Browser, served: Served, tmp_path: Path
) -> None:
    db = tmp_path / "trial.db"
    # The browser has the loop of this thread.
    playing = threading.Thread(target=lambda: asyncio.run(run(loads(TRIAL), url=db)))
    playing.start()
    playing.join()
    wrong: list[str] = []
    with served(db) as address, window(chromium, address) as at:
        for path in ("/play", "/play?as=Ruth", "/play/1?as=Ruth", "/login"):
            if path == "/login":
                with get_session(db) as session:
                    Repository(session).add_person("Vic", "viewer")
            at.open(path)
            assert at.heading()
            wrong += [
                f"{path} at {width}: {part}" for width in WIDTHS for part in at.too_wide(width)
            ]
            wrong += [f"{path}: {fault}" for theme in THEMES for fault in at.inaccessible(theme)]
    assert wrong == []
