"""Rates any set of games by any system, and puts beside every rating what it rests on.

from arena.leaderboard import Question, boards

with get_session(url, create=False) as session:
    for board in boards(session, Question(environment="SecretMafia-v0")):
        print(board.rows[0].name, board.rows[0].rating)
"""

from arena.leaderboard.board import Board, Row, boards
from arena.leaderboard.question import Question

__all__ = ["Board", "Question", "Row", "boards"]
