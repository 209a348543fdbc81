"""A few games that stand for all of an agent's, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from arena.core import CallAnswer, Usage
from db import Recorder, get_session
from db.queries import steps
from db.queries.counters import agent_counts, counter_sums, role_counts
from db.queries.samples import calls_in, seats_of
from db.queries.steps import (
    environment_ratings,
    newest_rated,
    rated_spans,
    spread_games,
    spread_steps,
)
from db.writer.calls import CallAnswered, CallIntended
from db.writer.turns import TurnOpened
from tests.db.tournaments import FOLD, NOON, tournament, won


def played(url: str, games: int = 12) -> list[int]:
    """Games of three agents in turns, in the first of which player 0 calls twice."""
    keys = tournament(url, games=games)

    async def main() -> None:
        async with Recorder(url, FOLD) as recorder:
            await recorder.append(
                TurnOpened(keys[0], 3, 0, "seen", NOON),
                CallIntended(keys[0], 3, 0, 0, 0, 0, "m", [], {}, "00"),
                CallAnswered(keys[0], 3, 0, CallAnswer(0, NOON, NOON, 9.0, error_class="Timeout")),
                CallIntended(keys[0], 3, 0, 1, 0, 1, "m", [], {}, "00"),
                CallAnswered(
                    keys[0], 3, 0,
                    CallAnswer(
                        1, NOON, NOON, 30.0, text="[1]", model_answered="m-2",
                        usage=Usage(7, 3, cost=0.5),
                    ),
                ),
            )  # fmt: skip
            for key in keys:
                await recorder.append(won(key))

    asyncio.run(main())
    return keys


def test_games_are_spread_over_an_agents_record(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = played(database_url)
    with get_session(database_url) as session:
        (mine,) = rated_spans(session, [1])
        own = [key for at, key in enumerate(keys) if at % 3 != 1]
        assert (mine.games, mine.first, mine.last) == (8, own[0], own[-1])
        assert spread_games(session, [mine], 8) == own
        some = [own[0], own[2], own[4], own[7]]
        assert spread_games(session, [mine], 4) == some
        # Of a long record the numbers of the games are looked up, none is read on the way.
        monkeypatch.setattr(steps, "_READ", 0)
        found = spread_games(session, [mine], 4)
        assert (found[0], found[-1], len(found)) == (own[0], own[-1], 4)
        assert {*found} <= {*own}
        assert newest_rated(session, [mine], 3) == own[:-4:-1]
        both = rated_spans(session, [1, 2, 99])
        assert [span.agent_id for span in both] == [1, 2]
        assert len(spread_games(session, both, 6)) == 6
        assert rated_spans(session, [99]) == []
        assert spread_games(session, [], 5) == []


def test_a_rating_over_games_is_told_in_their_order(database_url: str) -> None:
    keys = played(database_url)
    with get_session(database_url) as session:
        (now,) = environment_ratings(session, 1)
        assert (now.environment, now.system, now.games) == ("Nim-v0", "trueskill", 8)
        (mine,) = rated_spans(session, [1])
        whole = spread_steps(session, mine, 100)
        assert [step.place for step in whole] == [1, 3, 4, 6, 7, 9, 10, 12]
        assert (whole[-1].mu, whole[-1].sigma) == (now.mu, now.sigma)
        assert [step.game_id for step in spread_steps(session, mine, 3)] == [
            keys[0], keys[5], keys[11],
        ]  # fmt: skip


def test_the_calls_of_a_sample_are_those_of_the_agents(database_url: str) -> None:
    keys = played(database_url)
    with get_session(database_url) as session:
        failed, answered = calls_in(session, keys[:3], [1])
        assert calls_in(session, keys, [2, 3]) == []
        assert (failed.game_id, failed.turn_number, failed.player_index) == (keys[0], 3, 0)
        assert (failed.error_class, failed.cost) == ("Timeout", None)
        assert (answered.answered, answered.sent_at, answered.cost) == ("m-2", NOON, 0.5)
        assert (answered.prompt_tokens, answered.response_tokens) == (7, 3)
        seats = seats_of(session, keys[:1])
        assert [seat.agent_id for seat in seats[keys[0]]] == [1, 2]


def test_sums_by_the_database_are_those_of_the_counters(database_url: str) -> None:
    played(database_url)
    with get_session(database_url) as session:
        whole = agent_counts(session)
        assert counter_sums(session) == whole
        assert counter_sums(session, [1]) == {1: whole[1]}
        assert whole[1].finished.call_ms
        assert role_counts(session, 1) == {("", ""): whole[1].finished}
