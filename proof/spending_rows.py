"""Turns and calls of a made-up tournament, as the recorder leaves them."""

from __future__ import annotations

from datetime import UTC, datetime

from arena.core import Usage
from db.keys import call_key, turn_key

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class WrittenRows:
    """Rows that wait to be written."""

    def __init__(self) -> None:
        self.turns: list[dict[str, object]] = []
        self.calls: list[dict[str, object]] = []
        self._turn = 0
        self._index = 0

    def turn(self, game: int, number: int, player: int) -> None:
        self._turn, self._index = turn_key(game, number, player), 0
        self.turns.append(
            {
                "id": self._turn,
                "game_id": game,
                "turn_number": number,
                "player_index": player,
                "invalid": False,
                "observed_at": NOON,
            }
        )

    def failed(self, call: int, model: int, charged: float | None) -> None:
        self._call(call, model, charged=charged, error_class="Timeout")

    def answered(self, call: int, model: int, usage: Usage, cost: float) -> None:
        self._call(
            call,
            model,
            cost=cost,
            charged=cost,
            prompt_tokens=usage.prompt_tokens,
            response_tokens=usage.completion_tokens,
            cached_tokens=usage.cached_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            total_response_time_ms=1000.0,
        )

    def _call(self, call: int, model: int, **values: object) -> None:
        self.calls.append(
            {
                "id": call_key(self._turn, self._index),
                "game_turn_id": self._turn,
                "call_index": self._index,
                "call_number": call,
                "attempt": 0,
                "model": f"openai/{model}",
                "response_received_at": NOON,
                "cached": False,
                **_NOTHING,
                **values,
            }
        )
        self._index += 1


# Every row of one statement has the same columns.
_NOTHING = dict.fromkeys(
    (
        "cost",
        "charged",
        "prompt_tokens",
        "response_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "total_response_time_ms",
        "error_class",
    )
)
