"""Providers that fail: the other games go on, nothing is void, and the rest is resumed later."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from arena.config import LimitsConfig, TournamentConfig, loads
from arena.core import Pause
from arena.orchestrator import Progress, Stop, run
from db import Database, get_session
from db.errors import LeaseHeld
from tests.servers.openai_server import OpenAIServer, Reply, error

pytestmark = pytest.mark.slow

DUEL = """
name: duel
seed: 5
environment: {{name: TicTacToe-v0, players: 2}}
games: 12
concurrency: {concurrency}
attempts: 1
llm: {{timeout: {timeout}, retries: {retries}, patience: {patience}}}
matchmaker: {{name: round-robin}}
models:
  - {{name: well, litellm_model: openai/well, api_base: "{well}"}}
  - {{name: ill, litellm_model: openai/ill, api_base: "{ill}"}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}}."}}
  - {{name: calm, text: "You are player {{{{player_index}}}}. Stay calm."}}
agents:
  - {{name: Ann, model: well, prompt: plain}}
  - {{name: Bob, model: well, prompt: calm}}
  - {{name: Cid, model: ill, prompt: plain}}
"""


def duel(well: str, ill: str, **settings: Any) -> TournamentConfig:
    usual = {"concurrency": 2, "timeout": 20, "retries": 2, "patience": 1}
    return loads(DUEL.format(well=well, ill=ill, **{**usual, **settings}), source="duel.yaml")


def moves(body: dict[str, Any]) -> str:
    """The first free cell that the board shows."""
    board = body["messages"][-1]["content"].rpartition("Available Moves:")[2]
    cell = board.partition("[")[2].partition("]")[0]
    return f"[{cell.strip(chr(39))}]"


def nobody() -> str:
    """An address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def test_a_model_that_only_fails_is_parked_and_the_others_play_on(database_url: str) -> None:
    with OpenAIServer(moves) as server:
        parted = asyncio.run(run(duel(server.url, nobody()), url=database_url))

        assert parted.games_completed == 4, "Ann against Bob"
        assert (parted.games_void, parted.games_left) == (0, 8)
        assert parted.stopped is not None
        assert "'ill' is parked" in parted.stopped
        assert not parted.interrupted

        with get_session(database_url) as session:
            session.connection().execute(
                text("UPDATE models SET api_base = :url WHERE name = 'ill'"), {"url": server.url}
            )
            session.connection().execute(text("UPDATE tournaments SET config_hash = :hash"), {
                "hash": duel(server.url, server.url).config_hash
            })  # fmt: skip
        mended = asyncio.run(run(duel(server.url, server.url), url=database_url))

    assert (mended.games_completed, mended.games_void, mended.games_left) == (8, 0, 0)
    assert mended.resumed == parted.paused > 0


def test_a_call_that_hangs_does_not_stop_the_rest(sqlite_url: str) -> None:
    hung = []
    others_ended = threading.Event()

    def hangs_once(body: dict[str, Any]) -> Reply | str:
        if not hung:
            hung.append(body)
            return Reply(text=moves(body), after=others_ended)
        return moves(body)

    finished: list[int] = []

    def watch(progress: Progress) -> None:
        finished.append(progress.games_done)
        if progress.games_done == 11:
            others_ended.set()

    with OpenAIServer(moves) as well, OpenAIServer(hangs_once) as ill:
        config = duel(well.url, ill.url, patience=60)
        summary = asyncio.run(run(config, url=sqlite_url, on_progress=watch))

    assert (summary.games_completed, summary.failed_calls) == (12, 0)
    assert 11 in finished, "all others ended before it"


def test_a_slow_model_does_not_stop_the_games_of_others(sqlite_url: str) -> None:
    with OpenAIServer(moves) as well, OpenAIServer(moves, latency=0.3) as ill:
        config = duel(well.url, ill.url, patience=60, concurrency=3)
        slow = config.models[1].model_copy(update={"limits": LimitsConfig(concurrency=1)})
        config = config.model_copy(update={"models": (config.models[0], slow)})
        summary = asyncio.run(run(config, url=sqlite_url))

    assert (summary.games_completed, summary.games_void) == (12, 0)
    order = rows(
        sqlite_url,
        "SELECT MIN(a.alias <> 'Cid') FROM games g JOIN game_players p ON p.game_id = g.id "
        "JOIN agents a ON a.id = p.agent_id GROUP BY g.id ORDER BY g.finished_at",
    )
    assert [bool(fast) for (fast,) in order[:4]] == [True] * 4, "Ann and Bob waited for nobody"


def test_a_key_that_is_refused_stops_early_and_nothing_is_void(sqlite_url: str) -> None:
    refuse = error(401, "no such key", "invalid_api_key")
    with OpenAIServer(moves) as well, OpenAIServer([refuse]) as ill:
        summary = asyncio.run(run(duel(well.url, ill.url), url=sqlite_url))
        assert len(ill.requests) <= 2

    assert summary.games_void == 0
    assert summary.games_left > 0
    assert summary.stopped is not None
    assert summary.stopped.count("HTTP 401") == 1
    assert rows(sqlite_url, "SELECT COUNT(*) FROM games WHERE status = 'void'") == [(0,)]


