"""When every game was played, agents that remember write about their last one: once, on record
beside it, and nothing that was played depends on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from arena.config import loads
from arena.orchestrator import run
from arena.replay.check import check
from arena.reports.memory import AgentMemory, agent_memories
from db import get_session
from tests.orchestrator.test_memory_run import LEARNERS, everything, learners
from tests.servers.openai_server import OpenAIServer, Reply, error


def memories(url: str) -> dict[str, AgentMemory]:
    """What each agent that remembers would bring to another game."""
    with get_session(url) as session:
        query = text("SELECT id, alias FROM agents WHERE alias IN ('Ann', 'Bob')")
        agents = session.connection().execute(query).all()
        found = {alias: agent_memories(session, key) for key, alias in agents}
    return {alias: each[0] for alias, each in found.items() if each}


def asked(url: str) -> list[Any]:
    """The questions beside the games: (purpose, whether something was read of the answer)."""
    with get_session(url) as session:
        query = text("SELECT purpose, reading IS NOT NULL FROM side_calls ORDER BY id")
        return [(purpose, bool(read)) for purpose, read in session.connection().execute(query)]


def told(url: str, statement: str) -> None:
    with get_session(url) as session:
        session.connection().execute(text(statement))
        session.commit()


def test_the_last_game_is_written_about_once(database_url: str) -> None:
    config = learners(("ttl_games: 2", "ttl_games: 1"))
    asyncio.run(run(config, url=database_url, games=4))
    assert asked(database_url) == []
    before = memories(database_url)
    assert all(memory.unwritten for memory in before.values())
    # What an agent has forgotten by its next game is not among what it brings there.
    assert before["Ann"].points
    assert before["Bob"].points == ()

    asyncio.run(run(config, url=database_url))
    written, played = memories(database_url), everything(database_url)

    assert [read for _, read in asked(database_url)] == [True, True]
    for name, memory in written.items():
        assert memory.unwritten is None
        newest = max(point.place for point in memory.points)
        # What it wrote after its last game is about that game, and was shown nowhere yet.
        last = [point for point in memory.points if point.place == newest]
        assert {point.written for point in last} == {memory.games}, name
    for again in range(2):
        if again:
            # As a process leaves it that ends between an answer and what is read of it.
            told(database_url, "UPDATE side_calls SET reading = NULL")
        asyncio.run(run(config, url=database_url))
        assert [read for _, read in asked(database_url)] == [True, True]
        assert memories(database_url) == written
    assert everything(database_url) == played
    # A process that ends before it asks: the next run asks, and reads the same.
    told(database_url, "DELETE FROM side_calls")
    asyncio.run(run(config, url=database_url))
    assert memories(database_url) == written


def answering(refuse: Callable[[], bool]) -> Callable[[dict[str, Any]], Reply | str]:
    def reply(body: dict[str, Any]) -> Reply | str:
        said = body["messages"][-1]["content"]
        if '{"key_points":' not in said:
            return "[0] [1] [2] [3] [4] [5] [6] [7] [8]"
        if refuse():
            return error(400, "not now")
        return json.dumps({"key_points": [{"text": "Take the middle.", "importance": 9}]})

    return reply


def test_an_agent_that_could_not_be_asked_is_asked_by_the_next_run(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    refused = [True]
    with OpenAIServer(answering(lambda: refused[0])) as server:
        written = LEARNERS.replace("games: 6", "games: 1").replace(
            "litellm_model: scripted/learner",
            f"litellm_model: openai/x, api_base: '{server.url}'",
        )
        config = loads(written, source="learners.yaml")
        first = asyncio.run(run(config, url=sqlite_url))
        refused[0] = False
        unwritten = memories(sqlite_url)
        second = asyncio.run(run(config, url=sqlite_url))

    assert (first.games_completed, first.games_left) == (1, 0)
    (said,) = [each for each in first.news if "has not written about its last game" in each]
    assert "not now" in said
    assert "the same command asks it again" in said
    assert not any("has not written" in each for each in second.news)
    (name,) = [name for name, memory in unwritten.items() if memory.unwritten]
    assert [point.text for point in memories(sqlite_url)[name].points] == ["Take the middle."]
    assert check(1, sqlite_url).first_difference is None
