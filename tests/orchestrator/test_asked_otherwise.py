"""A model without a system role and with a seed for every call is asked so, and resumes so."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from arena import registry
from arena.analysis import calls_df
from arena.config import parse
from arena.orchestrator import Stop, run
from arena.replay.check import check
from tests.servers.openai_server import OpenAIServer

pytestmark = pytest.mark.slow


def legal(body: dict[str, Any]) -> str:
    """A legal move."""
    messages = body["messages"]
    return registry.policy("random")(messages, random.Random(str(messages[-1]["content"])))


def test_a_chat_is_told_to_a_model_without_a_system_role(database_url: str) -> None:
    stop = Stop()

    def reply(body: dict[str, Any]) -> str:
        if len(server.requests) == 3:
            stop.requested = True
        return legal(body)

    with OpenAIServer(reply) as server:
        config = parse(
            {
                "name": "asked otherwise",
                "environment": {"name": "TicTacToe-v0", "players": 2},
                "games": 2,
                "concurrency": 1,
                "models": [
                    {
                        "name": "gemma",
                        "litellm_model": "openai/gemma",
                        "api_base": server.url,
                        "params": {"seed": "per_call"},
                        "system": "user",
                        "cache": True,
                    }
                ],
                "prompts": [{"name": "plain", "text": "Win."}],
                "agents": [
                    {
                        "name": "Chats", "model": "gemma", "prompt": "plain",
                        "options": {"history": "chat"},
                    },
                    {"name": "Reads", "model": "gemma", "prompt": "plain"},
                ],
            }
        )  # fmt: skip

        first = asyncio.run(run(config, url=database_url, stop=stop))
        second = asyncio.run(run(config, url=database_url))
        bodies = [request.body for request in server.requests]

    assert first.calls == 3
    assert first.games_completed + second.games_completed == 2
    assert len(bodies) == first.calls + second.calls, "no answer is paid for twice"
    for body in bodies:
        roles = [message["role"] for message in body["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
        assert body["messages"][0]["content"].startswith("Win.\n\n")
    seeds = [body["seed"] for body in bodies]
    assert len(set(seeds)) == len(seeds)
    calls = calls_df(database_url, messages=True)
    assert sorted(request["seed"] for request in calls.request) == sorted(seeds)
    assert all(check(game, database_url).ok for game in (1, 2))
