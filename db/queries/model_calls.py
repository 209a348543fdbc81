"""The latest answered calls of a model: what a forecast learns of it from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import Session, col, select

from db.errors import DatabaseError
from db.models import Environment, Game, GameTurn, LLMCall


class ModelCall(NamedTuple):
    """Tokens and milliseconds of an answered call; None where the provider did not say."""

    call_id: int
    prompt_tokens: int | None
    completion_tokens: int | None
    total_ms: float | None


def model_calls(
    session: Session, litellm_model: str, environment: str | None = None, *, limit: int
) -> list[ModelCall]:
    """The latest calls, in the games of an environment when its name is given, the newest first.
    Failed calls and answers from the cache are left out."""
    query: Any = (
        select(
            col(LLMCall.id),
            col(LLMCall.prompt_tokens),
            col(LLMCall.response_tokens),
            col(LLMCall.total_response_time_ms),
        )
        .where(
            col(LLMCall.model) == litellm_model,
            col(LLMCall.response_received_at).is_not(None),
            col(LLMCall.error_class).is_(None),
            col(LLMCall.cached).is_(False),
        )
        .order_by(col(LLMCall.id).desc())
        .limit(limit)
    )
    if environment is not None:
        query = (
            query.join(GameTurn, col(LLMCall.game_turn_id) == col(GameTurn.id))
            .join(Game, col(GameTurn.game_id) == col(Game.id))
            .join(Environment, col(Game.environment_id) == col(Environment.id))
            .where(col(Environment.name) == environment)
        )
    return [ModelCall(*row) for row in session.execute(query)]


_GAMES = text(
    """
SELECT COUNT(DISTINCT c.game_turn_id * 256 + c.call_number)
FROM games g JOIN environments e ON e.id = g.environment_id
JOIN llm_calls c ON c.id >= g.id * 4294967296 AND c.id < (g.id + 1) * 4294967296
WHERE e.name = :environment AND g.status = 'completed' AND g.parent_game_id IS NULL
  AND (SELECT COUNT(*) FROM game_players p WHERE p.game_id = g.id) = :players
GROUP BY g.id ORDER BY g.id DESC LIMIT :most
"""
)


def calls_of_games(session: Session, environment: str, players: int, *, limit: int) -> list[int]:
    """How many calls the latest finished games of an environment took with so many players, each
    counted once however often it was tried."""
    wanted = {"environment": environment, "players": players, "most": limit}
    return [int(calls) for (calls,) in session.connection().execute(_GAMES, wanted)]


def request_lengths(session: Session, call_ids: Sequence[int]) -> dict[int, int]:
    """How many characters each of these calls sent, of those whose requests can be read."""
    lengths = {}
    for call in session.exec(select(LLMCall).where(col(LLMCall.id).in_(call_ids))):
        try:
            lengths[call.id] = sum(_length(message["content"]) for message in call.messages)
        except DatabaseError:
            continue
    return lengths


def _length(content: Any) -> int:
    """Characters of a content: a text, or parts of which some are."""
    if isinstance(content, str):
        return len(content)
    return sum(len(part["text"]) for part in content if isinstance(part.get("text"), str))
