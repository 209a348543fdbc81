"""Tells a model that refuses every call from one that refuses the call of one game."""

from __future__ import annotations

from collections import Counter

from arena.llm.pacing.gate import Gate

# So many refused calls of a model that has answered none stop a run: as soon as no call of it is in
# flight, and at last whatever is.
_ALIKE = 3
_ALIKE_AT_MOST = 12
# Before, such a game is played again after a while, in seconds.
_WAIT = 0.2
_LONGEST_WAIT = 5.0


class RefusedModels:
    """The refusals of models that have answered no call, in one run."""

    def __init__(self) -> None:
        self._refused: Counter[str] = Counter()

    def refuses_all(self, gate: Gate) -> bool:
        """Count one more refusal of the gate's model: whether it counts as one that refuses all."""
        self._refused[gate.model] += 1
        number = self._refused[gate.model]
        if number < _ALIKE or gate.proven:
            return False
        return not gate.state.in_flight or number >= _ALIKE_AT_MOST

    def wait(self, model: str) -> float:
        """Seconds before a game that it refused is played again."""
        return min(_WAIT * self._refused[model], _LONGEST_WAIT)

    def said(self, model: str) -> str:
        """For a person: why the run stops."""
        return (
            f"It has refused {self._refused[model]} calls in a row, so that no other game is "
            "begun; nothing is void."
        )
