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

from arena.config import loads
from arena.orchestrator import run
from arena.replay.check import check
from db import Repository, get_session
from db.errors import DatabaseError
from db.queries.requests import RequestRow, observed, request_rows
from tests.cli.commands import run_arena
from tests.orchestrator.test_people import EVENING, first_cell, record, rows, together, waiting
from tests.orchestrator.test_spending import TOURNAMENT
from tests.orchestrator.test_suspended import first_cell as cell_of
from tests.servers.openai_server import OpenAIServer
from tests.viewer.browser import PORT, Get, browsing

pytestmark = pytest.mark.slow

executors = pytest.mark.parametrize(
    "executor", ["local", pytest.param("processes", marks=pytest.mark.sweep)]
)
_PATIENCE_S = 300.0


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
        Repository(session).add_person("Olga", "operator")
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
        "SELECT COUNT(*), COUNT(DISTINCT game_id * 1000 + turn_number), COUNT(answered_at) "
        "FROM requests",
    ) == [(len(kept),) * 3]


@executors
def test_a_run_is_killed_while_an_operator_thinks_about_its_budget(
    database_url: str, tmp_path: Path, executor: str
) -> None:
    file = tmp_path / "dear.yaml"
    with OpenAIServer(cell_of) as server:
        written = TOURNAMENT.format(url=server.url).replace(
            "seed: 5", f"seed: 5\nexecutor: {executor}"
        )
        file.write_text(written, "utf-8")
        with running(file, database_url):
            until(lambda: len(waiting(database_url)) == 1)
        (request,) = waiting(database_url)
        with get_session(database_url) as session:
            tokens = {
                role: Repository(session).add_person(role, role)[1]
                for role in ("player", "operator")
            }
        form = {"request": str(request.id), "response": "yes 100"}
        with browsing(database_url, cookie=None, people=True) as get:
            refused = get("/play", form=form, cookie=f"arena_{PORT}={tokens['player']}")
            assert refused.status_code == 403
            assert "player has access as player, and this asks for operator" in refused.text
            assert waiting(database_url) == [request]
            taken = get("/play", form=form, cookie=f"arena_{PORT}={tokens['operator']}")
            assert taken.status_code == 303
        last = asyncio.run(run(loads(written, folder=tmp_path), url=database_url))

    assert (request.type, last.games_left, last.budget) == ("spend", 0, 100.02)
    with get_session(database_url) as session:
        (kept,) = request_rows(session, waiting=False)
    assert (kept.answered_by, kept.response) == ("operator", "yes 100")
    for (game,) in rows(database_url, "SELECT id FROM games WHERE status = 'completed'"):
        assert check(game, database_url).ok
