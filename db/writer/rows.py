"""Turns records into rows of the statements that write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from db import keys
from db.codec import (
    ACTED,
    COPIES,
    JSON,
    SHORTEST_COPY,
    Codec,
    Known,
    answer_text,
    beyond,
    copied,
    linked,
    to_json,
    with_references,
)
from db.models.columns import clean_text, raw_text, storable_json
from db.records import (
    CallAnswered,
    CallIntended,
    GameStarted,
    Record,
    TurnActed,
    TurnOpened,
    TurnRefused,
)
from db.writer.connections import Row

START = (
    "UPDATE games SET status = 'running', started_at = COALESCE(started_at, ?) "
    "WHERE id = ? AND status IN ('scheduled', 'running')"
)
OPEN = (
    "INSERT INTO game_turns (id, game_id, turn_number, player_index, invalid, observed_at) "
    "VALUES (?, ?, ?, ?, false, ?) ON CONFLICT (id) DO NOTHING"
)
OBSERVATION = (
    "INSERT INTO turn_payloads (game_turn_id, prefix_len, prefix_hash, body) "
    "VALUES (?, ?, ?, ?) ON CONFLICT (game_turn_id) DO NOTHING"
)
INTEND = (
    "INSERT INTO llm_calls (id, game_turn_id, call_index, call_number, attempt, model, request, "
    "request_hash, reserved) VALUES (?, ?, ?, ?, ?, ?, ?::json, ?, ?) ON CONFLICT (id) DO NOTHING"
)
MESSAGES = (
    "INSERT INTO call_payloads (llm_call_id, prefix_len, prefix_hash, messages) "
    "VALUES (?, ?, ?, ?) ON CONFLICT (llm_call_id) DO NOTHING"
)
ANSWER = (
    "UPDATE llm_calls SET request_sent_at = ?, response_received_at = ?, "
    "total_response_time_ms = ?, first_token_ms = ?, model_answered = ?, finish_reason = ?, "
    "prompt_tokens = ?, response_tokens = ?, cached_tokens = ?, reasoning_tokens = ?, "
    "total_tokens_consumed = ?, cost = ?, charged = ?, cached = ?, error_class = ?, "
    "error_message = ?, error_message_raw = ?, error_status = ? "
    "WHERE id = ? AND response_received_at IS NULL"
)
RESPONSE = "UPDATE call_payloads SET response = ? WHERE llm_call_id = ? AND response IS NULL"
CACHE = (
    "INSERT INTO cached_answers (request_hash, llm_call_id, stored_at) "
    "SELECT request_hash, id, ? FROM llm_calls WHERE id = ? AND request_hash IS NOT NULL "
    "ON CONFLICT (request_hash) DO UPDATE SET "
    "llm_call_id = excluded.llm_call_id, stored_at = excluded.stored_at"
)
ACT = (
    "UPDATE game_turns SET action = ?, action_raw = ?, submitted = ?, submitted_raw = ?, "
    "acted_at = ?, response_time_ms = ?, tokens_used = ?, lapse = ? "
    "WHERE id = ? AND acted_at IS NULL"
)
REFUSE = "UPDATE game_turns SET invalid = true WHERE id = ?"

# The order in which a batch runs them: what is pointed to comes first.
STATEMENTS = (START, OPEN, OBSERVATION, INTEND, MESSAGES, ANSWER, RESPONSE, CACHE, ACT, REFUSE)

Rows = list[tuple[str, Row]]


class _Chains:
    """What the rows of one game have said so far, per player."""

    __slots__ = ("action", "call_id", "messages", "observations", "shown", "turn_id", "written")

    def __init__(self) -> None:
        self.observations: dict[int, Known] = {}
        self.messages: dict[tuple[int, int], tuple[Any, Known]] = {}
        # The newest turn, what was shown and done in it; the newest call and its messages.
        self.turn_id = -1
        self.shown = ""
        self.action = ""
        self.call_id = -1
        self.written = ""


class RowMaker:
    """Makes rows that store only what is new after the row before of the same player.

    It remembers one observation and one conversation per player of each running game; `forget` a
    game whose rows may not have been written as they were made.
    """

    def __init__(self, time: Callable[[datetime], Any]) -> None:
        self._time = time
        self._codec = Codec()
        self._games: dict[int, _Chains] = {}
        self._requests: dict[str, tuple[Mapping[str, Any], str]] = {}

    def forget(self, game_id: int) -> None:
        """Let the game's next rows stand for themselves."""
        self._games.pop(game_id, None)

    def rows(self, records: Sequence[Record], *, chained: bool = True) -> Iterator[Rows]:
        """For each record its statements, each with its row; none for the end of a game.

        With `chained=False` the rows need no row before them, and nothing is remembered.
        """
        for place, record in enumerate(records):
            match record:
                case TurnOpened():
                    yield self._opened(record, chained)
                case CallIntended():
                    yield self._intended(record, chained)
                case CallAnswered():
                    after = records[place + 1] if chained and place + 1 < len(records) else None
                    yield self._answered(record, after)
                case TurnActed():
                    yield self._acted(record, chained)
                case TurnRefused(game_id, turn_number, player_index):
                    yield [(REFUSE, (keys.turn_key(game_id, turn_number, player_index),))]
                case GameStarted(game_id, started_at):
                    yield [(START, (self._time(started_at), game_id))]
                case _:
                    yield []

    def _opened(self, record: TurnOpened, chained: bool) -> Rows:
        game_id, player = record.game_id, record.player_index
        turn_id = keys.turn_key(game_id, record.turn_number, player)
        turn = (turn_id, game_id, record.turn_number, player, self._time(record.observed_at))
        if not chained:
            body = self._codec.pack(record.observation)
            return [(OPEN, turn), (OBSERVATION, (turn_id, 0, None, body))]
        chains = self._games.get(game_id)
        if chains is None:
            chains = self._games[game_id] = _Chains()
        if turn_id <= chains.turn_id:
            # Rows are read in the order of their keys: one that comes late stands for itself.
            chains.observations.pop(player, None)
            body = self._codec.pack(record.observation)
            return [(OPEN, turn), (OBSERVATION, (turn_id, 0, None, body))]
        prefix_len, prefix_hash, tail, known = beyond(
            chains.observations.get(player), record.observation
        )
        body = self._copied(chains.shown, chains.action, tail)
        chains.observations[player] = known
        chains.turn_id, chains.shown, chains.action = turn_id, record.observation, ""
        return [(OPEN, turn), (OBSERVATION, (turn_id, prefix_len, prefix_hash, body))]

    def _intended(self, record: CallIntended, chained: bool) -> Rows:
        game_id, player, number = record.game_id, record.player_index, record.call_number
        turn_id = keys.turn_key(game_id, record.turn_number, player)
        call_id = keys.call_key(turn_id, record.call_index)
        request = self._request(record.model, record.request)
        call = (
            call_id,
            turn_id,
            record.call_index,
            number,
            record.attempt,
            record.model,
            request,
            record.request_hash,
            record.reserved,
        )
        if not chained:
            body = self._codec.pack(to_json(record.messages), JSON)
            return [(INTEND, call), (MESSAGES, (call_id, 0, None, body))]
        chains = self._games.get(game_id)
        if chains is None:
            chains = self._games[game_id] = _Chains()
        if call_id <= chains.call_id:
            chains.messages.pop((player, number), None)
            body = self._codec.pack(to_json(record.messages), JSON)
            return [(INTEND, call), (MESSAGES, (call_id, 0, None, body))]
        observation = chains.shown if chains.turn_id == turn_id else None
        short, flags = with_references(record.messages, observation)
        before = chains.messages.get((player, number))
        prefix_hash: bytes | None
        if before is not None and before[0] == short:
            # Most often nothing is new but the observation.
            text, tail, known = before[1].text, "", before[1]
            prefix_len, prefix_hash = len(text), linked(known.checksum)
        else:
            text = to_json(short)
            prefix_len, prefix_hash, tail, known = beyond(before and before[1], text)
        body = self._copied(chains.written, "", tail, flags)
        # Copies, because an agent may go on writing to the list that it sent.
        chains.messages[player, number] = ([dict(message) for message in short], known)
        chains.call_id, chains.written = call_id, text
        return [(INTEND, call), (MESSAGES, (call_id, prefix_len, prefix_hash, body))]

    def _request(self, model: str, request: Mapping[str, Any]) -> str:
        # A model is asked with the same parameters nearly every time.
        known = self._requests.get(model)
        if known is not None and known[0] == request:
            return known[1]
        text = to_json(request)
        if "\\u0000" in text or not text.isascii():
            text = to_json(storable_json(dict(request)))
        self._requests[model] = (dict(request), text)
        return text

    def _copied(self, source: str, action: str, tail: str, flags: int = 0) -> bytes:
        if len(tail) >= SHORTEST_COPY and source:
            left = copied(source, action, tail)
            if left is not None:
                return self._codec.pack(left, flags | COPIES)
        return self._codec.pack(tail, flags)

    def _answered(self, record: CallAnswered, after: Record | None) -> Rows:
        turn_id = keys.turn_key(record.game_id, record.turn_number, record.player_index)
        call_id = keys.call_key(turn_id, record.call_index)
        said, raw = _cleaned(record.error_message)
        tokens = None
        if record.prompt_tokens is not None or record.completion_tokens is not None:
            tokens = (record.prompt_tokens or 0) + (record.completion_tokens or 0)
        answer = (
            self._time(record.request_sent_at),
            self._time(record.response_received_at),
            record.total_ms,
            record.first_token_ms,
            _cleaned(record.model_answered)[0],
            _cleaned(record.finish_reason)[0],
            record.prompt_tokens,
            record.completion_tokens,
            record.cached_tokens,
            record.reasoning_tokens,
            tokens,
            record.cost,
            record.charged,
            record.cached,
            record.error_class,
            said,
            raw,
            record.error_status,
            call_id,
        )
        made: Rows = [(ANSWER, answer)]
        if record.cacheable:
            made.append((CACHE, (self._time(record.response_received_at), call_id)))
        if record.text is None and record.response is None:
            return made
        acted = (
            isinstance(after, TurnActed)
            and after.action == record.text
            and keys.turn_key(after.game_id, after.turn_number, after.player_index) == turn_id
        )
        text = answer_text(record.text, record.response, acted=acted)
        body = self._codec.pack(text, JSON | ACTED if acted else JSON)
        made.append((RESPONSE, (body, call_id)))
        return made

    def _acted(self, record: TurnActed, chained: bool) -> Rows:
        turn_id = keys.turn_key(record.game_id, record.turn_number, record.player_index)
        chains = self._games.get(record.game_id) if chained else None
        if chains is not None and chains.turn_id == turn_id:
            chains.action = record.action
        return [
            (
                ACT,
                (
                    *_cleaned(record.action),
                    *_cleaned(record.submitted),
                    self._time(record.acted_at),
                    record.response_time_ms,
                    record.tokens_used,
                    record.lapse,
                    turn_id,
                ),
            )
        ]


def _cleaned(text: str | None) -> tuple[str | None, bytes | None]:
    if text is None:
        return None, None
    cleaned = clean_text(text)
    return cleaned, None if cleaned is text else raw_text(text, cleaned)
