"""Answers a query: the boards of its scopes, of agents or of their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from arena.core import UsageError
from arena.leaderboard.board import Board
from arena.leaderboard.making import agent_boards
from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.rating import SeatGroup, part_missing, role_of, team_of
from arena.leaderboard.scopes import Scope, scopes
from arena.registry import registered
from arena.reports.noise_floor import null_agents, null_prompts, prompt_noise
from db import Session
from db.finding import find


def boards(session: Session, query: LeaderboardQuery) -> list[Board]:
    """One board for each environment, or each pool of agents that met; none without games.

    Raises UsageError for queries that make no sense, BadSelection for what is not on record.
    """
    query.check()
    query = replace(query, system=registered("ratings", query.system))
    found = scopes(session, query)
    asked: list[tuple[Scope, SeatGroup | None]] = [(scope, None) for scope in found]
    for noun, name, of in (("role", query.role, role_of), ("team", query.team, team_of)):
        if name is not None and found:
            asked = [(scope, of(scope.played, name)) for scope in found]
            asked = [(scope, part) for scope, part in asked if part is not None]
            if not asked:
                raise part_missing(noun, name, found)
    if query.by != "agent":
        # The systems that rate parts take a second to import.
        from arena.leaderboard.parts import part_boards

        parted = [board for scope, _ in asked for board in part_boards(session, scope, query)]
        return _with_noise(session, parted) if query.by == "prompt" else parted
    anchor = None if query.anchor is None else find(session, "agent", query.anchor)[-1]
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
    return _with_noise(session, made)


def _with_noise(session: Session, made: Sequence[Board]) -> list[Board]:
    """The boards with what null variants of prompts differ by, where there are any."""
    by_name = any(board.by == "prompt" for board in made)
    rows = [row for board in made for row in board.rows]
    found = []
    if by_name:
        prompts = null_prompts(session, [row.name for row in rows])
    else:
        agents = null_agents(session, [row.agent_id for row in rows if row.agent_id is not None])
    for board in made:
        if by_name:
            ratings = {row.name: row.rating for row in board.rows}
            noise = prompt_noise(prompts, ratings, {name: name for name in ratings})
        else:
            keyed = {row.agent_id or 0: row for row in board.rows}
            noise = prompt_noise(
                agents,
                {key: row.rating for key, row in keyed.items()},
                {key: row.name for key, row in keyed.items()},
            )
        found.append(replace(board, noise=noise))
    return found
