"""A run is killed while people think: they answer when nobody plays, and nothing is lost or asked
twice, whoever plays the games and wherever they are recorded."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from arena.replay.check import check
from db import Repository, get_session
from db.errors import DatabaseError
from db.queries.requests import RequestRow, observed
from tests.cli.commands import run_arena
from tests.orchestrator.test_people import EVENING, first_cell, record, rows, together, waiting
from tests.viewer.browser import PORT, Get, browsing

pytestmark = pytest.mark.slow

executors = pytest.mark.parametrize(
    "executor", ["processes", pytest.param("local", marks=pytest.mark.sweep)]
)
_PATIENCE_S = 120.0


@contextmanager
def running(file: Path, url: str) -> Iterator[None]:
    """A run that waits for people, killed at the end of the block without warning."""
    process = subprocess.Popen(
        [sys.executable, "-m", "arena.cli", "run", str(file), "--wait", "--db", url],
        cwd=file.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        # The tables may not be made yet.
        with suppress(DatabaseError):
            if found():
                return
        time.sleep(0.05)
    raise AssertionError("nobody is asked")


def move_for(url: str, request: RequestRow) -> str:
    assert request.game_id is not None
    assert request.turn is not None
    with get_session(url) as session:
        return first_cell(observed(session, request.game_id, request.turn))


def in_a_terminal(url: str, request: RequestRow) -> None:
    typed = f"{move_for(url, request)}\n"
    said = run_arena("play", "--as", "Ann", "--elsewhere", "--db", url, input=typed)
    assert "taken" in said.stdout + said.stderr


def on_a_page(get: Get, url: str, request: RequestRow, token: str) -> None:
    form = {"request": str(request.id), "response": move_for(url, request)}
    sent = get("/play", form=form, cookie=f"arena_{PORT}={token}")
    assert sent.headers["location"] == "/play?noted=taken"


@executors
def test_games_go_on_after_a_kill_as_if_nobody_had_waited(
    database_url: str, tmp_path: Path, executor: str
) -> None:
    one = f"sqlite:///{tmp_path}/one.db"
    asyncio.run(together(one))
    file = tmp_path / "evening.yaml"
    file.write_text(EVENING.replace("EXECUTOR", executor), "utf-8")
    answered: dict[int, str] = {}

    with running(file, database_url):
        until(lambda: len(waiting(database_url)) == 2)
    with get_session(database_url) as session:
        token = Repository(session).add_person("Robert", "player")[1]
    with browsing(database_url, cookie=None, people=True) as get:
        for request in waiting(database_url):
            answered[request.id] = move_for(database_url, request)
            if request.person == "Ann":
                in_a_terminal(database_url, request)
            else:
                on_a_page(get, database_url, request, token)
        assert waiting(database_url) == []

        # Others think now, and are killed at it; one of them is let in no more.
        with running(file, database_url):
            until(lambda: len(waiting(database_url)) == 2)
        assert run_arena("access", "revoke", "Robert", "--db", database_url).exit_code == 0
        robert = next(each for each in waiting(database_url) if each.person == "Robert")
        form = {"request": str(robert.id), "response": "[8]"}
        out = get("/play", form=form, cookie=f"arena_{PORT}={token}")
        assert (out.status_code, out.headers["location"]) == (303, "/login")
        assert robert in waiting(database_url)
    asyncio.run(together(database_url, executor))

    assert record(database_url) == record(one)
    for (game,) in rows(database_url, "SELECT id FROM games"):
        assert check(game, database_url).ok
    kept = dict(rows(database_url, "SELECT id, response FROM requests"))
    assert {number: kept[number] for number in answered} == answered
    # A turn has one request, however often the run was killed.
    assert rows(
        database_url,
        "SELECT COUNT(*), COUNT(DISTINCT game_id * 1000 + turn), COUNT(answered_at) FROM requests",
    ) == [(len(kept),) * 3]
