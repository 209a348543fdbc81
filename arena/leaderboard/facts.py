"""What stands beside the ratings of a board: errors, costs and void games of each agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.scopes import Scope
from db import Session
from db.queries.answered import AnsweredName, answered_names, backends
from db.queries.conduct import ConductRow
from db.queries.counters import agent_counts, behind
from db.queries.usage import FinishedUsage
from db.queries.voids import AgentVoids, void_games

ANSWERS_FROM_GAMES = 5_000
"""Who answered is read from the calls of at most so many games, spread evenly over all."""


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """By agent_id. `notes` are sentences on what they rest on."""

    conduct: Mapping[int, ConductRow]
    spent: Mapping[int, FinishedUsage]
    voids: Mapping[int, AgentVoids]
    answered: Mapping[int, Sequence[AnsweredName]]
    backends: Mapping[int, Sequence[str]]
    notes: tuple[str, ...] = ()

    def voids_of(self, agent_id: int | None) -> AgentVoids:
        """The void games of an agent, perhaps none."""
        return self.voids.get(agent_id or 0, AgentVoids())

    @classmethod
    def of(cls, session: Session, scope: Scope, query: LeaderboardQuery) -> BoardFacts:
        """Of the finished games of a scope, those included that an error decided."""
        asked = query.selection
        seats = replace(scope.selection, role=asked.role, team=asked.team)
        counts = agent_counts(session, seats)
        notes: list[str] = []
        asked_of, games = seats, len(scope.played)
        if games > ANSWERS_FROM_GAMES:
            if names := behind(session, seats):
                notes.append(_BEHIND.format(names=", ".join(names)))
            at = np.linspace(0, games - 1, ANSWERS_FROM_GAMES).astype(np.int64)
            asked_of = replace(seats, game=scope.played.game_ids[at].tolist())
            notes.append(
                f"which names and backends answered is read from {ANSWERS_FROM_GAMES:,} of the "
                f"{games:,} games, spread evenly"
            )
        finished = {key: each for key, each in counts.items() if each.games}
        return cls(
            {key: ConductRow.of(key, each) for key, each in finished.items()},
            {key: FinishedUsage.of(key, each) for key, each in finished.items()},
            # Of all seats: a game that came to nothing may not have known its roles.
            void_games(session, scope.selection),
            answered_names(session, asked_of),
            backends(session, asked_of),
            tuple(notes),
        )


_BEHIND = (
    "the counters of {names} are not up to date, so that costs and errors were counted from every "
    "call: `arena counters rebuild` stores them"
)
