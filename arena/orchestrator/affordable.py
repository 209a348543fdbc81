"""Which games a budget can still pay to their end: those begun, then new ones that fit."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arena.llm.costs.budget import Budget
from arena.orchestrator.game_costs import GameCost, GameCosts, PastCosts, SeatedModels

# How many times the dearest call so far each call of a game may cost while no game is finished: the
# prompts of a game grow.
_GROWTH = 2.0


@dataclass(frozen=True, slots=True)
class Shortage:
    """A budget that does not pay a game: that of a `model`, or with None the one over all."""

    model: str | None


@dataclass(frozen=True, slots=True)
class GamePrice:
    """What a game costs, in dollars. `mean` is over the finished ones, None where there is none;
    `begun` is the most that one without an end has cost so far; `next_dollar` how many of the games
    that are left are finished with one dollar more in the budget, or in that of the `model`, None
    where that is not known."""

    mean: float | None
    begun: float
    next_dollar: int | None
    model: str | None = None


class Affordable:
    """The games of a run against its caps; without any every game can be paid.

    `past` is what games on record cost, `longest` the most calls of a game. A game may begin when
    what it is expected to cost with its seating fits into what is left after those that are being
    played, of the cap over all and of that of each of its models. Where no game has been finished
    yet, as many are begun as could be paid if every call cost twice the dearest so far; at least
    one. For one event loop.
    """

    def __init__(
        self,
        budget: Budget | None,
        past: PastCosts | None = None,
        *,
        longest: int = 0,
    ) -> None:
        past = past or PastCosts()
        self._budget = budget
        self._before = past.largest
        self._longest = longest
        self._costs = GameCosts(past.finished)
        self._begun = dict(past.begun)
        self._playing: dict[int, GameCost] = {}
        self._news = asyncio.Event()

    def spent(self, game_id: int) -> float:
        """What a game has cost that is being played or was begun before."""
        cost = self._playing.get(game_id) or self._begun.get(game_id)
        return 0.0 if cost is None else cost.total

    async def short_of(self, game_id: int, seating: SeatedModels) -> Shortage | None:
        """What does not pay this game, after what other commands have spent meanwhile."""
        if self._budget is not None:
            await self._budget.look()
        return self.shortage(game_id, seating)

    def shortage(self, game_id: int, seating: SeatedModels) -> Shortage | None:
        """What does not pay this game to its end, as far as can be told. One that was begun may
        always try alone: what it buys is not lost."""
        if not self._playing and game_id in self._begun:
            return None
        game = self._begun.get(game_id) or GameCost(seating)
        for model in _caps(seating):
            room = self._room(model)
            if room is not None and not self._fits(game, model, room):
                return Shortage(model)
        return None

    def _fits(self, game: GameCost, model: str | None, room: float) -> bool:
        games = [*self._playing.values(), game]
        if self._costs:
            return self._fit(games, room, model)
        asking = sum(1 for each in games if model is None or model in each.seating)
        if asking * self._longest * _GROWTH * self._largest(model) <= room and self._largest(None):
            return True
        # As much as the dearest that was begun has cost is not enough.
        dearest = max((cost.total for cost in self._begun.values()), default=0.0)
        return not self._playing and (model is not None or dearest <= room)

    def due(self, game_id: int) -> bool:
        """Whether a game that is being played may call now. It waits while what is left, in all or
        for one of its models, does not pay both for it and for those that were begun before: one
        game to its end is worth more than two halves. The first never waits."""
        before = [*self._playing].index(game_id) if game_id in self._playing else 0
        if self._budget is None or before == 0 or not self._costs:
            return True
        games = [*self._playing.values()][: before + 1]
        rooms = ((model, self._room(model)) for model in _caps(games[-1].seating))
        return all(room is None or self._fit(games, room, model) for model, room in rooms)

    def all_due(self) -> bool:
        """Whether every game that is being played may call now, in whatever order."""
        return not self._playing or self.due(next(reversed(self._playing)))

    def _fit(self, games: Sequence[GameCost], room: float, model: str | None) -> bool:
        """Whether these games can all be paid to their end. The last call of the last one must find
        its worst case free."""
        left = math.fsum(self._costs.left(game, model) for game in games)
        return left + self._largest(model) <= room or left == 0.0

    def begin(self, game_id: int, seating: SeatedModels) -> None:
        """The game is being played."""
        self._playing[game_id] = self._begun.get(game_id) or GameCost(seating)
        self._begun.pop(game_id, None)

    def charge(self, game_id: int, model: str, dollars: float) -> None:
        """A call of the game to a model has cost so many dollars."""
        if (cost := self._playing.get(game_id)) is not None:
            cost.dollars[model] = cost.dollars.get(model, 0.0) + dollars
            if not self._costs:
                self._news.set()

    def end(self, game_id: int, *, finished: bool) -> None:
        """The game is not played any more, `finished` or to go on another time."""
        cost = self._playing.pop(game_id, None)
        if cost is not None and finished:
            self._costs.add(cost)
        elif cost is not None and cost.dollars:
            self._begun[game_id] = cost
        self._news.set()

    def account(self, game_id: int) -> Tab:
        """What the calls of a game are charged to, and wait for."""
        return Tab(self, game_id)

    async def wait(self) -> bool:
        """Wait until a game that is being played has ended, or has told what calls cost; False at
        once where none is played."""
        if not self._playing:
            return False
        self._news.clear()
        await self._news.wait()
        return True

    def price(
        self,
        left: Iterable[tuple[int, SeatedModels]] = (),
        *,
        more: int = 0,
        model: str | None = None,
    ) -> GamePrice:
        """What a game costs, and how many of these the next dollar buys, in the cap over all or in
        that of a model. `left` are the games that are left, by game_id, in the order in which they
        would be played; `more` are those whose seating is not known yet."""
        open_ = [*self._begun.values(), *self._playing.values()]
        begun = max((cost.total for cost in open_), default=0.0)
        mean = self._costs.mean(model)
        if mean <= 0.0:
            return GamePrice(None, begun, None, model)
        room = self._room(model)
        bought = None if room is None else self._bought([*left], more, model)
        return GamePrice(mean, begun, bought, model)

    def _bought(
        self, left: Sequence[tuple[int, SeatedModels]], more: int, dollar_for: str | None
    ) -> int:
        """How many games would be finished with a dollar more: begun as `shortage` would have it,
        those that were begun before first."""
        rooms = {key: self._room(key) for key in {None, *(m for _, seats in left for m in seats)}}
        rooms[dollar_for] = (self._room(dollar_for) or 0.0) + 1.0
        games, pending = 0, [*left]
        pending.sort(key=lambda game: game[0] not in self._begun)
        stopped: set[str] = set()
        for game_id, seating in pending:
            game = self._begun.get(game_id) or GameCost(seating)
            if not stopped.isdisjoint(seating):
                continue
            needs = {key: self._costs.left(game, key) for key in _caps(seating)}
            short = [key for key, dollars in needs.items() if self._lacks(rooms[key], key, dollars)]
            if None in short:
                return games
            stopped |= {key for key in short if key is not None}
            if not short:
                games += 1
                for key, dollars in needs.items():
                    if (room := rooms[key]) is not None:
                        rooms[key] = room - dollars
        rest = rooms[dollar_for] or 0.0
        mean = self._costs.mean(dollar_for)
        return games + min(more, max(0, math.floor((rest - self._largest(dollar_for)) / mean)))

    def _lacks(self, room: float | None, model: str | None, dollars: float) -> bool:
        return room is not None and dollars > 0.0 and dollars + self._largest(model) > room

    def short(self, shortage: Shortage, seating: SeatedModels = ()) -> str:
        """Why no further game is begun."""
        assert self._budget is not None
        model = shortage.model
        account = self._budget.account(model)
        whose = "the budget" if model is None else f"the budget of model {model!r}"
        if not self._costs:
            dearest = max((cost.total for cost in self._begun.values()), default=0.0)
            costs = f"one game alone has cost ${dearest:.4f} so far"
        else:
            cost = self._costs.left(GameCost(seating), model)
            whom = "" if model is None else " it"
            costs = f"a game is expected to cost{whom} ${cost:.4f}"
        return (
            f"{whose} does not pay another game: ${account.spent:.4f} of ${account.cap or 0.0:g} "
            f"are spent, and {costs}\n"
            "Raise `budget` in the configuration, or --budget, and run the command again: it "
            "resumes."
        )

    def _largest(self, model: str | None) -> float:
        """The most that was reserved for a call, to this model or to any."""
        now = {} if self._budget is None else self._budget.largest
        both = (self._before, now)
        if model is not None:
            return max(each.get(model, 0.0) for each in both)
        return max((dollars for each in both for dollars in each.values()), default=0.0)

    def _room(self, model: str | None) -> float | None:
        """Dollars that are not spent; what is reserved is that of games that are being played."""
        if self._budget is None:
            return None
        account = self._budget.account(model)
        return None if account.cap is None else account.cap - account.spent


def _caps(seating: SeatedModels) -> tuple[str | None, ...]:
    """The caps that a game of this seating is paid from, as `Shortage` names them."""
    return None, *dict.fromkeys(seating)


@dataclass(frozen=True, slots=True)
class Tab:
    """One game's (`arena.llm.clearance.GameAccount`)."""

    games: Affordable
    game_id: int

    def due(self) -> bool:
        return self.games.due(self.game_id)

    def all_due(self) -> bool:
        return self.games.all_due()

    async def wait(self) -> None:
        while not self.due() and await self.games.wait():
            pass

    def charge(self, model: str, dollars: float) -> None:
        self.games.charge(self.game_id, model, dollars)
