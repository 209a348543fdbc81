"""A game's record, read back as plain data: what a task is given to be replayed first."""

from __future__ import annotations

from collections.abc import Sequence

from arena.core import Usage
from arena.game.replayed import RecordedTurn
from arena.llm.recorded import RecordedCall
from db.queries.transcript import CallRow, TurnRow


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
        )
        for turn, made in zip(turns, turns if calls is None else calls, strict=False)
    )


def _recorded_call(call: CallRow) -> RecordedCall:
    return RecordedCall(
        call_index=call.call_index,
        call_number=call.call_number,
        request_hash=call.request_hash or "",
        messages=call.messages,
        answered=call.answered and call.error_class is None,
        text=call.text or "",
        finish_reason=call.finish_reason,
        usage=Usage(
            call.prompt_tokens,
            call.completion_tokens,
            call.cached_tokens,
            call.reasoning_tokens,
            call.cost,
        ),
        refused=was_refused(call.response),
        seconds=(call.total_ms or 0.0) / 1e3,
        error_class=call.error_class,
    )


def was_refused(response: object) -> bool:
    """Whether a recorded response says that the model declined to answer."""
    choices = response.get("choices") if isinstance(response, dict) else None
    return any("refusal" in choice for choice in choices or ())
