"""Answers a query: the boards of its scopes, of agents or of their parts."""

from __future__ import annotations

from arena.core import UsageError
from arena.leaderboard.board import Board, agent_boards
from arena.leaderboard.parts import part_boards
from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.rating import SeatGroup, part_missing, role_of, team_of
from arena.leaderboard.scopes import Scope, scopes
from db import Session
from db.selection import find


def boards(session: Session, query: LeaderboardQuery) -> list[Board]:
    """One board for each environment, or each pool of agents that met; none without games.

    Raises UsageError for queries that make no sense, BadSelection for what is not on record.
    """
    query.check()
    found = scopes(session, query)
    asked: list[tuple[Scope, SeatGroup | None]] = [(scope, None) for scope in found]
    for noun, name, of in (("role", query.role, role_of), ("team", query.team, team_of)):
        if name is not None and found:
            asked = [(scope, of(scope.played, name)) for scope in found]
            asked = [(scope, part) for scope, part in asked if part is not None]
            if not asked:
                raise part_missing(noun, name, found)
    if query.by != "agent":
        return [board for scope, _ in asked for board in part_boards(session, scope, query)]
    anchor = None if query.anchor is None else find(session, "agent", query.anchor)[0]
    made = [
        board
        for scope, part in asked
        for board in agent_boards(session, scope, query, part, anchor)
    ]
    if made and anchor is not None and not any(board.anchor for board in made):
        raise UsageError(
            f"--anchor {query.anchor}: it is in none of these games, so nothing here can be said "
            "relative to it"
        )
    weighable = query.weights is None or not any(scope.weights for scope in found)
    if not weighable and not any(board.weights for board in made):
        raise UsageError(
            f"{query.system} takes the games of several environments for one, so that they have no "
            "--weights: leave them out, or use --system probit"
        )
    return made
