"""What people ask: leaderboards, lists of games, what was spent."""

from __future__ import annotations

import asyncio

import pytest

from arena.core import CallAnswer, Usage
from db import Recorder, get_session
from db.errors import BadSelection
from db.queries.folds import folded_games
from db.queries.games import count_games, game, games
from db.queries.leaderboard import leaderboard, pools
from db.queries.usage import usage
from db.selection import Selection
from db.writer.calls import CallAnswered, CallIntended
from db.writer.turns import TurnOpened
from tests.db.tournaments import FOLD, NOON, tournament, void, won


def played(url: str) -> list[int]:
    keys = tournament(url, games=6)

    async def main() -> None:
        async with Recorder(url, FOLD) as recorder:
            for index, key in enumerate(keys[:5]):
                await recorder.append(won(key) if index != 3 else void(key))
            await recorder.append(
                TurnOpened(keys[0], 0, 0, "seen", NOON),
                CallIntended(keys[0], 0, 0, 0, 0, 0, "m", [], {}, "00"),
                CallIntended(keys[0], 0, 0, 1, 0, 1, "m", [], {}, "00"),
                CallIntended(keys[0], 0, 0, 2, 0, 2, "m", [], {}, "00"),
                CallAnswered(keys[0], 0, 0, CallAnswer(0, NOON, NOON, 10.0, error_class="Timeout")),
                CallAnswered(
                    keys[0],
                    0,
                    0,
                    CallAnswer(1, NOON, NOON, 30.0, text="[1]", usage=Usage(7, 3, cost=0.5)),
                ),
            )

    asyncio.run(main())
    return keys


def test_the_leaderboard(database_url: str) -> None:
    played(database_url)
    with get_session(database_url) as session:
        (rules,) = pools(session)
        assert (rules.environment, rules.tournament, rules.games) == ("Nim-v0", None, 4)
        (cup,) = pools(session, Selection(tournament="cup"))
        assert (cup.tournament, cup.games, cup.draws) == ("cup", 4, 0)
        assert pools(session, Selection(environment="Nim-v0")) == [rules]
        with pytest.raises(BadSelection, match="a pool cannot be chosen by agent"):
            pools(session, Selection(agent=1))
        rows = leaderboard(session, rules.pool_id)
        assert [row.mu for row in rows] == sorted((row.mu for row in rows), reverse=True)
        assert {row.agent: (row.games, row.wins, row.losses) for row in rows} == {
            "agent-0": (2, 1, 1),
            "agent-1": (3, 2, 1),
            "agent-2": (3, 1, 2),
        }
        assert (rows[0].kind, rows[0].prompt) == ("thinking", "plain")
        (best,) = leaderboard(session, cup.pool_id, limit=1, by="conservative")
        assert best.conservative == best.mu - 3 * best.sigma


def test_games_are_found(database_url: str) -> None:
    keys = played(database_url)
    with get_session(database_url) as session:
        assert [
            row.game_id for row in games(session, Selection(tournament="cup"), limit=2)
        ] == keys[:3:-1]
        assert [row.game_id for row in games(session, Selection(status="void"))] == [keys[3]]
        mine = [row.game_id for row in games(session, Selection(agent="agent-0"))]
        assert mine == [row.game_id for row in games(session, Selection(agent="1"))]
        assert mine == [keys[5], keys[3], keys[2], keys[0]]
        one = game(session, keys[0])
        assert one is not None
        assert [(player.agent, player.model) for player in one.players] == [
            ("agent-0", "model-0"),
            ("agent-1", "model-1"),
        ]
        assert game(session, 12345) is None
        assert count_games(session) == {"completed": 4, "void": 1, "scheduled": 1}
        assert count_games(session, Selection(status="void")) == {"void": 1}


def test_what_was_spent(database_url: str) -> None:
    played(database_url)
    with get_session(database_url) as session:
        rows = usage(session, Selection(tournament=1))
        mine = rows[1]
        assert (mine.games, mine.turns, mine.calls, mine.orphans) == (4, 1, 3, 1)
        assert (mine.failed_calls, mine.prompt_tokens, mine.response_tokens) == (1, 7, 3)
        assert (mine.cost, mine.mean_ms) == (0.5, 20.0)
        assert (rows[2].calls, rows[2].cost) == (0, None)
        assert usage(session, Selection(since="2999-01-01")) == {}


def test_folded_games_are_packed_columns(database_url: str) -> None:
    keys = played(database_url)
    with get_session(database_url) as session:
        found = folded_games(session)
        assert list(found.game_ids) == [keys[0], keys[1], keys[2], keys[4]]
        assert list(found.sizes) == [2] * 4
        assert list(found.places) == [1, 2, 3, 4]
        seats = slice(found.starts[1], found.starts[1] + found.sizes[1])
        assert (list(found.agents[seats]), list(found.ranks[seats])) == ([2, 3], [0, 1])
        pools = {key: chosen.tolist() for key, chosen in found.by_pool({1: "elo"}).items()}
        assert pools == {(1, None, "elo"): [0, 1, 2, 3], (1, 1, "elo"): [0, 1, 2, 3]}
        assert found.by_pool({2: "elo"}) == {}
