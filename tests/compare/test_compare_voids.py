"""A verdict says whether void games could overturn it, whatever they had brought."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from arena.compare import Question, answer, configure, played
from arena.orchestrator import run
from db import get_session
from tests.on_record import catalogue, record

QUESTION = Question("Sharp", "Naive", "TicTacToe-v0", test="evalue")


@pytest.fixture
def url(sqlite_url: str) -> str:
    catalogue(sqlite_url)
    return sqlite_url


def change(url: str, *statements: str) -> None:
    with get_session(url) as session:
        for statement in statements:
            session.connection().execute(text(statement))


def void(url: str, which: str, cause: str = "context") -> None:
    """These games come to nothing, in the turn of the agent in the first seat."""
    change(
        url,
        # Elsewhere a game that has ended keeps its status: these have come to nothing instead.
        "DROP TRIGGER IF EXISTS games_moved",
        f"UPDATE games SET status = 'void', void_cause = '{cause}', fold_index = NULL "
        f"WHERE {which}",
        f"UPDATE game_players SET rank = NULL WHERE game_{which}",
        "INSERT INTO game_turns (id, game_id, turn_number, player_index, invalid, observed_at) "
        f"SELECT id * 16777216, id, 0, 0, false, '2026-01-01' FROM games WHERE {which}",
    )


def wins(seeds: range, winner: int = 1) -> list[tuple[int, list[tuple[object, ...]]]]:
    """Both games of these seeds, won by one of the two."""
    return [
        (seed, [(agent, None, None, int(agent != winner)) for agent in order])
        for seed in seeds
        for order in ((1, 2), (2, 1))
    ]


def test_a_verdict_that_void_games_could_overturn_says_so(url: str) -> None:
    record(url, "TicTacToe-v0", wins(range(14)))
    sure = played(url, QUESTION)
    assert (sure.sentence, sure.void_range) == ("Sharp is better than Naive.", None)

    # Games that Naive had won, perhaps: all that is left are wins of Sharp.
    void(url, "id IN (1, 2, 3, 4, 5, 6, 8)")
    found = played(url, QUESTION)

    assert found.sentence == (
        "Sharp is better than Naive; not robust to 7 void games: other results of theirs overturn "
        "it."
    )
    assert found.void_range is not None
    assert (found.void_range.games, found.void_range.robust) == (7, False)
    assert (found.void_range.low, found.void_range.high) == (21 / 28, 1.0)
    assert [(name, len(lost.causes), len(lost.own)) for name, lost in found.voids.items()] == [
        ("Sharp", 7, 3),
        ("Naive", 7, 4),
    ]
    assert any("a context limit made games void: it strikes long games" in n for n in found.notes)


def test_a_verdict_that_stands_whatever_void_games_had_brought_says_so(url: str) -> None:
    record(url, "TicTacToe-v0", wins(range(40)))
    void(url, "id IN (2, 4)", cause="provider")
    found = played(url, QUESTION)

    assert found.sentence == "Sharp is better than Naive."
    assert found.void_range is not None
    assert found.void_range.robust
    assert not any("context" in note for note in found.notes)


def test_a_result_of_a_second_attempt_is_as_open_as_none(url: str) -> None:
    """The first went void, perhaps because it was lost; the second was played anew."""
    record(url, "TicTacToe-v0", wins(range(9)))
    assert played(url, QUESTION).sentence == "Sharp is better than Naive."
    change(
        url,
        "INSERT INTO tournaments (id, name, environment_id, seed, games, status, config, "
        "config_hash, next_fold_index, created_at) "
        "VALUES (1, 'cup', 2, 0, 18, 'running', '{}', '', 0, '2026-01-01')",
        "UPDATE games SET tournament_id = 1, schedule_index = id - 1, attempt = 1",
    )
    record(url, "TicTacToe-v0", wins(range(4)))
    # Attempts at the first games of the schedule, before those that have a result.
    change(url, "UPDATE games SET tournament_id = 1, schedule_index = id - 19 WHERE id > 18")
    void(url, "id > 18")
    found = played(url, QUESTION)

    assert found.void_range is not None
    assert (found.void_range.games, found.void_range.robust) == (8, False)
    assert "not robust to 8 void games" in found.sentence
    # They have a result, and no game is without one.
    assert (found.settled, found.void) == (18, 0)


@pytest.mark.slow
def test_a_comparison_that_is_played_counts_its_void_games_for_and_against(url: str) -> None:
    question = Question("Sharp", "Naive", "TicTacToe-v0", test="fixed", games=10)
    asyncio.run(run(configure(url, question), url=url))
    before = answer(url, configure(url, question))
    assert (before.void_range, before.voids) == (None, {})

    change(url, "DELETE FROM game_turns WHERE game_id IN (3, 4, 6)")
    void(url, "id IN (3, 4, 6)")
    found = answer(url, configure(url, question))

    assert (found.settled, found.void, found.games) == (10, 3, 6)
    assert found.void_range is not None
    assert found.void_range.games == 3
    assert found.void_range.high - found.void_range.low == pytest.approx(0.3)
    # No difference is found, whatever the three had brought.
    assert found.void_range.robust
    assert {name: len(lost.causes) for name, lost in found.voids.items()} == {
        "Sharp": 3,
        "Naive": 3,
    }
