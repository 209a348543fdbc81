"""Numbers on record of every seat of finished games."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from db.models import Environment, EventType, Game, GameEvent, GamePlayer
from db.queries.events import COLUMNS, event_of
from db.queries.folds import spans
from db.queries.games import RATED
from db.selection import Selection
from db.writer.events import EventRow

FACTS = (
    "turns", "invalid_actions", "silences", "refusals", "overlongs", "time_limits", "malfunctions",
    "targets", "targets_several", "targets_none", "eliminated_turn",
)  # fmt: skip
"""The columns of `game_players` that are numbers of a seat; neither its result nor its agent."""


@dataclass(frozen=True, slots=True)
class SeatFacts:
    """A seat of a rated game; `facts` are those of FACTS that are known."""

    game_id: int
    environment: str
    player_index: int
    role: str | None
    team: str | None
    facts: dict[str, float]


def seat_facts(session: Session, selection: Selection) -> Iterator[SeatFacts]:
    """In the order of `db.queries.played.played_games`, the seats of a game by player_index."""
    chosen = selection.on(session)
    query: Any = (
        select(
            col(Game.id),
            col(Environment.name),
            col(GamePlayer.player_index),
            col(GamePlayer.role),
            col(GamePlayer.team),
            *(getattr(GamePlayer, name) for name in FACTS),
        )
        .join(GamePlayer, col(GamePlayer.game_id) == col(Game.id))
        .join(Environment, col(Environment.id) == col(Game.environment_id))
        .where(*RATED, *chosen.of_games())
        .order_by(col(Game.fold_index), col(GamePlayer.player_index))
    )
    for after, upto in spans(session):
        position = col(Game.fold_index)
        for game, environment, place, role, team, *values in session.execute(
            query.where(position > after, position <= upto)
        ):
            known = zip(FACTS, values, strict=True)
            facts = {name: float(value) for name, value in known if value is not None}
            yield SeatFacts(game, environment, place, role, team, facts)


def seat_events(
    session: Session, selection: Selection, kinds: Sequence[str]
) -> dict[tuple[int, int], list[EventRow]]:
    """The events of these kinds that were done to a seat of a rated game, by (game, player_index),
    in order."""
    chosen = selection.on(session)
    query: Any = (
        select(col(GameEvent.game_id), *COLUMNS)
        .join(EventType, col(EventType.id) == col(GameEvent.kind))
        .join(Game, col(Game.id) == col(GameEvent.game_id))
        .where(
            *RATED,
            *chosen.of_games(),
            col(EventType.name).in_(kinds),
            col(GameEvent.target).is_not(None),
        )
        .order_by(col(GameEvent.game_id), col(GameEvent.seq))
    )
    found: dict[tuple[int, int], list[EventRow]] = {}
    for game, *columns in session.execute(query):
        event = event_of(*columns)
        found.setdefault((game, event.target or 0), []).append(event)
    return found


def games_without_events(session: Session, selection: Selection) -> int:
    """How many rated games of a selection have no events on record."""
    chosen = selection.on(session)
    query: Any = (
        select(func.count())
        .select_from(Game)
        .where(
            *RATED,
            *chosen.of_games(),
            or_(col(Game.events_version).is_(None), col(Game.events_error).is_not(None)),
        )
    )
    return int(session.execute(query).scalar_one())
