"""One game as it was played: turns, what was new to each player, what it did, its calls."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from db import keys
from db.codec import Codec
from db.models import CalledTool, GameTurn, LLMCall
from db.payloads import PayloadReader, archived_actions, as_done, at_turn
from db.transcripts.moved import StoredTexts
from db.transcripts.reading import (
    archived_calls,
    archived_observations,
    archived_rows,
    is_archived,
)

_OBSERVATIONS = text(
    "SELECT p.game_turn_id, p.prefix_len, p.prefix_hash, p.body, p.details, t.action, t.action_raw "
    "FROM turn_payloads p JOIN game_turns t ON t.id = p.game_turn_id "
    "WHERE p.game_turn_id >= :first AND p.game_turn_id < :end ORDER BY p.game_turn_id"
)
_CALLS = text(
    "SELECT p.llm_call_id, p.prefix_len, p.prefix_hash, p.messages, p.response "
    "FROM call_payloads p WHERE p.llm_call_id >= :first AND p.llm_call_id < :end "
    "ORDER BY p.llm_call_id"
)


@dataclass(frozen=True, slots=True)
class CallRow:
    """One attempt at a provider. `answered` is false for an intent: in flight, or lost with the
    process. `messages`, `text` and `response` are what was sent and what came back, whole; dollars
    are what was `reserved` for it and `charged`; `cached` says that no provider was asked."""

    call_id: int
    game_id: int
    turn_number: int
    player_index: int
    call_index: int
    call_number: int
    attempt: int
    model_asked: str
    model_answered: str | None
    request: dict[str, Any] | None
    request_hash: str | None
    request_sent_at: datetime | None
    response_received_at: datetime | None
    total_response_time_ms: float | None
    first_token_ms: float | None
    prompt_tokens: int | None
    response_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost: float | None
    finish_reason: str | None
    error_class: str | None
    error_message: str | None
    error_status: int | None
    messages: Any
    text: str | None
    response: Any
    reserved: float | None = None
    charged: float | None = None
    cached: bool = False
    lag_ms: float | None = None

    @property
    def answered(self) -> bool:
        """Whether the attempt ended, in an answer or an error."""
        return self.response_received_at is not None


@dataclass(frozen=True, slots=True)
class ToolCallRow:
    """One call of a tool: `result` is what the model was told, None for one that was being run when
    the process died; `error` says of what kind a failure is."""

    tool_call_id: int
    tool_index: int
    call_number: int
    tool: str
    function: str
    arguments: str
    called_at: datetime
    result: str | None
    error: str | None
    took_ms: float | None


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn: `observation` is all that the player has seen, `new` what it had not seen at its
    turn before. `action` is None while it has not acted; `submitted` is what the rules were
    given, the action itself unless it was changed; `lapse` what was wrong with the turn; `target`
    whom the action was read to choose, and `target_how` how that was told; `reading` how the action
    was read from what the model said; `tools` are the calls of tools in it."""

    game_id: int
    turn_number: int
    player_index: int
    observation: Any
    new: Any
    action: str | None
    submitted: str | None
    invalid: bool
    observed_at: datetime
    acted_at: datetime | None
    response_time_ms: float | None
    tokens_used: int | None
    calls: tuple[CallRow, ...]
    lapse: str | None = None
    target: str | None = None
    target_how: str | None = None
    reading: Any = None
    tools: tuple[ToolCallRow, ...] = ()


def transcript(
    session: Session, game_id: int, *, calls: bool = True, bodies: bool = True
) -> list[TurnRow]:
    """Every turn of a game in order of play, in one pass over its rows; with `calls=False`, no
    call is read, with `bodies=False` none of what was sent and what came back. Raises Damaged for
    rows that are not as they were written."""
    archived = archived_rows(session, game_id)
    rows = _turns(session, game_id, archived, calls=calls, bodies=bodies)
    if archived is None and is_archived(session, game_id):
        # Archived while it was read: what was left in its place is no transcript.
        return transcript(session, game_id, calls=calls, bodies=bodies)
    return rows


def _turns(
    session: Session, game_id: int, archived: StoredTexts | None, *, calls: bool, bodies: bool
) -> list[TurnRow]:
    first, end = keys.turns_of_game(game_id)
    reader = PayloadReader()
    shown: dict[int, tuple[Any, Any]] = {}
    readings: dict[int, Any] = {}
    for turn_id, prefix_len, prefix_hash, body, details, action, raw in (
        session.execute(_OBSERVATIONS, {"first": first, "end": end})
        if archived is None
        else archived_observations(archived)
    ):
        with at_turn(turn_id):
            player = keys.turn_of(turn_id)[2]
            shown[turn_id] = reader.observation(
                player, prefix_len, prefix_hash, body, as_done(action, raw)
            )
            readings[turn_id] = reader.reading(details)
    query = select(GameTurn).where(GameTurn.id >= first, GameTurn.id < end)
    turns = session.exec(query.order_by(col(GameTurn.id))).all()
    said = {turn.id: (turn.action, turn.submitted) for turn in turns}
    if archived is not None:
        said |= archived_actions(archived)
    actions = {turn_id: action for turn_id, (action, _) in said.items()}
    made = (
        _calls(session, game_id, archived, reader, shown, actions, bodies=bodies) if calls else {}
    )
    used = tool_calls(session, game_id, archived) if calls else {}
    rows = []
    for turn in turns:
        observation, new = shown.get(turn.id, (None, None))
        action, submitted = said[turn.id]
        rows.append(
            TurnRow(
                game_id=turn.game_id,
                turn_number=turn.turn_number,
                player_index=turn.player_index,
                observation=observation,
                new=new,
                action=action,
                submitted=action if submitted is None else submitted,
                invalid=turn.invalid,
                observed_at=turn.observed_at,
                acted_at=turn.acted_at,
                response_time_ms=turn.response_time_ms,
                tokens_used=turn.tokens_used,
                calls=tuple(made.get(turn.id, ())),
                lapse=turn.lapse,
                target=turn.target,
                target_how=turn.target_how,
                reading=readings.get(turn.id),
                tools=tuple(used.get(turn.id, ())),
            )
        )
    return rows


