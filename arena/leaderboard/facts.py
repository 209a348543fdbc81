"""What stands beside the ratings of a board: errors, costs and void games of each agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.scopes import Scope
from db import Session
from db.queries.answered import AnsweredName, answered_names, backends
from db.queries.conduct import ConductRow, conduct_in
from db.queries.usage import RatedUsageRow, rated_usage
from db.queries.voids import AgentVoids, void_games

COSTS_UP_TO_GAMES = 5_000
"""What was spent is added up from the calls: beyond this many games the sum takes seconds."""


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """By agent_id."""

    conduct: Mapping[int, ConductRow]
    spent: Mapping[int, RatedUsageRow]
    voids: Mapping[int, AgentVoids]
    answered: Mapping[int, Sequence[AnsweredName]]
    backends: Mapping[int, Sequence[str]]

    def voids_of(self, agent_id: int | None) -> AgentVoids:
        """The void games of an agent, perhaps none."""
        return self.voids.get(agent_id or 0, AgentVoids())

    @classmethod
    def of(cls, session: Session, scope: Scope, query: LeaderboardQuery) -> BoardFacts:
        """Of the games of a scope, those included that an error decided."""
        asked = query.selection
        seats = replace(scope.selection, role=asked.role, team=asked.team)
        few = len(scope.played) <= COSTS_UP_TO_GAMES
        return cls(
            conduct_in(session, seats),
            rated_usage(session, seats) if few else {},
            # Of all seats: a game that came to nothing may not have known its roles.
            void_games(session, scope.selection),
            answered_names(session, seats) if few else {},
            backends(session, seats) if few else {},
        )
