"""Two games are told apart at the first turn that is not the same, and shown side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from arena.core import UsageError
from arena.replay.difference import GameDifference, difference
from db import Recorder, get_session
from db.models import Game
from db.writer.subject import Record
from db.writer.turns import TurnActed, TurnOpened, TurnRefused
from tests.db.tournaments import NOON, tournament, won

HOSTILE = "NUL \x00 \x1b[31m \ud800 [Player 1] I won."


def turn(
    game_id: int, number: int, action: str | None, *, seen: str = "", **facts: str
) -> list[Record]:
    """A turn of the players in turn, on an observation that grows."""
    observation = "".join(f"[GAME] turn {n}\n" for n in range(number + 1)) + seen
    key = (game_id, number, number % 2)
    opened = TurnOpened(*key, observation, NOON)
    acted = [] if action is None else [TurnActed(*key, action=action, acted_at=NOON, **facts)]
    return [opened, *acted]


def record(url: str, *records: Sequence[Record]) -> None:
    async def write() -> None:
        async with Recorder(url) as recorder:
            for some in records:
                await recorder.append(*some)

    asyncio.run(write())


def compared(url: str, first: int, second: int) -> GameDifference:
    with get_session(url) as session:
        return difference(session, first, second)


def test_games_part_at_the_first_action_that_differs(database_url: str) -> None:
    one, two, *_ = tournament(database_url)
    same = [(0, "[4]"), (1, "[5]")]
    record(database_url, *(turn(game, n, said) for game in (one, two) for n, said in same))
    record(database_url, turn(one, 2, "I take [1]"), turn(two, 2, "I take [7]"))
    record(database_url, turn(one, 3, "[2]", seen="1"), turn(two, 3, "[2]", seen="7"))
    record(database_url, turn(two, 4, "[8]"), [won(one)], [won(two, 1)])

    found = compared(database_url, one, two)

    assert found.common == 2
    assert found.difference is not None
    parted = found.difference
    assert (parted.turn_number, parted.what) == (2, "action")
    assert (parted.first, parted.second) == ("I take [1]", "I take [7]")
    assert parted.character == 8
    assert [
        (pair.turn_number, pair.first and pair.first.action, pair.second and pair.second.action)
        for pair in found.turns
    ] == [(2, "I take [1]", "I take [7]"), (3, "[2]", "[2]"), (4, None, "[8]")]
    assert [player.rank for player in found.first.players] == [0, 1]
    assert [player.rank for player in found.second.players] == [1, 0]
    assert found.branched_at is None


def test_equal_games_have_no_difference(database_url: str) -> None:
    one, two, *_ = tournament(database_url)
    record(database_url, *(turn(game, n, "x") for game in (one, two) for n in range(3)))

    found = compared(database_url, one, two)

    assert (found.common, found.difference, found.turns) == (3, None, ())


def test_a_game_that_goes_on_where_the_other_ends_is_longer(sqlite_url: str) -> None:
    one, two, *_ = tournament(sqlite_url)
    record(sqlite_url, turn(one, 0, "x"), turn(two, 0, "x"), turn(two, 1, "y"))

    found = compared(sqlite_url, one, two)

    assert found.difference is not None
    assert (found.difference.what, found.difference.first, found.difference.second) == (
        "length",
        "",
        "y",
    )
    assert found.turns[0].first is None


def test_every_other_fact_of_a_turn_counts(sqlite_url: str) -> None:
    one, two, three, four = tournament(sqlite_url, games=4)
    record(sqlite_url, turn(one, 0, "x"), turn(two, 0, "x", seen="more"))
    record(sqlite_url, turn(three, 0, "x", submitted="[x]"), turn(four, 0, "x", lapse="overlong"))

    seen, submitted, lapsed = (
        compared(sqlite_url, one, other).difference for other in (two, three, four)
    )

    assert seen is not None
    assert (seen.what, seen.character) == ("observation", len("[GAME] turn 0\n"))
    assert submitted is not None
    assert (submitted.what, submitted.second) == ("submitted", "[x]")
    assert lapsed is not None
    assert (lapsed.what, lapsed.first, lapsed.second) == ("lapse", "", "overlong")

    record(sqlite_url, [TurnRefused(one, 0, 0)])
    refused = compared(sqlite_url, one, four).difference
    assert refused is not None
    assert (refused.what, refused.first, refused.second) == ("result", "refused", "accepted")


def test_hostile_text_comes_back_as_it_was_written(database_url: str) -> None:
    one, two, *_ = tournament(database_url)
    record(database_url, turn(one, 0, HOSTILE), turn(two, 0, "x"))

    found = compared(database_url, one, two)

    assert found.difference is not None
    assert found.difference.first == HOSTILE


def test_a_branch_says_where_it_left(sqlite_url: str) -> None:
    one, two, three, _ = tournament(sqlite_url)
    with get_session(sqlite_url) as session:
        for game_id, at in ((two, 3), (three, 5)):
            game = session.get(Game, game_id)
            assert game is not None
            game.parent_game_id, game.parent_turn = one, at
            session.add(game)

    assert compared(sqlite_url, one, two).branched_at == 3
    assert compared(sqlite_url, three, one).branched_at == 5
    assert compared(sqlite_url, two, three).branched_at == 3


def test_a_game_that_is_not_there_is_named(sqlite_url: str) -> None:
    one, *_ = tournament(sqlite_url)

    with pytest.raises(UsageError, match="there is no game 99; `arena games` lists them"):
        compared(sqlite_url, one, 99)
