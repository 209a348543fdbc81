"""Games of agents that stand for all of them, and what was called and said in them.

Some questions no counter answers: by which kinds of error calls failed, what a model called itself
over time, who believed what. They are asked of games spread evenly over an agent's record, so that
an answer takes as long after a million games as after a hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, and_, column, func, select, values
from sqlmodel import Session, col

from db.models import EventType, GameEvent, GamePlayer, LLMCall
from db.models.columns import aware
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
    cached_tokens: int
    cost: float | None
    error_class: str | None
    error_status: int | None
    error_message: str | None


def spread_games(session: Session, agents: Sequence[int], most: int) -> list[int]:
    """At most `most` games of any of the agents, the oldest first, spread evenly over all that each
    of them has, each agent in turn. Some come twice where there are few, and are there once."""
    if not agents:
        return []
    own = values(column("agent", BigInteger)).data([(agent,) for agent in agents]).cte("own")
    ends: Any = select(
        own.c.agent,
        *(
            select(end(_game_id)).where(_agent_id == own.c.agent).scalar_subquery()
            for end in (func.min, func.max)
        ),
    )
    spans = [row for row in session.execute(ends) if row[1] is not None]
    if not spans:
        return []
    wanted = []
    for at in range(most):
        agent, first, last = spans[at % len(spans)]
        wanted.append((agent, first + (last - first) * at // max(most - 1, 1)))
    columns = column("agent", BigInteger), column("first", BigInteger)
    places = values(*columns).data(wanted).cte("wanted")
    next_game = (
        select(func.min(_game_id))
        .where(_agent_id == places.c.agent, _game_id >= places.c.first)
        .scalar_subquery()
    )
    games = session.scalars(select(next_game).select_from(places).distinct())
    return sorted(int(game) for game in games if game is not None)


def latest_games(session: Session, agents: Sequence[int], most: int) -> list[int]:
    """The newest `most` games of any of the agents, the oldest first."""
    found: set[int] = set()
    for agent in agents:
        query: Any = (
            select(_game_id)
            .where(_agent_id == agent)
            .distinct()
            .order_by(_game_id.desc())
            .limit(most)
        )
        found.update(session.scalars(query))
    return sorted(found)[-most:]


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


def calls_in(
    session: Session, games: Sequence[int], agents: Iterable[int], *, failed: bool = False
) -> list[SampledCall]:
    """The attempts of these agents in the games, in order of play; with `failed`, those that ended
    in an error."""
    call: Any = LLMCall
    if not games:
        return []
    numbers = values(column("id", BigInteger)).data([(game,) for game in games]).cte("named")
    low = numbers.c.id * 2**32
    query: Any = (
        select(
            _game_id, call.game_turn_id, _agent_id, call.model_answered, call.request_sent_at,
            call.total_response_time_ms, call.prompt_tokens, call.response_tokens,
            call.cached_tokens, call.cost, call.error_class, call.error_status,
            call.error_message_text,
        )
        .select_from(numbers)
        .join(GamePlayer, and_(_game_id == numbers.c.id, _agent_id.in_([*agents])))
        .join(
            LLMCall,
            and_(
                call.id >= low,
                call.id < low + 2**32,
                call.game_turn_id.op("&")(255) == col(GamePlayer.player_index),
            ),
        )
        .order_by(call.id)
    )  # fmt: skip
    if failed:
        query = query.where(call.error_class.is_not(None))
    found = []
    for game, turn, agent, answered, sent, ms, prompt, response, cached, *rest in session.execute(
        query
    ):
        found.append(
            SampledCall(
                game,
                turn >> 8 & 0xFFFF,
                turn & 0xFF,
                agent,
                answered,
                None if sent is None else aware(sent),
                ms,
                prompt or 0,
                response or 0,
                cached or 0,
                *rest,
            )
        )
    return found


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
