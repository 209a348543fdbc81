"""The tool `dice`: throws that are the same again, because they follow from the game's own turn."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from arena.core import Observation
from arena.core.tools import ToolError, ToolFunction


class Dice:
    """`sides` of each die."""

    version = 1
    repeatable = True
    functions: Sequence[ToolFunction] = (
        ToolFunction(
            "throw_dice",
            "Throw some dice, to decide what nobody can foresee.",
            {
                "type": "object",
                "properties": {"number": {"type": "integer", "description": "how many, up to 10"}},
                "required": ["number"],
            },
        ),
    )

    def __init__(self, *, sides: int = 6) -> None:
        self._sides = sides

    async def call(
        self, function: str, arguments: Mapping[str, Any], observation: Observation
    ) -> str:
        number = arguments["number"]
        if not 1 <= number <= 10:
            raise ToolError("throw 1 to 10 dice")
        rng = random.Random(f"{observation.turn_number} {len(observation.text)}")
        return " ".join(str(rng.randint(1, self._sides)) for _ in range(number))