@pytest.mark.parametrize(
    ("refuse", "concurrency"),
    [
        (error(400, "System role not supported"), 6),
        (error(422, "temperature: extra inputs are not permitted"), 1),
        (error(400, "flagged", "content_filter"), 6),
        (error(400, "no", "context_length_exceeded"), 1),
        (error(429, "Request too large on tokens per min: Limit 9, Requested 99"), 6),
        (error(412, "Account x is suspended: failure to pay past invoices"), 6),
    ],
    ids=["no system role", "a parameter", "a filter", "a context", "an allowance", "a debt"],
)
def test_a_refusal_that_meets_every_call_stops_early_and_nothing_is_void(
    refuse: Reply, concurrency: int, sqlite_url: str
) -> None:
    mended = threading.Event()

    def until_mended(body: dict[str, Any]) -> Reply | str:
        return moves(body) if mended.is_set() else refuse

    with OpenAIServer(moves) as well, OpenAIServer(until_mended) as ill:
        config = duel(well.url, ill.url, concurrency=concurrency)
        summary = asyncio.run(run(config, url=sqlite_url))
        asked = len(ill.requests)
        mended.set()
        resumed = asyncio.run(run(config, url=sqlite_url))

    assert asked <= 12
    assert (summary.games_void, summary.paused > 0) == (0, True)
    assert summary.stopped is not None
    assert f"HTTP {refuse.status}" in summary.stopped
    assert (resumed.games_left, resumed.games_void) == (0, 0)


def test_a_quota_that_is_used_up_parks_its_model_until_it_says(sqlite_url: str) -> None:
    later = datetime.now(UTC).date() + timedelta(days=20)
    words = f"You have reached your specified API usage limits. You will regain access on {later}"
    with OpenAIServer(moves) as well, OpenAIServer([error(400, words)]) as ill:
        summary = asyncio.run(run(duel(well.url, ill.url), url=sqlite_url))
        assert len(ill.requests) <= 2

    assert (summary.games_void, summary.games_completed) == (0, 4)
    assert str(summary.stopped).startswith("model 'ill' is parked: no call is answered within")
    assert "run the command again when there is a new one (it resumes)" in str(summary.stopped)
    assert f"There is a new one at {later} 00:00 UTC (in " in str(summary.stopped)


def test_a_refusal_that_meets_one_game_is_that_games_and_the_others_go_on(sqlite_url: str) -> None:
    asked: list[dict[str, Any]] = []

    def once(body: dict[str, Any]) -> Reply | str:
        asked.append(body)
        return error(400, "not this one") if len(asked) == 1 else moves(body)

    with OpenAIServer(moves) as well, OpenAIServer(once) as ill:
        summary = asyncio.run(run(duel(well.url, ill.url, concurrency=1), url=sqlite_url))

    assert (summary.games_completed, summary.games_void, summary.games_left) == (12, 0, 0)
    assert summary.stopped is None
    assert summary.failed_calls == 1


def test_thirty_percent_of_failures_lose_no_game(database_url: str) -> None:
    asked = 0

    def often(body: dict[str, Any]) -> Reply | str:
        nonlocal asked
        asked += 1
        return {3: error(500, "oops"), 6: Reply(cut=0), 9: Reply(body="<html>")}.get(
            asked % 10, moves(body)
        )

    with OpenAIServer(often) as server:
        config = duel(server.url, server.url, retries=8, patience=60, concurrency=6)
        summary = asyncio.run(run(config, url=database_url))
        hits = len(server.requests)

    assert (summary.games_completed, summary.games_void) == (12, 0)
    assert rows(database_url, "SELECT COUNT(*) FROM llm_calls") == [(hits,)]
    assert summary.failed_calls > 0.2 * hits


def test_a_second_run_of_the_same_tournament_is_refused_while_the_first_lives(
    database_url: str,
) -> None:
    with OpenAIServer(moves, latency=0.05) as server:
        config = duel(server.url, server.url)

        async def both() -> None:
            stop = Stop()
            first = asyncio.create_task(run(config, url=database_url, stop=stop))
            await asyncio.to_thread(server.wait_for_request)
            with Database(database_url) as other, pytest.raises(LeaseHeld, match="process"):
                await asyncio.to_thread(other.lease, 1)
            stop.request()
            assert (await first).interrupted

        asyncio.run(both())
        summary = asyncio.run(run(config, url=database_url))

    assert (summary.games_left, summary.games_void) == (0, 0)


def test_whoever_waits_when_a_run_stops_is_told_so_and_the_first_reason_stays() -> None:
    stop = Stop()
    assert stop.going()

    async def main() -> str:
        stop.request("the budget is reached")
        stop.request("something else")
        return await stop.unless(asyncio.sleep(5, "waited"))

    with pytest.raises(Pause, match="stopping"):
        asyncio.run(main())
    assert stop.reason == "the budget is reached"
