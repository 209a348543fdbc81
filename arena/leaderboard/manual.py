"""Ratings that were set by hand and belong to no game: shown as they are stored."""

from __future__ import annotations

from dataclasses import replace

from arena.core.ratings import MU
from arena.leaderboard.board import Board
from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.records import AgentRecord, WinRecord
from arena.stats.groups import told_apart
from db import Session
from db.queries.leaderboard import leaderboard, pools


def kept_by_hand(session: Session, query: LeaderboardQuery) -> list[Board]:
    """The board of the ratings that were set by hand for a system; none where there are none, or
    where the query is not for everything that the system has rated."""
    if query != LeaderboardQuery(system=query.system):
        return []
    found = []
    for pool in pools(session, system=query.system):
        if pool.environment_id is not None:
            continue
        rows = {row.agent_id: row for row in leaderboard(session, pool.pool_id)}
        if not rows:
            continue
        import numpy as np

        from arena.leaderboard.making import placed

        agents = [*rows]
        around = np.eye(len(agents)) - 1 / len(agents)
        mean = around @ np.array([row.mu - MU for row in rows.values()])
        variance = np.diag([row.sigma**2 for row in rows.values()])
        shown = []
        covariance = around @ variance @ around.T
        for place in placed(agents, mean, covariance):
            row = rows[place.agent_id or 0]
            record = AgentRecord(WinRecord.of_games(row.wins, row.draws, row.losses), {}, {})
            shown.append(replace(place, name=row.agent, record=record))
        found.append(
            Board(
                environment="rated by hand",
                num_players=None,
                version=None,
                tournament=None,
                system=query.system,
                role=None,
                team=None,
                by="agent",
                games=pool.games,
                by_error=0,
                touched=0,
                left_out=0,
                rows=tuple(shown),
                told_apart=told_apart(mean, covariance),
            )
        )
    return found
