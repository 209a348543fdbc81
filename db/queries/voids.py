"""Games that came to nothing: whom they struck, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlmodel import Session, col

from db.models import Game, GamePlayer, GameTurn
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class AgentVoids:
    """The void games in which an agent sat, every attempt at a game counted, branches left out:
    `causes` by game_id, `own` those that ended in a turn of its own."""

    causes: Mapping[int, str] = field(default_factory=dict)
    own: frozenset[int] = frozenset()


def void_games(session: Session, selection: Selection) -> dict[int, AgentVoids]:
    """Of the seats of a selection, by agent_id; agents without a void game are left out."""
    last = (
        select(col(GameTurn.player_index))
        .where(col(GameTurn.game_id) == col(Game.id))
        .order_by(col(GameTurn.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(
            col(GamePlayer.agent_id),
            col(Game.id),
            col(Game.void_cause),
            (col(GamePlayer.player_index) == last).label("own"),
        )
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .where(
            col(Game.status) == "void",
            col(Game.parent_game_id).is_(None),
            *selection.on(session).of_seats(),
        )
        .order_by(col(Game.id))
    )
    causes: dict[int, dict[int, str]] = defaultdict(dict)
    own: dict[int, set[int]] = defaultdict(set)
    for agent, game, cause, mover in session.execute(query):
        causes[agent][game] = cause or "unknown"
        if mover:
            own[agent].add(game)
    return {
        agent: AgentVoids(games, frozenset(own[agent])) for agent, games in sorted(causes.items())
    }
