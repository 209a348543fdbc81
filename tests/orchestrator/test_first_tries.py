"""What was never answered may be changed and plays on under its name; what was played stays as it
is, and a change of it is another version."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arena import registry
from arena.config import TournamentConfig, parse
from arena.core import ConfigError
from arena.forecast.plan import plan
from arena.leaderboard.rebuild import rebuild
from arena.orchestrator import Stop, restore, run
from arena.replay.check import check
from db import Repository, get_session
from db.finding import find
from tests.replay.test_branch import rows
from tests.servers.openai_server import OpenAIServer, Reply, error

pytestmark = pytest.mark.slow

SCHEDULE = (
    "SELECT g.schedule_index, g.seed, p.player_index, a.alias, p.rank FROM games g "
    "JOIN game_players p ON p.game_id = g.id JOIN agents a ON a.id = p.agent_id "
    "WHERE g.schedule_index IS NOT NULL ORDER BY 1, 3"
)
RATINGS = (
    "SELECT a.alias, t.mu, t.sigma, t.games FROM agent_trueskill t "
    "JOIN agents a ON a.id = t.agent_id ORDER BY t.pool_id, 1"
)


def legal(body: dict[str, Any]) -> Reply | str:
    """A legal move; of a model that is not served, what llama.cpp and vLLM say of it."""
    if body["model"] != "mini":
        return error(404, "no such model", "model_not_found")
    text = str(body["messages"][-1]["content"])
    return registry.policy("random")(body["messages"], random.Random(text))


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(legal) as serving:
        yield serving


def cup(server: OpenAIServer, model: dict[str, Any] | None = None, **more: Any) -> TournamentConfig:
    """Two agents of one model of a local server."""
    return parse(
        {
            "name": "cup",
            "environment": {"name": "TicTacToe-v0", "players": 2},
            "games": 4,
            "concurrency": 2,
            "models": [
                {"name": "mini", "litellm_model": "openai/mini", "api_base": server.url}
                | (model or {})
            ],
            "prompts": [{"name": "plain", "text": "Win."}],
            "agents": [
                {"name": "Ann", "model": "mini", "prompt": "plain"},
                {"name": "Bob", "model": "mini", "prompt": "plain", "options": {"history": "chat"}},
            ],
            "llm": {"retries": 0, "doubt": 1},
        }
        | more
    )


def scripted(model: dict[str, Any] | None = None, **more: Any) -> TournamentConfig:
    """The same with a model that needs no server."""
    played = {"name": "mini", "litellm_model": "scripted/random"} | (model or {})
    return parse(
        {
            "name": "cup",
            "environment": {"name": "TicTacToe-v0", "players": 2},
            "games": 4,
            "models": [played],
            "prompts": [{"name": "plain", "text": "Win."}],
            "agents": [
                {"name": "Ann", "model": "mini", "prompt": "plain"},
                {"name": "Bob", "model": "mini", "prompt": "plain", "options": {"history": "chat"}},
            ],
        }
        | more
    )


def names(url: str, table: str) -> list[Any]:
    column = "alias" if table == "agents" else "name"
    return [name for (name,) in rows(url, f"SELECT {column} FROM {table} ORDER BY id")]


def test_a_typo_is_mended_and_the_run_goes_on_under_the_same_names(
    server: OpenAIServer, database_url: str
) -> None:
    wrong = asyncio.run(run(cup(server, {"litellm_model": "openai/mni"}), url=database_url))
    assert wrong.stopped is not None
    assert wrong.games_completed == 0

    right = asyncio.run(run(cup(server), url=database_url))

    assert (right.games_completed, right.games_void, right.games_left) == (4, 0, 0)
    assert names(database_url, "models") == ["mini"]
    assert names(database_url, "agents") == ["Ann", "Bob"]
    assert names(database_url, "tournaments") == ["cup"]
    with get_session(database_url) as session:
        (model,) = Repository(session).get_models()
        assert model.litellm_model_name == "openai/mini"
    assert all(
        check(game, database_url).ok for (game,) in rows(database_url, "SELECT id FROM games")
    )
    assert rebuild(database_url, check=True).ok


def test_one_of_two_models_is_mended_where_the_other_has_answered(
    server: OpenAIServer, sqlite_url: str
) -> None:
    def mixed(served: str) -> TournamentConfig:
        return parse(
            {
                **{"name": "cup", "games": 2, "seed": 3, "llm": {"retries": 0, "doubt": 1}},
                "environment": {"name": "TicTacToe-v0", "players": 2},
                "models": [
                    {"name": "sure", "litellm_model": "scripted/random"},
                    {"name": "mini", "litellm_model": served, "api_base": server.url},
                ],
                "prompts": [{"name": "plain", "text": "Win."}],
                "agents": [
                    {"name": "Ann", "model": "sure", "prompt": "plain"},
                    {"name": "Bob", "model": "mini", "prompt": "plain"},
                ],
            }
        )

    wrong = asyncio.run(run(mixed("openai/mni"), url=sqlite_url))
    answered = "SELECT COUNT(*) FROM llm_calls WHERE error_class IS NULL"
    ((before,),) = rows(sqlite_url, answered)
    assert (wrong.games_completed, before > 0) == (0, True)

    right = asyncio.run(run(mixed("openai/mini"), url=sqlite_url))

    assert (right.games_completed, right.games_void, right.games_left) == (2, 0, 0)
    assert names(sqlite_url, "models") == ["sure", "mini"]
    assert names(sqlite_url, "agents") == ["Ann", "Bob"]
    assert rows(sqlite_url, answered) == [(right.calls - right.failed_calls + before,)]
    assert all(check(game, sqlite_url).ok for (game,) in rows(sqlite_url, "SELECT id FROM games"))


def test_everything_of_a_first_try_may_be_changed(server: OpenAIServer, database_url: str) -> None:
    asyncio.run(run(cup(server, {"litellm_model": "openai/mni"}), url=database_url))

    other = cup(
        server,
        seed=5,
        games=3,
        environment={"name": "Nim-v0", "players": 2},
        prompts=[
            {"name": "plain", "text": "Play well."},
            {"name": "brief", "text": "Be brief.", "forked_from": "plain"},
        ],
        agents=[
            {"name": "Cy", "model": "mini", "prompt": "plain"},
            {"name": "Ann", "model": "mini", "prompt": "brief"},
        ],
    )
    done = asyncio.run(run(other, url=database_url))

    assert (done.games_completed, done.games_left) == (3, 0)
    assert names(database_url, "prompts") == ["plain", "brief"]
    assert sorted(names(database_url, "agents")) == ["Ann", "Bob", "Cy"]
    assert rows(database_url, "SELECT name, seed, games FROM tournaments") == [("cup", 5, 3)]
    assert rows(database_url, "SELECT content FROM prompts ORDER BY id") == [
        ("Play well.",), ("Be brief.",),
    ]  # fmt: skip
    assert restore(database_url, "cup").config_hash == other.config_hash


def test_what_was_played_is_not_changed_but_has_versions(
    database_url: str,
) -> None:
    asyncio.run(run(scripted(), url=database_url))
    before = rows(database_url, RATINGS)
    changed = scripted(
        {"params": {"max_tokens": 99}, "limits": {"concurrency": 1}},
        prompts=[{"name": "plain", "text": "Win!"}],
    )  # fmt: skip

    with pytest.raises(
        ConfigError, match=r"begun with the agent 'Ann'.*another one.*'Ann@2'.*name"
    ):
        asyncio.run(run(changed, url=database_url))
    assert names(database_url, "agents") == ["Ann", "Bob"]

    second = asyncio.run(run(changed.model_copy(update={"name": "cup 2"}), url=database_url))
    third = asyncio.run(run(changed.model_copy(update={"name": "cup 3"}), url=database_url))

    assert {row.name for row in second.standings} == {"Ann@2", "Bob@2"}
    assert {row.name for row in third.standings} == {"Ann@2", "Bob@2"}
    assert names(database_url, "models") == ["mini", "mini@2"]
    assert names(database_url, "prompts") == ["plain", "plain@2"]
    assert names(database_url, "agents") == ["Ann", "Bob", "Ann@2", "Bob@2"]
    assert rows(database_url, "SELECT forked_from FROM prompts ORDER BY id") == [(None,), (1,)]
    after = rows(database_url, RATINGS)
    assert [row for row in after if row[0] in ("Ann", "Bob")] == before
    assert asyncio.run(run(scripted(), url=database_url)).games_left == 0
    with get_session(database_url) as session:
        for name, found in (
            ("Ann", (1,)), ("Ann@1", (1,)), ("Ann@2", (3,)), ("Ann@*", (1, 3)),
        ):  # fmt: skip
            assert find(session, "agent", name) == found
        assert find(session, "model", "mini@*") == (1, 2)
        assert find(session, "kind", "thinking@2") == find(session, "kind", "thinking")


def test_what_makes_no_agent_is_a_setting(server: OpenAIServer, database_url: str) -> None:
    asyncio.run(run(cup(server), url=database_url, games=1))
    with OpenAIServer(legal) as elsewhere:
        moved = cup(
            elsewhere, {"input_price": 1.0, "output_price": 2.0, "limits": {"concurrency": 3}},
            concurrency=1, attempts=2,
        )  # fmt: skip
        done = asyncio.run(run(moved, url=database_url))
        assert elsewhere.requests

    assert (done.games_left, names(database_url, "models")) == (0, ["mini"])
    assert names(database_url, "agents") == ["Ann", "Bob"]
    assert rows(database_url, "SELECT input_price, output_price FROM models") == [(1.0, 2.0)]
    assert restore(database_url, "cup").config_hash == moved.config_hash


def test_a_tournament_grows_into_what_it_would_have_been(database_url: str, tmp_path: Path) -> None:
    whole = f"sqlite:///{tmp_path}/whole.db"
    asyncio.run(run(scripted(games=8), url=whole))
    asyncio.run(run(scripted(), url=database_url))

    more = scripted(games=8)
    assert plan(more, url=database_url).games_done == 4
    done = asyncio.run(run(more, url=database_url))

    assert (done.games_completed, done.games_left) == (4, 0)
    assert rows(database_url, SCHEDULE) == rows(whole, SCHEDULE)
    assert rows(database_url, RATINGS) == rows(whole, RATINGS)
    assert rebuild(database_url, check=True).ok
    for games, options, why in (
        (6, {}, "games is 6, was 8.*only grow"),
        (
            10,
            {"matchmaker": {"name": "random"}},
            "configuration .matchmaker.name is 'random'",
        ),
    ):
        with pytest.raises(ConfigError, match=why):
            asyncio.run(run(scripted(games=games, **options), url=database_url))
    duel: dict[str, Any] = {"name": "duel", "matchmaker": {"name": "duel", "test": "evalue"}}
    asyncio.run(run(scripted(**duel), url=database_url, games=2))
    with pytest.raises(ConfigError, match=r"games is 8, was 4.*error rates"):
        asyncio.run(run(scripted(**duel, games=8), url=database_url))


def test_what_was_changed_in_the_catalogue_is_resumed_with_and_a_file_says_otherwise(
    database_url: str,
) -> None:
    stopped = Stop()
    stopped.requested = True
    asyncio.run(run(scripted(), url=database_url, stop=stopped))
    with get_session(database_url) as session:
        repo = Repository(session)
        repo.edit_model(1, params={"temperature": 0.5}, input_price=3.0)
        repo.replace_prompt(1, "plain", "Play.", None)

    again = restore(database_url, "cup")
    assert again.models[0].input_price == 3.0
    assert again.prompts[0].content == "Play."
    asyncio.run(run(again, url=database_url, games=1))
    assert rows(database_url, "SELECT content FROM prompts") == [("Play.",)]
    assert rows(database_url, "SELECT config_hash FROM tournaments") == [(again.config_hash,)]
    assert restore(database_url).config_hash == again.config_hash

    with pytest.raises(ConfigError, match=r"begun with the agent 'Ann'.*'Ann@2'"):
        asyncio.run(run(scripted(), url=database_url))
    priced = scripted(
        {"params": {"temperature": 0.5}, "input_price": 4.0},
        prompts=[{"name": "plain", "text": "Play."}],
    )
    assert asyncio.run(run(priced, url=database_url)).games_left == 0
    assert rows(database_url, "SELECT name, input_price FROM models") == [("mini", 4.0)]


@pytest.mark.parametrize("name", ["informative", "swiss"])
def test_a_tournament_that_pairs_by_results_grows_too(name: str, tmp_path: Path) -> None:
    whole, parts = (f"sqlite:///{tmp_path}/{part}.db" for part in ("whole", "parts"))
    by: dict[str, Any] = {"matchmaker": {"name": name, "lag": 2}}
    asyncio.run(run(scripted(games=6, **by), url=whole))
    asyncio.run(run(scripted(games=2, **by), url=parts))

    asyncio.run(run(scripted(games=6, **by), url=parts))

    assert rows(parts, SCHEDULE) == rows(whole, SCHEDULE)
    assert rows(parts, RATINGS) == rows(whole, RATINGS)


def test_names_of_a_first_try_may_be_swapped_and_changed(sqlite_url: str) -> None:
    stopped = Stop()
    stopped.requested = True
    asyncio.run(run(scripted(), url=sqlite_url, stop=stopped))
    chat, whole = {"history": "chat"}, {"history": "whole"}

    def two(*named: tuple[str, dict[str, Any]], **more: Any) -> TournamentConfig:
        parts = {"model": "mini", "prompt": "plain"}
        agents = [{"name": name, **parts, "options": own} for name, own in named]
        return scripted(agents=agents, **more)

    asyncio.run(run(two(("Ann", chat), ("Bob", {})), url=sqlite_url, stop=stopped))
    assert [row[0] for row in rows(sqlite_url, "SELECT alias FROM agents ORDER BY id")] == [
        "Bob", "Ann",
    ]  # fmt: skip
    last = two(("Anna", chat), ("Bob", whole))
    assert asyncio.run(run(last, url=sqlite_url)).games_left == 0
    assert names(sqlite_url, "agents") == ["Bob", "Anna"]

    with pytest.raises(ConfigError, match="'Ann' is in the catalogue as 'Anna'"):
        asyncio.run(run(two(("Ann", chat), ("Bob", whole), name="cup 2"), url=sqlite_url))
