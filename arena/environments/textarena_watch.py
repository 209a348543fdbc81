"""Watches one play of TextArena's rules for what their return values do not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_RESULTS = ("set_draw", "set_game_outcome", "set_winner", "set_winners")


class Watch:
    """Stands between the rules and their `state`, for one game.

    `late_results` counts the results that the rules gave when the game was over already.
    `refused` is set when the rules refuse an action; the reader clears it. TextArena's own
    marks are not enough: with three or more players they are often wiped before the step returns.

    A game in which everybody is eliminated ends as a draw: TextArena would look for the next
    player without end, and hold every other game of the process.
    """

    __slots__ = ("_set_invalid_move", "_state", "_step", "late_results", "refused")

    def __init__(self, state: Any) -> None:
        self.refused = False
        self.late_results = 0
        self._state = state
        for name in _RESULTS:
            if hasattr(state, name):
                setattr(state, name, self._counting(getattr(state, name)))
        self._set_invalid_move = state.set_invalid_move
        state.set_invalid_move = self._on_invalid_move
        if hasattr(state, "elimination_order"):
            self._step = state.step
            state.step = self._on_step

    def _counting(self, give: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.late_results += self._state.done
            return give(*arguments, **named)

        return counted

    def _on_invalid_move(self, *arguments: Any, **named: Any) -> Any:
        self.refused = True
        return self._set_invalid_move(*arguments, **named)

    def _on_step(self, *arguments: Any, **named: Any) -> Any:
        state = self._state
        if len(state.elimination_order) >= state.num_players and not state.done:
            state.set_draw(reason="All players were eliminated.")
        return self._step(*arguments, **named)
