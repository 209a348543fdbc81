"""Who scored what against whom is counted game by game."""

from __future__ import annotations

import numpy as np
import pytest

from arena.core import UsageError
from arena.stats.head_to_head import SeatResult, against, by_role, by_team
from arena.stats.proportions import wilson

ANN, BEN, CAT = 1, 2, 3


def duel(game: int, first: int, second: int, ranks: tuple[int, int], block: int | None = None):  # type: ignore[no-untyped-def]
    return [
        SeatResult(game, first, 0, "First", None, 0, ranks[0], block),
        SeatResult(game, second, 1, "Second", None, 1, ranks[1], block),
    ]


def mafia(game: int, village: list[int], mafia: list[int], village_wins: bool) -> list[SeatResult]:
    roles = ["Doctor", "Detective", "Villager", "Villager"]
    rank = int(not village_wins)
    return [
        *(
            SeatResult(game, agent, place, role, "Village", 0, rank)
            for place, (agent, role) in enumerate(zip(village, roles, strict=True))
        ),
        *(
            SeatResult(game, agent, 4 + at, "Mafia", "Mafia", 1, 1 - rank)
            for at, agent in enumerate(mafia)
        ),
    ]


def test_a_win_a_draw_and_a_loss() -> None:
    seats = duel(1, ANN, BEN, (1, 2)) + duel(2, BEN, ANN, (1, 1)) + duel(3, ANN, CAT, (2, 1))

    matrix = against(seats)

    assert matrix.rows == matrix.columns == (ANN, BEN, CAT)
    assert (matrix.cells[ANN, BEN].games, matrix.cells[ANN, BEN].score) == (2, 0.75)
    assert matrix.cells[BEN, ANN].score == 0.25
    assert matrix.cells[CAT, ANN].score == 1.0
    assert (BEN, CAT) not in matrix.cells
    assert (ANN, ANN) not in matrix.cells


def test_team_mates_do_not_meet_and_clones_count_once() -> None:
    seats = mafia(1, [ANN, ANN, ANN, ANN], [BEN, BEN], True) + mafia(
        2, [ANN, BEN, CAT, CAT], [4, 5], False
    )

    matrix = against(seats)

    assert matrix.cells[ANN, BEN].games == 1
    assert matrix.cells[ANN, BEN].score == 1.0
    assert (ANN, CAT) not in matrix.cells
    assert matrix.cells[4, CAT].score == 1.0


def test_by_role_and_by_team() -> None:
    seats = mafia(1, [ANN, BEN, CAT, CAT], [4, 5], True) + mafia(
        2, [BEN, 4, 5, CAT], [ANN, ANN], True
    )

    roles, teams = by_role(seats), by_team(seats)

    assert roles.columns == ("Detective", "Doctor", "Mafia", "Villager")
    assert roles.cells[ANN, "Doctor"].score == 1.0
    assert roles.cells[ANN, "Mafia"].score == 0.0
    assert roles.cells[CAT, "Villager"].games == 2
    assert teams.columns == ("Mafia", "Village")
    assert teams.cells[4, "Village"].score == 1.0
    assert teams.cells[4, "Mafia"].score == 0.0


def test_among_six_for_themselves_a_score_is_the_share_left_behind() -> None:
    seats = [SeatResult(1, agent, agent, f"Seat {agent}", None, agent, agent) for agent in range(5)]

    assert by_role(seats).cells[1, "Seat 1"].score == 0.75
    assert against(seats).cells[1, 4].score == 1.0
    assert by_team(seats).cells == {}


def test_an_agent_against_itself_says_nothing() -> None:
    seats = duel(1, ANN, ANN, (1, 2)) + mafia(2, [ANN, BEN, BEN, BEN], [ANN, CAT], True)

    assert by_role(duel(1, ANN, ANN, (1, 2))).cells == {}
    assert against(seats).cells[ANN, CAT].score == 1.0
    assert against(seats).cells[ANN, BEN].score == 0.0
    assert (ANN, ANN) not in against(seats).cells


def test_games_that_stand_alone_have_nearly_wilsons_interval() -> None:
    results = np.random.default_rng(1).random(400) < 0.6
    seats = [
        seat
        for game, won in enumerate(results)
        for seat in duel(game, ANN, BEN, (1, 2) if won else (2, 1))
    ]

    cell = against(seats).cells[ANN, BEN]

    assert cell.blocks == 400
    assert cell.interval == pytest.approx(wilson(cell.score, 400), abs=1e-3)


def test_games_of_a_block_that_go_the_same_way_say_less_and_opposite_ways_more() -> None:
    def interval(second: tuple[int, int]) -> float:
        seats = []
        for block in range(60):
            won = block % 2 == 0
            first = (1, 2) if won else (2, 1)
            seats += duel(2 * block, ANN, BEN, first, block)
            seats += duel(2 * block + 1, BEN, ANN, second if won else second[::-1], block)
        low, high = against(seats).cells[ANN, BEN].interval
        return high - low

    alike, opposite = interval((2, 1)), interval((1, 2))

    alone = wilson(0.5, 120)
    assert alike > 1.25 * (alone[1] - alone[0])
    assert opposite < 0.6 * (alone[1] - alone[0])


def test_one_game_has_a_wide_interval_and_none_has_no_cell() -> None:
    cell = against(duel(1, ANN, BEN, (1, 2), 7)).cells[ANN, BEN]

    assert cell.interval == wilson(1.0, 1)
    assert against([]).rows == ()
    assert against([]).cells == {}


def test_a_game_of_one_team_says_nothing() -> None:
    seats = [SeatResult(1, ANN, 0, None, None, 0, 1), SeatResult(1, BEN, 1, None, None, 0, 1)]

    assert against(seats).rows == (ANN, BEN)
    assert against(seats).cells == {}


def test_a_rank_that_is_none_is_refused() -> None:
    nan = float("nan")
    with pytest.raises(UsageError, match="game 4 has a rank that is no number"):
        against(duel(4, ANN, BEN, (1, nan)))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="game 5 ranks team 0 both 1 and 2"):
        by_role([SeatResult(5, ANN, 0, "x", None, 0, 1), SeatResult(5, BEN, 1, "x", None, 0, 2)])
