"""What came of the branches of a game, run by run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select

from db.models import BranchRun, Game, GamePlayer
from db.queries.agents import agent_names

MOST = 2_000
"""Branches of one game that are read at most, the newest."""

Results = Mapping[int, tuple[str | None, int | None]]
"""(team, rank) by player_index."""


@dataclass(frozen=True, slots=True)
class BranchGame:
    """A branch, or a `control` with the agents that played; `results` are those of a finished
    one."""

    game_id: int
    status: str
    control: bool
    results: Results | None


@dataclass(frozen=True, slots=True)
class BranchRunRow:
    """The branches that were asked for at once: from `turn` on, with other agents at the places of
    `seats` (names by player_index)."""

    run_id: int
    turn: int
    seats: Mapping[int, str]
    games: tuple[BranchGame, ...]


def branch_runs(session: Session, game_id: int) -> list[BranchRunRow]:
    """The runs of branches of a game, the oldest first; games beyond MOST are left out."""
    runs = session.exec(
        select(BranchRun).where(BranchRun.game_id == game_id).order_by(col(BranchRun.id))
    ).all()
    if not runs:
        return []
    named = {agent for run in runs for agent in run.seats.values()}
    names = agent_names(session, named)
    games = session.execute(
        select(col(Game.id), col(Game.parent_turn), col(Game.attempt), col(Game.status))
        .where(col(Game.parent_game_id) == game_id)
        .order_by(col(Game.id).desc())
        .limit(MOST)
    ).all()
    results: dict[int, dict[int, tuple[str | None, int | None]]] = defaultdict(dict)
    finished = [key for key, _, _, status in games if status == "completed"]
    players = select(GamePlayer.game_id, GamePlayer.player_index, GamePlayer.team, GamePlayer.rank)
    for key, index, team, rank in session.execute(
        players.where(col(GamePlayer.game_id).in_(finished))
    ):
        results[key][index] = (team, rank)
    found = []
    for run in runs:
        own = [
            BranchGame(
                key, status, run.control and (attempt - run.first) % 2 == 1, results.get(key)
            )
            for key, turn, attempt, status in reversed(games)
            if turn == run.turn and run.first <= attempt < run.first + run.size
        ]
        seats = {int(place): names[agent].name for place, agent in run.seats.items()}
        assert run.id is not None
        found.append(BranchRunRow(run.id, run.turn, seats, tuple(own)))
    return found
