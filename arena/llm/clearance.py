"""Leave to send a call: a permit at the model's gate and a reservation of money.

Both are asked for and given back as plain data, by id, so that one place grants them for a whole
run, however many processes play its games.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, Self

from arena.llm.costs.budget import Budget, Reservation
from arena.llm.pacing.limits import Limits, Permit
from arena.llm.pacing.waiting import Waiting, patiently


@dataclass(frozen=True, slots=True)
class CallNeeds:
    """What a call needs: about `tokens` of a model, by its name in the catalogue, and `worst`
    dollars at most; None where no price is known."""

    model: str
    tokens: int
    worst: float | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to send one call. `probe` marks a call that finds out whether a failing model is back:
    its failure does not count against the call's retries. `proven` says that the model answers
    others: one that has not may refuse them all. `answered` is the calls that it has answered so
    far, `largest` about the tokens of the largest of them.
    """

    grant_id: int
    probe: bool = False
    proven: bool = True
    answered: int = 0
    largest: int = 0


class Ending(StrEnum):
    """How a granted call ended. A `lost` one may have been answered, and paid for, unseen: its
    worst case counts as spent."""

    ANSWERED = "answered"
    FAILED = "failed"
    UNSENT = "unsent"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Returned:
    """A grant that is given back. `charged` is in dollars; `tokens` is what an answered call took
    in all, None where the provider did not say. The rest is of a failed one: `retry_after` in
    seconds as the provider asked, whether the model itself is at fault, what was `said`, and the
    `advice` for it."""

    grant_id: int
    ending: Ending
    charged: float = 0.0
    tokens: int | None = None
    rate_limited: bool = False
    retry_after: float | None = None
    model_at_fault: bool = True
    said: str = ""
    advice: str = ""


class Clearance(Protocol):
    """Where the calls of one game get their leave."""

    async def ask(self, needs: CallNeeds) -> Grant:
        """Waits until the call may be sent; what is granted is given back, whatever happens.

        Raises ModelParked or BudgetReached where waiting does not help, Pause when the run stops
        meanwhile, and UsageError for an unknown worst case under a budget.
        """
        ...

    def give_back(self, returned: Returned) -> None:
        """Say how a granted call ended; waits for nothing. Raises RuntimeError for a grant that
        is not open."""
        ...

    async def wait(self, seconds: float) -> None:
        """Wait before another attempt. Raises Pause when the run stops meanwhile."""
        ...


class GameAccount(Protocol):
    """What the calls of one game are charged to. A game waits until it is `due`: others that were
    begun before may need all the money that is left. While `all_due`, none waits."""

    def due(self) -> bool: ...
    def all_due(self) -> bool: ...
    async def wait(self) -> None: ...
    def charge(self, model: str, dollars: float) -> None: ...


class LocalClearance:
    """Grants of this process's limits and budget to one game (`Clearance`).

    `waiting` is what the game does while it waits; `account` is the game's own; `sleep` can be
    replaced by tests. As a context manager it takes back what is still open when the game ends, as
    lost.
    """

    def __init__(
        self,
        limits: Limits,
        budget: Budget | None = None,
        *,
        waiting: Waiting = patiently,
        account: GameAccount | None = None,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self.limits = limits
        self.budget = budget
        self._account = account
        self._waiting = waiting
        self._sleep = sleep
        self._granted = 0
        self._open: dict[int, tuple[Permit, Reservation | None]] = {}

    async def ask(self, needs: CallNeeds) -> Grant:
        if self._account is not None and not self._account.due():
            await self._waiting(self._account.wait())
        gate = self.limits.gate(needs.model)
        permit = gate.enter_now(needs.tokens)
        if permit is None:
            permit = await self._waiting(gate.enter(needs.tokens))
        try:
            reservation = await self._reserved(needs)
        except BaseException:
            permit.cancelled()
            raise
        self._granted += 1
        self._open[self._granted] = permit, reservation
        return Grant(self._granted, permit.probe, gate.proven, gate.answered, gate.largest)

    async def _reserved(self, needs: CallNeeds) -> Reservation | None:
        if self.budget is None:
            return None
        at_once = self.budget.reserve_now(needs.model, needs.worst)
        if at_once is not None:
            return at_once
        return await self._waiting(self.budget.reserve(needs.model, needs.worst))

    def all_due(self) -> bool:
        """Whether every game that shares the budget may call now, in whatever order."""
        return self._account is None or self._account.all_due()

    def adopt(self, grant_id: int, permit: Permit, reservation: Reservation | None) -> None:
        """Take a call that the game sends from a chunk (`arena.llm.chunks`): it is given back like
        one that was granted here under this id."""
        self._open[grant_id] = permit, reservation

    def give_back(self, returned: Returned) -> None:
        found = self._open.pop(returned.grant_id, None)
        if found is None:
            raise RuntimeError(f"grant {returned.grant_id} is not open: each is given back once")
        permit, reservation = found
        match returned.ending:
            case Ending.ANSWERED:
                permit.succeeded(returned.tokens)
            case Ending.FAILED:
                permit.failed(
                    rate_limited=returned.rate_limited,
                    retry_after=returned.retry_after,
                    model_at_fault=returned.model_at_fault,
                    said=returned.said,
                    advice=returned.advice,
                )
            case _:
                permit.cancelled()
        if reservation is not None:
            match returned.ending:
                case Ending.UNSENT:
                    reservation.release()
                case Ending.LOST:
                    self._settle(reservation, reservation.amount)
                case _:
                    self._settle(reservation, returned.charged)

    def _settle(self, reservation: Reservation, charged: float) -> None:
        reservation.settle(charged)
        if self._account is not None:
            self._account.charge(reservation.model, charged)

    async def wait(self, seconds: float) -> None:
        await self._waiting(self._sleep(seconds))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for grant_id in list(self._open):
            self.give_back(Returned(grant_id, Ending.LOST))


class Held:
    """A grant in the hands of a call. As a context manager it gives it back once: as lost, unless
    the call said how it ended."""

    __slots__ = ("_clearance", "_open", "grant")

    def __init__(self, clearance: Clearance, grant: Grant) -> None:
        self._clearance = clearance
        self._open = True
        self.grant = grant

    def end(self, ending: Ending, **how: Any) -> None:
        """The call has ended; `how` is what `Returned` says of it. Does nothing the second time."""
        if self._open:
            self._open = False
            self._clearance.give_back(Returned(self.grant.grant_id, ending, **how))

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(Ending.LOST)