def tool_calls(
    session: Session, game_id: int, archived: StoredTexts | None = None
) -> dict[int, list[ToolCallRow]]:
    """The calls of tools in a game by the keys of their turns, in order; of an archived one, texts
    are those `archived`. Raises Damaged for rows that are not as they were written."""
    first, end = keys.calls_of_game(game_id)
    query = select(CalledTool).where(CalledTool.id >= first, CalledTool.id < end)
    codec = Codec()
    texts = {} if archived is None else {row["id"]: row for row in archived["tool_calls"]}
    made: dict[int, list[ToolCallRow]] = defaultdict(list)
    for row in session.exec(query.order_by(col(CalledTool.id))):
        made[row.game_turn_id].append(tool_call_row(row, codec, texts.get(row.id)))
    return made


def tool_call_row(
    row: CalledTool, codec: Codec | None = None, archived: Mapping[str, Any] | None = None
) -> ToolCallRow:
    """A call of a tool with its texts, of an archived game those of its file. Raises Damaged for
    one that is not as it was written."""
    codec = codec or Codec()
    texts = archived or {"arguments": row.arguments, "result": row.result}
    with at_turn(row.game_turn_id):
        function, arguments = json.loads(codec.unpack(texts["arguments"])[0])
        result = None if texts["result"] is None else codec.unpack(texts["result"])[0]
    return ToolCallRow(
        tool_call_id=row.id,
        tool_index=row.tool_index,
        call_number=row.call_number,
        tool=row.tool,
        function=function,
        arguments=arguments,
        called_at=row.called_at,
        result=result,
        error=row.error,
        took_ms=row.took_ms,
    )


def _calls(
    session: Session,
    game_id: int,
    archived: StoredTexts | None,
    reader: PayloadReader,
    shown: dict[int, tuple[Any, Any]],
    actions: dict[int, str | None],
    *,
    bodies: bool,
) -> dict[int, list[CallRow]]:
    first, end = keys.calls_of_game(game_id)
    query = select(LLMCall).where(LLMCall.id >= first, LLMCall.id < end)
    calls = {call.id: call for call in session.exec(query.order_by(col(LLMCall.id)))}
    made: dict[int, list[CallRow]] = defaultdict(list)
    if not bodies:
        for call in calls.values():
            made[call.game_turn_id].append(_row(call, None, None, None))
        return made
    for call_id, prefix_len, prefix_hash, body, answer in (
        session.execute(_CALLS, {"first": first, "end": end})
        if archived is None
        else archived_calls(archived)
    ):
        call = calls[call_id]
        turn_id = call.game_turn_id
        _, _, player = keys.turn_of(turn_id)
        with at_turn(turn_id):
            messages = reader.messages(
                player,
                call.call_number,
                prefix_len,
                prefix_hash,
                body,
                shown.get(turn_id, (None, None))[0],
            )
            said, response = reader.answer(answer, actions.get(turn_id))
        made[turn_id].append(_row(call, messages, said, response))
    return made


def _row(call: LLMCall, messages: Any, said: str | None, response: Any) -> CallRow:
    game_id, turn_number, player = keys.turn_of(call.game_turn_id)
    return CallRow(
        call_id=call.id,
        game_id=game_id,
        turn_number=turn_number,
        player_index=player,
        call_index=call.call_index,
        call_number=call.call_number,
        attempt=call.attempt,
        model_asked=call.model,
        model_answered=call.model_answered,
        request=call.request,
        request_hash=call.request_hash,
        request_sent_at=call.request_sent_at,
        response_received_at=call.response_received_at,
        total_response_time_ms=call.total_response_time_ms,
        first_token_ms=call.first_token_ms,
        prompt_tokens=call.prompt_tokens,
        response_tokens=call.response_tokens,
        cached_tokens=call.cached_tokens,
        reasoning_tokens=call.reasoning_tokens,
        cost=call.cost,
        finish_reason=call.finish_reason,
        error_class=call.error_class,
        error_message=call.error_message,
        error_status=call.error_status,
        messages=messages,
        text=said,
        response=response,
        reserved=call.reserved,
        charged=call.charged,
        cached=call.cached,
        lag_ms=call.lag_ms,
    )
