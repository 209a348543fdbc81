"""Adds the payloads to frames: observations and messages, decoded whole in one pass.

The database stores what is new after the rows before it, so games are read from their start and
whole, whatever part of them the frame shows; what it does not show is dropped as it is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from typing import Any

import pandas as pd
from sqlalchemy import Select, select

from arena.analysis.columns import FLOAT, OBJECT, STRING, series, streamed
from arena.analysis.source import Reading, table
from arena.llm.shared_prefix import SharedPrefix
from arena.llm.thoughts import recorded_thoughts
from db.keys import turn_of
from db.models.columns import original_text
from db.payloads import PayloadReader, archived_actions, at_turn
from db.queries.archived_games import archived_games
from db.selection import Chosen
from db.transcripts.moved import StoredTexts
from db.transcripts.reading import archived_calls, archived_observations, archived_rows

OBSERVATIONS = ("observation", "new", "reading")
MESSAGES = (
    *("messages", "text", "thoughts", "response", "shared"),
    *("provider", "region", "fingerprint"),
)


def add_observations(read: Reading, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame of turns, which are in order, with the columns `OBSERVATIONS`."""
    row_of = {turn_id: row for row, turn_id in enumerate(frame["turn_id"].tolist())}
    whole: list[Any] = [None] * len(frame)
    new: list[Any] = [None] * len(frame)
    readings: list[Any] = [None] * len(frame)
    if row_of:
        for turn in _turns(read, max(row_of), _Games()):
            if turn.turn_id in row_of:
                row = row_of[turn.turn_id]
                whole[row], new[row] = turn.observation, turn.new
                readings[row] = turn.reading
    frame["observation"] = series(whole, OBJECT)
    frame["new"] = series(new, OBJECT)
    frame["reading"] = series(readings, OBJECT)
    return frame


def add_archived_actions(
    read: Reading, archived: Sequence[int], frame: pd.DataFrame
) -> pd.DataFrame:
    """The frame of turns with what was done in those of archived games."""
    rows = {turn_id: row for row, turn_id in enumerate(frame["turn_id"].tolist())}
    action, submitted = ([*frame[name]] for name in ("action", "submitted"))
    for game_id in sorted({*archived} & {*frame["game_id"].tolist()}):
        found = archived_rows(read.connection, game_id)
        for turn_id, (done, given) in archived_actions(found).items() if found else ():
            if turn_id in rows:
                action[rows[turn_id]] = done
                submitted[rows[turn_id]] = done if given is None else given
    frame["action"] = series(action, STRING)
    frame["submitted"] = series(submitted, STRING)
    return frame


