"""A hard cap in dollars: what a call may cost at most is set aside before it is sent.

So that any number of calls at once cannot overshoot: what was spent and what is set aside are
together never above the cap, unless a provider charges more than its own worst case. Where several
commands spend from one cap, each draws a share of it first, and never has more than that.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType

from arena.core import BudgetReached, UsageError
from arena.llm.costs.purses import UNIT, Account, CapPool, Purse, account_of


@dataclass(slots=True, eq=False)
class _Waiter:
    purses: tuple[Purse, ...]
    amount: int
    # False where a share has to be drawn first.
    granted: asyncio.Future[bool]


class Reservation:
    """What is set aside for one call; exactly one of `settle` and `release` ends it.

    As a context manager it counts the whole amount as spent when it is left without either: a call
    that was cancelled may have been answered, and paid for, all the same.
    """

    __slots__ = ("_budget", "_purses", "_units", "amount", "model")

    def __init__(
        self, budget: Budget, model: str, purses: tuple[Purse, ...], units: int, amount: float
    ) -> None:
        self._budget = budget
        self.model = model
        self._purses: tuple[Purse, ...] | None = purses
        self._units = units
        self.amount = amount

    def settle(self, charged: float) -> None:
        """The call is over and is counted as `charged` dollars; what is not a number of dollars
        counts as the whole amount. Raises RuntimeError the second time."""
        self._end(_up(charged) if 0.0 <= charged < math.inf else self._units)

    def release(self) -> None:
        """The call was never sent. Raises RuntimeError the second time."""
        self._end(0)

    def lower(self, worst: float) -> None:
        """The call costs no more than `worst` dollars. Does nothing for one that has ended."""
        less = min(_up(self.amount) - _units(worst), self._units)
        if self._purses is not None and less > 0:
            self._units -= less
            self.amount = worst
            self._budget._settled(self._purses, less, 0)

    def _end(self, units: int) -> None:
        purses, self._purses = self._purses, None
        if purses is None:
            raise RuntimeError("this reservation has been settled or released before")
        self._budget._ended(self, self.model, units - self._units)
        self._budget._settled(purses, self._units, units)

    def _raise(self, units: int) -> None:
        """Set so many units more aside, whether or not there is room for them."""
        if self._purses is not None:
            self._units += units
            for purse in self._purses:
                purse.reserved += units

    def __enter__(self) -> Reservation:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._purses is not None:
            self._end(self._units)


class Budget:
    """Dollars that may be spent: in all, and by model (by its name in the catalogue).

    `spent` is what was spent before, by model. Where other commands spend from these caps too,
    their `pool` says how much may be; `own` is then a cap for this command alone. For one event
    loop.
    """

    def __init__(
        self,
        total: float | None = None,
        *,
        per_model: Mapping[str, float] | None = None,
        spent: Mapping[str, float] | None = None,
        own: float | None = None,
        pool: CapPool | None = None,
    ) -> None:
        self._pool = pool
        self._drawing = asyncio.Lock()
        self._all = Purse(None, _cap(total, "budget"))
        self._models: dict[str, Purse] = {}
        for model, cap in (per_model or {}).items():
            self._models[model] = Purse(model, _cap(cap, f"budget of model {model!r}"))
        for model, dollars in (spent or {}).items():
            purse = self._purse(model)
            purse.spent, purse.seen = _up(dollars), dollars > 0.0
        self._all.spent = sum(purse.spent for purse in self._models.values())
        self._own = Purse(None, _cap(own, "budget"), spent=self._all.spent, own=True)
        if pool is not None:
            for purse in self._shared():
                purse.share = 0
        self._waiting: deque[_Waiter] = deque()
        self._open: dict[str, set[Reservation]] = {}
        self._beyond: dict[str, float] = {}
        self._largest: dict[str, int] = {}

    @property
    def capped(self) -> bool:
        """Whether there is any cap at all."""
        return any(purse.cap is not None for purse in (self._own, *self._shared()))

    @property
    def spent(self) -> float:
        """Dollars spent by all models together, in this command."""
        return self._own.spent / UNIT

    @property
    def reserved(self) -> float:
        """Dollars set aside for calls that are under way."""
        return self._all.reserved / UNIT

    @property
    def largest(self) -> Mapping[str, float]:
        """The most dollars that were asked for one call, by model."""
        return {model: units / UNIT for model, units in self._largest.items()}

    @property
    def beyond(self) -> Mapping[str, float]:
        """Models that charged more for a call than its worst case, and how many dollars more at
        most."""
        return self._beyond

    @property
    def left(self) -> float | None:
        """Dollars that are neither spent nor set aside; None without a cap over all."""
        return self.account().left

    def account(self, model: str | None = None) -> Account:
        """Where the cap of a model stands, or the one over all models: where there are two, the
        one with less left."""
        if model is not None:
            return account_of(self._models.get(model) or Purse(model, None))
        accounts = [account_of(self._all), account_of(self._own)]
        return min(accounts, key=lambda found: math.inf if found.left is None else found.left)

    def models(self) -> tuple[str, ...]:
        """The models that have a cap or have spent something."""
        return tuple(self._models)

    def reserve_now(self, model: str, worst: float | None) -> Reservation | None:
        """Sets the worst case of a call aside if that needs no waiting, else None. Raises
        UsageError for an unknown worst case under a cap."""
        purses = self._purses(model)
        if worst is None:
            if any(purse.cap is not None for purse in purses):
                raise UsageError(_unknown(model))
            worst = 0.0
        units = _units(worst)
        self._largest[model] = max(self._largest.get(model, 0), units)
        if self._waiting or not self._room(purses, units):
            return None
        for purse in purses:
            purse.reserved += units
        return self._reserved(model, purses, units, worst)

    def _room(self, purses: tuple[Purse, ...], units: int) -> bool:
        if not all(purse.has_room(units) for purse in purses):
            return False
        # Whether a model keeps to its limits is known when it has answered once.
        mine = purses[0]
        alone = mine.seen or not mine.reserved
        return alone or all(purse.plenty(units) for purse in purses)

    def _reserved(
        self, model: str, purses: tuple[Purse, ...], units: int, worst: float
    ) -> Reservation:
        made = Reservation(self, model, purses, units, worst)
        self._open.setdefault(model, set()).add(made)
        return made

    async def reserve(self, model: str, worst: float | None) -> Reservation:
        """Sets the worst case of a call aside; first come, first served.

        Waits while calls under way may come back cheaper and make room. Raises BudgetReached when
        even that could not; UsageError for an unknown worst case under a cap.
        """
        granted = self.reserve_now(model, worst)
        if granted is not None:
            return granted
        worst = worst or 0.0
        units = _units(worst)
        purses = self._purses(model)
        while True:
            if self._pool is not None:
                async with self._drawing:
                    if not all(purse.has_room(units) for purse in purses):
                        await self._draw(self._pool, purses, units)
            if await self._queued(purses, units):
                return self._reserved(model, purses, units, worst)

    def plenty(self, model: str, worst: float, calls: int) -> int:
        """How many of so many calls are far from what is left: together a hundredth of it."""
        purses, units = self._purses(model), _units(worst)
        while calls > 0 and not all(purse.plenty(units * calls) for purse in purses):
            calls //= 2
        return calls

    async def spare(self, model: str, worst: float, calls: int) -> list[Reservation]:
        """Sets the worst case aside of up to so many calls that are not there yet: only while there
        is `plenty`. Waits for nothing but a share to be drawn."""
        purses, units = self._purses(model), _units(worst)
        calls = self.plenty(model, worst, calls)
        if calls > 0 and self._pool is not None:
            async with self._drawing:
                if not all(purse.has_room(units * calls) for purse in purses):
                    await self._draw(self._pool, purses, units * calls)
        made: list[Reservation] = []
        while len(made) < calls and (one := self.reserve_now(model, worst)) is not None:
            made.append(one)
        return made

    async def _queued(self, purses: tuple[Purse, ...], units: int) -> bool:
        """Wait in turn; False where a share has to be drawn first."""
        waiter = _Waiter(purses, units, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._serve()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                self._serve()
            elif waiter.granted.exception() is None and waiter.granted.result():
                self._settled(purses, units, 0)
            raise

    async def look(self) -> None:
        """Learn what other commands have spent meanwhile, where there may be others."""
        if self._pool is not None:
            async with self._drawing:
                await self._draw(self._pool, (), 0)

    async def _draw(self, pool: CapPool, purses: Iterable[Purse], units: int) -> None:
        short = {purse.key for purse in purses if not purse.own and not purse.has_room(units)}
        mine = {purse.key: purse for purse in self._shared()}
        wanted = {key: purse.wanted(units * (key in short)) for key, purse in mine.items()}
        for key, share in (await pool.draw(wanted)).items():
            purse = mine[key]
            purse.share, purse.others = share.held, share.others

    def _shared(self) -> tuple[Purse, ...]:
        return (self._all, *self._models.values())

    def _purses(self, model: str) -> tuple[Purse, ...]:
        return (self._purse(model), self._all, self._own)

    def _purse(self, model: str) -> Purse:
        purse = self._models.get(model)
        if purse is None:
            purse = self._models[model] = Purse(model, None)
            purse.share = None if self._pool is None else 0
        return purse

    def _ended(self, made: Reservation, model: str, beyond: int) -> None:
        """A reservation has ended, so many units above what was set aside: what is under way may
        cost as much more."""
        under_way = self._open[model]
        under_way.discard(made)
        if beyond > 0:
            self._beyond[model] = max(self._beyond.get(model, 0.0), beyond / UNIT)
            for other in under_way:
                other._raise(beyond)

    def _settled(self, purses: tuple[Purse, ...], units: int, charged: int) -> None:
        for purse in purses:
            purse.reserved -= units
            purse.spent += charged
            purse.seen |= charged > 0
        if self._waiting:
            self._serve()

    def _serve(self) -> None:
        """Grants in order of arrival. A call that waits for a purse holds up later calls for the
        same purse only: a model at its own cap does not stop the others."""
        short: set[int] = set()
        kept: deque[_Waiter] = deque()
        for waiter in self._waiting:
            if waiter.granted.cancelled():
                # It removes itself when its task runs.
                kept.append(waiter)
                continue
            hopeless = next((p for p in waiter.purses if not p.can_have_room(waiter.amount)), None)
            if hopeless is not None:
                model = waiter.purses[0].key or ""
                waiter.granted.set_exception(
                    BudgetReached(_reached(hopeless, model, waiter.amount), hopeless.key)
                )
                continue
            if all(purse.fits(waiter.amount) for purse in waiter.purses) and not all(
                purse.shared(waiter.amount) for purse in waiter.purses
            ):
                waiter.granted.set_result(False)
                continue
            lacking = {
                id(p) for p in waiter.purses if id(p) in short or not p.has_room(waiter.amount)
            }
            if not lacking and not self._room(waiter.purses, waiter.amount):
                lacking = {id(waiter.purses[0])}
            if lacking:
                short |= lacking
                kept.append(waiter)
                continue
            for purse in waiter.purses:
                purse.reserved += waiter.amount
            waiter.granted.set_result(True)
        self._waiting = kept


def _units(worst: float) -> int:
    if not 0.0 <= worst < math.inf:
        raise ValueError(f"a worst case of {worst} dollars; expected a number, 0 or more")
    return _up(worst)


def _up(dollars: float) -> int:
    return math.ceil(dollars * UNIT)


def _cap(dollars: float | None, what: str) -> int | None:
    if dollars is None:
        return None
    if not 0.0 <= dollars < math.inf:
        raise UsageError(f"the {what} is {dollars}; a number of dollars, 0 or more, was expected")
    return math.floor(dollars * UNIT)


def _unknown(model: str) -> str:
    return (
        f"a call to model {model!r} has no known worst case, and a budget is set; send it text "
        "alone, give the model its "
        "`input_price` and `output_price` (dollars per million tokens) and `max_tokens` in its "
        "`params`, or run without a budget"
    )


def _reached(purse: Purse, model: str, units: int) -> str:
    account = account_of(purse)
    whose = "the budget" if purse.key is None else f"the budget of model {purse.key!r}"
    others = f" (${purse.others / UNIT:.4f} of it by other commands)" if purse.others else ""
    return (
        f"{whose} is reached: ${account.spent:.4f} of ${account.cap:g} are spent{others}, and the "
        f"next call to model {model!r} may cost ${units / UNIT:.4f}\n"
        "Raise `budget` in the configuration, or --budget, and run the command again: it resumes."
    )
