"""An agent against each other agent, in each role and on each team, from what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arena.stats.head_to_head import Cell, cells_of
from db import Session
from db.pairs import unit
from db.queries.agents import agent_names
from db.queries.pairs import counted_scopes, games_counted, opponents, parts_counted
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class AgentOpponent:
    """What an agent scored against another one in an environment."""

    agent_id: int
    name: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class AgentMeetings:
    """What an agent scored in an environment's rated games: against whom, the hardest opponent
    first, and against the other teams by role and by team."""

    environment: str
    num_players: int
    games: int
    opponents: tuple[AgentOpponent, ...]
    roles: Mapping[str, Cell]
    teams: Mapping[str, Cell]


def agent_meetings(session: Session, agent_id: int) -> list[AgentMeetings] | None:
    """The meetings of an agent in each environment that it has rated games in, the most of all
    first; None where games were rated that nobody has counted (`arena ratings rebuild`)."""
    scopes = counted_scopes(session, Selection())
    if scopes is None:
        return None
    names = {key: agent.name for key, agent in agent_names(session).items()}
    found = []
    for scope in scopes:
        whole = unit(scope.num_players)
        games = games_counted(session, scope).get(agent_id, 0)
        met = [
            AgentOpponent(other, names.get(other, f"agent {other}"), cells_of(count, whole)[0])
            for other, count in opponents(session, scope, agent_id).items()
        ]
        parts: dict[str, dict[str, Cell]] = {"role": {}, "team": {}}
        for key, count in parts_counted(session, scope, agent_id).items():
            parts[key.by][key.part] = cells_of(count, whole)[0]
        if games:
            met.sort(key=lambda each: (each.cell.score, each.agent_id))
            found.append(
                AgentMeetings(
                    scope.environment,
                    scope.num_players,
                    games,
                    tuple(met),
                    parts["role"],
                    parts["team"],
                )
            )
    return sorted(found, key=lambda each: -each.games)
