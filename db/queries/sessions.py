"""Sessions: what an agent's turns and calls took within one game, or within one tournament."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import case, distinct, func, or_, select
from sqlmodel import Session, col

from db.models import Game, GamePlayer, GameTurn, LLMCall, Tournament
from db.models.calls import ORPHANED
from db.selection import Selection

Within = Literal["game", "tournament"]


@dataclass(frozen=True, slots=True)
class AgentSession:
    """An agent within one game, in all its seats there, or within one tournament.

    `status` is that of the game or the tournament. `games` are those that were begun, `turns` those
    that it was asked for, a branch's from its first turn of its own, `calls` the attempts at a
    provider in them; `mean_ms` is the mean time of the answered calls in milliseconds, None without
    any. `errors` are calls that failed, those that were in flight when their process ended left
    out; `lapses` turns that lapsed or that the rules refused. `first_at` and `last_at` are the
    first and the last time that it was heard of, None before its first turn.
    """

    tournament: str | None
    game_id: int | None
    agent_id: int
    status: str
    games: int
    turns: int
    calls: int
    mean_ms: float | None
    errors: int
    lapses: int
    first_at: datetime | None
    last_at: datetime | None


def agent_sessions(
    session: Session,
    selection: Selection | None = None,
    *,
    within: Within = "game",
    limit: int | None = None,
) -> list[AgentSession]:
    """The sessions of a selection, by game (or tournament) and agent, at most `limit`. Games that
    were not begun are in none, those of no tournament in none of a tournament.
    Reads every turn and call of them.

    Raises BadSelection for what is not on record.
    """
    chosen = (selection or Selection()).on(session).of_seats()
    own = col(Game.parent_turn).is_(None) | (col(GameTurn.turn_number) >= col(Game.parent_turn))
    seat = (
        (col(GameTurn.game_id) == col(GamePlayer.game_id))
        & (col(GameTurn.player_index) == col(GamePlayer.player_index))
        & own
    )
    place: Any = col(Game.id) if within == "game" else col(Game.tournament_id)
    lapsed = or_(col(GameTurn.lapse).is_not(None), col(GameTurn.invalid))
    turns: Any = (
        select(
            place,
            col(GamePlayer.agent_id),
            func.count(distinct(col(GamePlayer.game_id))),
            func.count(col(GameTurn.id)),
            func.count(case((lapsed, 1))),
            func.min(col(GameTurn.observed_at)),
            func.max(func.coalesce(col(GameTurn.acted_at), col(GameTurn.observed_at))),
        )
        .select_from(GamePlayer)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(GameTurn, seat, isouter=True)
        .where(place.is_not(None), col(Game.status) != "scheduled", *chosen)
        .group_by(place, col(GamePlayer.agent_id))
        .order_by(place, col(GamePlayer.agent_id))
        .limit(limit)
    )
    # A call that was in flight when its process ended is nobody's error.
    failed = col(LLMCall.error_class) != ORPHANED
    calls: Any = (
        select(
            place,
            col(GamePlayer.agent_id),
            func.count(col(LLMCall.id)),
            func.count(case((failed, 1))),
            func.avg(
                case((col(LLMCall.error_class).is_(None), col(LLMCall.total_response_time_ms)))
            ),
        )
        .select_from(GamePlayer)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(GameTurn, seat)
        .join(LLMCall, col(LLMCall.game_turn_id) == col(GameTurn.id))
        .where(place.is_not(None), *chosen)
        .group_by(place, col(GamePlayer.agent_id))
    )
    rows = session.execute(turns).all()
    asked = {(row[0], row[1]): row[2:] for row in session.execute(calls)} if rows else {}
    told = _places(session, within, {row[0] for row in rows})
    found = []
    for key, agent, games, played, lapses, first, last in rows:
        made, errors, mean = asked.get((key, agent), (0, 0, None))
        tournament, status = told[key]
        found.append(
            AgentSession(
                tournament, key if within == "game" else None, agent, status, games, played,
                made, None if mean is None else float(mean), errors, lapses, first, last,
            )
        )  # fmt: skip
    return found


_AT_ONCE = 500


def _places(session: Session, within: Within, keys: set[int]) -> dict[int, tuple[str | None, str]]:
    """The name of the tournament and the status, by game or tournament."""
    found: dict[int, tuple[str | None, str]] = {}
    wanted = sorted(keys)
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        query: Any = (
            select(col(Game.id), col(Tournament.name), col(Game.status))
            .outerjoin(Tournament, col(Tournament.id) == col(Game.tournament_id))
            .where(col(Game.id).in_(some))
            if within == "game"
            else select(col(Tournament.id), col(Tournament.name), col(Tournament.status)).where(
                col(Tournament.id).in_(some)
            )
        )
        found |= {key: (name, status) for key, name, status in session.execute(query)}
    return found
