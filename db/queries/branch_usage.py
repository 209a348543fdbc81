"""What games took from one of their turns on, seat by seat: what branches are compared with."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, text
from sqlmodel import Session, col, select

from db.models import Game
from db.models.tournaments import REFEREE_ID

_AT_ONCE = 500


class TailUsage(NamedTuple):
    """What one seat of a completed game took from a turn on, all attempts counted; the fields are
    those of `db.queries.game_usage.SeatUsage`."""

    game_id: int
    player_index: int
    agent: str
    model: str
    calls: int
    answered: int
    prompt_tokens: int
    response_tokens: int
    own_cache: int
    charged: float


_TAILS = text(
    f"""
SELECT g.id, c.game_turn_id & 255, a.fingerprint, m.name, COUNT(*),
  SUM(CASE WHEN c.prompt_tokens > 0 AND c.response_tokens IS NOT NULL THEN 1 ELSE 0 END),
  SUM(COALESCE(c.prompt_tokens, 0)), SUM(COALESCE(c.response_tokens, 0)),
  SUM(CASE WHEN c.cached THEN 1 ELSE 0 END), SUM(COALESCE(c.charged, c.reserved, 0.0))
FROM games g
JOIN llm_calls c ON c.id >= g.id * 4294967296 AND c.id < (g.id + 1) * 4294967296
LEFT JOIN game_players p ON p.game_id = g.id AND p.player_index = (c.game_turn_id & 255)
LEFT JOIN environments rules ON rules.id = g.environment_id
JOIN agents a ON a.id = COALESCE(p.agent_id, {REFEREE_ID})
JOIN models m ON m.id = a.model_id
WHERE g.id IN :games AND g.status = 'completed' AND ((c.game_turn_id >> 8) & 65535) >= :turn
GROUP BY 1, 2, a.fingerprint, m.name
ORDER BY 1, 2
"""  # noqa: S608
).bindparams(bindparam("games", expanding=True))

# Sums are decimals in one database and integers in the other.
_TYPES = (int, int, str, str, int, int, int, int, int, float)


def tail_usage(session: Session, games: Collection[int], turn: int) -> list[TailUsage]:
    """What completed games took from `turn` on, by game and seat; a seat that made no call there
    is left out."""
    keys, found = sorted(games), []
    for at in range(0, len(keys), _AT_ONCE):
        given = {"games": keys[at : at + _AT_ONCE], "turn": turn}
        for row in session.connection().execute(_TAILS, given):
            values = [of(value) for of, value in zip(_TYPES, row, strict=True)]
            found.append(TailUsage._make(values))
    return found


def games_like(
    session: Session, game_id: int, turn: int, *, before: datetime, limit: int
) -> list[int]:
    """The newest completed games of tournaments under the rules of a game that ended `before` a
    time, at most `limit`; with the game itself, if it was played from `turn` on."""
    own = session.get(Game, game_id)
    if own is None:
        return []
    query = (
        select(Game.id)
        .where(Game.environment_id == own.environment_id, Game.status == "completed")
        .where(col(Game.tournament_id).is_not(None), col(Game.finished_at) < before)
        .order_by(col(Game.id).desc())
        .limit(limit)
    )
    found = {key for key in session.exec(query) if key is not None}
    return sorted(found | ({game_id} if (own.parent_turn or 0) <= turn else set()))
