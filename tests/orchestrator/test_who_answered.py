"""Who answered is on record, streamed or not, and shown with what the provider had cached."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from arena import registry
from arena.analysis import calls_df
from arena.config import parse
from arena.orchestrator import run
from db import get_session
from db.queries.answered import backends
from db.selection import Selection
from tests.cli.commands import run_arena
from tests.servers.openai_server import OpenAIServer, Reply

pytestmark = pytest.mark.slow

USAGE = {
    "prompt_tokens": 400,
    "completion_tokens": 4,
    "total_tokens": 404,
    "prompt_tokens_details": {"cached_tokens": 300},
}


def legal(body: dict[str, Any]) -> Reply:
    messages = body["messages"]
    move = registry.policy("random")(messages, random.Random(str(messages[-1]["content"])))
    return Reply(move, headers={"x-ms-region": "Sweden Central"}, provider="Together", usage=USAGE)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["openai/m", "openrouter/a/m"])
def test_who_answered_is_on_record_and_shown(tmp_path: Path, name: str, stream: bool) -> None:
    file = tmp_path / "arena.db"
    with OpenAIServer(legal) as server:
        model = {"name": "m", "litellm_model": name, "api_base": server.url, "stream": stream}
        config = parse(
            {
                "name": "who",
                "environment": {"name": "TicTacToe-v0", "players": 2},
                "games": 1,
                "models": [model],
                "prompts": [{"name": "p", "text": "Win."}, {"name": "q", "text": "Draw."}],
                "agents": [
                    {"name": "A", "model": "m", "prompt": "p"},
                    {"name": "B", "model": "m", "prompt": "q"},
                ],
            }
        )
        asyncio.run(run(config, url=file))

    calls = calls_df(file, messages=True)
    assert set(calls.provider) == {"Together"}
    assert set(calls.region) == {"Sweden Central"}
    assert set(calls.cached_tokens) == {300}
    assert (calls.groupby("player_index").shared.first() == 0).all()
    assert (calls[calls.turn_number > 2].shared > 0.5).all()

    with get_session(file) as session:
        ((told,), (also,)) = backends(session, Selection()).values()
    # A stream of this server names no fingerprint.
    assert told == also == ("Together" if stream else "Together fingerprint fp_loopback")

    printed = run_arena("show", "1", "--calls", "--db", file)
    assert printed.exit_code == 0, printed.stderr
    assert "answered by: " in printed.stdout
    assert "at Together · in Sweden Central" in printed.stdout
    assert "400 + 4 tokens · 300 of them cached" in printed.stdout
    assert "of the prompts as before · 75% of their tokens cached" in " ".join(
        printed.stdout.split()
    )
