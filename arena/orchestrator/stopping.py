"""Stops a run: no new games, running ones end their turn, and those that only wait stop at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from arena.core import Pause
from arena.core.execution import Slot

T = TypeVar("T")

# Shorter waits are not worth opening another game.
LEND_AFTER = 0.1


class Stop:
    """Asks a run to stop, from its own event loop.

    `reason` is None when a person asked, else the sentence that says why the run ended early.
    """

    def __init__(self) -> None:
        self.requested = False
        self.reason: str | None = None
        self._waits: set[asyncio.Timeout] = set()

    def request(self, reason: str | None = None) -> None:
        """Stop; the first reason is kept. Asking twice is fine."""
        if not self.requested:
            self.requested, self.reason = True, reason
        for wait in [wait for wait in self._waits if not wait.expired()]:
            wait.reschedule(asyncio.get_running_loop().time())

    def going(self) -> bool:
        """Whether no stop was requested."""
        return not self.requested

    async def unless(self, wait: Awaitable[T]) -> T:
        """Await `wait`. Raises Pause when the run stops before it is over."""
        scope = asyncio.timeout(0 if self.requested else None)
        try:
            async with scope:
                self._waits.add(scope)
                return await wait
        except TimeoutError:
            if scope.expired():
                raise Pause("the run is stopping") from None
            raise
        finally:
            self._waits.discard(scope)


class GameWaiting:
    """What one game does while a call of it cannot be sent (`arena.llm.pacing.waiting.Waiting`):
    another game has its slot meanwhile if `worth` says that one could be played at once, and a
    run that stops does not wait for it."""

    def __init__(self, slot: Slot, stop: Stop, worth: Callable[[], bool]) -> None:
        self._slot = slot
        self._stop = stop
        self._worth = worth

    async def __call__(self, wait: Awaitable[T]) -> T:
        """Await `wait`. Raises Pause when the run stops before it is over."""
        with self._slot.lent(LEND_AFTER, self._worth):
            return await self._stop.unless(wait)
