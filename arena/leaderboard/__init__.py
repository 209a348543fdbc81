"""Rates any set of games by any system, and puts beside every rating what it rests on.

from arena.leaderboard import LeaderboardQuery, boards
from db.selection import Selection

with get_session(url, create=False) as session:
    for board in boards(session, LeaderboardQuery(Selection(environment="SecretMafia-v0"))):
        print(board.rows[0].name, board.rows[0].rating)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.leaderboard.ask import boards
    from arena.leaderboard.board import Board, BoardRow
    from arena.leaderboard.query import LeaderboardQuery

__all__ = ["Board", "BoardRow", "LeaderboardQuery", "boards"]

# A board that is stored is read without what makes one.
_MODULES = {"Board": "board", "BoardRow": "board", "LeaderboardQuery": "query", "boards": "ask"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
