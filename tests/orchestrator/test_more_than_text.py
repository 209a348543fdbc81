"""Messages of parts, thoughts and tools: sent, recorded, shown and resumed like any text."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from arena import registry
from arena.config import TournamentConfig, parse
from arena.orchestrator import Stop, run
from arena.replay.check import check
from db import get_session
from db.queries.transcript import transcript
from tests.cli.commands import run_arena
from tests.servers.openai_server import OpenAIServer, Reply
from tests.strangers import Install, install

__all__ = ["install"]
pytestmark = pytest.mark.slow

KIND = """
from arena.core import Action

class Shows:
    version = 1

    def __init__(self, *, prompt, options):
        self.prompt = prompt

    async def act(self, observation, llm):
        board = {"type": "image_url", "image_url": {"url": f"data:,{observation.turn_number}"}}
        answer = await llm.complete(
            [
                {"role": "system", "content": self.prompt},
                {"role": "user", "content": [{"type": "text", "text": observation.text}, board]},
            ]
        )
        assert answer.thoughts == "the middle is free"
        assert [(call.name, call.arguments) for call in answer.tool_calls] == [
            ("look", '{"at": 4}')
        ]
        return Action(answer.text)
"""

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 4}'}}


def legal(body: dict[str, Any]) -> Reply:
    content = body["messages"][-1]["content"]
    said = content if isinstance(content, str) else content[0]["text"]
    move = registry.policy("random")(
        [{"role": "user", "content": said}], random.Random(f"{said}{len(said)}")
    )
    return Reply(move, reasoning="the middle is free", tool_calls=[CALL])


def tournament(server: OpenAIServer, *, stream: bool = False) -> TournamentConfig:
    model = {"litellm_model": "openai/loopback", "api_base": server.url, "stream": stream}
    return parse(
        {
            "name": "pictures",
            "environment": {"name": "TicTacToe-v0", "players": 2},
            "games": 2,
            "concurrency": 1,
            "models": [{"name": "loopback", **model}],
            "prompts": [{"name": "plain", "text": "Win."}],
            "agents": [
                {"name": "Sees", "kind": "shows", "model": "loopback", "prompt": "plain"},
                {"name": "Reads", "kind": "thinking", "model": "loopback", "prompt": "plain"},
            ],
        }
    )


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_more_than_text_is_on_record_and_resumes(
    install: Install, database_url: str, stream: bool
) -> None:
    install(KIND, {"agents": {"shows": "Shows"}})
    stop = Stop()

    def reply(body: dict[str, Any]) -> Reply:
        if len(server.requests) == 3:
            stop.requested = True
        return legal(body)

    with OpenAIServer(reply) as server:
        config = tournament(server, stream=stream)
        first = asyncio.run(run(config, url=database_url, stop=stop))
        second = asyncio.run(run(config, url=database_url))
        sent = [request.body["messages"][-1]["content"] for request in server.requests]

    assert first.calls == 3
    assert first.games_completed + second.games_completed == 2
    assert len(sent) == first.calls + second.calls, "no answer is paid for twice"
    seen = [content for content in sent if isinstance(content, list)]
    assert {part["type"] for content in seen for part in content} == {"text", "image_url"}
    assert all(check(game, database_url).ok for game in (1, 2))

    with get_session(database_url) as session:
        turns = [turn for game in (1, 2) for turn in transcript(session, game)]
    for turn in turns:
        [call] = turn.calls
        assert call.response["choices"][0]["tool_calls"] == [
            {"id": "c1", "name": "look", "arguments": '{"at": 4}'}
        ]
        if isinstance(call.messages[-1]["content"], str):
            continue
        assert call.messages[-1]["content"] == [
            {"type": "text", "text": turn.observation},
            {"type": "image_url", "image_url": {"url": f"data:,{turn.turn_number}"}},
        ]


def test_parts_are_shown(install: Install, tmp_path: Path) -> None:
    install(KIND, {"agents": {"shows": "Shows"}})
    file = tmp_path / "arena.db"
    with OpenAIServer(legal) as server:
        asyncio.run(run(tournament(server), url=file))

    printed = run_arena("show", "1", "--calls", "--db", file)

    assert printed.exit_code == 0, printed.stderr
    assert "(image_url)" in printed.stdout
