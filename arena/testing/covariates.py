"""The promises of `arena.core.covariates.Covariate`, as far as one alone can be held to them.

That its expectation is kept whoever plays, only games can show: boards and comparisons test it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from arena.core.covariates import Covariate, SeatDealt, SeatScored
from arena.testing.conformance import ConformanceError


def check_covariate(make: Callable[[], Covariate], environment: str = "TicTacToe-v0") -> None:
    """Numbers for every seat, the same for the same game, and no trouble with what is not known.
    Raises ConformanceError."""
    for players in (1, 2, 6):
        dealt = [SeatDealt(place, "Role", f"team {place % 2}") for place in range(players)]
        for facts in ({}, {"turns": 4.0, "eliminated_turn": 0.0}):
            seats = [SeatScored(seat, facts) for seat in dealt]
            asked = [(one.expected(environment, dealt), one.scored(environment, seats))
                     for one in (make(), make())]  # fmt: skip
            if asked[0] != asked[1]:
                raise ConformanceError(
                    f"expected the same of the same game, found {asked[0]} and {asked[1]}"
                )
            expected, scored = asked[0]
            if len(expected) != players or not all(map(isfinite, expected)):
                raise ConformanceError(f"expected {players} finite numbers, found {expected}")
            if len(scored) != players or not all(x is None or isfinite(x) for x in scored):
                raise ConformanceError(f"expected {players} numbers or None, found {scored}")
