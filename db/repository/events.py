"""The events of finished games: replaced by those that a replay told."""

from __future__ import annotations

from sqlalchemy import delete
from sqlmodel import Session, col, select

from db.models import EventType, Game, GameEvent
from db.writer.events import EventsTold


class EventRepository:
    session: Session

    def replace_events(self, told: EventsTold) -> None:
        """Put the events of a game in the place of those it has, with the kinds that are new."""
        kinds = {kind.name: kind.id for kind in self.session.exec(select(EventType))}
        for name, description, schema in told.types:
            if name not in kinds:
                made = EventType(name=name, description=description, data_schema=dict(schema))
                self.session.add(made)
                self.session.flush()
                kinds[name] = made.id
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
        game = self.session.get_one(Game, told.game_id)
        game.events_version, game.events_error = told.version, told.error
        self.session.flush()
