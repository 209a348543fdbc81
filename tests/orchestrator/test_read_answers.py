"""Whole games with models that think aloud and word their votes as they like: what they think is
never told, whom they choose is read and on record, and all of it replays."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from arena import registry
from arena.analysis import calls_df, games_df, players_df, turns_df
from arena.config import TournamentConfig, parse
from arena.environments.textarena import REVISION
from arena.orchestrator import run
from arena.replay.check import check
from arena.reports.game import game_report
from db import get_session
from db.queries.games import game
from db.queries.transcript import transcript
from tests.servers.openai_server import OpenAIServer, Reply

pytestmark = pytest.mark.slow

Small = Callable[..., TournamentConfig]


def thoughtful(body: dict[str, Any]) -> str:
    """A legal move as `scripted/random` has it, behind a thought and in other words."""
    seen = body["messages"][-1]["content"]
    said = registry.policy("random")(body["messages"], random.Random(seen))
    vote = re.search(r"\[(\d)\]", said)
    if vote is not None:
        said = f"I choose Player {vote[1]} and nobody else."
    return f"[THINK]Secretly I would like [0] best, or [1].[/THINK]\n{said}"


@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_are_not_told_and_votes_are_read(
    small: Small, database_url: str, stream: bool
) -> None:
    with OpenAIServer(thoughtful) as server:
        settings = f"api_base: {server.url}, stream: {str(stream).lower()}"
        config = small(
            ("games: 12", "games: 2"),
            ("{name: random, litellm_model: scripted/random}",
             f"{{name: random, litellm_model: openai/one, {settings}}}"),
            ("{name: naive, litellm_model: scripted/mafia-naive}",
             f"{{name: naive, litellm_model: openai/two, {settings}}}"),
        )  # fmt: skip
        summary = asyncio.run(run(config, url=database_url))

    assert summary.games_completed == 2
    turns = turns_df(database_url, observations=True)
    assert not turns.action.str.contains("THINK|Secretly").any()
    assert not turns.new.str.contains("Secretly").any()
    assert not turns.invalid.any()
    asked = turns[turns.target_how.notna()]
    assert set(asked.target_how) == {"stated"}
    for turn in asked.itertuples():
        assert turn.submitted == f"[{turn.target}]\n{turn.action}"
    calls = calls_df(database_url, messages=True)
    assert (calls.thoughts == "Secretly I would like [0] best, or [1].").all()
    assert (games_df(database_url).revision == REVISION).all()
    players = players_df(database_url)
    assert players.targets.sum() == len(asked)
    assert players.targets_none.sum() == 0
    for (number,) in rows(database_url, "SELECT id FROM games"):
        assert check(number, database_url).ok


FORGETFUL = {
    "name": "forgetful",
    "environment": {"name": "TicTacToe-v0", "players": 2},
    "games": 1,
    "models": [{"name": "one", "litellm_model": "openai/one"}],
    "prompts": [{"name": "plain", "text": "Win."}],
    "agents": [
        {"name": "Ann", "kind": "remembering", "model": "one", "prompt": "plain",
         "options": {"answer": "tag"}},
        {"name": "Bob", "kind": "thinking", "model": "one", "prompt": "plain",
         "options": {"answer": "tool"}},
    ],
}  # fmt: skip


def forgetful(body: dict[str, Any]) -> Reply:
    """No notes when asked for them, no tag around a move, and tools where there are any."""
    seen = body["messages"][-1]["content"]
    if "# Your task: rewrite your notes" in seen:
        return Reply("I shall remember everything.")
    seen = seen.partition("\n\n# Your")[0]
    move = registry.policy("random")(
        [{"role": "user", "content": seen}], random.Random(f"{seen}{len(seen)}")
    )
    if "tools" not in body:
        return Reply(move)
    function = {"name": "act", "arguments": json.dumps({"why": "the middle", "action": move})}
    return Reply("", tool_calls=[{"id": "c", "type": "function", "function": function}])


def test_how_an_answer_was_read_and_what_became_of_notes_is_on_record(database_url: str) -> None:
    with OpenAIServer(forgetful) as server:
        model = {**FORGETFUL["models"][0], "api_base": server.url}
        config = parse({**FORGETFUL, "models": [model]})
        assert asyncio.run(run(config, url=database_url)).games_completed == 1

    turns = turns_df(database_url, observations=True)
    assert not turns.invalid.any()
    tools = turns[turns.agent == "Bob"]
    assert tools.reading.isna().all()
    missed = turns[turns.agent == "Ann"].reading.tolist()
    assert missed == [{"answer": "no tag"}] + [{"answer": "no tag", "notes": "lost"}] * (
        len(missed) - 1
    )
    conduct = players_df(database_url).set_index("agent")
    assert conduct.notes_lost["Ann"] == conduct.notes["Ann"] == len(missed) - 1 > 0
    with get_session(database_url) as session:
        row = game(session, 1)
        assert row is not None
        report = game_report(row, transcript(session, 1), with_calls=True)
    for turn in report.turns:
        called = f'act({{"why": "the middle", "action": "{turn.action}"}})'
        assert (turn.reading is None) == ([*turn.calls[-1].tool_calls] == [called])
    assert check(1, database_url).ok


def test_a_game_of_the_first_revision_replays_under_it(small: Small, sqlite_url: str) -> None:
    config = small(("games: 12", "games: 1"))
    asyncio.run(run(config, url=sqlite_url))
    assert check(1, sqlite_url).ok

    with get_session(sqlite_url) as session:
        # As it would be of an earlier release: no revision, and nobody was read to be chosen.
        session.connection().execute(text("UPDATE games SET revision = NULL"))
        session.connection().execute(text("UPDATE game_turns SET target = NULL, target_how = NULL"))
    assert check(1, sqlite_url).ok

    with get_session(sqlite_url) as session:
        session.connection().execute(text("UPDATE games SET revision = 2"))
    report = check(1, sqlite_url)
    assert not report.ok
    assert "the target is" in str(report.first_difference)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]
