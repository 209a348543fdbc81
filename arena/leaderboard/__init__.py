"""Rates any set of games by any system, and puts beside every rating what it rests on.

from arena.leaderboard import LeaderboardQuery, boards
from db.selection import Selection

with get_session(url, create=False) as session:
    for board in boards(session, LeaderboardQuery(Selection(environment="SecretMafia-v0"))):
        print(board.rows[0].name, board.rows[0].rating)
"""

from arena.leaderboard.ask import boards
from arena.leaderboard.board import Board, BoardRow
from arena.leaderboard.query import LeaderboardQuery

__all__ = ["Board", "BoardRow", "LeaderboardQuery", "boards"]
