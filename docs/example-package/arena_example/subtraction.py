"""The subtraction game: take one to three from a heap in turn; who takes the last one wins."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from arena.core import (
    EnvironmentSpec,
    Message,
    Observation,
    Outcome,
    PlayerResult,
    Step,
    Termination,
    UsageError,
    text_of,
)

RULES = "Take one to three from the heap; who takes the last one wins. Answer [1], [2] or [3]."


class Subtraction:
    """Two players. The heap is between `heap` and `heap + 5`, by the seed."""

    def __init__(self, *, name: str, heap: int = 12) -> None:
        self.spec = EnvironmentSpec(
            name, 2, 2, package="arena-example", version="0.1.0", options={"heap": heap}
        )
        self._heap = heap

    def reset(self, *, seed: int, num_players: int) -> None:
        if num_players != 2:
            raise UsageError(f"{self.spec.name} is for 2 players, found {num_players}")
        self._left = self._heap + random.Random(seed).randrange(6)
        self._turn = 0
        self._refused = [0, 0]
        self._winner: int | None = None
        self._history = [f"{RULES}\nThe heap holds {self._left}."]
        self._seen = [0, 0]

    def observe(self) -> Observation:
        player = self._turn % 2
        new = "\n".join(self._history[self._seen[player] :])
        return Observation(player, self._turn, "\n".join(self._history), new)

    def prepare(self, action: str) -> str:
        return action.strip()

    def step(self, action: str) -> Step:
        player = self._turn % 2
        self._seen[player] = len(self._history)
        self._turn += 1
        move = re.search(r"\[([123])\]", action)
        if move is None or int(move[1]) > self._left:
            self._refused[player] += 1
            self._history.append(f"Player {player} may not do that and passes.")
            return Step(done=False, invalid=True)
        self._left -= int(move[1])
        self._history.append(f"Player {player} takes {move[1]}: {self._left} left.")
        if self._left == 0:
            self._winner = player
        return Step(done=self._left == 0)

    def outcome(self, *, turn_limit: bool = False) -> Outcome:
        drawn = self._winner is None
        players = tuple(
            PlayerResult(
                player_index=index,
                role=None,
                team=None,
                rank=0 if drawn or index == self._winner else 1,
                reward=0.0 if drawn else (1.0 if index == self._winner else -1.0),
                invalid_actions=self._refused[index],
            )
            for index in range(2)
        )
        if drawn:
            return Outcome(players, Termination.TURN_LIMIT, "Nobody took the last one.", None)
        return Outcome(
            players,
            Termination.NATURAL,
            f"Player {self._winner} took the last one.",
            f"Player {self._winner}",
        )


def policy(messages: Sequence[Message], rng: random.Random) -> str:
    """`scripted/subtraction`: leaves a multiple of four when it can, else takes at random."""
    left = int(re.findall(r"(?:holds|:) (\d+)", text_of(messages[-1]))[-1])
    return f"[{left % 4 or rng.randint(1, min(3, left))}]"
