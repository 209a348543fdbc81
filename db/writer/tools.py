"""Writes calls of tools: that one is about to be run, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from db import keys
from db.codec import JSON, to_json
from db.writer.subject import Record, Rows, Subject, Writing, cleaned

_BEGIN = (
    "INSERT INTO tool_calls (id, game_turn_id, tool_index, call_number, tool, function, called_at, "
    "arguments) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
_END = "UPDATE tool_calls SET result = ?, error = ?, took_ms = ? WHERE id = ? AND result IS NULL"


class UsedTool(Protocol):
    """A call of a tool (`arena.core.tools.ToolUse`)."""

    @property
    def tool_index(self) -> int: ...
    @property
    def call_number(self) -> int: ...
    @property
    def tool(self) -> str: ...
    @property
    def function(self) -> str: ...
    @property
    def arguments(self) -> str: ...
    @property
    def called_at(self) -> datetime: ...
    @property
    def result(self) -> str | None: ...
    @property
    def error(self) -> str | None: ...
    @property
    def took_ms(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool is about to be run, or has been: how it ended is in its `use`."""

    game_id: int
    turn_number: int
    player_index: int
    use: UsedTool


def _called(writing: Writing, record: ToolCalled, following: Record | None) -> Rows:
    use = record.use
    turn_id = keys.turn_key(record.game_id, record.turn_number, record.player_index)
    call_id = keys.call_key(turn_id, use.tool_index)
    row = (
        call_id,
        turn_id,
        use.tool_index,
        use.call_number,
        cleaned(use.tool)[0],
        cleaned(use.function)[0],
        writing.moment(use.called_at),
        writing.codec.pack(to_json([use.function, use.arguments]), JSON),
    )
    made: Rows = [(_BEGIN, row)]
    if use.result is not None:
        made.append((_END, (writing.codec.pack(use.result), use.error, use.took_ms, call_id)))
    return made


SUBJECT = Subject(statements=(_BEGIN, _END), rows={ToolCalled: _called})
