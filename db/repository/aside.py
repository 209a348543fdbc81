"""Calls that no player made: about games on record, or about none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from db.codec import JSON, Codec, to_json
from db.errors import Damaged, DatabaseError
from db.models import SideCall
from db.models.columns import aware, clean_text
from db.queries.cache import AnswerRow
from db.writer.calls import StorableAnswer


class SideCallRepository:
    session: Session

    def intend_side_call(
        self,
        game_id: int | None,
        turn: int | None,
        purpose: str,
        *,
        attempt: int,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        request: Mapping[str, Any],
        request_hash: str,
        reserved: float | None,
    ) -> SideCall:
        """An attempt that is about to be sent. Raises DatabaseError for a game that is gone."""
        row = SideCall(
            game_id=game_id,
            turn=turn,
            purpose=purpose,
            attempt=attempt,
            model=model,
            request=dict(request),
            request_hash=request_hash,
            reserved=reserved,
            messages=Codec().pack(to_json(list(messages)), JSON),
        )
        self.session.add(row)
        self.session.flush()
        return row

    def answer_side_call(self, call_id: int, answer: StorableAnswer) -> None:
        """How an attempt ended; nothing where its game, and it with it, has been deleted."""
        row = self.session.get(SideCall, call_id)
        if row is None:
            return
        usage = answer.usage
        row.model_answered = answer.model_answered
        row.request_sent_at = aware(answer.request_sent_at)
        row.response_received_at = aware(answer.response_received_at)
        row.total_response_time_ms = answer.total_ms
        row.prompt_tokens, row.response_tokens = usage.prompt_tokens, usage.completion_tokens
        row.cached_tokens, row.reasoning_tokens = usage.cached_tokens, usage.reasoning_tokens
        row.cost, row.charged, row.cached = usage.cost, answer.charged, answer.cached
        row.finish_reason, row.error_class = answer.finish_reason, answer.error_class
        said = answer.error_message
        row.error_message = None if said is None else clean_text(said)
        row.error_status = answer.error_status
        if answer.error_class is None:
            body = {"text": answer.text, "response": answer.response}
            row.response = Codec().pack(to_json(body), JSON)
        self.session.flush()

    def read_side_call(self, game_id: int, purpose: str, reading: Mapping[str, Any]) -> None:
        """What was read of the newest answer about a game with this purpose; nothing where there is
        none."""
        query = select(SideCall).where(
            SideCall.game_id == game_id,
            SideCall.purpose == purpose,
            col(SideCall.response).is_not(None),
        )
        row = self.session.exec(query.order_by(col(SideCall.id).desc()).limit(1)).first()
        if row is not None:
            row.reading = dict(reading)
            self.session.flush()

    def side_reading(self, game_id: int, purpose: str) -> Mapping[str, Any] | None:
        """What was read of the newest answer about a game with this purpose that was read."""
        query = select(SideCall.reading).where(
            SideCall.game_id == game_id,
            SideCall.purpose == purpose,
            col(SideCall.reading).is_not(None),
        )
        return self.session.exec(query.order_by(col(SideCall.id).desc()).limit(1)).first()

    def side_spending(self) -> tuple[int, float]:
        """(attempts that were sent, dollars that they count as) of all calls about games on
        record; one in flight counts as the most that it can cost."""
        counted = func.coalesce(SideCall.charged, SideCall.reserved, 0.0)
        query = select(func.count(), func.coalesce(func.sum(counted), 0.0)).where(
            col(SideCall.cached).is_(False)
        )
        calls, dollars = self.session.exec(query).one()
        return int(calls), float(dollars)

    def side_answer(self, request_hash: str, game_id: int | None = None) -> AnswerRow | None:
        """The newest answer to a request about a game, or about any; None without one."""
        query = select(SideCall).where(
            SideCall.request_hash == request_hash,
            col(SideCall.response).is_not(None),
        )
        if game_id is not None:
            query = query.where(SideCall.game_id == game_id)
        row = self.session.exec(query.order_by(col(SideCall.id).desc()).limit(1)).first()
        if row is None or row.response is None:
            return None
        text, response = response_of(row) or (None, None)
        return AnswerRow(
            row.id or 0,
            row.response_received_at or datetime.min,
            text,
            response,
            row.model_answered,
            row.finish_reason,
            row.prompt_tokens,
            row.response_tokens,
            row.cached_tokens,
            row.reasoning_tokens,
            row.cost,
        )

    def get_side_calls(self, purpose: str, limit: int) -> Sequence[SideCall]:
        """The newest attempts with a purpose, newest first."""
        query = select(SideCall).where(SideCall.purpose == purpose)
        return self.session.exec(query.order_by(col(SideCall.id).desc()).limit(limit)).all()

    def get_game_side_calls(self, game_id: int, purpose: str) -> Sequence[SideCall]:
        """The answered calls about a game whose purpose begins so, oldest first."""
        query = select(SideCall).where(
            SideCall.game_id == game_id,
            col(SideCall.purpose).startswith(purpose, autoescape=True),
            col(SideCall.response).is_not(None),
        )
        return self.session.exec(query.order_by(col(SideCall.id))).all()


def messages_of(row: SideCall) -> list[Any]:
    """What was sent. Raises Damaged."""
    found: list[Any] = _unpacked(row, row.messages, list)
    return found


def response_of(row: SideCall) -> tuple[str | None, Any] | None:
    """The text of the answer and the response that it came in; None without an answer. Raises
    Damaged."""
    if row.response is None:
        return None
    body = _unpacked(row, row.response, dict)
    return body.get("text"), body.get("response")


def _unpacked(row: SideCall, packed: bytes, kind: type) -> Any:
    try:
        found = json.loads(Codec().unpack(packed)[0])
    except (DatabaseError, ValueError, RecursionError) as error:
        raise Damaged(f"call {row.id} beside the games is damaged: {error}") from error
    if not isinstance(found, kind):
        raise Damaged(f"call {row.id} beside the games is damaged: it holds {found!r:.80}")
    return found
