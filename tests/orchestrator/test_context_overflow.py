"""Whole games with a server whose context is too short: void once, lost, or played on with less;
what was decided replays."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from arena import registry
from arena.analysis import calls_df, games_df, turns_df
from arena.config import TournamentConfig, parse
from arena.core import Message
from arena.llm.overflow import LEFT_OUT
from arena.orchestrator import Stop, run
from arena.replay.check import check
from tests.servers.openai_server import OpenAIServer, Reply, error

pytestmark = pytest.mark.slow

WORDS = "the request exceeds the available context size, try increasing it"


class ShortContext:
    """Answers legally what is no longer than it can take; what is longer stops a run, if it is
    given one's stop."""

    def __init__(self, characters: int, stop: Stop | None = None) -> None:
        self.characters = characters
        self.stop = stop
        self.refused = 0

    def __call__(self, body: dict[str, Any]) -> Reply | str:
        messages: list[Message] = body["messages"]
        if sum(len(str(message["content"])) for message in messages) > self.characters:
            self.refused += 1
            if self.stop is not None:
                self.stop.requested = True
            return error(400, WORDS, "exceed_context_size_error")
        said = str(messages[-1]["content"])
        return registry.policy("random")(messages, random.Random(said))


def tournament(server: OpenAIServer, overflow: str, history: str = "whole") -> TournamentConfig:
    return parse(
        {
            "name": "long talk",
            "environment": {"name": "TicTacToe-v0", "players": 2, "overflow": overflow},
            "games": 2,
            "concurrency": 1,
            "models": [
                {"name": "short", "litellm_model": "openai/short", "api_base": server.url},
                {"name": "free", "litellm_model": "scripted/random"},
            ],
            "prompts": [{"name": "plain", "text": "Win."}],
            "agents": [
                {
                    "name": "Short", "model": "short", "prompt": "plain",
                    "options": {"history": history},
                },
                {"name": "Free", "model": "free", "prompt": "plain"},
            ],
        }
    )  # fmt: skip


def test_a_game_that_is_too_long_is_void_and_not_played_again(sqlite_url: str) -> None:
    context = ShortContext(900)
    with OpenAIServer(context) as server:
        summary = asyncio.run(run(tournament(server, "void"), url=sqlite_url))
    games = games_df(sqlite_url)
    assert dict(summary.void_causes) == {"context": len(games[games.status == "void"])}
    assert context.refused == len(games[games.status == "void"]) > 0, "one wall, met once a game"
    assert "`-c` (`--ctx-size`)" in games.error.dropna().iloc[0]
    assert len(games) == 2


def test_who_cannot_follow_loses(sqlite_url: str) -> None:
    context = ShortContext(900)
    with OpenAIServer(context) as server:
        summary = asyncio.run(run(tournament(server, "lose"), url=sqlite_url))
        sent = len(server.requests)
    assert summary.games_completed == 2
    games = games_df(sqlite_url)
    assert set(games.termination) <= {"overlong", "natural"}
    lost = turns_df(sqlite_url, agent="Short").query("lapse == 'overlong'")
    assert (lost.action == "").all()
    assert context.refused == len(set(lost.game_id)) > 0
    assert all(check(int(game), sqlite_url).ok for game in games.game_id)
    assert len(server.requests) == sent


@pytest.mark.parametrize("history", ["whole", "chat"])
def test_the_oldest_is_left_out_and_the_game_is_played_on(database_url: str, history: str) -> None:
    stop = Stop()
    context = ShortContext(900, stop)
    with OpenAIServer(context) as server:
        config = tournament(server, "truncate-oldest", history)
        first = asyncio.run(run(config, url=database_url, stop=stop))
        refused = context.refused
        summary = asyncio.run(run(config, url=database_url))
    assert first.games_completed < 2, "it was stopped where the first call had been too long"
    assert first.games_completed + summary.games_completed == 2
    games = games_df(database_url)
    assert set(games.status) == {"completed"}
    calls = calls_df(database_url, agent="Short", messages=True)
    shortened = calls[[any(LEFT_OUT in one["content"] for one in sent) for sent in calls.messages]]
    assert len(shortened) > 0
    assert shortened.error_class.isna().all()
    too_long = calls[calls.error_class == "ContextOverflow"]
    assert len(too_long) == context.refused
    assert refused == 1
    assert context.refused <= len(games), "what was decided holds after a stop as well"
    assert (too_long.groupby("game_id").size() == 1).all()
    assert all(check(int(game), database_url).ok for game in games.game_id)
