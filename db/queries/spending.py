"""Dollars: what a tournament has been charged per model, and what a game of it cost its agents."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session, col, select

from db.models import Game, GamePlayer, GameTurn, LLMCall

# A call's key holds its game and its player (`db.keys`): its turn need not be read. The inner
# query adds up per player, so that the agents are looked up once for each.
_PER_MODEL = text(
    """
SELECT m.name, SUM(s.calls), SUM(s.answered), SUM(s.failed), SUM(s.orphans), SUM(s.cached),
  SUM(s.charged)
FROM (
  SELECT g.id AS game_id, c.game_turn_id & 255 AS player_index, COUNT(*) AS calls,
    COUNT(c.response_received_at) AS answered,
    COUNT(CASE WHEN c.error_class <> 'Orphaned' THEN 1 END) AS failed,
    COUNT(CASE WHEN c.error_class = 'Orphaned' THEN 1 END) AS orphans,
    COUNT(CASE WHEN c.cached THEN 1 END) AS cached,
    SUM(COALESCE(c.charged, c.reserved, 0.0)) AS charged
  FROM games g JOIN llm_calls c ON c.id >= g.id * 4294967296 AND c.id < (g.id + 1) * 4294967296
  WHERE g.tournament_id = :tournament
  GROUP BY g.id, c.game_turn_id & 255
) s
JOIN game_players p ON p.game_id = s.game_id AND p.player_index = s.player_index
JOIN agents a ON a.id = p.agent_id JOIN models m ON m.id = a.model_id
GROUP BY m.name ORDER BY m.name
"""
)


@dataclass(frozen=True, slots=True)
class ModelSpending:
    """The attempts at one model, by its name in the catalogue.

    `answered` ended, in an answer or in one of the `failed` errors; `orphans` were in flight when
    their process ended, `cached` were answered from the record. `charged` is dollars: the cost of
    what was answered, and the worst case of what may have been.
    """

    model: str
    calls: int
    answered: int
    failed: int
    orphans: int
    cached: int
    charged: float


def spending(session: Session, tournament_id: int) -> dict[str, ModelSpending]:
    """All attempts of all games of a tournament, void ones too, by the model's name."""
    found = session.connection().execute(_PER_MODEL, {"tournament": tournament_id})
    return {
        name: ModelSpending(
            model=name,
            calls=int(calls),
            answered=int(answered),
            failed=int(failed),
            orphans=int(orphans),
            cached=int(cached),
            charged=float(charged),
        )
        for name, calls, answered, failed, orphans, cached, charged in found
    }


def spent(session: Session, tournament_id: int) -> dict[str, float]:
    """Dollars charged by the model's name: what has been charged, and what is reserved for calls
    without an answer. Models that were never asked are not in it."""
    return {name: row.charged for name, row in spending(session, tournament_id).items()}


# Branches, and branches of branches.
_BRANCHES = text(
    """
WITH RECURSIVE branches(id) AS (
  SELECT b.id FROM games b JOIN games g ON b.parent_game_id = g.id
  WHERE g.tournament_id = :tournament
  UNION SELECT b.id FROM games b JOIN branches p ON b.parent_game_id = p.id
)
SELECT m.name, SUM(COALESCE(c.charged, c.reserved, 0.0))
FROM branches g JOIN llm_calls c ON c.id >= g.id * 4294967296 AND c.id < (g.id + 1) * 4294967296
JOIN game_players p ON p.game_id = g.id AND p.player_index = (c.game_turn_id & 255)
JOIN agents a ON a.id = p.agent_id JOIN models m ON m.id = a.model_id
GROUP BY m.name ORDER BY m.name
"""
)


def spent_by_branches(session: Session, tournament_id: int) -> dict[str, float]:
    """Dollars charged for the branches of a tournament's games, by the model's name."""
    found = session.connection().execute(_BRANCHES, {"tournament": tournament_id})
    return {str(name): float(charged) for name, charged in found}


def spent_in_all(session: Session, tournament_id: int) -> dict[str, float]:
    """Dollars charged for a tournament's games and their branches, by the model's name: what its
    budget has paid."""
    all_ = spent(session, tournament_id)
    for model, dollars in spent_by_branches(session, tournament_id).items():
        all_[model] = all_.get(model, 0.0) + dollars
    return all_


_PER_GAME = text(
    """
SELECT g.id, g.status, SUM(COALESCE(c.charged, c.reserved, 0.0)), MAX(COALESCE(c.reserved, 0.0))
FROM games g JOIN llm_calls c ON c.id >= g.id * 4294967296 AND c.id < (g.id + 1) * 4294967296
WHERE g.tournament_id = :tournament GROUP BY g.id, g.status ORDER BY g.id
"""
)


def spent_by_game(session: Session, tournament_id: int) -> dict[int, tuple[str, float, float]]:
    """The status of every game of a tournament that has called a model, and the dollars charged
    for it and reserved at most for one call, by its id."""
    found = session.connection().execute(_PER_GAME, {"tournament": tournament_id})
    return {
        int(game): (str(status), float(charged), float(reserved))
        for game, status, charged, reserved in found
    }


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
