"""Ends a wait for another side by the time that this side had, never by the lag of our loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType

from arena.llm.pacing.loop_lag import LoopLag

# Passes of the loop after which what lay there when the time was over has reached who waits for
# it: from the socket through a reader and the tasks behind it, a pass each.
_PASSES = 8
# Seconds between two looks, at least.
_SOON = 0.01


class deadline:
    """Inside, another side is waited for. Raises TimeoutError once `left` says that no seconds are
    left of its time at the given time of the loop's clock, and the loop has read since then what
    had come in.

    `left` is asked at least once in the seconds that it gives.
    """

    __slots__ = ("_left", "_loop", "_scope", "_timer")

    _loop: asyncio.AbstractEventLoop
    _timer: asyncio.Handle

    def __init__(self, left: Callable[[float], float]) -> None:
        self._left = left
        self._scope = asyncio.timeout(None)

    async def __aenter__(self) -> deadline:
        self._loop = asyncio.get_running_loop()
        await self._scope.__aenter__()
        now = self._loop.time()
        self._timer = self._loop.call_at(now + self._left(now), self._look)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        await self._scope.__aexit__(kind, error, traceback)

    def expired(self) -> bool:
        """Whether the time was over before what was waited for."""
        return self._scope.expired()

    def _look(self) -> None:
        self._pass(self._loop.time(), _PASSES)

    def _pass(self, asked: float, passes: int) -> None:
        seconds = self._left(asked)
        if seconds > 0.0:
            self._timer = self._loop.call_at(asked + max(seconds, _SOON), self._look)
        elif passes:
            self._timer = self._loop.call_soon(self._pass, asked, passes - 1)
        else:
            self._scope.reschedule(self._loop.time())


@asynccontextmanager
async def within(seconds: float, lag: LoopLag | None = None) -> AsyncIterator[deadline]:
    """Inside, another side has so many `seconds`, in which those do not count for which the loop
    was held. Raises TimeoutError once they are over.

    `lag` is that of the running loop, by default measured for this wait alone.
    """
    watched = LoopLag() if lag is None else lag
    with watched.watched():
        time = UnheldTime(watched)
        async with deadline(lambda now: seconds - time.spent(now)) as scope:
            yield scope


class UnheldTime:
    """The seconds from now on in which the loop is not held. `lag` is its own and is watched;
    `own` gives the part of it, in seconds, that is the other side's work, which does count."""

    __slots__ = ("_begun", "_clock", "_held", "_lag", "_own")

    def __init__(self, lag: LoopLag, own: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = asyncio.get_running_loop().time
        self._lag = lag
        self._own = own
        self._begun = self._clock()
        self._held = lag.held(self._begun)

    def spent(self, now: float | None = None) -> float:
        """Seconds until now, or until a time of the loop's clock that was a few passes ago."""
        now = self._clock() if now is None else now
        held = self._lag.held(now) - self._held
        return now - self._begun - max(0.0, held - self._own())
