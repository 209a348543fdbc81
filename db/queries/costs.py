"""What one game has cost each of its agents."""

from __future__ import annotations

import math

from sqlmodel import Session, col, select

from db.models import Game, GamePlayer, GameTurn, LLMCall


def costs_of_place(session: Session, tournament_id: int, schedule_index: int) -> dict[int, float]:
    """Dollars by agent_id, of the completed game at a place of a tournament's schedule; an agent
    none of whose calls has a known cost is left out."""
    rows = session.exec(
        select(GamePlayer.agent_id, LLMCall.cost)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(
            GameTurn,
            (col(GameTurn.game_id) == col(Game.id))
            & (col(GameTurn.player_index) == col(GamePlayer.player_index)),
        )
        .join(LLMCall, col(LLMCall.game_turn_id) == col(GameTurn.id))
        .where(
            Game.tournament_id == tournament_id,
            Game.schedule_index == schedule_index,
            Game.status == "completed",
            col(LLMCall.cost).is_not(None),
        )
    )
    costs: dict[int, list[float]] = {}
    for agent, dollars in rows:
        costs.setdefault(agent, []).append(dollars or 0.0)
    # Correctly rounded, whatever order a database gives the rows in.
    return {agent: math.fsum(dollars) for agent, dollars in costs.items()}
