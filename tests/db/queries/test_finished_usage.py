"""What finished games took: medians, failures and voids, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from arena.core import CallAnswer, Usage
from db import Recorder, get_session
from db.latencies import RELATIVE_ERROR
from db.queries.usage import FinishedUsage, finished_usage
from db.queries.voids import void_games
from db.selection import Selection
from db.writer.calls import CallAnswered, CallIntended
from db.writer.subject import Record
from db.writer.turns import TurnActed, TurnOpened
from tests.db.tournaments import FOLD, NOON, tournament, void, won


def turn(
    game: int, number: int, seconds: float, *calls: tuple[float, float | None]
) -> list[Record]:
    """A turn of player 0: for each call its milliseconds and cost, None for one that failed."""
    key = (game, number, 0)
    records: list[Record] = [TurnOpened(*key, f"turn {number}", NOON)]
    for index, (ms, cost) in enumerate(calls):
        records.append(CallIntended(*key, index, 0, index, "m", [], {}, "00"))
        answer = CallAnswer(index, NOON, NOON, ms, error_class="Timeout")
        if cost is not None:
            used = Usage(90, 10, cached_tokens=45, cost=cost)
            answer = CallAnswer(index, NOON, NOON, ms, text="ok", usage=used)
        records.append(CallAnswered(*key, answer))
    acted = NOON + timedelta(seconds=seconds)
    records.append(TurnActed(*key, "ok", acted, response_time_ms=1000 * seconds))
    return records


def write(url: str, records: Sequence[Record]) -> None:
    async def main() -> None:
        async with Recorder(url, FOLD) as recorder:
            for record in records:
                await recorder.append(record)

    asyncio.run(main())


def played(url: str) -> dict[int, FinishedUsage]:
    """Agent 1 plays three turns in its first game; the third game, of agents 3 and 1, is void."""
    first, second, third, _ = tournament(url)
    write(
        url,
        [
            *turn(first, 0, 1.0, (100.0, 0.5)),
            *turn(first, 1, 4.0, (200.0, None), (400.0, 0.25)),
            *turn(first, 2, 9.0, (600.0, 0.25)),
            won(first),
            won(second),
            *turn(third, 0, 50.0, (9000.0, None), (9000.0, None)),
            void(third),
        ],
    )
    with get_session(url) as session:
        return finished_usage(session, Selection())


def test_what_an_agent_took_is_of_its_finished_games(database_url: str) -> None:
    rows = played(database_url)

    mine = rows[1]
    assert (mine.games, mine.turns, mine.cost, mine.cost_per_game) == (1, 3, 1.0, 1.0)
    assert (mine.turn_seconds, mine.call_seconds) == pytest.approx((4.0, 0.4), rel=RELATIVE_ERROR)
    assert (mine.tokens_per_turn, mine.cached_share) == (100, 0.5)
    assert (mine.calls, mine.failed_calls, mine.failure_rate) == (4, 1, 0.25)
    idle = rows[2]
    assert (idle.games, idle.turns, idle.cost, idle.turn_seconds) == (2, 0, None, None)
    assert (idle.tokens_per_turn, idle.failure_rate, idle.cost_per_game) == (None, None, None)
    assert idle.cached_share is None


def test_calls_of_games_that_came_to_nothing_count_as_failures_only(database_url: str) -> None:
    rows = played(database_url)

    assert (rows[3].games, rows[3].turns) == (1, 0)
    assert (rows[3].calls, rows[3].failed_calls) == (2, 2)
    with get_session(database_url) as session:
        voids = void_games(session, Selection())
        assert {agent: [*void.causes.values()] for agent, void in voids.items()} == {
            1: ["provider"],
            3: ["provider"],
        }
        assert void_games(session, Selection(status="completed")) == {}
        assert finished_usage(session, Selection(since=NOON + timedelta(days=1))) == {}


def test_the_median_of_an_even_number_lies_between_the_two(database_url: str) -> None:
    first, *_ = tournament(database_url)
    write(
        database_url,
        [*turn(first, 0, 1.0, (10.0, 0.1)), *turn(first, 1, 3.0, (30.0, 0.1)), won(first)],
    )
    with get_session(database_url) as session:
        row = finished_usage(session, Selection())[1]
        assert 1 not in finished_usage(session, Selection(agent="agent-1"))
    assert (row.turn_seconds, row.call_seconds) == pytest.approx((2.0, 0.02), rel=RELATIVE_ERROR)


def test_an_answer_without_a_price_hides_the_sum(database_url: str) -> None:
    """What nobody knows the price of is not free."""
    first, second, *_ = tournament(database_url)
    priced, unknown = (turn(second, number, 1.0, (10.0, 0.5)) for number in range(2))
    answered = unknown[2]
    assert isinstance(answered, CallAnswered)
    free = replace(answered, answer=CallAnswer(0, NOON, NOON, 10.0, text="ok", usage=Usage(90, 10)))
    write(database_url, [*turn(first, 0, 1.0, (10.0, 0.5)), won(first)])
    with get_session(database_url) as session:
        assert finished_usage(session, Selection())[2].cost is None
        assert finished_usage(session, Selection())[1].cost == 0.5
    write(database_url, [*priced, *unknown[:2], free, won(second)])
    with get_session(database_url) as session:
        assert finished_usage(session, Selection())[2].cost is None
        assert finished_usage(session, Selection())[1].cost == 0.5
