"""What was called and said in a few games that stand for all of an agent's.

Some questions no counter answers: what a model called itself over time, who believed what. They are
asked of games spread evenly over the record (`db.queries.steps`), so that an answer takes as long
after a million games as after a hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, text
from sqlmodel import Session, col

from db.models import EventType, GameEvent, GamePlayer
from db.models.columns import CompactDateTime
from db.queries.events import COLUMNS, event_of
from db.writer.events import EventRow

_agent_id: Any = col(GamePlayer.agent_id)
_game_id: Any = col(GamePlayer.game_id)


class SampledSeat(NamedTuple):
    """A place in one of the games."""

    game_id: int
    player_index: int
    agent_id: int
    role: str | None
    team: str | None


@dataclass(frozen=True, slots=True)
class SampledCall:
    """An attempt at a provider in one of the games, by the agent that was asked for."""

    game_id: int
    turn_number: int
    player_index: int
    agent_id: int
    answered: str | None
    sent_at: datetime | None
    milliseconds: float | None
    prompt_tokens: int
    response_tokens: int
    cost: float | None
    error_class: str | None


def seats_of(session: Session, games: Sequence[int]) -> dict[int, list[SampledSeat]]:
    """The places of the games, by game."""
    query: Any = (
        select(_game_id, col(GamePlayer.player_index), _agent_id, col(GamePlayer.role),
               col(GamePlayer.team))
        .where(_game_id.in_(games))
        .order_by(_game_id, col(GamePlayer.player_index))
    )  # fmt: skip
    found: dict[int, list[SampledSeat]] = defaultdict(list)
    for row in session.execute(query):
        found[row[0]].append(SampledSeat(*row))
    return dict(found)


# CROSS JOIN says the order in which SQLite reads the tables. A call's key holds its game and its
# player (`db.keys`): its turn need not be read.
_CALLS = """
SELECT g.id, c.game_turn_id, p.agent_id, c.model_answered, c.request_sent_at,
  c.total_response_time_ms, c.prompt_tokens, c.response_tokens, c.cost, c.error_class
FROM games g CROSS JOIN game_players p CROSS JOIN llm_calls c
WHERE g.id IN :games AND p.game_id = g.id AND p.agent_id IN :agents
  AND c.id >= g.id * 4294967296 AND c.id < (g.id + 1) * 4294967296
  AND (c.game_turn_id & 255) = p.player_index
ORDER BY c.id
"""
_CALLS_QUERY = (
    text(_CALLS)
    .bindparams(bindparam("games", expanding=True), bindparam("agents", expanding=True))
    .columns(request_sent_at=CompactDateTime())
)


def calls_in(session: Session, games: Sequence[int], agents: Sequence[int]) -> list[SampledCall]:
    """The attempts of these agents in the games, in order of play."""
    of = {"games": [*games], "agents": [*agents]}
    return [
        SampledCall(
            game,
            turn >> 8 & 0xFFFF,
            turn & 0xFF,
            agent,
            answered,
            sent,
            milliseconds,
            prompt or 0,
            response or 0,
            cost,
            error,
        )
        for game, turn, agent, answered, sent, milliseconds, prompt, response, cost, error in (
            session.connection().execute(_CALLS_QUERY, of)
        )
    ]


def events_in(
    session: Session, games: Sequence[int], kinds: Sequence[str]
) -> dict[int, list[EventRow]]:
    """The events of some kinds of the games, in order, by game; of those that have any."""
    query: Any = (
        select(col(GameEvent.game_id), *COLUMNS)
        .join(EventType, col(EventType.id) == col(GameEvent.kind))
        .where(col(GameEvent.game_id).in_(games), col(EventType.name).in_(kinds))
        .order_by(col(GameEvent.game_id), col(GameEvent.seq))
    )
    found: dict[int, list[EventRow]] = defaultdict(list)
    for game, *row in session.execute(query):
        found[game].append(event_of(*row))
    return dict(found)