def add_messages(read: Reading, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame of calls, which are in order, with the columns `MESSAGES`: what was sent and
    answered, and who answered."""
    row_of = {call_id: row for row, call_id in enumerate(frame["call_id"].tolist())}
    messages: list[Any] = [None] * len(frame)
    texts: list[Any] = [None] * len(frame)
    thoughts: list[Any] = [None] * len(frame)
    responses: list[Any] = [None] * len(frame)
    shared: list[Any] = [None] * len(frame)
    if row_of:
        games = _Games()
        prefixes: dict[int, SharedPrefix] = {}
        latest = None
        last = max(row_of)
        with closing(_turns(read, last >> 8, games)) as turns:
            shown = _Pursuit(turns)
            for call_id, number, prefix_len, prefix_hash, body, answer, error in _calls(read, last):
                observation, action = shown.at(call_id >> 8)
                reader, player = games.at(call_id >> 8)
                with at_turn(call_id >> 8):
                    sent = reader.messages(
                        player, number, prefix_len, prefix_hash, body, observation
                    )
                    said, response = reader.answer(answer, action)
                game_id, _, _ = turn_of(call_id >> 8)
                if game_id != latest:
                    prefixes, latest = defaultdict(SharedPrefix), game_id
                alike = prefixes[player].add(sent) if error is None else None
                if call_id in row_of:
                    row = row_of[call_id]
                    messages[row], shared[row] = sent, alike
                    texts[row], responses[row] = said, response
                    thoughts[row] = recorded_thoughts(texts[row], responses[row])
    frame["messages"] = series(messages, OBJECT)
    frame["text"] = series(texts, STRING)
    frame["thoughts"] = series(thoughts, STRING)
    frame["response"] = series(responses, OBJECT)
    frame["shared"] = series(shared, FLOAT)
    for column, name in (
        ("provider", "provider"),
        ("region", "region"),
        ("fingerprint", "system_fingerprint"),
    ):
        frame[column] = series([_said(response, name) for response in responses], STRING)
    return frame


def _said(response: Any, name: str) -> Any:
    return response.get(name) if isinstance(response, dict) else None


@dataclass(frozen=True, slots=True)
class _Turn:
    """A turn as it was played: what is new in the observation had not been shown before;
    `reading` is how the action was read from what the model said."""

    turn_id: int
    observation: Any
    new: Any
    action: str | None
    reading: Any


class _Games:
    """A reader for every game, the one after the other."""

    def __init__(self) -> None:
        self._game_id = -1
        self._reader = PayloadReader()

    def at(self, turn_id: int) -> tuple[PayloadReader, int]:
        """(the reader of a turn's game, the turn's player_index)."""
        game_id, _, player = turn_of(turn_id)
        if game_id != self._game_id:
            self._game_id, self._reader = game_id, PayloadReader()
        return self._reader, player


class _Pursuit:
    """Follows turns, which come in order, to the one that is asked for, in order too."""

    def __init__(self, turns: Iterator[_Turn]) -> None:
        self._turns = turns
        self._turn: _Turn | None = None

    def at(self, turn_id: int) -> tuple[Any, str | None]:
        """(observation, action) of a turn; nothing for one that stored none."""
        turn = self._turn
        while turn is None or turn.turn_id < turn_id:
            turn = next(self._turns, None)
            if turn is None:
                return None, None
        self._turn = turn
        return (turn.observation, turn.action) if turn.turn_id == turn_id else (None, None)


def _turns(read: Reading, last: int, games: _Games) -> Generator[_Turn]:
    """Every turn of the games up to the last one."""
    turns, payloads = table("game_turns"), table("turn_payloads")
    statement = (
        select(turns.c.id, payloads.c.prefix_len, payloads.c.prefix_hash, payloads.c.body)
        .add_columns(payloads.c.details, turns.c.action, turns.c.action_raw)
        .join(payloads, payloads.c.game_turn_id == turns.c.id)
        .where(turns.c.id <= last)
        .order_by(turns.c.id)
    )
    stored = streamed(read.connection, _of_whole_games(statement, read.chosen))
    away = (
        row
        for rows in _archived(read, turn_of(last)[0])
        for row in archived_observations(rows)
        if row[0] <= last
    )
    for turn_id, prefix_len, prefix_hash, body, details, text, raw in merge(
        stored, away, key=itemgetter(0)
    ):
        reader, player = games.at(turn_id)
        action = original_text(text, raw)
        with at_turn(turn_id):
            observation, new = reader.observation(player, prefix_len, prefix_hash, body, action)
            reading = reader.reading(details)
        yield _Turn(turn_id, observation, new, action, reading)


def _calls(read: Reading, last: int) -> Iterator[Any]:
    """Every stored call of the games up to the last one, as it is stored."""
    turns, calls, payloads = table("game_turns"), table("llm_calls"), table("call_payloads")
    statement = (
        select(calls.c.id, calls.c.call_number, payloads.c.prefix_len, payloads.c.prefix_hash)
        .add_columns(payloads.c.messages, payloads.c.response, calls.c.error_class)
        .join(payloads, payloads.c.llm_call_id == calls.c.id)
        .join(turns, turns.c.id == calls.c.game_turn_id)
        .where(calls.c.id <= last)
        .order_by(calls.c.id)
    )
    return merge(
        streamed(read.connection, _of_whole_games(statement, read.chosen)),
        _archived_calls(read, last),
        key=itemgetter(0),
    )


def _archived(read: Reading, last: int) -> Iterator[StoredTexts]:
    """The rows of each archived game of a frame up to the game `last`, in order."""
    for game_id in archived_games(read.connection, read.chosen.of_games()):
        if game_id > last:
            return
        rows = archived_rows(read.connection, game_id)
        if rows is not None:
            yield rows


def _archived_calls(read: Reading, last: int) -> Iterator[Any]:
    calls = table("llm_calls")
    for rows in _archived(read, turn_of(last >> 8)[0]):
        stored = {row[0]: row[1:] for row in archived_calls(rows)}
        if not stored:
            continue
        made = select(calls.c.id, calls.c.call_number, calls.c.error_class).where(
            calls.c.id.between(min(stored), min(last, max(stored)))
        )
        for call_id, number, error in read.connection.execute(made.order_by(calls.c.id)).all():
            if call_id in stored:
                yield call_id, number, *stored[call_id], error


def _of_whole_games(statement: Select[Any], chosen: Chosen) -> Select[Any]:
    games = table("games")
    return statement.join(games, games.c.id == table("game_turns").c.game_id).where(
        *chosen.of_games()
    )
