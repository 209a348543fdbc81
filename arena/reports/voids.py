"""Games without a result, in words: whom they struck, and what that does to the numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from arena.core import VoidCause
from db import Session
from db.queries.agents import agent_names
from db.queries.voids import AgentVoids, void_games
from db.selection import Selection

_NAMED = 6
"""The most agents that a sentence names."""


def shares(voids: Mapping[str, AgentVoids]) -> str:
    """`Ann 7 (5 in its own turn), Bob 2 (0 in its own turn)`: those with the most first."""
    struck = sorted(
        ((name, void) for name, void in voids.items() if void.causes),
        key=lambda one: -len(one[1].causes),
    )
    named = [
        f"{name} {len(void.causes):,} ({len(void.own):,} in its own turn)"
        for name, void in struck[:_NAMED]
    ]
    more = len(struck) - len(named)
    return ", ".join(named) + (f" and {more:,} more agents" if more else "")


def void_by_name(session: Session, selection: Selection) -> dict[str, AgentVoids]:
    """The void games of a selection by the agents' names."""
    names = agent_names(session)
    return {
        names[agent].name if agent in names else f"agent {agent}": void
        for agent, void in void_games(session, selection).items()
    }


def counted(voids: Mapping[str, AgentVoids]) -> dict[str, dict[str, Any]]:
    """As plain data: by name the games, those that ended in its own turn, and the causes."""
    return {
        name: {
            "games": len(void.causes),
            "own": len(void.own),
            "causes": dict(Counter(void.causes.values())),
        }
        for name, void in voids.items()
    }


def told(voids: Mapping[str, AgentVoids]) -> list[str]:
    """Sentences about the void games of agents, by their names; none where there are none."""
    # A game in which several of them sat is one game.
    games = {game: cause for void in voids.values() for game, cause in void.causes.items()}
    if not games:
        return []
    causes = Counter(games.values())
    why = ", ".join(f"{cause} {times:,}x" for cause, times in causes.most_common())
    found = [
        f"void games, every attempt counted: {len(games):,} ({why}), of {shares(voids)}. They "
        "count for nobody: an agent whose lost games go void more often than its won ones looks "
        "better than it is"
    ]
    if causes[VoidCause.CONTEXT.value]:
        found.append(
            "a context limit made games void: it strikes long games, and whoever loses the long "
            "ones gains by it. environment: {overflow: truncate-oldest} or {overflow: lose} gives "
            "them a result"
        )
    return found
