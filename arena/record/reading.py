"""A game's record, read back as plain data: what a task is given to be replayed first."""

from __future__ import annotations

from collections.abc import Sequence

from arena.core import Completion, Usage
from arena.core.memory import memory_given
from arena.core.tools import ToolUse
from arena.game.replayed import RecordedTurn
from arena.llm.recorded import RecordedCall, completion_of
from db.queries.cache import AnswerRow
from db.queries.transcript import CallRow, ToolCallRow, TurnRow


def recorded(
    turns: Sequence[TurnRow], calls: Sequence[TurnRow] | None = None
) -> tuple[RecordedTurn, ...]:
    """The turns of a game. `calls` may be other turns than `turns`: those of the game that this
    one branches from, with whose replies the turns before the branch were played."""
    return tuple(
        RecordedTurn(
            turn_number=turn.turn_number,
            player_index=turn.player_index,
            observation=turn.observation,
            observed_at=turn.observed_at,
            action=turn.action,
            submitted=turn.submitted,
            lapse=turn.lapse,
            target=turn.target,
            how=turn.target_how,
            invalid=turn.invalid,
            acted_at=turn.acted_at,
            response_time_ms=turn.response_time_ms,
            calls=tuple(map(_recorded_call, made.calls)),
            tools=tuple(map(_tool_use, made.tools)),
            memory=memory_given(turn.reading),
        )
        for turn, made in zip(turns, turns if calls is None else calls, strict=False)
    )


def _tool_use(row: ToolCallRow) -> ToolUse:
    return ToolUse(
        tool_index=row.tool_index,
        call_number=row.call_number,
        tool=row.tool,
        function=row.function,
        arguments=row.arguments,
        called_at=row.called_at,
        result=row.result,
        error=row.error,
        took_ms=row.took_ms,
    )


def _recorded_call(call: CallRow) -> RecordedCall:
    return RecordedCall(
        call_index=call.call_index,
        call_number=call.call_number,
        request_hash=call.request_hash or "",
        messages=call.messages,
        answered=call.answered and call.error_class is None,
        completion=completion(call),
        seconds=(call.total_response_time_ms or 0.0) / 1e3,
        error_class=call.error_class,
    )


def completion(row: CallRow | AnswerRow) -> Completion:
    """The answer of an attempt as the agent was given it."""
    usage = Usage(
        row.prompt_tokens,
        row.response_tokens,
        row.cached_tokens,
        row.reasoning_tokens,
        row.cost,
    )
    return completion_of(row.text or "", row.finish_reason, usage, row.response)
