"""Games that could not have come out otherwise are one; those that were drawn anew all count."""

from __future__ import annotations

import pytest

from db import Game, get_session
from db.queries.played import played_games
from db.queries.repeats import drawn_anew
from tests.leaderboard.answered import CACHED, DRAWN, FAILED, SCRIPTED, Answered

BOTS = [[SCRIPTED], [SCRIPTED]]


def test_a_game_of_programs_counts_once_however_often_it_is_played(database_url: str) -> None:
    with get_session(database_url) as session:
        record = Answered(session)
        bots = [record.bot, record.rival]
        first, _, _ = (record.play(bots, BOTS) for _ in range(3))
        swapped = record.play(bots[::-1], BOTS)
        elsewhere = record.play(bots, BOTS, seed=6)
        mended = record.play(bots, BOTS, revision=2)
        unseeded = [record.play(bots, BOTS) for _ in range(2)]
        for game in unseeded:
            session.get_one(Game, game).seed = None
        session.flush()

        played = played_games(session)

    assert played.game_ids.tolist() == [first, swapped, elsewhere, mended, *unseeded]
    assert played.repeats.tolist() == [2, 0, 0, 0, 0, 0]
    assert played.agents[:4].tolist() == [*bots, *bots[::-1]]


@pytest.mark.parametrize(
    ("turns", "left"),
    [
        ([[SCRIPTED], [CACHED]], [1]),
        ([[SCRIPTED], []], [1]),
        ([[SCRIPTED], [DRAWN]], [1, 2, 3]),
        ([[SCRIPTED], [FAILED, CACHED]], [1, 2, 3]),
        # What is not on record does not show that it could not have been another.
        ([], [1, 2, 3]),
    ],
)
def test_one_reply_drawn_anew_makes_a_game_evidence(
    database_url: str, turns: list[list[str]], left: list[int]
) -> None:
    """Temperature 0 is no promise, and results that coincide count: they were not looked at."""
    with get_session(database_url) as session:
        record = Answered(session)
        for _ in range(3):
            record.play([record.bot, record.other], turns)
        played = played_games(session)

    assert played.game_ids.tolist() == left
    assert int(played.repeats.sum()) == 3 - len(left)


def test_cached_games_are_those_they_were_cached_from(database_url: str) -> None:
    """The game that was paid counts, whichever of them was rated first."""
    with get_session(database_url) as session:
        record = Answered(session)
        seats = [record.bot, record.other]
        record.play(seats, [[SCRIPTED], [CACHED]])
        paid = [record.play(seats, [[SCRIPTED], [DRAWN]]) for _ in range(2)]
        record.play(seats, [[SCRIPTED], [CACHED]])
        played = played_games(session)

    assert played.game_ids.tolist() == paid
    assert played.repeats.tolist() == [2, 0]


def test_what_a_branch_took_from_its_parent_was_not_drawn(database_url: str) -> None:
    with get_session(database_url) as session:
        record = Answered(session)
        seats = [record.bot, record.other]
        parent = record.play(seats, [[SCRIPTED], [DRAWN], [SCRIPTED]])
        late = record.play(
            seats, [[SCRIPTED], [DRAWN], [SCRIPTED]], parent_game_id=parent, parent_turn=2
        )
        early = record.play(
            seats, [[SCRIPTED], [DRAWN], [SCRIPTED]], parent_game_id=parent, parent_turn=1
        )
        assert drawn_anew(session, [parent, late, early]) == {parent, early}


def test_places_of_players_are_not_numbers_to_be_added(sqlite_url: str) -> None:
    """Seatings of the same agents, and games whose facts add up alike, are different games."""
    with get_session(sqlite_url) as session:
        record = Answered(session)
        agents = [record.table.agent(f"a{at}", model=f"a{at}") for at in range(4)]
        for first in agents:
            for second in agents:
                for seed in (1, 2, -1, 2**62):
                    record.play([first, second], BOTS, seed=seed)
        played = played_games(session)

    assert len(played) == 64
    assert not played.repeats.any()
