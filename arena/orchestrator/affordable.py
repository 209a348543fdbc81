"""Which games a budget can still pay to their end: those begun, then new ones that fit."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from arena.llm.costs.budget import Budget

# What a game that has cost more than every finished one is still expected to take, of the mean.
_STILL = 0.25


@dataclass(frozen=True, slots=True)
class GamePrice:
    """What a game costs, in dollars. `mean` is over the finished ones, None where there is none;
    `begun` is the most that one without an end has cost so far; `next_dollar` how many games one
    more dollar pays to their end, None where that is not known."""

    mean: float | None
    begun: float
    next_dollar: int | None


class Affordable:
    """The games of a run against its cap; without a cap every game can be paid.

    `finished` are the dollars that games on record cost, `begun` what those have cost that are not
    finished, by game_id; `largest` is the most that was reserved for a call. A game may begin when
    what it is expected to cost fits into what is left after those that are being played; where no
    game has been finished yet, one is played alone to find out. For one event loop.
    """

    def __init__(
        self,
        budget: Budget | None,
        *,
        finished: Iterable[float] = (),
        begun: Mapping[int, float] | None = None,
        largest: float = 0.0,
    ) -> None:
        self._budget = budget
        self._before = largest
        self._finished = [*finished]
        self._begun = dict(begun or {})
        self._playing: dict[int, float] = {}
        self._news = asyncio.Event()

    def spent(self, game_id: int) -> float:
        """What a game has cost that is being played or was begun before."""
        return self._playing.get(game_id, self._begun.get(game_id, 0.0))

    def fits(self, game_id: int) -> bool:
        """Whether the budget pays this game to its end, as far as can be told. One that was begun
        may always try alone: what it buys is not lost."""
        room = self._room()
        if room is None:
            return True
        if not self._playing and game_id in self._begun:
            return True
        if not self._finished:
            # As much as the dearest that was begun has cost is not enough.
            return not self._playing and max(self._begun.values(), default=0.0) <= room
        return self._fit([*self._playing.values(), self.spent(game_id)], room)

    async def may_begin(self, game_id: int) -> bool:
        """Whether it fits after what other commands have spent meanwhile."""
        if self._budget is not None:
            await self._budget.look()
        return self.fits(game_id)

    def due(self, game_id: int) -> bool:
        """Whether a game that is being played may call now. It waits while what is left does not
        pay both for it and for those that were begun before: one game to its end is worth more than
        two halves. The first never waits."""
        room = self._room()
        before = [*self._playing].index(game_id) if game_id in self._playing else 0
        if room is None or before == 0 or not self._finished:
            return True
        return self._fit([*self._playing.values()][: before + 1], room)

    def _fit(self, spent: Sequence[float], room: float) -> bool:
        """Whether games that have cost so much can all be paid to their end. The last call of the
        last one must find its worst case free."""
        return sum(map(self._left, spent)) + self._largest() <= room

    def begin(self, game_id: int) -> None:
        """The game is being played."""
        self._playing[game_id] = self._begun.pop(game_id, 0.0)

    def charge(self, game_id: int, dollars: float) -> None:
        """A call of the game has cost so many dollars."""
        if game_id in self._playing:
            self._playing[game_id] += dollars

    def end(self, game_id: int, *, finished: bool) -> None:
        """The game is not played any more, `finished` or to go on another time."""
        cost = self._playing.pop(game_id, 0.0)
        if finished:
            self._finished.append(cost)
        elif cost:
            self._begun[game_id] = cost
        self._news.set()

    def account(self, game_id: int) -> Tab:
        """What the calls of a game are charged to, and wait for."""
        return Tab(self, game_id)

    async def wait(self) -> bool:
        """Wait until a game that is being played has ended; False at once where none is."""
        if not self._playing:
            return False
        self._news.clear()
        await self._news.wait()
        return True

    def price(self) -> GamePrice:
        """What a game costs, and how many the next dollar buys."""
        begun = max([*self._begun.values(), *self._playing.values()], default=0.0)
        if not self._finished or self._mean() <= 0.0:
            return GamePrice(None, begun, None)
        money, games = 1.0, 0
        for left in sorted(map(self._left, self._begun.values())):
            if left > money:
                break
            money -= left
            games += 1
        return GamePrice(self._mean(), begun, games + math.floor(money / self._mean()))

    def short(self) -> str:
        """Why no further game is begun."""
        assert self._budget is not None
        account = self._budget.account()
        costs = (
            f"a game is expected to cost ${self._mean():.4f}"
            if self._finished
            else f"one game alone has cost ${max(self._begun.values(), default=0.0):.4f} so far"
        )
        return (
            f"the budget does not pay another game: ${account.spent:.4f} of ${account.cap:g} are "
            f"spent, and {costs}\n"
            "Raise `budget` in the configuration, or --budget, and run the command again: it "
            "resumes."
        )

    def _largest(self) -> float:
        return max(self._before, 0.0 if self._budget is None else self._budget.largest)

    def _mean(self) -> float:
        return fmean(self._finished)

    def _left(self, spent: float) -> float:
        """What a game that has cost this much is expected to cost still: as those that cost more
        (none of them: a part of the mean)."""
        dearer = [cost - spent for cost in self._finished if cost > spent]
        return fmean(dearer) if dearer else _STILL * self._mean()

    def _room(self) -> float | None:
        """Dollars that are not spent; what is reserved is that of games that are being played."""
        if self._budget is None:
            return None
        account = self._budget.account()
        return None if account.cap is None else account.cap - account.spent


@dataclass(frozen=True, slots=True)
class Tab:
    """One game's (`arena.llm.clearance.GameAccount`)."""

    games: Affordable
    game_id: int

    def due(self) -> bool:
        return self.games.due(self.game_id)

    async def wait(self) -> None:
        while not self.due() and await self.games.wait():
            pass

    def charge(self, dollars: float) -> None:
        self.games.charge(self.game_id, dollars)
