"""Two tournaments in one process: at once in one event loop, and one after the other in two."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena import registry
from arena.config import TournamentConfig, parse
from arena.orchestrator import Summary, run
from db import get_session
from tests.servers.openai_server import OpenAIServer

pytestmark = pytest.mark.slow


def legal(body: dict[str, Any]) -> str:
    rng = random.Random(body["messages"][-1]["content"])
    return registry.policy("random")(body["messages"], rng)


def tournament(name: str, games: int, server: OpenAIServer, *, stream: bool) -> TournamentConfig:
    model = {"litellm_model": "openai/loopback", "api_base": server.url, "stream": stream}
    return parse(
        {
            "name": name,
            "environment": {"name": "TicTacToe-v0", "players": 2},
            "games": games,
            "concurrency": 3,
            "models": [{"name": f"{name} model", **model}],
            "prompts": [{"name": f"{name} {which}", "text": f"Win. {which}"} for which in "ab"],
            "agents": [
                {"name": f"{name} {which}", "model": f"{name} model", "prompt": f"{name} {which}"}
                for which in "ab"
            ],
        }
    )


def failures(url: Path) -> int:
    with get_session(url) as session:
        query = "SELECT COUNT(*) FROM llm_calls WHERE error_class IS NOT NULL OR attempt > 0"
        return int(session.connection().execute(text(query)).scalar_one())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_one_that_ends_first_cuts_no_call_of_the_other(
    tmp_path: Path, stream: bool, shared: bool
) -> None:
    short_url = tmp_path / "short.db"
    long_url = short_url if shared else tmp_path / "long.db"

    async def both(server: OpenAIServer) -> list[Summary]:
        short = tournament("short", 1, server, stream=stream)
        long = tournament("long", 9, server, stream=stream)
        return await asyncio.gather(run(short, url=short_url), run(long, url=long_url))

    with OpenAIServer(legal) as server:
        summaries = asyncio.run(both(server))

    assert [(s.games_completed, s.games_void) for s in summaries] == [(1, 0), (9, 0)]
    assert [s.failed_calls for s in summaries] == [0, 0]
    assert len(server.requests) == sum(s.calls for s in summaries), "none is sent twice"
    assert failures(long_url) == 0


@pytest.mark.parametrize("stream", [False, True])
def test_one_after_the_other_each_in_a_loop_of_its_own(tmp_path: Path, stream: bool) -> None:
    url = tmp_path / "arena.db"
    with OpenAIServer(legal) as server:
        summaries = [
            asyncio.run(run(tournament(name, 2, server, stream=stream), url=url))
            for name in ("first", "second")
        ]

    assert [(s.games_completed, s.failed_calls) for s in summaries] == [(2, 0), (2, 0)]
    assert len(server.requests) == sum(s.calls for s in summaries)
