"""Games are played in worker processes: the same games, to the last byte of their rows, times
apart, whatever happens to a worker."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
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
from tests.servers.openai_server import OpenAIServer, Reply, error
from torture.worker_processes import workers_of

pytestmark = pytest.mark.slow

TOURNAMENT = """
name: village
seed: 7
executor: {executor}
environment: {{name: SecretMafia-v0, players: 6, options: {{discussion_rounds: 1}}}}
games: {games}
concurrency: {concurrency}
budget: 100
{cache}
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
# The trail and the log tell by which executor a tournament was played, and how long it took.
APART = {"leases", "alembic_version", "audit_log", "execution_logs"}
# What LiteLLM makes up for an answer of a scripted model: a random name and the time.
MADE_UP = {"id", "created"}
STOPPED_AT = 8


CACHE = "cache: {ttl: 3600, rated: true}"


def tournament(
    url: str, executor: str, games: int, concurrency: int = 1, cache: str = ""
) -> TournamentConfig:
    text = TOURNAMENT.format(
        url=url, executor=executor, games=games, concurrency=concurrency, cache=cache
    )
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
    """Plays at random, from nothing but the request. One request may fail; while the eighth is
    answered, something may be done to the run."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.requests = 0
        self.fails_at = fails_at
        self.meanwhile: Callable[[], None] | None = None

    def __call__(self, body: dict[str, Any]) -> Reply | str:
        self.requests += 1
        if self.requests == STOPPED_AT and self.meanwhile is not None:
            self.meanwhile()
        if self.requests == self.fails_at:
            return error(500, "not now")
        rng = random.Random(body["messages"][-1]["content"])
        return registry.policy("random")(body["messages"], rng)


def played(url: str, config: TournamentConfig, provider: Provider, *, stops: bool) -> Summary:
    async def main() -> Summary:
        stop, loop = Stop(), asyncio.get_running_loop()

        def stopping() -> None:
            loop.call_soon_threadsafe(stop.request)

        if stops:
            provider.meanwhile = stopping
        return await run(config, url=url, stop=stop)

    provider.meanwhile = None
    return asyncio.run(main())


def workers() -> list[int]:
    """The processes that this one has started to play games."""
    return workers_of(os.getpid())


@pytest.mark.parametrize(
    ("begun", "ended", "games", "concurrency"),
    [
        pytest.param(None, "processes", 1, 1, id="fresh", marks=pytest.mark.sweep),
        pytest.param(None, "processes", 3, 3, id="at once", marks=pytest.mark.sweep),
        pytest.param("local", "processes", 1, 1, id="resumed in a worker"),
        pytest.param("processes", "local", 1, 1, id="stopped", marks=pytest.mark.sweep),
    ],
)
def test_games_in_workers_are_the_same_to_the_last_byte(
    tmp_path: Path, begun: str | None, ended: str, games: int, concurrency: int
) -> None:
    here, there = f"sqlite:///{tmp_path}/here.db", f"sqlite:///{tmp_path}/there.db"
    provider, asked = Provider(), []
    with OpenAIServer(provider) as server:
        for url, first, second in ((here, "local", "local"), (there, begun, ended)):
            provider.requests = 0
            if begun is not None:
                config = tournament(server.url, first or "", games, concurrency, CACHE)
                part = played(url, config, provider, stops=True)
                assert part.interrupted
                assert (part.paused, part.games_completed) == (1, 0)
            config = tournament(server.url, second, games, concurrency, CACHE)
            done = played(url, config, provider, stops=False)
            assert done.games_completed == games
            assert done.resumed == (begun is not None)
            asked.append(provider.requests)

    assert asked[0] == asked[1] > 7 * games
    assert tables(there) == tables(here)
    assert check(1, there).ok
    assert workers() == []


@pytest.mark.sweep
def test_an_attempt_that_fails_in_a_worker_waits_here(tmp_path: Path) -> None:
    summaries = {}
    for executor in ("local", "processes"):
        provider = Provider(fails_at=4)
        with OpenAIServer(provider) as server:
            config = tournament(server.url, executor, games=1)
            url = f"sqlite:///{tmp_path}/{executor}.db"
            summaries[executor] = played(url, config, provider, stops=False)

    here, there = summaries["local"], summaries["processes"]
    assert (here.failed_calls, here.games_completed) == (1, 1)
    assert (there.calls, there.failed_calls, there.turns) == (here.calls, 1, here.turns)
    assert there.cost == here.cost > 0


def test_a_worker_that_is_killed_loses_nothing(database_url: str, tmp_path: Path) -> None:
    """Its games resume in the middle; the call that was in flight is an orphan, charged at worst;
    everything else is as if nothing had happened."""
    provider = Provider()
    alone = f"sqlite:///{tmp_path}/alone.db"
    with OpenAIServer(provider) as server:
        undisturbed = played(alone, tournament(server.url, "local", 2), provider, stops=False)
        asked = provider.requests
        provider.requests = 0

        recording: list[str] = []

        def kill() -> None:
            (worker,) = workers()
            recording.extend(sessions(database_url))
            os.kill(worker, signal.SIGKILL)

        async def main() -> Summary:
            provider.meanwhile = kill
            return await run(tournament(server.url, "processes", 2), url=database_url)

        disturbed = asyncio.run(main())

    own = 1 if database_url.startswith("postgresql") else 0
    assert len(recording) == own, "on a server the worker records its games itself"
    assert provider.requests == asked + 1, "the call in flight is asked again, and no other"
    assert (disturbed.games_completed, disturbed.turns) == (2, undisturbed.turns)
    assert disturbed.calls == undisturbed.calls + 1
    assert disturbed.orphans == 1
    assert disturbed.orphan_cost > 0
    assert disturbed.cost == pytest.approx(undisturbed.cost + disturbed.orphan_cost)
    (said,) = disturbed.news
    assert "was ended by SIGKILL: another is started, and its 1 game resumes" in said
    assert results(database_url) == results(alone)
    assert check(1, database_url).ok
    assert workers() == []


def sessions(url: str) -> list[str]:
    """Those of workers on the server."""
    if url.startswith("sqlite"):
        return []
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT application_name FROM pg_stat_activity "
            "WHERE application_name LIKE 'arena leases 1 %' AND datname = current_database()"
        )
        names = [str(name) for (name,) in found]
    engine.dispose()
    return names


def results(url: str) -> list[Any]:
    """What was done in every turn, how games ended, and the ratings."""
    found = tables(url)
    kept = ("game_turns", "game_players", "agent_trueskill", "rating_changes")
    with get_session(url, create=False) as session:
        turns = [
            (turn.player_index, turn.observation, turn.action, turn.submitted, turn.invalid)
            for row in found["games"]
            for turn in transcript(session, row[0])
        ]
    return [turns, *(len(found[name]) for name in kept)]
