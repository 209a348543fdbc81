"""Agents that remember, in runs that stop: for a person beside them, for a model that fails, for a
budget. What is played in the end is what an undisturbed run plays."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from arena import registry
from arena.config import TournamentConfig, loads
from arena.llm.scripted.policies import rng_of
from arena.orchestrator import Summary, run
from arena.replay.check import check
from db import get_session
from db.errors import DatabaseError
from tests.orchestrator.test_last_games import memories
from tests.orchestrator.test_memory_run import everything, learners
from tests.orchestrator.test_people import answer_all
from tests.servers.openai_server import OpenAIServer, Reply, error

EVENING = """
name: evening
seed: 3
environment: {name: TicTacToe-v0, players: 2}
games: 3
concurrency: 4
executor: EXECUTOR
matchmaker: {name: round-robin}
models: [{name: learner, litellm_model: scripted/learner}]
prompts: [{name: plain, text: "You are player {{player_index}}."}]
agents:
  - {name: Ann, kind: learning, model: learner, prompt: plain, options: {items: 5, shown: 2}}
  - {name: Bob, kind: learning, model: learner, prompt: plain, options: {ttl_games: 2}}
  - {name: Cid, kind: human}
"""


def statuses(url: str) -> list[str]:
    with get_session(url) as session:
        query = text("SELECT status FROM games ORDER BY schedule_index")
        return [*session.connection().execute(query).scalars()]


def replayed(url: str) -> None:
    with get_session(url) as session:
        games = session.connection().execute(text("SELECT id FROM games")).scalars().all()
    for game in games:
        assert check(game, url).first_difference is None


@pytest.mark.parametrize(
    "executor", ["local", pytest.param("processes", marks=[pytest.mark.slow, pytest.mark.sweep])]
)
def test_a_person_beside_agents_that_remember(
    database_url: str, tmp_path: Any, executor: str
) -> None:
    config, whole = loads(EVENING.replace("EXECUTOR", executor)), f"sqlite:///{tmp_path}/whole.db"
    runs = 0
    while asyncio.run(run(config, url=database_url)).games_left:
        # The game that waits is the last that was begun: none after it was.
        known = statuses(database_url)
        assert known.count("running") == 1
        first = known.index("running")
        assert {*known[:first]} <= {"completed"}
        assert {*known[first + 1 :]} <= {"scheduled"}
        assert answer_all(database_url) == 1
        runs += 1
    asyncio.run(waited_for(loads(EVENING.replace("EXECUTOR", "local")), whole))

    assert runs > 2
    assert everything(database_url) == everything(whole)
    assert memories(database_url) == memories(whole)
    replayed(database_url)


async def waited_for(config: TournamentConfig, url: str) -> Summary:
    """One run that waits for the person, who answers meanwhile."""
    playing = asyncio.create_task(run(config, url=url, wait=True))
    while not playing.done():
        await asyncio.sleep(0.1)
        # The tables may not be made yet, and the run may be writing.
        with suppress(DatabaseError):
            await asyncio.to_thread(answer_all, url)
    return await playing


def answered(url: str) -> list[Any]:
    """`everything`, without the attempts that failed."""
    return [
        (*turn, [call for call in calls if call[2] is not None]) for *turn, calls in everything(url)
    ]


class Learning:
    """The scripted learner behind HTTP, which is down after so many answers."""

    def __init__(self) -> None:
        self.answers_left = 10**6
        self._policy = registry.policy("learner")

    def __call__(self, body: dict[str, Any]) -> Reply | str:
        self.answers_left -= 1
        if self.answers_left < 0:
            return error(503, "down")
        return str(self._policy(body["messages"], rng_of(body["messages"], None)))


@pytest.mark.slow
def test_a_model_that_is_down_now_and_then(
    database_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    whole, model = f"sqlite:///{tmp_path}/whole.db", Learning()
    with OpenAIServer(model) as server:
        config = learners(
            ("concurrency: 4", "concurrency: 4\nattempts: 1\nllm: {patience: 0.3}"),
            ("games: 6", "games: 4"),
            (
                "litellm_model: scripted/learner",
                f"litellm_model: openai/learner, api_base: '{server.url}'",
            ),
        )
        asyncio.run(run(config, url=whole))
        stops = []
        while not stops or stops[-1].games_left:
            model.answers_left = 9
            stops.append(asyncio.run(run(config, url=database_url)))
            assert stops[-1].games_void == 0
        model.answers_left = 10**6
        asyncio.run(run(config, url=database_url))

    assert len(stops) > 1
    assert "is parked" in str(stops[0].stopped)
    assert answered(database_url) == answered(whole)
    assert memories(database_url) == memories(whole)
    replayed(database_url)
