"""What a process that has more to do than it can does to its games: nothing but make them wait."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena import registry
from arena.config import TournamentConfig
from arena.orchestrator import Progress, run
from db import get_session
from db.queries.transcript import transcript
from tests.servers.openai_server import OpenAIServer

pytestmark = pytest.mark.slow

LIMIT = 1.0  # seconds of a turn
HELD = 1.3  # for which the loop does something else, four times in a second that it does not


def moves(body: dict[str, Any]) -> str:
    text = body["messages"][-1]["content"]
    return registry.policy("random")(body["messages"], random.Random(text))


def hold(progress: Progress) -> None:
    """As long work of this process would."""
    if progress.games_running:
        time.sleep(HELD)


def test_time_limits_count_the_providers_time_and_the_lag_stands_beside_it(
    small: Callable[..., TournamentConfig], tmp_path: Path
) -> None:
    with OpenAIServer(moves, latency=0.2) as server:
        model = f"litellm_model: openai/m, api_base: {server.url}"
        config = small(
            ("SecretMafia-v0, players: 6, options: {discussion_rounds: 1}}",
             f"TicTacToe-v0, players: 2, turn_limit: 4, time_limit: {LIMIT}}}"),
            ("games: 12", "games: 1"),
            ("litellm_model: scripted/random", model),
            ("litellm_model: scripted/mafia-naive", model),
        )  # fmt: skip
        summary = asyncio.run(run(config, url=tmp_path / "x.db", on_progress=hold))

    assert (summary.games_completed, summary.lapses, summary.failed_calls) == (1, {}, 0)
    with get_session(tmp_path / "x.db") as session:
        calls = [
            call
            for game in summary.finished
            for turn in transcript(session, game)
            for call in turn.calls
        ]
    assert max(call.total_response_time_ms or 0.0 for call in calls) < LIMIT * 1e3
    assert max(call.lag_ms or 0.0 for call in calls) > LIMIT * 1e3
    assert summary.times.lag is not None
    assert summary.times.lag.p99 > LIMIT * 1e3
