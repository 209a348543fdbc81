"""The events of finished games: replaced by those that a replay told."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import delete
from sqlmodel import col, select

from db.engine import begin_writing
from db.models import EventType, Game, GameEvent
from db.repository.counters import leave_behind
from db.repository.positions import PositionRepository
from db.repository.rows import added, found_or_made
from db.writer.events import EventsTold


class EventRepository(PositionRepository):
    def replace_events(self, told: EventsTold) -> bool:
        """Put the events of a game in the place of those it has, with the kinds that are new;
        False where the game is gone. Whoever replaces them at the same time waits. The counters of
        the game's tournament are not up to date afterwards."""
        connection = self.session.connection()
        if connection.dialect.name == "sqlite":
            begin_writing(connection)
        held = select(Game).where(Game.id == told.game_id).with_for_update()
        game = self.session.exec(held.execution_options(populate_existing=True)).first()
        if game is None:
            return False
        kinds = self._kinds(told)
        self.session.execute(delete(GameEvent).where(col(GameEvent.game_id) == told.game_id))
        rows = [
            {
                "game_id": told.game_id,
                "seq": seq,
                **event._asdict(),
                "kind": kinds[event.kind],
                "data": dict(event.data) or None,
            }
            for seq, event in enumerate(told.events)
        ]
        if rows:
            self.session.execute(GameEvent.__table__.insert(), rows)  # type: ignore[attr-defined]
        game.events_version, game.events_error = told.version, told.error
        game.events_reader = told.reader
        leave_behind(self.session, game.tournament_id)
        self.replace_positions(game, told.positions)
        return True

    def create_event_type(
        self, name: str, description: str, schema: Mapping[str, Any]
    ) -> EventType:
        """A new kind of event. Raises DatabaseError when there is one of this name."""
        row = EventType(name=name, description=description, data_schema=dict(schema))
        return added(self.session, row, f"the kind of event {name!r}")

    def get_event_type_by_name(self, name: str) -> EventType | None:
        return self.session.exec(select(EventType).where(EventType.name == name)).first()

    def _kinds(self, told: EventsTold) -> dict[str, int | None]:
        kinds = dict(self.session.exec(select(EventType.name, EventType.id)).all())
        for kind in told.types:
            if kind.name not in kinds:
                kinds[kind.name] = found_or_made(
                    partial(self.get_event_type_by_name, kind.name),
                    partial(self.create_event_type, *kind),
                ).id
        return kinds
