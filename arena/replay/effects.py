"""What other agents did to a game: the share that its branches won, less that of the controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arena.stats.proportions import Interval, newcombe, share, wilson
from db import Session
from db.queries.branches import branch_runs


@dataclass(frozen=True, slots=True)
class BranchEffect:
    """Shares won of the branches and of the controls, their difference as the `effect`, and their
    intervals at 95 %; None where nothing was played."""

    share: float | None
    share_interval: Interval | None
    control_share: float | None
    control_interval: Interval | None
    effect: float | None
    effect_interval: Interval | None


@dataclass(frozen=True, slots=True)
class BranchedTurn:
    """All branches of a game from one turn on with the same agents at the places of `seats` (names
    by player_index): the games with a result, and how many have none (`void`) or are still to be
    played (`left`). Shares are those won by the team of `player`, the first of these places."""

    turn: int
    seats: Mapping[int, str]
    player: int
    branches: tuple[int, ...]
    controls: tuple[int, ...]
    void: int
    left: int
    won: BranchEffect


def score(results: Mapping[int, tuple[str | None, int | None]], player: int) -> float:
    """What a player got out of a finished game, from (team, rank) by player_index: 1 when its team
    finished first alone, half when it shares the first place, else 0."""
    best = min(rank for _, rank in results.values() if rank is not None)
    if results[player][1] != best:
        return 0.0
    first = {team or index for index, (team, rank) in results.items() if rank == best}
    return 1.0 if len(first) == 1 else 0.5


def branch_effect(branches: Mapping[int, float], controls: Mapping[int, float]) -> BranchEffect:
    """The effect from the scores of branches and controls, by game_id."""
    won, other = share([*branches.values()]), share([*controls.values()])
    both = won is not None and other is not None
    return BranchEffect(
        share=won,
        share_interval=None if won is None else wilson(won, len(branches)),
        control_share=other,
        control_interval=None if other is None else wilson(other, len(controls)),
        effect=won - other if won is not None and other is not None else None,
        effect_interval=newcombe(won or 0.0, len(branches), other or 0.0, len(controls))
        if both
        else None,
    )


def branched_turns(session: Session, game_id: int) -> list[BranchedTurn]:
    """What is on record of the branches of a game, by turn and agents; several runs with the same
    are taken together."""
    scores: dict[tuple[int, tuple[tuple[int, str], ...]], dict[bool, dict[int, float]]] = {}
    others: dict[tuple[int, tuple[tuple[int, str], ...]], list[int]] = {}
    for run in branch_runs(session, game_id):
        key = (run.turn, tuple(sorted(run.seats.items())))
        player = min(run.seats)
        known = scores.setdefault(key, {False: {}, True: {}})
        void_left = others.setdefault(key, [0, 0])
        for game in run.games:
            if game.results and game.results.get(player, (None, None))[1] is not None:
                known[game.control][game.game_id] = score(game.results, player)
            else:
                void_left[game.status != "void"] += 1
    return [
        BranchedTurn(
            turn=turn,
            seats=dict(seats),
            player=min(dict(seats)),
            branches=tuple(sorted(known[False])),
            controls=tuple(sorted(known[True])),
            void=others[turn, seats][0],
            left=others[turn, seats][1],
            won=branch_effect(known[False], known[True]),
        )
        for (turn, seats), known in sorted(scores.items())
    ]
