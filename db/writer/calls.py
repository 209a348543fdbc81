"""Writes attempts at providers: the intent before the request leaves, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from db import keys
from db.codec import ACTED, JSON, answer_text, beyond, linked, to_json, with_references
from db.errors import WriteFailed
from db.models.columns import storable_json
from db.writer import turns
from db.writer.connections import Connection
from db.writer.subject import Record, Rows, Subject, Writing, cleaned

_INTEND = (
    "INSERT INTO llm_calls (id, game_turn_id, call_index, call_number, attempt, model, request, "
    "request_hash, reserved, request_sent_at) VALUES (?, ?, ?, ?, ?, ?, ?::json, ?, ?, ?) "
    "ON CONFLICT (id) DO NOTHING"
)
_MESSAGES = (
    "INSERT INTO call_payloads (llm_call_id, prefix_len, prefix_hash, messages) "
    "VALUES (?, ?, ?, ?) ON CONFLICT (llm_call_id) DO NOTHING"
)
_ANSWER = (
    "UPDATE llm_calls SET request_sent_at = ?, response_received_at = ?, "
    "total_response_time_ms = ?, lag_ms = ?, first_token_ms = ?, model_answered = ?, "
    "finish_reason = ?, "
    "prompt_tokens = ?, response_tokens = ?, cached_tokens = ?, reasoning_tokens = ?, "
    "total_tokens_consumed = ?, cost = ?, charged = ?, cached = ?, error_class = ?, "
    "error_message = ?, error_message_raw = ?, error_status = ? "
    "WHERE id = ? AND response_received_at IS NULL"
)
_RESPONSE = "UPDATE call_payloads SET response = ? WHERE llm_call_id = ? AND response IS NULL"
_CACHE = (
    "INSERT INTO cached_answers (request_hash, llm_call_id, stored_at) "
    "SELECT request_hash, id, ? FROM llm_calls WHERE id = ? AND request_hash IS NOT NULL "
    "ON CONFLICT (request_hash) DO UPDATE SET "
    "llm_call_id = excluded.llm_call_id, stored_at = excluded.stored_at"
)


@dataclass(frozen=True, slots=True)
class CallIntended:
    """An attempt at a provider that is about to be sent.

    `messages` is any JSON value; a content that holds the turn's observation is stored as a
    reference to it. `request` is the allow-list of the parameters sent; `reserved` the most that
    the attempt can cost, in dollars, None where no price is known; `at` is when it is about to be
    sent, which the answer says more exactly.
    """

    game_id: int
    turn_number: int
    player_index: int
    call_index: int
    call_number: int
    attempt: int
    model: str
    messages: Sequence[Mapping[str, Any]]
    request: Mapping[str, Any]
    request_hash: str
    reserved: float | None = None
    at: datetime | None = None


class StorableUsage(Protocol):
    """Tokens and dollars of an attempt; None where the provider did not say."""

    @property
    def prompt_tokens(self) -> int | None: ...
    @property
    def completion_tokens(self) -> int | None: ...
    @property
    def cached_tokens(self) -> int | None: ...
    @property
    def reasoning_tokens(self) -> int | None: ...
    @property
    def cost(self) -> float | None: ...


class StorableAnswer(Protocol):
    """How an attempt ended: an answer, or an error. Milliseconds, dollars and aware times.

    `charged` is what it counts against a budget; `cached` that its answer was on record already;
    `cacheable` that equal requests may be answered with it from now on.
    """

    @property
    def call_index(self) -> int: ...
    @property
    def request_sent_at(self) -> datetime: ...
    @property
    def response_received_at(self) -> datetime: ...
    @property
    def total_ms(self) -> float: ...
    @property
    def lag_ms(self) -> float | None: ...
    @property
    def first_token_ms(self) -> float | None: ...
    @property
    def text(self) -> str | None: ...
    @property
    def response(self) -> Mapping[str, Any] | None: ...
    @property
    def model_answered(self) -> str | None: ...
    @property
    def finish_reason(self) -> str | None: ...
    @property
    def usage(self) -> StorableUsage: ...
    @property
    def error_class(self) -> str | None: ...
    @property
    def error_message(self) -> str | None: ...
    @property
    def error_status(self) -> int | None: ...
    @property
    def charged(self) -> float | None: ...
    @property
    def cached(self) -> bool: ...
    @property
    def cacheable(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """An attempt has ended: how, is in its `answer`."""

    game_id: int
    turn_number: int
    player_index: int
    answer: StorableAnswer


def _intended(writing: Writing, record: CallIntended, following: Record | None) -> Rows:
    player, number = record.player_index, record.call_number
    turn_id = keys.turn_key(record.game_id, record.turn_number, player)
    call_id = keys.call_key(turn_id, record.call_index)
    call = (
        call_id,
        turn_id,
        record.call_index,
        number,
        record.attempt,
        record.model,
        _request(writing, record.model, record.request),
        record.request_hash,
        record.reserved,
        None if record.at is None else writing.moment(record.at),
    )
    chain = writing.chain(record.game_id)
    if chain is None or call_id <= chain.call_id:
        if chain is not None:
            chain.messages.pop((player, number), None)
        body = writing.codec.pack(to_json(record.messages), JSON)
        return [(_INTEND, call), (_MESSAGES, (call_id, 0, None, body))]
    observation = chain.shown if chain.turn_id == turn_id else None
    short, flags = with_references(record.messages, observation)
    before = chain.messages.get((player, number))
    prefix_hash: bytes | None
    if before is not None and before[0] == short:
        # Most often nothing is new but the observation.
        text, tail, known = before[1].text, "", before[1]
        prefix_len, prefix_hash = len(text), linked(known.checksum)
    else:
        text = to_json(short)
        prefix_len, prefix_hash, tail, known = beyond(before and before[1], text)
    body = turns.packed(writing.codec, tail, flags, chain.written)
    # Copies, because an agent may go on writing to the list that it sent.
    chain.messages[player, number] = ([dict(message) for message in short], known)
    chain.call_id, chain.written = call_id, text
    return [(_INTEND, call), (_MESSAGES, (call_id, prefix_len, prefix_hash, body))]


def _request(writing: Writing, model: str, request: Mapping[str, Any]) -> str:
    # A model is asked with the same parameters nearly every time.
    known = writing.requests.get(model)
    if known is not None and known[0] == request:
        return known[1]
    text = to_json(request)
    if "\\u0000" in text or not text.isascii():
        text = to_json(storable_json(dict(request)))
    writing.requests[model] = (dict(request), text)
    return text


def _answered(writing: Writing, record: CallAnswered, following: Record | None) -> Rows:
    answer, usage = record.answer, record.answer.usage
    turn_id = keys.turn_key(record.game_id, record.turn_number, record.player_index)
    call_id = keys.call_key(turn_id, answer.call_index)
    tokens = None
    if usage.prompt_tokens is not None or usage.completion_tokens is not None:
        tokens = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
    row = (
        writing.moment(answer.request_sent_at),
        writing.moment(answer.response_received_at),
        answer.total_ms,
        answer.lag_ms,
        answer.first_token_ms,
        cleaned(answer.model_answered)[0],
        cleaned(answer.finish_reason)[0],
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cached_tokens,
        usage.reasoning_tokens,
        tokens,
        usage.cost,
        answer.charged,
        answer.cached,
        answer.error_class,
        *cleaned(answer.error_message),
        answer.error_status,
        call_id,
    )
    made: Rows = [(_ANSWER, row)]
    if answer.cacheable:
        stored_at = writing.time(answer.response_received_at)
        made.append((_CACHE, (stored_at, call_id)))
    text = answer.text
    if text is None and answer.response is None:
        return made
    # An action that is the answer is stored once.
    acted = (
        isinstance(following, turns.TurnActed)
        and following.action == text
        and turns.key(following) == turn_id
    )
    stored = answer_text(text, answer.response, acted=acted)
    body = writing.codec.pack(
        stored, JSON | ACTED if acted else JSON, beside=text if acted else None
    )
    made.append((_RESPONSE, (body, call_id)))
    return made


def _expect(connection: Connection, record: CallIntended | CallAnswered) -> None:
    if not isinstance(record, CallAnswered):
        return
    turn_id = keys.turn_key(record.game_id, record.turn_number, record.player_index)
    call_id = keys.call_key(turn_id, record.answer.call_index)
    if not connection.query("SELECT 1 FROM llm_calls WHERE id = ?", (call_id,)):
        raise WriteFailed(
            f"call {record.answer.call_index} of turn {record.turn_number} in game "
            f"{record.game_id} was answered, but never intended"
        )


SUBJECT = Subject(
    statements=(_INTEND, _MESSAGES, _ANSWER, _RESPONSE, _CACHE),
    rows={CallIntended: _intended, CallAnswered: _answered},
    expects=_expect,
)
