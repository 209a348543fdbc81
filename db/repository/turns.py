"""Turns written and read one at a time; the recorder writes those of a tournament."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import inspect, text
from sqlmodel import Session, col, select

from db import keys
from db.codec import JSON, Codec, to_json
from db.models import GameTurn, TurnPayload
from db.models.columns import aware, clean_text, raw_text
from db.payloads import PayloadReader, as_done, at_turn
from db.repository.rows import apart

_PAYLOADS = text(
    "SELECT p.game_turn_id, p.prefix_len, p.prefix_hash, p.body, t.action, t.action_raw "
    "FROM turn_payloads p JOIN game_turns t ON t.id = p.game_turn_id "
    "WHERE p.game_turn_id >= :first AND p.game_turn_id < :end ORDER BY p.game_turn_id"
)


class TurnRepository:
    session: Session

    def add_game_turn(
        self,
        game_id: int,
        turn_number: int,
        player_index: int,
        observation: Any,
        action: str | None,
        response_time_ms: float | None = None,
        tokens_used: int | None = None,
        *,
        observed_at: datetime | None = None,
        acted_at: datetime | None = None,
        invalid: bool = False,
    ) -> GameTurn:
        """A turn with its observation, a text or anything that JSON can say (a set becomes a
        list, what JSON has no word for its own text).

        Raises DatabaseError for a turn that is there already.
        """
        now = datetime.now(UTC)
        cleaned = None if action is None else clean_text(action)
        row = GameTurn(
            id=keys.turn_key(game_id, turn_number, player_index),
            game_id=game_id,
            turn_number=turn_number,
            player_index=player_index,
            action_text=cleaned,
            action_raw=None if action is None or cleaned is None else raw_text(action, cleaned),
            invalid=invalid,
            observed_at=aware(observed_at or now),
            acted_at=None if action is None else aware(acted_at or now),
            response_time_ms=response_time_ms,
            tokens_used=tokens_used,
        )
        what = f"turn {turn_number} of player {player_index} in game {game_id}"
        is_text = isinstance(observation, str)
        body = Codec().pack(
            observation if is_text else to_json(observation), 0 if is_text else JSON
        )
        with apart(self.session, f"{what} cannot be added"):
            self.session.add(row)
            self.session.flush()
            self.session.add(TurnPayload(game_turn_id=row.id, body=body))
        return row

    def get_game_turns(self, game_id: int) -> Sequence[GameTurn]:
        """The turns of a game in order of play, their observations read in one pass."""
        first, end = keys.turns_of_game(game_id)
        query = (
            select(GameTurn)
            .where(GameTurn.id >= first, GameTurn.id < end)
            .order_by(col(GameTurn.id))
        )
        turns = self.session.exec(query).all()
        reader = PayloadReader()
        whole = {}
        for turn_id, prefix_len, prefix_hash, body, action, raw in self.session.execute(
            _PAYLOADS, {"first": first, "end": end}
        ):
            with at_turn(turn_id):
                player = keys.turn_of(turn_id)[2]
                whole[turn_id], _ = reader.observation(
                    player, prefix_len, prefix_hash, body, as_done(action, raw)
                )
        for turn in turns:
            inspect(turn).info["observation"] = whole.get(turn.id)
        return turns
