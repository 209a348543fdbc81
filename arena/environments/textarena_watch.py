"""Watches one play of TextArena's rules for what their return values do not say."""

from __future__ import annotations

from typing import Any


class Watch:
    """Stands between the rules and their `state`, for one game.

    `refused` is set when the rules refuse an action; the reader clears it. TextArena's own
    marks are not enough: with three or more players they are often wiped before the step returns.

    A game in which everybody is eliminated ends as a draw: TextArena would look for the next
    player without end, and hold every other game of the process.
    """

    __slots__ = ("_set_invalid_move", "_state", "_step", "refused")

    def __init__(self, state: Any) -> None:
        self.refused = False
        self._state = state
        self._set_invalid_move = state.set_invalid_move
        state.set_invalid_move = self._on_invalid_move
        if hasattr(state, "elimination_order"):
            self._step = state.step
            state.step = self._on_step

    def _on_invalid_move(self, *arguments: Any, **named: Any) -> Any:
        self.refused = True
        return self._set_invalid_move(*arguments, **named)

    def _on_step(self, *arguments: Any, **named: Any) -> Any:
        state = self._state
        if len(state.elimination_order) >= state.num_players and not state.done:
            state.set_draw(reason="All players were eliminated.")
        return self._step(*arguments, **named)
