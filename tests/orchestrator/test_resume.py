"""A run that ends early is resumed: nothing answered is asked again, nothing is lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from arena import registry
from arena.config import TournamentConfig
from arena.orchestrator import Progress, Stop, Summary, restore, run
from arena.replay.branch import branch
from arena.replay.check import check
from db import get_session
from db.codec import Codec
from tests.servers.openai_server import OpenAIServer

Small = Callable[..., TournamentConfig]

# A call may be cancelled between the moment LiteLLM makes a coroutine and the one it awaits it.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

RATINGS = (
    "SELECT g.schedule_index, c.agent_id, c.mu_before, c.sigma_before, c.mu_after, c.sigma_after "
    "FROM rating_changes c JOIN games g ON g.id = c.game_id ORDER BY c.pool_id, g.fold_index, "
    "c.agent_id"
)
GAMES = (
    "SELECT schedule_index, status, winning_team, termination, reason, turn_count FROM games "
    "WHERE status <> 'void' ORDER BY schedule_index"
)
TURNS = (
    "SELECT g.schedule_index, t.turn_number, t.player_index, t.action, t.submitted, t.invalid, "
    "t.lapse FROM game_turns t JOIN games g ON g.id = t.game_id WHERE g.status = 'completed' "
    "ORDER BY 1, 2, 3"
)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def legal(body: dict[str, Any]) -> str:
    """Plays as `scripted/random` would, from nothing but the request."""
    rng = random.Random(body["messages"][-1]["content"])
    return registry.policy("random")(body["messages"], rng)


def over_http(small: Small, server: OpenAIServer, *changes: tuple[str, str]) -> TournamentConfig:
    settings = (
        f"api_base: {server.url}, input_price: 1.0, output_price: 2.0, params: {{max_tokens: 50}}"
    )
    return small(
        ("games: 12", "games: 4"),
        ("{name: random, litellm_model: scripted/random}",
         f"{{name: random, litellm_model: openai/one, {settings}}}"),
        ("{name: naive, litellm_model: scripted/mafia-naive}",
         f"{{name: naive, litellm_model: openai/two, {settings}}}"),
        *changes,
    )  # fmt: skip


def until(
    config: TournamentConfig,
    url: str,
    enough: Callable[[Progress], bool],
    *,
    at_once: bool,
) -> Summary | None:
    """Run until `enough`, then stop: in order, or by cancelling."""

    async def main() -> Summary | None:
        stop = Stop()

        def watch(progress: Progress) -> None:
            if enough(progress):
                if at_once:
                    task.cancel()
                else:
                    stop.request()

        task = asyncio.create_task(run(config, url=url, on_progress=watch, stop=stop))
        try:
            return await task
        except asyncio.CancelledError:
            return None

    return asyncio.run(main())


@pytest.mark.parametrize("at_once", [False, True], ids=["in order", "at once"])
def test_a_run_that_was_stopped_goes_on_in_the_middle_of_its_games(
    small: Small, database_url: str, tmp_path: Any, at_once: bool
) -> None:
    whole = f"sqlite:///{tmp_path}/whole.db"
    with OpenAIServer(legal, latency=0.01) as server:
        config = over_http(small, server)
        asyncio.run(run(config, url=whole))
        server.requests.clear()

        first = until(config, database_url, lambda seen: seen.turns >= 20, at_once=at_once)
        begun = rows(database_url, "SELECT COUNT(*) FROM games WHERE status = 'running'")
        answered = rows(
            database_url,
            "SELECT COUNT(*) FROM llm_calls WHERE response_received_at IS NOT NULL",
        )[0][0]
        second = asyncio.run(run(config, url=database_url))
        asked = len(server.requests)

    assert begun != [(0,)]
    if first is not None:
        assert first.interrupted
        assert first.paused == begun[0][0]
        assert second.orphans == 0
    assert second.resumed == begun[0][0]
    for query in (GAMES, TURNS, RATINGS):
        assert rows(database_url, query) == rows(whole, query)
    # An intent may be on disk whose request had not left yet.
    on_record = rows(database_url, "SELECT COUNT(*) FROM llm_calls")[0][0]
    assert on_record == answered + second.orphans + second.calls
    assert asked <= on_record <= asked + second.orphans
    orphans = "SELECT COUNT(*), SUM(charged) FROM llm_calls WHERE error_class = 'Orphaned'"
    ((count, charged),) = rows(database_url, orphans)
    assert count == second.orphans
    assert (charged or 0.0) == pytest.approx(second.orphan_cost)
    assert not at_once or second.orphans == 0 or second.orphan_cost > 0
    for (game,) in rows(database_url, "SELECT id FROM games"):
        assert check(game, database_url).ok


def test_no_answer_is_asked_for_twice(small: Small, sqlite_url: str) -> None:
    with OpenAIServer(legal) as server:
        config = over_http(small, server)
        until(config, sqlite_url, lambda seen: seen.turns >= 15, at_once=True)
        asked = Counter(str(request.body["messages"]) for request in server.requests)
        until(config, sqlite_url, lambda seen: seen.turns >= 15, at_once=True)
        asyncio.run(run(config, url=sqlite_url))
        hashes = rows(
            sqlite_url,
            "SELECT request_hash, COUNT(*) FROM llm_calls WHERE error_class IS NULL "
            "GROUP BY game_turn_id, request_hash HAVING COUNT(*) > 1",
        )

    assert asked
    assert hashes == []


def test_a_game_whose_record_is_damaged_is_void_and_played_anew(
    small: Small, database_url: str
) -> None:
    until(small(), database_url, lambda seen: seen.turns >= 20, at_once=True)
    with get_session(database_url) as session:
        damaged = session.connection().execute(
            text(
                "UPDATE turn_payloads SET body = :body WHERE game_turn_id IN "
                "(SELECT t.id FROM game_turns t JOIN games g ON g.id = t.game_id "
                "WHERE g.status = 'running' AND t.turn_number = 1)"
            ),
            {"body": Codec().pack("another text")[:-1] + b"?"},
        )
    summary = asyncio.run(run(small(), url=database_url))

    assert summary.void_causes["divergence"] == damaged.rowcount > 0
    assert rows(database_url, "SELECT COUNT(*) FROM games WHERE status = 'completed'") == [(12,)]
    ((said,), *_) = rows(database_url, "SELECT error FROM games WHERE status = 'void'")
    assert "is damaged at turn 1 " in said


def test_a_game_that_differs_from_its_record_is_void_and_played_anew(
    small: Small, database_url: str
) -> None:
    until(small(), database_url, lambda seen: seen.turns >= 20, at_once=True)
    with get_session(database_url) as session:
        session.connection().execute(
            text(
                "UPDATE llm_calls SET request_hash = 'another' WHERE game_turn_id IN "
                "(SELECT t.id FROM game_turns t JOIN games g ON g.id = t.game_id "
                "WHERE g.status = 'running' AND t.turn_number = 1)"
            )
        )

    changed = "SELECT COUNT(DISTINCT game_turn_id) FROM llm_calls WHERE request_hash = 'another'"
    ((differing,),) = rows(database_url, changed)

    summary = asyncio.run(run(small(), url=database_url))

    assert summary.games_completed + summary.games_void >= 1
    assert summary.resumed >= summary.void_causes["divergence"] == differing > 0
    void = rows(
        database_url, "SELECT error, final FROM games WHERE status = 'void' ORDER BY id LIMIT 1"
    )
    assert "turn 1" in void[0][0]
    assert not void[0][1]
    assert rows(database_url, "SELECT COUNT(*) FROM games WHERE status = 'completed'") == [(12,)]
    kept = (
        "SELECT COUNT(*) FROM game_turns t JOIN games g ON g.id = t.game_id WHERE g.status = 'void'"
    )
    assert rows(database_url, kept) != [(0,)]


def test_a_tournament_is_resumed_without_its_file(small: Small, sqlite_url: str) -> None:
    config = small(("games: 12", "games: 12\nattempts: 7"))
    until(config, sqlite_url, lambda seen: seen.turns >= 10, at_once=False)

    found = restore(sqlite_url)

    assert found.config_hash == config.config_hash
    assert found.attempts == 7
    summary = asyncio.run(run(found, url=sqlite_url))
    assert summary.games_left == 0


def test_an_agent_that_takes_too_long_forfeits_its_turn_and_replays(
    small: Small, database_url: str
) -> None:
    with OpenAIServer(legal, latency=0.05) as server:
        config = over_http(small, server, ("players: 6,", "players: 6, time_limit: 0.01,"))
        config = config.model_copy(update={"games": 1})
        summary = asyncio.run(run(config, url=database_url, games=1))

    assert summary.games_completed == 1
    assert summary.lapses == {"time_limit": summary.turns}
    assert rows(database_url, "SELECT DISTINCT lapse FROM game_turns") == [("time_limit",)]
    assert check(1, database_url).ok


def test_a_budget_is_never_overshot_and_the_rest_is_played_when_it_is_raised(
    small: Small, database_url: str
) -> None:
    with OpenAIServer(legal) as server:
        config = over_http(small, server)
        poor = asyncio.run(run(config, url=database_url, budget=0.02))
        spent = rows(database_url, "SELECT SUM(charged), SUM(cost) FROM llm_calls")
        rich = asyncio.run(run(config, url=database_url, budget=100.0))

    assert poor.stopped is not None
    assert "budget" in poor.stopped
    assert poor.budget_reached
    assert not rich.budget_reached
    assert not poor.interrupted
    assert 0.0 < spent[0][0] <= 0.02
    assert poor.spent == pytest.approx(spent[0][0])
    assert poor.games_completed >= 1, "a budget buys games to their end"
    assert poor.paused <= 2
    assert poor.game_price is not None
    assert poor.game_price.mean is not None
    assert poor.game_price.next_dollar == poor.games_left, "all of them cost less"
    assert rich.games_left == rich.games_void == 0
    assert rich.stopped is None
    assert rich.spent > poor.spent


def test_answers_on_record_are_given_again_when_that_is_asked_for(
    small: Small, database_url: str
) -> None:
    with OpenAIServer(lambda body: "I have nothing to say.") as server:
        cached = ("seed: 7", "seed: 7\ncache: {ttl: 3600, rated: true}")
        first = asyncio.run(run(over_http(small, server, cached), url=database_url))
        asked = len(server.requests)
        again = ("name: small", "name: again")
        second = asyncio.run(run(over_http(small, server, cached, again), url=database_url))

    assert asked == first.calls - first.cached_calls
    assert second.calls == second.cached_calls > 0
    assert second.cost == 0.0
    assert len(server.requests) == asked
    assert rows(database_url, "SELECT COUNT(*) FROM llm_calls WHERE cached") == [
        (first.cached_calls + second.cached_calls,)
    ]
    for (game,) in rows(database_url, "SELECT id FROM games"):
        assert check(game, database_url).ok


def test_answers_that_were_kept_are_given_to_branches_only(small: Small, sqlite_url: str) -> None:
    with OpenAIServer(legal) as server:
        config = over_http(small, server, ("seed: 7", "seed: 7\ncache: {ttl: 3600}"))
        rated = asyncio.run(run(config, url=sqlite_url, games=1))
        asked = len(server.requests)
        first = rows(
            sqlite_url,
            "SELECT a.alias FROM game_players p JOIN agents a ON a.id = p.agent_id "
            "WHERE p.game_id = 1 AND p.player_index = 0",
        )
        another = "Ann" if first != [("Ann",)] else "Bob"
        report = asyncio.run(
            branch(1, 5, {0: another}, times=1, control=True, url=sqlite_url, cache=3600)
        )
        answered = len(server.requests) - asked

    assert (rated.cached_calls, asked) == (0, rated.calls)
    control = report.controls[0]
    calls = "SELECT COUNT(*), SUM(cached) FROM llm_calls WHERE id / 4294967296 = "
    ((made, cached),) = rows(sqlite_url, f"{calls}{control}")
    assert made == cached > 0, "the same game from the same turn on asks the same"
    assert answered < made * 2
    assert check(control, sqlite_url).ok
