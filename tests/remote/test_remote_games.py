"""Whole games with programs: killed, resumed and replayed to the same rows, whatever they do."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig, loads
from arena.orchestrator import run
from arena.replay.check import check
from db import get_session
from tests.servers.programs import ProgramServer

pytestmark = pytest.mark.slow

TOURNAMENT = """
name: away
seed: 5
environment: {{name: TicTacToe-v0, players: 2}}
games: {games}
concurrency: 2
executor: {executor}
attempts: 1
matchmaker: {{name: round-robin}}
llm: {{timeout: {timeout}, retries: 2, patience: 1}}
models:
  - {{name: bob, litellm_model: remote/bob@1, provider: remote, api_base: "{url}"}}
  - {{name: random, litellm_model: scripted/random}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}}."}}
agents:
  - {{name: Bob, kind: remote, model: bob, prompt: plain}}
  - {{name: Ann, model: random, prompt: plain}}
"""

GAMES = (
    "SELECT schedule_index, status, void_cause, winning_team, termination, turn_count FROM games "
    "ORDER BY 1"
)
TURNS = (
    "SELECT g.schedule_index, t.turn_number, t.player_index, t.action, t.invalid, t.lapse "
    "FROM game_turns t JOIN games g ON g.id = t.game_id ORDER BY 1, 2"
)


def tournament(
    server: ProgramServer, *, executor: str = "local", games: int = 4, timeout: float = 20.0
) -> TournamentConfig:
    return loads(
        TOURNAMENT.format(url=server.url, executor=executor, games=games, timeout=timeout),
        source="away.yaml",
    )


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def killed(server: ProgramServer, config: TournamentConfig, url: str) -> None:
    """Run until the program is asked for the fifth turn of a game, then break off at once."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(run(config, url=url))

        def heard(message: dict[str, Any]) -> None:
            if message.get("turn_number", 0) >= 4:
                loop.call_soon_threadsafe(task.cancel)
                time.sleep(0.3)

        server.on_message = heard
        with contextlib.suppress(asyncio.CancelledError):
            await task
        server.on_message = None

    asyncio.run(main())


@pytest.mark.parametrize("executor", ["local", pytest.param("processes", marks=pytest.mark.sweep)])
def test_games_with_a_program_are_killed_resumed_and_replayed_to_the_same_rows(
    database_url: str, tmp_path: Any, executor: str
) -> None:
    whole = f"sqlite:///{tmp_path}/whole.db"
    with ProgramServer() as server:
        asyncio.run(run(tournament(server), url=whole))
        server.heard.clear()
        config = tournament(server, executor=executor)
        killed(server, config, database_url)
        before = {turn["session"] for turn in server.turns if turn["turn_number"] > 1}
        server.heard.clear()
        asyncio.run(run(config, url=database_url))
        resumed = {turn["session"] for turn in server.turns}
        asked = len(server.heard)

        for query in (GAMES, TURNS):
            assert rows(database_url, query) == rows(whole, query)
        for (game,) in rows(database_url, "SELECT id FROM games"):
            assert check(game, database_url).ok
        assert len(server.heard) == asked  # what is on record is never asked again

    assert before & resumed  # a session goes on in the middle of its game
    called = rows(
        database_url,
        "SELECT DISTINCT c.model, c.cost FROM llm_calls c WHERE c.error_class IS NULL ORDER BY 1",
    )
    assert called == [("remote/bob@1", 0.0), ("scripted/random", 0.0)]


@pytest.mark.parametrize(
    "action",
    [
        "\x1b]0;x\x07[1]\x00<script>alert(1)</script>",
        *(
            pytest.param(action, marks=pytest.mark.sweep)
            for action in ("", "\x00", "[1][2][3]", "x" * 200_000, "\u202e\u2066 [1]")
        ),
    ],
)
def test_what_a_program_says_is_played_and_replayed_as_any_text(
    database_url: str, action: str
) -> None:
    with ProgramServer(lambda observation: action) as server:
        summary = asyncio.run(run(tournament(server, games=1), url=database_url))

    assert summary.games_completed == 1
    ((game,),) = rows(database_url, "SELECT id FROM games")
    assert check(game, database_url).ok


def _broken(message: dict[str, Any]) -> dict[str, Any]:
    if message["type"] == "hello":
        return {"type": "hello", "protocol": 1, "name": "bob", "version": "1"}
    return {"type": "act", "turn": "another", "action": "[1]"}


def test_nonsense_is_a_lapse_of_its_own_that_the_game_ends_by(database_url: str) -> None:
    with ProgramServer(answer=_broken) as server:
        summary = asyncio.run(run(tournament(server, games=2), url=database_url))

    assert summary.games_completed == 2
    assert summary.lapses == {"malfunction": 4}  # of two games, each with a second chance
    assert rows(database_url, "SELECT DISTINCT termination FROM games") == [("malfunction",)]
    assert rows(
        database_url,
        "SELECT a.alias, p.malfunctions FROM game_players p JOIN agents a ON a.id = p.agent_id "
        "ORDER BY 1, 2",
    ) == [("Ann", 0), ("Ann", 0), ("Bob", 2), ("Bob", 2)]
    for (game,) in rows(database_url, "SELECT id FROM games"):
        assert check(game, database_url).ok


def test_a_program_that_is_not_there_parks_its_games_and_loses_none(sqlite_url: str) -> None:
    with ProgramServer() as server:
        config = tournament(server)
    summary = asyncio.run(run(config, url=sqlite_url))

    assert (summary.games_completed, summary.games_void) == (0, 0)
    assert rows(sqlite_url, "SELECT COUNT(*) FROM game_turns WHERE lapse IS NOT NULL") == [(0,)]
