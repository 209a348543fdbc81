"""What a tournament holds: what goes along when it is deleted."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

# A tournament's games, and the branches of them and of branches.
GAMES_OF = (
    "WITH RECURSIVE found(id) AS ("
    "SELECT id FROM games WHERE tournament_id = :tournament "
    "UNION SELECT b.id FROM found f JOIN games b ON b.parent_game_id = f.id) "
)
_FOUND = "(SELECT id FROM found)"
_GAMES = "SELECT COUNT(*) FROM games WHERE tournament_id = :tournament"
_TURNS = f"SELECT id FROM game_turns WHERE game_id IN {_FOUND}"  # noqa: S608
_COUNTED = {
    "games": _GAMES,
    "finished": f"{_GAMES} AND status = 'completed'",
    "rated": f"{_GAMES} AND fold_index > 0",
    "branches": f"{GAMES_OF} SELECT COUNT(*) FROM found",  # noqa: S608
    "turns": f"{GAMES_OF} SELECT COUNT(*) FROM ({_TURNS}) t",  # noqa: S608
    "calls": f"{GAMES_OF} SELECT COUNT(*) FROM llm_calls WHERE game_turn_id IN ({_TURNS})",  # noqa: S608
    "side_calls": f"{GAMES_OF} SELECT COUNT(*) FROM side_calls WHERE game_id IN {_FOUND}",  # noqa: S608
}


@dataclass(frozen=True, slots=True)
class TournamentContents:
    """The numbers of what hangs on a tournament: its `games`, how many of them are `finished` and
    have moved ratings (`rated`), `branches` of them (and of branches), and the turns and calls of
    all of these; `side_calls` are those about games on record."""

    games: int
    finished: int
    rated: int
    branches: int
    turns: int
    calls: int
    side_calls: int


def tournament_contents(session: Session, tournament_id: int) -> TournamentContents:
    """What hangs on a tournament. Counts every turn and call of it."""
    connection = session.connection()
    found = {
        name: int(connection.execute(text(query), {"tournament": tournament_id}).scalar_one())
        for name, query in _COUNTED.items()
    }
    found["branches"] -= found["games"]
    return TournamentContents(**found)
