"""Who scored what against whom, in which role, on which team."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from arena.core import UsageError
from arena.stats.proportions import Interval, design_effect, wilson


class SeatResult(NamedTuple):
    """One place in a finished game. Seats with the same `team_number` play together and share a
    `rank` (lower is better). `block` tells groups of games that share a seed apart, over all games
    given; None: the game stands alone."""

    game_id: int
    agent_id: int
    player_index: int
    role: str | None
    team: str | None
    team_number: int
    rank: int
    block: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """`games` games, `score` the mean result (won 1, drawn 1/2, lost 0) with its 95 % `interval`,
    over `blocks` groups of games that share a seed."""

    games: int
    score: float
    interval: Interval
    blocks: int


@dataclass(frozen=True, slots=True)
class HeadToHead:
    """`cells[row, column]` for those that have games; `rows` are agent_ids in ascending order,
    `columns` are agent_ids, roles or teams in ascending order."""

    rows: tuple[int, ...]
    columns: tuple[int | str, ...]
    cells: Mapping[tuple[int, int | str], Cell]


Scored = Iterator[tuple[int, int | str, float]]


def against(seats: Iterable[SeatResult]) -> HeadToHead:
    """Agent by agent: the row's score against the column in the games in which they were on
    different teams: 1 where the row's team finished before the column's. An agent has no cell
    against itself."""

    def scored(game: Sequence[SeatResult]) -> Scored:
        for one, ours in _teams(game, lambda seat: seat.agent_id):
            for other, theirs in _teams(game, lambda seat: seat.agent_id):
                results = [
                    _result(rank, their_rank)
                    for team, rank in ours.items()
                    for their_team, their_rank in theirs.items()
                    if team != their_team
                ]
                if one != other and results:
                    yield int(one), other, sum(results) / len(results)

    matrix = _matrix(seats, scored)
    return HeadToHead(matrix.rows, matrix.rows, matrix.cells)


def by_role(seats: Iterable[SeatResult]) -> HeadToHead:
    """Agent by role: the agent's score in that role, over the other teams of the game on which it
    does not sit itself. Seats without a role are left out."""
    return _by(seats, lambda seat: seat.role)


def by_team(seats: Iterable[SeatResult]) -> HeadToHead:
    """Agent by team: the agent's score on that team, over the other teams of the game on which it
    does not sit itself. Seats without a team's name are left out."""
    return _by(seats, lambda seat: seat.team)


def _by(seats: Iterable[SeatResult], part: Callable[[SeatResult], str | None]) -> HeadToHead:
    def scored(game: Sequence[SeatResult]) -> Scored:
        ranks = {seat.team_number: seat.rank for seat in game}
        for agent, own in _teams(game, lambda seat: seat.agent_id):
            others = [rank for team, rank in ranks.items() if team not in own]
            in_part = [seat for seat in game if seat.agent_id == agent]
            for name, ours in _teams(in_part, part):
                results = [_result(rank, other) for rank in ours.values() for other in others]
                if results:
                    yield int(agent), name, sum(results) / len(results)

    return _matrix(seats, scored)


def _matrix(
    seats: Iterable[SeatResult], scored: Callable[[Sequence[SeatResult]], Scored]
) -> HeadToHead:
    games: dict[int, list[SeatResult]] = defaultdict(list)
    for seat in seats:
        games[seat.game_id].append(seat)
    found: dict[tuple[int, int | str], dict[tuple[str, int], list[float]]] = {}
    for game_id, game in games.items():
        _check(game_id, game)
        block = game[0].block
        key = ("game", game_id) if block is None else ("block", block)
        for row, column, score in scored(game):
            found.setdefault((row, column), {}).setdefault(key, []).append(score)
    return HeadToHead(
        rows=tuple(sorted({seat.agent_id for game in games.values() for seat in game})),
        columns=tuple(
            sorted({column for _, column in found}, key=lambda name: (str(type(name)), name))
        ),
        cells={place: _cell(list(blocks.values())) for place, blocks in sorted(found.items())},
    )


def _check(game_id: int, game: Sequence[SeatResult]) -> None:
    ranks: dict[int, int] = {}
    for seat in game:
        if seat.rank != seat.rank:
            raise UsageError(f"game {game_id} has a rank that is no number: leave void games out")
        if ranks.setdefault(seat.team_number, seat.rank) != seat.rank:
            raise UsageError(
                f"game {game_id} ranks team {seat.team_number} both {ranks[seat.team_number]} and "
                f"{seat.rank}: a team has one rank"
            )


def _teams(
    game: Sequence[SeatResult], name: Callable[[SeatResult], int | str | None]
) -> Iterator[tuple[int | str, dict[int, int]]]:
    """Each name in the game, in order of place, with the ranks of the teams on which it sits."""
    teams: dict[int | str, dict[int, int]] = {}
    for seat in game:
        if (key := name(seat)) is not None:
            teams.setdefault(key, {})[seat.team_number] = seat.rank
    return iter(teams.items())


def _result(rank: int, other: int) -> float:
    return 0.5 if rank == other else float(rank < other)


def _cell(blocks: Sequence[Sequence[float]]) -> Cell:
    """The mean over all games, with Wilson's interval for as many independent games as would vary
    as much as these do."""
    scores = [score for block in blocks for score in block]
    games, mean = len(scores), sum(scores) / len(scores)
    between = sum(sum(score - mean for score in block) ** 2 for block in blocks)
    effect = design_effect(mean, games, between, len(blocks))
    return Cell(games, mean, wilson(mean, max(1, round(games / effect))), len(blocks))
