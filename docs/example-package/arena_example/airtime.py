"""A covariate: what share of a game's turns a seat had, beside what its role usually has."""

from __future__ import annotations

from collections.abc import Sequence

from arena.core.covariates import SeatDealt, SeatScored

USUAL = {"Mafia": 1.1, "Villager": 0.95}
"""Of an equal share, by role: counted in other games, before those that it is used for."""


class Airtime:
    """Nothing here knows who sits where. Whether the expectation is kept whoever does, boards and
    comparisons test on the games."""

    def expected(self, environment: str, seats: Sequence[SeatDealt]) -> Sequence[float]:
        usual = [USUAL.get(seat.role or "", 1.0) for seat in seats]
        return [share / sum(usual) for share in usual]

    def scored(self, environment: str, seats: Sequence[SeatScored]) -> Sequence[float | None]:
        turns = [seat.facts.get("turns", 0.0) for seat in seats]
        return [had / sum(turns) if sum(turns) else None for had in turns]
