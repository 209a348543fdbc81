"""Calls written and read one at a time; the recorder writes those of a tournament."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from db import keys
from db.codec import JSON, Codec, answer_text, to_json
from db.models import CallPayload, LLMCall
from db.models.calls import ORPHANED
from db.models.columns import aware, clean_text, raw_text
from db.repository.rows import apart

_IN_FLIGHT = "the process ended while this call was in flight"

_ORPHAN = text(
    "UPDATE llm_calls SET error_class = :error, error_message = :said, charged = reserved "
    "WHERE id >= :first AND id < :end AND response_received_at IS NULL AND error_class IS NULL "
    "RETURNING id, charged"
)


class CallRepository:
    session: Session

    def add_llm_call(
        self,
        game_turn_id: int,
        model: str,
        messages: Any,
        response: Any = None,
        request_sent_at: datetime | None = None,
        response_received_at: datetime | None = None,
        total_response_time_ms: float | None = None,
        response_tokens: int | None = None,
        total_tokens_consumed: int | None = None,
        *,
        text: str | None = None,
        prompt_tokens: int | None = None,
        cost: float | None = None,
        finish_reason: str | None = None,
        error_class: str | None = None,
        error_message: str | None = None,
        request: Mapping[str, Any] | None = None,
    ) -> LLMCall:
        """A call of a turn, after those that the turn has. Messages and response are anything
        that JSON can say (a set becomes a list, what JSON has no word for its own text); times
        without a zone are taken as UTC."""
        index = self.session.exec(
            select(func.count()).select_from(LLMCall).where(LLMCall.game_turn_id == game_turn_id)
        ).one()
        said = None if error_message is None else clean_text(error_message)
        row = LLMCall(
            id=keys.call_key(game_turn_id, index),
            game_turn_id=game_turn_id,
            call_index=index,
            call_number=index,
            model=model,
            request=None if request is None else dict(request),
            request_sent_at=None if request_sent_at is None else aware(request_sent_at),
            response_received_at=(
                None if response_received_at is None else aware(response_received_at)
            ),
            total_response_time_ms=total_response_time_ms,
            prompt_tokens=prompt_tokens,
            response_tokens=response_tokens,
            total_tokens_consumed=total_tokens_consumed,
            cost=cost,
            finish_reason=finish_reason,
            error_class=error_class,
            error_message_text=said,
            error_message_raw=(
                None if error_message is None or said is None else raw_text(error_message, said)
            ),
        )
        codec = Codec()
        answered = text is not None or response is not None
        payload = CallPayload(
            llm_call_id=row.id,
            messages=codec.pack(to_json(messages), JSON),
            response=codec.pack(answer_text(text, response), JSON) if answered else None,
        )
        with apart(self.session, f"call {index} of turn {game_turn_id} cannot be added"):
            self.session.add(row)
            self.session.flush()
            self.session.add(payload)
        return row

    def get_turn_llm_calls(self, game_turn_id: int) -> Sequence[LLMCall]:
        """The calls of a turn, in the order in which they were made."""
        query = (
            select(LLMCall).where(LLMCall.game_turn_id == game_turn_id).order_by(col(LLMCall.id))
        )
        return self.session.exec(query).all()

    def settle_orphans(self, game_ids: Iterable[int]) -> list[tuple[int, float]]:
        """Settle the calls of these games that nobody waits for any more: sent, never answered,
        and charged for what was reserved. (call_id, dollars) of each, none the second time; no
        dollars where no price was known. Call it while nothing plays these games."""
        settled: list[tuple[int, float]] = []
        for game_id in game_ids:
            first, end = keys.calls_of_game(game_id)
            values = {"first": first, "end": end, "error": ORPHANED, "said": _IN_FLIGHT}
            rows = self.session.connection().execute(_ORPHAN, values)
            settled += sorted((int(call_id), float(charged or 0.0)) for call_id, charged in rows)
        return settled
