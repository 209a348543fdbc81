"""Programs that want to know how their games end are told once, and nothing depends on it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from arena.config import loads
from arena.llm.programs import allow_program
from arena.orchestrator import run
from arena.replay.check import check
from tests.remote.test_remote_games import GAMES, TOURNAMENT, TURNS, killed, rows, tournament
from tests.servers.programs import CLIENTS, ProgramServer, arena_remote, legal


class Learner:
    """Plays, and keeps what it is told at the end."""

    def __init__(self) -> None:
        self.ends: list[dict[str, Any]] = []

    def __call__(self, observation: Any) -> str:
        return legal(observation)

    def on_end(self, message: dict[str, Any]) -> None:
        self.ends.append(message)
        raise ValueError("nobody minds")


@pytest.mark.slow
def test_each_game_is_told_once_however_often_it_is_resumed_or_replayed(database_url: str) -> None:
    learner = Learner()
    with ProgramServer(learner) as server:
        config = tournament(server)
        killed(server, config, database_url)
        asyncio.run(run(config, url=database_url))
        asyncio.run(run(config, url=database_url))
        for (game,) in rows(database_url, "SELECT id FROM games"):
            assert check(game, database_url).ok
        asked = {(turn["session"], turn["player_index"]) for turn in server.turns}

    assert len(learner.ends) == 4
    told = learner.ends[0]
    assert set(told) == {
        "type", "protocol", "session", "turn", "environment", "player_index", "num_players",
        "result", "rank", "termination",
    }  # fmt: skip
    assert {(end["session"], end["player_index"]) for end in learner.ends} <= asked
    won = rows(
        database_url,
        "SELECT p.rank, g.winning_team IS NULL FROM game_players p "
        "JOIN games g ON g.id = p.game_id JOIN agents a ON a.id = p.agent_id WHERE a.alias = 'Bob'",
    )
    expected = sorted("draw" if none else ("loss" if rank else "win") for rank, none in won)
    assert sorted(end["result"] for end in learner.ends) == expected


def test_one_that_does_not_ask_is_told_nothing(sqlite_url: str) -> None:
    with ProgramServer() as server:
        asyncio.run(run(tournament(server, games=1), url=sqlite_url))

    assert {message["type"] for message in server.heard} == {"hello", "observe"}


def test_a_telling_that_hangs_or_fails_changes_no_game(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.llm.client._END", 0.1)

    def answer(message: dict[str, Any]) -> dict[str, Any]:
        if message["type"] != "end":
            return program.answer(message)  # type: ignore[no-any-return]
        heard.append(message)
        if len(heard) == 1:
            time.sleep(0.3)
        return {"type": "nonsense", "turn": 1, "much": "x" * 300_000}

    found, heard = [], []
    for number, agent in enumerate((legal, Learner())):
        program = arena_remote.Program(agent, "bob", "1")
        with ProgramServer(answer=answer) as server:
            url = f"sqlite:///{tmp_path}/{number}.db"
            asyncio.run(run(tournament(server, games=2), url=url))
        found.append([rows(url, query) for query in (GAMES, TURNS)])

    assert len(heard) == 2
    assert found[0] == found[1]


BOT = """
import sys
sys.path.insert(0, {clients!r})
from arena_remote import play

def agent(observation):
    offered = observation.rpartition("Available Moves:")[2].replace("'", "").split(", ")
    return offered[len(observation) % len(offered)].strip()

agent.on_end = lambda message: open("ends", "a").write(message["result"] + "\\n")
play(agent, name="bob", version="1")
"""


async def _until(file: Path) -> None:
    for _ in range(4000):
        if os.path.exists(file):  # noqa: ASYNC240, PTH110
            return
        await asyncio.sleep(0.005)


@pytest.mark.slow
@pytest.mark.sweep
def test_a_started_program_is_killed_resumed_replayed_and_told(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bob.py").write_text(BOT.format(clients=str(CLIENTS)), "utf-8")
    command = [sys.executable, "bob.py", "--stdio"]
    allow_program(command)

    def config(games: int) -> Any:
        written = TOURNAMENT.format(url="", executor="local", games=games, timeout=20.0)
        how = f"params: {{command: [{', '.join(command)}]}}"
        return loads(written.replace('api_base: ""', how), source="away.yaml")

    whole = f"sqlite:///{tmp_path}/whole.db"
    asyncio.run(run(config(4), url=whole))
    (tmp_path / "ends").unlink()

    async def broken_off() -> None:
        task = asyncio.create_task(run(config(4), url=database_url))
        seen = asyncio.create_task(_until(tmp_path / "ends"))
        await asyncio.wait({task, seen}, return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        seen.cancel()
        await asyncio.gather(task, seen, return_exceptions=True)

    asyncio.run(broken_off())
    asyncio.run(run(config(4), url=database_url))

    for query in (GAMES, TURNS):
        assert rows(database_url, query) == rows(whole, query)
    for (game,) in rows(database_url, "SELECT id FROM games"):
        assert check(game, database_url).ok
    assert rows(database_url, "SELECT COUNT(*) FROM game_turns WHERE lapse IS NOT NULL") == [(0,)]
    # Whoever is killed as a game ends may miss its end, and hears none twice.
    assert 1 <= len((tmp_path / "ends").read_text("utf-8").splitlines()) <= 4
