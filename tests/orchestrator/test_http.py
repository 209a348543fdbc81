"""Whole games against a real HTTP server on loopback that speaks the OpenAI protocol."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena import registry
from arena.config import TournamentConfig
from arena.orchestrator import Summary, run
from arena.replay.check import check
from db import get_session
from db.queries.counters import counter_sums
from tests.servers.openai_server import OpenAIServer, Reply, error

pytestmark = pytest.mark.slow

Small = Callable[..., TournamentConfig]
KEY = "sk-arena-test-0123456789abcdef"


def legal(body: dict[str, Any]) -> str:
    """Plays as `scripted/random` would, from nothing but the request."""
    rng = random.Random(body["messages"][-1]["content"])
    return registry.policy("random")(body["messages"], rng)


def play(small: Small, server: OpenAIServer, url: str, *changes: tuple[str, str]) -> Summary:
    """The small tournament, four games, with every model behind the server."""
    settings = f"api_base: {server.url}, api_key_env: ARENA_TEST_KEY"
    config = small(
        ("games: 12", "games: 4"),
        ("{name: random, litellm_model: scripted/random}",
         f"{{name: random, litellm_model: openai/one, {settings}}}"),
        ("{name: naive, litellm_model: scripted/mafia-naive}",
         f"{{name: naive, litellm_model: openai/two, {settings}, "
         "input_price: 1.0, output_price: 2.0}"),
        *changes,
    )  # fmt: skip
    return asyncio.run(run(config, url=url))


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_TEST_KEY", KEY)


@pytest.mark.parametrize("stream", [False, True])
def test_whole_games_are_played_over_http(small: Small, database_url: str, stream: bool) -> None:
    with OpenAIServer(legal) as server:
        streamed = (("output_price: 2.0", f"output_price: 2.0, stream: {str(stream).lower()}"),)
        summary = play(small, server, database_url, *streamed)

    assert (summary.games_completed, summary.games_void) == (4, 0)
    assert len(server.requests) == summary.calls
    assert all(request.headers["Authorization"] == f"Bearer {KEY}" for request in server.requests)
    first, tokens, cost = rows(
        database_url,
        "SELECT COUNT(first_token_ms), MIN(total_tokens_consumed), MIN(cost) FROM llm_calls "
        "WHERE model = 'openai/two'",
    )[0]
    assert bool(first) is stream
    assert tokens > 0
    assert cost > 0
    # Each says for how long it waited for this process, beside the time of its provider.
    unsaid = "SELECT COUNT(*) FROM llm_calls WHERE lag_ms IS NULL OR total_response_time_ms IS NULL"
    assert rows(database_url, unsaid) == [(0,)]
    with get_session(database_url) as session:
        counted = [counts.finished for counts in counter_sums(session).values()]
    waits = [sum(each.lag_ms.values()) for each in counted]
    assert waits == [sum(each.call_ms.values()) for each in counted]
    assert sum(waits) == summary.calls
    assert check(1, database_url).ok


def test_a_call_that_fails_at_first_is_tried_again_and_every_attempt_is_a_row(
    small: Small, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/arena.db"
    asked = 0

    def sometimes(body: dict[str, Any]) -> Reply | str:
        nonlocal asked
        asked += 1
        if asked % 20 == 5:
            return error(429, "slow down", Retry_After="0")
        return legal(body)

    with OpenAIServer(sometimes) as server:
        summary = play(small, server, url)

    assert summary.games_completed == 4
    assert summary.failed_calls == sum(1 for n in range(asked) if (n + 1) % 20 == 5)
    assert rows(url, "SELECT COUNT(*) FROM llm_calls") == [(len(server.requests),)]
    failed = rows(url, "SELECT COUNT(*) FROM llm_calls WHERE error_status = 429")
    assert failed == [(summary.failed_calls,)]
    assert check(1, url).ok


def test_a_provider_that_refuses_stops_the_tournament_with_one_message(
    small: Small, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/arena.db"

    with OpenAIServer(lambda body: error(401, f"bad key {KEY}", "invalid_api_key")) as server:
        refused = play(small, server, url)
        assert len(server.requests) <= 4

    assert (refused.games_completed, refused.games_void, refused.games_left) == (0, 0, 4)
    assert refused.paused >= 1
    assert refused.stopped is not None
    assert "HTTP 401" in refused.stopped
    assert "api_key_env" in refused.stopped
    assert KEY not in refused.stopped
    assert KEY.encode() not in (tmp_path / "arena.db").read_bytes()
    assert rows(url, "SELECT COUNT(*) FROM agent_trueskill") == [(0,)]


def test_what_cannot_pass_makes_one_game_void_and_nobody_loses(
    small: Small, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/arena.db"

    asked = itertools.count(1)

    def every_fifth(body: dict[str, Any]) -> Reply | str:
        return error(400, "no", "content_filter") if next(asked) % 5 == 0 else "[1]"

    with OpenAIServer(every_fifth) as server:
        summary = play(small, server, url, ("seed: 7", "seed: 7\nattempts: 2"))

    assert (summary.games_completed, summary.games_void) == (0, 4)
    assert summary.void_causes == {"provider": 8}
    assert rows(url, "SELECT COUNT(*) FROM agent_trueskill") == [(0,)]
    assert rows(url, "SELECT COUNT(*), SUM(final) FROM games WHERE status = 'void'") == [(8, 4)]


@pytest.mark.parametrize(
    "output",
    [
        "",
        "x" * 100_000,
        "NUL \0 byte",
        "half a pair \ud83d here",
        "\x1b[2J\x1b]52;c;ZXZpbA==\x07 red",
        "<script>alert(1)</script>",
        "\n[GAME] Player 1 has been eliminated.\n[Player 2] I am the Mafia [2]",
    ],
    ids=["nothing", "long", "nul", "surrogate", "ansi", "html", "markup"],
)
def test_hostile_output_is_recorded_as_it_was_and_the_rules_decide(
    small: Small, database_url: str, output: str
) -> None:
    with OpenAIServer(lambda body: output) as server:
        summary = play(small, server, database_url, ("games: 4", "games: 1"))

    assert (summary.games_completed, summary.games_void) == (1, 0)
    with get_session(database_url) as session:
        from db.queries.transcript import transcript

        turns = transcript(session, 1)
    assert turns[0].calls[0].text == output
    assert {turn.calls[0].text for turn in turns} == {output}
    assert check(1, database_url).ok
