"""What games have cost, by who sat in them, and what others are expected to cost."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from statistics import fmean

from db.queries.spending import SeatSpending

# What a game that has cost more than every finished one is still expected to take, of the mean.
_STILL = 0.25
# Games of the same seating that tell more than those of others.
_ALIKE = 2
# The latest finished games tell.
RECENT = 500

SeatedModels = tuple[str, ...]
"""The models of a game's players, in order of player_index."""


@dataclass(slots=True)
class GameCost:
    """What a game has cost so far, in `dollars` by model."""

    seating: SeatedModels
    dollars: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return math.fsum(self.dollars.values())


@dataclass(frozen=True, slots=True)
class PastCosts:
    """What games on record cost: the finished ones, those that are to go on, by game_id, and the
    most that was reserved for a call, by model."""

    finished: Sequence[GameCost] = ()
    begun: Mapping[int, GameCost] = field(default_factory=dict)
    largest: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, seats: Iterable[SeatSpending], largest: Mapping[str, float] | None = None
    ) -> PastCosts:
        """From the seats of games, by game and player_index; `largest` is the most that was
        reserved for a call in others."""
        games: dict[int, tuple[str, GameCost]] = {}
        largest = dict(largest or {})
        for seat in seats:
            _, cost = games.setdefault(seat.game_id, (seat.status, GameCost(())))
            cost.seating = (*cost.seating, seat.model)
            cost.dollars[seat.model] = cost.dollars.get(seat.model, 0.0) + seat.charged
            largest[seat.model] = max(largest.get(seat.model, 0.0), seat.largest)
        return cls(
            [cost for status, cost in games.values() if status == "completed"],
            {game: cost for game, (status, cost) in games.items() if status == "running"},
            largest,
        )


class GameCosts:
    """What finished games cost, and what a game is expected to cost still: games of the same
    seating tell, else what a seat of each of its models has cost."""

    def __init__(self, finished: Iterable[GameCost] = ()) -> None:
        self._finished = [*finished][-RECENT:]
        self._known: dict[SeatedModels, _Known] = {}

    def __bool__(self) -> bool:
        return bool(self._finished)

    def add(self, cost: GameCost) -> None:
        """A game has been finished."""
        self._finished = [*self._finished, cost][-RECENT:]
        self._known.clear()

    def mean(self, model: str | None = None) -> float:
        """What a finished game cost; of a model's dollars, one that it sat in. 0 where there is
        none."""
        if model is None:
            return fmean([cost.total for cost in self._finished]) if self._finished else 0.0
        parts = [cost.dollars.get(model, 0.0) for cost in self._finished if model in cost.seating]
        return fmean(parts) if parts else 0.0

    def left(self, game: GameCost, model: str | None = None) -> float:
        """What a game is expected to cost still, in all or for a model. Only where a game has been
        finished."""
        known = self._known.get(game.seating)
        if known is None:
            known = self._known[game.seating] = self._of(game.seating)
        left = known.left(game.total)
        return left if model is None else left * known.parts.get(model, 0.0)

    def _of(self, seating: SeatedModels) -> _Known:
        """What games of this seating cost: those on record, else every game, as much dearer as its
        models are."""
        seats: Counter[str] = Counter()
        dollars: Counter[str] = Counter()
        for cost in self._finished:
            seats.update(cost.seating)
            dollars.update(cost.dollars)
        rates = {model: dollars[model] / count for model, count in seats.items()}
        expected = _at(rates, seating)
        parts = {
            model: _at(rates, (model,) * count) / expected if expected else 0.0
            for model, count in Counter(seating).items()
        }
        costs = [cost.total for cost in self._finished if cost.seating == seating]
        if seating and len(costs) < _ALIKE:
            costs = [
                cost.total * expected / own if (own := _at(rates, cost.seating)) else expected
                for cost in self._finished
            ]
        return _Known.of(costs, parts)


@dataclass(frozen=True, slots=True)
class _Known:
    """What games of one seating cost: `costs` in order, `sums` of each and all dearer ones, and the
    `parts` of the cost that are each model's."""

    costs: Sequence[float]
    sums: Sequence[float]
    parts: Mapping[str, float]

    @classmethod
    def of(cls, costs: Iterable[float], parts: Mapping[str, float]) -> _Known:
        ordered = sorted(costs)
        sums = [*accumulate(reversed(ordered))][::-1]
        return cls(ordered, sums, parts)

    def left(self, spent: float) -> float:
        """What one that has cost so much is expected to cost still: as those that cost more (none
        of them: a part of the mean)."""
        dearer = bisect_right(self.costs, spent)
        count = len(self.costs) - dearer
        if not count:
            return _STILL * self.sums[0] / len(self.costs)
        return self.sums[dearer] / count - spent


def _at(rates: Mapping[str, float], models: Iterable[str]) -> float:
    """What these seats cost; a model that was in no finished game is as dear as the dearest."""
    unknown = max(rates.values(), default=0.0)
    return math.fsum(rates.get(model, unknown) for model in models)
