"""Answers on record that an equal request may be answered with again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import Session, col

from db.models import CachedAnswer, CallPayload, GameTurn, LLMCall
from db.models.columns import aware
from db.payloads import PayloadReader, as_done, at_turn


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """An answer as its provider gave it, and the call that it was given to. `cost` is what that
    call cost, in dollars."""

    call_id: int
    stored_at: datetime
    text: str | None
    response: Any
    model_answered: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    response_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost: float | None


def cached_answer(
    session: Session | Connection, request_hash: str, not_before: datetime
) -> AnswerRow | None:
    """The newest answer to this request that is not older than `not_before`; None without one."""
    query: Any = (
        select(
            col(LLMCall.id),
            col(CachedAnswer.stored_at),
            col(LLMCall.model_answered),
            col(LLMCall.finish_reason),
            col(LLMCall.prompt_tokens),
            col(LLMCall.response_tokens),
            col(LLMCall.cached_tokens),
            col(LLMCall.reasoning_tokens),
            col(LLMCall.cost),
            col(CallPayload.response),
            col(GameTurn.action_text),
            col(GameTurn.action_raw),
        )
        .join(LLMCall, col(LLMCall.id) == CachedAnswer.llm_call_id)
        .join(CallPayload, col(CallPayload.llm_call_id) == LLMCall.id)
        .join(GameTurn, col(GameTurn.id) == LLMCall.game_turn_id)
        .where(
            col(CachedAnswer.request_hash) == request_hash,
            col(CachedAnswer.stored_at) >= aware(not_before),
        )
    )
    found = session.execute(query).first()
    if found is None:
        return None
    *facts, body, action, raw = found
    call_id, stored_at, model, finish, *usage = facts
    with at_turn(call_id >> 8):
        said, response = PayloadReader().answer(body, as_done(action, raw))
    return AnswerRow(call_id, stored_at, said, response, model, finish, *usage)
