"""A task is played in another process: the same game, to the last byte of its rows, times apart.

The process is sent the task, and its journal, answers and clearance pass over a pipe. So worker
processes and a cluster are an executor each, and need no change of the loop.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, create_engine

from arena import registry
from arena.config import TournamentConfig, loads
from arena.orchestrator import Stop, Summary, run
from arena.replay.check import check
from db import get_session
from db.queries.transcript import transcript
from tests.game.elsewhere import Elsewhere
from tests.servers.openai_server import OpenAIServer, Reply, error
from tests.strangers import Install, install

__all__ = ["install"]

pytestmark = pytest.mark.slow

TOURNAMENT = """
name: village
seed: 7
executor: {executor}
environment: {{name: SecretMafia-v0, players: 6, options: {{discussion_rounds: 1}}}}
games: {games}
concurrency: 1
budget: 100
cache: {{ttl: 3600, rated: true}}
matchmaker: {{name: random}}
models:
  - name: far
    litellm_model: openai/far
    api_base: "{url}"
    input_price: 1.0
    output_price: 2.0
    params: {{max_tokens: 50}}
    limits: {{concurrency: 2}}
  - {{name: near, litellm_model: scripted/mafia-naive}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}} of {{{{num_players}}}}."}}
  - {{name: calm, text: "You are player {{{{player_index}}}}. Stay calm."}}
agents:
  - {{name: Ann, model: far, prompt: plain}}
  - {{name: Bob, model: near, prompt: plain}}
  - {{name: Cid, model: far, prompt: calm}}
  - {{name: Dot, kind: remembering, model: far, prompt: calm}}
  - {{name: Eve, kind: remembering, model: far, prompt: plain}}
  - {{name: Fay, kind: remembering, model: near, prompt: plain}}
"""
# The processes and moments of a run; nothing of its games.
APART = {"leases", "alembic_version"}
# What LiteLLM makes up for an answer of a scripted model: a random name and the time.
MADE_UP = {"id", "created"}
STOPPED_AT = 8


def tournament(url: str, executor: str, games: int) -> TournamentConfig:
    text = TOURNAMENT.format(url=url, executor=executor, games=games)
    return loads(text, source="village.yaml")


def tables(url: str) -> dict[str, list[Any]]:
    """Every row of a database, its times left out, and the answers as they are read."""
    engine = create_engine(url)
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        rows = {
            table.name: [
                tuple(map(shown, row._mapping.items()))
                for row in connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in found.sorted_tables
            if table.name not in APART
        }
    engine.dispose()
    with get_session(url, create=False) as session:
        games = [transcript(session, row[0]) for row in rows["games"]]
    rows["answers"] = [
        {name: value for name, value in (call.response or {}).items() if name not in MADE_UP}
        for turns in games
        for turn in turns
        for call in turn.calls
    ]
    return rows


def shown(column: tuple[str, Any]) -> Any:
    name, value = column
    if isinstance(value, datetime) or name.endswith(("_ms", "_at")) or name == "response":
        return f"{name}: a time" if value is not None else None
    if name == "settings":
        settings = json.loads(value) if isinstance(value, str) else value
        return settings | {"executor": "some"}
    return value


class Provider:
    """Plays at random, from nothing but the request. One request may fail; while one is answered,
    a person may stop the run."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.requests = 0
        self.fails_at = fails_at
        self.stop: Callable[[], None] | None = None

    def __call__(self, body: dict[str, Any]) -> Reply | str:
        self.requests += 1
        if self.requests == STOPPED_AT and self.stop is not None:
            self.stop()
        if self.requests == self.fails_at:
            return error(500, "not now")
        rng = random.Random(body["messages"][-1]["content"])
        return registry.policy("random")(body["messages"], rng)


def played(url: str, config: TournamentConfig, provider: Provider, *, stops: bool) -> Summary:
    async def main() -> Summary:
        stop, loop = Stop(), asyncio.get_running_loop()

        def stopping() -> None:
            loop.call_soon_threadsafe(stop.request)

        provider.stop = stopping if stops else None
        return await run(config, url=url, stop=stop)

    return asyncio.run(main())


@pytest.fixture
def elsewhere(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """`executor: elsewhere`, from a package of its own."""
    install(
        "from tests.game.elsewhere import Elsewhere\n", {"executors": {"elsewhere": "Elsewhere"}}
    )
    Elsewhere.passed.clear()
    Elsewhere.rooms.clear()
    monkeypatch.delenv("ARENA_DATABASE_URL", raising=False)


@pytest.mark.parametrize(
    ("begun", "ended", "games"),
    [
        pytest.param(None, "elsewhere", 1, id="fresh", marks=pytest.mark.sweep),
        pytest.param(None, "elsewhere", 2, id="both games", marks=pytest.mark.sweep),
        pytest.param("local", "elsewhere", 1, id="resumed elsewhere"),
        pytest.param("elsewhere", "local", 1, id="stopped elsewhere", marks=pytest.mark.sweep),
    ],
)
def test_a_game_that_is_played_elsewhere_is_the_same_to_the_last_byte(
    elsewhere: None, tmp_path: Path, begun: str | None, ended: str, games: int
) -> None:
    here, there = f"sqlite:///{tmp_path}/here.db", f"sqlite:///{tmp_path}/there.db"
    provider, asked = Provider(), []
    with OpenAIServer(provider) as server:
        for url, first, second in ((here, "local", "local"), (there, begun, ended)):
            provider.requests = 0
            if begun is not None:
                config = tournament(server.url, first or "", games)
                part = played(url, config, provider, stops=True)
                assert part.interrupted
                assert (part.paused, part.games_completed) == (1, 0)
            done = played(url, tournament(server.url, second, games), provider, stops=False)
            assert done.games_completed == games
            assert done.resumed == (begun is not None)
            asked.append(provider.requests)

    assert asked[0] == asked[1] > 7 * games
    assert tables(there) == tables(here)
    assert Elsewhere.passed["done"] == games
    assert Elsewhere.passed["ask"] == Elsewhere.passed["give_back"] > 1
    assert Elsewhere.passed["get"] >= Elsewhere.passed["ask"]
    assert "arena" in Elsewhere.rooms
    assert not {"db", "sqlalchemy"} & Elsewhere.rooms, "this process alone writes the database"
    assert check(1, there).ok


@pytest.mark.sweep
def test_an_attempt_that_fails_elsewhere_waits_here(elsewhere: None, tmp_path: Path) -> None:
    summaries = {}
    for executor in ("local", "elsewhere"):
        provider = Provider(fails_at=4)
        with OpenAIServer(provider) as server:
            config = tournament(server.url, executor, games=1)
            url = f"sqlite:///{tmp_path}/{executor}.db"
            summaries[executor] = played(url, config, provider, stops=False)

    here, there = summaries["local"], summaries["elsewhere"]
    assert (here.failed_calls, here.games_completed) == (1, 1)
    assert (there.calls, there.failed_calls, there.turns) == (here.calls, 1, here.turns)
    assert there.cost == here.cost > 0
    assert Elsewhere.passed["wait"] == 1
    assert Elsewhere.passed["ask"] == Elsewhere.passed["give_back"]
